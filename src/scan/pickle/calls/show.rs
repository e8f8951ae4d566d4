//! How what a pickle does is said: once for each name, the call before the import, as Python would
//! write it.

use super::super::opcode;
use super::super::value::{Node, Nodes, Texts, Value, View};
use super::{Calls, MOST_FINDINGS, SHOWN};
use crate::finding::Rule;
use crate::scan::Detection;

/// Longest story in bytes.
const LONGEST_STORY: usize = 1 << 20;

impl Calls<'_> {
    /// The finding's number, unless there are too many.
    pub(super) fn say(&mut self, rule: &'static Rule, message: String, at: u64) -> Option<usize> {
        let mut seen = Detection::at(rule, message, at);
        seen.evidence = Some(self.excerpt());
        self.push(seen)
    }

    pub(super) fn push(&mut self, seen: Detection) -> Option<usize> {
        // A finding that only warns makes no room for one that does not.
        if self.findings.len() >= MOST_FINDINGS {
            self.left_out += 1;
            return None;
        }
        self.findings.push(seen);
        Some(self.findings.len() - 1)
    }

    /// A call tells more than the import did: it takes that finding's place.
    pub(super) fn said_again(
        &mut self,
        callee: Value,
        rule: &'static Rule,
        message: String,
        at: u64,
    ) {
        let View::Global(id) = callee.view() else { return };
        let import = &mut self.imports[id as usize];
        if std::mem::replace(&mut import.called, true) {
            return;
        }
        match import.finding {
            Some(finding) => {
                let evidence = self.excerpt();
                self.told = self.told.min(finding);
                let seen = &mut self.findings[finding];
                (seen.rule, seen.message) = (rule, message);
                (seen.offset, seen.evidence) = (Some(at), Some(evidence));
            }
            None => drop(self.say(rule, message, at)),
        }
    }

    /// Tells a step: where, which opcode, and what is on top of the stack after it.
    pub(in crate::scan::pickle) fn tell(
        &mut self,
        code: u8,
        at: u64,
        top: Option<Value>,
        nodes: &Nodes,
        texts: &Texts,
    ) {
        let Some(story) = self.limits.story else { return };
        let mut story = story.borrow_mut();
        if story.len() > LONGEST_STORY {
            return;
        }
        let name = opcode::name(code).unwrap_or("?");
        let top = top.filter(|_| !matches!(code, 0x80 | 0x94 | 0x95 | b'(' | b'p' | b'q' | b'r'));
        let top = top.map_or_else(String::new, |top| self.show(top, nodes, texts, 2));
        story.push_str(format!("{at:>8}  {name:<17} {top}").trim_end());
        story.push('\n');
        for seen in &self.findings[self.told.min(self.findings.len())..] {
            story.push_str(&format!(
                "{:>8}  ^ {}: {}\n",
                "",
                seen.rule.level.as_str(),
                seen.message
            ));
        }
        self.told = self.findings.len();
        if story.len() > LONGEST_STORY {
            story.push_str("          … and so on: the rest is left out\n");
        }
    }

    /// The last opcodes, the one that is spoken of at the end.
    pub(super) fn excerpt(&self) -> String {
        let count = self.steps.min(SHOWN);
        let steps = (self.steps - count..self.steps).map(|step| self.recent[step % SHOWN]);
        let shown = steps.map(|(code, at)| format!("{at}: {}", opcode::name(code).unwrap_or("?")));
        shown.collect::<Vec<_>>().join(", ")
    }

    /// A pickle that cannot be followed further.
    pub(in crate::scan::pickle) fn broken(&mut self, rule: &'static Rule, why: &str, at: u64) {
        self.say(rule, format!("the pickle cannot be followed from here: {why}"), at);
    }

    pub(super) fn show_call(
        &self,
        callee: Value,
        arguments: Value,
        nodes: &Nodes,
        texts: &Texts,
    ) -> String {
        let callee = self.show(callee, nodes, texts, 2);
        let arguments = match nodes.items(arguments) {
            Some(items) => self.show_all(items, nodes, texts, 2),
            None => "…".into(),
        };
        cut(&format!("{callee}({arguments})"), 160)
    }

    pub(super) fn show_all(
        &self,
        items: &[Value],
        nodes: &Nodes,
        texts: &Texts,
        depth: u8,
    ) -> String {
        let shown = items.iter().take(4).map(|item| self.show(*item, nodes, texts, depth));
        let mut shown = shown.collect::<Vec<_>>().join(", ");
        if items.len() > 4 {
            shown.push_str(", …");
        }
        shown
    }

    /// A value as Python would write it.
    pub(in crate::scan::pickle) fn show(
        &self,
        value: Value,
        nodes: &Nodes,
        texts: &Texts,
        depth: u8,
    ) -> String {
        match value.view() {
            View::Data => "…".into(),
            View::Int(number) => number.to_string(),
            View::Text(id) => match texts.get(id) {
                Some(text) => format!("'{}'", cut(&text.escape_debug().to_string(), 80)),
                None => "…".into(),
            },
            View::Global(_) => self
                .global(value)
                .map_or_else(|| "…".into(), |(module, name)| show_name(module, name)),
            View::Node(id) if depth > 0 => match nodes.get(id) {
                Node::Tuple(_) => {
                    let items = nodes.items(value).unwrap_or_default();
                    let comma = if items.len() == 1 { "," } else { "" };
                    format!("({}{comma})", self.show_all(items, nodes, texts, depth - 1))
                }
                Node::Made { by, arguments } => {
                    let by = self.show(by, nodes, texts, depth - 1);
                    let items = nodes.items(arguments).unwrap_or_default();
                    format!("{by}({})", self.show_all(items, nodes, texts, depth - 1))
                }
                Node::Packed { .. } => "b'…'".into(),
                Node::Forgotten => "…".into(),
            },
            View::Node(_) => "…".into(),
        }
    }
}

/// A name from a file, safe to print.
pub(super) fn show_name(module: &str, name: &str) -> String {
    cut(&format!("{module}.{name}").escape_debug().to_string(), 120)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
