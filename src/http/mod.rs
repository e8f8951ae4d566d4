//! The one HTTP client: time-outs, retries, error context, secrets.

mod secret;

pub use secret::Secret;
