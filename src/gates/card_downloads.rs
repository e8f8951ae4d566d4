//! Whether the Hub will count downloads of the model.

use super::Load;
use crate::finding::{Finding, Level, Rule};
use crate::hub::query_files::{ADDED, Counted, globs, is_unknown};
use crate::hub::yaml_tree::Node;
use crate::own_files;

pub(super) const NOT_COUNTED: Rule = Rule {
    id: "downloads-not-counted",
    level: Level::Note,
    summary: "the Hub would count no downloads of the model",
    reason: "The Hub counts requests of certain files, by library; a model without one of them shows \
             zero downloads, however often it is used.",
    fix: "publish one of the files that count too, or accept it: `rules: {downloads-not-counted: off}`",
    example: "library: sklearn with the file model.skops",
};

/// Speaks where neither the files nor what weighbridge adds to them would count; `root` is the
/// card's metadata.
pub(super) fn finding(load: &Load<'_>, root: Option<&Node>) -> Option<Finding> {
    let library = root.and_then(|root| root.get("library_name")).and_then(Node::as_text);
    let files = load.inventory.files.iter().map(|file| file.path.as_str());
    let kept = load.published.map(|published| published.kept.as_slice()).unwrap_or_default();
    let kept = kept.iter().map(String::as_str);
    let paths: Vec<_> = files.chain(own_files::ALL).chain(kept).collect();
    let may_add = load.model.may_add(ADDED);
    let nothing = load.inventory.files.is_empty();
    if nothing || Counted::of(library, &paths, may_add) != Counted::Not {
        return None;
    }
    let wanted = globs(library).iter().map(|glob| format!("`{glob}`")).collect::<Vec<_>>();
    let message = format!(
        "the Hub would count no downloads: for {} it counts requests of {}, and no such file is \
         published",
        library.map_or_else(|| "a model without a library".into(), |id| format!("`{id}`")),
        wanted.join(" or ")
    );
    let accept = "or accept it: `rules: {downloads-not-counted: off}`";
    let has = |ending| paths.iter().any(|path| path.ends_with(ending));
    let fix = if !may_add && is_unknown(library) {
        let remove = if load.model.publish.query_file {
            "take `config.json` out of `exclude:`"
        } else {
            "remove `query-file: false` from `publish:`"
        };
        format!("{remove}, and a small `config.json` is added; {accept}")
    } else if library == Some("sklearn") && has(".joblib") {
        format!("name the model's file `sklearn_model.joblib`; {accept}")
    } else {
        format!("publish one of these files too; {accept}")
    };
    Some(Finding::new(&NOT_COUNTED, message, load.model.at.clone()).with_fix(fix))
}

#[cfg(test)]
mod tests {
    use crate::gates::card::Card;
    use crate::gates::sample::Sample;

    /// A sample with one file, and perhaps another library.
    fn with(file: &str, library: &str) -> Sample {
        let mut sample = Sample::new();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(file), "x").expect("writable");
        let inventory = crate::inventory::take(folder.path(), "", &[], &[], &|_| {});
        sample.inventory = inventory.expect("a file");
        sample.card = sample.card.replace("library_name: sklearn", library);
        sample
    }

    #[test]
    fn speaks_only_where_nothing_would_count() {
        for (file, library) in [
            ("sklearn_model.joblib", "library_name: sklearn"),
            ("m.gguf", "library_name: sklearn"),
            ("config.json", "library_name: transformers"),
            ("m.ubj", "library_name: xgboost"),
            ("m.nemo", "library_name: nemo"),
            ("lora.safetensors", "library_name: diffusers"),
        ] {
            assert_eq!(with(file, library).weigh(&Card).0, Vec::<String>::new(), "{library}");
        }
    }

    #[test]
    fn says_what_would_count() {
        assert_eq!(
            with("m.skops", "library_name: sklearn").one(&Card, "downloads-not-counted"),
            "downloads-not-counted at weighbridge.yml:2:1: the Hub would count no downloads: for \
             `sklearn` it counts requests of `sklearn_model.joblib`, and no such file is published"
        );
        with("m.safetensors", "library_name: transformers").one(&Card, "downloads-not-counted");
        let mut declined = with("m.ubj", "library_name: xgboost");
        declined.model().publish.query_file = false;
        declined.one(&Card, "downloads-not-counted");
    }
}
