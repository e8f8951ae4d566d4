//! Mends in a card's metadata what can be mended without knowing more: values that tools left
//! empty, ids in capitals, a word where a list belongs. Everything else keeps its bytes.

use crate::hub::card_rules::{self, Fix};
use crate::hub::front_matter::{self, FrontMatter, whole_lines};
use crate::hub::yaml_tree::{self, Value};
use crate::source::Position;

/// The card with what [`card_rules`] knows the mending of mended; what only a person can know stays.
/// To mend what is mended changes nothing.
pub fn repaired(card: &str) -> String {
    mended(card).unwrap_or_else(|| card.to_owned())
}

/// `None` where the metadata would be lost by it: of a block whose only entry goes, nothing is left
/// but fences, which begin another block with what follows.
fn mended(card: &str) -> Option<String> {
    let block = front_matter::split(card)?;
    let mut mends = card_rules::mends(block.yaml);
    if mends.is_empty() {
        return None;
    }
    // From the end: what stands before keeps its place.
    mends.sort_by_key(|(at, _)| std::cmp::Reverse((at.line, at.column)));
    let before = whole_lines(&card[..block.offset]).count();
    let mut lines: Vec<String> = whole_lines(card).map(str::to_owned).collect();
    for (at, fix) in &mends {
        mend(&mut lines[before..], *at, fix);
    }
    let card = lines.concat();
    let is_sound = |left: FrontMatter<'_>| {
        let root = yaml_tree::parse(left.yaml).ok().flatten();
        left.body == block.body && root.is_some_and(|root| matches!(root.value, Value::Map(_)))
    };
    front_matter::split(&card).is_some_and(is_sound).then_some(card)
}

fn mend(lines: &mut [String], at: Position, fix: &Fix) {
    let Some(line) = lines.get_mut(at.line as usize - 1) else { return };
    match fix {
        Fix::Write(_) => {}
        // A key that shares its line with a dash or a bracket cannot go alone.
        Fix::Remove(key) => {
            let entry = line.trim_start().strip_prefix(key).and_then(|rest| rest.strip_prefix(':'));
            if entry.is_some_and(|value| !value.contains(['{', '[', '|', '>', '&', '#'])) {
                line.clear();
            }
        }
        Fix::Replace(from, to) => {
            let Some((start, _)) = line.char_indices().nth(at.column as usize - 1) else { return };
            let (before, rest) = line.split_at(start);
            let quoted = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
            if let Some(after) = quoted.strip_prefix(from.as_str())
                && after.trim_start_matches(['"', '\'']).trim().is_empty()
            {
                *line = format!("{before}{to}{}", after.trim_start_matches(['"', '\'']));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(metadata: &str) -> String {
        let card = repaired(&format!("---\n{metadata}---\n\n  # Title \r\n"));
        let rest = card.strip_prefix("---\n").expect("the fence stays");
        let (metadata, body) = rest.split_once("---\n").expect("the fence stays");
        assert_eq!(body, "\n  # Title \r\n");
        metadata.to_owned()
    }

    #[test]
    fn what_tools_left_empty_goes() {
        let dataset = "model-index:\n- name: m\n  results:\n  - task: {type: t}\n    dataset:\n      name: d\n      type: a/d\n      config: null\n      split: None\n    metrics:\n    - {type: f1, value: 1.0}\n";
        let expected = dataset.replace("      config: null\n      split: None\n", "");
        assert_eq!(mended(dataset), expected);
        assert_eq!(mended("language: ~\nlicense: mit\n"), "license: mit\n");
    }

    #[test]
    fn values_that_are_known_are_put_right() {
        for (before, after) in [
            ("license: Apache-2.0\n", "license: apache-2.0\n"),
            ("license: \"MIT\"   \n", "license: mit   \n"),
            ("language: zh-CN\n", "language: zh\n"),
            ("language:\n- EN\n- de\n", "language:\n- en\n- de\n"),
            ("license: mit\ntags: demo\n", "license: mit\ntags: [demo]\n"),
        ] {
            assert_eq!(mended(before), after);
        }
    }

    #[test]
    fn what_only_a_person_knows_stays() {
        for metadata in [
            "license: my own\n",
            "language: klingon-like\n",
            "base_model: /home/me/out\nlicense: mit\n",
            "language: {a: ~}\n",
            "license: mit # the MIT licence\ntags: demo # one\n",
            "a: [\n",
            // Which of the two counts, and what belongs where nothing would be left.
            "license: ~\nlicense: MIT\n",
            "language: ~\n",
            "# by hand\nlanguage: ~\n",
            // No list when it stands between brackets.
            "license: mit\ntags: 'a] # b'\n",
        ] {
            assert_eq!(mended(metadata), metadata);
        }
        assert_eq!(repaired("no metadata\n"), "no metadata\n");
    }

    #[test]
    fn what_was_mended_is_sound() {
        let many =
            |code: &str| format!("---\nlanguage:\n{}---\n", format!("- {code}\n").repeat(120));
        let block = "---\nlanguage: ~\n---\nlicense: MIT\n---\n";
        for (before, after) in [
            // What follows an emptied block is no metadata.
            (block, block),
            // A lone `\r` ends a line, in the block and before it.
            ("\r---\rlanguage: ~\rlicense: MIT\r---\r\ra", "\r---\rlicense: mit\r---\r\ra"),
            ("---\r\nlicense: MIT\r\nlanguage: ~\r\n---\r\n", "---\r\nlicense: mit\r\n---\r\n"),
            // More than are told of.
            (&many("EN"), &many("en")),
        ] {
            assert_eq!(repaired(before), after);
            assert_eq!(repaired(after), after);
        }
    }
}
