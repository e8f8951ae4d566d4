//! What Vault's refusals mean. Its words are looked for, never shown: they may repeat what it was
//! sent.

use serde::Deserialize;

use crate::credentials::said::said;
use crate::credentials::{CredentialError, IdToken, answer};
use crate::http::Whole;
use crate::policy::credentials::{self as policy, Kv, VaultLogin};

/// What the JWT method says of an identity, what is wrong, and what to do.
const OF_IDENTITY: [(&str, &str, &str); 6] = [
    (
        "invalid audience",
        "the identity is meant for another audience than the role's",
        "set the same audience in both: `bound_audiences` of the role, `audience:` in the policy",
    ),
    (
        "invalid issuer",
        "the identity is of another issuer than the method's",
        "set `bound_issuer` of the method to the identity's issuer",
    ),
    (
        "invalid subject",
        "the identity is about another subject than the role's",
        "set `bound_subject` of the role to the identity's subject",
    ),
    (
        "error verifying token signature",
        "the identity is signed with a key that Vault does not know",
        "set `oidc_discovery_url` (or `jwks_url`) of the method to the identity's issuer",
    ),
    (
        "token is expired",
        "the identity's time is over",
        "set the clocks of the runner and of Vault: an identity is good for minutes",
    ),
    (
        "could not be found",
        "there is no such role",
        "name one that is there: `vault list auth/MOUNT/role`",
    ),
];

/// Why a login was refused.
pub(super) fn of_login(
    reply: Whole,
    login: &VaultLogin,
    identity: Option<&IdToken>,
) -> CredentialError {
    let status = reply.status.as_u16();
    let words = Said::of(reply).words;
    if let Some(error) = of_any(status, &words) {
        return error;
    }
    if let (VaultLogin::Jwt { role, .. }, Some(identity)) = (login, identity) {
        let said = said(&identity.claims);
        let refused = |why: &str, fix: &str| {
            CredentialError::refused(
                format!(
                    "Vault does not let this job in as `{role}`: {why}; its identity says: {said}"
                ),
                fix,
            )
        };
        if let Some(claim) = claim_of(&words) {
            return refused(
                &format!("its `{claim}` is none that the role is bound to"),
                &format!(
                    "if this job may have the token, add its `{claim}` to `bound_claims` of the role; if only tags may, release from a tag"
                ),
            );
        }
        if let Some((_, why, fix)) =
            OF_IDENTITY.iter().find(|(needle, _, _)| words.contains(needle))
        {
            return refused(why, fix);
        }
    }
    if words.contains("invalid role or secret") {
        return CredentialError::refused(
            "Vault does not know this role id and secret id together",
            "check VAULT_ROLE_ID, and make a new secret id: `vault write -f auth/approle/role/ROLE/secret-id`",
        );
    }
    let mount = match login {
        VaultLogin::Jwt { mount, .. } | VaultLogin::AppRole { mount } => mount,
        VaultLogin::Token => "token",
    };
    CredentialError::refused(
        format!("Vault refuses the login at `auth/{mount}`: it answered {status}"),
        "check the method's mount (`vault auth list`), the namespace and the role; Vault's own log has the reason",
    )
}

/// Why the secret was refused.
pub(super) fn of_read(reply: Whole, settings: &policy::Vault) -> CredentialError {
    let status = reply.status.as_u16();
    let Said { words, is_destroyed } = Said::of(reply);
    if let Some(error) = of_any(status, &words) {
        return error;
    }
    let policy::Vault { mount, secret, key, .. } = settings;
    let path = super::path_of(settings);
    let kv = match settings.kv {
        Kv::V1 => "1",
        Kv::V2 => "2",
    };
    let (why, fix) = if words.contains("Invalid path for a versioned") {
        (format!("`{mount}` is version 2 of the key-value engine"), "set `kv: 2`".into())
    } else if is_destroyed {
        let fix = format!("write it anew: `vault kv put -mount={mount} {secret} {key}=…`");
        ("its newest version is destroyed".into(), fix)
    } else if words.contains("deletion_time") {
        (
            "its newest version is deleted".into(),
            format!(
                "bring it back (`vault kv undelete -mount={mount} -versions=… {secret}`), or write it anew: `vault kv put -mount={mount} {secret} {key}=…`"
            ),
        )
    } else if let (403 | 404, Kv::V2, Some(rest)) =
        (status, settings.kv, secret.strip_prefix("data/"))
    {
        // It is a rare secret that is itself below `data/`.
        let why = format!(
            "{}, at `{path}`",
            if status == 404 { "there is none" } else { "permission denied" }
        );
        (
            why,
            format!(
                "leave `data/` out of `secret:`, it belongs to the interface: `{mount}/{rest}`"
            ),
        )
    } else if status == 412 {
        (
            "the node that answers does not know the login yet".into(),
            "run it again; or give the address of the active node in `address:`".into(),
        )
    } else if status == 403 {
        (
            "permission denied".into(),
            format!(
                "grant it to the policy of the login: `path \"{path}\" {{ capabilities = [\"read\"] }}`; if it has that, check `kv:` (it is {kv}) and `namespace:`"
            ),
        )
    } else if status == 404 {
        (
            "there is none".into(),
            format!(
                "write it: `vault kv put -mount={mount} {secret} {key}=…`; or check `secret:`, `kv:` (it is {kv}) and `namespace:`"
            ),
        )
    } else {
        (format!("it answered {status}"), "Vault's own log has the reason".into())
    };
    CredentialError::refused(format!("Vault gives no secret `{mount}/{secret}`: {why}"), fix)
}

/// What is refused whatever was asked for.
fn of_any(status: u16, words: &str) -> Option<CredentialError> {
    // A node that sends its clients to another: nothing is taken there unasked.
    if (300..400).contains(&status) {
        return Some(CredentialError::refused(
            "Vault sends us to another address, and secrets are not sent on",
            "give the address of the active node, or of what stands before all of them, in `address:`",
        ));
    }
    words.contains("namespace not found").then(|| {
        CredentialError::refused(
            "Vault has no such namespace",
            "check `namespace:` in the policy: `vault namespace list`",
        )
    })
}

/// All that an error says.
struct Said {
    /// In one text that is looked at and shown to nobody.
    words: String,
    /// The version of the secret that is asked for is gone for good.
    is_destroyed: bool,
}

impl Said {
    fn of(reply: Whole) -> Self {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Refusal {
            errors: Option<Vec<String>>,
            warnings: Option<Vec<String>>,
            data: Option<serde_json::Value>,
        }
        let said: Refusal = answer(reply).unwrap_or_default();
        let destroyed = said.data.as_ref().and_then(|data| data.pointer("/metadata/destroyed"));
        let is_destroyed = destroyed.and_then(serde_json::Value::as_bool).unwrap_or_default();
        let lines = [said.errors, said.warnings].into_iter().flatten().flatten();
        let data = said.data.map(|data| data.to_string());
        let words = lines.chain(data).collect::<Vec<_>>().join("\n");
        Self { words, is_destroyed }
    }
}

/// The claim that a role is bound to and the identity does not meet. Names of claims are short words.
fn claim_of(words: &str) -> Option<&str> {
    let rest = words.split_once("error validating claims: claim \"")?.1;
    let claim = rest.split_once('"')?.0;
    let fits = claim.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    (fits && (1..=40).contains(&claim.len())).then_some(claim)
}
