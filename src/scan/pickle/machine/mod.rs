//! The pickle machine as CPython's C loader has it (`Modules/_pickle.c`), on values that stand for
//! others: same stack, same marks and fences, same memo, so that what is called here with what is
//! what a loader would call.

mod arguments;
mod array;

use std::io;

use super::calls::Calls;
use super::escapes;
use super::memo::Memo;
use super::value::{LONGEST, Nodes, Texts, Value, View};
use crate::scan::stream::Stream;

/// Most values on the stack: the C pickler never has more than a few thousand.
const MOST_STACKED: usize = 4 << 20;
/// Longest line of a text opcode that is read as a whole; longer ones are data.
const LONGEST_LINE: usize = 4096;
/// Hashing a nested tuple visits every item on every path to it.
const MOST_HASHED: u32 = 1 << 22;

/// Why a pickle cannot be followed further.
pub(super) enum Stop {
    /// The file cannot be read.
    Io(io::Error),
    /// A loader would stop here too, or the pickle is made to confuse.
    Broken(String),
    /// It asks for more than is looked at.
    Limit(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::Broken("it ends in the middle".into())
        } else {
            Self::Io(error)
        }
    }
}

/// What one pickle of a file is followed with.
pub(super) struct Machine<'m, 'a, 'l> {
    pub(super) stream: &'m mut Stream<'a>,
    pub(super) calls: &'m mut Calls<'l>,
    pub(super) texts: &'m mut Texts,
    pub(super) nodes: &'m mut Nodes,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Memo,
    /// Keys and values of the dictionary entries that the last opcode set, if it did.
    fields: Vec<(Value, Value)>,
    protocol: u8,
}

impl<'m, 'a, 'l> Machine<'m, 'a, 'l> {
    pub(super) fn new(
        stream: &'m mut Stream<'a>,
        calls: &'m mut Calls<'l>,
        texts: &'m mut Texts,
        nodes: &'m mut Nodes,
    ) -> Self {
        let (stack, marks, fields) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            stream,
            calls,
            texts,
            nodes,
            stack,
            marks,
            memo: Memo::default(),
            fields,
            protocol: 0,
        }
    }

    /// Follows one pickle to its STOP.
    pub(super) fn run(&mut self) -> Result<(), Stop> {
        loop {
            let at = self.stream.offset();
            let Some(opcode) = self.stream.byte()? else {
                return Err(Stop::Broken("it ends without STOP".into()));
            };
            self.calls.step(opcode, at);
            if opcode == b'.' {
                return self.pop().map(drop);
            }
            let stepped = self.step(opcode, at);
            let top = self.stack.last().copied();
            self.calls.tell(opcode, at, top, self.nodes, self.texts);
            stepped?;
            if self.stack.len() > MOST_STACKED {
                return Err(Stop::Limit(format!("more than {MOST_STACKED} values on its stack")));
            }
        }
    }

    #[expect(clippy::too_many_lines, reason = "one case an opcode")]
    fn step(&mut self, opcode: u8, at: u64) -> Result<(), Stop> {
        if !matches!(opcode, b'b' | 0x94 | b'q' | b'r' | b'p') {
            self.fields.clear();
        }
        match opcode {
            0x80 => {
                self.protocol = u8::try_from(self.number(1)?).unwrap_or(u8::MAX);
                if self.protocol > 5 {
                    return Err(Stop::Broken(format!("protocol {} does not exist", self.protocol)));
                }
            }
            0x95 => {
                let length = self.number(8)?;
                // A loader reads the whole frame first, and fails if it is not there.
                if length > 1 << 48 {
                    return Err(Stop::Broken("a frame is longer than any file".into()));
                }
            }
            0x98 => {}
            b'(' => self.marks.push(self.stack.len()),
            b'N' | b']' | b'}' | 0x88 | 0x89 | 0x8F | 0x97 => self.push(Value::DATA),
            b')' => self.push(Value::DATA),
            b'K' => self.int(1)?,
            b'M' => self.int(2)?,
            b'J' => {
                let number = u32::try_from(self.number(4)?).unwrap_or(u32::MAX);
                self.push(Value::int(number.cast_signed().into()));
            }
            b'G' => self.data(8)?,
            b'I' | b'L' => {
                let line = self.line()?;
                let digits = line.as_deref().map(|line| line.trim().trim_end_matches('L'));
                self.push(
                    digits.and_then(|line| line.parse().ok()).map_or(Value::DATA, Value::int),
                );
            }
            b'F' => {
                self.line()?;
                self.push(Value::DATA);
            }
            0x8A => {
                let length = self.number(1)?;
                match length {
                    1..=4 => self.int(usize::try_from(length).unwrap_or_default())?,
                    _ => self.data(length)?,
                }
            }
            0x8B => {
                let length = self.number(4)?;
                self.data(length)?;
            }
            b'C' => self.bytes(1)?,
            b'B' => self.bytes(4)?,
            0x8E | 0x96 => self.bytes(8)?,
            b'U' | 0x8C => self.text(1)?,
            b'T' | b'X' => self.text(4)?,
            0x8D => self.text(8)?,
            b'S' | b'V' => {
                let line = self.line()?;
                let text = line.and_then(|line| {
                    if opcode == b'S' {
                        escapes::quoted(&line)
                    } else {
                        escapes::raw_unicode(&line)
                    }
                });
                let value = match text {
                    Some(text) if text.len() <= LONGEST => self.texts.add(text.as_bytes()),
                    _ => Value::DATA,
                };
                self.push(value);
            }
            b'c' => {
                let value = self.global(at)?;
                self.push(value);
            }
            b'i' => {
                let class = self.global(at)?;
                let items = self.marked()?;
                self.instantiate(class, &items, at);
            }
            b'o' => {
                let mut items = self.marked()?;
                if items.is_empty() {
                    return Err(Stop::Broken("OBJ has no class".into()));
                }
                let class = items.remove(0);
                self.instantiate(class, &items, at);
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let value = match (self.text_of(module), self.text_of(name)) {
                    (Some(module), Some(name)) => {
                        let (module, name) = (module.to_owned(), name.to_owned());
                        self.calls.import(&module, &name, at)
                    }
                    _ => self.calls.computed(at),
                };
                self.push(value);
            }
            0x82..=0x84 => {
                let code = self.number(1 << (opcode - 0x82))?;
                let value = self.calls.extension(code, at);
                self.push(value);
            }
            b'p' => {
                let index = self.index()?;
                self.remember(index)?;
            }
            b'q' => {
                let index = self.number(1)?;
                self.remember(index)?;
            }
            b'r' => {
                let index = self.number(4)?;
                self.remember(index)?;
            }
            0x94 => self.remember(self.memo.count())?,
            b'g' => {
                let index = self.index()?;
                self.recall(index)?;
            }
            b'h' => {
                let index = self.number(1)?;
                self.recall(index)?;
            }
            b'j' => {
                let index = self.number(4)?;
                self.recall(index)?;
            }
            b'P' => {
                self.line()?;
                let loaded = self.calls.persistent(None, self.nodes, self.texts, at);
                self.push(loaded);
            }
            b'Q' => {
                let id = self.pop()?;
                let loaded = self.calls.persistent(Some(id), self.nodes, self.texts, at);
                self.push(loaded);
            }
            b'2' => {
                let top = self.top()?;
                self.push(top);
            }
            b'0' => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            b'1' => drop(self.marked()?),
            b't' => {
                let start = self.mark()?;
                self.tuple(start);
            }
            0x85..=0x87 => {
                let start = self.below(usize::from(opcode - 0x84))?;
                self.tuple(start);
            }
            b'l' | 0x91 => {
                let items = self.marked()?;
                self.handed_on(&items, at);
                if opcode == 0x91 {
                    self.hashed(&items)?;
                }
                self.push(Value::DATA);
            }
            b'd' => {
                let items = self.marked()?;
                self.entries(&items, at)?;
                self.push(Value::DATA);
            }
            b'e' | b'u' | 0x90 => {
                let items = self.marked()?;
                let target = self.top()?;
                if !items.is_empty() {
                    self.calls.changes(target, at);
                }
                match opcode {
                    b'u' => self.entries(&items, at)?,
                    _ => self.handed_on(&items, at),
                }
                if opcode == 0x90 {
                    self.hashed(&items)?;
                }
            }
            b'a' => {
                let item = self.pop()?;
                let target = self.top()?;
                self.calls.changes(target, at);
                self.handed_on(&[item], at);
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                let target = self.top()?;
                self.calls.changes(target, at);
                self.entries(&[key, value], at)?;
            }
            b'b' => {
                let state = self.pop()?;
                let target = self.top()?;
                self.calls.builds(target, state, self.nodes, self.texts, at);
                self.raw_array(target)?;
            }
            b'R' => {
                let (arguments, callee) = (self.pop()?, self.pop()?);
                let made = self.calls.call(callee, arguments, self.nodes, self.texts, at);
                self.push(made);
            }
            0x81 => {
                let (arguments, class) = (self.pop()?, self.pop()?);
                let made = self.calls.create(class, arguments, self.nodes, self.texts, at);
                self.push(made);
            }
            0x92 => {
                let (_keywords, arguments, class) = (self.pop()?, self.pop()?, self.pop()?);
                let made = self.calls.create(class, arguments, self.nodes, self.texts, at);
                self.push(made);
            }
            other => return Err(Stop::Broken(format!("0x{other:02X} is no opcode"))),
        }
        Ok(())
    }

    /// INST and OBJ: without arguments a class is made as NEWOBJ makes it, else it is called.
    fn instantiate(&mut self, class: Value, items: &[Value], at: u64) {
        let arguments = self.nodes.tuple(items);
        self.handed_on(items, at);
        let made = if items.is_empty() {
            self.calls.create(class, arguments, self.nodes, self.texts, at)
        } else {
            self.calls.call(class, arguments, self.nodes, self.texts, at)
        };
        self.push(made);
    }

    /// Of the values from `start`. Tuples are how arguments come: what a callable in one means is
    /// judged by whoever takes the tuple.
    fn tuple(&mut self, start: usize) {
        let tuple = self.nodes.tuple(&self.stack[start..]);
        self.stack.truncate(start);
        self.push(tuple);
    }

    fn handed_on(&mut self, items: &[Value], at: u64) {
        for item in items {
            self.calls.handed_on(*item, self.nodes, at);
        }
    }

    fn entries(&mut self, items: &[Value], at: u64) -> Result<(), Stop> {
        self.fields.clear();
        for pair in items.chunks(2) {
            let &[key, value] = pair else {
                return Err(Stop::Broken("a dictionary has a key without a value".into()));
            };
            if let View::Text(id) = key.view()
                && let Some(key) = self.texts.get(id)
            {
                self.calls.attribute(key, value, self.nodes, at);
            }
            self.hashed(&[key])?;
            self.calls.handed_on(key, self.nodes, at);
            self.calls.handed_on(value, self.nodes, at);
            if self.fields.len() < 64 {
                self.fields.push((key, value));
            }
        }
        Ok(())
    }

    fn hashed(&mut self, items: &[Value]) -> Result<(), Stop> {
        if items.iter().any(|item| self.nodes.weight(*item) > MOST_HASHED) {
            return Err(Stop::Limit("hashing one of its nested tuples never ends".into()));
        }
        Ok(())
    }

    fn global(&mut self, at: u64) -> Result<Value, Stop> {
        let (module, name) = (self.line()?, self.line()?);
        Ok(match (module, name) {
            (Some(module), Some(name)) if module.len() + name.len() <= 2 * LONGEST => {
                self.calls.import(&module, &name, at)
            }
            _ => self.calls.computed(at),
        })
    }

    fn text_of(&self, value: Value) -> Option<&str> {
        match value.view() {
            View::Text(id) => self.texts.get(id),
            _ => None,
        }
    }

    // The stack.

    fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    /// Where `count` values begin, above the last mark.
    fn below(&self, count: usize) -> Result<usize, Stop> {
        let fence = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(count) {
            Some(start) if start >= fence => Ok(start),
            _ => Err(Stop::Broken("it takes from an empty stack".into())),
        }
    }

    fn pop(&mut self) -> Result<Value, Stop> {
        self.below(1)?;
        Ok(self.stack.pop().unwrap_or(Value::DATA)) // there is one, `below` says
    }

    fn top(&self) -> Result<Value, Stop> {
        self.below(1).map(|at| self.stack[at])
    }

    /// Takes the last mark; where it stood.
    fn mark(&mut self) -> Result<usize, Stop> {
        self.marks.pop().ok_or_else(|| Stop::Broken("it needs a mark that is not there".into()))
    }

    fn marked(&mut self) -> Result<Vec<Value>, Stop> {
        let mark = self.mark()?;
        Ok(self.stack.split_off(mark))
    }

    // The memo.

    fn remember(&mut self, index: u64) -> Result<(), Stop> {
        let top = self.top()?;
        if self.memo.put(index, top) {
            Ok(())
        } else {
            Err(Stop::Limit("more in its memo than a loader could hold".into()))
        }
    }

    fn recall(&mut self, index: u64) -> Result<(), Stop> {
        let missing = || Stop::Broken(format!("it recalls memo {index}, which nothing was put in"));
        let value = self.memo.get(index).ok_or_else(missing)?;
        self.push(value);
        Ok(())
    }

    fn index(&mut self) -> Result<u64, Stop> {
        let line = self.line()?;
        let index = line.and_then(|line| line.trim().parse().ok());
        index.ok_or_else(|| Stop::Broken("a memo index is no number".into()))
    }
}
