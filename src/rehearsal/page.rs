use axum::response::Response; use super::answer::Answer;
pub(super) async fn all() -> Answer<Response> { Err(super::answer::Refusal::not_found()) }
pub(super) async fn repository() -> Answer<Response> { Err(super::answer::Refusal::not_found()) }
pub(super) async fn at_revision() -> Answer<Response> { Err(super::answer::Refusal::not_found()) }
