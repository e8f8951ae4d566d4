//! How an embedded Hub is set up, and why it may not start.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::auth::TokenSpec;
use super::oauth::TrustedPublisher;
use crate::failure::Advise;

/// How an embedded Hub is set up.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// Where to listen; port 0 takes a free one. The Xet server takes a free port of the same
    /// address.
    pub addr: SocketAddr,
    /// The folder that holds everything; made if missing. One running Hub per folder.
    pub data: PathBuf,
    /// Tokens beside the default one ([`super::EmbeddedHub::token`]).
    pub tokens: Vec<TokenSpec>,
    /// The namespaces that exist, all of which the default token's user belongs to. `None` lets
    /// it write to any namespace.
    pub namespaces: Option<Vec<String>>,
    /// Who may publish without a stored token.
    pub trusted_publishers: Vec<TrustedPublisher>,
    /// Which transfer the LFS batch endpoint chooses.
    pub lfs_transfer: Transfers,
    /// Files above this size in bytes become large files; at most 10 MiB, the Hub's own limit.
    pub lfs_threshold: u64,
    /// Rate-limit headers on every API answer, and 429 once the quota is used up.
    pub rate_limit: Option<RateLimit>,
    /// What the file scan (`/scan`, `securityFileStatus`) says of files; all others are safe.
    pub scan_issues: Vec<ScanIssue>,
}

/// Which transfer the LFS batch endpoint chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transfers {
    /// Xet where the client offers it, else multipart above 64 MiB, else basic.
    #[default]
    Auto,
    /// Always one PUT; as a Hub that knows no Xet.
    ForceBasic,
    /// Multipart with parts of this many bytes for every file larger than that, where the
    /// client offers it; as a Hub that knows no Xet.
    ForceMultipart {
        /// Bytes of each part but the last.
        chunk: u64,
    },
}

/// A fixed-window limit, told as the Hub tells it.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    /// API requests a window.
    pub quota: u32,
    /// The window's length.
    pub window: Duration,
}

/// A verdict of the file scan.
#[derive(Debug, Clone)]
pub struct ScanIssue {
    /// The file's path.
    pub path: String,
    /// The Hub's level: `caution`, `suspicious`, `unsafe`, `error`.
    pub level: String,
}

impl HubOptions {
    /// A Hub on a free loopback port, with its files in `data` and the Hub's own defaults.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: data.into(),
            tokens: Vec::new(),
            namespaces: None,
            trusted_publishers: Vec::new(),
            lfs_transfer: Transfers::Auto,
            lfs_threshold: 10 * 1024 * 1024,
            rate_limit: None,
            scan_issues: Vec::new(),
        }
    }
}

/// Why an embedded Hub cannot start.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The data folder cannot be used.
    #[error("cannot use the data folder {}", data.display())]
    Data {
        /// The folder.
        data: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another Hub runs on the folder.
    #[error("the data folder {} is in use by another Hub", data.display())]
    InUse {
        /// The folder.
        data: PathBuf,
    },
    /// The Xet storage cannot be opened.
    #[error("cannot open the Xet storage in {}: {why}", data.display())]
    Xet {
        /// The folder.
        data: PathBuf,
        /// What the storage said.
        why: String,
    },
}

impl Advise for HubError {
    fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Listen { .. } => {
                "choose another address, or port 0 for a free one: `--addr 127.0.0.1:0`".into()
            }
            Self::Data { .. } => "choose a folder that you can write to: `--data DIR`".into(),
            Self::InUse { .. } => {
                "stop the other Hub, or choose another folder: `--data DIR`".into()
            }
            Self::Xet { data, .. } => {
                format!("choose another folder (`--data DIR`), or remove {}", data.display())
            }
        })
    }
}
