//! `rehearse`: the whole release against an embedded Hub: no account, no network.

use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::inputs::Rehearse;
use crate::rehearsal::{EmbeddedHub, HubOptions};
use crate::report;

use super::call::Call;
use super::release;

pub(super) fn run(arguments: &Rehearse, mut call: Call) -> Result<Exit, Failure> {
    let dir = arguments.dir.as_deref().unwrap_or(Path::new("."));
    let policy = call.settings.policy.take().unwrap_or_else(|| PathBuf::from("weighbridge.yml"));
    call.settings.policy = Some(dir.join(policy));

    let data = data(arguments, &call)?;
    let runtime = super::hub::runtime()?;
    let mut embedded = runtime
        .block_on(EmbeddedHub::start(HubOptions::new(&data)))
        .map_err(|error| Failure::advised("the embedded Hub cannot start", &error))?;
    let hub = call.hub(&embedded.url(), Some(embedded.token()))?;
    let exit = release::through(&call, &hub, "rehearse")?;
    if arguments.serve {
        report::aside(&format!("The embedded Hub stays at {} until Ctrl-C.", embedded.url()));
        runtime.block_on(embedded.until_stopped());
    } else {
        report::aside(&format!("Look at it: weighbridge hub --data {}", data.display()));
        runtime.block_on(embedded.stop());
    }
    Ok(exit)
}

/// The same folder for every rehearsal of one directory, so that a second one finds what the
/// first has published.
fn data(arguments: &Rehearse, call: &Call) -> Result<PathBuf, Failure> {
    if let Some(data) = &arguments.data {
        return Ok(data.clone());
    }
    let base = super::weigh::base(call);
    let base = base.canonicalize().map_err(|error| {
        Failure::new(format!("cannot find the folder `{}`", base.display()))
            .because(&error)
            .fix("give the folder that holds the weighbridge.yml: `weighbridge rehearse DIR`")
    })?;
    let name = Digest::of(base.as_os_str().as_encoded_bytes()).to_string();
    Ok(cache(call).join("weighbridge/rehearsals").join(&name[..12]))
}

/// The user's own cache folder (XDG Base Directory Specification): in one that all users share,
/// another could have laid the folder before us. Without a home there is nobody else either.
fn cache(call: &Call) -> PathBuf {
    let named =
        |name: &str| call.env.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    named("XDG_CACHE_HOME")
        .or_else(|| named("HOME").map(|home| home.join(".cache")))
        .or_else(|| named("LOCALAPPDATA"))
        .unwrap_or_else(std::env::temp_dir)
}
