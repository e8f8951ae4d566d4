//! Mends in a card's metadata what can be mended without knowing more: values that tools left
//! empty, ids in capitals, a word where a list belongs. Everything else keeps its bytes.

use crate::hub::card_rules::{self, Fix, Problem};

/// The card with what [`card_rules`] knows the mending of mended; what only a person can know stays.
pub fn repaired(card: &str) -> String {
    let found = card_rules::check(card);
    let mut lines: Vec<String> = card.split_inclusive('\n').map(str::to_owned).collect();
    let mut problems: Vec<_> = found.errors.iter().chain(&found.warnings).collect();
    // From the end: what stands before keeps its place.
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.at.map(|at| (at.line, at.column))));
    for problem in problems {
        mend(&mut lines, problem);
    }
    lines.concat()
}

fn mend(lines: &mut [String], problem: &Problem) {
    let Some(at) = problem.at else { return };
    let Some(line) = lines.get_mut(at.line as usize - 1) else { return };
    match &problem.fix {
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
        ] {
            assert_eq!(mended(metadata), metadata);
        }
        assert_eq!(repaired("no metadata\n"), "no metadata\n");
    }
}
