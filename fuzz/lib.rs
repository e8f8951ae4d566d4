//! What every fuzz target does with its bytes: scan them as a file of some name, and explain them.

use weighbridge::scan::{Stream, Subject, Window, explain, scan};

/// Scans bytes as a file, looked up and read in order, and once more as a stream alone.
pub fn look(name: &str, bytes: &[u8]) {
    let size = bytes.len() as u64;
    let window = Some(Window::new(&bytes, size));
    let mut reader = bytes;
    let mut stream = Stream::new(&mut reader);
    scan(&mut stream, &Subject { name, size: Some(size), window }).expect("memory does not fail");
    let mut reader = bytes;
    let mut stream = Stream::new(&mut reader);
    explain(&mut stream, &Subject { name, size: None, window: None })
        .expect("memory does not fail");
}

/// Scans bytes under one of several names, which the first byte chooses.
pub fn look_as_any(names: &[&str], bytes: &[u8]) {
    if let Some((choice, rest)) = bytes.split_first() {
        look(names[usize::from(*choice) % names.len()], rest);
    }
}
