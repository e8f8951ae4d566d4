//! sentence-transformers with its three kinds of models, and `SetFit`, which is built upon it.

use super::call::{Call, Snippet};

pub(super) fn load(call: &Call<'_>) -> Snippet {
    let settings = call.settings("config_sentence_transformers.json");
    let kind = settings.as_ref().and_then(|all| all.get("model_type")?.text());
    let arguments = if call.brings_code() { ", trust_remote_code=True" } else { "" };
    let pairs = call.task() == "text-ranking" || call.has_tag("cross-encoder");
    let (class, used) = match kind {
        Some("SparseEncoder") => ("SparseEncoder", ENCODED),
        Some("CrossEncoder") => ("CrossEncoder", SCORED),
        _ if pairs => ("CrossEncoder", SCORED),
        _ => ("SentenceTransformer", ENCODED),
    };
    let code = format!(
        "from sentence_transformers import {class}\n\n\
         model = {class}({}{arguments})\n{used}\n",
        call.pinned()
    );
    Snippet::python(code).with_code_note(call)
}

const ENCODED: &str = "embeddings = model.encode([\"a first sentence\", \"a second one\"])";
const SCORED: &str = "scores = model.predict([(\"a query\", \"a passage\")])";

pub(super) fn setfit(call: &Call<'_>) -> Snippet {
    call.pretrained("setfit", "SetFitModel")
}
