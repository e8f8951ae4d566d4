//! What the card says.

use std::collections::BTreeMap;

use super::{Check, Layers};
use crate::policy::{Card, CardSource, Section, Statement, raw};

/// Sections that must be stated unless the policy says otherwise: what a reader needs to decide
/// whether the model may be used at all.
const CAREFUL: [Section; 4] =
    [Section::IntendedUse, Section::TrainingData, Section::Limitations, Section::Bias];

impl Check<'_> {
    pub(super) fn card(&mut self, card: &Layers<'_, raw::Card>, model: &str) -> Card {
        let mut statements = BTreeMap::new();
        for section in Section::ALL {
            let Some(statement) = card.get(|own| own.statement(section)) else { continue };
            let key = self.key(model, &format!("card/{}", section.key()));
            if let Some(valid) = self.statement(&key, statement) {
                statements.insert(section, valid);
            }
        }
        let source = match card.get(|own| own.source.as_deref()) {
            None | Some("generated") => CardSource::Generated,
            Some(path) => {
                let key = self.key(model, "card/source");
                CardSource::File(self.relative(&key, path))
            }
        };
        let template = card.get(|own| own.template.as_deref()).map(|path| {
            let key = self.key(model, "card/template");
            self.relative(&key, path)
        });
        let required = card.get(|own| own.required.clone()).unwrap_or_else(|| CAREFUL.to_vec());
        let review_months = card.get(|own| own.review_months);
        if review_months == Some(0) {
            let key = self.key(model, "card/review-months");
            self.wrong(&key, "`review-months` is 0", "expected months, from 1 on");
        }
        Card { source, required, statements, template, review_months }
    }

    fn statement(&mut self, key: &str, statement: &raw::Statement) -> Option<Statement> {
        self.said(&format!("{key}/text"), &statement.text);
        self.said(&format!("{key}/by"), &statement.by);
        let date = self.date(&format!("{key}/date"), &statement.date)?;
        let (text, by) = (statement.text.clone(), statement.by.clone());
        Some(Statement { text, by, date, at: self.at(key) })
    }
}

impl raw::Card {
    fn statement(&self, section: Section) -> Option<&raw::Statement> {
        let statement = match section {
            Section::IntendedUse => &self.intended_use,
            Section::OutOfScope => &self.out_of_scope,
            Section::TrainingData => &self.training_data,
            Section::TrainingProcedure => &self.training_procedure,
            Section::Limitations => &self.limitations,
            Section::Bias => &self.bias,
            Section::EnvironmentalImpact => &self.environmental_impact,
            Section::Citation => &self.citation,
            Section::Contact => &self.contact,
            Section::PersonalData => &self.personal_data,
            Section::Retention => &self.retention,
            Section::Privacy => &self.privacy,
            Section::HealthData => &self.health_data,
            Section::AiAct => &self.ai_act,
            Section::RiskManagement => &self.risk_management,
        };
        statement.as_ref()
    }
}
