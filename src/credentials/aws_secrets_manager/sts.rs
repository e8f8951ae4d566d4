//! AWS's Security Token Service: the job's identity becomes keys for a quarter of an hour.

use quick_xml::events::Event;
use quick_xml::reader::Reader;
use zeroize::Zeroizing;

use super::sigv4::Keys;
use super::{Aws, LIMIT, Service, refusal};
use crate::credentials::{CredentialError, IdToken, wipe};
use crate::http::Again;

/// How long the keys are good for, in seconds: the least that STS gives.
const LIFE: &str = "900";

/// What a role's sessions are called in AWS's logs.
pub(super) const SESSION_NAME: &str = "weighbridge";

/// The keys of a role. The identity goes in the body: addresses are logged on the way.
pub(super) async fn assume(
    aws: &Aws<'_>,
    role: &str,
    session_name: &str,
    identity: &IdToken,
) -> Result<Keys, CredentialError> {
    let url = aws.endpoint(Service::Sts)?;
    let form = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", session_name),
        ("DurationSeconds", LIFE),
        ("WebIdentityToken", identity.token.expose()),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let body = Zeroizing::new(body);
    let reply = aws.client.reply(Again::Safe, LIMIT, |client| {
        client
            .post(url.clone())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.to_string())
    });
    let doing = || CredentialError::doing("ask AWS STS for keys");
    let reply = reply.await.map_err(doing())?;
    let xml = std::str::from_utf8(&reply.body).unwrap_or_default();
    if !reply.status.is_success() {
        let code = element(xml, "Code").unwrap_or_default();
        return Err(refusal::of_role(reply.status.as_u16(), &code, role, &identity.claims));
    }
    let secret = |name| aws.job.masker.secret(element(xml, name).unwrap_or_default());
    let keys = (element(xml, "AccessKeyId"), secret("SecretAccessKey")?, secret("SessionToken")?);
    let nothing = reply.garbage("it has no access key, secret key and session token");
    wipe(reply.body);
    match keys {
        (Some(id), Some(secret), session @ Some(_)) => Ok(Keys { id, secret, session }),
        _ => Err(doing()(nothing)),
    }
}

/// The text of the first element of this name that has nothing but text.
fn element(xml: &str, name: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    let mut inside = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => inside = start.local_name().as_ref() == name,
            // Neither keys nor codes have characters that XML writes another way.
            Event::Text(text) if inside => return Some(text.trim().to_owned()),
            Event::End(_) => inside = false,
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_and_anything_is_read() {
        let xml = "<R xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><C><Key>a/b+c==</Key><Code></Code></C><Key>2</Key></R>";
        assert_eq!(element(xml, "Key").as_deref(), Some("a/b+c=="));
        assert_eq!(element(xml, "Code"), None);
        for text in ["", "<", "<a>&bad;</a>", "<Key>", "no xml"] {
            assert_eq!(element(text, "Key"), None, "{text}");
        }
    }
}
