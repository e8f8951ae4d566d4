//! The walk over a parsed module: what its names stand for, and what its calls reach.

use std::collections::HashMap;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprCall, Stmt};
use ruff_text_size::Ranged as _;

use super::constant::constant;
use super::does::{Does, does, is_powerful};
use super::{DOUBTFUL, UNSAFE, on};
use crate::finding::Rule;
use crate::scan::Detection;

/// Everything of note in the statements of a module, at most twenty.
pub(super) fn look(body: &[Stmt], source: &str) -> Vec<Detection> {
    let mut look = Look {
        source,
        names: HashMap::new(),
        depth: 0,
        network: None,
        sends: false,
        secrets: None,
        found: Vec::new(),
    };
    look.visit_body(body);
    if let (Some(at), Some(_)) = (look.network, look.secrets) {
        look.say(
            &UNSAFE,
            "it reads tokens or the environment, and talks to the network".into(),
            at,
        );
    }
    look.found.truncate(20);
    look.found
}

struct Look<'s> {
    source: &'s str,
    /// What local names stand for: `import subprocess as sp`, `from os import system as s`, and
    /// assignments of either.
    names: HashMap<String, String>,
    /// Functions around the place; 0 runs on import.
    depth: usize,
    network: Option<usize>,
    sends: bool,
    secrets: Option<usize>,
    found: Vec<Detection>,
}

impl Look<'_> {
    /// The dotted name that an expression stands for.
    fn name(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Name(name) => {
                let id = name.id.as_str();
                Some(self.names.get(id).cloned().unwrap_or_else(|| id.to_owned()))
            }
            Expr::Attribute(attribute) => {
                Some(format!("{}.{}", self.name(&attribute.value)?, attribute.attr.as_str()))
            }
            Expr::Call(call) => {
                let callee = self.name(&call.func)?;
                let first = call.arguments.args.first();
                match (callee.as_str(), first.and_then(constant)) {
                    (
                        "__import__" | "builtins.__import__" | "importlib.import_module",
                        Some(module),
                    ) => Some(module),
                    ("getattr" | "builtins.getattr", _) => {
                        let owner = self.name(first?)?;
                        Some(format!("{owner}.{}", constant(call.arguments.args.get(1)?)?))
                    }
                    // What a call returns is no module any more.
                    _ => None,
                }
            }
            Expr::Subscript(subscript) => {
                // `globals()['os']`, `sys.modules['os']`, `__builtins__['eval']`
                let owner = match &*subscript.value {
                    Expr::Call(call) => self.name(&call.func),
                    other => self.name(other),
                }?;
                let key = constant(&subscript.slice)?;
                match owner.as_str() {
                    "sys.modules" | "globals" | "locals" => Some(key),
                    "__builtins__" | "__builtins__.__dict__" | "vars" => Some(key),
                    owner => {
                        owner.strip_suffix(".__dict__").map(|module| format!("{module}.{key}"))
                    }
                }
            }
            _ => None,
        }
    }

    fn say(&mut self, rule: &'static Rule, message: String, at: usize) {
        self.found.push(on(rule, message, self.source, at));
    }

    fn call(&mut self, call: &ExprCall) {
        let at = call.range().start().to_usize();
        let Some(name) = self.name(&call.func) else {
            // A call of something that was looked up by a computed name.
            if let Expr::Call(inner) = &*call.func
                && matches!(self.name(&inner.func).as_deref(), Some("getattr" | "builtins.getattr"))
                && inner
                    .arguments
                    .args
                    .first()
                    .and_then(|owner| self.name(owner))
                    .is_some_and(|owner| is_powerful(&owner))
            {
                self.say(
                    &UNSAFE,
                    "it calls something of a powerful module by a name made up while running"
                        .into(),
                    at,
                );
            }
            return;
        };
        let name = name.strip_prefix("builtins.").unwrap_or(&name).to_owned();
        let first = call.arguments.args.first();
        match name.as_str() {
            "exec" | "eval" | "execfile" => self.evaluates(&name, first, at),
            "compile" if first.is_some_and(|code| self.is_hidden(code)) => {
                self.say(&UNSAFE, "it compiles code that is hidden in data".into(), at);
            }
            "__import__" => {
                let module = first.and_then(constant);
                if module.is_none() || self.depth == 0 && module.as_deref().is_some_and(is_powerful)
                {
                    self.say(
                        &UNSAFE,
                        "it imports a powerful module where nobody looks for it".into(),
                        at,
                    );
                }
            }
            "getattr"
                if first
                    .and_then(|owner| self.name(owner))
                    .is_some_and(|owner| is_powerful(&owner))
                    && call.arguments.args.get(1).is_some_and(|name| constant(name).is_none()) =>
            {
                self.say(
                    &UNSAFE,
                    "it takes something of a powerful module by a name made up while running"
                        .into(),
                    at,
                );
            }
            "open" | "io.open" | "pathlib.Path" => {
                let path = first.and_then(constant).unwrap_or_default();
                let sensitive = [
                    "/etc/passwd",
                    "/etc/shadow",
                    ".ssh/",
                    ".aws/",
                    ".netrc",
                    ".bashrc",
                    ".profile",
                    ".git-credentials",
                    "huggingface/token",
                    ".kube/",
                    "/proc/self/environ",
                    "crontab",
                    "authorized_keys",
                ];
                if sensitive.iter().any(|part| path.contains(part)) {
                    self.say(&UNSAFE, format!("it opens `{path:.60}`"), at);
                }
            }
            name if name.ends_with(".get_token")
                || name == "get_token"
                || name == "os.environ.copy"
                || name == "os.environ.items" =>
            {
                self.secrets.get_or_insert(at);
            }
            "torch.load" if !keyword_is_true(call, "weights_only") => {
                self.say(&DOUBTFUL, "it calls `torch.load` without `weights_only=True`".into(), at);
            }
            name => self.named(name, call, at),
        }
    }

    fn evaluates(&mut self, name: &str, code: Option<&Expr>, at: usize) {
        let plain = code
            .is_some_and(|code| constant(code).is_some_and(|code| super::parse(&code).is_empty()));
        let hidden = code.is_some_and(|code| self.is_hidden(code));
        if hidden || !plain && (self.depth == 0 || name != "eval") {
            let what =
                if hidden { "code that is hidden in data" } else { "code made up while running" };
            self.say(&UNSAFE, format!("it calls `{name}` with {what}"), at);
        } else if !plain {
            self.say(&DOUBTFUL, format!("it calls `{name}` with a text made up while running"), at);
        }
    }

    fn named(&mut self, name: &str, call: &ExprCall, at: usize) {
        let Some(does) = does(name) else { return };
        let (rule, what) = match does {
            Does::Unsafe(what) => (&UNSAFE, what),
            Does::OnImport(what) if self.depth == 0 => (&UNSAFE, what),
            Does::OnImport(what) | Does::Doubtful(what) => (&DOUBTFUL, what),
        };
        if what.contains("network") {
            self.network.get_or_insert(at);
            let sends = call.arguments.keywords.iter().any(|keyword| {
                keyword
                    .arg
                    .as_ref()
                    .is_some_and(|arg| matches!(arg.as_str(), "data" | "json" | "files"))
            });
            self.sends |= sends;
            if sends && rule.id == DOUBTFUL.id {
                self.say(
                    &UNSAFE,
                    format!("it calls `{name}`, which sends data to the network"),
                    at,
                );
                return;
            }
        }
        let when = if self.depth == 0 { ", as soon as it is imported" } else { "" };
        self.say(rule, format!("it calls `{name}`, which {what}{when}"), at);
    }

    /// Whether code comes out of a decoder.
    fn is_hidden(&self, expr: &Expr) -> bool {
        struct Decoders<'l, 's>(&'l Look<'s>, bool);
        impl<'a> Visitor<'a> for Decoders<'_, '_> {
            fn visit_expr(&mut self, expr: &'a Expr) {
                if let Expr::Call(call) = expr {
                    let method = match &*call.func {
                        Expr::Attribute(attribute) => attribute.attr.as_str(),
                        _ => "",
                    };
                    let name = self.0.name(&call.func).unwrap_or_default();
                    self.1 |= [
                        "base64.",
                        "zlib.",
                        "codecs.",
                        "marshal.",
                        "gzip.",
                        "bz2.",
                        "lzma.",
                        "binascii.",
                    ]
                    .iter()
                    .any(|module| name.starts_with(module))
                        || matches!(
                            name.as_str(),
                            "bytes.fromhex"
                                | "bytearray.fromhex"
                                | "chr"
                                | "requests.get"
                                | "urllib.request.urlopen"
                        )
                        || matches!(
                            method,
                            "b64decode"
                                | "fromhex"
                                | "decompress"
                                | "read"
                                | "unhexlify"
                                | "decrypt"
                        );
                }
                visitor::walk_expr(self, expr);
            }
        }
        let mut decoders = Decoders(self, false);
        decoders.visit_expr(expr);
        decoders.1
    }
}

fn keyword_is_true(call: &ExprCall, wanted: &str) -> bool {
    call.arguments.keywords.iter().any(|keyword| {
        keyword.arg.as_ref().is_some_and(|arg| arg.as_str() == wanted)
            && matches!(&keyword.value, Expr::BooleanLiteral(literal) if literal.value)
    })
}

impl<'a> Visitor<'a> for Look<'_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Import(import) => {
                for alias in &import.names {
                    let module = alias.name.as_str().to_owned();
                    match &alias.asname {
                        Some(local) => drop(self.names.insert(local.as_str().to_owned(), module)),
                        None => {
                            let top = module.split('.').next().unwrap_or_default().to_owned();
                            self.names.insert(top.clone(), top);
                        }
                    }
                }
            }
            Stmt::ImportFrom(import) => {
                let module = import
                    .module
                    .as_ref()
                    .map(ruff_python_ast::Identifier::as_str)
                    .unwrap_or_default();
                for alias in &import.names {
                    let local = alias.asname.as_ref().unwrap_or(&alias.name).as_str().to_owned();
                    self.names.insert(local, format!("{module}.{}", alias.name.as_str()));
                }
            }
            Stmt::Assign(assign) => {
                if let [Expr::Name(target)] = &assign.targets[..]
                    && let Some(name) = self.name(&assign.value)
                    && (is_powerful(&name)
                        || does(&name).is_some()
                        || matches!(name.as_str(), "eval" | "exec"))
                {
                    self.names.insert(target.id.as_str().to_owned(), name);
                }
                visitor::walk_stmt(self, statement);
            }
            Stmt::FunctionDef(function) => {
                // Decorators and defaults run with the `def`.
                for decorator in &function.decorator_list {
                    self.visit_decorator(decorator);
                }
                self.visit_parameters(&function.parameters);
                self.depth += 1;
                self.visit_body(&function.body);
                self.depth -= 1;
            }
            _ => visitor::walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Call(call) => {
                self.call(call);
                visitor::walk_expr(self, expr);
            }
            Expr::Lambda(_) => {
                self.depth += 1;
                visitor::walk_expr(self, expr);
                self.depth -= 1;
            }
            Expr::Name(_) | Expr::Attribute(_) => {
                if let Some(name) = self.name(expr) {
                    let tokens = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "AWS_SECRET_ACCESS_KEY"];
                    if tokens.iter().any(|token| name.ends_with(token)) {
                        self.secrets.get_or_insert(expr.range().start().to_usize());
                    }
                }
                visitor::walk_expr(self, expr);
            }
            Expr::StringLiteral(text) => {
                let value = text.value.to_str();
                if matches!(
                    value,
                    "HF_TOKEN"
                        | "HUGGING_FACE_HUB_TOKEN"
                        | "AWS_SECRET_ACCESS_KEY"
                        | "AWS_ACCESS_KEY_ID"
                        | "GITHUB_TOKEN"
                ) {
                    self.secrets.get_or_insert(expr.range().start().to_usize());
                }
            }
            _ => visitor::walk_expr(self, expr),
        }
    }
}
