//! `explain`: the effective policy, each value with where it comes from.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::inputs::OutputFormat;
use crate::{policy, report};

use super::call::Call;
use super::weigh;

pub(super) fn run(call: &Call) -> Result<Exit, Failure> {
    let policy = weigh::policy(call)?;
    report::print(&match call.settings.format {
        Some(OutputFormat::Json) => policy::explain_json(&policy),
        Some(OutputFormat::Text) | None => policy::explain(&policy),
    })?;
    Ok(Exit::Pass)
}
