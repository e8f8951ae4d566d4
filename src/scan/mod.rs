//! Bytes → what they are and what they could do. Knows no CI, no Hub and no policy: it returns
//! detections, and gates judge them.

mod gguf;
mod imports;
mod pickle;
mod recognise;
mod safetensors;
mod secrets;
mod simple;
mod stream;
#[cfg(test)]
pub(crate) mod testing;
mod zip;

use std::io;

use crate::finding::Rule;

pub use stream::Stream;

/// Every rule that a scanner may speak by.
pub const RULES: [&Rule; 12] = [
    &pickle::UNSAFE,
    &pickle::UNKNOWN,
    &pickle::BROKEN,
    &safetensors::INVALID,
    &gguf::INVALID,
    &zip::DISAGREES,
    &zip::UNREADABLE,
    &simple::LFS_POINTER,
    &simple::EXECUTABLE,
    &simple::PACKED,
    &secrets::SECRET,
    &TOO_DEEP,
];

const TOO_DEEP: Rule = Rule {
    id: "archive-too-deep",
    level: crate::finding::Level::Error,
    summary: "archives in archives, deeper than is looked into",
    reason: "Nesting is how content is hidden from scanners.",
    fix: "unpack the inner archives and publish their files",
    example: "a zip in a zip in a zip in a zip in a zip",
};

/// What is scanned.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Name of the file or member.
    pub name: &'a str,
    /// Its size in bytes, where known.
    pub size: Option<u64>,
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

/// How deep archives may be nested.
#[derive(Debug, Clone, Copy)]
struct Limits {
    depth: u8,
}

impl Limits {
    fn deeper(self) -> Self {
        Self { depth: self.depth.saturating_sub(1) }
    }
}

/// Scans a file from its beginning. What the scanner leaves unread is the caller's to drain.
/// Errors are those of reading; everything about the content is a detection.
pub fn scan(stream: &mut Stream<'_>, subject: &Subject<'_>) -> io::Result<Scan> {
    scan_within(stream, subject, Limits { depth: 4 })
}

fn scan_within(stream: &mut Stream<'_>, subject: &Subject<'_>, limits: Limits) -> io::Result<Scan> {
    let head = stream.peek(recognise::HEAD)?;
    let whole = head.len() < recognise::HEAD;
    let format = recognise::recognise(head, whole);
    let mut scan = Scan { format, detections: Vec::new(), tensors: None };
    match format {
        Format::Safetensors => safetensors::scan(stream, subject.size, &mut scan)?,
        Format::Gguf => gguf::scan(stream, subject.size, &mut scan)?,
        Format::Pickle => pickle::scan(stream, &mut scan)?,
        Format::Numpy => simple::numpy(stream, &mut scan)?,
        Format::Zip | Format::TorchZip if limits.depth == 0 => {
            simple::settled(
                &TOO_DEEP,
                "this archive is nested too deep to be looked into",
                &mut scan,
            );
        }
        Format::Zip | Format::TorchZip => zip::scan(stream, limits, &mut scan)?,
        Format::LfsPointer => {
            simple::settled(
                &simple::LFS_POINTER,
                "this is a Git LFS pointer, not the file it stands for",
                &mut scan,
            );
        }
        Format::Executable => {
            simple::settled(
                &simple::EXECUTABLE,
                "this is a program for an operating system",
                &mut scan,
            );
        }
        Format::Archive => {
            simple::settled(
                &simple::PACKED,
                "this file is compressed or packed and was not looked into",
                &mut scan,
            );
        }
        Format::Json | Format::Text => secrets::scan(stream, &mut scan)?,
        Format::Hdf5 | Format::Empty | Format::Unknown => {}
    }
    Ok(scan)
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
}

impl Detection {
    /// Something at a byte of the file.
    pub fn at(rule: &'static Rule, message: impl Into<String>, offset: u64) -> Self {
        Self {
            rule,
            message: message.into(),
            line: None,
            column: None,
            member: None,
            offset: Some(offset),
        }
    }
}

/// What a file turned out to be, by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// safetensors weights.
    Safetensors,
    /// GGUF weights.
    Gguf,
    /// A bare pickle.
    Pickle,
    /// A zip that PyTorch wrote (holds a pickle).
    TorchZip,
    /// Any other zip.
    Zip,
    /// A NumPy array file.
    Numpy,
    /// HDF5.
    Hdf5,
    /// A program: ELF, PE, Mach-O.
    Executable,
    /// gzip, bzip2, xz, zstd, 7z, tar and their like: compressed or packed, not looked into.
    Archive,
    /// A Git LFS pointer where content was expected.
    LfsPointer,
    /// JSON.
    Json,
    /// UTF-8 text.
    Text,
    /// No bytes.
    Empty,
    /// Anything else.
    Unknown,
}

impl Format {
    /// Kebab-case name, as reports show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Gguf => "gguf",
            Self::Pickle => "pickle",
            Self::TorchZip => "torch-zip",
            Self::Zip => "zip",
            Self::Numpy => "numpy",
            Self::Hdf5 => "hdf5",
            Self::Executable => "executable",
            Self::Archive => "archive",
            Self::LfsPointer => "lfs-pointer",
            Self::Json => "json",
            Self::Text => "text",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }
}

/// Parameters counted from a weights header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tensors {
    /// Elements by data type name as the format writes it (`F32`, `BF16`, `Q4_K`, …).
    pub parameters: std::collections::BTreeMap<String, u64>,
    /// How many tensors.
    pub count: u64,
}
