//! Versions that are nearly SemVer 2, and how SemVer spells them.

use semver::Version;

/// A text that is no SemVer version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misspelt {
    /// What it is instead.
    pub(super) why: String,
    /// The SemVer version that was probably meant, without the `v`.
    pub(super) meant: Option<String>,
}

/// Reads `1.2.3` or `v1.2.3`.
pub(super) fn version(text: &str) -> Result<Version, Misspelt> {
    let bare = text.strip_prefix('v').unwrap_or(text);
    Version::parse(bare).map_err(|error| {
        let bare = bare.strip_prefix('V').unwrap_or(bare);
        let Some((meant, kind)) = meant(bare) else {
            return Misspelt {
                why: format!("`{text}` is not a SemVer 2 version ({error})"),
                meant: None,
            };
        };
        Misspelt { why: format!("`{text}` is {kind}, not a SemVer 2 version"), meant: Some(meant) }
    })
}

/// PEP 440's words for prereleases (<https://peps.python.org/pep-0440/#pre-release-spelling>) and
/// those of SemVer.
fn word(written: &str) -> &str {
    match written {
        "a" => "alpha",
        "b" => "beta",
        "c" | "pre" => "rc",
        other => other,
    }
}

/// The SemVer spelling of a near miss, and what the text is as it stands.
fn meant(text: &str) -> Option<(String, &'static str)> {
    let text = text.trim().to_ascii_lowercase();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    // Numbers lose leading zeros; `1.2.0.dev1` leaves an empty part before its word.
    let numbers: Vec<u64> = numbers
        .trim_end_matches('.')
        .split('.')
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let (major, minor, patch) = match numbers[..] {
        [major] => (major, 0, 0),
        [major, minor] => (major, minor, 0),
        [major, minor, patch] => (major, minor, patch),
        _ => return None,
    };
    let core = Version::new(major, minor, patch);
    if rest.is_empty() {
        let kind =
            if numbers.len() < 3 { "a short version" } else { "a version with leading zeros" };
        return Some((core.to_string(), kind));
    }
    let (rest, local) = rest.split_once('+').unwrap_or((rest, ""));
    let marks = pieces(rest)?;
    if marks.iter().any(|(word, _)| matches!(*word, "post" | "rev" | "r")) {
        // SemVer has nothing after a version but the next one.
        let next = Version::new(major, minor, patch.checked_add(1)?);
        return Some((next.to_string(), "a PEP 440 post-release"));
    }
    let marks: Vec<_> = marks
        .iter()
        .map(|(written, count)| match count {
            Some(count) => format!("{}.{count}", word(written)),
            None => word(written).to_owned(),
        })
        .collect();
    let build = if local.is_empty() { String::new() } else { format!("+{local}") };
    let spelt = format!("{core}-{}{build}", marks.join("."));
    Version::parse(&spelt).is_ok().then_some((spelt, "a PEP 440 or short spelling"))
}

/// `rc1.dev2` as `[(rc, 1), (dev, 2)]`.
fn pieces(text: &str) -> Option<Vec<(&str, Option<u64>)>> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start_matches(['-', '.', '_']);
    while !rest.is_empty() {
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(letters);
        let tail = tail.trim_start_matches(['-', '.', '_']);
        let digits = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (count, tail) = tail.split_at(digits);
        if word.is_empty() {
            return None;
        }
        let count = if count.is_empty() { None } else { Some(count.parse().ok()?) };
        pieces.push((word, count));
        rest = tail.trim_start_matches(['-', '.', '_']);
    }
    (!pieces.is_empty()).then_some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_understood() {
        for (text, expected) in [
            ("1.2", "1.2.0"),
            ("v3", "3.0.0"),
            ("V1.2.3", "1.2.3"),
            ("01.2.3", "1.2.3"),
            ("1.2.0rc1", "1.2.0-rc.1"),
            ("1.2.0-rc.01", "1.2.0-rc.1"),
            ("1.2rc1", "1.2.0-rc.1"),
            ("1.2.0a2", "1.2.0-alpha.2"),
            ("1.2.0b", "1.2.0-beta"),
            ("1.2.0c3", "1.2.0-rc.3"),
            ("1.2.0.dev4", "1.2.0-dev.4"),
            ("1.2.0rc1.dev3", "1.2.0-rc.1.dev.3"),
            ("1.2.0RC1", "1.2.0-rc.1"),
            ("1.2.0rc1+cuda", "1.2.0-rc.1+cuda"),
            ("1.2.0.post1", "1.2.1"),
        ] {
            assert_eq!(version(text).expect_err(text).meant.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_means_nothing_is_not_guessed() {
        for text in ["", "latest", "1.2.3.4", "1!2.0", "1..2", "99999999999999999999.0.0", "1.2.ü"]
        {
            let wrong = version(text).expect_err(text);
            assert!(wrong.meant.is_none(), "{text}: {wrong:?}");
        }
    }
}
