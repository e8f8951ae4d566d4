//! Code that comes with a model and runs where it is loaded: Python, Jinja templates.

mod depth;
pub(super) mod jinja;
pub(super) mod python;
