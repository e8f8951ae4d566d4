//! argv and environment → mode → exit code, nothing else.

use std::process::ExitCode;

use weighbridge::context::Environment;

// musl's own allocator makes header-heavy files and the Xet transfer two to three times slower.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    weighbridge::modes::run(std::env::args_os(), &Environment::of_process()).into()
}
