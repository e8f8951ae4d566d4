//! The Hub's closed list of licence ids, with SPDX ids where there is one.
//!
//! Source: hub-docs, `docs/hub/repositories-licenses.md`; the server prints its own list when it
//! refuses an id, and is at times weeks ahead of the page.

use super::tables;

const TABLE: &str = include_str!("tables/licenses.tsv");

/// `(Hub id, SPDX id or `-`, name)`, in the page's order.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut cells = line.split('\t');
        Some((cells.next()?, cells.next()?, cells.next()?))
    })
}

/// Every licence id that the Hub accepts.
pub fn ids() -> impl Iterator<Item = &'static str> {
    rows().map(|(id, _, _)| id)
}

/// Whether the Hub accepts this licence id. Ids are lower case; SPDX spellings are refused.
pub fn is_known(id: &str) -> bool {
    ids().any(|known| known == id)
}

/// The Hub id that was most likely meant: the SPDX id's own Hub id first, then the most alike.
pub fn closest(id: &str) -> Option<&'static str> {
    let bare = id.trim();
    let bare = bare.strip_suffix("-or-later").or(bare.strip_suffix("-only")).unwrap_or(bare);
    rows()
        .find(|(hub, spdx, _)| hub.eq_ignore_ascii_case(bare) || spdx.eq_ignore_ascii_case(id))
        .map(|(hub, _, _)| hub)
        .or_else(|| tables::closest(ids(), bare))
}

/// The SPDX id for a Hub id; `None` for ids that have no SPDX equivalent or are unknown. Bare GNU
/// ids (`gpl-3.0`) map to the `-only` form, which is what they say at least.
pub fn spdx(id: &str) -> Option<&'static str> {
    rows().find(|(hub, _, _)| *hub == id).map(|(_, spdx, _)| spdx).filter(|spdx| *spdx != "-")
}

/// The licence's name, for people.
pub fn name(id: &str) -> Option<&'static str> {
    rows().find(|(hub, _, _)| *hub == id).map(|(_, _, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert_eq!(rows().count(), 83);
        assert_eq!(rows().filter(|(_, spdx, _)| *spdx == "-").count(), 28);
    }

    #[test]
    fn hub_ids_and_spdx_ids_are_told_apart() {
        assert!(is_known("apache-2.0") && is_known("openrail++") && is_known("other"));
        assert!(!is_known("Apache-2.0") && !is_known("gpl-3.0-or-later") && !is_known(""));
        assert_eq!(spdx("apache-2.0"), Some("Apache-2.0"));
        assert_eq!(spdx("gemma"), None);
        assert_eq!(spdx("Apache-2.0"), None);
        assert_eq!(name("mit"), Some("MIT"));
    }

    #[test]
    fn what_was_meant_is_guessed() {
        assert_eq!(closest("Apache-2.0"), Some("apache-2.0"));
        assert_eq!(closest("GPL-3.0-or-later"), Some("gpl-3.0"));
        assert_eq!(closest("ODbL-1.0"), Some("odbl"));
        assert_eq!(closest("apache2"), Some("apache-2.0"));
        assert_eq!(closest("proprietary-acme"), None);
    }
}
