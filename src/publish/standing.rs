//! How things stand on the Hub when publishing ends before its end.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::ours::{is_this, ours};
use super::{Plan, PublishError};
use crate::hub::Hub;

/// How long the Hub is asked, and how long when somebody wants us to stop.
const ASKING: Duration = Duration::from_secs(20);
const HURRIED: Duration = Duration::from_secs(2);

/// What of the version is there for others to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: the branch is as it was.
    Nothing,
    /// The commit was asked for, and nobody said what became of it: all of it is there, or nothing.
    Unknown,
    /// The commit, without the tag.
    Untagged {
        /// The commit.
        commit: String,
    },
    /// The commit; the tag was asked for, and nobody said what became of it.
    TagUnknown {
        /// The commit.
        commit: String,
    },
    /// The commit and the tag.
    Tagged {
        /// The commit.
        commit: String,
    },
}

impl Standing {
    /// As reports have it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Unknown => "unknown",
            Self::Untagged { .. } => "untagged",
            Self::TagUnknown { .. } => "tag-unknown",
            Self::Tagged { .. } => "tagged",
        }
    }

    /// In words, with what to do.
    pub fn words(&self, plan: &Plan) -> String {
        let (tag, branch) = (&plan.tag, &plan.target.revision);
        match self {
            Self::Nothing => format!(
                "nothing of {tag} is published, and this run changed nothing on `{branch}`; files that arrived whole are not sent again"
            ),
            Self::Unknown => format!(
                "the commit of {tag} was sent, and it is not known whether it landed: `{branch}` has all of it or nothing, and no tag; run it again, it asks before it sends anything"
            ),
            Self::Untagged { commit } => format!(
                "the commit {commit:.12} of {tag} is on `{branch}`, without the tag; run it again, it reads the files back, mends what does not hold, and makes the tag"
            ),
            Self::TagUnknown { commit } => format!(
                "the commit {commit:.12} of {tag} is on `{branch}`; its tag was asked for, and it is not known whether it is there; run it again, it makes sure"
            ),
            Self::Tagged { commit } => format!(
                "{tag} is published: the commit {commit:.12} is on `{branch}`, with the tag; run it again to see it confirmed"
            ),
        }
    }
}

/// How far publishing has come, told by itself on the way.
#[derive(Debug)]
pub(super) struct Reached {
    /// Where it began.
    before: Step,
    now: Mutex<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    /// Nothing was asked for that anybody could see.
    Unseen,
    /// The commit was asked for, on this parent.
    Committing(String),
    /// The commit is there.
    Committed(String),
    /// The tag was asked for.
    Tagging(String),
}

impl Reached {
    /// Where publishing begins: another run may have made the commit.
    pub(super) fn before(plan: &Plan) -> Self {
        let remote = &plan.remote;
        let ours = remote.record.as_ref().is_some_and(|record| is_this(record, plan));
        let before = match &remote.head {
            Some(head) if ours => Step::Committed(head.clone()),
            _ => Step::Unseen,
        };
        Self { now: Mutex::new(before.clone()), before }
    }

    /// The commit is about to be asked for, on `parent`.
    pub(super) fn committing(&self, parent: &str) {
        self.set(Step::Committing(parent.to_owned()));
    }

    /// The commit is not there, and will not be.
    pub(super) fn refused(&self) {
        self.set(self.before.clone());
    }

    /// The commit is there.
    pub(super) fn committed(&self, commit: &str) {
        self.set(Step::Committed(commit.to_owned()));
    }

    /// The tag is about to be asked for.
    pub(super) fn tagging(&self, commit: &str) {
        self.set(Step::Tagging(commit.to_owned()));
    }

    fn set(&self, step: Step) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }

    /// What stands on the Hub now, after `error`: what is not known is asked.
    pub(super) async fn standing(&self, hub: &Hub, plan: &Plan, error: &PublishError) -> Standing {
        let step = self.now.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let hurried = matches!(error, PublishError::Interrupted);
        let time = if hurried { HURRIED } else { ASKING };
        // The run's own time may be over.
        let asked = tokio::time::timeout(time, ask(&hub.within(time), plan, &step)).await;
        match (asked, step) {
            (Ok(Ok(standing)), _) => standing,
            (_, Step::Unseen) => Standing::Nothing,
            (_, Step::Committing(_)) => Standing::Unknown,
            (_, Step::Committed(commit)) => Standing::Untagged { commit },
            (_, Step::Tagging(commit)) => Standing::TagUnknown { commit },
        }
    }
}

async fn ask(hub: &Hub, plan: &Plan, step: &Step) -> Result<Standing, PublishError> {
    Ok(match step {
        Step::Unseen => Standing::Nothing,
        Step::Committing(parent) => match ours(hub, plan).await?.filter(|ours| ours != parent) {
            Some(commit) => Standing::Untagged { commit },
            // It may land late: a Hub works on after it has lost patience with the answer.
            None => Standing::Unknown,
        },
        Step::Committed(commit) => Standing::Untagged { commit: commit.clone() },
        Step::Tagging(commit) => {
            let refs = hub.refs(&plan.target.repo).await?.unwrap_or_default();
            let tag = refs.tags.into_iter().find(|tag| tag.name == plan.tag);
            let commit = commit.clone();
            match tag {
                Some(tag) if tag.target_commit == commit => Standing::Tagged { commit },
                // As with a commit, it may land late.
                _ => Standing::TagUnknown { commit },
            }
        }
    })
}
