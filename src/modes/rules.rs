//! `rules` and `schema`: what the code knows of itself.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::inputs::{RulesFormat, SchemaFormat};
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

pub(super) fn schema(format: SchemaFormat) -> Result<Exit, Failure> {
    report::print(&match format {
        SchemaFormat::Json => policy::schema(),
        SchemaFormat::Markdown => policy::keys_page(),
    })?;
    Ok(Exit::Pass)
}
