//! PEFT: an adapter, with the class that its settings ask for.

use super::call::{Call, Snippet, quote};

/// Values of `task_type`, and how the classes for them end.
const TASKS: [(&str, &str); 6] = [
    ("CAUSAL_LM", "ForCausalLM"),
    ("SEQ_2_SEQ_LM", "ForSeq2SeqLM"),
    ("SEQ_CLS", "ForSequenceClassification"),
    ("TOKEN_CLS", "ForTokenClassification"),
    ("QUESTION_ANS", "ForQuestionAnswering"),
    ("FEATURE_EXTRACTION", "ForFeatureExtraction"),
];

/// What to know where only the trainer could find the base model.
const UNKNOWN_BASE: &str = "Which model this adapter was made for is not known: load it first, and put the adapter upon it.";

pub(super) fn load(call: &Call<'_>) -> Option<Snippet> {
    if !call.has("adapter_config.json") {
        return None;
    }
    let settings = call.settings("adapter_config.json");
    let text = |key: &str| settings.as_ref()?.get(key)?.text().map(str::to_owned);
    let task = text("task_type").unwrap_or_default();
    let ending = TASKS.iter().find(|(name, _)| *name == task).map_or("", |(_, ending)| *ending);
    let named = text("base_model_name_or_path").unwrap_or_default();
    if call.bases.has(&named) {
        return Some(call.pretrained("peft", &format!("AutoPeftModel{ending}")));
    }
    let adapter = format!("model = PeftModel.from_pretrained(base, {})\n", call.pinned());
    // What the adapter says of its base may be a folder of the machine that trained it.
    Some(match call.bases.ids.first() {
        Some(base) => {
            // `FEATURE_EXTRACTION` is any model without a head.
            let auto = format!("AutoModel{}", ending.trim_start_matches("ForFeatureExtraction"));
            Snippet::python(format!(
                "from peft import PeftModel\nfrom transformers import {auto}\n\n\
                 base = {auto}.from_pretrained({})\n{adapter}",
                quote(base)
            ))
        }
        None => Snippet::python(format!(
            "from peft import PeftModel\n\nbase = ...  # the model that the adapter was made for\n{adapter}"
        ))
        .with_note(UNKNOWN_BASE),
    })
}
