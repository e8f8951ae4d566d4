//! Chat templates: Jinja that every inference engine renders, with the conversation at hand.
//! <https://huggingface.co/docs/transformers/chat_templating>
//!
//! The template is parsed and its tree is walked: what counts is which attributes and which names
//! it reaches, not which words it holds.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::parse;
use minijinja::syntax::SyntaxConfig;

use crate::finding::{Level, Rule};
use crate::scan::Detection;
use crate::scan::code::depth;

pub(in crate::scan) const UNSAFE: Rule = Rule {
    id: "unsafe-template",
    level: Level::Error,
    summary: "a template that reaches into Python",
    reason: "Engines that render it outside a sandbox run what it reaches (CVE-2024-34359 and its kin).",
    fix: "write the template with variables, filters and string methods alone",
    example: "{{ ''.__class__.__mro__ }}",
};

pub(in crate::scan) const UNREADABLE: Rule = Rule {
    id: "unreadable-template",
    level: Level::Warning,
    summary: "a template that cannot be parsed",
    reason: "What cannot be parsed cannot be known to be harmless; engines refuse it too.",
    fix: "render the template once with `tokenizer.apply_chat_template` and mend what it says",
    example: "{% for m in messages %} without an end",
};

/// Names that Jinja gives every template and that lead to Python's modules.
const LEADING_OUT: [&str; 8] =
    ["self", "lipsum", "cycler", "joiner", "request", "config", "url_for", "get_flashed_messages"];

/// Python's own functions: no engine gives them to a template, so a template that calls one was
/// written for an engine that does.
const RUNNING: [&str; 14] = [
    "eval",
    "exec",
    "compile",
    "open",
    "getattr",
    "setattr",
    "delattr",
    "globals",
    "locals",
    "vars",
    "input",
    "breakpoint",
    "popen",
    "system",
];

/// What a template of this text would reach.
pub(in crate::scan) fn scan(template: &str) -> Vec<Detection> {
    // Tags that only some engines know; they hold no expression.
    let mut text = template.to_owned();
    for tag in ["generation", "endgeneration"] {
        for (open, close) in [("{%", "%}"), ("{%-", "-%}"), ("{%-", "%}"), ("{%", "-%}")] {
            for space in [" ", ""] {
                text = text.replace(&format!("{open}{space}{tag}{space}{close}"), "");
            }
        }
    }
    depth::within(&text, look)
}

fn look(text: &str) -> Vec<Detection> {
    let mut walk = Walk { found: Vec::new() };
    match parse(text, "template", SyntaxConfig::default()) {
        Ok(Stmt::Template(root)) => walk.all(&root.children),
        Ok(_) => {}
        Err(error) => {
            // Another dialect may still run it: then no word may even look like a way out.
            let rule = if looks_unsafe(text) { &UNSAFE } else { &UNREADABLE };
            let line = error.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(1);
            walk.found.push(Detection::on_line(
                rule,
                format!("the template cannot be parsed: {error}"),
                line,
                1,
            ));
        }
    }
    walk.found.truncate(20);
    walk.found
}

fn looks_unsafe(text: &str) -> bool {
    let mut rest = text;
    while let Some(start) = rest.find(['{']) {
        rest = &rest[start + 1..];
        if !rest.starts_with(['{', '%']) {
            continue;
        }
        let end = rest.find("%}").into_iter().chain(rest.find("}}")).min().unwrap_or(rest.len());
        let inside = &rest[..end];
        if inside.contains("__") || inside.contains("attr(") || inside.contains("\\x5f") {
            return true;
        }
    }
    false
}

struct Walk {
    found: Vec<Detection>,
}

impl Walk {
    fn say(&mut self, expr: &Expr<'_>, message: String) {
        let span = expr.span();
        self.found.push(Detection::on_line(
            &UNSAFE,
            message,
            span.start_line.into(),
            u32::from(span.start_col) + 1,
        ));
    }

    fn all(&mut self, statements: &[Stmt<'_>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(node) => self.all(&node.children),
            Stmt::EmitExpr(node) => self.expr(&node.expr),
            Stmt::ForLoop(node) => {
                self.expr(&node.iter);
                self.optional(node.filter_expr.as_ref());
                self.all(&node.body);
                self.all(&node.else_body);
            }
            Stmt::IfCond(node) => {
                self.expr(&node.expr);
                self.all(&node.true_body);
                self.all(&node.false_body);
            }
            Stmt::WithBlock(node) => {
                for (_, value) in &node.assignments {
                    self.expr(value);
                }
                self.all(&node.body);
            }
            Stmt::Set(node) => self.expr(&node.expr),
            Stmt::SetBlock(node) => {
                self.optional(node.filter.as_ref());
                self.all(&node.body);
            }
            Stmt::AutoEscape(node) => self.all(&node.body),
            Stmt::FilterBlock(node) => {
                self.expr(&node.filter);
                self.all(&node.body);
            }
            Stmt::Block(node) => self.all(&node.body),
            Stmt::Macro(node) => {
                for default in &node.defaults {
                    self.expr(default);
                }
                self.all(&node.body);
            }
            Stmt::CallBlock(node) => {
                self.expr(&node.call.expr);
                self.arguments(&node.call.args);
                self.all(&node.macro_decl.body);
            }
            Stmt::Do(node) => {
                self.expr(&node.call.expr);
                self.arguments(&node.call.args);
            }
            Stmt::Import(node) => self.loads(&node.expr),
            Stmt::FromImport(node) => self.loads(&node.expr),
            Stmt::Extends(node) => self.loads(&node.name),
            Stmt::Include(node) => self.loads(&node.name),
            Stmt::EmitRaw(_) | Stmt::Continue(_) | Stmt::Break(_) => {}
        }
    }

    fn loads(&mut self, name: &Expr<'_>) {
        self.say(name, "it loads another template".into());
    }

    fn optional(&mut self, expr: Option<&Expr<'_>>) {
        if let Some(expr) = expr {
            self.expr(expr);
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(expr)
                | CallArg::Kwarg(_, expr)
                | CallArg::PosSplat(expr)
                | CallArg::KwargSplat(expr) => {
                    self.expr(expr);
                }
            }
        }
    }

    #[expect(clippy::too_many_lines, reason = "one case a kind of expression")]
    fn expr(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::Const(_) => {}
            Expr::Var(node) => {
                if node.id.starts_with("__") {
                    self.say(expr, format!("it uses `{}`", node.id));
                }
            }
            Expr::GetAttr(node) => {
                self.attribute(expr, &node.expr, node.name);
                self.expr(&node.expr);
            }
            Expr::GetItem(node) => {
                match constant(&node.subscript_expr) {
                    Some(key) => self.attribute(expr, &node.expr, &key),
                    None if leads_out(&node.expr).is_some() => {
                        self.say(
                            expr,
                            "it takes an item, made up while rendering, of what leads into Python"
                                .into(),
                        );
                    }
                    None => {}
                }
                self.expr(&node.expr);
                self.expr(&node.subscript_expr);
            }
            Expr::Filter(node) => {
                if matches!(
                    node.name,
                    "attr"
                        | "map"
                        | "selectattr"
                        | "rejectattr"
                        | "groupby"
                        | "sort"
                        | "sum"
                        | "min"
                        | "max"
                        | "unique"
                ) {
                    for argument in &node.args {
                        let (CallArg::Pos(value) | CallArg::Kwarg("attribute", value)) = argument
                        else {
                            continue;
                        };
                        match constant(value) {
                            Some(name) if is_dunder(&name) => {
                                self.say(expr, format!("it takes the attribute `{name:.40}`"));
                            }
                            None if node.name == "attr" => self.say(
                                expr,
                                "it takes an attribute whose name is made up while rendering"
                                    .into(),
                            ),
                            _ => {}
                        }
                    }
                }
                if node.name == "format"
                    && node.expr.as_ref().and_then(constant).is_some_and(|text| is_dunder(&text))
                {
                    self.say(expr, "it formats an attribute of Python's own".into());
                }
                self.optional(node.expr.as_ref());
                self.arguments(&node.args);
            }
            Expr::Test(node) => {
                self.expr(&node.expr);
                self.arguments(&node.args);
            }
            Expr::Call(node) => {
                if let Expr::GetAttr(callee) = &node.expr
                    && matches!(callee.name, "format" | "format_map")
                    && constant(&callee.expr).is_none_or(|text| {
                        text.contains("__") || text.contains("{0.") || text.contains("{.")
                    })
                {
                    self.say(expr, "it formats with a text that can reach attributes".into());
                }
                if let Expr::Var(callee) = &node.expr
                    && callee.id == "range"
                    && node
                        .args
                        .iter()
                        .any(|argument| matches!(argument, CallArg::Pos(value) if is_huge(value)))
                {
                    self.say(expr, "it counts further than any rendering should take".into());
                }
                if let Expr::Var(callee) = &node.expr
                    && RUNNING.contains(&callee.id)
                {
                    self.say(expr, format!("it calls Python's `{}`", callee.id));
                }
                for argument in &node.args {
                    if let CallArg::Pos(value) | CallArg::Kwarg(_, value) = argument
                        && let Some(name) = constant(value)
                        && is_private(&name)
                    {
                        self.say(expr, format!("it hands on the name `{name:.40}`"));
                    }
                }
                self.expr(&node.expr);
                self.arguments(&node.args);
            }
            Expr::Slice(node) => {
                self.expr(&node.expr);
                for part in [&node.start, &node.stop, &node.step] {
                    self.optional(part.as_ref());
                }
            }
            Expr::UnaryOp(node) => self.expr(&node.expr),
            Expr::BinOp(node) => {
                self.expr(&node.left);
                self.expr(&node.right);
            }
            Expr::Compare(node) => {
                self.expr(&node.expr);
                for operand in &node.ops {
                    self.expr(&operand.expr);
                }
            }
            Expr::IfExpr(node) => {
                self.expr(&node.test_expr);
                self.expr(&node.true_expr);
                self.optional(node.false_expr.as_ref());
            }
            Expr::List(node) => node.items.iter().for_each(|item| self.expr(item)),
            Expr::Tuple(node) => node.items.iter().for_each(|item| self.expr(item)),
            Expr::Map(node) => {
                node.keys.iter().chain(&node.values).for_each(|item| self.expr(item));
            }
        }
    }

    fn attribute(&mut self, whole: &Expr<'_>, owner: &Expr<'_>, name: &str) {
        if is_dunder(name)
            || matches!(name, "func_globals" | "gi_frame" | "f_globals" | "cr_frame" | "mro")
        {
            self.say(whole, format!("it takes `{name:.40}`, which leads into Python"));
        } else if let Some(leads) = leads_out(owner) {
            self.say(whole, format!("it takes `{name:.40}` of `{leads}`, which leads into Python"));
        }
    }
}

/// A name that Python keeps to itself, and nothing but that name.
fn is_private(name: &str) -> bool {
    name.len() > 4
        && name.starts_with("__")
        && name.ends_with("__")
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn is_dunder(name: &str) -> bool {
    name.contains("__")
}

fn leads_out<'a>(expr: &'a Expr<'_>) -> Option<&'a str> {
    match expr {
        Expr::Var(node) => LEADING_OUT.into_iter().find(|name| *name == node.id),
        _ => None,
    }
}

fn is_huge(expr: &Expr<'_>) -> bool {
    expr.as_const().and_then(|value| f64::try_from(value).ok()).is_some_and(|number| number > 1e7)
}

/// The text that an expression always is: literals, and what `~`, `+` and `*`-less filters make of
/// them.
fn constant(expr: &Expr<'_>) -> Option<String> {
    match expr {
        Expr::Const(node) => node.value.as_str().map(str::to_owned),
        Expr::BinOp(node) if matches!(node.op, BinOpKind::Concat | BinOpKind::Add) => {
            Some(constant(&node.left)? + &constant(&node.right)?)
        }
        Expr::Filter(node) => {
            let text = match node.expr.as_ref()? {
                Expr::List(list) if node.name == "join" => joined(&list.items)?,
                Expr::Tuple(tuple) if node.name == "join" => joined(&tuple.items)?,
                inner => constant(inner)?,
            };
            match node.name {
                "reverse" => Some(text.chars().rev().collect()),
                "lower" => Some(text.to_lowercase()),
                "upper" => Some(text.to_uppercase()),
                "join" | "string" | "safe" | "trim" => Some(text),
                "format" => {
                    let mut parts = text.split("%s");
                    let mut made = parts.next()?.to_owned();
                    for (part, argument) in parts.zip(&node.args) {
                        let CallArg::Pos(value) = argument else { return None };
                        made.push_str(&constant(value)?);
                        made.push_str(part);
                    }
                    Some(made)
                }
                "replace" => {
                    let [CallArg::Pos(from), CallArg::Pos(to)] = &node.args[..] else {
                        return None;
                    };
                    Some(text.replace(&constant(from)?, &constant(to)?))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn joined(items: &[Expr<'_>]) -> Option<String> {
    items.iter().map(constant).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(template: &str) -> Vec<&'static str> {
        scan(template).iter().map(|seen| seen.rule.id).collect()
    }

    #[test]
    fn ways_into_python() {
        for template in [
            "{{ ''.__class__.__mro__[1].__subclasses__() }}",
            "{{ ''['__cla' ~ 'ss__'] }}",
            "{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}",
            "{{ x | attr('__class__') }}",
            "{{ x | attr(name) }}",
            "{{ x | attr('%s%s' | format('__cla', 'ss__')) }}",
            "{{ x | attr(['__', 'class', '__'] | join) }}",
            "{{ x | attr('__ssalc__' | reverse) }}",
            "{{ cycler.next }}",
            "{{ self[name] }}",
            "{{ messages | map(attribute='__class__') | list }}",
            "{% include 'other' %}",
            "{% for i in range(999999999) %}{% endfor %}",
            "{% if x %}{{ lipsum.__globals__ }}",
            "{{ '{0.__class__}'.format(x) }}",
            "{{ getattr(x, name) }}",
            "{{ x.get('__globals__') }}",
        ] {
            assert_eq!(rules(template).first(), Some(&"unsafe-template"), "{template}");
        }
        let seen = &scan("line\n  {{ ''.__class__ }}")[0];
        assert_eq!(seen.line, Some(2));
    }

    #[test]
    fn honest_templates() {
        for template in [
            "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] }}{% endfor %}",
            "{% set ns = namespace(found=false) %}{% set ns.found = true %}{{ ns.found }}",
            "{%- macro tool(t) -%}{{ t.name }}: {{ t | tojson(indent=2) }}{%- endmacro -%}{{ tool(tools[0]) }}",
            "{{ raise_exception('system and exec are words') }}{{ strftime_now('%d') }}",
            "{% generation %}{{ x.split('</think>')[-1].lstrip('\n') }}{% endgeneration %}",
            "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}",
            "the word __class__ outside of any tag",
        ] {
            assert_eq!(rules(template), Vec::<&str>::new(), "{template}");
        }
        assert_eq!(rules("{% for m in messages %}"), ["unreadable-template"]);
    }
}
