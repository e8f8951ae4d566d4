//! `NeMo`: one archive, restored as the class that its own settings name.

use super::call::{Call, Snippet};

pub(super) fn load(call: &Call<'_>) -> Option<Snippet> {
    let (import, class) = match call.task() {
        "automatic-speech-recognition" => {
            ("import nemo.collections.asr as nemo_asr", "nemo_asr.models.ASRModel")
        }
        _ => ("from nemo.core import ModelPT", "ModelPT"),
    };
    let load = format!("model = {class}.restore_from(path)");
    Some(call.download(import, call.file(&[".nemo"])?, &load))
}
