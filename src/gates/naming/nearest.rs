//! The name that follows a convention and is nearest to one that does not.

use super::Place;
use crate::policy::{Convention, Part};

/// Its template, with `{major}` as the policy has it and `<word>` for what nobody can know.
pub(super) fn name(convention: &Convention, place: &Place<'_>) -> String {
    let mut words = words(convention, place);
    let free = convention.parts.iter().filter(|part| is_free(part)).count();
    // More words than places for them: the last place takes the rest.
    if let Some(surplus) = words.len().checked_sub(free).filter(|surplus| *surplus > 0)
        && free > 0
    {
        let last = words.split_off(words.len() - surplus - 1).concat();
        words.push(last);
    }
    let missing = free.saturating_sub(words.len());
    let mut words = words.into_iter();
    let mut seen_free = 0;
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Model => place.model.name.clone(),
        Part::Stage => place.stage.name.clone(),
        Part::Major => "{major}".into(),
        Part::Word { name, allowed } if !allowed.is_empty() => match &allowed[..] {
            [only] => only.clone(),
            many => {
                let found = many.iter().find(|value| has(place, value));
                found.cloned().unwrap_or_else(|| format!("<{name}>"))
            }
        },
        // What is missing is missing at the beginning: names begin with what is said of all.
        Part::Word { name, .. } => {
            seen_free += 1;
            let word = if seen_free > missing { words.next() } else { None };
            word.unwrap_or_else(|| format!("<{name}>"))
        }
    };
    convention.parts.iter().map(part).collect()
}

fn is_free(part: &Part) -> bool {
    matches!(part, Part::Word { allowed, .. } if allowed.is_empty())
}

fn lower_words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect()
}

/// Whether a value is among the words of the name.
fn has(place: &Place<'_>, value: &str) -> bool {
    let (words, value) = (lower_words(&place.name), lower_words(value));
    !value.is_empty() && words.windows(value.len()).any(|some| some == value)
}

/// The words of the name that free places may take: not those of the convention itself, of fixed
/// values, nor the version.
fn words(convention: &Convention, place: &Place<'_>) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    for part in &convention.parts {
        match part {
            Part::Text(text) => taken.extend(lower_words(text)),
            Part::Model => taken.extend(lower_words(&place.model.name)),
            Part::Stage => taken.extend(lower_words(&place.stage.name)),
            Part::Word { allowed, .. } => {
                taken.extend(allowed.iter().flat_map(|value| lower_words(value)));
            }
            Part::Major => {}
        }
    }
    let is_version = |word: &str| {
        let digits = word.strip_prefix('v').unwrap_or(word);
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
    };
    let versioned = convention.parts.contains(&Part::Major);
    let mut words = lower_words(&place.name);
    words.retain(|word| !(taken.contains(word) || versioned && is_version(word)));
    words
}
