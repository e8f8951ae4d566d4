//! The rules of the license gate.

use crate::finding::{Level, Rule};

/// Every rule.
pub(super) const ALL: [&Rule; 16] = [
    &MISSING,
    &UNKNOWN,
    &OTHER_INCOMPLETE,
    &NOT_ALLOWED,
    &FILE_MISSING,
    &TEXT_DIFFERS,
    &TEXT_UNKNOWN,
    &COPYRIGHT_MISSING,
    &DISAGREES,
    &BASE_CONFLICT,
    &BASE_UNKNOWN,
    &BASE_UNLISTED,
    &AGREEMENT_UNMET,
    &DATASET_CONFLICT,
    &PUBLIC_WITHOUT_REASON,
    &SENSITIVE_PUBLIC,
];

pub(super) const MISSING: Rule = Rule {
    id: "license-missing",
    level: Level::Error,
    summary: "the policy names no licence",
    reason: "Without a licence nobody may use the model, and nobody can tell what the releaser meant.",
    fix: "add `license: apache-2.0` (or another Hub licence id) to the model in weighbridge.yml",
    example: "model: {name: churn, owner: acme}",
};

pub(super) const UNKNOWN: Rule = Rule {
    id: "license-unknown",
    level: Level::Error,
    summary: "the licence is not one that the Hub knows",
    reason: "The Hub refuses a card with a licence outside its list.",
    fix: "use an id of https://huggingface.co/docs/hub/repositories-licenses, or `other` with `license-name` and `license-link`",
    example: "license: Apache-2.0-or-later",
};

pub(super) const OTHER_INCOMPLETE: Rule = Rule {
    id: "license-other-incomplete",
    level: Level::Error,
    summary: "`license: other` without a name and a link",
    reason: "`other` says nothing by itself: readers need the name and the text.",
    fix: "add `license-name: my-license` and `license-link: LICENSE`",
    example: "license: other",
};

pub(super) const NOT_ALLOWED: Rule = Rule {
    id: "license-not-allowed",
    level: Level::Error,
    summary: "the licence is not among those this repository releases under",
    reason: "The organisation decided which licences it releases models under.",
    fix: "change the licence, or add it to `gates: {licenses: {allowed: […]}}` after review",
    example: "license: gpl-3.0 with allowed: [apache-2.0, mit]",
};

pub(super) const FILE_MISSING: Rule = Rule {
    id: "license-file-missing",
    level: Level::Warning,
    summary: "the published folder has no licence text",
    reason: "Most licences ask that their text goes with the work.",
    fix: "copy the licence's text to `LICENSE` in the model's folder",
    example: "a folder without LICENSE, LICENCE or COPYING",
};

pub(super) const PUBLIC_WITHOUT_REASON: Rule = Rule {
    id: "public-without-reason",
    level: Level::Error,
    summary: "the repository is public and the policy does not say why",
    reason: "What is public cannot be taken back: it is a decision, and the policy records it.",
    fix: "add `public-reason: …` beside `visibility: public`, or remove `visibility: public`",
    example: "repository: {visibility: public}",
};

pub(super) const TEXT_DIFFERS: Rule = Rule {
    id: "license-text-differs",
    level: Level::Error,
    summary: "the licence file holds another licence than the one that is stated",
    reason: "Who reads the card and who reads the file are promised different things; courts read the file.",
    fix: "put the text of the stated licence into `LICENSE`, or state the licence whose text is there",
    example: "license: apache-2.0 with the MIT licence in LICENSE",
};

pub(super) const TEXT_UNKNOWN: Rule = Rule {
    id: "license-text-unknown",
    level: Level::Warning,
    summary: "the licence file is not the text of the stated licence",
    reason: "A licence that is named but not given is what most models on the Hub have, and what few lawyers accept.",
    fix: "copy the whole text of the licence to `LICENSE`; https://spdx.org/licenses has it",
    example: "a LICENSE that says “see the website”",
};

pub(super) const COPYRIGHT_MISSING: Rule = Rule {
    id: "license-copyright-missing",
    level: Level::Note,
    summary: "no file says who holds the rights",
    reason: "A permission is worth what the one who gives it has; a text without a name gives none.",
    fix: "fill in the copyright line of `LICENSE`, or add a `NOTICE` with `Copyright 2026 …`",
    example: "Copyright [yyyy] [name of copyright owner]",
};

pub(super) const DISAGREES: Rule = Rule {
    id: "license-disagrees",
    level: Level::Error,
    summary: "the README or the package states another licence than the policy",
    reason: "Tools read the one, people the other; both have to be told the same.",
    fix: "state the same licence in all of them",
    example: "license: mit in README.md with license: apache-2.0 in weighbridge.yml",
};

pub(super) const BASE_CONFLICT: Rule = Rule {
    id: "base-license-conflict",
    level: Level::Error,
    summary: "the licence of a base model does not allow the model's own",
    reason: "What is made from a model is bound by its licence; a more generous label misleads everyone who builds on it.",
    fix: "release under the base model's licence, or build on another",
    example: "license: apache-2.0 on a base model under cc-by-nc-4.0",
};

pub(super) const BASE_UNKNOWN: Rule = Rule {
    id: "base-license-unknown",
    level: Level::Warning,
    summary: "nobody says which licence a base model is under",
    reason: "What cannot be looked up cannot be kept to.",
    fix: "look it up, and add it to `gates: {licenses: {of: {…}}}`",
    example: "base-models: [acme/private-base]",
};

pub(super) const BASE_UNLISTED: Rule = Rule {
    id: "base-model-unlisted",
    level: Level::Error,
    summary: "the files name a base model that the policy does not",
    reason: "The card would hide where the model comes from, and with it whose licence holds.",
    fix: "add it to `base-models` of the model",
    example: "adapter_config.json with base_model_name_or_path: meta-llama/Llama-3.1-8B",
};

pub(super) const AGREEMENT_UNMET: Rule = Rule {
    id: "license-agreement-unmet",
    level: Level::Error,
    summary: "something is missing that the agreement of a base model asks for",
    reason: "Llama and Gemma may be built on by those who pass on their terms: the text, a notice, a name.",
    fix: "add what is named",
    example: "a fine-tune of Llama 3.1 without NOTICE",
};

pub(super) const DATASET_CONFLICT: Rule = Rule {
    id: "dataset-license-conflict",
    level: Level::Warning,
    summary: "the licence of a dataset may not allow the model's own",
    reason: "Whether a model is made from its data in the sense of the law is disputed; who releases it should know.",
    fix: "have it reviewed, and record the outcome as an allowance",
    example: "license: mit on a dataset under cc-by-nc-4.0",
};

pub(super) const SENSITIVE_PUBLIC: Rule = Rule {
    id: "sensitive-public",
    level: Level::Error,
    summary: "a model that is marked sensitive would be public",
    reason: "What is public is copied within minutes and cannot be called back.",
    fix: "remove `visibility: public`, or `sensitive: true` after review",
    example: "model: {sensitive: true} with repository: {visibility: public}",
};
