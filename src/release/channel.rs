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
        let word: String = version.pre.chars().take_while(char::is_ascii_alphabetic).collect();
        match (version.pre.is_empty(), word.to_ascii_lowercase().as_str()) {
            (true, _) => Self::Production,
            (false, "alpha" | "a" | "dev" | "nightly" | "snapshot") => Self::Development,
            (false, _) => Self::Staging,
        }
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
