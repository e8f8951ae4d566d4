//! Where a token comes from.
