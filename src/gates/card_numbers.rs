//! Numbers that people write on a card, held against the evidence.

mod claims;
mod names;

use crate::finding::{Finding, Level, Location, Rule};
use crate::hub::{front_matter, yaml_tree};
use crate::policy::CardSource;
use crate::source::{Position, SourceFile};

use super::Load;
use crate::evidence::{Metric, MetricValue, rounded};
use claims::{Block, Claim};
use names::Names;

pub(super) const DIFFERS: Rule = Rule {
    id: "card-number-differs",
    level: Level::Error,
    summary: "the card gives another number for a metric than the evidence",
    reason: "A number that was true of an earlier version, or of nothing, is what users compare \
             models by.",
    fix: "write the number that was measured, or leave it to the generated table between the \
          markers `<!-- weighbridge:begin metrics -->` and `<!-- weighbridge:end metrics -->`",
    example: "“accuracy of 0.91” in README.md, 0.794 in metrics.json",
};

pub(super) const UNSUPPORTED: Rule = Rule {
    id: "card-number-unsupported",
    level: Level::Warning,
    summary: "no evidence has a number that the card gives",
    reason: "Nobody can tell where it comes from, nor whether it is of this version.",
    fix: "name the file that has it under `gates.benchmarks`; of another's model, link the source in \
          the same row or paragraph; else take it out",
    example: "“F1: 0.88” in README.md and no file of results with that number",
};

/// Numbers that one finding names.
const MOST_SHOWN: usize = 4;

/// What the evidence says, by measure.
struct Known<'a> {
    names: Names,
    metrics: Vec<(String, &'a Metric, f64)>,
    beside: Vec<(String, f64)>,
}

/// How a claim stands to the evidence.
enum Held<'k> {
    Agrees,
    Differs(&'k Metric, f64),
    Unsupported,
}

/// What a text tells of.
#[derive(Clone, Copy, PartialEq)]
enum About {
    /// The model as a whole: its numbers are those of the evidence.
    Whole,
    /// Groups and cases, as statements do: another number is no contradiction.
    Cases,
}

/// What the evidence does not bear out of the texts that people wrote: README and statements.
pub(super) fn findings(load: &Load<'_>) -> Vec<Finding> {
    let known = Known::of(load);
    let mut findings = Vec::new();
    if let (Some(readme), CardSource::File(_)) = (load.readme, &load.model.card.source) {
        findings.extend(known.of_model_index(load, readme));
        findings.extend(known.of_text(readme));
    }
    for statement in load.model.card.statements.values() {
        let blocks = claims::in_markdown(&statement.text, &known.names);
        let place = |_: &Claim| statement.at.clone();
        findings.extend(blocks.iter().flat_map(|block| known.judged(block, About::Cases, place)));
    }
    findings
}

impl<'a> Known<'a> {
    fn of(load: &Load<'a>) -> Self {
        let metrics = || load.evidence.metrics.iter();
        let beside = || load.evidence.beside.iter();
        let in_files = metrics().filter_map(|metric| metric.number.as_ref());
        let spelled = metrics()
            .map(|metric| metric.name.as_str())
            .chain(in_files.map(|number| number.metric.as_str()))
            .chain(beside().map(|(name, _)| name.as_str()));
        let names = Names::new(spelled);
        let metrics = metrics().filter_map(|metric| match metric.value {
            MetricValue::Number(value) => Some((names.measure(&metric.name), metric, value)),
            _ => None,
        });
        let metrics = metrics.collect();
        let mut beside: Vec<_> =
            beside().map(|(name, value)| (names.measure(name), *value)).collect();
        for metric in &load.evidence.metrics {
            let measure = names.measure(&metric.name);
            beside
                .extend(metric.slices.iter().flatten().map(|slice| (measure.clone(), slice.value)));
        }
        Self { names, metrics, beside }
    }

    fn held(&self, claim: &Claim) -> Held<'_> {
        let mut measured = self.metrics.iter().filter(|(measure, ..)| *measure == claim.measure);
        let beside = self.beside.iter().filter(|(measure, _)| *measure == claim.measure);
        let mut values =
            measured.clone().map(|(_, _, value)| *value).chain(beside.map(|(_, value)| *value));
        if values.any(|value| is_rounded(&claim.shown, value)) {
            return Held::Agrees;
        }
        match measured.next() {
            Some((_, metric, value)) => Held::Differs(metric, *value),
            None => Held::Unsupported,
        }
    }

    /// The findings of one table or paragraph.
    fn judged(
        &self,
        block: &Block,
        about: About,
        place: impl Fn(&Claim) -> Location,
    ) -> Vec<Finding> {
        let agrees = |claim: &&Claim| matches!(self.held(claim), Held::Agrees);
        let compared: Vec<_> = block.iter().filter(agrees).map(|claim| &claim.measure).collect();
        let mut findings = Vec::new();
        let mut unsupported = Vec::new();
        for claim in block.iter().filter(|claim| !claim.cited) {
            match self.held(claim) {
                Held::Agrees => {}
                // Beside the right number, another one is a comparison.
                Held::Differs(metric, value)
                    if about == About::Whole && !compared.contains(&&claim.measure) =>
                {
                    let Claim { measure, shown, .. } = claim;
                    let message = format!(
                        "the card says {measure} = {shown}; {} has {}",
                        metric.at,
                        rounded(value)
                    );
                    findings.push(Finding::new(&DIFFERS, message, place(claim)));
                }
                Held::Differs(..) | Held::Unsupported => unsupported.push(claim),
            }
        }
        findings.extend(unsupported.first().map(|first| {
            let said =
                unsupported.iter().map(|claim| format!("{} = {}", claim.measure, claim.shown));
            let shown: Vec<_> = said.take(MOST_SHOWN).collect();
            let more = match unsupported.len().saturating_sub(MOST_SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let message = format!("no evidence has {}{more}", shown.join(", "));
            Finding::new(&UNSUPPORTED, message, place(first))
        }));
        findings
    }

    fn of_text(&self, readme: &SourceFile) -> Vec<Finding> {
        let body =
            front_matter::split(&readme.text).map_or(readme.text.as_str(), |block| block.body);
        let before = readme.text.len() - body.len();
        let by_hand = crate::generated::blanked(body);
        let place =
            |claim: &Claim| Location::line(&readme.path, readme.position(before + claim.at).line);
        let blocks = claims::in_markdown(&by_hand, &self.names);
        blocks.iter().flat_map(|block| self.judged(block, About::Whole, place)).collect()
    }

    /// Results of the README's front matter that are on the finished card: others were replaced by
    /// what was measured.
    fn of_model_index(&self, load: &Load<'_>, readme: &SourceFile) -> Vec<Finding> {
        let tree = |text: &str| {
            let block = front_matter::split(text)?;
            Some((yaml_tree::parse(block.yaml).ok()??, block.offset))
        };
        let (Some((written, offset)), Some((finished, _))) = (tree(&readme.text), tree(load.card))
        else {
            return Vec::new();
        };
        let claims = |root| match yaml_tree::Node::get(root, "model-index") {
            Some(index) => claims::in_model_index(index, &self.names),
            None => Vec::new(),
        };
        let published: Vec<_> = claims(&finished).into_iter().map(|(claim, _)| claim).collect();
        let stays = |claim: &Claim| published.contains(claim);
        let left = claims(&written).into_iter().filter(|(claim, _)| stays(claim));
        let first_line = readme.position(offset).line;
        let place = |at: Position| {
            let line = at.line.saturating_add(first_line).saturating_sub(1);
            Location::at(&readme.path, Position { line, column: at.column })
        };
        left.flat_map(|(claim, node)| self.judged(&vec![claim], About::Whole, |_| place(node.at)))
            .collect()
    }
}

/// Whether `shown` is `value`, rounded or cut to the digits that it has, as a fraction or in percent.
fn is_rounded(shown: &str, value: f64) -> bool {
    let digits = shown.trim_end_matches('%');
    let Ok(number) = digits.parse::<f64>() else { return false };
    let decimals = digits.split(['e', 'E']).next().and_then(|digits| digits.split_once('.'));
    let decimals = decimals.map_or(0, |(_, decimals)| decimals.len());
    let exponent = digits.split_once(['e', 'E']).and_then(|(_, exponent)| exponent.parse().ok());
    let step = 10f64.powi(exponent.unwrap_or(0) - i32::try_from(decimals).unwrap_or(i32::MAX));
    let percent = shown.ends_with('%');
    let scales = [
        (1.0, !percent || value.abs() > 1.0),
        (100.0, percent || number.abs() > 1.0),
        (0.01, !percent && value.abs() > 1.0),
    ];
    scales.into_iter().filter(|(_, fits)| *fits).any(|(scale, _)| {
        let value = value * scale;
        // What a float cannot hold exactly must not decide.
        let slack = 1e-9 * step + f64::EPSILON * value.abs();
        let is_nearest = (value - number).abs() <= step / 2.0 + slack;
        let cut_off = value.abs() - number.abs();
        let is_cut = value * number > 0.0 && cut_off >= -slack && cut_off < step;
        is_nearest || is_cut
    })
}

#[cfg(test)]
mod tests;
