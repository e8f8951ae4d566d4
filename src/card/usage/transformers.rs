//! transformers 5: a pipeline where there is one for the task, else the classes that load it.

use super::call::{CODE, Call, Snippet, quote};
use crate::markdown;

/// Tasks that `pipeline` knows. Version 5 has none any more for summaries, translations, questions
/// on a text or an image, and texts on an image.
pub(super) const PIPELINES: [&str; 24] = [
    "any-to-any",
    "audio-classification",
    "automatic-speech-recognition",
    "depth-estimation",
    "document-question-answering",
    "feature-extraction",
    "fill-mask",
    "image-classification",
    "image-feature-extraction",
    "image-segmentation",
    "image-text-to-text",
    "mask-generation",
    "object-detection",
    "table-question-answering",
    "text-classification",
    "text-generation",
    "text-to-audio",
    "text-to-speech",
    "token-classification",
    "video-classification",
    "zero-shot-audio-classification",
    "zero-shot-classification",
    "zero-shot-image-classification",
    "zero-shot-object-detection",
];

/// The class for a task that has no pipeline, and for an architecture where no task is named.
const CLASSES: [(&[&str], &[&str], &str); 8] = [
    (
        &["summarization", "translation"],
        &["T5ForConditionalGeneration", "MarianMTModel"],
        "AutoModelForSeq2SeqLM",
    ),
    (
        &["image-to-text", "visual-question-answering"],
        &["VisionEncoderDecoderModel"],
        "AutoModelForImageTextToText",
    ),
    (&["question-answering"], &["ForQuestionAnswering"], "AutoModelForQuestionAnswering"),
    (&["text-ranking"], &["ForSequenceClassification"], "AutoModelForSequenceClassification"),
    (&[], &["ForCausalLM", "LMHeadModel"], "AutoModelForCausalLM"),
    (&[], &["ForMaskedLM"], "AutoModelForMaskedLM"),
    (&[], &["ForTokenClassification"], "AutoModelForTokenClassification"),
    (&[], &["ForImageClassification"], "AutoModelForImageClassification"),
];

/// What prepares the input, by the file that its settings are in.
const PROCESSORS: [(&str, &str, &str); 4] = [
    ("processor_config.json", "processor", "AutoProcessor"),
    ("preprocessor_config.json", "processor", "AutoProcessor"),
    ("tokenizer_config.json", "tokenizer", "AutoTokenizer"),
    ("tokenizer.json", "tokenizer", "AutoTokenizer"),
];

pub(super) fn load(call: &Call<'_>) -> Snippet {
    let mut pinned = call.pinned();
    if call.brings_code() {
        pinned.push_str(", trust_remote_code=True");
        // It is the revision of all code: another repository has none of that name.
        if call.code_elsewhere().is_empty() {
            pinned.push_str(&format!(", code_revision={}", call.revision));
        }
    }
    let code = if PIPELINES.contains(&call.task()) {
        pipeline(call, &pinned)
    } else {
        classes(call, &pinned)
    };
    Snippet::python(code).with_code_note(call)
}

fn pipeline(call: &Call<'_>, pinned: &str) -> String {
    let task = quote(call.task());
    let used = match call.task() {
        "text-generation" if call.has_tag("conversational") => {
            "messages = [{\"role\": \"user\", \"content\": \"Who are you?\"}]\nanswer = model(messages)\n"
        }
        "text-generation" => "text = model(\"Once upon a time\")\n",
        "text-classification" | "token-classification" => "result = model(\"a sentence\")\n",
        _ => "",
    };
    format!("from transformers import pipeline\n\nmodel = pipeline({task}, model={pinned})\n{used}")
}

fn classes(call: &Call<'_>, pinned: &str) -> String {
    let class = class(call);
    let processor = PROCESSORS.iter().find(|(file, _, _)| call.has(file));
    let Some((_, name, processor)) = processor else {
        return format!(
            "from transformers import {class}\n\nmodel = {class}.from_pretrained({pinned})\n"
        );
    };
    format!(
        "from transformers import {class}, {processor}\n\n\
         {name} = {processor}.from_pretrained({pinned})\n\
         model = {class}.from_pretrained({pinned})\n"
    )
}

fn class(call: &Call<'_>) -> &'static str {
    let settings = call.settings("config.json");
    let first = settings.as_ref().and_then(|all| all.get("architectures")?.list().first()?.text());
    let architecture = first.unwrap_or_default();
    let by_task = CLASSES.iter().find(|(tasks, _, _)| tasks.contains(&call.task()));
    let by_architecture = || {
        let fits = |ends: &[&str]| ends.iter().any(|end| architecture.ends_with(end));
        CLASSES.iter().find(|(_, ends, _)| fits(ends))
    };
    by_task.or_else(by_architecture).map_or("AutoModel", |(_, _, class)| class)
}

impl Snippet {
    /// With a warning where the model brings code of its own.
    pub(super) fn with_code_note(self, call: &Call<'_>) -> Self {
        if !call.brings_code() {
            return self;
        }
        let elsewhere = call.code_elsewhere();
        if elsewhere.is_empty() {
            return self.with_note(CODE);
        }
        let repos: Vec<_> = elsewhere.iter().map(|repo| markdown::code(repo)).collect();
        self.with_note(format!(
            "Loading this model runs Python code of another repository, {}: read it first. No revision \
             pins it, so it may be another tomorrow.",
            repos.join(", ")
        ))
    }
}
