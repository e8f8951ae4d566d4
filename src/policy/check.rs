//! raw → [`Policy`]: the meaning of every value, all problems collected.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobBuilder;
use jiff::civil::Date;

use super::places::Places;
use super::problem::{Problem, closest};
use super::{
    Benchmark, Card, CardSource, Gates, HubScan, License, Model, Pattern, Policy, Publish, Section,
    Stage, Statement, TagGrammar, TestsGate, VersionGate, Visibility, raw,
};
use crate::finding::{Allowance, Location, Overrides};
use crate::hub::RepoId;

/// What is being checked, and what was found wrong so far.
pub(super) struct Check<'a> {
    places: &'a Places<'a>,
    shown: &'a str,
    known_rules: &'a [&'a str],
    problems: Vec<Problem>,
}

/// Checks a file whose structure is sound.
pub(super) fn check(
    file: &raw::File,
    places: &Places<'_>,
    shown: &str,
    known_rules: &[&str],
) -> Result<Policy, Vec<Problem>> {
    let mut check = Check { places, shown, known_rules, problems: Vec::new() };
    let policy = check.file(file);
    if check.problems.is_empty() {
        Ok(policy)
    } else {
        check.problems.sort_by_key(|problem| problem.at);
        Err(check.problems)
    }
}

impl Check<'_> {
    fn file(&mut self, file: &raw::File) -> Policy {
        let models = match (&file.model, &file.models) {
            (Some(model), None) => vec![self.model(file, model, "model")],
            (None, Some(models)) if !models.is_empty() => {
                let each = models.iter().enumerate();
                each.map(|(index, model)| self.model(file, model, &format!("models/{index}")))
                    .collect()
            }
            (Some(_), Some(_)) => {
                self.wrong("models", "both `model` and `models` are given", "keep one of the two");
                Vec::new()
            }
            (None, _) => {
                self.wrong("", "no model is named", "add `model: {name: …, owner: …}`");
                Vec::new()
            }
        };
        let mut names = BTreeSet::new();
        for (index, model) in models.iter().enumerate() {
            if !names.insert(&model.name) {
                let message = format!("two models are named `{}`", model.name);
                self.wrong(
                    &format!("models/{index}/name"),
                    message,
                    "give each model its own name",
                );
            }
        }
        Policy {
            file: self.shown.to_owned(),
            tags: match file.tags {
                None | Some(raw::Tags::Auto) => TagGrammar::Auto,
                Some(raw::Tags::Plain) => TagGrammar::Plain,
                Some(raw::Tags::Slash) => TagGrammar::Slash,
                Some(raw::Tags::At) => TagGrammar::At,
            },
            overrides: self.overrides(file),
            explained: Vec::new(),
            models,
        }
    }

    /// One model; sections of its own replace the file's.
    fn model(&mut self, file: &raw::File, model: &raw::Model, key: &str) -> Model {
        let name_fine = !model.name.is_empty()
            && model
                .name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !name_fine {
            let message = format!("`{}` cannot be a model name", model.name);
            self.wrong(
                &format!("{key}/name"),
                message,
                "use ASCII letters, digits, `-`, `_` and `.`",
            );
        }
        self.relative(&format!("{key}/path"), &model.path);
        let section =
            |own: bool, name: &str| if own { format!("{key}/{name}") } else { name.to_owned() };
        let stages = match (&model.stages, &model.repository, &file.stages, &file.repository) {
            (Some(stages), ..) => self.stages(model, stages, &format!("{key}/stages")),
            (None, Some(repository), ..) => {
                self.repository(model, repository, &format!("{key}/repository"))
            }
            (None, None, Some(stages), _) => self.stages(model, stages, "stages"),
            (None, None, None, repository) => {
                self.repository(model, &repository.clone().unwrap_or_default(), "repository")
            }
        };
        let gates = model.gates.as_ref().or(file.gates.as_ref()).cloned().unwrap_or_default();
        let card = model.card.as_ref().or(file.card.as_ref()).cloned().unwrap_or_default();
        let publish = model.publish.as_ref().or(file.publish.as_ref()).cloned().unwrap_or_default();
        for (list, ids) in [("base-models", &model.base_models), ("datasets", &model.datasets)] {
            for (index, id) in ids.iter().enumerate() {
                // Old Hub ids have no namespace (`gpt2`, `squad`).
                if id.parse::<RepoId>().is_err() && RepoId::new("x", id).is_err() {
                    let message = format!("`{id}` is not a Hub id");
                    self.wrong(&format!("{key}/{list}/{index}"), message, "use `namespace/name`");
                }
            }
        }
        Model {
            name: model.name.clone(),
            at: self.at(key),
            path: model.path.clone(),
            description: model.description.clone(),
            library: model.library.clone(),
            task: model.task.clone(),
            license: model.license.as_ref().map(|id| License {
                id: id.clone(),
                name: model.license_name.clone(),
                link: model.license_link.clone(),
                at: self.at(&format!("{key}/license")),
            }),
            language: model.language.clone(),
            base_models: model.base_models.clone(),
            datasets: model.datasets.clone(),
            tags: model.tags.clone(),
            include: self.patterns(&format!("{key}/include"), &model.include),
            exclude: self.patterns(&format!("{key}/exclude"), &model.exclude),
            stages,
            gates: self.gates(&gates, &section(model.gates.is_some(), "gates")),
            card: self.card(&card, &section(model.card.is_some(), "card")),
            publish: Publish {
                keep: self
                    .patterns(&section(model.publish.is_some(), "publish/keep"), &publish.keep),
            },
        }
    }

    fn repository(
        &mut self,
        model: &raw::Model,
        repository: &raw::Repository,
        key: &str,
    ) -> Vec<Stage> {
        let stage = raw::Stage {
            name: "production".into(),
            namespace: None,
            repository: repository.name.clone(),
            visibility: repository.visibility,
            public_reason: repository.public_reason.clone(),
            channels: Vec::new(),
        };
        vec![self.stage(model, &stage, key, &format!("{key}/name"))]
    }

    fn stages(&mut self, model: &raw::Model, stages: &[raw::Stage], key: &str) -> Vec<Stage> {
        if stages.is_empty() {
            self.wrong(key, "`stages` is empty", "name at least one stage, or remove the key");
        }
        let (mut names, mut claimed) = (BTreeSet::new(), BTreeMap::new());
        let mut checked = Vec::new();
        for (index, stage) in stages.iter().enumerate() {
            let key = format!("{key}/{index}");
            if !names.insert(stage.name.clone()) {
                let message = format!("two stages are named `{}`", stage.name);
                self.wrong(&format!("{key}/name"), message, "give each stage its own name");
            }
            let valid = self.stage(model, stage, &key, &format!("{key}/repository"));
            for channel in &valid.channels {
                if let Some(first) = claimed.insert(channel.clone(), stage.name.clone()) {
                    let message = format!("the channel `{channel}` belongs to `{first}` already");
                    self.wrong(
                        &format!("{key}/channels"),
                        message,
                        "name each channel in one stage",
                    );
                }
            }
            checked.push(valid);
        }
        checked
    }

    fn stage(
        &mut self,
        model: &raw::Model,
        stage: &raw::Stage,
        key: &str,
        name_key: &str,
    ) -> Stage {
        let namespace = stage.namespace.clone().unwrap_or_else(|| model.owner.clone());
        let repo = stage.repository.clone().unwrap_or_else(|| "{name}".into());
        let sample =
            repo.replace("{name}", "name").replace("{stage}", "stage").replace("{major}", "1");
        if let Err(error) = RepoId::new(&namespace, &sample) {
            self.wrong(
                name_key,
                error.to_string(),
                "a template may use {name}, {stage} and {major}",
            );
        }
        Stage {
            name: stage.name.clone(),
            namespace,
            repo,
            visibility: match stage.visibility {
                raw::Visibility::Private => Visibility::Private,
                raw::Visibility::Public => {
                    Visibility::Public { reason: stage.public_reason.clone().unwrap_or_default() }
                }
            },
            channels: stage
                .channels
                .iter()
                .map(|channel| channel_name(*channel).to_owned())
                .collect(),
            at: self.at(key),
        }
    }

    fn gates(&mut self, gates: &raw::Gates, key: &str) -> Gates {
        let benchmarks = gates.benchmarks.iter().enumerate();
        let benchmarks = benchmarks
            .map(|(index, benchmark)| {
                self.benchmark(benchmark, &format!("{key}/benchmarks/{index}"))
            })
            .collect();
        Gates {
            version: VersionGate { allow_older: gates.version.allow_older },
            tests: TestsGate {
                required: gates.tests.required,
                reports: self.patterns(&format!("{key}/tests/reports"), &gates.tests.reports),
                at: self.at(&format!("{key}/tests")),
            },
            benchmarks,
            hub_scan: HubScan {
                wait: gates.hub_scan.wait,
                timeout_seconds: gates.hub_scan.timeout,
            },
            licenses: gates.licenses.allowed.clone(),
        }
    }

    fn benchmark(&mut self, benchmark: &raw::Benchmark, key: &str) -> Benchmark {
        self.relative(&format!("{key}/file"), &benchmark.file);
        if !benchmark.pointer.is_empty() && !benchmark.pointer.starts_with('/') {
            let message = format!("`{}` is not a JSON Pointer", benchmark.pointer);
            self.wrong(
                &format!("{key}/pointer"),
                message,
                format!("write `/{}`", benchmark.pointer),
            );
        }
        if let (Some(min), Some(max)) = (benchmark.min, benchmark.max)
            && min > max
        {
            let message = format!("`min` ({min}) is greater than `max` ({max}): no value can pass");
            self.wrong(&format!("{key}/min"), message, "swap the two, or remove one");
        }
        Benchmark {
            metric: benchmark.metric.clone(),
            file: benchmark.file.clone(),
            pointer: benchmark.pointer.clone(),
            min: benchmark.min,
            max: benchmark.max,
            dataset: benchmark.dataset.clone(),
            split: benchmark.split.clone(),
            at_min: self.at(&format!("{key}/min")),
            at_max: self.at(&format!("{key}/max")),
        }
    }

    fn card(&mut self, card: &raw::Card, key: &str) -> Card {
        let stated = [
            (Section::IntendedUse, &card.intended_use),
            (Section::OutOfScope, &card.out_of_scope),
            (Section::TrainingData, &card.training_data),
            (Section::TrainingProcedure, &card.training_procedure),
            (Section::Limitations, &card.limitations),
            (Section::Bias, &card.bias),
            (Section::EnvironmentalImpact, &card.environmental_impact),
            (Section::Citation, &card.citation),
            (Section::Contact, &card.contact),
        ];
        let mut statements = BTreeMap::new();
        for (section, statement) in stated {
            let Some(statement) = statement else { continue };
            let key = format!("{key}/{}", section.key());
            for (field, value) in [("text", &statement.text), ("by", &statement.by)] {
                if value.trim().is_empty() {
                    self.wrong(
                        &format!("{key}/{field}"),
                        format!("`{field}` is empty"),
                        "say it, or remove the section",
                    );
                }
            }
            let Some(date) = self.date(&format!("{key}/date"), &statement.date) else { continue };
            let (text, by) = (statement.text.clone(), statement.by.clone());
            statements.insert(section, Statement { text, by, date, at: self.at(&key) });
        }
        let source = match card.source.as_deref() {
            None | Some("generated") => CardSource::Generated,
            Some(path) => {
                self.relative(&format!("{key}/source"), path);
                CardSource::File(path.to_owned())
            }
        };
        if let Some(template) = &card.template {
            self.relative(&format!("{key}/template"), template);
        }
        let careful = || {
            vec![Section::IntendedUse, Section::TrainingData, Section::Limitations, Section::Bias]
        };
        Card {
            source,
            required: card.required.clone().unwrap_or_else(careful),
            statements,
            template: card.template.clone(),
        }
    }

    fn overrides(&mut self, file: &raw::File) -> Overrides {
        let mut levels = BTreeMap::new();
        for (rule, level) in &file.rules {
            self.rule(&format!("rules/{rule}"), rule);
            levels.insert(rule.clone(), (*level).into());
        }
        let mut allowances = Vec::new();
        for (index, allow) in file.allow.iter().enumerate() {
            let key = format!("allow/{index}");
            self.rule(&format!("{key}/rule"), &allow.rule);
            if allow.reason.trim().is_empty() {
                self.wrong(
                    &format!("{key}/reason"),
                    "`reason` is empty",
                    "say why the finding is allowed",
                );
            }
            let path =
                allow.path.as_ref().and_then(|text| self.pattern(&format!("{key}/path"), text));
            let Some(expires) = self.date(&format!("{key}/expires"), &allow.expires) else {
                continue;
            };
            allowances.push(Allowance {
                rule: allow.rule.clone(),
                path: path.map(|pattern| pattern.glob),
                reason: allow.reason.clone(),
                expires,
                at: self.at(&key),
            });
        }
        Overrides { levels, allowances }
    }

    fn rule(&mut self, key: &str, rule: &str) {
        if self.known_rules.contains(&rule) {
            return;
        }
        let help = match closest(rule, self.known_rules) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`weighbridge rules` lists them".into(),
        };
        self.wrong(key, format!("there is no rule `{rule}`"), help);
    }

    fn date(&mut self, key: &str, text: &str) -> Option<Date> {
        let date = text.parse().ok();
        if date.is_none() {
            self.wrong(key, format!("`{text}` is not a date"), "expected YYYY-MM-DD");
        }
        date
    }

    /// A path that stays below the policy's folder.
    fn relative(&mut self, key: &str, path: &str) {
        let leaves =
            path.is_empty() || path.starts_with('/') || path.split('/').any(|part| part == "..");
        if leaves {
            let message = format!("`{path}` is not a path below this file's folder");
            self.wrong(key, message, "use a relative path without `..`");
        }
    }

    fn patterns(&mut self, key: &str, texts: &[String]) -> Vec<Pattern> {
        let each = texts.iter().enumerate();
        each.filter_map(|(index, text)| self.pattern(&format!("{key}/{index}"), text)).collect()
    }

    fn pattern(&mut self, key: &str, text: &str) -> Option<Pattern> {
        match GlobBuilder::new(text).literal_separator(true).build() {
            Ok(glob) => Some(Pattern { text: text.to_owned(), glob: glob.compile_matcher() }),
            Err(error) => {
                self.wrong(
                    key,
                    format!("`{text}` is not a glob: {}", error.kind()),
                    "`*`, `**`, `?`, `[…]`, `{…}`",
                );
                None
            }
        }
    }

    fn wrong(&mut self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(self.places.position(key), message).help(help));
    }

    fn at(&self, key: &str) -> Location {
        Location::at(self.shown, self.places.position(key))
    }
}

fn channel_name(channel: raw::Channel) -> &'static str {
    match channel {
        raw::Channel::Production => "production",
        raw::Channel::Staging => "staging",
        raw::Channel::Development => "development",
    }
}
