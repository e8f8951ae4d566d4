//! The release record (`weighbridge.json`).
