//! Which licence a text is: by its title where the licence is a company's own, else by comparing it
//! with the texts of the SPDX list, as `askalono` does (the Sørensen–Dice coefficient of word pairs).

use std::io::Read as _;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use spdx::detection::TextData;

use crate::hub::licenses;

/// Texts from which on two are the same licence; between 0 and 1. Licences that differ in one clause
/// (CC-BY-4.0 and CC-BY-NC-4.0) are told apart by which of them is nearest.
const SAME: f32 = 0.85;

/// A text by its titles: all of them stand in it, in lower case and with single blanks.
const TITLED: [(&str, &[&str]); 20] = [
    ("llama4", &["llama 4 community license agreement"]),
    ("llama3.3", &["llama 3.3 community license agreement"]),
    ("llama3.2", &["llama 3.2 community license agreement"]),
    ("llama3.1", &["llama 3.1 community license agreement"]),
    ("llama3", &["meta llama 3 community license agreement"]),
    ("llama2", &["llama 2 community license agreement"]),
    ("gemma", &["gemma terms of use", "model derivatives"]),
    ("grok2-community", &["grok 2 community license"]),
    ("bigscience-bloom-rail-1.0", &["bigscience rail license v1.0", "bloom"]),
    ("bigscience-openrail-m", &["bigscience open rail-m license"]),
    ("bigcode-openrail-m", &["bigcode open rail-m"]),
    ("openrail++", &["creativeml open rail++-m license"]),
    ("creativeml-openrail-m", &["creativeml open rail-m"]),
    ("deepfloyd-if-license", &["deepfloyd if license agreement"]),
    ("fair-noncommercial-research-license", &["fair noncommercial research license"]),
    ("apple-amlr", &["apple machine learning research model"]),
    ("apple-ascl", &["apple sample code license"]),
    ("intel-research", &["intel research use license"]),
    ("h-research", &["h research license"]),
    ("lgpl-lr", &["lesser general public license for linguistic resources"]),
];

/// Hub ids with the texts of those that SPDX has.
static TEXTS: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    let packed: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/license_texts.gz"));
    let mut plain = String::new();
    // The build wrote it; were it broken, no text would be known, and the tests would tell.
    let _ = GzDecoder::new(packed).read_to_string(&mut plain);
    let parts: Vec<_> = plain.split('\0').collect();
    let pairs = parts.chunks_exact(2);
    let hub_id = |spdx| licenses::ids().find(|id| licenses::spdx(id) == Some(spdx));
    pairs.filter_map(|pair| Some((hub_id(pair[0])?, pair[1].to_owned()))).collect()
});

/// The Hub id of the licence that a text is; `None` when it is none that is known. `stated` is the
/// one that it should be: it is looked at first, and wins over others with the same words.
pub(super) fn license_of(text: &str, stated: Option<&str>) -> Option<&'static str> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let titled = |(_, titles): &&(&str, &[&str])| titles.iter().all(|title| words.contains(title));
    if let Some((id, _)) = TITLED.iter().find(titled) {
        return Some(id);
    }
    let text = TextData::new(text).without_text();
    let likeness = |known: &str| text.match_score(&TextData::new(known).without_text());
    let stated = TEXTS.iter().find(|(id, _)| stated == Some(id));
    let stated = stated.map(|(id, known)| (*id, likeness(known)));
    if let Some((id, likeness)) = stated
        && likeness > 0.98
    {
        return Some(id);
    }
    let all = TEXTS.iter().map(|(id, known)| (*id, likeness(known)));
    let (nearest, likeness) = all.max_by(|one, two| one.1.total_cmp(&two.1))?;
    match stated {
        Some((id, own)) if own >= likeness && own >= SAME => Some(id),
        _ => (likeness >= SAME).then_some(nearest),
    }
}

/// Whether somebody is named who holds the rights: a line `Copyright …` with a year, a name, or both,
/// and not the blanks of the licence's own template.
pub(super) fn has_copyright_line(text: &str) -> bool {
    text.lines().any(|line| {
        let lower = line.trim().to_lowercase();
        let Some((_, rest)) = lower.split_once("copyright") else { return false };
        let blank = ["[yyyy]", "<year>", "{yyyy}", "[year]", "(year)", "<copyright", "year name"];
        let named = rest.trim_start_matches([' ', ':', '(', 'c', ')', '©']);
        !blank.iter().any(|blank| rest.contains(blank))
            && (rest.contains('©')
                || rest.contains("(c)")
                || named.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// The text of a licence.
#[cfg(test)]
pub(super) fn text_of(id: &str) -> String {
    TEXTS.iter().find(|(known, _)| *known == id).expect("a licence with a text").1.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_known_as_itself() {
        assert_eq!(TEXTS.len(), 55);
        for (id, text) in TEXTS.iter() {
            assert_eq!(license_of(text, Some(id)), Some(*id));
        }
    }

    #[test]
    fn texts_as_people_have_them_are_known() {
        let text = text_of;
        let mit = text("mit").replace("<year>", "2026").replace("<copyright holders>", "Acme");
        assert_eq!(license_of(&mit, None), Some("mit"));
        assert_eq!(license_of(&mit.replace('\n', "\r\n  "), Some("apache-2.0")), Some("mit"));
        // One clause makes the difference.
        for id in [
            "cc-by-4.0",
            "cc-by-nc-4.0",
            "cc-by-sa-4.0",
            "cc-by-nc-nd-4.0",
            "bsd-2-clause",
            "bsd-3-clause",
        ] {
            assert_eq!(license_of(&text(id), None), Some(id));
        }
        assert_eq!(
            license_of("LLAMA 3.1 COMMUNITY\n LICENSE AGREEMENT\n…", None),
            Some("llama3.1")
        );
        assert_eq!(license_of("Apache License, Version 2.0\nCopyright 2026 Acme\n", None), None);
        assert_eq!(license_of("All rights reserved.", Some("mit")), None);
        assert_eq!(license_of("", None), None);
    }

    #[test]
    fn who_holds_the_rights_is_named_or_not() {
        for yes in ["Copyright (c) 2026 Acme", "   Copyright 2026 Acme", "© 2026 copyright © Acme"]
        {
            assert!(has_copyright_line(yes), "{yes}");
        }
        for no in [
            "",
            "Copyright [yyyy] [name of copyright owner]",
            "the copyright owner grants",
            "Copyright (c) <year> <copyright holders>",
        ] {
            assert!(!has_copyright_line(no), "{no}");
        }
    }
}
