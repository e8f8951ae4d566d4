//! ONNX, by ONNX Runtime.

use super::call::{Call, Snippet, ends, quote};

pub(super) fn load(call: &Call<'_>) -> Option<Snippet> {
    let file = call.one_file(|path, _| ends(path, ".onnx"), |name| name == "model.onnx")?;
    let load = "model = onnxruntime.InferenceSession(path)";
    // Weights beside the graph are looked up by their name, next to it.
    if call.paths().any(|path| path != file && path.starts_with(file)) {
        let name = quote(file);
        let code = format!(
            "import os\n\nimport onnxruntime\n{}\npath = os.path.join(folder, {name})\n{load}\n",
            call.snapshot()
        );
        return Some(Snippet::python(code).loading(file));
    }
    Some(call.download("import onnxruntime", file, load))
}
