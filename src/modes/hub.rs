//! `hub`: the embedded Hub alone, until interrupted.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::inputs::Serve;
use crate::rehearsal::{EmbeddedHub, HubOptions};
use crate::report;

pub(super) fn run(arguments: &Serve) -> Result<Exit, Failure> {
    let fresh;
    let data = if let Some(data) = &arguments.data {
        data.clone()
    } else {
        fresh = tempfile::tempdir()
            .map_err(|error| Failure::new("cannot make a temporary folder").because(&error))?;
        fresh.path().to_owned()
    };
    let runtime = runtime()?;
    let options = HubOptions { addr: arguments.addr, ..HubOptions::new(&data) };
    let mut hub = runtime
        .block_on(EmbeddedHub::start(options))
        .map_err(|error| Failure::advised("the embedded Hub cannot start", &error))?;
    // On standard output, so that a script can read it: the token opens nothing but this server.
    report::print_with_secret(&format!(
        "The embedded Hub is up, repositories are kept in {}.\n\n  export HF_ENDPOINT={} HF_TOKEN={}\n\nCtrl-C stops it.\n",
        data.display(),
        hub.url(),
        hub.token().expose(),
    ))?;
    runtime.block_on(hub.until_stopped());
    Ok(Exit::Pass)
}

/// A runtime for a server and its clients.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new("cannot start the network runtime").because(&error))
}
