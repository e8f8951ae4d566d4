//! What is known by paths, found by those around and below: a pipeline may have very many.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::{Pin, Pipeline, Reach, below};

/// Values by path.
pub(super) struct Paths<'p, T>(BTreeMap<&'p str, Vec<T>>);

impl<'p, T> Paths<'p, T> {
    pub(super) fn of(entries: impl IntoIterator<Item = (&'p str, T)>) -> Self {
        let mut paths: BTreeMap<_, Vec<T>> = BTreeMap::new();
        for (path, value) in entries {
            paths.entry(path).or_default().push(value);
        }
        Self(paths)
    }

    /// The paths that are this one, are around it, or lie in it.
    pub(super) fn overlapping<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'p str> + 'a {
        let known = around(path).filter_map(|one| Some(*self.0.get_key_value(one)?.0));
        let inside = if path.is_empty() { String::new() } else { format!("{path}/") };
        let range = self.0.range::<str, _>((Bound::Included(inside.as_str()), Bound::Unbounded));
        let within = range.map(|(key, _)| *key).take_while(move |key| key.starts_with(&inside));
        known.chain(within.filter(move |key| *key != path && below(key, path).is_some()))
    }

    /// Takes out what stands at a path.
    pub(super) fn take(&mut self, path: &str) -> Vec<T> {
        self.0.remove(path).unwrap_or_default()
    }
}

/// A path and the folders around it; the empty one is around all that does not lead out of it.
fn around(path: &str) -> impl Iterator<Item = &str> {
    let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
    let folders = folders.filter(|folder| !folder.is_empty());
    let root = below(path, "").is_some() && !path.is_empty();
    folders.chain(root.then_some("")).chain([path])
}

/// The paths of the artifact folder that are pinned.
pub struct Pinned<'p> {
    files: BTreeSet<&'p str>,
    folders: BTreeSet<&'p str>,
}

impl<'p> Pinned<'p> {
    pub(super) fn of(pipeline: &'p Pipeline) -> Self {
        let (mut files, mut folders) = (BTreeSet::new(), BTreeSet::new());
        for (Pin { reach, is_folder, .. }, _) in pipeline.all().filter(|(pin, _)| pin.md5.is_some())
        {
            if let Reach::Inside(path) = reach {
                (if *is_folder { &mut folders } else { &mut files }).insert(path.as_str());
            }
        }
        Self { files, folders }
    }

    /// Whether the file at a path is pinned, alone or with a folder around it.
    pub fn holds(&self, path: &str) -> bool {
        self.files.contains(path) || around(path).any(|folder| self.folders.contains(folder))
    }
}
