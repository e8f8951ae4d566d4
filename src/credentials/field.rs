//! What of a stored secret is the token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use super::{CredentialError, Masked, Masker};

/// The field `key` of a secret that is a JSON object; all of one that is text.
pub(super) fn of(
    masker: &Masker,
    held: &str,
    key: Option<&str>,
) -> Result<Masked, CredentialError> {
    let object: Option<Object> = serde_json::from_str(held).ok();
    match (object, key) {
        (None, None) => masker.secret(held)?.ok_or_else(|| {
            CredentialError::refused("the stored secret is empty", "store the token in it")
        }),
        (Some(object), Some(key)) => named(masker, &object, key),
        (Some(_), None) => Err(CredentialError::refused(
            "the stored secret is a JSON object, and the policy does not say which of its fields is the token",
            "name the field: `key: hf_token`",
        )),
        (None, Some(_)) => Err(CredentialError::refused(
            "the stored secret is no JSON object, and the policy names a field of it (`key:`)",
            "take `key:` out of the policy, or store an object such as {\"hf_token\": \"…\"}",
        )),
    }
}

/// The text in a field.
pub(super) fn named(
    masker: &Masker,
    object: &Object,
    key: &str,
) -> Result<Masked, CredentialError> {
    let value = object.0.get(key);
    let text = value.and_then(Value::as_str).unwrap_or_default();
    masker.secret(text)?.ok_or_else(|| {
        let (what, fix) = match value {
            None => ("has no field", "name one that is there, or store the token under it"),
            Some(Value::String(_)) => ("is empty in its field", "store the token in it"),
            Some(_) => ("holds no text in its field", "store the token as a string"),
        };
        CredentialError::refused(format!("the stored secret {what} `{key}`"), fix)
    })
}

/// An object all of whose texts are wiped when it goes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Object(Map<String, Value>);

impl Drop for Object {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(values) => values.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text that base64 stands for.
pub(super) fn text_of_base64(text: &str) -> Option<Zeroizing<String>> {
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    std::str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned()))
}
