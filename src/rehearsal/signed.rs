//! Pre-signed storage URLs: whoever holds one may do that one thing, without a token, as with
//! the Hub's own object storage.

use axum::http::HeaderMap;
use axum::http::uri::Authority;

use super::answer::{Answer, Refusal};
use super::pointer::Pointer;
use super::server::Hub;
use crate::digest::{Digest, Hasher};

/// The key of this run's signatures; URLs of an earlier run are worth nothing.
#[derive(Clone)]
pub(super) struct Key([u8; 32]);

impl Key {
    pub(super) fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    fn sign(&self, purpose: &str, pointer: &Pointer, session: &str) -> String {
        let mut hasher = Hasher::default();
        // Key, then fixed-width and separated fields, then the key again: no field can run into
        // another, and the digest cannot be extended.
        hasher.update(&self.0);
        hasher.update(pointer.oid.as_bytes());
        hasher.update(&pointer.size.to_be_bytes());
        hasher.update(&Digest::of(purpose.as_bytes()).as_bytes()[..]);
        hasher.update(&Digest::of(session.as_bytes()).as_bytes()[..]);
        hasher.update(&self.0);
        hasher.finish().to_string()
    }

    /// The path of the URL for `purpose` on a file; `session` tells uploads of one file apart.
    pub(super) fn path(&self, purpose: &str, pointer: &Pointer, session: &str) -> String {
        let signature = self.sign(purpose, pointer, session);
        format!("/storage/{purpose}/{}/{}/{session}/{signature}", pointer.oid, pointer.size)
    }

    /// Refuses a signature that this run did not give.
    pub(super) fn check(
        &self,
        purpose: &str,
        pointer: &Pointer,
        session: &str,
        signature: &str,
    ) -> Answer<()> {
        if self.sign(purpose, pointer, session) == signature {
            Ok(())
        } else {
            Err(Refusal::forbidden("the storage URL's signature does not hold"))
        }
    }
}

/// The Hub's address as this client knows it, so that URLs given to it work for it too.
pub(super) fn authority(hub: &Hub, headers: &HeaderMap) -> Authority {
    let named = headers.get("host").and_then(|host| host.to_str().ok()?.parse().ok());
    named.filter(|host: &Authority| !host.as_str().contains('@')).unwrap_or_else(|| {
        hub.addr.to_string().parse().unwrap_or(Authority::from_static("127.0.0.1"))
    })
}

/// `http://host:port` of the Hub for this client.
pub(super) fn base(hub: &Hub, headers: &HeaderMap) -> String {
    format!("http://{}", authority(hub, headers))
}

/// The address of the Xet server for this client.
pub(super) fn cas_url(hub: &Hub, headers: &HeaderMap) -> String {
    format!("http://{}:{}", authority(hub, headers).host(), hub.xet.addr().port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_one_purpose_and_file() {
        let key = Key::new([7; 32]);
        let pointer = Pointer { oid: Digest::of(b"x"), size: 1 };
        let path = key.path("basic", &pointer, "s");
        let signature = path.rsplit('/').next().expect("the last segment");
        assert!(key.check("basic", &pointer, "s", signature).is_ok());
        let larger = Pointer { size: 2, ..pointer.clone() };
        assert!(key.check("basic", &larger, "s", signature).is_err());
        assert!(key.check("part-1", &pointer, "s", signature).is_err());
        assert!(key.check("basic", &pointer, "t", signature).is_err());
        assert!(Key::new([8; 32]).check("basic", &pointer, "s", signature).is_err());
    }
}
