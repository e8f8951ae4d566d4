//! A token that somebody made and stored: the action's input `hf-token`, else `HF_TOKEN` as every
//! client of the Hub reads it.

use super::{CredentialError, Job, Masked};

/// The input that holds it.
const INPUT: &str = "hf-token";
/// The variable that holds it.
const VARIABLE: &str = "HF_TOKEN";

/// The token, and which of the two it is from.
pub(super) fn fetch(job: &Job) -> Result<(Masked, &'static str), CredentialError> {
    if let Some(token) = job.secret_input(INPUT)? {
        return Ok((token, "input hf-token"));
    }
    let token = job.secret(VARIABLE)?.ok_or_else(|| CredentialError::Absent {
        why: "neither the input `hf-token` nor the variable HF_TOKEN is set".into(),
        fix:
            "give one in the input `hf-token` (`hf-token: ${{ secrets.HF_TOKEN }}`) or in HF_TOKEN"
                .into(),
    })?;
    Ok((token, "environment HF_TOKEN"))
}
