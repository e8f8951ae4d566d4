//! A token from AWS Secrets Manager: moto answers, once botocore has found the signature that it
//! makes itself.

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::hostile::{Hostile, withstand};
use crate::support::identities::Issuer;
use crate::support::moto::Moto;
use crate::support::stores::{Job, assert_silent};

// In pieces, so that the search for secrets does not find them here.
const STORED: &str = concat!("hf", "_StoredInAwsSecretsManagerAndNowhere");
const KEY_ID: &str = concat!("AKIA", "OFAPERSON0000000");
const KEY: &str = "of/a+person/that/has/kept/a/key/forever=";
const SESSION: &str = "the-token-of-a-session-that-nobody-knows";

async fn moto(test: &str) -> Option<Moto> {
    let secrets = json!({
        "ml/hub": STORED,
        "ml/json": json!({"hf_token": STORED, "note": 1}).to_string(),
        "ml/binary": {"binary": "aGZfU3RvcmVkSW5Bd3NTZWNyZXRzTWFuYWdlckFuZE5vd2hlcmU="},
        "ml/noise": {"binary": "/////w=="},
    });
    Moto::start(test, &json!({"secrets": secrets, "keys": {KEY_ID: KEY}})).await
}

/// The policy's entry, and whatever else it says.
fn source(rest: &str) -> String {
    format!("aws-secrets-manager: {{region: eu-west-1, {rest}}}")
}

const ROLE: &str = "role: arn:aws:iam::123456789012:role/release";

/// A server that answers the same to everything.
async fn answer(status: u16, body: impl Into<String>) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status).set_body_string(body);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// A job that knows where moto is, and that no instance's service is anywhere.
fn job(moto: &Moto, source: &str) -> Job {
    Job::new(source).set("AWS_ENDPOINT_URL", &moto.url).set("AWS_EC2_METADATA_DISABLED", "true")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_token_becomes_a_roles_keys() {
    let Some(moto) = moto("credentials_aws::the_jobs_token").await else { return };
    let token = Issuer::new().token(json!({"aud": "sts.amazonaws.com"}));
    for (rest, expected) in [
        ("secret: ml/hub", Ok(STORED)),
        ("secret: ml/json, key: hf_token", Ok(STORED)),
        ("secret: ml/binary", Ok(STORED)),
        ("secret: ml/none", Err("ResourceNotFoundException")),
        ("secret: ml/json", Err("`key: hf_token`")),
        ("secret: ml/json, key: other", Err("has no field `other`")),
        ("secret: ml/json, key: note", Err("holds no text")),
        ("secret: ml/hub, key: hf_token", Err("is no JSON object")),
        ("secret: ml/noise", Err("it holds no text")),
    ] {
        let source = source(&format!("{ROLE}, {rest}"));
        let got = job(&moto, &source).with_token(&token).fetch().await;
        match (&got, expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected, "{rest}"),
            (Err(error), Err(words)) => {
                assert!(error.contains(words), "{rest}: {error}");
                assert_silent(error, &[&token, STORED]);
            }
            _ => panic!("{rest}: {got:?}"),
        }
    }
    let asked = moto.asked();
    assert_eq!(asked[0]["action"], "AssumeRoleWithWebIdentity");
    // Each service is asked at its own address, which the policy may name.
    let nowhere = "http://127.0.0.1:9";
    for (endpoint, sts, expected) in
        [(&*moto.url, &*moto.url, Ok(STORED)), (&moto.url, nowhere, Err("ask AWS STS for keys"))]
    {
        let rest = format!("secret: ml/hub, endpoint: '{endpoint}', sts-endpoint: '{sts}'");
        let job = Job::new(&source(&format!("{ROLE}, {rest}"))).set("AWS_ENDPOINT_URL", nowhere);
        match (job.with_token(&token).fetch().await, expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected),
            (Err(error), Err(words)) => assert!(error.contains(words), "{error}"),
            (got, _) => panic!("{got:?}"),
        }
    }
    assert_eq!(asked[1]["target"], "secretsmanager.GetSecretValue");
    assert!(asked.iter().all(|one| one["query"] == "" && one["path"] == "/"), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_the_job_has_already() {
    let Some(moto) = moto("credentials_aws::keys_that_the_job_has").await else { return };
    let home = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().expect("below the home")).expect("writable");
        std::fs::write(&path, text).expect("writable");
        path.to_str().expect("UTF-8").to_owned()
    };
    file(
        ".aws/credentials",
        &format!("[train]\naws_access_key_id={KEY_ID}\naws_secret_access_key={KEY}\n"),
    );
    file(
        ".aws/config",
        "[profile train]\nregion = eu-west-1\n[profile signed]\nsso_session = acme\n",
    );
    let id_token = Issuer::new().token(json!({"aud": "sts.amazonaws.com"}));
    let token = file("token", &id_token);
    let of_pod = file("pod", "of the pod");
    let home = home.path().to_str().expect("UTF-8");
    let person = [("AWS_ACCESS_KEY_ID", KEY_ID)];
    let container = format!("{}/container", moto.url);
    let cases: [(&str, &[(&str, &str)], Result<(), &str>); 13] = [
        ("keys in variables", &[person[0], ("AWS_SECRET_ACCESS_KEY", KEY)], Ok(())),
        (
            "another key",
            &[person[0], ("AWS_SECRET_ACCESS_KEY", "canary-of-a-wrong-key")],
            Err("InvalidSignatureException"),
        ),
        (
            "another id",
            &[("AWS_ACCESS_KEY_ID", "AKIANOBODYS"), ("AWS_SECRET_ACCESS_KEY", KEY)],
            Err("UnrecognizedClientException"),
        ),
        ("half of them", &person, Err("set both, or neither")),
        (
            "a token's file",
            &[
                ("AWS_WEB_IDENTITY_TOKEN_FILE", &token),
                ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod"),
            ],
            Ok(()),
        ),
        ("a profile", &[("AWS_PROFILE", "train")], Ok(())),
        ("the usual profile", &[("AWS_DEFAULT_PROFILE", "train")], Ok(())),
        ("a profile that is not there", &[("AWS_PROFILE", "none")], Err("AWS_PROFILE names")),
        ("single sign-on", &[("AWS_PROFILE", "signed")], Err("aws configure export-credentials")),
        (
            "a container",
            &[
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &of_pod),
            ],
            Ok(()),
        ),
        (
            "a container without its token",
            &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container)],
            Err("gives no keys: it answered 401"),
        ),
        (
            "a container elsewhere",
            &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.7/keys")],
            Err("leave the variable as"),
        ),
        ("nothing", &[], Err("there are no AWS credentials")),
    ];
    for (name, variables, expected) in cases {
        let job = job(&moto, &source("secret: ml/hub")).set("HOME", home);
        let job = variables.iter().fold(job, |job, (name, value)| job.set(name, value));
        let got = job.fetch().await;
        match (&got, expected) {
            (Ok(got), Ok(())) => assert_eq!(got, STORED, "{name}"),
            (Err(error), Err(words)) => {
                assert!(error.contains(words), "{name}: {error}");
                assert_silent(
                    error,
                    &[KEY, STORED, &id_token, "canary-of-a-wrong-key", "of the pod"],
                );
            }
            _ => panic!("{name}: {got:?}"),
        }
    }
    // The region may stand in the profile alone.
    let job = job(&moto, "aws-secrets-manager: {secret: ml/hub}").set("HOME", home);
    assert_eq!(job.set("AWS_PROFILE", "train").fetch().await.as_deref(), Ok(STORED));

    let instance = Job::new(&source("secret: ml/hub"))
        .set("AWS_ENDPOINT_URL", &moto.url)
        .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &moto.url);
    assert_eq!(instance.fetch().await.as_deref(), Ok(STORED), "{:?}", moto.asked());
    // Whatever else answers in its place is no service of an instance.
    for page in ["<p>Welcome to this server\n", "OK"] {
        let other = answer(200, page).await;
        let elsewhere = Job::new(&source("secret: ml/hub"));
        let elsewhere = elsewhere.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &other.uri());
        let error = elsewhere.fetch().await.expect_err("no keys");
        assert!(error.contains("there are no AWS credentials"), "{error}");
    }
}

/// Half of what is needed, or another way than the one that is meant: no other keys are looked for.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_half_there_ends_the_run() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(home.path().join(".aws")).expect("writable");
    let config = format!(
        "[profile boss]\nrole_arn = arn:aws:iam::1:role/boss\naws_access_key_id={KEY_ID}\n\
         aws_secret_access_key={KEY}\n[profile half]\naws_access_key_id={KEY_ID}\n"
    );
    std::fs::write(home.path().join(".aws/config"), config).expect("writable");
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[("AWS_WEB_IDENTITY_TOKEN_FILE", "token")], "AWS_ROLE_ARN is not"),
        (&[("AWS_PROFILE", "half")], "set both, or neither"),
        (&[("AWS_PROFILE", "boss")], "asks for another role"),
        (
            &[
                ("AWS_ACCESS_KEY_ID", KEY_ID),
                ("AWS_SECRET_ACCESS_KEY", KEY),
                ("AWS_SESSION_TOKEN", "of the\nsession: 2"),
            ],
            "AWS's session token holds characters",
        ),
        (
            &[
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/keys"),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of the\npod: 2"),
            ],
            "authorization token holds characters",
        ),
    ];
    for (variables, words) in cases {
        let home = home.path().to_str().expect("UTF-8");
        let job = Job::new(&source("secret: ml/hub")).set("HOME", home);
        let job = job.set("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
        let job = variables.iter().fold(job, |job, (name, value)| job.set(name, value));
        let error = job.fetch().await.expect_err("no token");
        assert!(error.contains(words), "{words}: {error}");
        assert_silent(&error, &[KEY, "of the\n", "pod: 2", "session: 2"]);
    }
}

/// Services that repeat what they were sent, that refuse in every way, that answer nonsense.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_sent_comes_back_or_goes_elsewhere() {
    let token = Issuer::new().token(json!({"aud": "sts.amazonaws.com"}));
    let said = |hostile| match hostile {
        Hostile::Echoes(status) | Hostile::Redirects(status) => format!("status {status}"),
        Hostile::Babbles | Hostile::Shrugs => "cannot be read".into(),
        Hostile::Floods => "larger than".into(),
    };
    let sts = |url: &str| {
        let job = Job::new(&source(&format!("{ROLE}, secret: ml/hub")));
        job.set("AWS_ENDPOINT_URL_STS", url).with_token(&token)
    };
    withstand(&[&token], sts, said).await;
    let manager = |url: &str| {
        let job = Job::new(&source("secret: ml/hub")).set("AWS_ENDPOINT_URL", url);
        let job = job.set("AWS_ACCESS_KEY_ID", "AKIA").set("AWS_SECRET_ACCESS_KEY", KEY);
        job.set("AWS_SESSION_TOKEN", SESSION)
    };
    withstand(&[KEY, SESSION], manager, said).await;
}

/// Refusals by name, as both services write them.
#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_fix_and_repeats_nothing() {
    // Whoever may make a branch names it.
    let issuer = "https://ci.example/';id;";
    let token = Issuer::new().token(json!({"aud": "sts.amazonaws.com", "iss": issuer}));
    for (code, words) in [
        ("AccessDenied", "let the role's trust policy accept"),
        ("AccessDenied", "arn:aws-cn:iam::123456789012:oidc-provider/"),
        ("InvalidIdentityToken", r"--url 'https://ci.example/'\'';id;' --client-id-list sts."),
        ("IDPCommunicationError", "could not reach the identity's issuer"),
        ("ExpiredTokenException", "set the clock"),
    ] {
        let xml = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{token}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        );
        let server = answer(403, xml).await;
        let role = ROLE.replace("arn:aws:", "arn:aws-cn:");
        let job = Job::new(&source(&format!("{role}, secret: ml/hub")));
        let job = job.set("AWS_ENDPOINT_URL_STS", &server.uri()).with_token(&token);
        let error = job.fetch().await.expect_err("no token");
        assert!(error.contains(words), "{words}: {error}");
        assert_silent(&error, &[&token]);
    }
    let names: [(&str, Value); 5] = [
        ("AccessDeniedException", json!("com.amazon.coral#AccessDeniedException")),
        ("arn:aws-us-gov:secretsmanager:us-gov-west-1:*:", json!("AccessDeniedException")),
        ("DecryptionFailure", json!("DecryptionFailure:http://internal.amazon.com/")),
        ("status 400", json!(STORED)),
        ("status 400", json!(1)),
    ];
    for (words, name) in names {
        let body = json!({"__type": name, "message": STORED, "Message": KEY});
        let server = answer(400, body.to_string()).await;
        let source = "aws-secrets-manager: {region: us-gov-west-1, secret: ml/hub}";
        let job = Job::new(source).set("AWS_ENDPOINT_URL", &server.uri());
        let job = job.set("AWS_ACCESS_KEY_ID", "AKIA").set("AWS_SECRET_ACCESS_KEY", KEY);
        let error = job.fetch().await.expect_err("no token");
        assert!(error.contains(words), "{words}: {error}");
        assert_silent(&error, &[STORED, KEY]);
    }
    for (variable, address) in [
        ("AWS_ENDPOINT_URL", "http://192.0.2.7"),
        // Whatever it is, the policy does not name it.
        ("AWS_ENDPOINT_URL", "https://sts.example"),
        ("AWS_ENDPOINT_URL_STS", "https://a.execute-api.eu-central-1.amazonaws.com"),
        ("AWS_ENDPOINT_URL_STS", "https://u:p@sts.example"),
    ] {
        let job = Job::new(&source(&format!("{ROLE}, secret: ml/hub"))).set(variable, address);
        let error = job.with_token(&token).fetch().await.expect_err("no address for secrets");
        assert!(error.contains("is no address for secrets"), "{error}");
    }
}
