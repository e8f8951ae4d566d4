//! argv and environment → mode → exit code, nothing else.

fn main() {}
