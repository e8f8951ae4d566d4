//! The effective policy, each value with where it comes from.

use std::fmt::Write as _;

use super::places::Places;
use super::{CardSource, Model, Policy, TagGrammar, Visibility};

/// One value in force.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// Key, as a path: `gates.tests.required`.
    pub key: String,
    /// Value in force.
    pub value: String,
    /// `weighbridge.yml:12:5`, or `default`.
    pub origin: String,
}

/// The rows as a table for a terminal.
pub fn explain(policy: &Policy) -> String {
    let width = |of: fn(&Row) -> usize| policy.explained.iter().map(of).max().unwrap_or(0).min(44);
    let (keys, values) =
        (width(|row| row.key.chars().count()), width(|row| row.value.chars().count()));
    let mut text = String::new();
    for row in &policy.explained {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:keys$}  {:values$}  {}", row.key, row.value, row.origin);
    }
    text
}

pub(super) fn rows(policy: &Policy, places: &Places<'_>) -> Vec<Row> {
    let mut table = Table { shown: &policy.file, places, rows: Vec::new() };
    table.row(
        "tags",
        match policy.tags {
            TagGrammar::Auto => "auto",
            TagGrammar::Plain => "plain",
            TagGrammar::Slash => "slash",
            TagGrammar::At => "at",
        },
    );
    let single = places.exact("model").is_some();
    for (index, model) in policy.models.iter().enumerate() {
        let key = if single { "model".to_owned() } else { format!("models/{index}") };
        table.model(model, &key);
    }
    for (rule, level) in &policy.overrides.levels {
        table.row(&format!("rules/{rule}"), level.map_or("off", crate::finding::Level::as_str));
    }
    for (index, allowance) in policy.overrides.allowances.iter().enumerate() {
        let value = format!("{} until {}: {}", allowance.rule, allowance.expires, allowance.reason);
        table.row(&format!("allow/{index}"), value);
    }
    table.rows
}

struct Table<'a> {
    shown: &'a str,
    places: &'a Places<'a>,
    rows: Vec<Row>,
}

impl Table<'_> {
    fn row(&mut self, key: &str, value: impl Into<String>) {
        let origin = match self.places.exact(key) {
            Some(at) => format!("{}:{}:{}", self.shown, at.line, at.column),
            None => "default".into(),
        };
        self.rows.push(Row { key: key.replace('/', "."), value: value.into(), origin });
    }

    fn model(&mut self, model: &Model, key: &str) {
        let maybe = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".into());
        self.row(&format!("{key}/name"), &model.name);
        self.row(&format!("{key}/path"), &model.path);
        self.row(&format!("{key}/library"), maybe(&model.library));
        self.row(&format!("{key}/task"), maybe(&model.task));
        let license = model.license.as_ref().map_or("not set", |license| &license.id);
        self.row(&format!("{key}/license"), license);
        for (name, list) in [
            ("language", &model.language),
            ("base-models", &model.base_models),
            ("datasets", &model.datasets),
            ("tags", &model.tags),
        ] {
            self.row(
                &format!("{key}/{name}"),
                if list.is_empty() { "none".into() } else { list.join(", ") },
            );
        }
        // A section stands in the model itself or at the top of the file.
        let own = |section: &str| {
            let inside = format!("{key}/{section}");
            if self.places.exact(&inside).is_some() { inside } else { section.to_owned() }
        };
        let (gates, card, stages) = (own("gates"), own("card"), own("stages"));
        for (index, stage) in model.stages.iter().enumerate() {
            let place = match self.places.exact(&stages) {
                Some(_) => format!("{stages}/{index}"),
                None => own_repository(self.places, key),
            };
            let visibility = match &stage.visibility {
                Visibility::Private => "private".to_owned(),
                Visibility::Public { reason } => format!("public: {reason}"),
            };
            self.row(
                &place,
                format!("{}: {}/{}, {visibility}", stage.name, stage.namespace, stage.repo),
            );
        }
        self.row(
            &format!("{gates}/version/allow-older"),
            model.gates.version.allow_older.to_string(),
        );
        self.row(&format!("{gates}/tests/required"), model.gates.tests.required.to_string());
        let reports: Vec<_> =
            model.gates.tests.reports.iter().map(|pattern| pattern.text.as_str()).collect();
        self.row(
            &format!("{gates}/tests/reports"),
            if reports.is_empty() { "none".into() } else { reports.join(", ") },
        );
        for (index, benchmark) in model.gates.benchmarks.iter().enumerate() {
            let bound = |name, value: Option<f64>| {
                value.map(|value| format!(" {name} {value}")).unwrap_or_default()
            };
            let value = format!(
                "{}{}{}",
                benchmark.metric,
                bound("min", benchmark.min),
                bound("max", benchmark.max)
            );
            self.row(&format!("{gates}/benchmarks/{index}"), value);
        }
        let licenses = &model.gates.licenses;
        self.row(
            &format!("{gates}/licenses/allowed"),
            if licenses.is_empty() { "any known".into() } else { licenses.join(", ") },
        );
        self.row(&format!("{gates}/hub-scan/wait"), model.gates.hub_scan.wait.to_string());
        self.row(
            &format!("{card}/source"),
            match &model.card.source {
                CardSource::Generated => "generated",
                CardSource::File(path) => path,
            },
        );
        let required: Vec<_> = model.card.required.iter().map(|section| section.key()).collect();
        self.row(&format!("{card}/required"), required.join(", "));
        for (section, statement) in &model.card.statements {
            let value = format!("stated by {} on {}", statement.by, statement.date);
            self.row(&format!("{card}/{}", section.key()), value);
        }
    }
}

fn own_repository(places: &Places<'_>, key: &str) -> String {
    let inside = format!("{key}/repository");
    if places.exact(&inside).is_some() { inside } else { "repository".into() }
}
