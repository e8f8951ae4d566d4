//! A token kept in AWS Secrets Manager: the job's identity becomes a role's keys for a quarter of
//! an hour, or the job has keys already; with them the secret is read.

mod ambient;
mod partition;
mod profile;
mod refusal;
mod sigv4;
mod sts;

use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{CredentialError, Job, Masked, answer, field};
use crate::http::{Again, Client, is_of_this_machine, trusted};
use crate::policy::credentials::AwsSecretsManager;

use partition::Partition;
use sigv4::{Keys, SESSION, Signer};

/// Largest answer: a secret is at most 64 KiB, and base64 makes a third more of it.
const LIMIT: usize = 256 * 1024;

/// A service that is asked.
#[derive(Clone, Copy)]
enum Service {
    SecretsManager,
    Sts,
}

/// What all requests to AWS share.
struct Aws<'a> {
    client: &'a Client,
    job: &'a Job,
    settings: &'a AwsSecretsManager,
    region: String,
}

/// Gets keys and reads the secret. `client` is discreet.
pub(super) async fn fetch(
    client: &Client,
    settings: &AwsSecretsManager,
    job: &Job,
) -> Result<Masked, CredentialError> {
    let aws = Aws { client, job, settings, region: region(settings, job)? };
    let keys = match &settings.role {
        Some(role) => {
            let identity = job.ids.require(&settings.audience).await?;
            sts::assume(&aws, role, sts::SESSION_NAME, &identity).await?
        }
        None => ambient::keys(&aws).await?,
    };
    let held = aws.secret_value(&keys).await?;
    field::of(&job.masker, &held, settings.key.as_deref())
}

/// The policy's region, else that of the secret's own name, else the job's.
fn region(settings: &AwsSecretsManager, job: &Job) -> Result<String, CredentialError> {
    let of_arn = settings.secret.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2));
    let of_job = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    let named = settings.region.as_deref().or(of_arn);
    let named = named.or_else(|| of_job.iter().find_map(|name| job.variable(name)));
    let named = match named {
        Some(region) => Some(region.to_owned()),
        None => ambient::profile(job)?.and_then(|profile| profile.get("region").map(str::to_owned)),
    };
    // It becomes part of an address.
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_one = |region: &String| (1..=32).contains(&region.len()) && region.bytes().all(fits);
    named.filter(is_one).ok_or_else(|| {
        CredentialError::refused(
            "no AWS region is named, or what is named is none: in the policy, the secret's name, AWS_REGION, the profile",
            "add the region in which the secret is kept, such as `region: eu-west-1`",
        )
    })
}

impl Aws<'_> {
    /// Where a service is: the policy's address, else as every program of AWS reads it, else its own in
    /// the region.
    fn endpoint(&self, service: Service) -> Result<Url, CredentialError> {
        let (of_policy, key, own, service) = match service {
            Service::SecretsManager => {
                let own = "AWS_ENDPOINT_URL_SECRETS_MANAGER";
                (&self.settings.endpoint, "endpoint", own, "secretsmanager")
            }
            Service::Sts => {
                (&self.settings.sts_endpoint, "sts-endpoint", "AWS_ENDPOINT_URL_STS", "sts")
            }
        };
        let of_policy = of_policy.as_deref();
        let ignored = self.job.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == Some("true");
        let named = [own, "AWS_ENDPOINT_URL"].into_iter().find_map(|name| self.job.variable(name));
        let named = named.filter(|_| !ignored);
        let (region, domain) = (&self.region, Partition::of(&self.region).domain);
        let usual = format!("https://{service}.{region}.{domain}");
        let own_hosts = [
            format!("{service}.{region}.{domain}"),
            format!("{service}-fips.{region}.{domain}"),
            format!("{service}.{domain}"),
        ];
        // Endpoints within a network of one's own are of this form for Amazon's services alone.
        let private = format!(".{service}.{region}.vpce.{domain}");
        // A step before this one can set variables, and `amazonaws.com` is not Amazon's alone.
        let is_known = |url: &Url| {
            let host = url.host_str().unwrap_or_default();
            of_policy.is_some()
                || own_hosts.iter().any(|own| own == host)
                || host.ends_with(&private)
                || is_of_this_machine(url)
        };
        let chosen = of_policy.or(named).unwrap_or(&usual);
        let url = trusted(chosen).and_then(|url| match url.path() {
            "/" if is_known(&url) => Ok(url),
            "/" => Err("it is none of Amazon's own, and the policy does not name it"),
            _ => Err("it has a path"),
        });
        url.map_err(|why| {
            CredentialError::refused(
                format!("`{key}:`, {own} or AWS_ENDPOINT_URL is no address for secrets: {why}"),
                format!("give https://HOST as `{key}:` in the policy, or http://127.0.0.1:PORT for a server of this machine; or unset it"),
            )
        })
    }

    /// GetSecretValue.
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
    async fn secret_value(&self, keys: &Keys) -> Result<Zeroizing<String>, CredentialError> {
        let url = self.endpoint(Service::SecretsManager)?;
        let body = json!({"SecretId": self.settings.secret}).to_string();
        let host = match (url.host_str().unwrap_or_default(), url.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let session = keys.session.as_ref().map(|token| token.header("AWS's session token"));
        let session = session.transpose()?;
        let signer = Signer { keys, region: &self.region, service: "secretsmanager" };
        let own = [
            ("content-type", "application/x-amz-json-1.1"),
            ("host", host.as_str()),
            ("x-amz-target", "secretsmanager.GetSecretValue"),
        ];
        let reply = self.client.reply(Again::Safe, LIMIT, |client| {
            // Each try is signed anew: a signature is good for five minutes.
            let added = signer.sign("POST", &own, body.as_bytes(), Timestamp::now());
            let request = client.post(url.clone()).body(body.clone());
            let own = own.iter().filter(|(name, _)| *name != "host");
            let request = own.fold(request, |request, (name, value)| request.header(*name, *value));
            let session = session.iter().map(|token| (SESSION, token.clone()));
            let request =
                session.fold(request, |request, (name, value)| request.header(name, value));
            added.into_iter().fold(request, |request, (name, value)| request.header(name, value))
        });
        let doing = || CredentialError::doing("read the secret from AWS Secrets Manager");
        let reply = reply.await.map_err(doing())?;
        let status = reply.status;
        if !status.is_success() {
            let code = answer(reply).map(|refusal: Refusal| refusal.code).unwrap_or_default();
            return Err(refusal::of_secret(
                status.as_u16(),
                &code,
                &self.settings.secret,
                &self.region,
            ));
        }
        let nothing = reply.garbage("it holds no text");
        let held: Held = answer(reply).map_err(doing())?;
        let text = match (held.secret_string, held.secret_binary) {
            (Some(text), _) => Some(text),
            (None, Some(binary)) => field::text_of_base64(&binary),
            (None, None) => None,
        };
        text.ok_or(nothing).map_err(doing())
    }
}

/// The answer; what it says of the secret's name, version and date is not needed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Held {
    secret_string: Option<Zeroizing<String>>,
    secret_binary: Option<Zeroizing<String>>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type", default)]
    code: String,
}
