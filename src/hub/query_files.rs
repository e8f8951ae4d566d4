//! The files by which the Hub counts downloads: a request of one of them is a download, a request
//! of any other is not. <https://huggingface.co/docs/hub/models-download-stats>

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::tables::LIBRARIES;

/// Libraries that count by files of their own.
const OWN: &str = include_str!("tables/query-files.tsv");

/// What counts for every other library, and for a model without one.
const USUAL: [&str; 5] =
    ["config.json", "config.yaml", "hyperparams.yaml", "params.json", "meta.yaml"];

/// What counts for any library.
const ALWAYS: &str = "*.gguf";

/// The file that a release adds where nothing else would count.
pub const ADDED: &str = "config.json";

/// By what the downloads of a model are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// This one of its files.
    By(String),
    /// [`ADDED`], which the release adds.
    ByAdded,
    /// Nothing: they read zero.
    Not,
}

impl Counted {
    /// For a library and the paths of a model's files; `may_add` is the policy's word on [`ADDED`].
    ///
    /// It is added for libraries that the Hub does not know only: those that it knows read a
    /// `config.json` themselves, and would take ours for a part of the model.
    pub fn of(library: Option<&str>, paths: &[&str], may_add: bool) -> Self {
        let globs = globs(library).into_iter().chain([ALWAYS]);
        let counts = |glob: &str| {
            let glob = Glob::new(glob).ok()?.compile_matcher();
            paths.iter().find(|path| glob.is_match(path))
        };
        let taken = || paths.iter().any(|path| path.eq_ignore_ascii_case(ADDED));
        match globs.into_iter().find_map(counts) {
            Some(path) => Self::By((*path).to_owned()),
            None if may_add && is_unknown(library) && !taken() => Self::ByAdded,
            None => Self::Not,
        }
    }

    /// The path of the file.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::By(path) => Some(path),
            Self::ByAdded => Some(ADDED),
            Self::Not => None,
        }
    }
}

/// The files that count for a library, as globs in which `*` crosses folders.
pub fn globs(library: Option<&str>) -> Vec<&'static str> {
    let mut rows = OWN.lines().filter_map(|line| line.split_once('\t'));
    let own = rows.find(|(id, _)| Some(*id) == library);
    own.map_or_else(|| USUAL.to_vec(), |(_, globs)| globs.split(' ').collect())
}

/// Tells which files count for a library.
pub struct Queries(GlobSet);

impl Queries {
    /// For a library.
    pub fn of(library: Option<&str>) -> Self {
        let mut set = GlobSetBuilder::new();
        // The table's globs are sound: a test builds each.
        for glob in
            globs(library).into_iter().chain([ALWAYS]).filter_map(|glob| Glob::new(glob).ok())
        {
            set.add(glob);
        }
        Self(set.build().unwrap_or_default())
    }

    /// Whether a request of the file at this path counts as a download.
    pub fn count(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

/// Whether the Hub knows nothing of a library.
pub fn is_unknown(library: Option<&str>) -> bool {
    library.is_none_or(|id| !LIBRARIES.has(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_counts_by_its_own_files_or_the_usual_ones() {
        for (library, path, counts) in [
            (None, "config.json", true),
            (None, "meta.yaml", true),
            (None, "sub/config.json", false),
            (None, "model.safetensors", false),
            (Some("xgboost"), "config.json", true),
            (Some("xgboost"), "model.ubj", false),
            (Some("sklearn"), "sklearn_model.joblib", true),
            (Some("sklearn"), "config.json", false),
            (Some("peft"), "adapter_config.json", true),
            (Some("keras"), "sub/m.keras", true),
            (Some("spacy"), "en_tiny-any-py3-none-any.whl", true),
            (Some("timm"), "model.safetensors", true),
            (Some("whisperkit"), "model.mil", false),
            (Some("whisperkit"), "encoder/model.mil", true),
            (Some("sklearn"), "sub/q4.gguf", true),
        ] {
            let counted = Counted::of(library, &["LICENSE", path], false);
            let expected = if counts { Counted::By(path.into()) } else { Counted::Not };
            assert_eq!(counted, expected, "{library:?} {path}");
            assert_eq!(Queries::of(library).count(path), counts, "{library:?} {path}");
        }
    }

    #[test]
    fn a_file_is_added_for_libraries_that_the_hub_does_not_know() {
        for (library, path, added) in [
            (Some("xgboost"), "model.ubj", true),
            (Some("onnx"), "model.onnx", true),
            (None, "weights.bin", true),
            (None, "Config.JSON", false),
            (None, "config.json", false),
            (Some("transformers"), "model.safetensors", false),
            (Some("sklearn"), "model.skops", false),
        ] {
            assert_eq!(Counted::of(library, &[path], true) == Counted::ByAdded, added, "{path}");
            assert_ne!(Counted::of(library, &[path], false), Counted::ByAdded);
        }
    }

    #[test]
    fn the_table_is_whole() {
        let rows: Vec<_> = OWN.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(rows.len(), 195);
        for row in rows {
            let (id, globs) = row.split_once('\t').expect("id and globs");
            assert!(LIBRARIES.has(id), "{id}");
            assert!(globs.split(' ').all(|glob| Glob::new(glob).is_ok()), "{globs}");
        }
    }
}
