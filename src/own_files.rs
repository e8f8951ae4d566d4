//! The files of a version that weighbridge itself writes, by their names in the repository. A file of
//! the artifact folder at one of them is not weighed, for it is not what is published.

/// The model card.
pub const CARD: &str = "README.md";
/// The release record.
pub const RECORD: &str = "weighbridge.json";
/// The chart that the card shows.
pub const CHART: &str = "weighbridge-history.svg";
/// Results in the Hub's own form.
pub const EVAL_RESULTS: &str = ".eval_results/weighbridge.yaml";

/// All of them, whether a version has them or not. The `config.json` that is added for the Hub's
/// counter is none: where the folder has one, that one is published.
pub const ALL: [&str; 4] = [CARD, RECORD, CHART, EVAL_RESULTS];

/// The name that a path takes: it is that name, or lies in a folder of that name, which could not
/// stand beside the file.
pub fn taken(path: &str) -> Option<&'static str> {
    ALL.into_iter().find(|name| {
        path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Whether a file that begins so is a release record, as a version that was downloaded has one.
pub fn is_record(beginning: &[u8]) -> bool {
    let beginning = String::from_utf8_lossy(beginning);
    beginning.starts_with("{\n  \"schema\": ") && beginning.contains("\n  \"repo_id\": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_at_the_top_and_as_folders() {
        for (path, name) in [
            ("README.md", Some(CARD)),
            ("weighbridge.json/a", Some(RECORD)),
            (".eval_results/weighbridge.yaml", Some(EVAL_RESULTS)),
            (".eval_results/other.yaml", None),
            ("sub/README.md", None),
            ("README.md.bak", None),
            ("config.json", None),
        ] {
            assert_eq!(taken(path), name, "{path}");
        }
    }
}
