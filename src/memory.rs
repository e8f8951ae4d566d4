//! This process's memory and environment, where tokens are, are for nobody else.

/// Asks the system to let no other process of the same user read our memory and environment in `/proc`,
/// and to write no core file (prctl(2), `PR_SET_DUMPABLE`). Programs that we start are not bound by it.
pub(crate) fn keep_to_ourselves() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // It fails only for values that the kernel does not know.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
