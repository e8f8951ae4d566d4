//! A CI that signs tokens about its jobs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::KeyPair;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

/// Its address.
pub(crate) const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// An issuer with a key of its own.
pub(crate) struct Issuer(KeyPair);

impl Issuer {
    pub(crate) fn new() -> Self {
        Self(KeyPair::generate().expect("a key"))
    }

    /// The public key, in PEM.
    pub(crate) fn public_key(&self) -> String {
        self.0.public_key_pem()
    }

    /// What it says of a job that releases `v1.0.0`, with some of it said otherwise.
    pub(crate) fn token(&self, otherwise: Value) -> String {
        let now = jiff::Timestamp::now().as_second();
        let mut claims = json!({
            "iss": ISSUER,
            "aud": "https://vault.acme.example",
            "sub": "repo:acme/churn:ref:refs/tags/v1.0.0",
            "repository": "acme/churn",
            "repository_owner": "acme",
            "ref": "refs/tags/v1.0.0",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
        });
        if let (Some(claims), Value::Object(otherwise)) = (claims.as_object_mut(), otherwise) {
            claims.extend(otherwise);
        }
        self.sign(&claims)
    }

    /// Any claims, signed.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(&json!({"alg": "ES256", "typ": "JWT"})), part(claims));
        let random = SystemRandom::new();
        let key = self.0.serialize_der();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &random);
        let signature = key.expect("a P-256 key").sign(&random, signed.as_bytes()).expect("signed");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
