//! What AWS's refusals mean. Their names are looked for, their words are never shown: they may
//! repeat what was sent.

use serde_json::json;

use super::partition::Partition;
use crate::credentials::{Claims, CredentialError, said::said, shell};

/// Why a role is not had.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>
pub(super) fn of_role(status: u16, code: &str, role: &str, claims: &Claims) -> CredentialError {
    let claim = |name| claims.shown(name).unwrap_or_else(|| "…".into());
    let issuer = claim("iss");
    let audience =
        claims.audiences().first().map_or_else(|| "…".into(), |one| crate::markdown::line(one));
    let name = name(code);
    let fix = match name {
        Some("AccessDenied") => {
            let provider = issuer.trim_start_matches("https://");
            let of_role = |part| role.split(':').nth(part).unwrap_or("…");
            let (partition, account) = (of_role(1), of_role(4));
            let mut condition = json!({});
            condition[format!("{provider}:aud")] = json!(audience);
            condition[format!("{provider}:sub")] = json!(claim("sub"));
            let statement = json!({
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": format!("arn:{partition}:iam::{account}:oidc-provider/{provider}")},
                "Condition": {"StringEquals": condition},
            });
            format!("let the role's trust policy accept what the identity says: {statement}")
        }
        Some("InvalidIdentityToken") => format!(
            "make the identity's issuer known to the role's account: `aws iam create-open-id-connect-provider --url {} --client-id-list {}`",
            shell::word(&issuer),
            shell::word(&audience)
        ),
        Some("ExpiredTokenException") => "set the clock of this machine, and run it again".into(),
        Some("IDPCommunicationError") => {
            "AWS could not reach the identity's issuer: run it again in a minute".into()
        }
        Some("RegionDisabledException") => {
            "activate STS in this region, or name another `region:`".into()
        }
        Some("ValidationError") => {
            "name the role by its whole ARN: `role: arn:aws:iam::123456789012:role/release`".into()
        }
        _ => "look it up under Errors at https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html".into(),
    };
    let shown = shown(name, status);
    let said = said(claims);
    CredentialError::refused(
        format!("AWS STS gives this job no keys of `{role}`: {shown}; its identity says: {said}"),
        fix,
    )
}

/// Why a secret is not had.
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
pub(super) fn of_secret(status: u16, code: &str, secret: &str, region: &str) -> CredentialError {
    let name = name(code);
    let word = shell::word(secret);
    let fix = match name {
        Some("ResourceNotFoundException") => format!(
            "check name, account and region: `aws secretsmanager describe-secret --region {region} --secret-id {word}`"
        ),
        Some("AccessDeniedException") => {
            // AWS adds six letters to a name.
            let resource = match secret.strip_prefix("arn:") {
                Some(_) => secret.to_owned(),
                None => {
                    let partition = Partition::of(region).name;
                    format!("arn:{partition}:secretsmanager:{region}:*:secret:{secret}-??????")
                }
            };
            let statement = json!({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": resource});
            format!("add this to the role's policy: {statement}; if the secret has a KMS key of its own, allow `kms:Decrypt` on that key too")
        }
        Some("DecryptionFailure") => {
            "allow the role `kms:Decrypt` on the KMS key of the secret, and let the key be enabled".into()
        }
        Some("InvalidRequestException") => format!(
            "the secret is marked for deletion, or has no current version: `aws secretsmanager restore-secret --region {region} --secret-id {word}`"
        ),
        Some("UnrecognizedClientException" | "InvalidClientTokenId" | "ExpiredTokenException") => {
            "the keys are not known, or their time is over: make new ones, or name a `role:` in the policy and keep no keys".into()
        }
        Some("InvalidSignatureException" | "SignatureDoesNotMatch") => {
            "check AWS_SECRET_ACCESS_KEY, and the clock of this machine: five minutes are allowed".into()
        }
        Some("ThrottlingException") => "run it again in a minute".into(),
        _ => "look it up under Errors at https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html".into(),
    };
    let shown = shown(name, status);
    CredentialError::refused(
        format!("AWS Secrets Manager gives no secret `{secret}`: {shown}"),
        fix,
    )
}

/// An error's name, if it may be one: letters alone, which no secret is. Services may write a
/// namespace before it and an address after it.
fn name(code: &str) -> Option<&str> {
    let name = code.rsplit('#').next().unwrap_or(code).split(':').next().unwrap_or(code);
    let fits = name.bytes().all(|byte| byte.is_ascii_alphabetic());
    (fits && (3..=60).contains(&name.len())).then_some(name)
}

fn shown(name: Option<&str>, status: u16) -> String {
    name.map_or_else(|| format!("status {status}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_repeated() {
        for (code, expected) in [
            ("AccessDenied", Some("AccessDenied")),
            ("com.amazon.coral.service#AccessDeniedException", Some("AccessDeniedException")),
            (
                "ResourceNotFoundException:http://internal.amazon.com/",
                Some("ResourceNotFoundException"),
            ),
            ("", None),
            ("hf_abcdefghijklmnopqrstuvwxyz", None),
            ("eyJhbGciOiJFUzI1NiJ9.e30.c2ln", None),
            ("with words", None),
        ] {
            assert_eq!(name(code), expected, "{code}");
        }
    }
}
