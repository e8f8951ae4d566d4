//! The model card: front matter, sections, template. Nothing is invented: numbers come from
//! evidence files, statements from people, and what is missing is said to be missing.

mod change;
mod changelog;
mod chart;
mod details;
mod emergency;
mod eval_results;
mod facts;
mod lineage;
mod metadata;
mod prose;
mod query_file;
mod readme;
mod render;
mod repair;
mod trend;
mod usage;
mod yaml;

pub use emergency::EmergencyNote;
pub use eval_results::{EvalInput, eval_results};
pub use query_file::query_file;
pub use repair::repaired;
pub use trend::chart;

use crate::evidence::Evidence;
use crate::failure::Advise;
use crate::generated::WHOLE;
use crate::hub::query_files::{ADDED, Counted};
use crate::hub::{front_matter, yaml_tree};
use crate::inventory::{Bases, Inventory};
use crate::policy::Model;
use crate::release::{HistoryEntry, Release, Target};

use facts::Facts;
use yaml::Data;

/// Largest card that is written; the Hub's own page of one grows slow long before.
const MAX_CARD: usize = 4 * 1024 * 1024;

/// What a card is made of.
#[derive(Debug, Clone, Copy)]
pub struct CardInput<'a> {
    /// The model, as the policy has it.
    pub model: &'a Model,
    /// The release, when there is one.
    pub release: Option<&'a Release>,
    /// Where it goes, when there is a release.
    pub target: Option<&'a Target>,
    /// The files.
    pub inventory: &'a Inventory,
    /// What tests and training left.
    pub evidence: &'a Evidence,
    /// The versions so far, in any order.
    pub history: &'a [HistoryEntry],
    /// Commit of the source repository.
    pub commit: Option<&'a str>,
    /// `owner/name` of the source repository.
    pub repository: Option<&'a str>,
    /// Address of the CI run.
    pub run_url: Option<&'a str>,
    /// Text of the template that replaces the built-in one.
    pub template: Option<&'a str>,
    /// Text of the README that the repository keeps, when that is the card's source.
    pub readme: Option<&'a str>,
    /// Files that the version keeps from what the Hub has.
    pub kept: &'a [String],
    /// The emergency in which gates were passed over.
    pub emergency: Option<&'a EmergencyNote>,
}

impl CardInput<'_> {
    /// The README's metadata; empty where there is none, or none that can be read.
    fn kept(&self) -> Data {
        let read = self.readme.and_then(read);
        read.map_or_else(|| Data::Map(Vec::new()), |(metadata, _)| metadata)
    }

    /// The library: the policy's, else the one that the README names.
    fn library(&self) -> Option<String> {
        self.stated(self.model.library.as_ref(), "library_name")
    }

    /// The task, likewise.
    fn task(&self) -> Option<String> {
        self.stated(self.model.task.as_ref(), "pipeline_tag")
    }

    fn stated(&self, in_policy: Option<&String>, key: &str) -> Option<String> {
        let in_readme = || self.kept().get(key)?.as_text().map(str::to_owned);
        in_policy.cloned().or_else(in_readme)
    }

    /// The tags: the README's and the policy's.
    fn tags(&self) -> Vec<String> {
        let kept = self.kept().get("tags").map(Data::items).unwrap_or_default();
        let kept = kept.iter().filter_map(Data::as_text).map(str::to_owned);
        kept.chain(self.model.tags.iter().cloned()).collect()
    }

    /// What it was made from.
    fn bases(&self) -> Bases {
        let repo = self.target.map(|target| &target.repo);
        Bases::of(self.model, self.readme, self.inventory, repo)
    }

    /// By what the Hub will count downloads.
    fn counted(&self) -> Counted {
        let files = self.inventory.files.iter().map(|file| file.path.as_str());
        let paths: Vec<_> = files.chain(self.kept.iter().map(String::as_str)).collect();
        Counted::of(self.library().as_deref(), &paths, self.model.may_add(ADDED))
    }
}

/// Why no card could be written.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The user's template is wrong.
    #[error("{0}")]
    Template(String),
    /// A marker in the README does not pair.
    #[error("the marker `{name}` in line {line} of the README's text {why}")]
    Marker {
        /// The part's name.
        name: String,
        /// Line, counted from the end of the front matter.
        line: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// Beyond the limit.
    #[error("the card has {0} bytes; at most 4 MiB are written")]
    TooLarge(usize),
}

impl CardError {
    fn template(error: &minijinja::Error) -> Self {
        let mut message = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::Template(message)
    }

    fn marker(name: &str, index: usize, why: &'static str) -> Self {
        Self::Marker { name: name.chars().take(60).collect(), line: index + 1, why }
    }
}

impl Advise for CardError {
    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Template(_) => {
                "correct the template named in `card.template`; one that starts with \
                                  `{% extends \"weighbridge\" %}` needs only the blocks it changes"
                    .into()
            }
            Self::Marker { name, .. } => format!(
                "keep exactly one pair of lines `<!-- weighbridge:begin {name} -->` and \
                 `<!-- weighbridge:end {name} -->`, or remove both: the part is then added at the end"
            ),
            Self::TooLarge(_) => "shorten the README or the template".into(),
        })
    }
}

/// Writes the card: the whole README.md of the version. The same input gives the same bytes, and a
/// card that is given back as the README gives itself.
///
/// A README whose front matter cannot be read is returned unchanged: the card gate then names its
/// faults at their lines.
pub fn write(input: &CardInput<'_>) -> Result<String, CardError> {
    let whole = input.readme.unwrap_or_default();
    // All that is read of the README is read of it as it will be written.
    let input = &CardInput { readme: input.readme.map(without_head), ..*input };
    let facts = Facts::of(input);
    let noted = |body| match input.emergency {
        Some(note) => note.kept_in(body),
        None => body,
    };
    let card = match input.readme {
        None => {
            let metadata = metadata::merge(Data::Map(Vec::new()), input);
            let body = noted(render::whole(&facts, input.template)?);
            with_front_matter(&metadata, &format!("{body}\n{WHOLE}\n"))
        }
        Some(readme) => {
            let Some((metadata, body)) = read(readme) else { return Ok(whole.to_owned()) };
            let mut blocks = render::blocks(&facts, input.template)?;
            blocks.retain(|(name, _)| {
                *name != "statements" || !input.model.card.statements.is_empty()
            });
            let body = readme::with_blocks(body.trim_start_matches(['\n', '\r']), &blocks)?;
            let body = noted(body);
            with_front_matter(&metadata::merge(metadata, input), &body)
        }
    };
    if card.len() > MAX_CARD {
        return Err(CardError::TooLarge(card.len()));
    }
    Ok(card)
}

/// The metadata and the text of a README; `None` when its front matter is no map of plain data.
fn read(readme: &str) -> Option<(Data, &str)> {
    let Some(block) = front_matter::split(readme) else {
        return Some((Data::Map(Vec::new()), readme));
    };
    let root = yaml_tree::parse(block.yaml).ok()??;
    match Data::of(&root) {
        map @ Data::Map(_) => Some((map, block.body)),
        _ => None,
    }
}

/// A text without what stands before its first line: byte-order marks and empty lines.
fn without_head(text: &str) -> &str {
    text.trim_start_matches(['\u{FEFF}', '\n', '\r'])
}

/// Without metadata the text stands alone, unless it would then be read as something else.
fn with_front_matter(metadata: &Data, body: &str) -> String {
    let is_plain = || without_head(body) == body && front_matter::split(body).is_none();
    match metadata {
        Data::Map(entries) if entries.is_empty() && is_plain() => body.to_owned(),
        metadata => format!("---\n{}---\n\n{body}", metadata.to_yaml()),
    }
}

#[cfg(test)]
mod tests;
