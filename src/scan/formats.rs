//! docs/formats.md, from the registry.

use std::fmt::Write as _;

use super::registry::READERS;
use crate::markdown::text;

/// The page.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Formats\n\nWhat the scanner looks at in each format, and what not. Formats are recognised by content; a name counts only where no content tells.\nMade by `weighbridge rules --format formats`.\n\n| format | looked at | not looked at |\n| --- | --- | --- |\n",
    );
    for reader in READERS {
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| {} | {} | {} |",
            reader.format.as_str(),
            text(reader.checked),
            text(reader.unchecked)
        );
    }
    page.push_str(
        "\nEvery file is hashed whole. Whatever is in an archive is recognised and read like a file of its own, five archives\ndeep. Limits (expansion, members, nesting, time) are findings when they are hit.\n",
    );
    page
}
