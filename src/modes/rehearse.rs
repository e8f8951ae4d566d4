//! `rehearse`: the whole release against an embedded Hub: no account, no network.

use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::inputs::{self, Rehearse};
use crate::rehearsal::{EmbeddedHub, HubOptions};
use crate::report;

use super::call::Call;
use super::credentials::Entrance;
use super::release;

pub(super) fn run(arguments: &Rehearse, mut call: Call) -> Result<Exit, Failure> {
    call.refuse_parts("rehearse")?;
    let dir = arguments.dir.as_deref().unwrap_or(Path::new("."));
    let policy = call.settings.policy.take().unwrap_or_else(|| PathBuf::from("weighbridge.yml"));
    call.settings.policy = Some(dir.join(policy));

    let data = data(arguments, &call)?;
    let runtime = super::hub::runtime()?;
    let mut embedded = runtime
        .block_on(EmbeddedHub::start(HubOptions::new(&data)))
        .map_err(|error| Failure::advised("the embedded Hub cannot start", &error))?;
    let hub = call.hub(&embedded.url(), Some(embedded.token()))?;
    // Without `--serve` this Hub is gone when its pages could be read; another can show them.
    let pages =
        if arguments.serve { embedded.url() } else { format!("http://{}", inputs::HUB_ADDR) };
    let exit =
        release::through(&call, "rehearse", |_| Ok(Entrance::Open { hub, pages: pages.clone() }))?;
    if arguments.serve {
        report::aside(&format!("The embedded Hub stays at {pages} until Ctrl-C."));
        runtime.block_on(embedded.until_stopped());
    } else {
        report::aside(&format!(
            "Look at it: run `weighbridge hub --data {}`, then open {pages}",
            data.display()
        ));
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
    Ok(call.cache().join("weighbridge/rehearsals").join(&name[..12]))
}
