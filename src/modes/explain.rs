//! `explain`: the effective policy, each value with where it comes from.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::inputs::OutputFormat;
use crate::{policy, report};

use super::call::Call;
use super::weigh;

pub(super) fn run(call: &Call) -> Result<Exit, Failure> {
    let policy = weigh::policy(call)?;
    match call.settings.format {
        Some(OutputFormat::Json) => report::print_data(&policy::explain_json(&policy))?,
        Some(OutputFormat::Text) | None => report::print(&policy::explain(&policy))?,
    }
    Ok(Exit::Pass)
}
