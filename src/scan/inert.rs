//! Formats that a look at the beginning settles.

use super::{Format, HEAD, Reader};
use crate::finding::{Level, Rule};

const LFS: Rule = Rule {
    id: "lfs-pointer",
    level: Level::Error,
    summary: "a Git LFS pointer where the file itself should be",
    reason: "The checkout did not fetch the content: the Hub would get a hundred bytes of text in place of the weights.",
    fix: "fetch the content first: `with: {lfs: true}` on actions/checkout, or `git lfs pull`",
    example: "version https://git-lfs.github.com/spec/v1",
};

const PROGRAM: Rule = Rule {
    id: "executable-file",
    level: Level::Error,
    summary: "a program for an operating system among the model's files",
    reason: "Nobody expects to run a program that comes with weights.",
    fix: "leave it out with `exclude:`, or publish it where programs are published",
    example: "a file that begins with ELF",
};

const UNKNOWN: Rule = Rule {
    id: "unknown-format",
    level: Level::Note,
    summary: "a file of a format that is not known here",
    reason: "Nothing in it was looked at but its bytes.",
    fix: "nothing, if people who load the model expect it; else leave it out with `exclude:`",
    example: "model.xyz",
};

/// Git LFS pointers.
pub(super) const LFS_POINTER: Reader = Reader {
    format: Format("lfs-pointer"),
    is: |head| head.bytes.starts_with(b"version https://git-lfs.github.com/spec/"),
    scan: |_, _, _, scan| {
        scan.say(&LFS, "this is a Git LFS pointer, not the file it stands for", 0);
        Ok(())
    },
    checked: "that it is one",
    unchecked: "nothing",
    rules: &[&LFS],
};

/// ELF, Mach-O, PE, WebAssembly, Java classes, and scripts that say who runs them.
pub(super) const EXECUTABLE: Reader = Reader {
    format: Format("executable"),
    is: |head| is_program(head.bytes),
    scan: |_, _, _, scan| {
        scan.say(&PROGRAM, "this is a program for an operating system", 0);
        Ok(())
    },
    checked: "that it is one: ELF, Mach-O, PE with its header, shell scripts; llamafiles are such programs",
    unchecked: "what it does",
    rules: &[&PROGRAM],
};

/// No bytes.
pub(super) const EMPTY: Reader = Reader {
    format: Format("empty"),
    is: |head| head.bytes.is_empty() && head.whole,
    scan: |_, _, _, _| Ok(()),
    checked: "that it is empty",
    unchecked: "nothing",
    rules: &[],
};

/// Pictures, sound, fonts, tables and models of trees, none of which runs anything.
pub(super) const MEDIA: Reader = Reader {
    format: Format("data"),
    is: |head| kind(head.bytes).is_some(),
    scan: |stream, _, _, scan| {
        scan.format = kind(stream.peek(HEAD)?).map_or(scan.format, Format);
        Ok(())
    },
    checked: "that it is one: pictures, sound, film, PDF, fonts, Parquet, Arrow, SQLite, XGBoost, CatBoost, fastText, ggml",
    unchecked: "its content, which runs nothing",
    rules: &[],
};

/// What they begin with, at which byte, and what they are; what other readers know comes before.
pub(super) const KINDS: [(usize, &[u8], &str); 33] = [
    (0, b"\x89PNG\r\n\x1a\n", "image"),
    (0, b"\xff\xd8\xff", "image"),
    (0, b"GIF8", "image"),
    (0, b"II*\0", "image"),
    (0, b"MM\0*", "image"),
    (0, b"\0\0\x01\0", "image"),
    (8, b"WEBP", "image"),
    (4, b"ftypavif", "image"),
    (4, b"ftypheic", "image"),
    (8, b"WAVE", "sound"),
    (0, b"OggS", "sound"),
    (0, b"fLaC", "sound"),
    (0, b"ID3", "sound"),
    (4, b"ftyp", "film"),
    (0, b"\x1a\x45\xdf\xa3", "film"),
    (8, b"AVI ", "film"),
    (0, b"%PDF-", "pdf"),
    (0, b"\0\x01\0\0\0", "font"),
    (0, b"OTTO", "font"),
    (0, b"wOFF", "font"),
    (0, b"wOF2", "font"),
    (0, b"PAR1", "parquet"),
    (0, b"ARROW1", "arrow"),
    (0, b"SQLite format 3\0", "sqlite"),
    (0, b"CBM1", "catboost"),
    (0, b"binf", "xgboost"),
    (0, b"bs64", "xgboost"),
    (0, b"{L\0\0\0\0\0\0", "xgboost"),
    (0, b"\xba\x16\x4f\x2f", "fasttext"),
    (0, b"lmgg", "ggml"),
    (0, b"fmgg", "ggml"),
    (0, b"tjgg", "ggml"),
    (0, b"algg", "ggml"),
];

fn kind(head: &[u8]) -> Option<&'static str> {
    let found = KINDS.iter().find(|(at, magic, _)| head.get(*at..*at + magic.len()) == Some(magic));
    found.map(|(_, _, kind)| *kind)
}

/// Whatever nothing else recognises.
pub(super) const OTHER: Reader = Reader {
    format: Format::UNKNOWN,
    is: |_| true,
    scan: |_, subject, _, scan| {
        if !is_raw(subject.file_name(), &subject.extension()) {
            scan.say(&UNKNOWN, "its format is not known, so nothing in it was looked at", 0);
        }
        Ok(())
    },
    checked: "that it is not named like a format that is known",
    unchecked: "its content: no loader that is known takes it for code",
    rules: &[&UNKNOWN],
};

/// Numbers without a header, as frameworks name them: TensorFlow's checkpoints, ONNX' external
/// data, OpenVINO's weights, tokenizers, indexes for search.
fn is_raw(name: &str, extension: &str) -> bool {
    let raw = [
        "bin",
        "dat",
        "data",
        "raw",
        "idx",
        "index",
        "weights",
        "params",
        "model",
        "spm",
        "bpe",
        "onnx_data",
        "mlir",
        "faiss",
        "ann",
        "mean",
    ];
    raw.contains(&extension)
        || extension.starts_with("data-")
        || extension.starts_with("onnx_data")
        || name == "fingerprint.pb"
}

fn is_program(head: &[u8]) -> bool {
    let magic = |bytes: &[u8]| head.starts_with(bytes);
    let thin = [b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf"];
    if thin.iter().any(|bytes| magic(&bytes[..])) {
        return true;
    }
    // ELF says its class and byte order; weights that begin with the four letters do not.
    if magic(b"\x7fELF") && matches!(head.get(4..6), Some([1 | 2, 1 | 2])) {
        return true;
    }
    // A universal Mach-O says how many programs it holds; a Java class file, a version.
    if magic(b"\xca\xfe\xba\xbe")
        && matches!(head.get(4..8), Some([0, 0, 0, 1..=9] | [0, _, 0, 40..=90]))
    {
        return true;
    }
    if magic(b"\0asm\x01\0\0\0") {
        return true;
    }
    if magic(b"#!") {
        return is_shell(head);
    }
    // "MZ" alone occurs in weights: the pointer at 0x3C must lead to "PE". An αcτµαlly pδrταblε
    // εxεcµταblε (llamafile) is a shell script and a PE at once.
    let pointer = head
        .get(0x3C..0x40)
        .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let pe = pointer.and_then(|at| head.get(at as usize..(at as usize).checked_add(4)?));
    magic(b"MZqFpD='") || magic(b"MZ") && pe == Some(b"PE\0\0")
}

/// `#!` and an interpreter of commands. A Python script is code of the repository, which is read
/// as such.
fn is_shell(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(&line[2..]);
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or_default();
    let program =
        if program.ends_with("/env") { words.next().unwrap_or_default() } else { program };
    let name = program.rsplit('/').next().unwrap_or_default();
    (program.starts_with('/') || line.contains("/env "))
        && !name.is_empty()
        && !name.starts_with("python")
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-+".contains(letter))
}

#[cfg(test)]
mod tests {
    use crate::scan::testing::scan_bytes;

    #[test]
    fn programs_by_their_structure() {
        let mut pe = vec![0; 0x44];
        pe[..2].copy_from_slice(b"MZ");
        pe[0x3C] = 0x40;
        pe[0x40..].copy_from_slice(b"PE\0\0");
        for bytes in [
            &b"\x7fELF\x02\x01\x01"[..],
            b"\xcf\xfa\xed\xfe\x07\0\0\x01",
            b"\xca\xfe\xba\xbe\0\0\0\x02",
            b"#!/bin/sh\necho hi\n",
            b"#!/usr/bin/env bash\n",
            &pe,
        ] {
            let scan = scan_bytes("x", bytes);
            assert_eq!(scan.format.as_str(), "executable", "{bytes:?}");
            assert_eq!(scan.detections[0].rule.id, "executable-file");
        }
        for bytes in
            [&b"MZ weights"[..], b"\x7fELFless", b"#! a heading", b"#!/usr/bin/env python3\n"]
        {
            assert_ne!(scan_bytes("x", bytes).format.as_str(), "executable", "{bytes:?}");
        }
        assert_eq!(scan_bytes("x", b"").format.as_str(), "empty");
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
        assert_eq!(scan_bytes("x", pointer).detections[0].rule.id, "lfs-pointer");
    }
}
