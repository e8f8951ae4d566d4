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

pub(super) fn load(call: &Call<'_>) -> Option<Snippet> {
    if !call.has("adapter_config.json") {
        return None;
    }
    let settings = call.settings("adapter_config.json");
    let text = |key: &str| settings.as_ref()?.get(key)?.text().map(str::to_owned);
    let task = text("task_type").unwrap_or_default();
    let ending = TASKS.iter().find(|(name, _)| *name == task).map_or("", |(_, ending)| *ending);
    let named = text("base_model_name_or_path").unwrap_or_default();
    match call.model.base_models.first() {
        // What the adapter says of its base may be a folder of the machine that trained it.
        Some(base) if *base != named => {
            // `FEATURE_EXTRACTION` is any model without a head.
            let auto = format!("AutoModel{}", ending.trim_start_matches("ForFeatureExtraction"));
            Some(Snippet::python(format!(
                "from peft import PeftModel\nfrom transformers import {auto}\n\n\
                 base = {auto}.from_pretrained({})\n\
                 model = PeftModel.from_pretrained(base, {})\n",
                quote(base),
                call.pinned()
            )))
        }
        _ => Some(call.pretrained("peft", &format!("AutoPeftModel{ending}"))),
    }
}
