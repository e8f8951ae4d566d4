//! The search of the repository for secrets, before the gates speak.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::inventory::{self, Inventory};
use crate::leaks::{self, Leaks, Suspect};
use crate::policy::Model;
use crate::release;

use super::call::Call;
use super::weigh;

/// What git tracks, but for the files of the model that were weighed; none where nothing is tracked.
pub(super) fn search(
    call: &Call,
    model: &Model,
    inventory: &Inventory,
) -> Result<Option<Leaks>, Failure> {
    let base = weigh::base(call);
    let tracked = release::tracked(&base)
        .map_err(|error| Failure::advised("cannot read the git repository", &error))?;
    let Some(tracked) = tracked else { return Ok(None) };
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (root, workspace) = (real(&tracked.root), real(&call.context.workspace));
    let artifact = real(&base.join(&model.path));
    let weighed: BTreeSet<&Path> =
        inventory.weighed().map(|file| Path::new(file.path.as_str())).collect();
    let is_weighed =
        |path: &PathBuf| path.strip_prefix(&artifact).is_ok_and(|inside| weighed.contains(inside));
    let paths = tracked.files.iter().map(|path| root.join(path)).filter(|path| !is_weighed(path));
    let suspects: Vec<_> = paths
        .map(|on_disk| Suspect { shown: shown(call, &on_disk, &root, &workspace), on_disk })
        .collect();
    let mut leaks = leaks::search(&root, &suspects);
    leaks.left += tracked.beyond;
    Ok(Some(leaks))
}

/// A tracked file as findings show it: from the workspace, also where that is a folder inside of the
/// repository.
fn shown(call: &Call, path: &Path, root: &Path, workspace: &Path) -> String {
    let text = match (path.strip_prefix(workspace), workspace.strip_prefix(root)) {
        (Ok(inside), _) => inside.to_string_lossy().into_owned(),
        (Err(_), Ok(below)) => {
            let up = "../".repeat(below.components().count());
            format!("{up}{}", path.strip_prefix(root).unwrap_or(path).to_string_lossy())
        }
        (Err(_), Err(_)) => call.shown(path),
    };
    inventory::printable(&text)
}
