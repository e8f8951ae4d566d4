//! Keys that the job has without us, in the order in which AWS's own programs look: variables, a
//! role and a file with an identity, a profile, the container's service, the instance's service.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::profile::Profile;
use super::sigv4::Keys;
use super::{Aws, LIMIT, sts};
use crate::credentials::{Claims, CredentialError, IdToken, Job, Masker, answer, wipe};
use crate::http::{Again, Client, HttpError, Whole, keeps_secrets};

/// Largest file that is read of the user's own.
const FILE: u64 = 1024 * 1024;
/// Where the instance's service is not, nothing answers.
const NO_INSTANCE: Duration = Duration::from_secs(2);

/// The first keys that are found.
pub(super) async fn keys(aws: &Aws<'_>) -> Result<Keys, CredentialError> {
    if let Some(keys) = from_variables(aws.job)? {
        return Ok(keys);
    }
    if let Some(keys) = from_identity(aws).await? {
        return Ok(keys);
    }
    if let Some(keys) = from_profile(aws.job)? {
        return Ok(keys);
    }
    if let Some(keys) = from_container(aws).await? {
        return Ok(keys);
    }
    if let Some(keys) = from_instance(aws).await? {
        return Ok(keys);
    }
    Err(CredentialError::Absent {
        why: "there are no AWS credentials: no `role:` in the policy, no AWS_ACCESS_KEY_ID, no AWS_WEB_IDENTITY_TOKEN_FILE, no profile, no role of a container or an instance".into(),
        fix: "name a role that this job may take on, `role: arn:aws:iam::123456789012:role/release`, and let the job prove who it is (GitHub: `permissions: {id-token: write}`)".into(),
    })
}

fn from_variables(job: &Job) -> Result<Option<Keys>, CredentialError> {
    let Some(id) = job.variable("AWS_ACCESS_KEY_ID") else { return Ok(None) };
    let secret = job.secret("AWS_SECRET_ACCESS_KEY")?.ok_or_else(|| {
        CredentialError::refused(
            "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not",
            "set both, or neither",
        )
    })?;
    Ok(Some(Keys { id: id.to_owned(), secret, session: job.secret("AWS_SESSION_TOKEN")? }))
}

/// What EKS gives a pod that has a role (IRSA).
async fn from_identity(aws: &Aws<'_>) -> Result<Option<Keys>, CredentialError> {
    let named = |name| aws.job.variable(name);
    let Some(file) = named("AWS_WEB_IDENTITY_TOKEN_FILE") else { return Ok(None) };
    let role = named("AWS_ROLE_ARN").ok_or_else(|| {
        CredentialError::refused(
            "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not",
            "set both, or neither",
        )
    })?;
    let token = aws.job.masker.secret(read(Path::new(file))?.as_str())?.ok_or_else(|| {
        CredentialError::refused(
            "the file that AWS_WEB_IDENTITY_TOKEN_FILE names is empty",
            "let whatever writes it run before, or unset the variable",
        )
    })?;
    let claims = Claims::of(token.secret());
    let session_name = named("AWS_ROLE_SESSION_NAME").unwrap_or(sts::SESSION_NAME);
    sts::assume(aws, role, session_name, &IdToken { token, claims }).await.map(Some)
}

/// The variables that name a profile.
const PROFILES: [&str; 2] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];

/// The keys of the profile that AWS_PROFILE names, else of `default`.
fn from_profile(job: &Job) -> Result<Option<Keys>, CredentialError> {
    let Some(profile) = profile(job)? else {
        return match PROFILES.iter().find(|name| job.variable(name).is_some()) {
            Some(name) => Err(CredentialError::refused(
                format!(
                    "the profile that {name} names is in neither ~/.aws/config nor ~/.aws/credentials"
                ),
                format!("name one that is there, or unset {name}"),
            )),
            None => Ok(None),
        };
    };
    if let Some(kind) = profile.asks_for() {
        return Err(CredentialError::refused(
            format!("the AWS profile asks for {kind}, which weighbridge does not do"),
            "let AWS's own program make keys for a while, before: `eval \"$(aws configure export-credentials --format env)\"`",
        ));
    }
    let secret = |key| job.masker.secret(profile.get(key).unwrap_or_default());
    let key = secret("aws_secret_access_key")?;
    match (profile.get("aws_access_key_id"), key) {
        (Some(id), Some(key)) => {
            let session = secret("aws_session_token")?;
            Ok(Some(Keys { id: id.to_owned(), secret: key, session }))
        }
        (None, _) => Ok(None),
        (Some(_), None) => Err(CredentialError::refused(
            "the AWS profile has aws_access_key_id and not aws_secret_access_key",
            "set both, or neither",
        )),
    }
}

/// What both files say of the job's profile.
pub(super) fn profile(job: &Job) -> Result<Option<Profile>, CredentialError> {
    let home = job.variable("HOME").or_else(|| job.variable("USERPROFILE"));
    let text = |variable, name: &str| {
        let named = job.variable(variable).map(|named| match (named.strip_prefix("~/"), home) {
            (Some(below), Some(home)) => Path::new(home).join(below),
            _ => PathBuf::from(named),
        });
        let path = named.or_else(|| home.map(|home| Path::new(home).join(".aws").join(name)));
        match path {
            Some(path) if path.exists() => read(&path),
            _ => Ok(Zeroizing::default()),
        }
    };
    let credentials = text("AWS_SHARED_CREDENTIALS_FILE", "credentials")?;
    let config = text("AWS_CONFIG_FILE", "config")?;
    let named = PROFILES.iter().find_map(|name| job.variable(name));
    Ok(Profile::of(named.unwrap_or("default"), &credentials, &config))
}

/// The service beside a container (ECS), or of a pod (EKS Pod Identity).
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
async fn from_container(aws: &Aws<'_>) -> Result<Option<Keys>, CredentialError> {
    let job = aws.job;
    let url = match job.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        Some(path) => format!("http://169.254.170.2{path}"),
        None => match job.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            Some(url) => url.to_owned(),
            None => return Ok(None),
        },
    };
    let url = Url::parse(&url).ok().filter(is_of_containers).ok_or_else(|| {
        CredentialError::refused(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI (or …_RELATIVE_URI) is neither an https address nor one that containers ask",
            "leave the variable as ECS or EKS sets it",
        )
    })?;
    let token = match job.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => job.masker.secret(read(Path::new(file))?.as_str())?,
        None => job.secret("AWS_CONTAINER_AUTHORIZATION_TOKEN")?,
    };
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        headers.insert("authorization", token.header("the container's authorization token")?);
    }
    let doing = || CredentialError::doing("get keys from the container's credential service");
    let client = aws.client.discreet_and_direct().map_err(doing())?;
    let build = |client: &reqwest::Client| client.get(url.clone()).headers(headers.clone());
    let reply = client.reply(Again::Safe, LIMIT, build).await.map_err(doing())?;
    if !reply.status.is_success() {
        let status = reply.status.as_u16();
        return Err(CredentialError::refused(
            format!("the container's credential service gives no keys: it answered {status}"),
            "give the task or the pod a role (ECS: `taskRoleArn`; EKS: a Pod Identity association)",
        ));
    }
    Served::keys(reply, &job.masker, doing).map(Some)
}

/// The addresses that AWS's own programs ask: over TLS, of this machine, or ECS's and EKS's own.
fn is_of_containers(url: &Url) -> bool {
    let own = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];
    let is_own = url.host_str().is_some_and(|host| own.contains(&host));
    keeps_secrets(url) || (url.scheme() == "http" && is_own)
}

/// The service of an EC2 instance, in its second version.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>
async fn from_instance(aws: &Aws<'_>) -> Result<Option<Keys>, CredentialError> {
    let job = aws.job;
    let disabled = job.variable("AWS_EC2_METADATA_DISABLED");
    if disabled.is_some_and(|disabled| disabled.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let mode = job.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    let is_ipv6 = mode.is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
    let usual = if is_ipv6 { "http://[fd00:ec2::254]" } else { "http://169.254.169.254" };
    let named = job.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    let base = named.unwrap_or(usual).trim_end_matches('/');
    let doing = || CredentialError::doing("get keys of the instance's role");
    let client = aws.client.discreet_and_direct().map_err(doing())?;
    // Most machines are no instances: silence, and whatever else answers there, mean just that.
    let token = tokio::time::timeout(NO_INSTANCE, instance_token(&client, base)).await;
    let token = token.ok().flatten().unwrap_or_default();
    let Some(token) = job.masker.secret(token.as_str())? else { return Ok(None) };
    let token = token.header("the token of the instance's service")?;
    let get = async |url: &str| {
        let build = |client: &reqwest::Client| {
            client.get(url).header("x-aws-ec2-metadata-token", token.clone())
        };
        client.reply(Again::Safe, LIMIT, build).await.map_err(doing())
    };
    let roles = format!("{base}/latest/meta-data/iam/security-credentials/");
    let listed = get(&roles).await?;
    let role = std::str::from_utf8(&listed.body).ok().and_then(|text| text.lines().next());
    let role = role.map(str::trim).filter(|role| is_role(role));
    let (true, Some(role)) = (listed.status.is_success(), role) else { return Ok(None) };
    Served::keys(get(&format!("{roles}{role}")).await?, &job.masker, doing).map(Some)
}

async fn instance_token(client: &Client, base: &str) -> Option<Zeroizing<String>> {
    let url = format!("{base}/latest/api/token");
    let build = |client: &reqwest::Client| {
        client.put(&url).header("x-aws-ec2-metadata-token-ttl-seconds", "300")
    };
    let reply = client.reply(Again::Safe, LIMIT, build).await.ok()?;
    let text = std::str::from_utf8(&reply.body).ok()?;
    let is_one = reply.status.is_success() && is_token(text);
    let text = is_one.then(|| Zeroizing::new(text.to_owned()));
    wipe(reply.body);
    text
}

/// Base64, as AWS gives it. A page or a word that some other server answers with is no secret, and would be blotted
/// out of everything that is printed.
fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+/=".contains(&byte);
    (16..=1024).contains(&text.len()) && text.bytes().all(fits)
}

/// A role's name (IAM API Reference, `RoleName`).
fn is_role(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(fits)
}

/// What both services answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Served {
    access_key_id: Option<String>,
    secret_access_key: Option<Zeroizing<String>>,
    token: Option<Zeroizing<String>>,
}

impl Served {
    fn keys<E: FnOnce(HttpError) -> CredentialError>(
        reply: Whole,
        masker: &Masker,
        doing: impl Fn() -> E,
    ) -> Result<Keys, CredentialError> {
        let nothing = reply.garbage("it has no access key and secret key");
        let served: Self = answer(reply).map_err(doing())?;
        let secret = |value: Option<Zeroizing<String>>| {
            masker.secret(value.as_ref().map_or("", |value| value.as_str()))
        };
        match (served.access_key_id, secret(served.secret_access_key)?) {
            (Some(id), Some(key)) => Ok(Keys { id, secret: key, session: secret(served.token)? }),
            _ => Err(doing()(nothing)),
        }
    }
}

/// A file of the user's own, of bounded size.
fn read(path: &Path) -> Result<Zeroizing<String>, CredentialError> {
    use std::io::Read as _;
    let read = std::fs::File::open(path).and_then(|file| {
        // With room for all of it: what a text leaves behind when it grows is not wiped.
        let size = file.metadata()?.len().min(FILE);
        let mut text =
            Zeroizing::new(String::with_capacity(usize::try_from(size + 1).unwrap_or(0)));
        file.take(FILE).read_to_string(&mut text)?;
        Ok(text)
    });
    match read {
        Ok(text) => Ok(text),
        Err(error) => Err(CredentialError::refused(
            format!("{} cannot be read: {error}", path.display()),
            "let this user read it, or let the variable name another file",
        )),
    }
}
