//! One model: what it is and what of its folder is published.

use super::{Check, Layers, suggest};
use crate::hub::{RepoId, tables};
use crate::policy::{CommitSize, License, Model, Publish, Transfer, raw};

impl Check<'_> {
    pub(super) fn model(&mut self, file: &raw::File, model: &raw::Model, key: &str) -> Model {
        self.name(&format!("{key}/name"), &model.name);
        let stages = self.places_to_go(file, model, key);
        let path = model.path.as_deref().unwrap_or("model");
        let path = self.relative(&format!("{key}/path"), path);
        for (name, text) in [
            ("description", &model.description),
            ("library", &model.library),
            ("license", &model.license),
            ("license-name", &model.license_name),
            ("license-link", &model.license_link),
        ] {
            if let Some(text) = text {
                self.said(&format!("{key}/{name}"), text);
            }
        }
        self.task(&format!("{key}/task"), model.task.as_deref());
        self.languages(&format!("{key}/language"), model.language.as_deref().unwrap_or_default());
        for (list, ids) in [("base-models", &model.base_models), ("datasets", &model.datasets)] {
            self.hub_ids(&format!("{key}/{list}"), ids.as_deref().unwrap_or_default());
        }
        for (index, tag) in model.tags.iter().flatten().enumerate() {
            self.said(&format!("{key}/tags/{index}"), tag);
        }
        let gates = Layers { own: model.gates.as_ref(), shared: file.gates.as_ref() };
        let card = Layers { own: model.card.as_ref(), shared: file.card.as_ref() };
        let publish = Layers { own: model.publish.as_ref(), shared: file.publish.as_ref() };
        let keep = self.key(key, "publish/keep");
        Model {
            name: model.name.clone(),
            at: self.at(key),
            path,
            description: model.description.clone(),
            library: model.library.clone(),
            task: model.task.clone(),
            license: model.license.as_ref().map(|id| License {
                id: id.trim().to_owned(),
                name: model.license_name.clone(),
                link: model.license_link.clone(),
                at: self.at(&format!("{key}/license")),
            }),
            language: model.language.clone().unwrap_or_default(),
            base_models: model.base_models.clone().unwrap_or_default(),
            datasets: model.datasets.clone().unwrap_or_default(),
            base_models_at: self.at(&format!("{key}/base-models")),
            datasets_at: self.at(&format!("{key}/datasets")),
            sensitive: model.sensitive.unwrap_or(false),
            tags: model.tags.clone().unwrap_or_default(),
            include: self.patterns(&format!("{key}/include"), model.include.as_ref()),
            exclude: self.patterns(&format!("{key}/exclude"), model.exclude.as_ref()),
            gates: self.gates(&gates, key, &stages),
            stages,
            card: self.card(&card, key),
            publish: Publish {
                keep: self.patterns(&keep, publish.get(|own| own.keep.as_ref())),
                query_file: publish.get(|own| own.query_file).unwrap_or(true),
                largest_commit: self.largest_commit(&publish, key),
                transfer: match publish.get(|own| own.transfer) {
                    None | Some(raw::Transfer::Auto) => Transfer::Auto,
                    Some(raw::Transfer::Xet) => Transfer::Xet,
                    Some(raw::Transfer::Lfs) => Transfer::Lfs,
                },
            },
        }
    }

    fn largest_commit(&mut self, publish: &Layers<'_, raw::Publish>, model: &str) -> CommitSize {
        let standard = CommitSize::default();
        let own = |name: &str| format!("publish/largest-commit/{name}");
        let files = publish.get(|own| own.largest_commit.as_ref()?.files);
        if files == Some(0) {
            let key = self.key(model, &own("files"));
            self.wrong(&key, "`files` is 0", "give 1 or more, or leave it out");
        }
        let bytes = publish.get(|own| own.largest_commit.as_ref()?.bytes.as_ref());
        let key = self.key(model, &own("bytes"));
        let bytes = bytes.and_then(|size| self.bytes_at(&key, "bytes", size));
        CommitSize {
            files: files.map_or(standard.files, |files| files as usize),
            bytes: bytes.map_or(standard.bytes, |bytes| bytes.0),
        }
    }

    /// A name that can stand in a tag and in a repository's name.
    fn name(&mut self, key: &str, name: &str) {
        if !is_name(name) {
            let help = "use ASCII letters and digits, with `-`, `_` and `.` between them";
            self.wrong(key, format!("`{name}` cannot be a model name"), help);
        }
    }

    fn task(&mut self, key: &str, task: Option<&str>) {
        let Some(task) = task.filter(|task| !tables::PIPELINE_TAGS.has(task)) else { return };
        let known: Vec<_> = tables::PIPELINE_TAGS.ids().collect();
        let help = suggest(task, &known, "expected an id of https://huggingface.co/tasks");
        self.wrong(key, format!("the Hub has no task `{task}`"), help);
    }

    /// ISO 639 codes and the Hub's two special words.
    fn languages(&mut self, key: &str, codes: &[String]) {
        for (index, code) in codes.iter().enumerate() {
            let letters = code.bytes().all(|byte| byte.is_ascii_lowercase());
            let known = match code.len() {
                2 => tables::TWO_LETTER_LANGUAGES.has(code),
                3 => letters,
                _ => matches!(code.as_str(), "code" | "multilingual"),
            };
            if known {
                continue;
            }
            let lower = code.to_ascii_lowercase();
            let help = match lower.split(['-', '_']).next().unwrap_or_default() {
                short if tables::TWO_LETTER_LANGUAGES.has(short) => format!("write `{short}`"),
                _ => "expected an ISO 639 code such as `en`, or `code` or `multilingual`".into(),
            };
            self.wrong(&format!("{key}/{index}"), format!("`{code}` is not a language code"), help);
        }
    }

    fn hub_ids(&mut self, key: &str, ids: &[String]) {
        for (index, id) in ids.iter().enumerate() {
            self.hub_id(&format!("{key}/{index}"), id);
        }
    }

    pub(super) fn hub_id(&mut self, key: &str, id: &str) {
        // Old Hub ids have no namespace (`gpt2`, `squad`).
        if id.parse::<RepoId>().is_err() && RepoId::new("x", id).is_err() {
            self.wrong(key, format!("`{id}` is not a Hub id"), "expected `namespace/name`");
        }
    }
}

/// Whether a model may be called so.
pub(super) fn is_name(name: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    edge(name.chars().next()) && edge(name.chars().last()) && RepoId::new("x", name).is_ok()
}
