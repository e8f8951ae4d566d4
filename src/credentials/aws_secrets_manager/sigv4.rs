//! AWS Signature Version 4, as far as requests to `/` without a query need it.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::credentials::Masked;
use crate::digest::{Digest, keyed};

/// The header of a session's token.
pub(super) const SESSION: &str = "x-amz-security-token";

/// What a request is signed with.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    /// The access key's id.
    pub(super) id: String,
    /// The access key.
    pub(super) secret: Masked,
    /// The session's token, where the keys are temporary.
    pub(super) session: Option<Masked>,
}

/// Who asks whom.
pub(super) struct Signer<'a> {
    pub(super) keys: &'a Keys,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

impl Signer<'_> {
    /// The headers that a request has to have beside `headers`, all of which are signed (`host` is
    /// one of them), and beside `x-amz-security-token`, which is signed where the keys have it.
    pub(super) fn sign(
        &self,
        method: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        now: Timestamp,
    ) -> [(&'static str, String); 2] {
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = &time[..8];
        let session = self.keys.session.as_ref().map(|token| (SESSION, token.expose()));
        let mut signed: Vec<(String, &str)> = headers
            .iter()
            .copied()
            .chain([("x-amz-date", time.as_str())])
            .chain(session)
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect();
        signed.sort();
        let names = signed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let mut request = Zeroizing::new(format!("{method}\n/\n\n"));
        for (name, value) in &signed {
            let words: Vec<_> = value.split(' ').filter(|word| !word.is_empty()).collect();
            request.extend([name, ":", &words.join(" "), "\n"]);
        }
        request.extend(["\n", &names, "\n", &Digest::of(body).to_string()]);

        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let digest = Digest::of(request.as_bytes());
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let signature = hex::encode(keyed(&*self.key(day), to_sign.as_bytes()));
        let id = &self.keys.id;
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
        );
        [("x-amz-date", time), ("authorization", authorization)]
    }

    /// The key of one day, region and service.
    fn key(&self, day: &str) -> Zeroizing<[u8; 32]> {
        let secret = Zeroizing::new(format!("AWS4{}", self.keys.secret.expose()));
        let parts = [self.region, self.service, "aws4_request"];
        let of_day = Zeroizing::new(keyed(secret.as_bytes(), day.as_bytes()));
        parts.iter().fold(of_day, |key, part| Zeroizing::new(keyed(&*key, part.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Masker;

    fn keys(session: &str) -> Keys {
        let masker = Masker::new(|_| Ok(()));
        let secret = |text| masker.secret(text).expect("masked");
        Keys {
            id: "AKIDEXAMPLE".into(),
            secret: secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").expect("a key"),
            session: secret(session),
        }
    }

    /// From AWS's published Signature Version 4 test suite: the cases that ask for `/` without a
    /// query. `tests/it/credentials_aws.rs` holds whole requests against botocore.
    #[test]
    fn the_published_vectors() {
        let keys = keys("");
        let signer = Signer { keys: &keys, region: "us-east-1", service: "service" };
        let now = "2015-08-30T12:36:00Z".parse().expect("a time");
        let host = ("Host", "example.amazonaws.com");
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        let cases: [(&str, &str, &[(&str, &str)], &str, &str, &str); 6] = [
            (
                "get-vanilla",
                "GET",
                &[host],
                "",
                "host;x-amz-date",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "post-vanilla",
                "POST",
                &[host],
                "",
                "host;x-amz-date",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "get-header-value-trim",
                "GET",
                &[host, ("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
                "",
                "host;my-header1;my-header2;x-amz-date",
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ),
            (
                "post-header-key-sort",
                "POST",
                &[host, ("My-Header1", "value1")],
                "",
                "host;my-header1;x-amz-date",
                "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
            ),
            (
                "post-header-value-case",
                "POST",
                &[host, ("My-Header1", "VALUE1")],
                "",
                "host;my-header1;x-amz-date",
                "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
            ),
            (
                "post-x-www-form-urlencoded",
                "POST",
                &[form, host],
                "Param1=value1",
                "content-type;host;x-amz-date",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ];
        for (name, method, headers, body, names, signature) in cases {
            let added = signer.sign(method, headers, body.as_bytes(), now);
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={names}, Signature={signature}"
            );
            assert_eq!(added[0], ("x-amz-date", "20150830T123600Z".into()), "{name}");
            assert_eq!(added[1], ("authorization", expected), "{name}");
        }
    }

    /// `post-sts-header-before` of the same suite: the session's token is signed too.
    #[test]
    fn the_sessions_token_is_signed() {
        let token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
        let keys = keys(token);
        let signer = Signer { keys: &keys, region: "us-east-1", service: "service" };
        let now = "2015-08-30T12:36:00Z".parse().expect("a time");
        let added = signer.sign("POST", &[("host", "example.amazonaws.com")], b"", now);
        assert_eq!(
            added[1].1,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
        );
    }
}
