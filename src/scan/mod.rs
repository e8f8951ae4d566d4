//! Bytes → what they are and what they could do. Knows no CI, no Hub and no policy: it returns
//! detections, and gates judge them.

use crate::finding::Rule;

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
    /// ONNX.
    Onnx,
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
            Self::Onnx => "onnx",
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
