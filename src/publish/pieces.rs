//! A version too large for one commit is built up on a branch of its own, which nobody reads, looked at
//! there, and then takes the target branch's place at once.
//!
//! A commit is one request, and the Hub gives a request 60 seconds.

use std::sync::Arc;

use super::execute::{TRIES, head_is_ours, head_of};
use super::standing::Reached;
use super::verify::{By, verify};
use super::{Plan, Progress, PublishError};
use crate::hub::{Hub, Operation};
use crate::policy::CommitSize;

/// How the branches begin that are built up out of sight.
const PREFIX: &str = "weighbridge-pieces-";

/// The branch of a version.
pub(super) fn branch(plan: &Plan) -> String {
    format!("{PREFIX}{}", plan.tag)
}

/// The operations in order, cut so that each piece fits into one commit.
pub(super) fn cut(operations: Vec<Operation>, most: CommitSize) -> Vec<Arc<[Operation]>> {
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
        piece.push(operation);
    }
    if !piece.is_empty() || pieces.is_empty() {
        pieces.push(piece.into());
    }
    pieces
}

/// A version that is whole, out of sight.
pub(super) struct Built {
    /// The last commit.
    pub(super) commit: String,
    /// The target branch's head, on which it stands.
    base: String,
}

/// Commits the pieces on `base`, one after another, to the version's own branch. What an earlier run
/// left there is thrown away.
pub(super) async fn build(
    hub: &Hub,
    plan: &Plan,
    base: String,
    pieces: &[Arc<[Operation]>],
    progress: &Arc<dyn Progress>,
) -> Result<Built, PublishError> {
    let (repo, branch) = (&plan.target.repo, branch(plan));
    hub.move_branch(repo, &branch, &base).await?;
    let mut commit = base.clone();
    for (at, piece) in pieces.iter().enumerate() {
        progress.doing(&format!("committing part {} of {} out of sight", at + 1, pieces.len()));
        let summary = format!("{} (part {} of {})", plan.summary(), at + 1, pieces.len());
        commit = add(hub, plan, &branch, &commit, &summary, piece).await?;
    }
    Ok(Built { commit, base })
}

/// One piece on `parent`. After an answer that was lost, the branch is asked: whether what it has is
/// ours is settled when the whole version is read back.
async fn add(
    hub: &Hub,
    plan: &Plan,
    branch: &str,
    parent: &str,
    summary: &str,
    piece: &Arc<[Operation]>,
) -> Result<String, PublishError> {
    let description = plan.description();
    let mut tries = 0;
    loop {
        tries += 1;
        let repo = &plan.target.repo;
        let error = match hub.commit(repo, branch, Some(parent), summary, &description, piece).await
        {
            Ok(commit) => return Ok(commit),
            Err(error) => error,
        };
        if !error.maybe_done() && error.status() != Some(412) {
            return Err(error.into());
        }
        let pause = error.pause(tries + 1);
        match head_of(hub, plan, branch).await? {
            Some(head) if head != parent => return Ok(head),
            Some(_) if tries < TRIES && pause < hub.left() => tokio::time::sleep(pause).await,
            _ => return Err(error.into()),
        }
    }
}

/// Puts it in the target branch's place, unless that moved meanwhile, and takes the branch away that it
/// was built up on. What stands in that place: another run of the same tag may have been faster.
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
                let faster = head_is_ours(hub, plan).await?;
                let commit = faster.ok_or_else(|| PublishError::Contended(target.clone()))?;
                reached.committed(&commit);
                verify(hub, plan, &commit, By::AnotherRun, progress).await?;
                return Ok(commit);
            }
        }
        reached.committing();
        match hub.move_branch(repo, target, &built.commit).await {
            Ok(()) => break,
            Err(error) if error.maybe_done() && tries < TRIES => {}
            Err(error) => {
                if !error.maybe_done() && tries == 1 {
                    reached.refused();
                }
                return Err(error.into());
            }
        }
    }
    reached.committed(&built.commit);
    // It holds nothing that is not in the target branch: one that stays does no harm.
    if let Err(error) = hub.delete_branch(repo, &branch(plan)).await {
        progress.doing(&format!("leaving the branch {} behind: {error}", branch(plan)));
    }
    Ok(built.commit.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inline(bytes: usize) -> Operation {
        Operation::Inline { path: "a".into(), bytes: vec![0; bytes].into() }
    }

    #[test]
    fn each_piece_fits_and_nothing_is_lost_or_moved() {
        let sizes = |files, bytes, operations: &[usize]| -> Vec<Vec<u64>> {
            let operations = operations.iter().map(|bytes| inline(*bytes)).collect();
            let pieces = cut(operations, CommitSize { files, bytes });
            pieces.iter().map(|piece| piece.iter().map(Operation::inline_bytes).collect()).collect()
        };
        assert_eq!(sizes(9, 10, &[]), [[0; 0]]);
        assert_eq!(sizes(9, 10, &[4, 6]), [[4, 6]]);
        assert_eq!(sizes(9, 10, &[4, 6, 1]), [vec![4, 6], vec![1]]);
        assert_eq!(sizes(2, 10, &[1, 2, 3, 4, 5]), [vec![1, 2], vec![3, 4], vec![5]]);
        assert_eq!(sizes(9, 10, &[11, 1, 12]), [[11], [1], [12]], "one that never fits goes alone");
    }
}
