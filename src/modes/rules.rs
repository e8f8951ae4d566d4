//! `rules` and `schema`: what the code knows of itself.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::inputs::RulesFormat;
use crate::report::{self, rules};
use crate::{gates, policy};

pub(super) fn run(format: RulesFormat) -> Result<Exit, Failure> {
    let catalogue = gates::catalogue();
    report::print(&match format {
        RulesFormat::Text => rules::text(&catalogue),
        RulesFormat::Markdown => rules::markdown(&catalogue),
        RulesFormat::Formats => crate::scan::formats_page(),
    })?;
    Ok(Exit::Pass)
}

pub(super) fn schema() -> Result<Exit, Failure> {
    report::print(&policy::schema())?;
    Ok(Exit::Pass)
}
