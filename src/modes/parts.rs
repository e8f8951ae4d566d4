//! A release in parts: what binds a part to its release, and the inventory that parts make.

use std::path::Path;

use crate::digest::Digest;
use crate::failure::Failure;
use crate::inventory::Inventory;
use crate::parts::{self, Binding, Expected};
use crate::policy::Model;
use crate::release::{Release, Target};

use super::call::Call;
use super::weigh;

/// What a part is of.
pub(super) struct Of<'a> {
    pub(super) model: &'a Model,
    pub(super) release: &'a Release,
    pub(super) target: &'a Target,
    /// The source commit.
    pub(super) commit: Option<String>,
}

/// What a part and the release that takes it must agree on.
pub(super) fn binding(call: &Call, of: &Of<'_>) -> Result<Binding, Failure> {
    let path = call.policy_path();
    let policy = std::fs::read(&path).map_err(|error| {
        Failure::new(format!("cannot read the policy `{}`", call.shown(&path))).because(&error)
    })?;
    Ok(Binding {
        weighbridge: env!("CARGO_PKG_VERSION").to_owned(),
        model: of.model.name.clone(),
        tag: of.release.tag.clone(),
        version: of.release.version.to_string(),
        repo: of.target.repo.to_string(),
        revision: of.target.revision.clone(),
        commit: of.commit.clone(),
        run: call.context.run_url.clone(),
        policy: Digest::of(&policy),
    })
}

/// The inventory that the parts in `folder` make of a release, where the tag names one.
pub(super) fn merge(call: &Call, folder: &Path, of: Option<&Of<'_>>) -> Result<Inventory, Failure> {
    let of = of.ok_or_else(|| {
        Failure::new("parts are of a version, and no tag names one that can be read")
            .fix("name it: `--tag v1.4.0` (input `tag`)")
    })?;
    let (root, shown_root) =
        (weigh::base(call).join(&of.model.path), weigh::shown_folder(call, of.model));
    let refused = |error| Failure::advised("the parts make no release", &error);
    let digests = call.settings.part_digests.as_deref().map(parts::digests).transpose();
    let expected = Expected { binding: binding(call, of)?, digests: digests.map_err(refused)? };
    let folder = call.context.workspace.join(folder);
    parts::merge(&folder, &call.shown(&folder), &expected, root, &shown_root).map_err(refused)
}
