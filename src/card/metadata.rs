//! The front matter: what the policy states, over what a person wrote in a README, which is kept.

use super::CardInput;
use super::yaml::Data;
use crate::evidence::{Measured, measured};
use crate::inventory::SaidBy;

/// Merges the policy's metadata into that of a README (an empty map where there is none). Keys that
/// the policy does not state stay as they are; `tags`, `metrics` and results are added to.
pub(super) fn merge(mut data: Data, input: &CardInput<'_>) -> Data {
    let model = input.model;
    if let Some(license) = &model.license {
        data.set("license", Data::text(&license.id));
        for (key, value) in [("license_name", &license.name), ("license_link", &license.link)] {
            if let Some(value) = value {
                data.set(key, Data::text(value));
            }
        }
    }
    let bases = input.bases();
    // Those of the README stand there already, one or a list.
    let named = match bases.said_by {
        SaidBy::Readme(_) => &Vec::new(),
        SaidBy::Policy | SaidBy::File(_) => &bases.ids,
    };
    let lists =
        [("language", &model.language), ("base_model", named), ("datasets", &model.datasets)];
    for (key, values) in lists {
        if !values.is_empty() {
            data.set(key, Data::texts(values));
        }
    }
    if let Some(relation) = bases.relation {
        data.set("base_model_relation", Data::text(relation));
    }
    for (key, value) in [("library_name", &model.library), ("pipeline_tag", &model.task)] {
        if let Some(value) = value {
            data.set(key, Data::text(value));
        }
    }
    add_to(&mut data, "tags", &model.tags);
    let rows: Vec<_> =
        measured(model, input.evidence).into_iter().filter(|row| row.number().is_some()).collect();
    let metrics: Vec<_> = rows.iter().map(|row| metric_id(&row.benchmark.metric)).collect();
    add_to(&mut data, "metrics", &metrics);
    let results = results(input, &rows);
    let index = data.get("model-index").cloned().unwrap_or(Data::Null);
    let index = with_results(repaired(index), &model.name, results);
    if index != Data::Null {
        data.set("model-index", index);
    }
    data
}

/// Adds texts to a list that are not in it yet.
fn add_to(data: &mut Data, key: &str, texts: &[String]) {
    let mut items = data.get(key).map(Data::items).unwrap_or_default();
    let before = items.len();
    for text in texts {
        let text = Data::text(text);
        if !items.contains(&text) {
            items.push(text);
        }
    }
    if items.len() > before {
        data.set(key, Data::List(items));
    }
}

/// One result for each part of a dataset, in the policy's order, with the run as its source. The Hub
/// requires the task and the dataset's id; metrics measured on unnamed data are in the card's table
/// only.
fn results(input: &CardInput<'_>, rows: &[Measured<'_>]) -> Vec<Data> {
    let Some(task) = input.task() else { return Vec::new() };
    let mut sets: Vec<MeasuredSet<'_>> = Vec::new();
    for row in rows {
        let benchmark = row.benchmark;
        let dataset = benchmark.dataset.as_deref().filter(|id| is_dataset_id(id));
        let (Some(dataset), Some(number)) = (dataset, row.number()) else { continue };
        let part = [&benchmark.config, &benchmark.split, &benchmark.revision];
        let part = part.map(Option::as_deref);
        let metric = Data::Map(vec![
            ("type".into(), Data::Text(metric_id(&benchmark.metric))),
            ("value".into(), Data::Float(number)),
            ("name".into(), Data::text(row.name())),
        ]);
        match sets.iter_mut().find(|set| (set.dataset, set.part) == (dataset, part)) {
            Some(set) => set.metrics.push(metric),
            None => sets.push(MeasuredSet { dataset, part, metrics: vec![metric] }),
        }
    }
    sets.into_iter().map(|set| set.result(&task, input.run_url)).collect()
}

/// What was measured on one part of one dataset.
struct MeasuredSet<'a> {
    dataset: &'a str,
    /// Configuration, split and revision.
    part: [Option<&'a str>; 3],
    metrics: Vec<Data>,
}

impl MeasuredSet<'_> {
    /// A result of a `model-index`.
    fn result(self, task: &str, run_url: Option<&str>) -> Data {
        let mut dataset = vec![
            ("type".to_owned(), Data::text(self.dataset)),
            ("name".to_owned(), Data::text(self.dataset)),
        ];
        for (key, value) in ["config", "split", "revision"].into_iter().zip(self.part) {
            dataset.extend(value.map(|value| (key.to_owned(), Data::text(value))));
        }
        let mut result = vec![
            ("task".into(), Data::Map(vec![("type".into(), Data::text(task))])),
            ("dataset".into(), Data::Map(dataset)),
            ("metrics".into(), Data::List(self.metrics)),
        ];
        // The Hub's client reads no source without a name.
        result.extend(run_url.map(|url| {
            let source =
                vec![("name".into(), Data::text("Release run")), ("url".into(), Data::text(url))];
            ("source".into(), Data::Map(source))
        }));
        Data::Map(result)
    }
}

/// `name` or `namespace/name`, as the Hub's pattern for `dataset.type` has it.
fn is_dataset_id(id: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
    };
    id.split('/').count() <= 2 && id.split('/').all(part)
}

/// A metric's name as the Hub's ids are spelled: `ROC AUC (seniors)` → `roc_auc`.
fn metric_id(name: &str) -> String {
    let measure = name.split('(').next().filter(|measure| !measure.trim().is_empty());
    let is_kept = |c: char| c.is_alphanumeric() || "-/.".contains(c);
    let parts = measure.unwrap_or(name).split(|c| !is_kept(c)).filter(|part| !part.is_empty());
    let id = parts.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_");
    if id.is_empty() { "metric".into() } else { id }
}

/// Puts our results into the first entry of a `model-index`, in place of the metrics it has by the
/// same type and name on the same task, dataset and split, and on the same configuration where ours
/// has one. A dataset of another revision is still that dataset. Other metrics stay.
fn with_results(index: Data, name: &str, ours: Vec<Data>) -> Data {
    if ours.is_empty() {
        return index;
    }
    let mut entries = match index {
        Data::List(entries) => entries,
        // The card rules refuse anything else that a README has here; it is left for them to name.
        Data::Null => Vec::new(),
        other => return other,
    };
    if entries.is_empty() {
        entries.push(Data::Map(vec![("name".into(), Data::text(name))]));
    }
    let key = |result: &Data| {
        let text = |of: &str, key: &str| {
            result.get(of).and_then(|of| of.get(key)).and_then(Data::as_text).map(str::to_owned)
        };
        (text("task", "type"), text("dataset", "type"), text("dataset", "split"))
    };
    let mut results = entries[0].get("results").map(Data::items).unwrap_or_default();
    let config = |result: &Data| result.get("dataset").and_then(|data| data.get("config")).cloned();
    let is_on_the_same = |our: &Data, theirs: &Data| {
        key(our) == key(theirs)
            && (config(our).is_none() || config(theirs).is_none() || config(our) == config(theirs))
    };
    let metrics = |result: &Data| result.get("metrics").map(Data::items).unwrap_or_default();
    results.retain_mut(|theirs| {
        let same = ours.iter().filter(|our| is_on_the_same(our, theirs));
        let measured: Vec<_> = same.flat_map(metrics).collect();
        if measured.is_empty() {
            return true;
        }
        let mut others = metrics(theirs);
        others.retain(|metric| !measured.iter().any(|our| is_same_metric(our, metric)));
        let is_left = !others.is_empty();
        theirs.set("metrics", Data::List(others));
        is_left
    });
    results.extend(ours);
    entries[0].set("results", Data::List(results));
    Data::List(entries)
}

/// Of one type, and by one name where the other has one; tools write names in capitals.
fn is_same_metric(our: &Data, theirs: &Data) -> bool {
    let text = |metric: &Data, key| metric.get(key).and_then(Data::as_text).map(str::to_lowercase);
    let name = text(theirs, "name");
    text(our, "type") == text(theirs, "type") && (name.is_none() || name == text(our, "name"))
}

/// Takes out what training tools leave behind in results and the Hub refuses: null for a dataset's
/// config, split or revision, and the word None.
fn repaired(index: Data) -> Data {
    let is_left_behind = |value: &Data| *value == Data::Null || value.as_text() == Some("None");
    let dataset = |data: Data| match data {
        Data::Map(mut entries) => {
            entries.retain(|(key, value)| {
                !(matches!(key.as_str(), "config" | "split" | "revision") && is_left_behind(value))
            });
            Data::Map(entries)
        }
        other => other,
    };
    within(index, "results", &|result| within_key(result, "dataset", &dataset))
}

/// Applies a change to every item under `key` of every item of a list.
fn within(list: Data, key: &str, change: &dyn Fn(Data) -> Data) -> Data {
    let Data::List(items) = list else { return list };
    let each = |items: Data| match items {
        Data::List(items) => Data::List(items.into_iter().map(change).collect()),
        other => other,
    };
    Data::List(items.into_iter().map(|item| within_key(item, key, &each)).collect())
}

fn within_key(map: Data, key: &str, change: &dyn Fn(Data) -> Data) -> Data {
    let Data::Map(entries) = map else { return map };
    let each = |(name, value): (String, Data)| {
        let value = if name == key { change(value) } else { value };
        (name, value)
    };
    Data::Map(entries.into_iter().map(each).collect())
}
