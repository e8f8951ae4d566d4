//! Pickles: a walk over the opcodes that keeps enough of the stack and memo to know what is
//! imported. Every import is judged by name: known good, dangerous, or unknown.
//! Opcodes: CPython `Lib/pickletools.py`.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use super::imports::{self, Standing};
use super::stream::Stream;
use super::{Detection, Scan};
use crate::finding::{Level, Rule};

pub(super) const UNSAFE: Rule = Rule {
    id: "unsafe-pickle",
    level: Level::Error,
    summary: "a pickle that imports what can run code, read files or reach the network",
    reason: "Loading it runs whatever its author wanted, on every machine that loads the model.",
    fix: "publish weights as safetensors; if the file must stay, allow it for a while in weighbridge.yml:\nallow:\n  - {rule: unsafe-pickle, path: PATH, reason: why it is safe, expires: YYYY-MM-DD}",
    example: "cos\\nsystem\\n(S'id'\\ntR.",
};

pub(super) const UNKNOWN: Rule = Rule {
    id: "unknown-pickle-import",
    level: Level::Warning,
    summary: "a pickle that imports something not known to be harmless",
    reason: "Loading it needs, and runs, code that is not in the file.",
    fix: "publish weights as safetensors, or look at the import and allow it in weighbridge.yml",
    example: "a pickle of a class of your own package",
};

pub(super) const BROKEN: Rule = Rule {
    id: "broken-pickle",
    level: Level::Error,
    summary: "a pickle that cannot be read to its end",
    reason: "A loader runs what comes before the break; a scanner that gives up there is how payloads hide.",
    fix: "write the file again; if it is no pickle, give it another content or leave it out with `exclude:`",
    example: "a pickle cut in the middle",
};

/// Deepest stack and largest memo that are followed.
const MOST_VALUES: usize = 1 << 20;
/// Longest text kept; module and attribute names are far shorter.
const LONGEST_NAME: usize = 512;
/// Longest line of a text opcode.
const LONGEST_LINE: usize = 1 << 20;
/// Most imports named in findings of one file.
const MOST_NAMED: usize = 50;

/// A value as far as imports need it.
#[derive(Clone)]
enum Value {
    Text(Rc<str>),
    Mark,
    Other,
}

/// Whether a byte is an opcode.
pub(super) fn is_opcode(byte: u8) -> bool {
    matches!(byte, 0x80..=0x98) || b"(.0123FGIJKLMNPQRSTUVXabcdegehijloprqstu])}BC".contains(&byte)
}

/// Walks every pickle of the stream, one behind the other.
pub(super) fn scan(stream: &mut Stream<'_>, scan: &mut Scan) -> io::Result<()> {
    let mut named = 0;
    loop {
        let mut machine =
            Machine { stream, scan, named: &mut named, stack: Vec::new(), memo: HashMap::new() };
        match machine.run() {
            Ok(()) => {}
            Err(Stop::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
                return Err(error);
            }
            Err(stop) => {
                let why = match stop {
                    Stop::Io(_) => "it ends in the middle of an opcode".to_owned(),
                    Stop::Broken(why) => why,
                };
                let at = stream.offset();
                scan.detections.push(Detection::at(
                    &BROKEN,
                    format!("the pickle cannot be followed: {why}"),
                    at,
                ));
                return Ok(());
            }
        }
        // Legacy torch files hold five pickles and then raw bytes: go on while one begins.
        let head = stream.peek(64)?;
        if super::recognise::recognise(head, false) != super::Format::Pickle {
            return Ok(());
        }
    }
}

enum Stop {
    Io(io::Error),
    Broken(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

struct Machine<'m, 'a> {
    stream: &'m mut Stream<'a>,
    scan: &'m mut Scan,
    named: &'m mut usize,
    stack: Vec<Value>,
    memo: HashMap<u64, Value>,
}

impl Machine<'_, '_> {
    fn run(&mut self) -> Result<(), Stop> {
        loop {
            let at = self.stream.offset();
            let Some(opcode) = self.stream.byte()? else {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            };
            if opcode == b'.' {
                return Ok(());
            }
            self.step(opcode, at)?;
            if self.stack.len() > MOST_VALUES || self.memo.len() > MOST_VALUES {
                return Err(Stop::Broken(format!(
                    "it holds more than {MOST_VALUES} values at once"
                )));
            }
        }
    }

    fn step(&mut self, opcode: u8, at: u64) -> Result<(), Stop> {
        match opcode {
            0x80 => self.skip(1)?,
            0x95 => self.skip(8)?,
            0x98 => {}
            b'(' => self.stack.push(Value::Mark),
            // Values that cannot be a name.
            b'N' | b')' | b']' | b'}' | 0x88 | 0x89 | 0x8F | 0x97 => self.stack.push(Value::Other),
            b'K' => self.other(1)?,
            b'M' => self.other(2)?,
            b'J' => self.other(4)?,
            b'G' => self.other(8)?,
            b'F' | b'I' | b'L' => {
                self.line()?;
                self.stack.push(Value::Other);
            }
            0x8A | b'C' => self.sized(1, false)?,
            0x8B | b'B' => self.sized(4, false)?,
            0x8E | 0x96 => self.sized(8, false)?,
            // Texts.
            b'U' | 0x8C => self.sized(1, true)?,
            b'T' | b'X' => self.sized(4, true)?,
            0x8D => self.sized(8, true)?,
            b'S' | b'V' => self.quoted()?,
            // Imports.
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.import(&module, &name, at);
                self.stack.push(Value::Other);
            }
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                self.import(&module, &name, at);
                self.pop_to_mark()?;
                self.stack.push(Value::Other);
            }
            0x93 => self.stack_global(at)?,
            0x82..=0x84 => {
                self.skip(1 << (opcode - 0x82))?;
                self.say(
                    &UNSAFE,
                    "imports through the extension registry, which names nothing".into(),
                    at,
                );
                self.stack.push(Value::Other);
            }
            // Memo.
            b'p' => {
                let index = self
                    .line()?
                    .trim()
                    .parse()
                    .map_err(|_| Stop::Broken("a memo index is no number".into()))?;
                self.remember(index)?;
            }
            b'q' => self.memoize_at(1)?,
            b'r' => self.memoize_at(4)?,
            0x94 => self.remember(self.memo.len() as u64)?,
            b'g' => {
                let index = self
                    .line()?
                    .trim()
                    .parse()
                    .map_err(|_| Stop::Broken("a memo index is no number".into()))?;
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
            // Persistent ids: torch's storages; the loader decides what they mean.
            b'P' => {
                self.line()?;
                self.stack.push(Value::Other);
            }
            b'2' => {
                let top = self.stack.last().cloned().ok_or_else(empty)?;
                self.stack.push(top);
            }
            b'0' => self.pop(1)?,
            b'1' => self.pop_to_mark()?,
            b't' | b'l' | b'd' | b'o' | 0x91 => {
                self.pop_to_mark()?;
                self.stack.push(Value::Other);
            }
            b'e' | b'u' | 0x90 => self.pop_to_mark()?,
            b'a' | b'b' => self.pop(1)?,
            b's' => self.pop(2)?,
            b'Q' | 0x85 => self.replace(1)?,
            b'R' | 0x81 | 0x86 => self.replace(2)?,
            0x87 | 0x92 => self.replace(3)?,
            other => return Err(Stop::Broken(format!("0x{other:02X} is no opcode"))),
        }
        Ok(())
    }

    fn stack_global(&mut self, at: u64) -> Result<(), Stop> {
        let (name, module) =
            (self.stack.pop().ok_or_else(empty)?, self.stack.pop().ok_or_else(empty)?);
        match (&module, &name) {
            (Value::Text(module), Value::Text(name)) => self.import(module, name, at),
            _ => self.say(&UNSAFE, "imports a name that is computed while loading".into(), at),
        }
        self.stack.push(Value::Other);
        Ok(())
    }

    fn import(&mut self, module: &str, name: &str, at: u64) {
        let shown: String = format!("{module}.{name}").chars().take(120).collect();
        match imports::standing(module, name) {
            Standing::Known => {}
            Standing::Dangerous(does) => {
                self.say(&UNSAFE, format!("imports `{shown}`, which {does}"), at);
            }
            Standing::Unknown => self.say(
                &UNKNOWN,
                format!("imports `{shown}`, which is not known to be harmless"),
                at,
            ),
        }
    }

    fn say(&mut self, rule: &'static Rule, message: String, at: u64) {
        *self.named += 1;
        // A dangerous import is always said; what is merely unknown is said for a while.
        if rule.level == Level::Error || *self.named <= MOST_NAMED {
            self.scan.detections.push(Detection::at(rule, message, at));
        }
    }

    fn line(&mut self) -> Result<String, Stop> {
        let mut line = Vec::new();
        loop {
            match self.stream.byte()? {
                Some(b'\n') => return Ok(String::from_utf8_lossy(&line).into_owned()),
                Some(byte) if line.len() < LONGEST_LINE => line.push(byte),
                Some(_) => return Err(Stop::Broken("a line is longer than 1 MiB".into())),
                None => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            }
        }
    }

    /// `S'text'` and `V`: quotes are dropped and escapes resolved, as the loader does.
    fn quoted(&mut self) -> Result<(), Stop> {
        let line = self.line()?;
        let bare = line.trim();
        let bare = bare
            .strip_prefix(['\'', '"'])
            .and_then(|rest| rest.strip_suffix(['\'', '"']))
            .unwrap_or(bare);
        self.stack.push(if bare.contains('\\') { Value::Other } else { text(bare) });
        Ok(())
    }

    fn number(&mut self, width: usize) -> Result<u64, Stop> {
        let mut bytes = [0; 8];
        self.stream.read_exact(&mut bytes[..width])?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// A value with its length before it.
    fn sized(&mut self, width: usize, is_text: bool) -> Result<(), Stop> {
        let length = self.number(width)?;
        let value = match usize::try_from(length) {
            Ok(length) if is_text && length <= LONGEST_NAME => {
                text(&String::from_utf8_lossy(&self.stream.bytes(length)?))
            }
            _ => {
                self.skip(length)?;
                Value::Other
            }
        };
        self.stack.push(value);
        Ok(())
    }

    fn other(&mut self, width: u64) -> Result<(), Stop> {
        self.skip(width)?;
        self.stack.push(Value::Other);
        Ok(())
    }

    fn skip(&mut self, count: u64) -> Result<(), Stop> {
        match self.stream.skip(count)? {
            skipped if skipped == count => Ok(()),
            _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
    }

    fn memoize_at(&mut self, width: usize) -> Result<(), Stop> {
        let index = self.number(width)?;
        self.remember(index)
    }

    fn remember(&mut self, index: u64) -> Result<(), Stop> {
        let top = self.stack.last().cloned().ok_or_else(empty)?;
        self.memo.insert(index, top);
        Ok(())
    }

    fn recall(&mut self, index: u64) -> Result<(), Stop> {
        let missing = || Stop::Broken(format!("it recalls memo {index}, which nothing was put in"));
        let value = self.memo.get(&index).cloned().ok_or_else(missing)?;
        self.stack.push(value);
        Ok(())
    }

    fn pop(&mut self, count: usize) -> Result<(), Stop> {
        let left = self.stack.len().checked_sub(count).ok_or_else(empty)?;
        self.stack.truncate(left);
        Ok(())
    }

    fn replace(&mut self, count: usize) -> Result<(), Stop> {
        self.pop(count)?;
        self.stack.push(Value::Other);
        Ok(())
    }

    fn pop_to_mark(&mut self) -> Result<(), Stop> {
        while let Some(value) = self.stack.pop() {
            if matches!(value, Value::Mark) {
                return Ok(());
            }
        }
        Err(Stop::Broken("it needs a mark that is not there".into()))
    }
}

fn empty() -> Stop {
    Stop::Broken("it takes from an empty stack".into())
}

fn text(text: &str) -> Value {
    if text.len() <= LONGEST_NAME { Value::Text(text.into()) } else { Value::Other }
}

#[cfg(test)]
mod tests {
    use crate::scan::testing::scan_bytes;
    use proptest::prelude::*;

    fn rules(bytes: &[u8]) -> Vec<&'static str> {
        scan_bytes("m.pkl", bytes).detections.iter().map(|seen| seen.rule.id).collect()
    }

    #[test]
    fn payloads_of_every_protocol() {
        for payload in [
            &b"cos\nsystem\n(S'id'\ntR."[..],
            b"(S'id'\nios\nsystem\n.",
            b"\x80\x02cposix\nsystem\nq\x00X\x02\0\0\0idq\x01\x85q\x02Rq\x03.",
            b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x85R.",
            // The module's name is taken from the memo.
            b"\x80\x04\x8c\x02os\x940h\x00\x8c\x06system\x93\x8c\x02id\x85R.",
            b"\x80\x03cbuiltins\neval\nX\x01\0\0\x001\x85R.",
            // EXT1.
            b"\x80\x02\x82\x01.",
            // A second pickle behind the first.
            b"\x80\x02N.\x80\x02cos\nsystem\nN\x85R.",
        ] {
            assert_eq!(rules(payload).first(), Some(&"unsafe-pickle"), "{payload:?}");
        }
    }

    #[test]
    fn a_payload_before_a_break_is_still_said() {
        let found = rules(b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R\xff");
        assert_eq!(found, ["unsafe-pickle", "broken-pickle"]);
        assert_eq!(rules(b"\x80\x04\x95"), ["broken-pickle"]);
    }

    #[test]
    fn harmless_and_unknown() {
        assert_eq!(rules(b"\x80\x02ccollections\nOrderedDict\n)R."), Vec::<&str>::new());
        assert_eq!(rules(b"\x80\x02cmypackage.models\nNet\n)\x81."), ["unknown-pickle-import"]);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            bytes.splice(0..0, *b"\x80\x04N");
            scan_bytes("m.pkl", &bytes);
        }
    }
}
