//! Plan (pure) → execute → verify.
