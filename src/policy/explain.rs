//! The effective policy, each value with where it comes from.

mod credentials;
mod source;

use std::fmt::Write as _;

use super::places::Places;
use super::{
    Around, Benchmark, Bytes, Card, CardSource, CommitSize, DEFAULT_ENDPOINT, Gates, HubBenchmark,
    License, Limit, Model, NoWorseThan, Pattern, Place, Policy, Stage, TagGrammar, TestCommand,
    TokenGate, Transfer, Visibility, check,
};
use crate::finding::Level;

/// One value in force.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// Key, as a path: `gates.tests.required`; with several models, the model's name before it.
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

/// The rows as a JSON array of `{key, value, origin}`.
pub fn explain_json(policy: &Policy) -> String {
    format!("{:#}\n", serde_json::json!(policy.explained))
}

pub(super) fn rows(policy: &Policy, places: &Places<'_>) -> Vec<Row> {
    let mut table = Table {
        shown: &policy.file,
        places,
        single: places.exact("model").is_some(),
        model: String::new(),
        name: String::new(),
        rows: Vec::new(),
    };
    let tags = match policy.tags {
        TagGrammar::Auto => "auto",
        TagGrammar::Plain => "plain",
        TagGrammar::Slash => "slash",
        TagGrammar::At => "at",
    };
    table.row("tags", "tags", tags);
    for (index, model) in policy.models.iter().enumerate() {
        table.model = check::model_key(index, table.single);
        table.name.clone_from(&model.name);
        table.model(model);
    }
    policy.emergency.iter().for_each(|permit| table.emergency(permit));
    match &policy.audit_log {
        Some(log) => {
            let repository = log.repository.to_string();
            table.row("audit-log.repository", "audit-log/repository", repository);
            table.row("audit-log.path", "audit-log/path", &log.path);
        }
        None => table.row("audit-log", "audit-log", "none"),
    }
    let hub = policy.hub.as_ref().map(|hub| hub.endpoint.clone());
    let hub = hub.unwrap_or_else(|| format!("{DEFAULT_ENDPOINT}, or this machine"));
    table.row("hub.endpoint", "hub/endpoint", hub);
    table.credentials(&policy.credentials);
    for (rule, level) in &policy.overrides.levels {
        let level = level.map_or("off", Level::as_str);
        table.row(&format!("rules.{rule}"), &format!("rules/{rule}"), level);
    }
    for (index, allowance) in policy.overrides.allowances.iter().enumerate() {
        let value = format!("{} until {}: {}", allowance.rule, allowance.expires, allowance.reason);
        table.row(&format!("allow.{index}"), &format!("allow/{index}"), value);
    }
    table.rows
}

struct Table<'a> {
    shown: &'a str,
    places: &'a Places<'a>,
    /// The file has one `model:`; its sections need no name before them.
    single: bool,
    /// Key path and name of the model that is being told.
    model: String,
    name: String,
    rows: Vec<Row>,
}

impl Table<'_> {
    fn row(&mut self, key: &str, path: &str, value: impl Into<String>) {
        let origin = match self.places.exact(path) {
            Some(at) => format!("{}:{}:{}", self.shown, at.line, at.column),
            None => "default".into(),
        };
        // A statement of many lines stays one row.
        let value = value.into().split_whitespace().collect::<Vec<_>>().join(" ");
        self.rows.push(Row { key: key.to_owned(), value, origin });
    }

    /// A key of the model itself.
    fn own(&mut self, key: &str, value: impl Into<String>) {
        let path = format!("{}/{key}", self.model);
        let before = if self.single { "model" } else { &self.name };
        self.row(&format!("{before}.{key}"), &path, value);
    }

    /// A key of a section that stands in the model or at the top of the file.
    fn section(&mut self, path: &str, value: impl Into<String>) {
        let key = path.replace('/', ".");
        let key = if self.single { key } else { format!("{}.{key}", self.name) };
        let path = self.places.layered(&self.model, path);
        self.row(&key, &path, value);
    }

    fn model(&mut self, model: &Model) {
        let maybe = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".into());
        self.own("name", &model.name);
        self.own("path", &model.path);
        self.own("description", maybe(&model.description));
        self.own("library", maybe(&model.library));
        self.own("task", maybe(&model.task));
        self.own("license", model.license.as_ref().map_or_else(|| "not set".into(), license));
        self.own("language", list(&model.language, "none"));
        self.own("base-models", list(&model.base_models, "none"));
        self.own("datasets", list(&model.datasets, "none"));
        self.own("sensitive", model.sensitive.to_string());
        self.own("tags", list(&model.tags, "none"));
        self.own("include", patterns(&model.include, "every file"));
        self.own("exclude", patterns(&model.exclude, "none"));
        self.stages(&model.stages);
        self.gates(&model.gates);
        self.card(&model.card);
        self.section("publish/keep", patterns(&model.publish.keep, "none"));
        self.section("publish/query-file", model.publish.query_file.to_string());
        let CommitSize { files, bytes } = model.publish.largest_commit;
        self.section("publish/largest-commit/files", files.to_string());
        self.section("publish/largest-commit/bytes", Bytes(bytes).to_string());
        let transfer = match model.publish.transfer {
            Transfer::Auto => "auto",
            Transfer::Xet => "xet",
            Transfer::Lfs => "lfs",
        };
        self.section("publish/transfer", transfer);
    }

    fn stages(&mut self, stages: &[Stage]) {
        let own = ["stages", "repository"]
            .iter()
            .any(|key| self.places.exact(&format!("{}/{key}", self.model)).is_some());
        let prefix = if own { format!("{}/", self.model) } else { String::new() };
        let listed = self.places.exact(&format!("{prefix}stages")).is_some();
        let before = if self.single { String::new() } else { format!("{}.", self.name) };
        for (index, stage) in stages.iter().enumerate() {
            let path = if listed {
                format!("{prefix}stages/{index}")
            } else {
                format!("{prefix}repository")
            };
            let channels = if stage.channels.is_empty() {
                "the rest".into()
            } else {
                stage.channels.join(", ")
            };
            let visibility = match &stage.visibility {
                Visibility::Private => "private".to_owned(),
                Visibility::Public { reason } => format!("public ({reason})"),
            };
            let Stage { name, namespace, repo, .. } = stage;
            let mut value = format!("{namespace}/{repo}, {visibility}, takes {channels}");
            if !stage.required.is_empty() {
                let required: Vec<_> = stage.required.iter().map(|one| one.key()).collect();
                value.push_str(&format!(", requires {}", required.join(", ")));
            }
            self.row(&format!("{before}stages.{name}"), &path, value);
        }
    }

    fn tests(&mut self, run: Option<&TestCommand>) {
        let Some(run) = run else {
            self.section("gates/tests/run", "nothing: an earlier step runs the tests".to_owned());
            return;
        };
        self.section("gates/tests/run", run.command.trim().to_owned());
        let image = run.image.clone();
        self.section("gates/tests/image", image.unwrap_or_else(|| "none: this machine".into()));
        self.section("gates/tests/timeout", format!("{} s", run.timeout.as_secs()));
        self.section("gates/tests/on-forks", run.on_forks.to_string());
    }

    fn gates(&mut self, gates: &Gates) {
        self.section("gates/version/allow-older", gates.version.allow_older.to_string());
        let naming = gates.naming.as_ref();
        let convention = naming.map_or("none", |convention| &convention.text);
        self.section("gates/naming/convention", convention);
        for (name, values) in naming.iter().flat_map(|convention| convention.allowed()) {
            self.section(&format!("gates/naming/allowed/{name}"), values.join(", "));
        }
        let changelog = gates.changelog.file.as_deref().unwrap_or("CHANGELOG.md");
        self.section("gates/changelog/file", changelog);
        self.section("gates/changelog/required", gates.changelog.required.to_string());
        self.section("gates/tests/required", gates.tests.required.to_string());
        self.section("gates/tests/reports", patterns(&gates.tests.reports, "none"));
        self.tests(gates.tests.run.as_ref());
        if gates.benchmarks.is_empty() {
            self.section("gates/benchmarks", "none");
        }
        for (index, benchmark) in gates.benchmarks.iter().enumerate() {
            let value = asked(benchmark);
            self.section(&format!("gates/benchmarks/{index}"), value);
        }
        let licenses = &gates.licenses;
        self.section("gates/licenses/allowed", list(&licenses.allowed, "every one the Hub knows"));
        let of: Vec<_> = licenses.of.iter().map(|(name, id)| format!("{name}: {id}")).collect();
        self.section("gates/licenses/of", list(&of, "as the Hub tells"));
        let size = &gates.size;
        let bytes = |limit: &Option<Limit<u64>>| match limit {
            Some(limit) => Bytes(limit.most).to_string(),
            None => "no limit".into(),
        };
        self.section("gates/size/max", bytes(&size.max));
        self.section("gates/size/warn-max", bytes(&size.warn_max));
        self.section("gates/size/max-file", bytes(&size.max_file));
        let growth = size.max_growth.as_ref().map(|limit| limit.most.to_string());
        self.section("gates/size/max-growth", growth.as_deref().unwrap_or("no limit"));
        self.token(&gates.token);
        self.source(&gates.source);
        self.section("gates/hub-scan/wait", gates.hub_scan.wait.to_string());
        self.section("gates/hub-scan/timeout", format!("{} s", gates.hub_scan.timeout_seconds));
    }

    fn token(&mut self, token: &TokenGate) {
        self.section("gates/token/fine-grained", token.fine_grained.to_string());
        self.section("gates/token/max-age", format!("{} days", token.max_age));
        self.section("gates/token/warn-before", format!("{} days", token.warn_before));
        self.section("gates/token/accounts", list(&token.accounts, "none"));
        let beside = list(&token.may_write, "the repositories of this policy");
        self.section("gates/token/may-write", beside);
    }

    fn card(&mut self, card: &Card) {
        let source = match &card.source {
            CardSource::Generated => "generated",
            CardSource::File(path) => path,
        };
        self.section("card/source", source);
        self.section("card/template", card.template.as_deref().unwrap_or("built-in"));
        let required: Vec<_> = card.required.iter().map(|one| one.key().to_owned()).collect();
        self.section("card/required", list(&required, "none"));
        let months = card.review_months.map(|months| format!("after {months} months"));
        self.section("card/review-months", months.as_deref().unwrap_or("never"));
        for (section, statement) in &card.statements {
            let value = format!("stated by {} on {}", statement.by, statement.date);
            self.section(&format!("card/{}", section.key()), value);
        }
    }
}

fn license(license: &License) -> String {
    match (&license.name, &license.link) {
        (Some(name), Some(link)) => format!("{} ({name}, {link})", license.id),
        (Some(one), None) | (None, Some(one)) => format!("{} ({one})", license.id),
        (None, None) => license.id.clone(),
    }
}

fn list(values: &[String], none: &str) -> String {
    if values.is_empty() { none.to_owned() } else { values.join(", ") }
}

/// What is asked of a metric, in one line.
fn asked(benchmark: &Benchmark) -> String {
    let Benchmark { metric, place, file, .. } = benchmark;
    let mut text = match place {
        Place::Named(named) if named.key == *metric => format!("{place} of {file}"),
        _ => format!("{metric} at {place} of {file}"),
    };
    for (name, value) in [
        ("min", benchmark.min),
        ("max", benchmark.max),
        ("warn-min", benchmark.warn_min),
        ("warn-max", benchmark.warn_max),
        ("max-gap", benchmark.max_gap),
    ] {
        text.extend(value.map(|value| format!(", {name} {value}")));
    }
    if let Some(Around { target, tolerance }) = benchmark.target {
        text += &format!(", {target} ± {tolerance}");
    }
    if let Some(NoWorseThan { than, tolerance, confidence, .. }) = &benchmark.no_worse_than {
        text += &format!(", no worse than {than} by {tolerance}");
        text.extend(confidence.map(|confidence| format!(" at {confidence} confidence")));
    }
    if let Some(HubBenchmark { dataset, task, .. }) = &benchmark.hub_benchmark {
        text += &format!(", result of {task} of {dataset} on the Hub");
    }
    text
}

fn patterns(patterns: &[Pattern], none: &str) -> String {
    let texts: Vec<_> = patterns.iter().map(|pattern| pattern.text.clone()).collect();
    list(&texts, none)
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::valid;
    use crate::policy::{explain, explain_json};

    #[test]
    fn explain_names_every_origin() {
        let policy = valid(
            "model: {name: churn, owner: acme, license: mit}\ngates: {tests: {required: false}}\n",
        );
        insta::assert_snapshot!(explain(&policy), @r"
        tags                          auto                                          default
        model.name                    churn                                         weighbridge.yml:1:15
        model.path                    model                                         default
        model.description             not set                                       default
        model.library                 not set                                       default
        model.task                    not set                                       default
        model.license                 mit                                           weighbridge.yml:1:44
        model.language                none                                          default
        model.base-models             none                                          default
        model.datasets                none                                          default
        model.sensitive               false                                         default
        model.tags                    none                                          default
        model.include                 every file                                    default
        model.exclude                 none                                          default
        stages.production             acme/{name}, private, takes the rest          default
        gates.version.allow-older     false                                         default
        gates.naming.convention       none                                          default
        gates.changelog.file          CHANGELOG.md                                  default
        gates.changelog.required      false                                         default
        gates.tests.required          false                                         weighbridge.yml:2:27
        gates.tests.reports           reports/**/*.xml, test-results/**/*.xml, junit*.xml  default
        gates.tests.run               nothing: an earlier step runs the tests       default
        gates.benchmarks              none                                          default
        gates.licenses.allowed        every one the Hub knows                       default
        gates.licenses.of             as the Hub tells                              default
        gates.size.max                no limit                                      default
        gates.size.warn-max           no limit                                      default
        gates.size.max-file           no limit                                      default
        gates.size.max-growth         no limit                                      default
        gates.token.fine-grained      true                                          default
        gates.token.max-age           90 days                                       default
        gates.token.warn-before       14 days                                       default
        gates.token.accounts          none                                          default
        gates.token.may-write         the repositories of this policy               default
        gates.hub-scan.wait           false                                         default
        gates.hub-scan.timeout        600 s                                         default
        card.source                   generated                                     default
        card.template                 built-in                                      default
        card.required                 intended-use, training-data, limitations, bias  default
        card.review-months            never                                         default
        publish.keep                  none                                          default
        publish.query-file            true                                          default
        publish.largest-commit.files  12000                                         default
        publish.largest-commit.bytes  100 MB                                        default
        publish.transfer              auto                                          default
        audit-log                     none                                          default
        hub.endpoint                  https://huggingface.co, or this machine       default
        credentials.0                 environment                                   default
        credentials.1                 trusted-publishing                            default
        ");
        let json: serde_json::Value = serde_json::from_str(&explain_json(&policy)).expect("JSON");
        assert_eq!(
            json[0],
            serde_json::json!({"key": "tags", "value": "auto", "origin": "default"})
        );
    }

    #[test]
    fn explain_tells_models_apart_and_follows_their_keys() {
        let policy = valid(
            "models:\n  - {name: a, owner: o, path: a}\n  - {name: b, owner: o, path: b, gates: {tests: {required: false}}}\ngates: {tests: {required: true}}\nstages: [{name: lab, namespace: o-lab}]\n",
        );
        let origin = |key: &str| {
            policy.explained.iter().find(|row| row.key == key).expect(key).origin.clone()
        };
        assert_eq!(origin("a.gates.tests.required"), "weighbridge.yml:4:27");
        assert_eq!(origin("b.gates.tests.required"), "weighbridge.yml:3:60");
        assert_eq!(origin("b.stages.lab"), "weighbridge.yml:5:10");
        assert_eq!(origin("b.license"), "default");
    }
}
