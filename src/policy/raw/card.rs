//! What the model card says, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

/// What the model card says.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct Card {
    /// `generated` (default), or the path of a README.md kept by hand.
    pub(in crate::policy) source: Option<String>,
    /// Sections that must be stated; default: intended-use, training-data, limitations, bias.
    pub(in crate::policy) required: Option<Vec<super::super::Section>>,
    /// Template that replaces the built-in one, relative to this file.
    pub(in crate::policy) template: Option<String>,
    /// What the model is meant for.
    pub(in crate::policy) intended_use: Option<Statement>,
    /// What it must not be used for.
    pub(in crate::policy) out_of_scope: Option<Statement>,
    /// What it was trained on.
    pub(in crate::policy) training_data: Option<Statement>,
    /// How it was trained.
    pub(in crate::policy) training_procedure: Option<Statement>,
    /// Where it fails.
    pub(in crate::policy) limitations: Option<Statement>,
    /// Whom it may treat unfairly.
    pub(in crate::policy) bias: Option<Statement>,
    /// Energy and emissions.
    pub(in crate::policy) environmental_impact: Option<Statement>,
    /// How to cite it.
    pub(in crate::policy) citation: Option<Statement>,
    /// Whom to ask.
    pub(in crate::policy) contact: Option<Statement>,
    /// Personal data in training or output: what, on which basis, how it can be removed.
    pub(in crate::policy) personal_data: Option<Statement>,
    /// How long data and the model are kept.
    pub(in crate::policy) retention: Option<Statement>,
    /// GDPR, CCPA and the like: roles, rights, transfers, impact assessment.
    pub(in crate::policy) privacy: Option<Statement>,
    /// HIPAA: protected health information, de-identification, agreements.
    pub(in crate::policy) health_data: Option<Statement>,
    /// What Annexes XI and XII of the EU AI Act ask for.
    pub(in crate::policy) ai_act: Option<Statement>,
    /// How risks are governed, mapped, measured and managed (NIST AI RMF).
    pub(in crate::policy) risk_management: Option<Statement>,
    /// Months after which a statement has to be looked at again; default never.
    pub(in crate::policy) review_months: Option<u16>,
}

/// What a person says, with name and date.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub(in crate::policy) struct Statement {
    /// Markdown.
    pub(in crate::policy) text: String,
    /// Who says it.
    pub(in crate::policy) by: String,
    /// When: YYYY-MM-DD.
    pub(in crate::policy) date: String,
}
