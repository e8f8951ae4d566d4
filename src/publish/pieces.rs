//! A version too large for one commit is built up on a branch of its own, which nobody reads, looked at
//! there, and then takes the target branch's place at once.
//!
//! A commit is one request, and the Hub gives a request 60 seconds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::execute::TRIES;
use super::lag::awaited;
use super::ours::{head_of, history, ours};
use super::standing::Reached;
use super::verify::{By, verify};
use super::{Plan, Progress, PublishError};
use crate::hub::wire::Refs;
use crate::hub::{Hub, HubError, Operation};
use crate::policy::CommitSize;

/// How the branches of a version begin that are built up out of sight. Each run has one of its own, so
/// that two runs of one tag cannot mix.
pub(super) fn prefix(tag: &str) -> String {
    format!("weighbridge-pieces-{tag}-")
}

/// Branches that earlier runs of a version left.
pub(super) fn left(refs: &Refs, tag: &str) -> Vec<String> {
    let prefix = prefix(tag);
    let names = refs.branches.iter().map(|branch| &branch.name);
    names.filter(|name| name.strip_prefix(&prefix).is_some_and(is_mark)).cloned().collect()
}

/// What a run's branch ends with.
fn is_mark(end: &str) -> bool {
    end.len() == 16 && end.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The operations in order, cut so that each piece fits into one commit.
pub(super) fn cut(operations: &[Operation], most: CommitSize) -> Vec<Arc<[Operation]>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let mut bytes = 0;
    for operation in operations {
        let more = operation.inline_bytes();
        if !piece.is_empty() && (piece.len() >= most.files || bytes + more > most.bytes) {
            pieces.push(std::mem::take(&mut piece).into());
            bytes = 0;
        }
        bytes += more;
        piece.push(operation.clone());
    }
    if !piece.is_empty() || pieces.is_empty() {
        pieces.push(piece.into());
    }
    pieces
}

/// Half of what the largest piece has; `None` where none can be cut any more.
pub(super) fn half(pieces: &[Arc<[Operation]>]) -> Option<CommitSize> {
    let files = pieces.iter().map(|piece| piece.len()).max()?;
    let bytes = |piece: &Arc<[Operation]>| piece.iter().map(Operation::inline_bytes).sum::<u64>();
    let bytes = pieces.iter().map(bytes).max()?;
    let less = CommitSize { files: files.div_ceil(2), bytes: bytes.div_ceil(2).max(1) };
    (files > 1).then_some(less)
}

/// A commit that takes so long may be too much.
const LONG: Duration = Duration::from_secs(20);
/// How often pieces are halved of which the Hub does not say that they are too large.
pub(super) const HALVED: u32 = 4;

/// Why a commit was not made.
#[derive(Debug)]
pub(super) enum Unmade {
    /// The Hub does not take so much at once, or did not get through with it in time, twice.
    TooMuch(HubError),
    /// A smaller one would not be made either.
    Other(PublishError),
}

impl Unmade {
    /// After so many tries of a commit of so many operations, of which the last took so long and ended so.
    /// The error comes back where it is to be tried again as it is.
    pub(super) fn after(
        tries: u32,
        operations: usize,
        took: Duration,
        error: HubError,
    ) -> Result<HubError, Self> {
        let status = error.status();
        // A proxy before the Hub cuts what takes long, in words of its own or none; what is refused at
        // once was not too much.
        let cut = matches!(status, None | Some(408 | 504)) || took >= LONG;
        let in_vain = error.maybe_done() && cut && tries > 1;
        if operations > 1 && (status == Some(413) || in_vain) {
            return Err(Self::TooMuch(error));
        }
        Ok(error)
    }
}

impl From<HubError> for Unmade {
    fn from(error: HubError) -> Self {
        Self::Other(error.into())
    }
}

impl From<PublishError> for Unmade {
    fn from(error: PublishError) -> Self {
        Self::Other(error)
    }
}

impl From<Unmade> for PublishError {
    fn from(unmade: Unmade) -> Self {
        match unmade {
            Unmade::TooMuch(error) => error.into(),
            Unmade::Other(error) => error,
        }
    }
}

/// A version that is whole, out of sight.
pub(super) struct Built {
    /// The last commit.
    pub(super) commit: String,
    /// The target branch's head, on which it stands.
    base: String,
    /// The branch that it was built on.
    branch: String,
}

/// Commits the pieces on `base`, one after another, to a branch of this run's own.
pub(super) async fn build(
    hub: &Hub,
    plan: &Plan,
    base: String,
    pieces: &[Arc<[Operation]>],
    progress: &Arc<dyn Progress>,
) -> Result<Built, Unmade> {
    let branch = format!("{}{:016x}", prefix(&plan.tag), fastrand::u64(..));
    let built = on(hub, plan, &branch, &base, pieces, progress).await;
    match built {
        Ok(commit) => Ok(Built { commit, base, branch }),
        Err(error) => {
            remove(hub, plan, &branch, progress).await;
            Err(error)
        }
    }
}

async fn on(
    hub: &Hub,
    plan: &Plan,
    branch: &str,
    base: &str,
    pieces: &[Arc<[Operation]>],
    progress: &Arc<dyn Progress>,
) -> Result<String, Unmade> {
    hub.create_branch(&plan.target.repo, branch, base).await?;
    awaited(hub, "the branch", &**progress, async || head_of(hub, plan, branch).await).await?;
    let mut commit = base.to_owned();
    for (at, piece) in pieces.iter().enumerate() {
        let number = at + 1;
        progress.doing(&format!("committing part {number} of {} out of sight", pieces.len()));
        // What has the version's own title is whole.
        let summary = if number == pieces.len() {
            plan.summary()
        } else {
            format!("{} (part {number} of {})", plan.summary(), pieces.len())
        };
        commit = add(hub, plan, branch, &commit, &summary, piece, progress).await?;
    }
    Ok(commit)
}

/// One piece on `parent`. After an answer that was lost, the branch is asked.
async fn add(
    hub: &Hub,
    plan: &Plan,
    branch: &str,
    parent: &str,
    summary: &str,
    piece: &Arc<[Operation]>,
    progress: &Arc<dyn Progress>,
) -> Result<String, Unmade> {
    let description = plan.description();
    let mut tries = 0;
    loop {
        tries += 1;
        let repo = &plan.target.repo;
        let begun = Instant::now();
        let error = match hub.commit(repo, branch, Some(parent), summary, &description, piece).await
        {
            Ok(commit) => return Ok(commit),
            Err(error) => error,
        };
        let took = begun.elapsed();
        if !error.maybe_done() && error.status() != Some(412) {
            return Err(Unmade::after(tries, piece.len(), took, error)?.into());
        }
        progress.doing("asking whether the part landed");
        if let Some(head) = head_of(hub, plan, branch).await?.filter(|head| head != parent) {
            // An older head may be told; the parent keeps the piece from landing twice.
            let newest = history(hub, plan, &head, &**progress).await?;
            if let [landed, before, ..] = newest.as_slice()
                && landed.title == summary
                && before.id == parent
            {
                return Ok(head);
            }
        }
        let error = Unmade::after(tries, piece.len(), took, error)?;
        let pause = error.pause(tries + 1);
        if tries >= TRIES || pause >= hub.left() {
            return Err(error.into());
        }
        progress.doing(&format!("it did not; trying again in {:.1} s", pause.as_secs_f64()));
        tokio::time::sleep(pause).await;
    }
}

/// Puts it in the target branch's place, unless that moved meanwhile. What stands in that place:
/// another run of the same tag may have been faster.
pub(super) async fn show(
    hub: &Hub,
    plan: &Plan,
    built: &Built,
    progress: &Arc<dyn Progress>,
    reached: &Reached,
) -> Result<String, PublishError> {
    let (repo, target) = (&plan.target.repo, &plan.target.revision);
    progress.doing(&format!("moving {target} to the whole version"));
    let mut tries = 0;
    loop {
        tries += 1;
        match head_of(hub, plan, target).await? {
            Some(head) if head == built.commit => break,
            Some(head) if head == built.base => {}
            _ => {
                reached.refused();
                let faster = ours(hub, plan).await?;
                let commit = faster.ok_or_else(|| PublishError::Contended(target.clone()))?;
                reached.committed(&commit);
                verify(hub, plan, &commit, By::AnotherRun, progress).await?;
                return Ok(commit);
            }
        }
        reached.committing(&built.base);
        // Nothing lies between the look and this.
        let error = match hub.move_branch(repo, target, &built.commit).await {
            Ok(()) => break,
            Err(error) => error,
        };
        let passes = error.maybe_done() || matches!(error.status(), Some(429) | None);
        let pause = error.pause(tries + 1);
        if !passes || tries >= TRIES || pause >= hub.left() {
            if !error.maybe_done() && tries == 1 {
                reached.refused();
            }
            return Err(error.into());
        }
        progress.doing(&format!(
            "{}; looking again in {:.1} s",
            error.in_full(),
            pause.as_secs_f64()
        ));
        tokio::time::sleep(pause).await;
    }
    reached.committed(&built.commit);
    Ok(built.commit.clone())
}

/// Takes the branches away that the version was built up on, by this run or by earlier ones: all of it
/// is in the target branch, under its tag.
pub(super) async fn clear(
    hub: &Hub,
    plan: &Plan,
    built: Option<&Built>,
    progress: &Arc<dyn Progress>,
) {
    for branch in built.map(|built| &built.branch).into_iter().chain(&plan.remote.pieces) {
        remove(hub, plan, branch, progress).await;
    }
}

/// One that stays does no harm, and the next run of the tag takes it away.
async fn remove(hub: &Hub, plan: &Plan, branch: &str, progress: &Arc<dyn Progress>) {
    if let Err(error) = hub.delete_branch(&plan.target.repo, branch).await {
        progress.doing(&format!("leaving the branch {branch} behind: {}", error.in_full()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{HttpError, Refusal};

    fn inline(bytes: usize) -> Operation {
        Operation::Inline { path: "a".into(), bytes: vec![0; bytes].into() }
    }

    #[test]
    fn each_piece_fits_and_nothing_is_lost_or_moved() {
        let sizes = |files, bytes, operations: &[usize]| -> Vec<Vec<u64>> {
            let operations: Vec<_> = operations.iter().map(|bytes| inline(*bytes)).collect();
            let pieces = cut(&operations, CommitSize { files, bytes });
            pieces.iter().map(|piece| piece.iter().map(Operation::inline_bytes).collect()).collect()
        };
        assert_eq!(sizes(9, 10, &[]), [[0; 0]]);
        assert_eq!(sizes(9, 10, &[4, 6]), [[4, 6]]);
        assert_eq!(sizes(9, 10, &[4, 6, 1]), [vec![4, 6], vec![1]]);
        assert_eq!(sizes(2, 10, &[1, 2, 3, 4, 5]), [vec![1, 2], vec![3, 4], vec![5]]);
        assert_eq!(sizes(9, 10, &[11, 1, 12]), [[11], [1], [12]], "one that never fits goes alone");
    }

    #[test]
    fn halving_ends_with_single_files() {
        let operations: Vec<_> = (0..37).map(|bytes| inline(bytes * bytes)).collect();
        let mut most = CommitSize { files: 1000, bytes: u64::MAX };
        let mut counts = Vec::new();
        loop {
            let pieces = cut(&operations, most);
            counts.push(pieces.len());
            let Some(less) = half(&pieces) else { break };
            most = less;
        }
        assert!(counts.is_sorted_by(|a, b| a < b), "{counts:?}");
        assert_eq!((counts[0], counts[counts.len() - 1]), (1, 37));
        assert!(half(&cut(&[], most)).is_none());
    }

    #[test]
    fn smaller_pieces_are_for_what_is_too_large_or_takes_too_long() {
        let refused = |status| {
            let (url, words) = (String::new(), String::new());
            let refusal = Refusal { status, url, code: None, words, request_id: None, after: None };
            HttpError::Status(Box::new(refusal))
        };
        let silent = || HttpError::Silent { url: String::new(), seconds: 90.0 };
        let (short, long) = (Duration::from_secs(1), LONG);
        for (tries, operations, took, source, too_much) in [
            (1, 9, short, refused(413), true),
            (1, 1, short, refused(413), false),
            (1, 9, long, refused(504), false),
            (2, 9, short, refused(504), true),
            (2, 1, short, refused(504), false),
            (2, 9, short, silent(), true),
            // Refused at once, it is busy; that passes, or does not.
            (2, 9, short, refused(502), false),
            (2, 9, long, refused(502), true),
            (2, 9, long, refused(412), false),
        ] {
            let told = format!("{tries} {operations} {took:?} {source}");
            let error = HubError::Request { doing: String::new(), source };
            let after = Unmade::after(tries, operations, took, error);
            assert_eq!(matches!(after, Err(Unmade::TooMuch(_))), too_much, "{told}");
        }
    }

    #[test]
    fn only_branches_of_this_version_are_taken_away() {
        let branch = |name: &str| {
            serde_json::from_value(serde_json::json!({"name": name, "targetCommit": "0"}))
                .expect("a branch")
        };
        let names = [
            "main",
            "weighbridge-pieces-v1.0.0-0123456789abcdef",
            "weighbridge-pieces-v1.0.0-rc.1-0123456789abcdef",
            "weighbridge-pieces-v1.0.0-mine",
            "weighbridge-pieces-v1.0.01-0123456789abcdef",
        ];
        let refs = Refs { branches: names.map(branch).into(), ..Refs::default() };
        assert_eq!(left(&refs, "v1.0.0"), ["weighbridge-pieces-v1.0.0-0123456789abcdef"]);
    }
}
