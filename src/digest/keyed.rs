//! HMAC-SHA256: what a request to AWS is signed with.

use hmac::{Hmac, KeyInit as _, Mac as _};

/// The HMAC-SHA256 of `bytes` under `key`.
pub fn keyed(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    // Whatever its length, a key is one (RFC 2104, 2): the error is for other kinds of code.
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(key) else { unreachable!() };
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, 4.2, 4.3, 4.7 (a key longer than a block).
    #[test]
    fn known_answers() {
        for (key, bytes, expected) in [
            (
                &[0x0b; 20][..],
                &b"Hi There"[..],
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(hex::encode(keyed(key, bytes)), expected);
        }
    }
}
