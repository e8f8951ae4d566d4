//! What an identity token says of the job: read, never believed. Whoever takes the token checks its
//! signature; here it only tells people what was said.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::http::Secret;
use crate::markdown;

/// Longest payload that is read; GitHub's have two kilobytes.
const LIMIT: usize = 16 * 1024;
/// Most characters of a claim that are shown.
const SHOWN: usize = 200;

/// The claims of a token.
#[derive(Debug, Clone, Default)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Of a JWT; without any for whatever is none.
    pub fn of(token: &Secret) -> Self {
        let read = || {
            let payload = token.expose().split('.').nth(1)?.trim_end_matches('=');
            if payload.len() > LIMIT {
                return None;
            }
            let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
            serde_json::from_slice(&payload).ok()
        };
        Self(read().unwrap_or_default())
    }

    /// The text of a claim as it may be shown: one line, nothing of which is markup, cut.
    pub fn shown(&self, name: &str) -> Option<String> {
        let text = match self.0.get(name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        let line = markdown::line(&text);
        let cut: String = line.chars().take(SHOWN).collect();
        Some(if cut.len() < line.len() { format!("{cut}…") } else { cut })
    }

    /// Those it is meant for.
    pub fn audiences(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// When it ends, in seconds since 1970.
    pub fn expires(&self) -> Option<i64> {
        self.0.get("exp")?.as_i64()
    }
}
