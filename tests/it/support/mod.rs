//! Shared by the behaviour tests.

pub mod counterpart;
pub mod workspace;
pub(crate) mod hub_server;
