//! The Hub that may be told a token.

use super::Check;
use crate::policy::{PinnedHub, raw};

impl Check<'_> {
    pub(super) fn hub(&mut self, file: &raw::File) -> Option<PinnedHub> {
        let hub = file.hub.as_ref()?;
        let endpoint = self.address("hub/endpoint", &hub.endpoint);
        Some(PinnedHub { endpoint, at: self.at("hub/endpoint") })
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::{headlines, valid};

    const MODEL: &str = "model: {name: churn, owner: acme}\n";

    #[test]
    fn a_hub_is_named_by_an_encrypted_address() {
        let pinned = |address: &str| {
            valid(&format!("{MODEL}hub: {{endpoint: '{address}'}}\n")).hub.expect("named").endpoint
        };
        assert_eq!(valid(MODEL).hub, None);
        assert_eq!(pinned("https://hub.acme.example/"), "https://hub.acme.example");
        assert_eq!(pinned("http://127.0.0.1:8420"), "http://127.0.0.1:8420");
        for (address, says) in [
            ("http://hub.acme.example", "`hub.acme.example` is not encrypted on its way"),
            ("https://ada:secret@hub.acme.example", "`hub.acme.example` holds a user"),
            ("hub.acme.example", "`the value` is no address"),
            ("https://hub.acme.example/?a=b", "`hub.acme.example` has a query"),
        ] {
            let said = headlines(&format!("{MODEL}hub: {{endpoint: '{address}'}}\n")).concat();
            assert!(said.contains(says), "{address}: {said}");
        }
    }
}
