//! Compute graphs.
