//! ONNX: operators of other domains, and weights that lie in other files.
//! <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>; CVE-2022-25882, CVE-2024-27318.

use std::collections::BTreeSet;
use std::io;

use super::onnx_value;
use super::protobuf::{Field, Messages, outline};
use crate::finding::{Level, Rule};
use crate::scan::stream::Stream;
use crate::scan::{
    Detection, Format, Limits, Reader, Scan, Subject, Tensors, archive_escapes, nested,
};

const ESCAPES: Rule = Rule {
    id: "onnx-external-path",
    level: Level::Error,
    summary: "an ONNX model whose weights lie outside its folder",
    reason: "Loading it reads that file, whatever it is (CVE-2022-25882, CVE-2024-27318).",
    fix: "write it again with `onnx.save_model(…, save_as_external_data=True, location=\"weights.bin\")`",
    example: "location: ../../etc/passwd",
};

const CUSTOM: Rule = Rule {
    id: "onnx-custom-operator",
    level: Level::Warning,
    summary: "an ONNX model with operators that are not ONNX's own",
    reason: "Loading it needs a native library that brings them.",
    fix: "export with operators of ONNX, or say in the card which library is needed",
    example: "domain: ai.example.custom",
};

const PYTHON: Rule = Rule {
    id: "onnx-python-operator",
    level: Level::Error,
    summary: "an ONNX model with operators that run Python",
    reason: "The code they name runs with the model.",
    fix: "export without Python operators",
    example: "op_type: PyOp",
};

const BROKEN: Rule = Rule {
    id: "invalid-onnx",
    level: Level::Error,
    summary: "an ONNX model that cannot be read to its end",
    reason: "What cannot be read cannot be known to be harmless.",
    fix: "export the model again and check it with `onnx.checker.check_model`",
    example: "a file cut in the middle",
};

/// Domains whose operators are ONNX's own or of the runtimes that read it.
const KNOWN: [&str; 12] = [
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.training",
    "ai.onnx.preview.training",
    "com.microsoft",
    "com.microsoft.nchwc",
    "com.microsoft.experimental",
    "com.ms.internal.nhwc",
    "org.pytorch.aten",
    "pkg.onnxscript.torch_lib",
    "pkg.onnxscript.torch_lib.common",
];

/// ONNX.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format("onnx"),
    is: |head| is_onnx(head.bytes),
    scan,
    checked: "every node of every graph, subgraph and function: domains, Python operators, paths of external data",
    unchecked: "the numbers; native libraries that bring operators",
    rules: &[&ESCAPES, &CUSTOM, &PYTHON, &BROKEN],
};

/// `ir_version` first, and then the producer, a graph or the operator sets.
fn is_onnx(head: &[u8]) -> bool {
    let fields = outline(head);
    let first = fields.first().is_some_and(|(number, kind, _)| (*number, *kind) == (1, 0));
    let known = |number: u64, kind: u64| match number {
        1 | 5 => kind == 0,
        2 | 3 | 4 | 6 | 7 | 8 | 14 | 20 | 25 | 26 => kind == 2,
        _ => false,
    };
    first
        && fields.len() > 1
        && fields.iter().all(|(number, kind, _)| known(*number, *kind))
        && fields.iter().any(|(number, _, _)| matches!(number, 7 | 8))
}

fn scan(
    stream: &mut Stream<'_>,
    _: &Subject<'_>,
    _: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let mut seen =
        Seen { detections: Vec::new(), domains: BTreeSet::new(), tensors: Tensors::default() };
    let mut messages = Messages::new(stream);
    let ended = messages
        .message(u64::MAX, &mut |messages, number, field| seen.model(messages, number, &field));
    let at = stream.offset();
    scan.detections.append(&mut seen.detections);
    scan.tensors = (!seen.tensors.signature.is_empty()).then_some(seen.tensors);
    ended.or_else(|error| nested::failed(error, &BROKEN, at, scan))
}

struct Seen {
    detections: Vec<Detection>,
    domains: BTreeSet<String>,
    /// What the model's own graph takes and gives.
    tensors: Tensors,
}

impl Seen {
    fn model(
        &mut self,
        messages: &mut Messages<'_, '_>,
        number: u64,
        field: &Field,
    ) -> io::Result<()> {
        match (number, field) {
            (7, Field::Bytes(length)) => {
                messages.message(*length, &mut |messages, number, field| match (number, &field) {
                    (11 | 12, Field::Bytes(length)) => {
                        let role = if number == 11 { "input" } else { "output" };
                        let value = onnx_value::read(messages, *length)?;
                        self.tensors.sign(format!("{role} {value}"));
                        Ok(())
                    }
                    _ => self.graph(messages, number, &field),
                })
            }
            // Functions hold nodes as graphs do, under another number.
            (25, Field::Bytes(length)) => {
                messages.message(*length, &mut |messages, number, field| match (number, &field) {
                    (7, Field::Bytes(length)) => messages
                        .message(*length, &mut |messages, number, field| {
                            self.node(messages, number, &field)
                        }),
                    _ => Ok(()),
                })
            }
            // Training graphs.
            (20, Field::Bytes(length)) => {
                messages.message(*length, &mut |messages, number, field| match (number, &field) {
                    (1 | 2, Field::Bytes(length)) => messages
                        .message(*length, &mut |messages, number, field| {
                            self.graph(messages, number, &field)
                        }),
                    _ => Ok(()),
                })
            }
            _ => Ok(()),
        }
    }

    fn graph(
        &mut self,
        messages: &mut Messages<'_, '_>,
        number: u64,
        field: &Field,
    ) -> io::Result<()> {
        match (number, field) {
            (1, Field::Bytes(length)) => messages
                .message(*length, &mut |messages, number, field| {
                    self.node(messages, number, &field)
                }),
            (5, Field::Bytes(length)) => messages
                .message(*length, &mut |messages, number, field| {
                    self.tensor(messages, number, &field)
                }),
            // A sparse initializer is two tensors.
            (15, Field::Bytes(length)) => {
                messages.message(*length, &mut |messages, number, field| match (number, &field) {
                    (1 | 2, Field::Bytes(length)) => messages
                        .message(*length, &mut |messages, number, field| {
                            self.tensor(messages, number, &field)
                        }),
                    _ => Ok(()),
                })
            }
            _ => Ok(()),
        }
    }

    fn node(
        &mut self,
        messages: &mut Messages<'_, '_>,
        number: u64,
        field: &Field,
    ) -> io::Result<()> {
        let at = messages.stream.offset();
        match (number, field) {
            (4, Field::Bytes(length)) => {
                let operator = messages.text(*length)?;
                if matches!(operator.as_str(), "PyOp" | "PythonOp" | "PyFunc" | "PythonOpGrad") {
                    self.say(&PYTHON, format!("the operator `{operator}` runs Python"), at);
                }
            }
            (7, Field::Bytes(length)) => {
                let domain = messages.text(*length)?;
                if domain.to_lowercase().contains("pyop") || domain == "ai.onnx.contrib" {
                    self.say(&PYTHON, format!("operators of `{domain:.80}` run Python"), at);
                } else if !KNOWN.contains(&domain.as_str()) && self.domains.insert(domain.clone()) {
                    self.say(&CUSTOM, format!("it needs operators of `{domain:.80}`"), at);
                }
            }
            (5, Field::Bytes(length)) => {
                return messages.message(*length, &mut |messages, number, field| {
                    self.attribute(messages, number, &field)
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn attribute(
        &mut self,
        messages: &mut Messages<'_, '_>,
        number: u64,
        field: &Field,
    ) -> io::Result<()> {
        match (number, field) {
            (5 | 10, Field::Bytes(length)) => messages
                .message(*length, &mut |messages, number, field| {
                    self.tensor(messages, number, &field)
                }),
            (6 | 11, Field::Bytes(length)) => messages
                .message(*length, &mut |messages, number, field| {
                    self.graph(messages, number, &field)
                }),
            _ => Ok(()),
        }
    }

    /// `external_data`: pairs of key and value.
    fn tensor(
        &mut self,
        messages: &mut Messages<'_, '_>,
        number: u64,
        field: &Field,
    ) -> io::Result<()> {
        let (13, Field::Bytes(length)) = (number, field) else { return Ok(()) };
        let at = messages.stream.offset();
        let (mut key, mut value) = (String::new(), String::new());
        messages.message(*length, &mut |messages, number, field| {
            match (number, field) {
                (1, Field::Bytes(length)) => key = messages.text(length)?,
                (2, Field::Bytes(length)) => value = messages.text(length)?,
                _ => {}
            }
            Ok(())
        })?;
        if key == "location"
            && let Some(why) = archive_escapes(&value)
        {
            self.say(&ESCAPES, format!("a tensor lies in `{value:.80}`, which {why}"), at);
        }
        Ok(())
    }

    fn say(&mut self, rule: &'static Rule, message: String, at: u64) {
        if self.detections.len() < 50 {
            self.detections.push(Detection::at(rule, message, at));
        }
    }
}
