//! PaddlePaddle: programs (`.pdmodel`, `__model__`) as protocol buffers. Most operators compute;
//! some run Python, or read and write files.
//! <https://github.com/PaddlePaddle/Paddle/blob/develop/paddle/fluid/framework/framework.proto>

use std::io;

use super::protobuf::{Field, Messages, outline};
use crate::finding::{Level, Rule};
use crate::scan::stream::Stream;
use crate::scan::{Detection, Format, Limits, Reader, Scan, Subject, nested};

const UNSAFE: Rule = Rule {
    id: "unsafe-paddle-operator",
    level: Level::Error,
    summary: "a Paddle program with operators that run Python, or read and write files",
    reason: "They run with the model.",
    fix: "export the model without them (`paddle.jit.save` of the layers that compute)",
    example: "an operator py_func",
};

const BROKEN: Rule = Rule {
    id: "invalid-paddle-program",
    level: Level::Error,
    summary: "a Paddle program that cannot be read to its end",
    reason: "What cannot be read cannot be known to be harmless.",
    fix: "export the model again",
    example: "a file cut in the middle",
};

/// Paddle programs.
pub(in crate::scan) const READER: Reader = Reader {
    format: Format("paddle"),
    is: |head| is_program(head.bytes),
    scan,
    checked: "every operator of every block: those that run Python or reach files",
    unchecked: "the numbers; native libraries that bring operators",
    rules: &[&UNSAFE, &BROKEN],
};

fn reaches(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "py_func" | "py_layer" | "pylayer" => "runs Python",
        "load" | "load_combine" | "read_file" | "read" | "create_py_reader" => "reads files",
        "save" | "save_combine" => "writes files",
        "send" | "recv" | "listen_and_serv" | "fetch_barrier" | "send_barrier" => {
            "talks to other machines"
        }
        "run_program" => "runs another program",
        _ => return None,
    })
}

/// A block says its number and its parent's, then has variables with names.
fn is_program(head: &[u8]) -> bool {
    let fields = outline(head);
    let Some((1, 2, block)) = fields.first() else { return false };
    let inner = outline(block);
    matches!(inner[..], [(1, 0, _), (2, 0, _), (3 | 4, 2, _), ..])
}

fn scan(
    stream: &mut Stream<'_>,
    _: &Subject<'_>,
    _: Limits<'_>,
    scan: &mut Scan,
) -> io::Result<()> {
    let mut found: Vec<Detection> = Vec::new();
    let mut messages = Messages::new(stream);
    // blocks → ops → type
    let ended = messages.message(u64::MAX, &mut |messages, number, field| {
        let (1, Field::Bytes(length)) = (number, &field) else { return Ok(()) };
        messages.message(*length, &mut |messages, number, field| {
            let (4, Field::Bytes(length)) = (number, &field) else { return Ok(()) };
            messages.message(*length, &mut |messages, number, field| {
                let (3, Field::Bytes(length)) = (number, &field) else { return Ok(()) };
                let at = messages.stream.offset();
                let operator = messages.text(*length)?;
                if let Some(does) = reaches(&operator)
                    && found.len() < 20
                {
                    let message = format!("the operator `{operator}` {does}");
                    found.push(Detection::at(&UNSAFE, message, at));
                }
                Ok(())
            })
        })
    });
    let at = stream.offset();
    scan.detections.append(&mut found);
    ended.or_else(|error| nested::failed(error, &BROKEN, at, scan))
}
