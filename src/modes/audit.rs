//! The record that a run leaves in the policy's audit log. A release is never lost because the log is
//! unreachable: the record is then kept beside the report, and the run says so.

use std::time::Duration;

use jiff::Timestamp;

use crate::audit::{
    Approval, Attempt, Emergency, Entry, Log, LogError, Outcome, Reach, Record, Run,
};
use crate::failure::Failure;
use crate::finding::Verdict;
use crate::hub::{Hub, HubError, RepoId};
use crate::policy::AuditLog;
use crate::provenance::ControlRecord;
use crate::publish::{Receipt, Remote, Standing, Unfinished};
use crate::report::{Audited, Report};
use crate::signals::{self, Guard};

use super::call::Call;
use super::credentials::Opened;
use super::weigh::Gathered;

/// How long the log may hold up a release that is out, and how long when somebody wants us to stop.
const TIME: Duration = Duration::from_mins(3);
const HURRIED: Duration = Duration::from_secs(3);

/// The policy's log, and how this run writes to it.
pub(super) struct Trail {
    hub: Hub,
    repo: RepoId,
    log: Log,
    /// Where the token came from.
    credential: Option<&'static str>,
}

impl Trail {
    /// For a run that has a token.
    pub(super) async fn of(opened: &Opened, policy: &AuditLog) -> Option<Self> {
        let repo = policy.repository.clone();
        let (hub, credential) = opened.hub_for(&repo).await;
        if !hub.has_token() {
            return None;
        }
        let log = Log::new(hub.clone(), repo.clone(), &policy.path);
        Some(Self { hub, repo, log, credential })
    }

    /// Whether the log can be added to. A rehearsal makes the repository, which anywhere else is the
    /// organisation's own to make.
    pub(super) async fn reach(&self, make: bool) -> Reach {
        if make && let Err(error) = self.make().await {
            return Reach::Unreachable(
                Failure::advised("no repository was made", &error).to_string(),
            );
        }
        self.log.reach().await
    }

    async fn make(&self) -> Result<(), HubError> {
        let me = &self.hub.whoami().await?.name;
        self.hub.create_repo(&self.repo, true, me).await.map(drop)
    }

    /// Leaves the record of a run that wrote something, and puts into the report what became of it.
    pub(super) async fn leave(
        &self,
        call: &Call,
        gathered: &Gathered,
        remote: &Remote,
        ended: &Result<Receipt, Unfinished>,
        report: &mut Report,
    ) {
        let left = match ended {
            Ok(receipt) if receipt.already_published => match self.knows(receipt).await {
                Ok(true) => None,
                // The run that published it was killed before it could say so, or it was published
                // before there was a log.
                Ok(false) => Some((Outcome::Found, Some(receipt.revision.clone()))),
                Err(failure) => {
                    report.notes.push(failure.to_string());
                    None
                }
            },
            Ok(receipt) => Some((Outcome::Published, Some(receipt.revision.clone()))),
            Err(unfinished) => match &unfinished.standing {
                Standing::Nothing => None,
                Standing::Unknown => Some((Outcome::Failed, None)),
                Standing::Untagged { commit }
                | Standing::TagUnknown { commit }
                | Standing::Tagged { commit } => Some((Outcome::Failed, Some(commit.clone()))),
            },
        };
        let (Some((outcome, after)), Some(release), Some(target)) =
            (left, gathered.release(), &gathered.target)
        else {
            return;
        };
        let failure = ended.as_ref().err().map(|unfinished| {
            Failure::new("publishing did not end").because(&unfinished.error).to_string()
        });
        let record = Record::of(&Run {
            time: Timestamp::now(),
            outcome,
            mode: report.mode,
            model: &report.model,
            version: &release.version.to_string(),
            tag: &release.tag,
            context: &call.context,
            commit: report.commit.as_deref(),
            credential: self.credential,
            verdict: &report.verdict,
            repo: &target.repo,
            branch: &target.revision,
            hub_tag: &release.hub_tag(),
            // What was there before a version that is only found, nobody saw.
            before: remote.head.as_deref().filter(|_| outcome != Outcome::Found),
            after: after.as_deref(),
            manifest_digest: gathered.inventory.manifest_digest(),
            record_digest: ended.as_ref().ok().map(|receipt| receipt.record_digest.as_str()),
            approvals: &approvals(gathered),
            emergency: emergency(&report.verdict).as_ref(),
            failure: failure.as_deref(),
        });
        let repository = self.repo.to_string();
        let attempt = Attempt::default();
        let what = || attempt.known().words();
        report.audit = Some(match in_time(self.log.append(&record, &attempt), what).await {
            Ok(appended) => Audited::appended(repository, record, appended),
            Err(why) => {
                let kept = keep(call, &record);
                Audited::kept_instead(repository, record, &attempt.known(), kept, why.to_string())
            }
        });
    }

    /// Whether the log has a record of this version being out.
    async fn knows(&self, receipt: &Receipt) -> Result<bool, Failure> {
        let is_it = |entry: &Entry| {
            serde_json::from_str::<Record>(&entry.record).is_ok_and(|record| {
                record.outcome != Outcome::Failed
                    && record.repo_id == receipt.repo_id
                    && record.hub_tag == receipt.tag
                    && record.after.as_deref() == Some(&receipt.revision)
            })
        };
        let what =
            || format!("whether the audit log has a record of {} could not be seen", receipt.tag);
        Ok(in_time(self.log.find(is_it), what).await?.is_some())
    }
}

/// What is asked of the log, as long as that does not hold up for too long what is out already; `what`
/// says what is known where it was given up.
async fn in_time<T>(
    asked: impl Future<Output = Result<T, LogError>>,
    what: impl Fn() -> String,
) -> Result<T, Failure> {
    let stopping = signals::asked();
    let time = if stopping { HURRIED } else { TIME };
    let guard = Guard::new();
    tokio::select! {
        answer = asked => answer.map_err(|error| Failure::advised(what(), &error)),
        () = tokio::time::sleep(time) => {
            Err(Failure::new(format!("{} within {} seconds", what(), time.as_secs())))
        }
        () = guard.interrupted(), if !stopping => {
            Err(Failure::new(format!("{}: somebody asked to stop", what())))
        }
    }
}

/// Who let the version out: reviewers whose approval counts, and those of environments.
fn approvals(gathered: &Gathered) -> Vec<Approval> {
    let control = gathered.source.as_ref().and_then(ControlRecord::of).unwrap_or_default();
    let reviews = control.pull_requests.into_iter().flat_map(|pull| {
        let counting = pull.votes.into_iter().filter(|vote| vote.counts);
        counting.map(move |vote| Approval { by: vote.by, at: vote.at, of: pull.url.clone() })
    });
    let environments = control.approvals.into_iter().filter(|one| one.approved);
    let environments = environments.map(|one| Approval {
        by: one.by.unwrap_or_default(),
        at: None,
        of: format!("environment {}", one.environments.join(", ")),
    });
    reviews.chain(environments).collect()
}

fn emergency(verdict: &Verdict) -> Option<Emergency> {
    let emergency = verdict.emergency()?;
    let mut passed_over: Vec<_> =
        verdict.passed_over().iter().map(|finding| finding.rule.id.to_owned()).collect();
    passed_over.sort();
    passed_over.dedup();
    let (by, reason) = (emergency.by().join(", "), emergency.reason().to_owned());
    Some(Emergency { by, reason, passed_over })
}

/// Writes the record beside the report; its path, as the steps after this one find it. Its name is its
/// own: a record that an earlier run kept is not overwritten.
fn keep(call: &Call, record: &Record) -> Option<String> {
    let folder = call.report_dir();
    let name = format!("audit-record-{}.json", &record.id().to_string()[..12]);
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join(&name), format!("{}\n", record.to_text())));
    written.ok()?;
    let told = call.settings.report_dir.as_deref().unwrap_or(&folder);
    Some(told.join(name).display().to_string())
}
