//! Which files git keeps as LFS pointers (`.gitattributes`) and which it leaves out
//! (`.gitignore`), by git's pattern rules as far as the Hub's clients use them.

use globset::{GlobBuilder, GlobMatcher};

use crate::rel_path::RelPath;

pub(super) const GITATTRIBUTES: &str = ".gitattributes";

/// What the Hub puts into a new model repository: the formats that are always large files.
pub(super) const DEFAULT_GITATTRIBUTES: &str = "\
*.7z filter=lfs diff=lfs merge=lfs -text
*.arrow filter=lfs diff=lfs merge=lfs -text
*.bin filter=lfs diff=lfs merge=lfs -text
*.bz2 filter=lfs diff=lfs merge=lfs -text
*.ckpt filter=lfs diff=lfs merge=lfs -text
*.ftz filter=lfs diff=lfs merge=lfs -text
*.gz filter=lfs diff=lfs merge=lfs -text
*.h5 filter=lfs diff=lfs merge=lfs -text
*.joblib filter=lfs diff=lfs merge=lfs -text
*.lfs.* filter=lfs diff=lfs merge=lfs -text
*.mlmodel filter=lfs diff=lfs merge=lfs -text
*.model filter=lfs diff=lfs merge=lfs -text
*.msgpack filter=lfs diff=lfs merge=lfs -text
*.npy filter=lfs diff=lfs merge=lfs -text
*.npz filter=lfs diff=lfs merge=lfs -text
*.onnx filter=lfs diff=lfs merge=lfs -text
*.ot filter=lfs diff=lfs merge=lfs -text
*.parquet filter=lfs diff=lfs merge=lfs -text
*.pb filter=lfs diff=lfs merge=lfs -text
*.pickle filter=lfs diff=lfs merge=lfs -text
*.pkl filter=lfs diff=lfs merge=lfs -text
*.pt filter=lfs diff=lfs merge=lfs -text
*.pth filter=lfs diff=lfs merge=lfs -text
*.rar filter=lfs diff=lfs merge=lfs -text
*.safetensors filter=lfs diff=lfs merge=lfs -text
saved_model/**/* filter=lfs diff=lfs merge=lfs -text
*.tar.* filter=lfs diff=lfs merge=lfs -text
*.tar filter=lfs diff=lfs merge=lfs -text
*.tflite filter=lfs diff=lfs merge=lfs -text
*.tgz filter=lfs diff=lfs merge=lfs -text
*.wasm filter=lfs diff=lfs merge=lfs -text
*.xz filter=lfs diff=lfs merge=lfs -text
*.zip filter=lfs diff=lfs merge=lfs -text
*.zst filter=lfs diff=lfs merge=lfs -text
*tfevents* filter=lfs diff=lfs merge=lfs -text
";

/// The most lines that are read of either file.
const LINES_MAX: usize = 10_000;

/// The `filter` patterns of a `.gitattributes` file, in order.
#[derive(Default)]
pub(super) struct Attributes(Vec<(Pattern, bool)>);

impl Attributes {
    pub(super) fn parse(text: &str) -> Self {
        let mut rules = Vec::new();
        for line in text.lines().take(LINES_MAX) {
            let mut words = line.split_ascii_whitespace();
            let Some(pattern) = words.next().filter(|word| !word.starts_with('#')) else {
                continue;
            };
            let is_large = words.fold(None, |before, word| match word {
                "filter=lfs" => Some(true),
                "-filter" | "!filter" => Some(false),
                _ if word.starts_with("filter=") => Some(false),
                _ => before,
            });
            if let (Some(is_large), Some(pattern)) = (is_large, Pattern::parse(pattern)) {
                rules.push((pattern, is_large));
            }
        }
        Self(rules)
    }

    /// Whether git would keep this file as an LFS pointer: the last matching line decides.
    pub(super) fn is_large(&self, path: &str) -> bool {
        self.0.iter().rev().find(|(pattern, _)| pattern.matches(path)).is_some_and(|rule| rule.1)
    }

    /// `text` with a line for each path that no pattern covers; `None` where none is needed.
    pub(super) fn track(&self, text: &str, paths: &[&RelPath]) -> Option<String> {
        let mut missing: Vec<&str> =
            paths.iter().map(|path| path.as_str()).filter(|path| !self.is_large(path)).collect();
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return None;
        }
        let mut extended = text.to_owned();
        if !extended.is_empty() && !extended.ends_with('\n') {
            extended.push('\n');
        }
        for path in missing {
            extended.push_str(&escaped(path));
            extended.push_str(" filter=lfs diff=lfs merge=lfs -text\n");
        }
        Some(extended)
    }
}

/// A path as a pattern that matches it alone.
fn escaped(path: &str) -> String {
    let mut pattern = String::new();
    for (at, c) in path.chars().enumerate() {
        match c {
            ' ' => pattern.push_str("[[:space:]]"),
            '*' | '?' | '[' | '\\' => pattern.extend(['\\', c]),
            '#' | '!' | '"' if at == 0 => pattern.extend(['\\', c]),
            _ => pattern.push(c),
        }
    }
    pattern
}

/// The patterns of a `.gitignore` file, in order.
pub(super) struct Ignores(Vec<(Pattern, bool)>);

impl Ignores {
    pub(super) fn parse(text: &str) -> Self {
        let rule = |line: &str| {
            let line = line.trim_end();
            let (line, ignored) = match line.strip_prefix('!') {
                Some(rest) => (rest, false),
                None => (line, true),
            };
            let skipped = line.is_empty() || line.starts_with('#');
            (!skipped).then(|| Pattern::parse(line)).flatten().map(|pattern| (pattern, ignored))
        };
        Self(text.lines().take(LINES_MAX).filter_map(rule).collect())
    }

    /// Whether the file, or a folder it stands in, is left out.
    pub(super) fn covers(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| (at, true)).chain([(path.len(), false)]);
        ends.into_iter().any(|(end, is_folder)| {
            let last = self.0.iter().rev().find(|(pattern, _)| {
                (is_folder || !pattern.folders_only) && pattern.matches(&path[..end])
            });
            last.is_some_and(|(_, ignored)| *ignored)
        })
    }
}

/// A pattern of either file: without a slash it speaks of names, with one of whole paths.
struct Pattern {
    glob: GlobMatcher,
    whole_path: bool,
    folders_only: bool,
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (text, folders_only) = match text.strip_suffix('/') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let whole_path = text.contains('/');
        let text = text.strip_prefix('/').unwrap_or(text).replace("[[:space:]]", "[ \t]");
        let glob = GlobBuilder::new(&text).literal_separator(true).backslash_escape(true).build();
        Some(Self { glob: glob.ok()?.compile_matcher(), whole_path, folders_only })
    }

    fn matches(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.glob.is_match(if self.whole_path { path } else { name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_matching_line_decides() {
        let attributes = Attributes::parse(
            "# models\n*.bin filter=lfs diff=lfs\nkeep/*.bin -filter\n/top.dat filter=lfs\n[ filter=lfs\n",
        );
        assert!(attributes.is_large("a/b/model.bin"));
        assert!(!attributes.is_large("keep/model.bin"));
        assert!(attributes.is_large("top.dat") && !attributes.is_large("sub/top.dat"));
        assert!(!attributes.is_large("README.md"));
        assert!(Attributes::parse(DEFAULT_GITATTRIBUTES).is_large("saved_model/a/b.txt"));
    }

    #[test]
    fn a_path_becomes_a_pattern_that_matches_it_alone() {
        for odd in ["my model.odd", "a*b?.x", "#start", "!no", "\"q\"", "sub/é [1].x"] {
            let path = RelPath::parse(odd).expect(odd);
            let text = Attributes::default().track("", &[&path]).expect("needed");
            let attributes = Attributes::parse(&text);
            assert!(attributes.is_large(odd), "{odd}: {text}");
            assert!(attributes.track(&text, &[&path]).is_none(), "{odd}");
        }
        let star = RelPath::parse("a*b").expect("valid");
        let text = Attributes::default().track("*.x text", &[&star]).expect("needed");
        assert!(text.starts_with("*.x text\n") && !Attributes::parse(&text).is_large("aXb"));
    }

    #[test]
    fn ignores_files_and_whole_folders() {
        let ignores = Ignores::parse("*.log\n!keep.log\nbuild/\n/only-top\n");
        assert!(ignores.covers("a/x.log") && !ignores.covers("a/keep.log"));
        assert!(ignores.covers("build/x") && ignores.covers("a/build/x"));
        assert!(!ignores.covers("build"), "a file of that name is no folder");
        assert!(ignores.covers("only-top") && !ignores.covers("a/only-top"));
    }
}
