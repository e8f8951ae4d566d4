//! Texts: secrets in any of them, and what those with a meaning could do. What a text means is told
//! by its content where that is possible (JSON, XML), else by its name (Python, templates).

mod encoding;
mod json;
mod keras;
mod packages;
mod prototxt;
pub(super) mod secrets;
mod skops;
mod xml;
mod yaml;

use std::io::{self, BufRead as _, Read};

use super::code::{jinja, python};
use super::stream::Stream;
pub(super) use keras::scan_text as keras_text;

use super::{Detection, Format, LIMIT, Limits, Reader, Scan, Subject};

/// Longest text whose meaning is looked at; longer ones are data, and where their name says
/// otherwise that is a finding.
const LONGEST: usize = 8 << 20;

const CHECKED: &str = "secrets in any text; Python (what it runs, sends, hides), notebooks, Jinja templates, JSON and YAML that name code (`auto_map`, Keras layers, skops, Hydra targets, Python tags), package lists, XML entities";

/// UTF-8 without NUL.
pub(super) const READER: Reader = Reader {
    format: Format::TEXT,
    is: |head| is_text(head.bytes, head.whole),
    scan,
    checked: CHECKED,
    unchecked: "what people read in it",
    rules: &[
        &secrets::SECRET,
        &jinja::UNSAFE,
        &jinja::UNREADABLE,
        &python::UNSAFE,
        &python::DOUBTFUL,
        &python::UNREADABLE,
        &json::REMOTE,
        &json::FOREIGN,
        &json::ESCAPES,
        &json::TWICE,
        &keras::UNSAFE,
        &keras::CUSTOM,
        &skops::UNSAFE,
        &skops::CUSTOM,
        &packages::FOREIGN,
        &prototxt::PYTHON,
        &xml::ENTITY,
        &yaml::UNSAFE,
    ],
};

/// Texts in another encoding: UTF-16, and whatever is named like code or settings, which loaders
/// decode as the file itself says.
pub(super) const OTHERWISE_ENCODED: Reader = Reader {
    format: Format("text-not-utf8"),
    is: |head| encoding::wide(head.bytes).is_some() || meaning(b"", head.name) != Meaning::Words,
    scan: |stream, subject, limits, scan| {
        let Some(wide) = encoding::wide(stream.peek(super::HEAD)?) else {
            return self::scan(stream, subject, limits, scan);
        };
        let mut bytes = Vec::new();
        Read::take(&mut *stream, 2 * LONGEST as u64).read_to_end(&mut bytes)?;
        if !stream.peek(1)?.is_empty() {
            scan.say(&LIMIT, "it is longer than the 16 MiB that are looked at of such a text", 0);
        }
        let text = encoding::decode(&bytes, wide);
        self::scan(&mut Stream::new(&mut text.as_bytes()), subject, limits, scan)
    },
    checked: "what is checked of other texts",
    unchecked: "encodings other than UTF-16 and those that contain ASCII",
    rules: READER.rules,
};

pub(super) const JSON: Format = Format("json");
pub(super) const XML: Format = Format("xml");

/// Whether a format is one of text.
pub(super) fn is_one(format: Format) -> bool {
    [Format::TEXT, JSON, XML].contains(&format)
}

/// What a text is looked at as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Json,
    Notebook,
    Python,
    Template,
    Yaml,
    Packages,
    Prototxt,
    Xml,
    Words,
}

fn scan(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let meaning = meaning(stream.peek(super::HEAD)?, subject.name);
    match meaning {
        Meaning::Json | Meaning::Notebook => scan.format = JSON,
        Meaning::Xml => scan.format = XML,
        _ => {}
    }
    let mut text = Vec::new();
    {
        let mut kept = Kept { stream, text: &mut text, wanted: meaning != Meaning::Words };
        secrets::scan(&mut kept, scan)?;
        // The secrets may have been enough; the text is wanted whole.
        while kept.wanted && kept.text.len() <= LONGEST {
            let count = kept.fill_buf()?.len();
            if count == 0 {
                break;
            }
            kept.consume(count);
        }
    }
    if text.len() > LONGEST {
        // Vocabularies and indexes are long; code and settings are not.
        let data = meaning == Meaning::Json && !json::matters(subject.file_name());
        if !data && meaning != Meaning::Words {
            scan.say(&LIMIT, "it is longer than the 8 MiB that are looked at of such a text", 0);
        }
        return Ok(());
    }
    let text = String::from_utf8_lossy(&text);
    let found = match meaning {
        Meaning::Json => json::scan(&text, subject, limits),
        Meaning::Notebook => json::notebook(&text),
        Meaning::Python => python::scan(&text),
        Meaning::Template => jinja::scan(&text),
        Meaning::Yaml => yaml::scan(&text),
        Meaning::Packages => packages::scan(&text),
        Meaning::Prototxt => prototxt::scan(&text),
        Meaning::Xml => xml::scan(&text),
        Meaning::Words => Vec::new(),
    };
    scan.detections.extend(found);
    Ok(())
}

fn meaning(head: &[u8], name: &str) -> Meaning {
    let name = name.rsplit('/').next().unwrap_or_default().to_lowercase();
    let (_, extension) = name.rsplit_once('.').unwrap_or_default();
    match extension {
        "py" | "pyw" | "pyi" => return Meaning::Python,
        "json" => return Meaning::Json,
        "ipynb" => return Meaning::Notebook,
        "jinja" | "jinja2" | "j2" => return Meaning::Template,
        "yaml" | "yml" => return Meaning::Yaml,
        "xml" | "pmml" => return Meaning::Xml,
        "prototxt" | "pbtxt" => return Meaning::Prototxt,
        _ => {}
    }
    if name == "mlmodel" {
        return Meaning::Yaml;
    }
    if name.starts_with("requirements") && extension == "txt"
        || name == "pipfile"
        || name == "environment.txt"
    {
        return Meaning::Packages;
    }
    if head.starts_with(b"#!")
        && head
            .split(|byte| *byte == b'\n')
            .next()
            .is_some_and(|line| memchr::memmem::find(line, b"python").is_some())
    {
        return Meaning::Python;
    }
    match head
        .iter()
        .find(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xEF | 0xBB | 0xBF))
    {
        Some(b'{' | b'[') if !head.starts_with(b"{%") && !head.starts_with(b"{{") => Meaning::Json,
        Some(b'{') => Meaning::Template,
        Some(b'<') if head.windows(2).any(|pair| matches!(pair, b"<?" | b"<!")) => Meaning::Xml,
        _ => Meaning::Words,
    }
}

/// A text that is read once, for secrets, and kept as long as it may mean something.
struct Kept<'k, 's, 'a> {
    stream: &'s mut Stream<'a>,
    text: &'k mut Vec<u8>,
    wanted: bool,
}

impl io::Read for Kept<'_, '_, '_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.len().min(target.len());
        target[..count].copy_from_slice(&self.stream.chunk()?[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl io::BufRead for Kept<'_, '_, '_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.stream.chunk()
    }

    fn consume(&mut self, count: usize) {
        if self.wanted
            && self.text.len() <= LONGEST
            && let Ok(chunk) = self.stream.chunk()
        {
            self.text.extend_from_slice(&chunk[..count.min(chunk.len())]);
        }
        self.stream.advance(count);
    }
}

/// UTF-8 without NUL; a character cut by the end of `head` is forgiven unless it is the whole.
pub(super) fn is_text(head: &[u8], whole: bool) -> bool {
    if head.contains(&0) {
        return false;
    }
    match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => !whole && error.error_len().is_none(),
    }
}

/// A finding inside a text that stands in another: its lines are not those of the file.
fn inside(found: Vec<Detection>, place: &str) -> impl Iterator<Item = Detection> {
    let place: String = place.chars().take(80).collect();
    found.into_iter().map(move |mut seen| {
        let line = seen.line.take().map_or_else(String::new, |line| format!(" line {line}"));
        seen.column = None;
        seen.message = format!("{} (at `{place}`{line})", seen.message);
        seen
    })
}
