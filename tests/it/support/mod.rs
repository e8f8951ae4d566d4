//! Shared by the behaviour tests.

<<<<<<< HEAD
pub(crate) mod action;
pub(crate) mod counterpart;
pub(crate) mod hub_server;
pub(crate) mod standing_hub;
pub(crate) mod workspace;
=======
pub mod counterpart;
pub(crate) mod hub_server;
>>>>>>> room/rehearsal
