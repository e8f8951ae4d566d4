//! What the licences ask of a model that is made from another, or from data, under them.
//!
//! Source: the texts of the licences. A summary for a gate, and no legal advice.

/// What a licence asks of works made from what is under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terms {
    /// Any licence may follow, with attribution at most.
    Permissive,
    /// The same licence, or one of those.
    ShareAlike(&'static [&'static str]),
    /// No commercial use.
    NonCommercial,
    /// No commercial use, and the same licence.
    NonCommercialShareAlike(&'static [&'static str]),
    /// Nothing made from it may be passed on.
    NoDerivatives,
    /// Research only: the same licence.
    Research,
    /// Restrictions of use that every later licence has to carry on.
    UseRestricted,
    /// A company's agreement, which goes with everything that is made from it.
    Agreement(&'static Agreement),
}

/// What a company's agreement asks beside staying in force.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Agreement {
    /// Where the repository's name has to begin so.
    pub(super) name_begins: Option<&'static str>,
    /// What a file NOTICE has to say.
    pub(super) notice: &'static str,
    /// What has to be shown where people look: the card.
    pub(super) shown: Option<&'static str>,
}

const LLAMA2: Agreement = Agreement {
    name_begins: None,
    notice: "Llama 2 is licensed under the LLAMA 2 Community License, Copyright (c) Meta Platforms, Inc. All Rights Reserved.",
    shown: None,
};
const LLAMA3: Agreement = Agreement {
    name_begins: Some("Llama 3"),
    notice: "Meta Llama 3 is licensed under the Meta Llama 3 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.",
    shown: Some("Built with Meta Llama 3"),
};
const LLAMA31: Agreement = Agreement {
    name_begins: Some("Llama"),
    notice: "Llama 3.1 is licensed under the Llama 3.1 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.",
    shown: Some("Built with Llama"),
};
const LLAMA32: Agreement = Agreement {
    name_begins: Some("Llama"),
    notice: "Llama 3.2 is licensed under the Llama 3.2 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.",
    shown: Some("Built with Llama"),
};
const LLAMA33: Agreement = Agreement {
    name_begins: Some("Llama"),
    notice: "Llama 3.3 is licensed under the Llama 3.3 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.",
    shown: Some("Built with Llama"),
};
const LLAMA4: Agreement = Agreement {
    name_begins: Some("Llama"),
    notice: "Llama 4 is licensed under the Llama 4 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.",
    shown: Some("Built with Llama"),
};
const GEMMA: Agreement = Agreement {
    name_begins: None,
    notice: "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms",
    shown: None,
};

/// The terms of a Hub licence id; `None` where the id says too little (`other`, `cc`, `unknown`).
pub(super) fn terms(id: &str) -> Option<Terms> {
    Some(match id {
        "cc-by-sa-3.0" => Terms::ShareAlike(&["cc-by-sa-4.0"]),
        // One-way compatible, says Creative Commons.
        "cc-by-sa-4.0" => Terms::ShareAlike(&["gpl-3.0"]),
        "gpl" => Terms::ShareAlike(&["gpl-2.0", "gpl-3.0", "agpl-3.0"]),
        // The Hub's id says neither `-only` nor `-or-later`.
        "gpl-2.0" => Terms::ShareAlike(&["gpl", "gpl-3.0", "agpl-3.0"]),
        "gpl-3.0" => Terms::ShareAlike(&["gpl", "agpl-3.0"]),
        "agpl-3.0" => Terms::ShareAlike(&["gpl-3.0"]),
        "lgpl" | "lgpl-2.1" | "lgpl-3.0" => Terms::ShareAlike(&[
            "lgpl", "lgpl-2.1", "lgpl-3.0", "gpl", "gpl-2.0", "gpl-3.0", "agpl-3.0",
        ]),
        "gfdl" | "odbl" | "cdla-sharing-1.0" | "osl-3.0" => Terms::ShareAlike(&[]),
        "eupl-1.1" => Terms::ShareAlike(&["eupl-1.2", "gpl-2.0"]),
        "eupl-1.2" => Terms::ShareAlike(&["gpl-2.0", "gpl-3.0", "agpl-3.0", "osl-3.0"]),
        "cc-by-nc-2.0" | "cc-by-nc-3.0" | "cc-by-nc-4.0" => Terms::NonCommercial,
        "cc-by-nc-sa-2.0" => {
            Terms::NonCommercialShareAlike(&["cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"])
        }
        "cc-by-nc-sa-3.0" => Terms::NonCommercialShareAlike(&["cc-by-nc-sa-4.0"]),
        "cc-by-nc-sa-4.0" => Terms::NonCommercialShareAlike(&[]),
        "cc-by-nd-4.0" | "cc-by-nc-nd-3.0" | "cc-by-nc-nd-4.0" => Terms::NoDerivatives,
        "apple-amlr"
        | "fair-noncommercial-research-license"
        | "h-research"
        | "intel-research"
        | "deepfloyd-if-license" => Terms::Research,
        "openrail"
        | "openrail++"
        | "bigscience-openrail-m"
        | "creativeml-openrail-m"
        | "bigscience-bloom-rail-1.0"
        | "bigcode-openrail-m" => Terms::UseRestricted,
        "grok2-community" => Terms::Research,
        "llama2" => Terms::Agreement(&LLAMA2),
        "llama3" => Terms::Agreement(&LLAMA3),
        "llama3.1" => Terms::Agreement(&LLAMA31),
        "llama3.2" => Terms::Agreement(&LLAMA32),
        "llama3.3" => Terms::Agreement(&LLAMA33),
        "llama4" => Terms::Agreement(&LLAMA4),
        "gemma" => Terms::Agreement(&GEMMA),
        "other" | "unknown" | "cc" => return None,
        _ => Terms::Permissive,
    })
}

/// Whether a model under `own` may be made from something under `base`; the reason when it may not.
/// `None` as `own` is a licence whose terms are not known.
pub(super) fn conflict(base: &str, own: &str) -> Option<String> {
    let asked = terms(base)?;
    if base == own {
        return (asked == Terms::NoDerivatives)
            .then(|| format!("`{base}` forbids passing on what is made from it"));
    }
    let own_terms = terms(own);
    let same = |others: &[&str]| !others.contains(&own);
    match asked {
        Terms::Permissive => None,
        Terms::NoDerivatives => Some(format!("`{base}` forbids passing on what is made from it")),
        Terms::ShareAlike(others) | Terms::NonCommercialShareAlike(others) => {
            same(others).then(|| match others {
                [] => format!("`{base}` asks for the same licence"),
                others => format!("`{base}` asks for the same licence, or {}", others.join(", ")),
            })
        }
        Terms::Research => Some(format!("`{base}` allows research only, under the same licence")),
        Terms::NonCommercial => (!matches!(
            own_terms,
            None | Some(
                Terms::NonCommercial
                    | Terms::NonCommercialShareAlike(_)
                    | Terms::NoDerivatives
                    | Terms::Research
            )
        ))
        .then(|| format!("`{base}` forbids commercial use, which `{own}` allows")),
        Terms::UseRestricted => {
            (!matches!(own_terms, None | Some(Terms::UseRestricted))).then(|| {
                format!(
                    "the use restrictions of `{base}` have to be carried on, and `{own}` has none"
                )
            })
        }
        // `other` may be the agreement together with terms of one's own.
        Terms::Agreement(_) => (own != "other")
            .then(|| format!("the agreement of `{base}` stays in force for what is made from it")),
    }
}

/// The licence of a well-known base model whose id alone tells it. The first beginning that fits.
pub(super) fn of_family(id: &str) -> Option<&'static str> {
    const FAMILIES: [(&str, &str); 12] = [
        ("meta-llama/llama-2", "llama2"),
        ("meta-llama/meta-llama-3-", "llama3"),
        ("meta-llama/llama-3-", "llama3"),
        ("meta-llama/meta-llama-3.1-", "llama3.1"),
        ("meta-llama/llama-3.1-", "llama3.1"),
        ("meta-llama/llama-3.2-", "llama3.2"),
        ("meta-llama/llama-3.3-", "llama3.3"),
        ("meta-llama/llama-4-", "llama4"),
        // Since April 2026.
        ("google/gemma-4", "apache-2.0"),
        ("google/gemma-", "gemma"),
        ("google/codegemma-", "gemma"),
        ("google/paligemma", "gemma"),
    ];
    let lower = id.to_ascii_lowercase();
    FAMILIES.iter().find(|(start, _)| lower.starts_with(start)).map(|(_, license)| *license)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::licenses;

    #[test]
    fn every_licence_named_here_is_one_of_the_hubs() {
        for id in licenses::ids() {
            if let Some(Terms::ShareAlike(others) | Terms::NonCommercialShareAlike(others)) =
                terms(id)
            {
                for other in others {
                    assert!(licenses::is_known(other), "{id}: {other}");
                }
            }
        }
        let permissive = licenses::ids().filter(|id| terms(id) == Some(Terms::Permissive)).count();
        assert_eq!(permissive, 37);
        for id in ["meta-llama/Llama-3.1-8B", "google/gemma-2-2b", "google/gemma-4-E4B"] {
            assert!(licenses::is_known(of_family(id).expect("a family")), "{id}");
        }
        assert_eq!(of_family("google/gemma-4-E4B"), Some("apache-2.0"));
        assert_eq!(of_family("someone/llama-3.1-8b"), None);
    }

    #[test]
    fn what_may_follow_what() {
        for (base, own) in [
            ("mit", "gpl-3.0"),
            ("apache-2.0", "llama3.1"),
            ("cc-by-sa-4.0", "cc-by-sa-4.0"),
            ("cc-by-sa-4.0", "gpl-3.0"),
            ("gpl-3.0", "agpl-3.0"),
            ("cc-by-nc-4.0", "cc-by-nc-sa-4.0"),
            ("cc-by-nc-4.0", "other"),
            ("creativeml-openrail-m", "openrail++"),
            ("llama3.1", "llama3.1"),
            ("llama3.1", "other"),
            ("gemma", "gemma"),
            ("apple-amlr", "apple-amlr"),
            ("unknown", "mit"),
        ] {
            assert_eq!(conflict(base, own), None, "{base} → {own}");
        }
        for (base, own, why) in [
            ("cc-by-nc-4.0", "apache-2.0", "forbids commercial use"),
            ("cc-by-nc-sa-4.0", "cc-by-nc-4.0", "the same licence"),
            ("cc-by-sa-4.0", "mit", "or gpl-3.0"),
            ("gpl-3.0", "mit", "the same licence"),
            ("cc-by-nd-4.0", "cc-by-nd-4.0", "passing on"),
            ("cc-by-nc-nd-4.0", "mit", "passing on"),
            ("creativeml-openrail-m", "mit", "carried on"),
            ("llama3", "apache-2.0", "stays in force"),
            ("llama3.1", "llama3.2", "stays in force"),
            ("gemma", "apache-2.0", "stays in force"),
            ("apple-amlr", "mit", "research only"),
            ("gpl-2.0", "mit", "the same licence"),
        ] {
            let said = conflict(base, own).unwrap_or_default();
            assert!(said.contains(why), "{base} → {own}: {said}");
        }
    }
}
