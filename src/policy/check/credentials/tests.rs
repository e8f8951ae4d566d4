use crate::policy::credentials::{Kv, SourceKind, VaultLogin};
use crate::policy::tests::{headlines, valid};

const SMALL: &str = "model: {name: churn, owner: acme}\n";

fn kinds(section: &str) -> Vec<SourceKind> {
    let policy = valid(&format!("{SMALL}{section}"));
    policy.credentials.into_iter().map(|source| source.kind).collect()
}

#[test]
fn the_order_is_as_written_and_careful_without() {
    assert_eq!(kinds(""), [SourceKind::Environment, SourceKind::TrustedPublishing]);
    assert!(valid(SMALL).credentials.iter().all(|source| source.at.is_none()));
    let written =
        format!("{SMALL}credentials:\n  - trusted-publishing: {{}}\n  - environment: {{}}\n");
    let sources = valid(&written).credentials;
    let kinds: Vec<_> = sources.iter().map(|source| source.kind.name()).collect();
    assert_eq!(kinds, ["trusted-publishing", "environment"]);
    let lines: Vec<_> =
        sources.iter().map(|source| source.at.as_ref().and_then(|at| at.line)).collect();
    assert_eq!(lines, [Some(3), Some(4)]);
}

#[test]
fn what_a_store_leaves_out_is_filled() {
    let section = "
credentials:
  - aws-secrets-manager: {secret: hub/token}
  - vault: {address: 'https://vault.acme.com/', login: {jwt: {role: release}}, secret: /kv/ml/hub, key: token}
  - vault: {address: 'http://127.0.0.1:8200', login: {app-role: {mount: ci/}}, secret: kv/hub, key: t, kv: 1}
  - vault: {address: 'https://v', namespace: /ml/ci/, login: {token: {}}, mount: /teams/ml/kv, secret: hub, key: t}
  - azure-key-vault: {vault: 'https://acme.vault.azure.net', secret: hub, tenant: 1-2, client: 3-4}
";
    let kinds = kinds(section);
    let [
        SourceKind::AwsSecretsManager(aws),
        SourceKind::Vault(jwt),
        SourceKind::Vault(role),
        SourceKind::Vault(deep),
        SourceKind::AzureKeyVault(azure),
    ] = kinds.as_slice()
    else {
        panic!("{kinds:?}")
    };
    assert_eq!(
        (aws.audience.as_str(), &aws.region, &aws.role),
        ("sts.amazonaws.com", &None, &None)
    );
    assert_eq!((jwt.address.as_str(), jwt.kv), ("https://vault.acme.com", Kv::V2));
    assert_eq!((jwt.mount.as_str(), jwt.secret.as_str()), ("kv", "ml/hub"));
    let (mount, audience) = ("jwt".into(), "https://vault.acme.com".into());
    assert_eq!(jwt.login, VaultLogin::Jwt { role: "release".into(), mount, audience });
    assert_eq!((&role.login, role.kv), (&VaultLogin::AppRole { mount: "ci".into() }, Kv::V1));
    assert_eq!((deep.mount.as_str(), deep.secret.as_str()), ("teams/ml/kv", "hub"));
    assert_eq!(deep.namespace.as_deref(), Some("ml/ci"));
    assert_eq!(azure.audience, "api://AzureADTokenExchange");
}

#[test]
fn every_slip_is_named_with_its_place() {
    let vault = |rest: &str| format!("vault: {{login: {{token: {{}}}}, key: t, {rest}}}");
    let azure = "vault: 'https://a.vault.azure.net', tenant: t, client: c";
    for (source, wrong) in [
        ("environment: {}, trusted-publishing: {}".to_owned(), "a source is exactly one key"),
        (String::new(), "a source is exactly one key"),
        ("environment: {value: hf_x}".into(), "`environment` has no key `value`"),
        ("aws-secrets-manager: {secret: ' '}".into(), "`secret` is empty"),
        ("aws-secrets-manager: {secret: s, region: 'a/b'}".into(), "`a/b` is no region"),
        ("aws-secrets-manager: {secret: s, region: EU-WEST-1}".into(), "`EU-WEST-1` is no region"),
        (
            "aws-secrets-manager: {secret: s, role: release}".into(),
            "`release` is not the ARN of a role",
        ),
        (vault("address: vault.acme.com, secret: kv/hub"), "`the value` is no address"),
        (
            vault("address: 'http://vault.acme.com', secret: kv/hub"),
            "`vault.acme.com` is not encrypted on its way",
        ),
        (
            vault("address: 'https://u:hunter2@vault.acme.com', secret: kv/hub"),
            "`vault.acme.com` holds a user or a password, which no policy may",
        ),
        (vault("address: 'https://v?token=x', secret: kv/hub"), "`v` has a query or a fragment"),
        (vault("address: 'https://v', secret: hub"), "`hub` names no secret below a mount"),
        (vault("address: 'https://v', secret: kv/../sys"), "`kv/../sys` is no path of names"),
        (vault("address: 'https://v', secret: kv/hub, kv: 3"), "`kv` is `3`"),
        (
            vault("address: 'https://v', secret: hub, mount: a/../sys"),
            "`a/../sys` is no path of names",
        ),
        (
            vault(r#"address: 'https://v', secret: kv/hub, namespace: "a\nb""#),
            "is no path of names",
        ),
        (vault("address: 'https://v', secret: kv/hub, namespace: /"), "`/` is no path of names"),
        (
            "vault: {address: 'https://v', login: {}, key: t, secret: kv/hub}".into(),
            "a login is exactly one key",
        ),
        (format!("azure-key-vault: {{{azure}, secret: a/b}}"), "`secret` is `a/b`"),
        (format!("azure-key-vault: {{{azure}, secret: s, version: ''}}"), "`version` is ``"),
    ] {
        let found = headlines(&format!("{SMALL}credentials:\n  - {{{source}}}\n"));
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        let at_source = format!("3:{}", found[0].split([':', ' ']).nth(1).unwrap_or_default());
        assert!(
            found[0].starts_with(&at_source) && found[0].contains(wrong),
            "{source}: {found:?}"
        );
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
    let none = headlines(&format!("{SMALL}credentials: []\n"));
    assert!(none[0].contains("`credentials` names no source"), "{none:?}");
}

#[test]
fn explain_tells_the_sources_in_order() {
    let policy = valid(&format!(
        "{SMALL}credentials:\n  - vault: {{address: 'https://v', login: {{jwt: {{role: r}}}}, secret: kv/hub, key: t}}\n"
    ));
    let row = policy.explained.iter().find(|row| row.key == "credentials.0").expect("a row");
    let told =
        "vault: kv/hub key t at https://v, kv 2, login by auth/jwt as r for audience https://v";
    assert_eq!((row.value.as_str(), row.origin.as_str()), (told, "weighbridge.yml:3:5"));
    let usual = valid(SMALL).explained;
    let row = usual.iter().find(|row| row.key == "credentials.1").expect("a row");
    assert_eq!((row.value.as_str(), row.origin.as_str()), ("trusted-publishing", "default"));
}
