//! Addresses that a secret may be sent to.

use reqwest::Url;

/// An address of a server, with nothing after its path: over TLS, or of this machine.
pub fn trusted(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "it is no address")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it carries a user or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it goes on after its path");
    }
    unread(&url).map(|()| url)
}

/// Whether nobody on the way reads what is sent there: over TLS, or not beyond this machine.
pub fn keeps_secrets(url: &Url) -> bool {
    unread(url).is_ok()
}

/// The same, or why not.
pub fn unread(url: &Url) -> Result<(), &'static str> {
    match url.scheme() {
        "https" if url.has_host() => Ok(()),
        "http" if is_of_this_machine(url) => Ok(()),
        "http" => Err("secrets do not go over plain http"),
        _ => Err("it is no https address"),
    }
}

/// Whether its host is the machine we run on.
pub fn is_of_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_over_tls_or_stay_here() {
        for (address, why) in [
            ("https://vault.acme.example/", None),
            ("https://vault.acme.example:8200/behind/here", None),
            ("http://127.0.0.1:8200", None),
            ("http://[::1]:8200", None),
            ("http://localhost:8200", None),
            ("http://vault.acme.example", Some("secrets do not go over plain http")),
            ("http://localhost.acme.example", Some("secrets do not go over plain http")),
            ("https://ada:secret@vault.acme.example", Some("it carries a user or a password")),
            ("https://vault.acme.example/?token=x", Some("it goes on after its path")),
            ("vault.acme.example", Some("it is no address")),
            ("vault.acme.example:8200", Some("it is no https address")),
            ("file:///etc/passwd", Some("it is no https address")),
        ] {
            assert_eq!(trusted(address).err(), why, "{address}");
        }
    }
}
