//! Pickles, followed as the loader would follow them, and judged by what is known: which callable
//! is called with what. Nothing is ever loaded.

mod calls;
mod escapes;
mod machine;
mod memo;
mod names;
mod opcode;
mod shapes;
mod sniff;
mod value;

use std::io;

use super::stream::Stream;
use super::window::WindowReader;
use super::{Format, HEAD, LIMIT, Limits, Reader, Scan, Subject, archive, text};
use crate::finding::{Level, Rule};

use calls::{Calls, Loader};
use machine::{Machine, Stop};
use names::{Role, Standing};
use sniff::Sniff;
use value::{Nodes, Texts};

const UNSAFE: Rule = Rule {
    id: "unsafe-pickle",
    level: Level::Error,
    summary: "a pickle that reaches what can run code, read files or use the network",
    reason: "Loading it runs whatever its author wanted, on every machine that loads the model (CWE-502).",
    fix: "write it without a pickle: `safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")` for PyTorch, `skops.io.dump(model, \"model.skops\")` for scikit-learn, `model.save_model(\"model.json\")` for XGBoost, LightGBM and CatBoost, `np.savez(…)` for plain arrays; if the file must stay, allow it for a while in weighbridge.yml:\nallow:\n  - {rule: unsafe-pickle, path: PATH, reason: why it is safe, expires: YYYY-MM-DD}",
    example: "cos\\nsystem\\n(S'id'\\ntR.",
};

const UNKNOWN: Rule = Rule {
    id: "unknown-callable",
    level: Level::Error,
    summary: "a pickle that calls something not known to be harmless",
    reason: "Whatever a pickle calls runs while the model loads, with arguments from the file: any function can be a way out (GHSA-vvpj-8cmc-gx39 and some 60 more).",
    fix: "keep the state and build the object in code: `safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")`, `skops.io.dump(model, \"model.skops\")`; or allow the callable in weighbridge.yml:\nallow:\n  - {rule: unknown-callable, callable: SUBJECT, reason: what it does, expires: YYYY-MM-DD}",
    example: "a REDUCE of `mypackage.build`",
};

const CUSTOM: Rule = Rule {
    id: "custom-class",
    level: Level::Warning,
    summary: "a pickle of a class that is not in the file",
    reason: "Whoever loads the model needs that package, in that version, and runs its code.",
    fix: "publish the weights alone (`safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")`), or allow the class in weighbridge.yml:\nallow:\n  - {rule: custom-class, callable: SUBJECT, reason: who needs it and why, expires: YYYY-MM-DD}",
    example: "a whole `mypackage.models.Net` saved by `torch.save(model)`",
};

const TRICK: Rule = Rule {
    id: "pickle-trick",
    level: Level::Error,
    summary: "a pickle that does what no pickler writes",
    reason: "Names made up while loading, changed functions and hooks are how payloads hide from scanners (GHSA-9m3x-qqw2-h32h, CVE-2025-10157 and their kin).",
    fix: "write the file again from the objects themselves: `safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")`",
    example: "a BUILD that changes an imported function",
};

const BROKEN: Rule = Rule {
    id: "broken-pickle",
    level: Level::Error,
    summary: "a pickle that cannot be read to its end",
    reason: "A loader runs what comes before the break; a scanner that gives up there is how payloads hide (GHSA-9gvj-pp9x-gcfr).",
    fix: "write the file again; if it is no pickle, give it another content or leave it out with `exclude:`",
    example: "a pickle cut in the middle",
};

const TRAILING: Rule = Rule {
    id: "trailing-data",
    level: Level::Warning,
    summary: "bytes behind the end of a pickle that are no pickle",
    reason: "No loader of pickles reads them; they are there for somebody else.",
    fix: "write the file again; publish what is behind it as a file of its own",
    example: "an archive appended to model.pkl",
};

/// Bare pickles, and PyTorch's old files, which are five of them and then storages.
pub(super) const READER: Reader = Reader {
    format: PICKLE,
    is: |head| {
        sniff::sniff(head.bytes, head.size) == Sniff::Yes
            || sniff::sniff(head.bytes, head.size) == Sniff::Perhaps
    },
    scan,
    checked: "every opcode, as CPython's loader would follow it: what is imported and called with what, what is changed, what is nested; every pickle of the file",
    unchecked: "what the classes of other packages do with their state",
    rules: &[&UNSAFE, &UNKNOWN, &TRICK, &BROKEN, &CUSTOM, &TRAILING],
};

const PICKLE: Format = Format("pickle");
pub(super) const TORCH_LEGACY: Format = Format("torch-legacy");

/// The magic number that PyTorch wrote as a pickle before everything else (`MAGIC_NUMBER` in
/// `torch/serialization.py`).
const TORCH_MAGIC: &[u8] = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/// Whether loaders take a file for a pickle by its name.
pub(super) fn is_named_like_one(extension: &str) -> bool {
    ["pkl", "pickle", "pck", "pt", "pth", "joblib", "dill", "cloudpickle"].contains(&extension)
}

/// Formats that bytes in a pickle may be of.
pub(super) fn is_serialised(format: Format) -> bool {
    ["pickle", "zip", "7z", "gzip", "bzip2", "xz", "zstd", "lz4", "numpy", "tar"]
        .contains(&format.as_str())
}

/// What a module does, none of whose unlisted names is let through; for other formats that import
/// by name.
pub(super) fn refused(module: &str, name: &str) -> Option<&'static str> {
    match names::standing(module, name) {
        Standing::Refused(does) => Some(does),
        Standing::Known(Role::Shaped) => Some("is harmless with some arguments only"),
        _ => None,
    }
}

/// Whether model files are known to need the name.
pub(super) fn is_known(module: &str, name: &str) -> bool {
    matches!(names::standing(module, name), Standing::Known(_))
}

/// Whether bytes inside another file are what they begin like: read to their end without trouble,
/// or with a payload before the trouble. Numbers may begin like a pickle or an archive; they do not
/// go on like one.
pub(super) fn is_whole(scan: &Scan) -> bool {
    let seen = |rules: &[&Rule]| {
        scan.detections.iter().any(|seen| rules.iter().any(|rule| rule.id == seen.rule.id))
    };
    let trouble = [&BROKEN, &TRAILING, &LIMIT, &archive::DISAGREES, &archive::UNREADABLE];
    scan.format != Format::UNKNOWN && (seen(&[&UNSAFE, &UNKNOWN]) || !seen(&trouble))
}

/// An array of objects in a NumPy file: what follows its header must be a pickle.
pub(super) fn scan_array(
    stream: &mut Stream<'_>,
    _: &Subject<'_>,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    follow(stream, limits, Loader::Plain, true, scan)
}

fn scan(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    limits: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let head = stream.peek(HEAD)?;
    let is_text = text::is_text(head, head.len() < HEAD);
    // The number may stand behind a protocol and a frame.
    let legacy =
        [2, 11].iter().any(|at| head.get(*at..).is_some_and(|rest| rest.starts_with(TORCH_MAGIC)));
    if legacy {
        scan.format = TORCH_LEGACY;
    }
    // PyTorch's archives hold their pickles under these names.
    let torch =
        legacy || matches!(subject.file_name(), "data.pkl" | "constants.pkl" | "attributes.pkl");
    let loader = if torch { Loader::Torch } else { Loader::Plain };
    follow(stream, limits, loader, is_named_like_one(&subject.extension()), scan)?;
    // A text that begins with letters that are opcodes: it is read again, as the text it is.
    if scan.format != Format::UNKNOWN || !is_text {
        return Ok(());
    }
    scan.format = Format::TEXT;
    let Some(window) = subject.window else {
        scan.say(&LIMIT, "it begins like a pickle and goes on like a text, inside another file", 0);
        return Ok(());
    };
    let mut again = WindowReader::new(window);
    (text::READER.scan)(&mut Stream::new(&mut again), subject, limits, scan)
}

/// Follows every pickle of the stream, one behind the other.
fn follow(
    stream: &mut Stream<'_>,
    limits: Limits<'_>,
    loader: Loader,
    expected: bool,
    scan: &mut Scan,
) -> io::Result<()> {
    let legacy = scan.format == TORCH_LEGACY;
    let mut calls = Calls::new(loader, limits);
    let mut pickles = 0;
    loop {
        let (mut texts, mut nodes) = (Texts::default(), Nodes::default());
        let start = stream.offset();
        let ended = Machine::new(stream, &mut calls, &mut texts, &mut nodes).run();
        if let Err(stop) = ended {
            let (rule, why) = match stop {
                Stop::Io(error) => return Err(error),
                Stop::Broken(why) => (&BROKEN, why),
                Stop::Limit(why) => (&LIMIT, why),
            };
            let at = stream.offset();
            // What breaks before it imports anything has done nothing: bytes that only begin like
            // a pickle, or the raw neighbour of one.
            if pickles > 0 && !legacy && !calls.imported_since(start) {
                scan.say(&TRAILING, NO_PICKLE, start);
            } else if pickles == 0
                && !calls.imported_since(start)
                && !expected
                && rule.id == BROKEN.id
            {
                scan.format = Format::UNKNOWN;
            } else {
                calls.broken(rule, &why, at);
            }
            break;
        }
        pickles += 1;
        // Of PyTorch's old files five pickles are read, and then raw storages.
        if legacy && pickles == 5 {
            break;
        }
        let rest = stream.peek(HEAD)?;
        if rest.is_empty() {
            break;
        }
        if sniff::sniff(rest, None) == Sniff::No {
            if rest.iter().any(|byte| !byte.is_ascii_whitespace() && *byte != 0) {
                let at = stream.offset();
                scan.say(&TRAILING, NO_PICKLE, at);
            }
            break;
        }
    }
    // What is called comes before what is merely there.
    let behind = std::mem::replace(&mut scan.detections, calls.into_findings());
    scan.detections.extend(behind);
    Ok(())
}

const NO_PICKLE: &str = "there are bytes behind the pickle that are no pickle";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::scan::testing::scan_bytes;

    fn rules(bytes: &[u8]) -> Vec<&'static str> {
        scan_bytes("m.pkl", bytes).detections.iter().map(|seen| seen.rule.id).collect()
    }

    #[test]
    fn payloads_of_every_protocol() {
        for payload in [
            &b"cos\nsystem\n(S'id'\ntR."[..],
            b"cos\nsystem\n(S'\\x69d'\ntR.",
            b"(S'id'\nios\nsystem\n.",
            b"(cos\nsystem\nS'id'\no.",
            b"\x80\x02cposix\nsystem\nq\x00X\x02\0\0\0idq\x01\x85q\x02Rq\x03.",
            b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x85R.",
            // The module's name is taken from the memo; its text is escaped.
            b"\x80\x04\x8c\x02os\x940h\x00\x8c\x06system\x93\x8c\x02id\x85R.",
            b"V\\u006fs\nVsystem\n\x93(S'id'\ntR.",
            b"\x80\x03cbuiltins\neval\nX\x01\0\0\x001\x85R.",
            // A call whose result is thrown away, and one below a mark.
            b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R0N.",
            b"\x80\x02(cos\nsystem\nX\x02\0\0\0id\x85R1N.",
            // A second pickle behind the first, and one behind a text.
            b"\x80\x02N.\x80\x02cos\nsystem\nN\x85R.",
            b"V long text that is popped\n0cos\nsystem\n(S'id'\ntR.",
            // A dotted name, from a harmless module.
            b"\x80\x04\x8c\x07pathlib\x8c\x09os.system\x93\x8c\x02id\x85R.",
            b"\x80\x04\x8c\x0bcollections\x8c\x0aOrderedDic\x93.",
        ] {
            assert_eq!(rules(payload).first(), Some(&"unsafe-pickle"), "{payload:?}");
        }
    }

    #[test]
    fn the_call_is_said_as_python_would_write_it() {
        let scan = scan_bytes("m.pkl", b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.");
        assert_eq!(scan.detections.len(), 1);
        let seen = &scan.detections[0];
        assert_eq!(seen.message, "calls `os.system('id')`, of a module that runs commands");
        assert_eq!((seen.offset, seen.subject.as_deref()), (Some(21), Some("os.system")));
        let evidence = "0: PROTO, 2: GLOBAL, 13: BINUNICODE, 20: TUPLE1, 21: REDUCE";
        assert_eq!(seen.evidence.as_deref(), Some(evidence));
    }

    #[test]
    fn tricks() {
        for payload in [
            // The extension registry.
            &b"\x80\x02\x82\x01."[..],
            // A name that another call made.
            b"\x80\x04\x8c\x02os\x8c\x01a\x85\x93.",
            // A function changed by BUILD.
            b"\x80\x02cnumpy\nlog1p\n}X\x04\0\0\0evilK\x01sb.",
            // A hook in an object's state.
            b"\x80\x02ccollections\nOrderedDict\n)R}X\x0c\0\0\0__setstate__cnumpy\nlog1p\nsb.",
            // A persistent id outside PyTorch.
            b"\x80\x02X\x02\0\0\0idQ.",
            // getattr is handed on.
            b"\x80\x02]cbuiltins\ngetattr\na.",
        ] {
            assert_eq!(rules(payload), ["pickle-trick"], "{payload:?}");
        }
    }

    #[test]
    fn what_is_known_and_what_is_not() {
        for (payload, expected) in [
            (&b"\x80\x02ccollections\nOrderedDict\n)R."[..], &[][..]),
            (b"\x80\x02cnumpy\ndtype\nX\x02\0\0\0f8K\0K\x01\x87R.", &[]),
            (b"\x80\x02cmypackage.models\nNet\n)\x81.", &["custom-class"]),
            (b"\x80\x02cmypackage.models\nbuild\n)R.", &["unknown-callable"]),
            (b"\x80\x02cnumpy\nlog1p\nK\x01\x85R.", &["unknown-callable"]),
            (b"\x80\x02c_codecs\nencode\nX\x01\0\0\0aX\x06\0\0\0latin1\x86R.", &[]),
            (
                b"\x80\x02c_codecs\nencode\nX\x01\0\0\0aX\x05\0\0\0rot13\x86R.",
                &["unknown-callable"],
            ),
            (b"\x80\x02cbuiltins\ngetattr\ncmine\nKind\nX\x01\0\0\0A\x86R.", &["custom-class"]),
            (
                b"\x80\x02cbuiltins\ngetattr\ncmine\nKind\nX\x09\0\0\0__class__\x86R.",
                &["custom-class", "unknown-callable"],
            ),
        ] {
            assert_eq!(rules(payload), expected, "{payload:?}");
        }
    }

    #[test]
    fn a_payload_before_a_break_is_still_said() {
        let found = rules(b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R\xff");
        assert_eq!(found, ["unsafe-pickle", "broken-pickle"]);
        assert_eq!(rules(b"\x80\x04\x95"), ["broken-pickle"]);
        // Weights that begin like a pickle did nothing; named like one they are a finding.
        let weights = [&b"\x80\x02\x5d\x71"[..], &[0x3f; 64]].concat();
        assert_eq!(scan_bytes("w.bin", &weights).format.as_str(), "unknown");
        assert!(scan_bytes("w.bin", &weights).detections.is_empty());
    }

    #[test]
    fn pickles_in_bytes_are_followed() {
        let inner = b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.";
        let mut outer = b"\x80\x03C".to_vec();
        outer.push(u8::try_from(inner.len()).expect("short"));
        outer.extend_from_slice(inner);
        outer.push(b'.');
        assert_eq!(rules(&outer), ["unsafe-pickle"]);
    }

    #[test]
    fn the_memo_counts_as_the_loader_does() {
        // MEMOIZE takes the number of entries as its index, whatever PUT took.
        let payload = b"\x80\x04\x8c\x02os\x71\x05\x8c\x06system\x94h\x05h\x01\x93\x8c\x02id\x85R.";
        assert_eq!(rules(payload).first(), Some(&"unsafe-pickle"));
        assert_eq!(
            rules(b"\x80\x04\x8c\x02os\x71\x05ccollections\nOrderedDict\nh\x01."),
            ["broken-pickle"]
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            bytes.splice(0..0, *b"\x80\x04N");
            scan_bytes("m.pkl", &bytes);
        }

        #[test]
        fn no_opcodes_panic(codes in prop::collection::vec(prop::sample::select(&b"(.0123FGIJKLMNPQRSTUVXabcdegehijloprqstu])}BC\x80\x81\x82\x85\x86\x87\x88\x8c\x90\x91\x93\x94\n\x01\x00"[..]), 0..300)) {
            scan_bytes("m.pkl", &codes);
        }
    }
}
