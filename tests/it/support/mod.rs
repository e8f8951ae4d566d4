//! Shared by the behaviour tests.

pub mod action;
pub mod counterpart;
