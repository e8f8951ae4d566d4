//! Core ML (`.mlmodel`, and the specification in an `.mlpackage`): a protocol buffer that may need
//! classes of the app that loads it.
//! <https://apple.github.io/coremltools/mlmodel/Format/Model.html>

use std::io;

use super::protobuf::{Field, Messages, outline};
use crate::finding::{Level, Rule};
use crate::scan::stream::Stream;
use crate::scan::{Detection, Format, Limits, Reader, Scan, Subject, nested};

const CUSTOM: Rule = Rule {
    id: "custom-model-class",
    level: Level::Warning,
    summary: "a Core ML model that needs a class of the app that loads it",
    reason: "Core ML looks the class up by the name in the file, and runs it.",
    fix: "convert the model without custom layers, or say in its card which code it needs",
    example: "a custom layer MyAttention",
};

const BROKEN: Rule = Rule {
    id: "invalid-core-ml",
    level: Level::Error,
    summary: "a Core ML model that cannot be read to its end",
    reason: "What cannot be read cannot be known to be harmless.",
    fix: "convert the model again",
    example: "a file cut in the middle",
};

/// Core ML.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format("core-ml"),
    is: |head| is_model(head.bytes),
    scan,
    checked: "custom models and custom layers of neural networks, by the class they name",
    unchecked: "the numbers; operators of ML programs",
    rules: &[&CUSTOM, &BROKEN],
};

/// The field of a custom model, and of a custom layer.
const CUSTOM_MODEL: u64 = 555;
const CUSTOM_LAYER: u64 = 500;
/// The class in either.
const CLASS_NAME: u64 = 10;
/// Neural networks: plain, classifier, regressor.
const NETWORKS: [u64; 3] = [303, 403, 500];

/// The specification's version, a description, and one of the kinds of models.
fn is_model(head: &[u8]) -> bool {
    let fields = outline(head);
    let kind = |number: u64| (200..=3000).contains(&number);
    matches!(fields[..], [(1, 0, _), (2, 2, _), ..])
        && fields[2..].iter().any(|(number, wire, _)| *wire == 2 && kind(*number))
        && fields[2..].iter().all(|(number, _, _)| *number == 10 || kind(*number))
}

fn scan(
    stream: &mut Stream<'_>,
    _: &Subject<'_>,
    _: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let mut found = Vec::new();
    let mut messages = Messages::new(stream);
    let ended = messages.message(u64::MAX, &mut |messages, number, field| match (number, field) {
        (CUSTOM_MODEL, Field::Bytes(length)) => class(messages, length, &mut found),
        (network, Field::Bytes(length)) if NETWORKS.contains(&network) => {
            // layers → custom
            messages.message(length, &mut |messages, number, field| {
                let (1, Field::Bytes(length)) = (number, field) else { return Ok(()) };
                messages.message(length, &mut |messages, number, field| match (number, field) {
                    (CUSTOM_LAYER, Field::Bytes(length)) => class(messages, length, &mut found),
                    _ => Ok(()),
                })
            })
        }
        _ => Ok(()),
    });
    let at = stream.offset();
    scan.detections.append(&mut found);
    ended.or_else(|error| nested::failed(error, &BROKEN, at, scan))
}

/// The class that a custom part names.
fn class(
    messages: &mut Messages<'_, '_>,
    length: u64,
    found: &mut Vec<Detection>,
) -> io::Result<()> {
    messages.message(length, &mut |messages, number, field| {
        if let (CLASS_NAME, Field::Bytes(length)) = (number, field) {
            let at = messages.stream.offset();
            let name = messages.text(length)?;
            let known = found.iter().any(|seen| seen.subject.as_deref() == Some(&name));
            if !known && found.len() < 50 {
                let message = format!("it needs the class `{name:.80}` of the app");
                let seen = Detection::at(&CUSTOM, message, at);
                found.push(Detection { subject: Some(name), ..seen });
            }
        }
        Ok(())
    })
}
