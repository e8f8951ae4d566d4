//! Where the Hub token comes from, in order; the log says which source served, never the value.

use crate::http::Secret;

/// A token and the source that gave it.
#[derive(Debug, Clone)]
pub struct HubToken {
    /// The token.
    pub secret: Secret,
    /// Where it came from, for the log.
    pub source: &'static str,
}

/// The `hf-token` input, else `HF_TOKEN` as every Hub client reads
/// it. `variable` reads the environment.
pub fn hub_token<'a>(
    input: Option<&str>,
    variable: impl Fn(&str) -> Option<&'a str>,
) -> Option<HubToken> {
    let from = |value: Option<&str>, source| {
        value.and_then(Secret::new).map(|secret| HubToken { secret, source })
    };
    from(input, "input hf-token").or_else(|| from(variable("HF_TOKEN"), "environment HF_TOKEN"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_comes_before_the_environment() {
        let env = |name: &str| (name == "HF_TOKEN").then_some("hf_env");
        let token = hub_token(Some("hf_input"), env).expect("a token");
        assert_eq!((token.secret.expose(), token.source), ("hf_input", "input hf-token"));
        let token = hub_token(Some(" "), env).expect("a token");
        assert_eq!((token.secret.expose(), token.source), ("hf_env", "environment HF_TOKEN"));
        assert!(hub_token(None, |_| None).is_none());
    }
}
