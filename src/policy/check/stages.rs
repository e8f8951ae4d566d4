//! Stages: where versions go, in which repository, seen by whom.

use std::collections::{BTreeMap, BTreeSet};

use super::model::is_name;
use super::{Check, model_key, suggest};
use crate::hub::RepoId;
use crate::policy::{Model, Stage, Visibility, raw};

/// What a repository template may name.
const PLACEHOLDERS: [&str; 3] = ["{name}", "{stage}", "{major}"];

impl Check<'_> {
    /// The stages of a model: its own, else those at the top, else one named `production`.
    pub(super) fn places_to_go(
        &mut self,
        file: &raw::File,
        model: &raw::Model,
        key: &str,
    ) -> Vec<Stage> {
        let own = (&model.stages, &model.repository, format!("{key}/"));
        let shared = (&file.stages, &file.repository, String::new());
        let says_own = model.stages.is_some() || model.repository.is_some();
        let (stages, repository, prefix) = if says_own { own } else { shared };
        if let Some(stages) = stages {
            if repository.is_some() {
                let message = "both `stages` and `repository` are given";
                let help = "`repository` is short for one stage: move what it says into `stages`";
                self.wrong(&format!("{prefix}repository"), message, help);
            }
            return self.stages(model, key, stages, &format!("{prefix}stages"));
        }
        let repository = repository.clone().unwrap_or_default();
        let stage = raw::Stage {
            name: "production".into(),
            namespace: None,
            repository: repository.name,
            visibility: repository.visibility,
            public_reason: repository.public_reason,
            channels: None,
            required: None,
        };
        let key_of_template = format!("{prefix}repository/name");
        vec![self.stage(model, key, &stage, &format!("{prefix}repository"), &key_of_template)]
    }

    fn stages(
        &mut self,
        model: &raw::Model,
        model_key: &str,
        stages: &[raw::Stage],
        key: &str,
    ) -> Vec<Stage> {
        if stages.is_empty() {
            self.wrong(key, "`stages` is empty", "name at least one stage, or remove the key");
        }
        let (mut names, mut claimed) = (BTreeSet::new(), BTreeMap::new());
        let mut rest: Option<&str> = None;
        let mut checked = Vec::new();
        for (index, stage) in stages.iter().enumerate() {
            let key = format!("{key}/{index}");
            if !names.insert(&stage.name) {
                let message = format!("two stages are named `{}`", stage.name);
                self.wrong(&format!("{key}/name"), message, "give each stage its own name");
            }
            let valid = self.stage(model, model_key, stage, &key, &format!("{key}/repository"));
            for (place, channel) in valid.channels.iter().enumerate() {
                if let Some(first) = claimed.insert(channel.clone(), &stage.name) {
                    let message = format!("the channel `{channel}` belongs to `{first}` already");
                    let help = "name each channel in one stage";
                    self.wrong(&format!("{key}/channels/{place}"), message, help);
                }
            }
            if valid.channels.is_empty()
                && let Some(first) = rest.replace(&stage.name)
            {
                let message =
                    format!("`{}` and `{first}` both take every channel left over", stage.name);
                self.wrong(&key, message, "name the `channels` of all stages but one");
            }
            checked.push(valid);
        }
        checked
    }

    fn stage(
        &mut self,
        model: &raw::Model,
        model_key: &str,
        stage: &raw::Stage,
        key: &str,
        template_key: &str,
    ) -> Stage {
        self.stage_name(&format!("{key}/name"), &stage.name, template_key);
        let namespace = stage.namespace.clone().or_else(|| model.owner.clone());
        let repo = stage.repository.clone().unwrap_or_else(|| "{name}".into());
        match &namespace {
            None => {
                let message = format!("nobody owns the model `{}`", model.name);
                self.wrong(model_key, message, "add `owner:`, the Hub user or organisation");
            }
            Some(namespace) if RepoId::new(namespace, "x").is_err() => {
                let named = stage.namespace.is_some();
                let key =
                    if named { format!("{key}/namespace") } else { format!("{model_key}/owner") };
                let message = format!("`{namespace}` cannot be a Hub user or organisation");
                self.wrong(&key, message, "use ASCII letters and digits, with single `-` between");
            }
            Some(namespace) => self.template(template_key, namespace, &repo, model, stage),
        }
        Stage {
            name: stage.name.clone(),
            namespace: namespace.unwrap_or_default(),
            repo,
            visibility: match stage.visibility {
                None | Some(raw::Visibility::Private) => Visibility::Private,
                Some(raw::Visibility::Public) => {
                    Visibility::Public { reason: stage.public_reason.clone().unwrap_or_default() }
                }
            },
            channels: stage
                .channels
                .iter()
                .flatten()
                .map(|channel| channel.name().to_owned())
                .collect(),
            required: stage.required.clone().unwrap_or_default(),
            at: self.at(key),
        }
    }

    fn stage_name(&mut self, key: &str, name: &str, template_key: &str) {
        // The stage behind `repository:` has a name of our own, and its `name` is the template.
        let fine = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if key != template_key && (name.is_empty() || !fine) {
            let help = "use ASCII letters, digits, `-` and `_`";
            self.wrong(key, format!("`{name}` cannot be a stage name"), help);
        }
    }

    /// A repository template must yield a repo id the Hub takes.
    fn template(
        &mut self,
        key: &str,
        namespace: &str,
        repo: &str,
        model: &raw::Model,
        stage: &raw::Stage,
    ) {
        // A bad name is a problem of its own.
        let name = if is_name(&model.name) { &model.name } else { "name" };
        let sample = expand(repo, name, &stage.name, "1");
        if let Some(open) = sample.find(['{', '}']) {
            let rest = &sample[open..];
            let end = rest.find('}').map_or(rest.len(), |end| end + 1);
            let word = &rest[..end];
            let help =
                suggest(word, &PLACEHOLDERS, format!("expected {}", PLACEHOLDERS.join(", ")));
            self.wrong(key, format!("`{repo}` names no known placeholder by `{word}`"), help);
        } else if let Err(error) = RepoId::new(namespace, &sample) {
            let help = "expected letters, digits, `-`, `_`, `.` and {name}, {stage}, {major}";
            self.wrong(key, error.to_string(), help);
        }
    }

    /// No two models may share a repository, and no two stages of one may disagree on who sees it.
    pub(super) fn repositories_told_apart(&mut self, models: &[Model]) {
        let mut seen: BTreeMap<String, (&Model, &Stage)> = BTreeMap::new();
        for (index, model) in models.iter().enumerate() {
            for stage in &model.stages {
                let name = stage.repo_name(&model.name, "{major}");
                // Repo ids are told apart by the Hub without regard to case.
                let id = format!("{}/{name}", stage.namespace).to_ascii_lowercase();
                let Some((first, its)) = seen.insert(id, (model, stage)) else { continue };
                if first.name != model.name {
                    let message = format!(
                        "`{}` and `{}` go to one repository, {}/{name}",
                        first.name, model.name, stage.namespace
                    );
                    let key = model_key(index, models.len() == 1);
                    self.wrong(&key, message, "put {name} into the repository's name");
                } else if (its.visibility == Visibility::Private)
                    != (stage.visibility == Visibility::Private)
                {
                    let message = format!(
                        "{}/{name} is private for `{}` or `{}` and public for the other",
                        stage.namespace, its.name, stage.name
                    );
                    let at = crate::source::Position {
                        line: stage.at.line.unwrap_or(1),
                        column: stage.at.column.unwrap_or(1),
                    };
                    let help = "give the stages repositories of their own, or one visibility";
                    self.problems.push(super::Problem::new(at, message).help(help));
                }
            }
        }
    }
}

/// The name that a template yields.
pub(in crate::policy) fn expand(template: &str, name: &str, stage: &str, major: &str) -> String {
    template.replace("{name}", name).replace("{stage}", stage).replace("{major}", major)
}

impl raw::Channel {
    fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Development => "development",
        }
    }
}
