//! What the job's identity says, where a store does not let it in.

use super::Claims;

/// What stores look at.
const LOOKED_AT: [&str; 8] =
    ["iss", "sub", "repository", "project_path", "ref", "ref_type", "ref_protected", "environment"];

/// The claims that stores look at, in one line.
pub(super) fn said(claims: &Claims) -> String {
    let audience = claims.audiences().first().map(|one| crate::markdown::line(one));
    let audience = audience.map(|one| format!("aud = {one}"));
    let shown = |name: &&str| Some(format!("{name} = {}", claims.shown(name)?));
    let said: Vec<_> = LOOKED_AT.iter().filter_map(shown).chain(audience).collect();
    if said.is_empty() { "nothing that can be read".into() } else { said.join(", ") }
}
