//! Shared by the behaviour tests.

pub mod counterpart;
pub(crate) mod hub_server;
