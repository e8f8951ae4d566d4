//! What a pickle imports, calls and changes, and what is to be said of it.

mod array;
mod show;

use std::collections::HashMap;
use std::io;

use super::names::{Role, Standing, standing};
use super::value::{Node, Nodes, Texts, Value, View};
use super::{CUSTOM, TRICK, UNKNOWN, UNSAFE, shapes};
use crate::scan::stream::Stream;
use crate::scan::{Detection, Limits, nested};

use show::show_name;

/// Most findings of one file.
const MOST_FINDINGS: usize = 100;
/// Opcodes that a finding shows.
const SHOWN: usize = 8;

/// Who loads the pickle: PyTorch gives persistent ids a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loader {
    Plain,
    Torch,
}

struct Import {
    module: String,
    name: String,
    standing: Standing,
    /// The finding that names it.
    finding: Option<usize>,
    called: bool,
}

/// Everything that the pickles of one file do.
pub(super) struct Calls<'l> {
    pub(super) loader: Loader,
    limits: Limits<'l>,
    imports: Vec<Import>,
    by_name: HashMap<String, u32>,
    findings: Vec<Detection>,
    left_out: usize,
    /// Findings that the story has told.
    told: usize,
    /// Some `numpy.dtype` is of Python objects: a record may hold them too.
    objects: bool,
    last_import: Option<u64>,
    recent: [(u8, u64); SHOWN],
    steps: usize,
}

impl<'l> Calls<'l> {
    pub(super) fn new(loader: Loader, limits: Limits<'l>) -> Self {
        Self {
            loader,
            limits,
            imports: Vec::new(),
            by_name: HashMap::new(),
            findings: Vec::new(),
            left_out: 0,
            told: 0,
            objects: false,
            last_import: None,
            recent: [(0, 0); SHOWN],
            steps: 0,
        }
    }

    /// Whether anything was imported from there on: before that, no pickle does anything.
    pub(super) fn imported_since(&self, start: u64) -> bool {
        self.last_import.is_some_and(|at| at >= start)
    }

    /// What is to be said.
    pub(super) fn into_findings(mut self) -> Vec<Detection> {
        if let (Some(last), 1..) = (self.findings.last_mut(), self.left_out) {
            last.message.push_str(&format!(" (and {} findings more)", self.left_out));
        }
        self.findings
    }

    /// The next opcode is done.
    pub(super) fn step(&mut self, opcode: u8, at: u64) {
        self.recent[self.steps % SHOWN] = (opcode, at);
        self.steps += 1;
    }

    /// GLOBAL, INST, STACK_GLOBAL with names that are texts of the file.
    pub(super) fn import(&mut self, module: &str, name: &str, at: u64) -> Value {
        self.last_import = Some(at);
        let key = format!("{module}\n{name}");
        if let Some(id) = self.by_name.get(&key) {
            return Value::global(*id);
        }
        let id = u32::try_from(self.imports.len()).unwrap_or(u32::MAX);
        let mut standing = standing(module, name);
        if standing == Standing::Compiled && self.loader == Loader::Plain {
            standing = Standing::Refused("is PyTorch's own name for compiled code");
        }
        let shown = show_name(module, name);
        let finding = match standing {
            Standing::Known(_) | Standing::Compiled => None,
            Standing::Refused(does) => {
                self.say(&UNSAFE, format!("imports `{shown}`, of a module that {does}"), at)
            }
            Standing::Own => self.say(
                &CUSTOM,
                format!(
                    "needs `{shown}`, which is not in the file: loading it runs that package's code"
                ),
                at,
            ),
        };
        if let Some(finding) = finding {
            self.findings[finding].subject = Some(shown);
        }
        let (module, name) = (module.to_owned(), name.to_owned());
        self.imports.push(Import { module, name, standing, finding, called: false });
        self.by_name.insert(key, id);
        Value::global(id)
    }

    /// An import of a name that the file does not hold as text.
    pub(super) fn computed(&mut self, at: u64) -> Value {
        self.last_import = Some(at);
        self.say(&TRICK, "imports a name that is made up while loading".into(), at);
        Value::DATA
    }

    /// EXT1, EXT2, EXT4.
    pub(super) fn extension(&mut self, code: u64, at: u64) -> Value {
        self.last_import = Some(at);
        let message =
            format!("imports number {code} of the extension registry, which names nothing");
        self.say(&TRICK, message, at);
        Value::DATA
    }

    /// PERSID, BINPERSID: the loader decides what an id means (PyTorch: `_load`, `_legacy_load` in
    /// `torch/serialization.py`). What it becomes.
    pub(super) fn persistent(
        &mut self,
        id: Option<Value>,
        nodes: &Nodes,
        texts: &Texts,
        at: u64,
    ) -> Value {
        let items = id.and_then(|id| nodes.items(id)).unwrap_or_default();
        let kind = match items.first().map(|kind| kind.view()) {
            Some(View::Text(id)) => texts.get(id),
            _ => None,
        };
        match (self.loader, kind, items.get(1)) {
            (Loader::Torch, Some("storage"), Some(class)) if self.is_known(*class) => Value::DATA,
            // Old files carry the source of the class beside it, for a warning.
            (Loader::Torch, Some("module"), Some(class)) => *class,
            _ => {
                let message =
                    "asks the loader for an object by an id that only PyTorch's storages have";
                self.say(&TRICK, message.into(), at);
                Value::DATA
            }
        }
    }

    /// REDUCE, and INST and OBJ with arguments.
    pub(super) fn call(
        &mut self,
        callee: Value,
        arguments: Value,
        nodes: &mut Nodes,
        texts: &Texts,
        at: u64,
    ) -> Value {
        self.arguments(arguments, nodes, at);
        match self.standing(callee) {
            Some(Standing::Known(Role::Call) | Standing::Compiled) => {
                self.notes_objects(callee, arguments, nodes, texts);
            }
            Some(Standing::Known(Role::Shaped)) => {
                return self.shaped(callee, arguments, nodes, texts, at);
            }
            Some(Standing::Known(role)) => {
                let what = if role == Role::Hold {
                    "is only ever held"
                } else {
                    "is never built by a call"
                };
                let call = self.show_call(callee, arguments, nodes, texts);
                self.say(&UNKNOWN, format!("calls `{call}`, which in model files {what}"), at);
            }
            Some(Standing::Refused(does)) => {
                let call = self.show_call(callee, arguments, nodes, texts);
                self.said_again(
                    callee,
                    &UNSAFE,
                    format!("calls `{call}`, of a module that {does}"),
                    at,
                );
            }
            Some(Standing::Own) => {
                let call = self.show_call(callee, arguments, nodes, texts);
                self.said_again(
                    callee,
                    &UNKNOWN,
                    format!("calls `{call}`, which nobody here knows"),
                    at,
                );
            }
            None if self.is_time_zone(callee, nodes) => {}
            None => {
                let call = self.show_call(callee, arguments, nodes, texts);
                self.say(&TRICK, format!("calls `{call}`, something that it made before"), at);
            }
        }
        nodes.add(Node::Made { by: callee, arguments })
    }

    /// NEWOBJ, NEWOBJ_EX, and INST and OBJ without arguments.
    pub(super) fn create(
        &mut self,
        class: Value,
        arguments: Value,
        nodes: &mut Nodes,
        texts: &Texts,
        at: u64,
    ) -> Value {
        self.arguments(arguments, nodes, at);
        match self.standing(class) {
            Some(
                Standing::Known(Role::Call | Role::Instantiate)
                | Standing::Compiled
                | Standing::Own,
            ) => {}
            Some(Standing::Known(Role::Shaped)) => {
                return self.shaped(class, arguments, nodes, texts, at);
            }
            // A class in a class, by `getattr`, as protocols before 4 write it.
            None if self.is_attribute(class, nodes) => {}
            _ => return self.call(class, arguments, nodes, texts, at),
        }
        nodes.add(Node::Made { by: class, arguments })
    }

    fn shaped(
        &mut self,
        callee: Value,
        arguments: Value,
        nodes: &mut Nodes,
        texts: &Texts,
        at: u64,
    ) -> Value {
        let items = nodes.items(arguments).unwrap_or_default().to_vec();
        let View::Global(id) = callee.view() else { return Value::DATA };
        let import = &self.imports[id as usize];
        let (module, name) = (import.module.clone(), import.name.clone());
        let asked = shapes::Asked { items: &items, calls: self, nodes, texts };
        if let Err(why) = shapes::agrees(&module, &name, &asked) {
            let call = self.show_call(callee, arguments, nodes, texts);
            self.say(&UNKNOWN, format!("calls `{call}`: {why}"), at);
        }
        nodes.add(Node::Made { by: callee, arguments })
    }

    /// BUILD: gives an object its state.
    pub(super) fn builds(
        &mut self,
        target: Value,
        state: Value,
        nodes: &Nodes,
        texts: &Texts,
        at: u64,
    ) {
        self.changes(target, at);
        if self.is_attribute(target, nodes) {
            let shown = self.show(target, nodes, texts, 2);
            self.say(&TRICK, format!("changes `{shown}`, which is not its own"), at);
        }
        for item in nodes.items(state).unwrap_or_default() {
            self.handed_on(*item, nodes, at);
        }
        // `functools.partial` gets its function here, not by its call.
        if let (Some(("functools", "partial")), Some(items)) =
            (self.made_by(target, nodes), nodes.items(state))
        {
            let asked = shapes::Asked { items, calls: self, nodes, texts };
            if let Err(why) = shapes::agrees("functools", "partial", &asked) {
                self.say(&UNKNOWN, format!("builds a `functools.partial`: {why}"), at);
            }
        }
    }

    /// APPEND, SETITEM, ADDITEMS, BUILD on something.
    pub(super) fn changes(&mut self, target: Value, at: u64) {
        if let View::Global(id) = target.view() {
            let import = &self.imports[id as usize];
            let shown = show_name(&import.module, &import.name);
            self.say(&TRICK, format!("changes `{shown}` itself, for everybody in the process"), at);
        }
    }

    /// An entry of a dictionary, which may become an object's attributes.
    pub(super) fn attribute(&mut self, key: &str, value: Value, nodes: &Nodes, at: u64) {
        const HOOKS: [&str; 22] = [
            "__setstate__",
            "__reduce__",
            "__reduce_ex__",
            "__getattr__",
            "__getattribute__",
            "__class__",
            "__call__",
            "__del__",
            "__iter__",
            "__next__",
            "__getitem__",
            "__setattr__",
            "__code__",
            "__globals__",
            "__builtins__",
            "__closure__",
            "__defaults__",
            "__kwdefaults__",
            "__bases__",
            "__init__",
            "__new__",
            "__getstate__",
        ];
        let callable = match value.view() {
            View::Global(_) => true,
            View::Node(id) => matches!(nodes.get(id), Node::Made { .. } | Node::Forgotten),
            View::Data | View::Int(_) | View::Text(_) => false,
        };
        if callable && HOOKS.contains(&key) {
            self.say(&TRICK, format!("installs `{key}`, which Python calls by itself"), at);
        }
    }

    /// A value that somebody else gets. What resolves names may only be called here, where its
    /// arguments are seen.
    pub(super) fn handed_on(&mut self, value: Value, nodes: &Nodes, at: u64) {
        let resolver = |calls: &Self, value: Value| {
            let (module, name) = calls.global(value)?;
            let resolves = calls.standing(value) == Some(Standing::Known(Role::Shaped))
                && !shapes::may_be_held(module, name);
            resolves.then(|| show_name(module, name))
        };
        let found = resolver(self, value)
            .or_else(|| nodes.items(value)?.iter().find_map(|item| resolver(self, *item)));
        if let Some(shown) = found {
            let message = format!("hands `{shown}` on, to be called with what nobody sees here");
            self.say(&TRICK, message, at);
        }
    }

    fn arguments(&mut self, arguments: Value, nodes: &Nodes, at: u64) {
        self.handed_on(arguments, nodes, at);
    }

    /// Bytes in a pickle that are a serialised file: whether they are clean; `None` if they are no
    /// such thing.
    pub(super) fn packed(
        &mut self,
        stream: &mut Stream<'_>,
        length: u64,
    ) -> io::Result<Option<bool>> {
        if length < 12 {
            return Ok(None);
        }
        let at = stream.offset();
        let Some(scan) = nested::bytes(stream, length, self.limits)? else { return Ok(None) };
        let clean = scan.detections.is_empty();
        for mut seen in scan.detections {
            let inside = seen.offset.unwrap_or_default();
            seen.message = format!(
                "holds bytes that are a {} themselves: {}",
                scan.format.as_str(),
                seen.message
            );
            seen.offset = Some(at + inside);
            self.push(seen);
        }
        Ok(Some(clean))
    }

    // What values stand for.

    /// The imported name.
    pub(super) fn global(&self, value: Value) -> Option<(&str, &str)> {
        let View::Global(id) = value.view() else { return None };
        let import = self.imports.get(id as usize)?;
        Some((&import.module, &import.name))
    }

    /// What is known of an imported name.
    pub(super) fn standing(&self, value: Value) -> Option<Standing> {
        let View::Global(id) = value.view() else { return None };
        self.imports.get(id as usize).map(|import| import.standing)
    }

    /// What made it.
    pub(super) fn made_by(&self, value: Value, nodes: &Nodes) -> Option<(&str, &str)> {
        let View::Node(id) = value.view() else { return None };
        match nodes.get(id) {
            Node::Made { by, .. } => self.global(by),
            _ => None,
        }
    }

    fn is_known(&self, value: Value) -> bool {
        matches!(self.standing(value), Some(Standing::Known(_)))
    }

    /// `getattr(ZoneInfo, "_unpickle")`, as protocols before 4 write a time zone.
    fn is_time_zone(&self, value: Value, nodes: &Nodes) -> bool {
        let View::Node(id) = value.view() else { return false };
        let Node::Made { arguments, .. } = nodes.get(id) else { return false };
        let owner = nodes.items(arguments).and_then(|items| items.first().copied());
        self.is_attribute(value, nodes)
            && owner.is_some_and(|owner| self.global(owner) == Some(("zoneinfo", "ZoneInfo")))
    }

    fn is_attribute(&self, value: Value, nodes: &Nodes) -> bool {
        self.made_by(value, nodes) == Some(("builtins", "getattr"))
            || self.made_by(value, nodes) == Some(("__builtin__", "getattr"))
    }
}
