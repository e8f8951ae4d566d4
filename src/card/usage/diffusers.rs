//! diffusers: a pipeline, or what is put upon one.

use super::call::{Call, Snippet, quote};

pub(super) fn load(call: &Call<'_>) -> Snippet {
    let pinned = call.pinned();
    let inpaints = ["StableDiffusionInpaintPipeline", "StableDiffusionXLInpaintPipeline"];
    if inpaints.iter().any(|tag| call.has_tag(tag)) {
        return call.pretrained("diffusers", "AutoPipelineForInpainting");
    }
    // What changes a pipeline needs one: the base model's.
    let base = call.bases.ids.first().map(|base| quote(base));
    let change = match base {
        Some(_) if call.has_tag("lora") => format!("model.load_lora_weights({pinned})"),
        Some(_) if call.has_tag("textual_inversion") => {
            format!("model.load_textual_inversion({pinned})")
        }
        _ if call.has_tag("controlnet") => {
            return call.pretrained("diffusers", "ControlNetModel");
        }
        _ => return call.pretrained("diffusers", "DiffusionPipeline"),
    };
    Snippet::python(format!(
        "from diffusers import DiffusionPipeline\n\n\
         model = DiffusionPipeline.from_pretrained({})\n{change}\n",
        base.unwrap_or_default()
    ))
}
