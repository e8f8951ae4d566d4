//! Bytes → what they are and what they could do. Knows no CI, no Hub and no policy: it returns
//! detections, and gates judge them.
//!
//! A file is read once, front to back ([`Stream`]); formats whose parts lie anywhere look them up
//! in the same file ([`Window`]) and never read bulk data twice.

mod archive;
mod code;
mod formats;
mod graph;
mod inert;
mod nested;
mod pickle;
mod rdata;
mod registry;
mod stream;
#[cfg(test)]
pub(crate) mod testing;
mod text;
mod weights;
mod window;

use std::cell::{Cell, RefCell};
use std::io;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::finding::{Level, Rule};

use archive::escapes as archive_escapes;
pub use formats::markdown as formats_page;
pub use stream::Stream;
pub use text::secrets::{Passing, may_be_text, secrets, tokens, told};
pub use window::{ReadAt, Window};

/// Bytes of the beginning that recognition looks at.
const HEAD: usize = 4096;

/// Every rule that a scanner may speak by, each once.
pub fn rules() -> Vec<&'static Rule> {
    let mut rules: Vec<&'static Rule> = vec![&LIMIT, &MISNAMED, &TWO_IN_ONE];
    for rule in registry::READERS.iter().flat_map(|reader| reader.rules) {
        if !rules.iter().any(|known| known.id == rule.id) {
            rules.push(rule);
        }
    }
    rules
}

const LIMIT: Rule = Rule {
    id: "scan-limit",
    level: Level::Error,
    summary: "more than is looked at: archives in archives, expansion, members, time",
    reason: "Nesting and size are how content is hidden from scanners, and how loaders are brought down.",
    fix: "publish the inner files as they are: unpacked, and split where they are long",
    example: "a zip of 10 MB that unpacks to 100 GB",
};

const MISNAMED: Rule = Rule {
    id: "not-what-it-is-named",
    level: Level::Error,
    summary: "a file that is named like a model format and is none",
    reason: "What cannot be understood is not known to be harmless, and loaders go by the name (CVE-2025-10155, CVE-2025-1889).",
    fix: "write the file again, or rename it to what it is",
    example: "model.pkl that no pickle loader would read",
};

const TWO_IN_ONE: Rule = Rule {
    id: "two-formats",
    level: Level::Error,
    summary: "a file that is one format from its beginning and another from its end",
    reason: "What is looked at is not what is loaded.",
    fix: "publish the two as two files",
    example: "a zip appended to model.safetensors",
};

/// What is scanned.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Name of the file or member.
    pub name: &'a str,
    /// Its size in bytes, where known.
    pub size: Option<u64>,
    /// Where its bytes can be looked up, if they lie somewhere as they are.
    pub window: Option<Window<'a>>,
}

impl Subject<'_> {
    /// Its extension, in lower case.
    fn extension(&self) -> String {
        let name = self.name.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map(|(_, extension)| extension.to_lowercase()).unwrap_or_default()
    }

    /// The last part of its path.
    fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }
}

/// What a scan saw.
#[derive(Debug, Clone)]
pub struct Scan {
    /// What the file is.
    pub format: Format,
    /// What it could do.
    pub detections: Vec<Detection>,
    /// Parameters, where a header tells.
    pub tensors: Option<Tensors>,
}

impl Scan {
    fn say(&mut self, rule: &'static Rule, message: impl Into<String>, at: u64) {
        self.detections.push(Detection::at(rule, message, at));
    }
}

/// How one kind of file is recognised and read.
struct Reader {
    /// Kebab-case name, as reports show it.
    format: Format,
    /// Whether a file that begins so is one.
    is: fn(&Head<'_>) -> bool,
    /// Reads it; what is left unread is the caller's to drain.
    scan: fn(&mut Stream<'_>, &Subject<'_>, Limits<'_>, &mut Scan) -> io::Result<()>,
    /// For docs/formats.md: what is looked at.
    checked: &'static str,
    /// For docs/formats.md: what is not.
    unchecked: &'static str,
    /// What it may say.
    rules: &'static [&'static Rule],
}

/// The beginning of a file.
struct Head<'a> {
    bytes: &'a [u8],
    /// `bytes` are all of it.
    whole: bool,
    size: Option<u64>,
    /// The file's name: only what no content tells is told by it.
    name: &'a str,
}

/// How much is looked at, shared by a file and everything in it.
#[derive(Clone, Copy)]
struct Limits<'a> {
    /// How many archives deep.
    depth: u8,
    /// Bytes that may still be unpacked.
    unpacked: &'a Cell<u64>,
    deadline: Instant,
    /// Where what pickles do is told, step by step.
    story: Option<&'a RefCell<String>>,
}

/// Archives in archives.
const MOST_DEPTH: u8 = 5;
/// Bytes that one file may unpack to, all levels together.
const MOST_UNPACKED: u64 = 64 << 30;
/// Longest time for one file.
const LONGEST: Duration = Duration::from_mins(20);

/// Scans a file from its beginning. What the scanner leaves unread is the caller's to drain.
/// Errors are those of reading; everything about the content is a detection.
pub fn scan(stream: &mut Stream<'_>, subject: &Subject<'_>) -> io::Result<Scan> {
    begin(stream, subject, None)
}

/// Scans a file, and tells what the pickles in it do, opcode by opcode, as a person would.
pub fn explain(stream: &mut Stream<'_>, subject: &Subject<'_>) -> io::Result<(Scan, String)> {
    let story = RefCell::new(String::new());
    let scan = begin(stream, subject, Some(&story))?;
    Ok((scan, story.into_inner()))
}

fn begin(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    story: Option<&RefCell<String>>,
) -> io::Result<Scan> {
    let unpacked = Cell::new(MOST_UNPACKED);
    let deadline = Instant::now() + LONGEST;
    let limits = Limits { depth: MOST_DEPTH, unpacked: &unpacked, deadline, story };
    scan_within(stream, subject, limits)
}

fn scan_within(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    limits: Limits<'_>,
) -> io::Result<Scan> {
    stream.until(Some(limits.deadline));
    let bytes = stream.peek(HEAD)?;
    let (whole, name) = (bytes.len() < HEAD, subject.name);
    let head = Head { bytes, whole, size: subject.size, name };
    let reader = registry::READERS.iter().find(|reader| (reader.is)(&head));
    let mut scan = Scan { format: Format::UNKNOWN, detections: Vec::new(), tensors: None };
    if let Some(reader) = reader {
        scan.format = reader.format;
        let read = (reader.scan)(stream, subject, limits, &mut scan);
        stream.until(None);
        match read {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                scan.say(&LIMIT, "looking into it takes longer than 20 minutes", stream.offset());
            }
            other => other?,
        }
    }
    if let Some(window) = subject.window
        && archive::zip::ends_like_one(window)?
        && scan.format != archive::zip::READER.format
        && scan.format != Format::TORCH_ZIP
    {
        scan.say(&TWO_IN_ONE, "readers that look from its end take it for a zip", 0);
    }
    let is_data = reader.is_some_and(|reader| reader.format == inert::MEDIA.format);
    let none = is_data || scan.format == Format::UNKNOWN || text::is_one(scan.format);
    let extension = subject.extension();
    if pickle::is_named_like_one(&extension) && (none || scan.format == Format::SAFETENSORS) {
        scan.say(&MISNAMED, "it is named like a pickle, and is none that a loader would read", 0);
    } else if ["bin", "ckpt"].contains(&extension.as_str()) && scan.format == Format::SAFETENSORS {
        // A header's length and what follows can be made to be opcodes too.
        scan.say(&MISNAMED, "it is named like weights that are unpickled, and is safetensors", 0);
    } else if none && let Some(kind) = names_a_model(&extension) {
        let message = format!("it is named like {kind}, and its content is something else");
        scan.say(&MISNAMED, message, 0);
    }
    Ok(scan)
}

/// Formats whose loaders go by the file's name, and which are recognised here whenever they are
/// what they are named.
fn names_a_model(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "safetensors" => "safetensors",
        "gguf" => "GGUF",
        "onnx" => "ONNX",
        "keras" => "a Keras model",
        "h5" | "hdf5" => "HDF5",
        "npy" | "npz" => "a NumPy file",
        "tflite" => "TFLite",
        "rds" | "rdata" | "rda" => "an R file",
        _ => return None,
    })
}

/// One thing seen in a file, with the rule that names it.
#[derive(Debug, Clone)]
pub struct Detection {
    /// The rule (declared beside the scanner that sees it).
    pub rule: &'static Rule,
    /// What was seen.
    pub message: String,
    /// Line, for text.
    pub line: Option<u32>,
    /// Column, for text.
    pub column: Option<u32>,
    /// Archive member.
    pub member: Option<String>,
    /// Byte offset in the file or member.
    pub offset: Option<u64>,
    /// The callable or class that it is about, for allowances.
    pub subject: Option<String>,
    /// An excerpt that shows it.
    pub evidence: Option<String>,
}

impl Detection {
    /// Something at a byte of the file.
    pub fn at(rule: &'static Rule, message: impl Into<String>, offset: u64) -> Self {
        let (message, offset) = (message.into(), Some(offset));
        Self {
            rule,
            message,
            line: None,
            column: None,
            member: None,
            offset,
            subject: None,
            evidence: None,
        }
    }

    /// Something on a line of a text.
    pub fn on_line(
        rule: &'static Rule,
        message: impl Into<String>,
        line: u32,
        column: u32,
    ) -> Self {
        Self { line: Some(line), column: Some(column), offset: None, ..Self::at(rule, message, 0) }
    }
}

/// What a file turned out to be, by content; kebab-case, as reports show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Format(&'static str);

impl Format {
    /// safetensors weights.
    pub const SAFETENSORS: Self = Self("safetensors");
    /// A zip that PyTorch wrote.
    pub const TORCH_ZIP: Self = Self("torch-zip");
    /// UTF-8 text.
    pub const TEXT: Self = Self("text");
    /// Anything that nothing here recognises.
    pub const UNKNOWN: Self = Self("unknown");

    /// The name.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The format of a name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        let readers = registry::READERS.iter().map(|reader| reader.format);
        let more = [Self::TORCH_ZIP, Self::TEXT, pickle::TORCH_LEGACY, text::JSON, text::XML];
        let kinds = inert::KINDS.iter().map(|(_, _, kind)| Self(kind));
        readers.chain(more).chain(kinds).find(|format| format.0 == name)
    }
}

/// What a weights header says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tensors {
    /// Elements by data type name as the format writes it (`F32`, `BF16`, `Q4_K`, …); of
    /// safetensors without scalars and block scales, which the Hub counts as no parameters.
    pub parameters: std::collections::BTreeMap<String, u64>,
    /// How many tensors.
    pub count: u64,
    /// What the header says of the model in a few words: the stated total of safetensors, and GGUF's
    /// key-values.
    pub metadata: std::collections::BTreeMap<String, String>,
    /// Tensors of safetensors whose parameters depend on how the model was quantised, which another
    /// file says; `None` when they are too many to keep.
    pub unsettled: Option<Vec<Tensor>>,
    /// Type and shape by name (`F32 [2, 3]`), as far as they are kept: all of them where there are
    /// `count`.
    pub each: std::collections::BTreeMap<String, String>,
    /// What callers pass in and get back, where a graph says so: `input ids: INT64 [batch, 8]`.
    pub signature: std::collections::BTreeSet<String>,
    /// Bytes that are kept so far: of no account once the header is read.
    #[serde(skip)]
    kept: usize,
}

impl Tensors {
    /// Bytes of names, types and shapes that are kept of one file; the largest models need a tenth.
    const MOST_KEPT: usize = 1 << 20;

    /// Adds what a graph takes or gives.
    fn sign(&mut self, value: String) {
        self.kept = self.kept.saturating_add(value.len());
        if self.kept <= Self::MOST_KEPT {
            self.signature.insert(value);
        }
    }

    /// Counts one tensor and its elements.
    fn add(&mut self, name: &str, dtype: &str, shape: &[u64], elements: u64) {
        self.describe(name, dtype, shape);
        let total = self.parameters.entry(dtype.to_owned()).or_default();
        *total = total.saturating_add(elements);
    }

    /// Counts one tensor.
    fn describe(&mut self, name: &str, dtype: &str, shape: &[u64]) {
        let described = format!("{dtype} {shape:?}");
        self.kept = self.kept.saturating_add(name.len() + described.len());
        if self.kept <= Self::MOST_KEPT {
            self.each.insert(name.to_owned(), described);
        }
        self.count += 1;
    }
}

/// A tensor, as far as counting needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its data type's name.
    pub dtype: String,
    /// Its elements.
    pub elements: u64,
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// Bytes that count how many of them were read, in order or looked up.
    struct Counting<'a> {
        bytes: &'a [u8],
        read: &'a AtomicU64,
    }

    impl Read for Counting<'_> {
        fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
            let count = self.bytes.read(target)?;
            self.read.fetch_add(count as u64, Ordering::Relaxed);
            Ok(count)
        }
    }

    impl ReadAt for Counting<'_> {
        fn read_at(&self, offset: u64, target: &mut [u8]) -> io::Result<usize> {
            let count = self.bytes.read_at(offset, target)?;
            self.read.fetch_add(count as u64, Ordering::Relaxed);
            Ok(count)
        }
    }

    #[test]
    fn every_format_is_known_by_its_name() {
        let mut folders = vec![std::path::PathBuf::from("src/scan")];
        let mut names = std::collections::BTreeSet::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("the source") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(text) = std::fs::read_to_string(&path) {
                    let literals =
                        text.split("Format(\"").skip(1).chain(text.split("Self(\"").skip(1));
                    names.extend(
                        literals.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())),
                    );
                }
            }
        }
        names.extend(inert::KINDS.iter().map(|(_, _, kind)| (*kind).to_owned()));
        assert!(names.len() > 30, "{names:?}");
        for name in names {
            assert_eq!(Format::named(&name).map(Format::as_str), Some(name.as_str()));
        }
    }

    #[test]
    fn bulk_data_is_read_once() {
        let data = vec![7; 8 << 20];
        let header = format!(
            "{{\"w\":{{\"dtype\":\"U8\",\"shape\":[{0}],\"data_offsets\":[0,{0}]}}}}",
            data.len()
        );
        let length = (header.len() as u64).to_le_bytes();
        let weights = [&length[..], header.as_bytes(), &data].concat();
        let members: [(&str, &[u8]); 2] = [("a/data.pkl", b"\x80\x02N."), ("a/data/0", &data)];
        let torch = testing::zip(&members, true);
        let pickle = [&b"\x80\x02B"[..], &(8u32 << 20).to_le_bytes(), &data, b"."].concat();
        for (format, bytes) in [("safetensors", weights), ("torch-zip", torch), ("pickle", pickle)]
        {
            let read = AtomicU64::new(0);
            let size = bytes.len() as u64;
            let beside = Counting { bytes: &bytes, read: &read };
            let mut reader = Counting { bytes: &bytes, read: &read };
            let mut stream = Stream::new(&mut reader);
            let window = Some(Window::new(&beside, size));
            let scan = scan(&mut stream, &Subject { name: "m", size: Some(size), window });
            stream.drain().expect("memory does not fail");
            let scan = scan.expect("memory does not fail");
            assert_eq!((scan.format.as_str(), scan.detections.len()), (format, 0));
            let read = read.load(Ordering::Relaxed);
            assert!(read >= size && read * 100 <= size * 102, "{format}: {read} of {size} bytes");
        }
    }
}
