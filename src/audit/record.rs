//! What one run wrote, from which commit, and on whose word.
//!
//! The shape is frozen: fields may be added, never renamed or re-shaped, for nothing in a log is
//! ever written again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::digest::Digest;
use crate::finding::{Tally, Verdict};
use crate::http::Blotter;
use crate::hub::RepoId;
use crate::machine_path;

/// The shape that this program writes.
const SCHEMA: u32 = 1;
/// Most bytes of a record: a log must stay small, whatever a run was told.
pub(super) const MAX_BYTES: usize = 64 * 1024;
/// Most characters of a text, and entries of a list.
const TEXT: usize = 300;
const LISTED: usize = 100;

/// What a record is made of.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// When it was written down.
    pub time: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// `release`, `rehearse`, …
    pub mode: &'a str,
    /// The model, as the policy names it.
    pub model: &'a str,
    /// The version, without `v`.
    pub version: &'a str,
    /// The tag in git that asked for it.
    pub tag: &'a str,
    /// Who called, and from where.
    pub context: &'a Context,
    /// Commit of the source repository that was weighed.
    pub commit: Option<&'a str>,
    /// Where the Hub's token came from; never the token.
    pub credential: Option<&'a str>,
    /// What the gates said.
    pub verdict: &'a Verdict,
    /// Where it was written.
    pub repo: &'a RepoId,
    /// The branch there.
    pub branch: &'a str,
    /// The tag there.
    pub hub_tag: &'a str,
    /// The branch's head before.
    pub before: Option<&'a str>,
    /// The commit that was made, or found.
    pub after: Option<&'a str>,
    /// SHA-256 over the names and digests of all files.
    pub manifest_digest: Digest,
    /// SHA-256 of `weighbridge.json`.
    pub record_digest: Option<&'a str>,
    /// Who approved.
    pub approvals: &'a [Approval],
    /// What was passed over, and on whose word.
    pub emergency: Option<&'a Emergency>,
    /// Why it did not come to its end.
    pub failure: Option<&'a str>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this shape.
    pub schema: u32,
    /// When it was written down, UTC.
    pub time: Timestamp,
    /// How the run ended.
    pub outcome: Outcome,
    /// `release`, `rehearse`, …
    pub mode: String,
    /// The model's name in its repository.
    pub model: String,
    /// The version, without `v`.
    pub version: String,
    /// The tag in git that asked for it.
    pub tag: String,
    /// Who is responsible for the run, as the CI names them.
    pub actor: Option<String>,
    /// Who started it, where that is somebody else: a run may be started again.
    pub triggering_actor: Option<String>,
    /// Where the Hub's token came from.
    pub credential: Option<String>,
    /// `owner/name` of the source repository.
    pub repository: Option<String>,
    /// Commit of the source repository.
    pub commit: Option<String>,
    /// Address of the CI run.
    pub run_url: Option<String>,
    /// What made the CI run: `tag-push`, `dispatch`, …
    pub event: String,
    /// `namespace/name` on the Hub.
    pub repo_id: String,
    /// The branch that got the commit.
    pub branch: String,
    /// The tag on the Hub.
    pub hub_tag: String,
    /// The branch's head before; `null` where there was none, or nobody looked.
    pub before: Option<String>,
    /// The commit on the Hub; `null` where it is not known whether it landed.
    pub after: Option<String>,
    /// SHA-256 over the names and digests of all files.
    pub manifest_digest: Digest,
    /// SHA-256 of the release record (`weighbridge.json`).
    pub record_digest: Option<String>,
    /// What each gate said.
    pub gates: Vec<Gate>,
    /// Findings that the policy allowed.
    pub allowed: Vec<Allowed>,
    /// Who approved.
    pub approvals: Vec<Approval>,
    /// What was passed over in an emergency.
    pub emergency: Option<Emergency>,
    /// Why the run did not come to its end.
    pub failure: Option<String>,
    /// Entries of the lists above that did not fit.
    pub left_out: usize,
    /// Version of the program that wrote this.
    pub weighbridge: String,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The version is out.
    Published,
    /// Something was written, and the run did not come to its end.
    Failed,
    /// The version was out already, and the log did not know of it.
    Found,
}

impl Outcome {
    /// As records have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Failed => "failed",
            Self::Found => "found",
        }
    }
}

/// What one gate said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The gate.
    pub name: String,
    /// `passed`, `blocked`, `skipped` or `broken`.
    pub verdict: String,
    /// Findings by level.
    pub errors: usize,
    /// As `errors`.
    pub warnings: usize,
    /// As `errors`.
    pub notes: usize,
}

/// A finding that the policy allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// The rule.
    pub rule: String,
    /// Where it spoke.
    pub at: String,
    /// Why the policy allows it.
    pub reason: String,
}

/// Somebody's word for the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// When, as the source tells it.
    pub at: Option<String>,
    /// For what: a pull request, an environment.
    pub of: String,
}

/// Gates that were passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emergency {
    /// Who took it on themselves.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Which gates or rules.
    pub passed_over: Vec<String>,
}

/// A file that holds no record.
#[derive(Debug, thiserror::Error)]
#[error("it is no record of an audit log: {0}")]
pub struct NotARecord(String);

impl Record {
    /// Writes down a run, in bounds.
    pub fn of(run: &Run<'_>) -> Self {
        // What is in the log stays there for good.
        let secrets = Blotter::of_all();
        let clip = |text: &str| clip(&secrets.blotted(text));
        let maybe = |text: Option<&str>| text.map(clip);
        let (context, verdict) = (run.context, run.verdict);
        let gates = verdict.weighings().iter().map(|weighing| {
            let tally = Tally::of(&weighing.findings);
            Gate {
                name: weighing.gate.to_owned(),
                verdict: weighing.word().to_owned(),
                errors: tally.errors,
                warnings: tally.warnings,
                notes: tally.notes,
            }
        });
        let allowed = verdict.allowed().iter().map(|(finding, reason)| Allowed {
            rule: finding.rule.id.to_owned(),
            at: clip(&machine_path::scrub(&finding.at.to_string())),
            reason: clip(reason),
        });
        let approvals = run.approvals.iter().map(|one| Approval {
            by: clip(&one.by),
            at: maybe(one.at.as_deref()),
            of: clip(&one.of),
        });
        let mut record = Self {
            schema: SCHEMA,
            time: Timestamp::from_second(run.time.as_second()).unwrap_or(run.time),
            outcome: run.outcome,
            mode: clip(run.mode),
            model: clip(run.model),
            version: clip(run.version),
            tag: clip(run.tag),
            actor: maybe(context.actor.as_deref()),
            triggering_actor: maybe(context.triggering_actor.as_deref()),
            credential: maybe(run.credential),
            repository: maybe(context.repository.as_deref()),
            commit: maybe(run.commit),
            run_url: maybe(context.run_url.as_deref()),
            event: clip(context.event.as_str()),
            repo_id: run.repo.to_string(),
            branch: clip(run.branch),
            hub_tag: clip(run.hub_tag),
            before: maybe(run.before),
            after: maybe(run.after),
            manifest_digest: run.manifest_digest,
            record_digest: maybe(run.record_digest),
            gates: gates.collect(),
            allowed: allowed.collect(),
            approvals: approvals.collect(),
            emergency: run.emergency.map(|one| Emergency {
                by: clip(&one.by),
                reason: clip(&one.reason),
                passed_over: one.passed_over.iter().map(|gate| clip(gate)).collect(),
            }),
            failure: run.failure.map(|text| clip(&machine_path::scrub(text))),
            left_out: 0,
            weighbridge: env!("CARGO_PKG_VERSION").into(),
        };
        record.bound();
        record
    }

    /// Cuts the lists, the longest first where all of them are too long together.
    fn bound(&mut self) {
        let cut = |left_out: &mut usize, length: usize| {
            *left_out += length.saturating_sub(LISTED);
            LISTED
        };
        self.gates.truncate(cut(&mut self.left_out, self.gates.len()));
        self.allowed.truncate(cut(&mut self.left_out, self.allowed.len()));
        self.approvals.truncate(cut(&mut self.left_out, self.approvals.len()));
        if let Some(emergency) = &mut self.emergency {
            let length = emergency.passed_over.len();
            emergency.passed_over.truncate(cut(&mut self.left_out, length));
        }
        while self.to_text().len() > MAX_BYTES {
            let popped = self.allowed.pop().is_some() || self.approvals.pop().is_some();
            let popped = popped
                || self.emergency.as_mut().is_some_and(|one| one.passed_over.pop().is_some());
            // What is left is a hundred gates, whose names are ours, and short texts.
            if !popped {
                return;
            }
            self.left_out += 1;
        }
    }

    /// The record as it stands in a line: JSON without blanks, its fields in their order.
    pub fn to_text(&self) -> String {
        // Every field is plain data with text keys: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What tells it from every other record.
    pub fn id(&self) -> Digest {
        Digest::of(self.to_text().as_bytes())
    }

    /// Reads a record that was kept in a file, byte for byte as [`Self::to_text`] wrote it: another
    /// text would have another id.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotARecord> {
        if bytes.len() > MAX_BYTES + 1 {
            return Err(NotARecord(format!("it is larger than {MAX_BYTES} bytes")));
        }
        let record: Self =
            serde_json::from_slice(bytes).map_err(|error| NotARecord(error.to_string()))?;
        if record.to_text().as_bytes() != bytes.trim_ascii_end() {
            return Err(NotARecord(format!(
                "it is not as version {} of weighbridge writes it",
                env!("CARGO_PKG_VERSION")
            )));
        }
        Ok(record)
    }
}

/// At most [`TEXT`] characters, none of them a control character.
fn clip(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut characters = text.chars().map(clean);
    let mut cut: String = characters.by_ref().take(TEXT).collect();
    if characters.next().is_some() {
        cut.pop();
        cut.push('…');
    }
    cut
}
