//! Whatever goes wrong at whatever moment of a release, the Hub has all of a version or nothing of it,
//! and the next run finishes what the last one began.

mod fault;
mod matrix;
mod races;
mod resume;
mod setting;
mod spared;
mod truth;
mod waits;

/// A measurement, for whoever runs with `--nocapture`.
#[expect(clippy::print_stderr, reason = "tests print what they measure")]
fn tell(text: &str) {
    eprintln!("{text}");
}
