//! Models for images: timm, `OpenCLIP`, ultralytics.

use super::call::{Call, PICKLE, Snippet, quote};

pub(super) fn timm(call: &Call<'_>) -> Snippet {
    let reference = quote(&format!("hf-hub:{}@{}", call.id, call.tag));
    Snippet::python(format!(
        "import timm\n\nmodel = timm.create_model({reference}, pretrained=True)\n"
    ))
}

/// Its own address of the Hub knows no revision, so a folder is downloaded.
pub(super) fn open_clip(call: &Call<'_>) -> Snippet {
    Snippet::python(format!(
        "import open_clip\n{}\n\
         model, _, preprocess = open_clip.create_model_and_transforms(f\"local-dir:{{folder}}\")\n\
         tokenizer = open_clip.get_tokenizer(f\"local-dir:{{folder}}\")\n",
        call.snapshot()
    ))
}

pub(super) fn ultralytics(call: &Call<'_>) -> Option<Snippet> {
    let snippet = |file| call.download("from ultralytics import YOLO", file, "model = YOLO(path)");
    match call.only_file(".pt") {
        Some(file) => Some(snippet(file).with_note(PICKLE)),
        None => call.only_file(".onnx").map(snippet),
    }
}
