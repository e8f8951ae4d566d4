//! Transformers.js, in JavaScript.

use super::call::{Call, Snippet, quote};

/// Which weights it takes, and the file name that each looks for.
const WEIGHTS: [(&str, &str); 5] = [
    ("fp32", "model.onnx"),
    ("q8", "model_quantized.onnx"),
    ("fp16", "model_fp16.onnx"),
    ("q4", "model_q4.onnx"),
    ("q4f16", "model_q4f16.onnx"),
];

pub(super) fn load(call: &Call<'_>) -> Option<Snippet> {
    let task = Some(call.task()).filter(|task| !task.is_empty())?;
    // What it would take by itself differs between Node and browsers.
    let there = |(_, name): &&(&str, &str)| call.has(&format!("onnx/{name}"));
    let weights = WEIGHTS.iter().find(there);
    let dtype = weights.map_or_else(String::new, |(dtype, _)| format!(", dtype: {}", quote(dtype)));
    let (task, repo, revision) = (quote(task), &call.repo, &call.revision);
    Some(Snippet::javascript(format!(
        "import {{ pipeline }} from \"@huggingface/transformers\";\n\n\
         const model = await pipeline({task}, {repo}, {{ revision: {revision}{dtype} }});\n"
    )))
}
