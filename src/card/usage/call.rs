//! What a library's way may ask of the model, and what it answers.

use std::collections::BTreeSet;

use crate::card::CardInput;
use crate::hub::query_files::Counted;
use crate::inventory::{Bases, Inventory};
use crate::json;
use crate::markdown;

/// The model, and where its version lies.
pub(super) struct Call<'a> {
    inventory: &'a Inventory,
    /// Library, task and tags as the card will have them.
    pub(super) library: Option<String>,
    task: Option<String>,
    tags: Vec<String>,
    /// What it was made from.
    pub(super) bases: Bases,
    /// By what the Hub counts downloads.
    pub(super) counted: Counted,
    pub(super) id: &'a str,
    pub(super) tag: &'a str,
    /// Repository and tag as literals of Python and JavaScript.
    pub(super) repo: String,
    pub(super) revision: String,
}

/// Code that loads the model.
pub(super) struct Snippet {
    /// What to know before it is run.
    note: Option<String>,
    /// Shell commands that come first.
    shell: Option<String>,
    language: &'static str,
    code: String,
    /// The one file that it loads.
    pub(super) file: Option<String>,
}

/// What a pickle does, wherever one is loaded.
pub(super) const PICKLE: &str = "This file is a pickle: loading it runs code that it contains. Load it only from a source \
     you trust, after comparing its digest.";

/// The same for a model that brings Python files.
pub(super) const CODE: &str = "This model brings Python code of its own, which loading it runs: read it first. The revision pins it.";

/// Files whose `auto_map` names the code that loads the model.
const MAPPED: [&str; 2] = ["config.json", "tokenizer_config.json"];

impl Snippet {
    pub(super) fn python(code: String) -> Self {
        Self { note: None, shell: None, language: "python", code, file: None }
    }

    pub(super) fn javascript(code: String) -> Self {
        Self { language: "js", ..Self::python(code) }
    }

    pub(super) fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    pub(super) fn after_shell(self, shell: String) -> Self {
        Self { shell: Some(shell), ..self }
    }

    /// The one file that it loads is this.
    pub(super) fn loading(self, file: &str) -> Self {
        Self { file: Some(file.to_owned()), ..self }
    }

    /// Its paragraphs and blocks of code.
    pub(super) fn markdown(self) -> Vec<String> {
        let shell = self.shell.map(|shell| markdown::block("sh", &shell));
        let code = markdown::block(self.language, &self.code);
        self.note.into_iter().chain(shell).chain([code]).collect()
    }
}

impl<'a> Call<'a> {
    pub(super) fn new(input: &CardInput<'a>, id: &'a str, tag: &'a str) -> Self {
        let (repo, revision) = (quote(id), quote(tag));
        Self {
            inventory: input.inventory,
            library: input.library(),
            task: input.task(),
            tags: input.tags(),
            bases: input.bases(),
            counted: input.counted(),
            id,
            tag,
            repo,
            revision,
        }
    }

    pub(super) fn task(&self) -> &str {
        self.task.as_deref().unwrap_or_default()
    }

    pub(super) fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|own| own == tag)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let inventory: &'a Inventory = self.inventory;
        inventory.files.iter().map(|file| file.path.as_str())
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.inventory.get(path).is_some()
    }

    /// The first file with one of the endings, in the order of the endings.
    pub(super) fn file(&self, endings: &[&str]) -> Option<&'a str> {
        endings.iter().find_map(|ending| self.paths().find(|path| ends(path, ending)))
    }

    /// The only file with the ending.
    pub(super) fn only_file(&self, ending: &str) -> Option<&'a str> {
        let mut found = self.paths().filter(|path| ends(path, ending));
        found.next().filter(|_| found.next().is_none())
    }

    /// The one file that is a model by its path and beginning; of several, the one with a usual
    /// name. Where that leaves a doubt, nobody can say which is meant.
    pub(super) fn one_file(
        &self,
        is_model: impl Fn(&str, &[u8]) -> bool,
        is_usual: impl Fn(&str) -> bool,
    ) -> Option<&'a str> {
        let inventory: &'a Inventory = self.inventory;
        let files = inventory.files.iter();
        let models: Vec<_> =
            files.filter(|file| is_model(file.path.as_str(), &file.sample)).collect();
        if let [only] = models[..] {
            return Some(only.path.as_str());
        }
        let mut usual = models.into_iter().filter(|file| is_usual(file.path.file_name()));
        usual.next().filter(|_| usual.next().is_none()).map(|file| file.path.as_str())
    }

    /// A document at the top of the folder that is JSON.
    pub(super) fn settings(&self, path: &str) -> Option<json::Value> {
        json::Value::parse(self.inventory.get(path)?.text.as_deref()?).ok()
    }

    /// The model brings code of its own, as `auto_map` of its settings says.
    pub(super) fn brings_code(&self) -> bool {
        let named =
            |file: &str| self.settings(file).is_some_and(|all| all.get("auto_map").is_some());
        self.has_tag("custom_code") || MAPPED.into_iter().any(named)
    }

    /// Other repositories whose code loads the model: `acme/code--module.Class` in `auto_map`.
    pub(super) fn code_elsewhere(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for settings in MAPPED.into_iter().filter_map(|file| self.settings(file)) {
            let classes = settings.get("auto_map").map(json::Value::entries).unwrap_or_default();
            // A tokenizer has two: the slow and the fast.
            let classes = classes.iter().flat_map(|(_, class)| match class {
                json::Value::List(items) => items.as_slice(),
                one => std::slice::from_ref(one),
            });
            let repos = classes.filter_map(|class| Some(class.text()?.split_once("--")?.0));
            found.extend(repos.filter(|repo| *repo != self.id).map(str::to_owned));
        }
        found
    }

    /// The arguments that name the version: `"acme/churn", revision="v1.0.0"`.
    pub(super) fn pinned(&self) -> String {
        format!("{}, revision={}", self.repo, self.revision)
    }

    /// Python that downloads everything into `folder`.
    pub(super) fn snapshot(&self) -> String {
        format!(
            "from huggingface_hub import snapshot_download\n\nfolder = snapshot_download({})",
            self.pinned()
        )
    }

    /// Python that downloads one file; `target` is what it is assigned to.
    pub(super) fn fetch(&self, target: &str, file: &str) -> String {
        format!(
            "{target}hf_hub_download({}, {}, revision={})",
            self.repo,
            quote(file),
            self.revision
        )
    }

    /// Python that downloads one file to `path` and loads it; and the file that the Hub counts by,
    /// which nothing else would ask for.
    pub(super) fn download(&self, imports: &str, file: &str, load: &str) -> Snippet {
        let counting = match self.counted.path() {
            Some(counted) if counted != file => {
                format!("{}  # counts as a download\n", self.fetch("", counted))
            }
            _ => String::new(),
        };
        let path = self.fetch("path = ", file);
        let code = format!(
            "{imports}\nfrom huggingface_hub import hf_hub_download\n\n{path}\n{counting}{load}\n"
        );
        Snippet::python(code).loading(file)
    }

    /// Python that loads by the library's own `from_pretrained`.
    pub(super) fn pretrained(&self, package: &str, class: &str) -> Snippet {
        Snippet::python(format!(
            "from {package} import {class}\n\nmodel = {class}.from_pretrained({})\n",
            self.pinned()
        ))
    }
}

/// Whether a path has the ending, in capitals or not.
pub(super) fn ends(path: &str, ending: &str) -> bool {
    path.to_lowercase().ends_with(ending)
}

/// A string literal of Python and JavaScript: JSON's escapes are theirs too.
pub(super) fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".into())
}
