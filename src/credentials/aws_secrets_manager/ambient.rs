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
use crate::credentials::{Claims, CredentialError, IdToken, Job, Masker, answer};
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
    let (Some(file), Some(role)) = (named("AWS_WEB_IDENTITY_TOKEN_FILE"), named("AWS_ROLE_ARN"))
    else {
        return Ok(None);
    };
    let token = aws.job.masker.secret(read(Path::new(file))?.as_str())?.ok_or_else(|| {
        CredentialError::refused(
            "the file that AWS_WEB_IDENTITY_TOKEN_FILE names is empty",
            "let whatever writes it run before, or unset the variable",
        )
    })?;
    let claims = Claims::of(token.secret());
    sts::assume(aws, role, &IdToken { token, claims }).await.map(Some)
}

/// The keys of the profile that AWS_PROFILE names, else of `default`.
fn from_profile(job: &Job) -> Result<Option<Keys>, CredentialError> {
    let Some(profile) = profile(job)? else {
        return match job.variable("AWS_PROFILE") {
            Some(_) => Err(CredentialError::refused(
                "the profile that AWS_PROFILE names is in neither ~/.aws/config nor ~/.aws/credentials",
                "name one that is there, or unset AWS_PROFILE",
            )),
            None => Ok(None),
        };
    };
    let secret = |key| job.masker.secret(profile.get(key).unwrap_or_default());
    let key = secret("aws_secret_access_key")?;
    if let (Some(id), Some(key)) = (profile.get("aws_access_key_id"), key) {
        let session = secret("aws_session_token")?;
        return Ok(Some(Keys { id: id.to_owned(), secret: key, session }));
    }
    match profile.asks_for() {
        Some(kind) => Err(CredentialError::refused(
            format!("the AWS profile asks for {kind}, which weighbridge does not do"),
            "let AWS's own program make keys for a while, before: `eval \"$(aws configure export-credentials --format env)\"`",
        )),
        None => Ok(None),
    }
}

/// What both files say of the job's profile.
pub(super) fn profile(job: &Job) -> Result<Option<Profile>, CredentialError> {
    let home = job.variable("HOME").or_else(|| job.variable("USERPROFILE"));
    let text = |variable, name: &str| {
        let named = job.variable(variable).map(PathBuf::from);
        let path = named.or_else(|| home.map(|home| Path::new(home).join(".aws").join(name)));
        match path {
            Some(path) if path.exists() => read(&path),
            _ => Ok(Zeroizing::default()),
        }
    };
    let credentials = text("AWS_SHARED_CREDENTIALS_FILE", "credentials")?;
    let config = text("AWS_CONFIG_FILE", "config")?;
    Ok(Profile::of(job.variable("AWS_PROFILE").unwrap_or("default"), &credentials, &config))
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
            "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither an https address nor one that containers ask",
            "leave the variable as ECS or EKS sets it",
        )
    })?;
    let token = match job.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => job.masker.secret(read(Path::new(file))?.as_str())?,
        None => job.secret("AWS_CONTAINER_AUTHORIZATION_TOKEN")?,
    };
    let mut headers = HeaderMap::new();
    if let Some(token) = token.as_ref().and_then(|token| token.expose().parse().ok()) {
        headers.insert("authorization", token);
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
    let named = job.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    let base = named.unwrap_or("http://169.254.169.254").trim_end_matches('/');
    let doing = || CredentialError::doing("get keys of the instance's role");
    let client = aws.client.discreet_and_direct().map_err(doing())?;
    // Most machines are no instances: silence, and whatever else answers there, mean just that.
    let token = tokio::time::timeout(NO_INSTANCE, instance_token(&client, base)).await;
    let Some(token) = job.masker.secret(token.ok().flatten().unwrap_or_default())? else {
        return Ok(None);
    };
    let get = async |url: &str| {
        let build = |client: &reqwest::Client| {
            client.get(url).header("x-aws-ec2-metadata-token", token.expose())
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

async fn instance_token(client: &Client, base: &str) -> Option<String> {
    let url = format!("{base}/latest/api/token");
    let build = |client: &reqwest::Client| {
        client.put(&url).header("x-aws-ec2-metadata-token-ttl-seconds", "300")
    };
    let reply = client.reply(Again::Safe, LIMIT, build).await.ok()?;
    let text = std::str::from_utf8(&reply.body).ok()?;
    reply.status.is_success().then(|| text.to_owned())
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
    let mut text = Zeroizing::default();
    let read = std::fs::File::open(path).and_then(|file| file.take(FILE).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(text),
        Err(error) => Err(CredentialError::refused(
            format!("{} cannot be read: {error}", path.display()),
            "let this user read it, or let the variable name another file",
        )),
    }
}
