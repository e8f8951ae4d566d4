//! Tensors by name, where nothing says which library they are for.

use super::call::{Call, Snippet};

pub(super) fn load(call: &Call<'_>) -> Option<Snippet> {
    let file = call.only_file(".safetensors").filter(|_| !call.has("adapter_config.json"))?;
    let load = "with safe_open(path, framework=\"np\") as file:\n    \
                tensors = {name: file.get_tensor(name) for name in file.keys()}";
    Some(call.download("from safetensors import safe_open", file, load))
}
