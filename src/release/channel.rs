//! Channels: where a version belongs by its prerelease part.

use semver::Version;

/// Where a version belongs (none → production; `rc`, `beta`, `preview` and unknown words →
/// staging; `alpha`, `dev`, `nightly`, `snapshot` → development).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Full versions; on the Hub the branch `main`.
    Production,
    /// Candidates; the branch `staging`.
    Staging,
    /// Everything younger; the branch `development`.
    Development,
}

impl Channel {
    /// The channel of a version.
    pub fn of(version: &Version) -> Self {
        if version.pre.is_empty() {
            return Self::Production;
        }
        let pre = version.pre.to_ascii_lowercase();
        let mut words =
            pre.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        // One such word is enough: `rc.1.dev.3` and `pre-alpha` are for development.
        let young = |word: &str| matches!(word, "alpha" | "dev" | "nightly" | "snapshot");
        let short_alpha = words.clone().next() == Some("a");
        if short_alpha || words.any(young) { Self::Development } else { Self::Staging }
    }

    /// Name in the policy and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Development => "development",
        }
    }

    /// The branch on the Hub that carries this channel.
    pub fn branch(self) -> &'static str {
        match self {
            Self::Production => "main",
            Self::Staging => "staging",
            Self::Development => "development",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_the_prerelease_word() {
        for (version, channel) in [
            ("1.0.0", Channel::Production),
            ("1.0.0+build", Channel::Production),
            ("1.0.0-rc.1", Channel::Staging),
            ("1.0.0-7", Channel::Staging),
            ("1.0.0-Alpha.1", Channel::Development),
            ("1.0.0-alpha1", Channel::Development),
            ("1.0.0-a.2", Channel::Development),
            ("1.0.0-rc.a", Channel::Staging),
            ("1.0.0-pre-alpha", Channel::Development),
            ("1.0.0-rc.1.dev.3", Channel::Development),
            ("1.0.0-20260131.nightly", Channel::Development),
            ("1.0.0-beta", Channel::Staging),
            ("1.0.0-candidate", Channel::Staging),
            ("1.0.0-dev", Channel::Development),
        ] {
            assert_eq!(
                Channel::of(&Version::parse(version).expect("SemVer")),
                channel,
                "{version}"
            );
        }
    }
}
