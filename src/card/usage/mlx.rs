//! MLX: mlx-lm and mlx-vlm for language models, the arrays themselves for anything else.

use super::call::{Call, Snippet};

pub(super) fn load(call: &Call<'_>) -> Option<Snippet> {
    let pinned = call.pinned();
    let code = match call.task() {
        "image-text-to-text" => {
            format!("from mlx_vlm import load\n\nmodel, processor = load({pinned})\n")
        }
        "text-generation" => {
            let prompt = if call.has_tag("conversational") {
                "prompt = tokenizer.apply_chat_template(\n    \
                 [{\"role\": \"user\", \"content\": \"Who are you?\"}], add_generation_prompt=True\n)"
            } else {
                "prompt = \"Once upon a time\""
            };
            format!(
                "from mlx_lm import generate, load\n\n\
                 model, tokenizer = load({pinned})\n{prompt}\n\
                 text = generate(model, tokenizer, prompt=prompt, max_tokens=40)\n"
            )
        }
        _ => {
            let file = call.only_file(".safetensors").or_else(|| call.only_file(".npz"))?;
            return Some(call.download("import mlx.core as mx", file, "arrays = mx.load(path)"));
        }
    };
    Some(Snippet::python(code))
}
