//! Shared by the behaviour tests.

pub mod counterpart;
pub mod hub_server;
