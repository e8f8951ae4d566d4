//! Which Hub this call means, and whether it may be told a token. An earlier step of the same job can
//! set variables for the steps behind it: they choose among what the policy allows, no more.

use reqwest::Url;

use crate::failure::Failure;
use crate::http;
use crate::policy::{DEFAULT_ENDPOINT, Policy};

use super::call::Call;

/// Most characters of an address that are shown.
const LONGEST: usize = 200;

impl Call {
    /// The address of the Hub, which may be told a token: the policy's; where that names none, Hugging
    /// Face's own or one of this machine.
    pub(super) fn endpoint(&self, policy: Option<&Policy>) -> Result<String, Failure> {
        let of_variable = || Some(("HF_ENDPOINT", self.env.get("HF_ENDPOINT")?));
        let of_input = self.settings.hf_endpoint.as_deref();
        let named = of_input.map(|url| ("`hf-endpoint`", url)).or_else(of_variable);
        let pinned = policy.and_then(|policy| policy.hub.as_ref());
        let meant = pinned.map_or(DEFAULT_ENDPOINT, |hub| &hub.endpoint);
        let Some((by, url)) = named else { return Ok(meant.to_owned()) };
        if is_same(url, meant) {
            return Ok(meant.to_owned());
        }
        let place = pinned.map(|hub| format!(" (`hub:` at {})", hub.at)).unwrap_or_default();
        let refused = |why: String| Failure::new(format!("{by} {why}"));
        match http::trusted(url) {
            Ok(here) if pinned.is_none() && http::is_of_this_machine(&here) => Ok(url.to_owned()),
            Ok(other) => {
                let other: String =
                    other.as_str().trim_end_matches('/').chars().take(LONGEST).collect();
                let file = policy.map_or("weighbridge.yml", |policy| &policy.file);
                Err(refused(format!(
                    "names the Hub {other}, and a token may go to {meant} alone{place}"
                ))
                .fix(format!(
                    "unset it, for a step before this one may have set it; if that Hub is meant, have \
                     it reviewed into {file}: `hub: {{endpoint: {other}}}`"
                )))
            }
            Err(why) => Err(refused(format!("cannot be the Hub that is told a token: {why}"))
                .fix(format!("unset it, or give {meant}"))),
        }
    }
}

/// Whether two texts are one address.
fn is_same(one: &str, other: &str) -> bool {
    let parsed = |text: &str| Url::parse(text.trim_end_matches('/')).ok();
    parsed(one).is_some_and(|one| Some(one) == parsed(other))
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        for same in ["https://hub.example", "https://HUB.example:443/", "https://hub.example//"] {
            assert!(is_same(same, "https://hub.example"), "{same}");
        }
        for other in [
            "http://hub.example",
            "https://hub.example:8443",
            "https://hub.example.org",
            "https://hub.example/behind",
            "https://ada@hub.example",
            "hub.example",
            "",
        ] {
            assert!(!is_same(other, "https://hub.example"), "{other}");
        }
    }
}
