//! Graphs as the text of protocol buffers. Caffe: a layer of type `Python` imports a module and
//! runs it. TensorFlow: operators that read and write files.
//! <https://github.com/BVLC/caffe/blob/master/src/caffe/proto/caffe.proto>

use crate::finding::{Level, Rule};
use crate::scan::Detection;
use crate::scan::graph::saved_model::{UNSAFE as UNSAFE_OPERATOR, reaches as operator_reaches};

pub(in crate::scan) const PYTHON: Rule = Rule {
    id: "python-layer",
    level: Level::Error,
    summary: "a Caffe network with a layer that runs Python",
    reason: "Loading the network imports the module it names and runs it.",
    fix: "replace the layer by one of Caffe's own, or export the network as ONNX",
    example: "python_param { module: \"os\" layer: \"system\" }",
};

/// Layers that run Python (`type: "Python"`, or parameters for one), operators that reach outside.
pub(super) fn scan(text: &str) -> Vec<Detection> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code: String = line.split('#').next().unwrap_or(line).split_whitespace().collect();
        let quoted = code.replace('\'', "\"");
        if quoted.contains("type:\"Python\"") || quoted.contains("python_param") {
            let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
            let message = format!("a layer runs Python: `{code:.100}`");
            found.push(Detection::on_line(&PYTHON, message, line, 1));
        }
        for operator in quoted.split("op:\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            if let Some(does) = operator_reaches(operator) {
                let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
                let message = format!("the operator `{operator}` {does}");
                found.push(Detection::on_line(&UNSAFE_OPERATOR, message, line, 1));
            }
        }
    }
    found.truncate(20);
    found
}
