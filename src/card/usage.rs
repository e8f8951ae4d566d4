//! How to load the model, for the library it belongs to, pinned to the very version.

use crate::inventory::Inventory;
use crate::markdown;
use crate::policy::Model;

/// What a snippet needs to know.
struct Call<'a> {
    model: &'a Model,
    inventory: &'a Inventory,
    /// Repository and tag, and both as Python literals.
    id: &'a str,
    tag: &'a str,
    repo: String,
    revision: String,
}

/// The snippets as Markdown: the library's own way where there is one, then the files as such.
pub(super) fn snippets(model: &Model, inventory: &Inventory, id: &str, tag: &str) -> String {
    let call = Call { model, inventory, id, tag, repo: quote(id), revision: quote(tag) };
    let mut parts = Vec::new();
    if let Some((note, python)) = call.own_way() {
        if !note.is_empty() {
            parts.push(note.to_owned());
        }
        parts.push(markdown::block("python", &python));
        parts.push("The files alone:".to_owned());
    }
    let files = format!(
        "from huggingface_hub import snapshot_download\n\n\
         folder = snapshot_download({}, revision={})\n",
        call.repo, call.revision
    );
    parts.push(markdown::block("python", &files));
    parts.join("\n\n")
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

impl Call<'_> {
    /// A remark and Python code; `None` where only the files can be offered.
    fn own_way(&self) -> Option<(&'static str, String)> {
        let library = self.model.library.as_deref().unwrap_or_default();
        match library.to_lowercase().as_str() {
            "transformers" => Some(("", self.transformers())),
            "sentence-transformers" => Some(("", self.sentence_transformers())),
            "sklearn" | "scikit-learn" | "skops" => self.sklearn(),
            "xgboost" => self.xgboost(),
            "lightgbm" => self.one_file(
                &[".txt", ".lgb"],
                "import lightgbm",
                "model = lightgbm.Booster(model_file=path)",
            ),
            "catboost" => self.one_file(
                &[".cbm"],
                "import catboost",
                "model = catboost.CatBoost().load_model(path)",
            ),
            "diffusers" => Some(("", self.pretrained("diffusers", "DiffusionPipeline"))),
            "peft" => Some(("", self.peft())),
            "timm" => Some(("", self.timm())),
            "setfit" => Some(("", self.pretrained("setfit", "SetFitModel"))),
            "keras" | "tf-keras" => self.one_file(
                &[".keras", ".h5"],
                "import keras",
                "model = keras.saving.load_model(path)",
            ),
            "onnx" | "onnxruntime" => self.onnx(),
            "gguf" | "llama.cpp" | "llama-cpp" | "llama-cpp-python" => self.gguf(),
            _ => self.onnx().or_else(|| self.gguf()).or_else(|| self.safetensors()),
        }
    }

    fn transformers(&self) -> String {
        let (repo, revision) = (&self.repo, &self.revision);
        match self.model.task.as_deref() {
            Some(task) => format!(
                "from transformers import pipeline\n\n\
                 model = pipeline({}, model={repo}, revision={revision})\n",
                quote(task)
            ),
            None => format!(
                "from transformers import AutoModel, AutoTokenizer\n\n\
                 tokenizer = AutoTokenizer.from_pretrained({repo}, revision={revision})\n\
                 model = AutoModel.from_pretrained({repo}, revision={revision})\n"
            ),
        }
    }

    fn sentence_transformers(&self) -> String {
        let (repo, revision) = (&self.repo, &self.revision);
        if self.model.task.as_deref() == Some("text-ranking") {
            return format!(
                "from sentence_transformers import CrossEncoder\n\n\
                 model = CrossEncoder({repo}, revision={revision})\n\
                 scores = model.predict([(\"a query\", \"a passage\")])\n"
            );
        }
        format!(
            "from sentence_transformers import SentenceTransformer\n\n\
             model = SentenceTransformer({repo}, revision={revision})\n\
             embeddings = model.encode([\"a first sentence\", \"a second one\"])\n"
        )
    }

    fn sklearn(&self) -> Option<(&'static str, String)> {
        if let Some(skops) = self.file(&[".skops"]) {
            let load = "from skops.io import get_untrusted_types, load\n";
            let use_it = "print(get_untrusted_types(file=path))  # look before you trust\n\
                          model = load(path, trusted=[])";
            return Some(("", self.download(load, &skops, use_it)));
        }
        let pickle = self.file(&[".joblib", ".pkl", ".pickle"])?;
        let note = "This file is a pickle: loading it runs code that it contains. Load it only from \
                    a source you trust, after comparing its digest.";
        Some((note, self.download("import joblib\n", &pickle, "model = joblib.load(path)")))
    }

    /// Both of XGBoost's formats (JSON and UBJSON) load the same way.
    fn xgboost(&self) -> Option<(&'static str, String)> {
        let class = match self.model.task.as_deref() {
            Some("tabular-classification") => "XGBClassifier",
            Some("tabular-regression") => "XGBRegressor",
            _ => "Booster",
        };
        let file = self.file(&[".ubj"]).or_else(|| self.xgboost_json())?;
        let load = format!("model = xgboost.{class}()\nmodel.load_model(path)");
        Some(("", self.download("import xgboost\n", &file, &load)))
    }

    /// The largest JSON file that is not one of the small ones which lie beside models.
    fn xgboost_json(&self) -> Option<String> {
        let beside = ["config.json", "metrics.json", "params.json", "weighbridge.json"];
        self.inventory
            .files
            .iter()
            .filter(|file| file.path.as_str().to_lowercase().ends_with(".json"))
            .filter(|file| !beside.contains(&file.path.file_name()))
            .max_by_key(|file| file.size)
            .map(|file| file.path.to_string())
    }

    fn one_file(
        &self,
        endings: &[&str],
        import: &str,
        load: &str,
    ) -> Option<(&'static str, String)> {
        let file = self.file(endings)?;
        Some(("", self.download(&format!("{import}\n"), &file, load)))
    }

    fn pretrained(&self, package: &str, class: &str) -> String {
        let (repo, revision) = (&self.repo, &self.revision);
        format!(
            "from {package} import {class}\n\n\
             model = {class}.from_pretrained({repo}, revision={revision})\n"
        )
    }

    fn peft(&self) -> String {
        let (repo, revision) = (&self.repo, &self.revision);
        match self.model.base_models.first() {
            Some(base) => format!(
                "from peft import PeftModel\n\
                 from transformers import AutoModel\n\n\
                 base = AutoModel.from_pretrained({})\n\
                 model = PeftModel.from_pretrained(base, {repo}, revision={revision})\n",
                quote(base)
            ),
            None => self.pretrained("peft", "AutoPeftModel"),
        }
    }

    fn timm(&self) -> String {
        let reference = quote(&format!("hf-hub:{}@{}", self.id, self.tag));
        format!("import timm\n\nmodel = timm.create_model({reference}, pretrained=True)\n")
    }

    fn onnx(&self) -> Option<(&'static str, String)> {
        self.one_file(
            &[".onnx"],
            "import onnxruntime",
            "model = onnxruntime.InferenceSession(path)",
        )
    }

    fn gguf(&self) -> Option<(&'static str, String)> {
        self.one_file(&[".gguf"], "from llama_cpp import Llama", "model = Llama(model_path=path)")
    }

    fn safetensors(&self) -> Option<(&'static str, String)> {
        self.one_file(
            &[".safetensors"],
            "from safetensors import safe_open",
            "with safe_open(path, framework=\"np\") as file:\n    tensors = \
             {name: file.get_tensor(name) for name in file.keys()}",
        )
    }

    /// The first file with one of the endings, in the order of the endings.
    fn file(&self, endings: &[&str]) -> Option<String> {
        endings.iter().find_map(|ending| {
            let fits = |path: &str| path.to_lowercase().ends_with(ending);
            let found = self.inventory.files.iter().find(|file| fits(file.path.as_str()));
            found.map(|file| file.path.to_string())
        })
    }

    fn download(&self, imports: &str, file: &str, load: &str) -> String {
        let (repo, revision) = (&self.repo, &self.revision);
        format!(
            "{imports}from huggingface_hub import hf_hub_download\n\n\
             path = hf_hub_download({repo}, {}, revision={revision})\n{load}\n",
            quote(file)
        )
    }
}

/// A Python string literal: JSON's escapes are Python's too.
fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".into())
}
