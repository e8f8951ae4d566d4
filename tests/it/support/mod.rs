//! Shared by the behaviour tests.

pub(crate) mod action;
pub(crate) mod counterpart;
pub(crate) mod front;
pub(crate) mod hub_server;
pub(crate) mod standing_hub;
pub(crate) mod workspace;
