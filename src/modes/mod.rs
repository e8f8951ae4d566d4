//! One short file per mode.
