//! A job that takes its Hub token from a store: the policy, the variables, and what is said.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use weighbridge::context::{Ci, Environment, Oidc};
use weighbridge::credentials::{Credentials, IdTokens, Masker};
use weighbridge::failure::Failure;
use weighbridge::http::{Client, ClientOptions};
use weighbridge::policy;

use super::workspace::POLICY;

/// A job with one source in its policy.
pub(crate) struct Job {
    source: String,
    variables: Vec<(String, String)>,
}

impl Job {
    /// `source` is the entry below `credentials:`.
    pub(crate) fn new(source: &str) -> Self {
        Self { source: source.to_owned(), variables: Vec::new() }
    }

    /// Sets a variable.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Gives it an identity, as GitLab does.
    pub(crate) fn with_token(self, token: &str) -> Self {
        self.set("WEIGHBRIDGE_ID_TOKEN", token)
    }

    /// The token; else everything that is said: the error, its fix, and the log before it.
    pub(crate) async fn fetch(self) -> Result<String, String> {
        let text = format!("{POLICY}credentials:\n  - {}\n", self.source);
        let policy = policy::parse("weighbridge.yml", &text, &[]);
        let policy = policy.unwrap_or_else(|error| panic!("{text}\n{error:?}"));
        let env: Environment = self.variables.into_iter().collect();

        let masked = Arc::new(Mutex::new(Vec::new()));
        let masks = masked.clone();
        let mask = Masker::new(move |secret| {
            let mut masks = masks.lock().unwrap_or_else(PoisonError::into_inner);
            masks.push(secret.expose().to_owned());
            Ok(())
        });
        let said = Arc::new(Mutex::new(String::new()));
        let log = said.clone();
        let log: Arc<dyn Fn(&str) + Send + Sync> = Arc::new(move |line: &str| {
            let mut said = log.lock().unwrap_or_else(PoisonError::into_inner);
            said.push_str(line);
            said.push('\n');
        });
        let options = ClientOptions {
            deadline: Duration::from_mins(1),
            waits: log.clone(),
            ..ClientOptions::default()
        };
        let client = Client::new(options).expect("a client");
        let client = client.discreet().expect("a client");
        let ids = IdTokens::new(client.clone(), Oidc::read(&env), Ci::GitLab, mask.clone());
        let job = weighbridge::credentials::Job::new(&env, ids, mask);
        let credentials =
            Credentials::new(&policy.credentials, "https://hub.example", client, job, log);
        let got = credentials.require("acme/churn").await;
        let said = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match got {
            Ok(token) => {
                let token = token.token.current().expose().to_owned();
                let masked = masked.lock().unwrap_or_else(PoisonError::into_inner);
                assert!(masked.contains(&token), "the token was not masked");
                assert_silent(&said, &[&token]);
                Ok(token)
            }
            Err(error) => {
                let failure = Failure::advised("no token", &error);
                let fix = failure.advice().expect("every error has its fix");
                Err(format!("{said}{failure}\n{fix}\n{error:?}"))
            }
        }
    }
}

/// Nothing of any secret is in what was said: as it is, as base64, and no part of a JWT.
#[track_caller]
pub(crate) fn assert_silent(said: &str, secrets: &[&str]) {
    for secret in secrets {
        let parts = secret.split('.').filter(|part| secret.starts_with("ey") && part.len() > 8);
        let encoded = STANDARD.encode(secret);
        for form in parts.chain([*secret, encoded.as_str()]) {
            assert!(!said.contains(form), "`{form}` was said:\n{said}");
        }
    }
}
