//! Code that loads the model, in the way of the library it belongs to, pinned to the very version.
//!
//! Adding a library is one file here and one line in [`LIBRARIES`].

mod boosting;
mod call;
mod diffusers;
mod fastai;
mod gguf;
mod keras;
mod mlx;
mod nemo;
mod onnx;
mod peft;
mod safetensors;
mod sentence_transformers;
mod sklearn;
mod spacy;
mod stable_baselines3;
#[cfg(test)]
mod tests;
mod transformers;
mod transformers_js;
mod vision;

use super::CardInput;
use crate::hub::query_files::{ADDED, Counted};
use crate::markdown;

use call::{Call, Snippet};

/// Tells how a library loads the model; `None` where the files are not what it reads.
type Way = fn(&Call<'_>) -> Option<Snippet>;

/// Every library by its names, lower case.
const LIBRARIES: &[(&[&str], Way)] = &[
    (&["catboost"], boosting::catboost),
    (&["diffusers"], |call| Some(diffusers::load(call))),
    (&["fastai"], |call| Some(fastai::load(call))),
    (&["gguf", "llama.cpp", "llama-cpp", "llama-cpp-python"], gguf::load),
    (&["keras"], keras::load),
    (&["lightgbm"], boosting::lightgbm),
    (&["mlx", "mlx-lm", "mlx-vlm"], mlx::load),
    (&["nemo"], nemo::load),
    (&["onnx", "onnxruntime"], onnx::load),
    (&["open_clip"], |call| Some(vision::open_clip(call))),
    (&["peft"], peft::load),
    (&["safetensors"], safetensors::load),
    (&["sentence-transformers"], |call| Some(sentence_transformers::load(call))),
    (&["setfit"], |call| Some(sentence_transformers::setfit(call))),
    (&["sklearn", "scikit-learn", "skops"], sklearn::load),
    (&["spacy"], spacy::load),
    (&["stable-baselines3"], stable_baselines3::load),
    (&["tf-keras"], keras::tf_keras),
    (&["timm"], |call| Some(vision::timm(call))),
    (&["transformers"], |call| Some(transformers::load(call))),
    (&["transformers.js"], transformers_js::load),
    (&["ultralytics"], vision::ultralytics),
    (&["xgboost"], boosting::xgboost),
];

/// Where nobody names a library: the ways of those whose files no other library writes.
const BY_FILES: [Way; 6] =
    [boosting::catboost, gguf::load, onnx::load, peft::load, safetensors::load, sklearn::skops];

/// The snippets as Markdown: the library's own way where there is one, then the files as such.
pub(super) fn snippets(input: &CardInput<'_>, id: &str, tag: &str) -> String {
    let call = Call::new(input, id, tag);
    let mut parts = Vec::new();
    if let Some(snippet) = own_way(&call) {
        parts.extend(snippet.markdown());
        parts.push("The files alone:".to_owned());
    }
    parts.push(markdown::block("python", &format!("{}\n", call.snapshot())));
    if call.counted == Counted::ByAdded {
        parts.push(format!(
            "`{ADDED}` is no part of the model: weighbridge adds it, for the Hub counts downloads by it."
        ));
    }
    parts.join("\n\n")
}

/// The one file that the library loads, where it loads one.
pub(super) fn loaded_file(input: &CardInput<'_>) -> Option<String> {
    own_way(&Call::new(input, "", "")).and_then(|snippet| snippet.file)
}

/// The named library's way; else that of the files, where there is but one.
fn own_way(call: &Call<'_>) -> Option<Snippet> {
    if let Some(library) = &call.library {
        let library = library.to_lowercase();
        let known = LIBRARIES.iter().find(|(names, _)| names.contains(&library.as_str()));
        if let Some((_, way)) = known {
            return way(call);
        }
    }
    let mut fitting = BY_FILES.iter().filter_map(|way| way(call));
    fitting.next().filter(|_| fitting.next().is_none())
}

/// Shell commands that download the version and compare every digest of its release record.
/// Repository ids and tags are of letters that a shell takes as they are.
pub(super) fn verify(id: &str, tag: &str) -> String {
    let list = "import json; [print(f['sha256'], '', f['path']) for f in \
                json.load(open('weighbridge.json'))['files']]";
    let script = format!(
        "hf download {id} --revision {tag} --local-dir model && cd model\n\
         python3 -c \"{list}\" | sha256sum --check\n"
    );
    markdown::block("sh", &script)
}
