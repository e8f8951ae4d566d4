//! What R's `saveRDS` and `save` write, followed item by item. Promises run when they are looked
//! at (CVE-2024-27322); functions and calls run when their owner calls them.
//! <https://cran.r-project.org/doc/manuals/r-release/R-ints.html#Serialization-Formats>

use std::io;

use super::stream::Stream;
use super::{Detection, Format, LIMIT, Limits, Reader, Scan, Subject, nested};
use crate::finding::{Level, Rule};

const UNSAFE: Rule = Rule {
    id: "unsafe-r-object",
    level: Level::Error,
    summary: "an R file with a promise, or with code that runs commands",
    reason: "R evaluates a promise as soon as the object is looked at (CVE-2024-27322), and a stored function when it is called.",
    fix: "save the model's parameters as plain vectors and lists; build the object in code",
    example: "a promise that calls `system`",
};

const BROKEN: Rule = Rule {
    id: "broken-r-object",
    level: Level::Error,
    summary: "an R file that cannot be read to its end",
    reason: "What cannot be read is not known to be harmless.",
    fix: "save the object again, in the binary format that `saveRDS` writes by itself",
    example: "a file cut in the middle",
};

/// R's binary format; most such files are compressed, and unpacked before they come here.
pub(super) const READER: Reader = Reader {
    format: Format("r-object"),
    is: |head| is_r(head.bytes),
    scan,
    checked: "every item: promises; calls of functions that run commands, load libraries, fetch or delete files",
    unchecked: "what other functions in it do when they are called",
    rules: &[&UNSAFE, &BROKEN],
};

/// Things waiting to be read, one for every level that is open; no honest object nests as deep.
const MOST_WAITING: usize = 1 << 16;
/// Symbols and environments that later items refer to.
const MOST_REFERENCES: usize = 1 << 20;
const LONGEST_NAME: u64 = 10_000;

/// Functions of R that reach outside when called.
const REACHING: [&str; 17] = [
    "system",
    "system2",
    "shell",
    "shell.exec",
    "source",
    "sys.source",
    "download.file",
    "install.packages",
    "unlink",
    "file.remove",
    "socketConnection",
    "url",
    "pipe",
    "fifo",
    "dyn.load",
    "library.dynam",
    "py_run_string",
];

fn is_r(head: &[u8]) -> bool {
    let workspace = [&b"RDX2\n"[..], b"RDX3\n", b"RDA2\n", b"RDA3\n", b"RDB2\n", b"RDB3\n"];
    workspace.iter().any(|magic| head.starts_with(magic))
        || matches!(head, [b'X' | b'B', b'\n', 0, 0, 0, 2 | 3, ..])
        || head.starts_with(b"A\n2\n")
        || head.starts_with(b"A\n3\n")
}

fn scan(
    stream: &mut Stream<'_>,
    _: &Subject<'_>,
    _: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    if stream.peek(5)?.starts_with(b"RD") {
        stream.skip(5)?;
    }
    if !stream.peek(2)?.starts_with(b"X\n") {
        scan.say(&BROKEN, "it is written as text or in a machine's own order", 0);
        return Ok(());
    }
    stream.skip(2)?;
    let mut items =
        Items { stream, waiting: vec![Wanted::Items(1)], symbols: Vec::new(), found: Vec::new() };
    let ended = items.header().and_then(|()| items.run());
    let found = std::mem::take(&mut items.found);
    let at = stream.offset();
    scan.detections.extend(found);
    ended.or_else(|error| nested::failed(error, &BROKEN, at, scan))
}

/// What is to be read next.
enum Wanted {
    Items(u64),
    /// The function of a call.
    Callee,
    /// Byte code: instructions, then constants.
    Code,
    /// How many constants, and then those that are left.
    Constants(Option<u32>),
    /// A part of a call in byte code, behind its type.
    CodePart,
    /// The same, of its function.
    CodeCallee,
}

struct Items<'s, 'a> {
    stream: &'s mut Stream<'a>,
    waiting: Vec<Wanted>,
    /// What later items refer to by number: the names of symbols, and nothing for the others.
    symbols: Vec<Option<String>>,
    found: Vec<Detection>,
}

impl Items<'_, '_> {
    /// The format's version, two versions of R, and in version 3 the native encoding.
    fn header(&mut self) -> io::Result<()> {
        let version = self.number()?;
        self.number()?;
        self.number()?;
        if version == 3 {
            let length = self.number()?;
            self.skip(length.into())?;
        }
        Ok(())
    }

    fn run(&mut self) -> io::Result<()> {
        while let Some(wanted) = self.waiting.pop() {
            if self.waiting.len() > MOST_WAITING || self.symbols.len() > MOST_REFERENCES {
                let at = self.stream.offset();
                self.found.push(Detection::at(&LIMIT, "it holds more than R objects do", at));
                return Ok(());
            }
            match wanted {
                Wanted::Items(count) => {
                    self.items(count - 1);
                    self.item()?;
                }
                Wanted::Callee => self.callee()?,
                Wanted::Code => {
                    self.waiting.push(Wanted::Constants(None));
                    self.items(1);
                }
                Wanted::Constants(left) => self.constants(left)?,
                Wanted::CodePart => {
                    let kind = self.number()?;
                    self.code_part(kind)?;
                }
                Wanted::CodeCallee => match self.number()? {
                    kind @ (2 | 6 | 239 | 240 | 243 | 244) => self.code_part(kind)?,
                    _ => self.callee()?,
                },
            }
        }
        Ok(())
    }

    fn callee(&mut self) -> io::Result<()> {
        let at = self.stream.offset();
        let Some(name) = self.item()? else { return Ok(()) };
        let message = format!("code in it calls `{name}`");
        if REACHING.contains(&name.as_str())
            && self.found.len() < 20
            && !self.found.iter().any(|seen| seen.message == message)
        {
            self.found.push(Detection::at(&UNSAFE, message, at));
        }
        Ok(())
    }

    /// Reads an item's own part, and puts down what follows. The name, if it is a symbol.
    fn item(&mut self) -> io::Result<Option<String>> {
        let at = self.stream.offset();
        let flags = self.number()?;
        let (attributes, tag) = (flags & 0x200 != 0, flags & 0x400 != 0);
        let kind = flags & 0xFF;
        match kind {
            // References, by a number in the flags or behind them.
            255 => {
                let index = if flags >> 8 == 0 { self.number()? } else { flags >> 8 };
                let index = usize::try_from(index).unwrap_or(usize::MAX);
                return Ok(self.symbols.get(index.wrapping_sub(1)).cloned().flatten());
            }
            // R's own environments and markers.
            241 | 242 | 250..=254 => {}
            // Names of packages and namespaces.
            247..=249 => {
                self.number()?;
                let count = self.number()?;
                for _ in 0..count {
                    self.name()?;
                }
                self.symbols.push(None);
            }
            // A symbol is its name.
            1 => {
                let name = self.name()?;
                self.symbols.push(name.clone());
                return Ok(name);
            }
            9 => {
                self.items(attributes.into());
                self.characters()?;
            }
            // Pairs: lists, closures, promises, calls, dots.
            2 | 3 | 5 | 6 | 17 => {
                if kind == 5 {
                    let message = "it holds a promise, which runs when the object is looked at";
                    self.found.push(Detection::at(&UNSAFE, message, at));
                }
                self.items(1);
                self.waiting.push(if kind == 6 { Wanted::Callee } else { Wanted::Items(1) });
                self.items(u64::from(attributes) + u64::from(tag));
            }
            // Environments: enclosure, frame, hash table, attributes.
            4 => {
                self.number()?;
                self.symbols.push(None);
                self.items(4);
            }
            // Pointers and weak references.
            22 | 23 => {
                self.symbols.push(None);
                self.items(u64::from(attributes) + if kind == 22 { 2 } else { 0 });
            }
            7 | 8 => {
                let length = self.number()?;
                self.skip(length.into())?;
            }
            10 | 13 | 14 | 15 | 24 => {
                let width = [(14, 8), (15, 16), (24, 1)].iter().find(|known| known.0 == kind);
                let length = self.length()?;
                self.skip(length.saturating_mul(width.map_or(4, |known| known.1)))?;
                self.items(attributes.into());
            }
            16 | 19 | 20 => {
                let length = self.length()?;
                self.items(attributes.into());
                self.items(length);
            }
            21 => {
                self.number()?;
                self.items(attributes.into());
                self.waiting.push(Wanted::Code);
            }
            25 => self.items(attributes.into()),
            // Vectors kept in another way: class, state, attributes.
            238 => self.items(3),
            _ => return Err(invalid("an item of a type that R does not write")),
        }
        Ok(None)
    }

    /// The text that a symbol or a namespace must have.
    fn name(&mut self) -> io::Result<Option<String>> {
        let flags = self.number()?;
        if flags & 0xFF != 9 {
            return Err(invalid("a symbol without a name"));
        }
        self.items(u64::from(flags & 0x200 != 0));
        self.characters()
    }

    fn characters(&mut self) -> io::Result<Option<String>> {
        let length = self.number()?;
        // The missing text.
        if length == u32::MAX {
            return Ok(None);
        }
        if u64::from(length) > LONGEST_NAME {
            self.skip(length.into())?;
            return Ok(None);
        }
        let bytes = self.stream.bytes(usize::try_from(length).unwrap_or_default())?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn constants(&mut self, left: Option<u32>) -> io::Result<()> {
        let left = match left {
            Some(left) => left,
            None => self.number()?,
        };
        if left == 0 {
            return Ok(());
        }
        self.waiting.push(Wanted::Constants(Some(left - 1)));
        match self.number()? {
            21 => self.waiting.push(Wanted::Code),
            kind @ (2 | 6 | 239 | 240 | 243 | 244) => self.code_part(kind)?,
            _ => self.items(1),
        }
        Ok(())
    }

    /// Calls and lists in byte code are written without flags, and may refer to earlier ones:
    /// attributes where the type says so, tag, function, arguments.
    fn code_part(&mut self, kind: u32) -> io::Result<()> {
        let kind = match kind {
            243 => {
                self.number()?;
                return Ok(());
            }
            244 => {
                self.number()?;
                self.number()?
            }
            kind => kind,
        };
        if !matches!(kind, 2 | 6 | 239 | 240) {
            self.items(1);
            return Ok(());
        }
        self.waiting.push(Wanted::CodePart);
        let call = matches!(kind, 6 | 240);
        self.waiting.push(if call { Wanted::CodeCallee } else { Wanted::CodePart });
        self.items(1 + u64::from(kind >= 239));
        Ok(())
    }

    fn items(&mut self, count: u64) {
        if count > 0 {
            self.waiting.push(Wanted::Items(count));
        }
    }

    fn length(&mut self) -> io::Result<u64> {
        let length = self.number()?;
        if length != u32::MAX {
            return Ok(length.into());
        }
        let (upper, lower) = (self.number()?, self.number()?);
        Ok(u64::from(upper) << 32 | u64::from(lower))
    }

    fn number(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.stream.read_exact(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn skip(&mut self, count: u64) -> io::Result<()> {
        if self.stream.skip(count)? < count {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
