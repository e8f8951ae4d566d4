//! GGUF, by llama-cpp-python: of several quantisations one is chosen, and all its parts are fetched.

use super::call::{Call, Snippet};

/// Quantisations from the one that most people want downwards; those of no name here come last.
const PREFERRED: [&str; 7] = ["q4_k_m", "q5_k_m", "q8_0", "q4_0", "f16", "bf16", "f32"];

pub(super) fn load(call: &Call<'_>) -> Option<Snippet> {
    let file = chosen(call)?;
    let mut load = String::new();
    for part in call.paths().filter(|path| *path != file && is_part_with(path, file)) {
        load.push_str(&call.fetch("", part));
        load.push('\n');
    }
    load.push_str("model = Llama(model_path=path)\n");
    load.push_str(if call.has_tag("conversational") {
        "answer = model.create_chat_completion([{\"role\": \"user\", \"content\": \"Who are you?\"}])"
    } else {
        "text = model(\"Once upon a time\", max_tokens=40)"
    });
    Some(call.download("from llama_cpp import Llama", file, &load))
}

/// The file that is loaded. A projector (`mmproj`) is no model, and of a model in parts the first
/// is named.
fn chosen<'a>(call: &Call<'a>) -> Option<&'a str> {
    let rank = |path: &str| {
        let name = path.to_lowercase();
        PREFERRED.iter().position(|quant| name.contains(quant)).unwrap_or(PREFERRED.len())
    };
    call.paths()
        .filter(|path| path.to_lowercase().ends_with(".gguf") && !path.contains("mmproj"))
        .filter(|path| part(path).is_none_or(|(_, number)| number == "00001"))
        .min_by_key(|path| rank(path))
}

/// `m-00002-of-00003.gguf` → the name without the number, and the number.
fn part(path: &str) -> Option<(&str, &str)> {
    let (before, _) = path.rsplit_once("-of-")?;
    let (stem, number) = before.rsplit_once('-')?;
    let is_number = number.len() == 5 && number.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then_some((stem, number))
}

fn is_part_with(path: &str, first: &str) -> bool {
    match (part(path), part(first)) {
        (Some((a, _)), Some((b, _))) => a == b,
        _ => false,
    }
}
