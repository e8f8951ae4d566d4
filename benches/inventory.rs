//! The single pass (hash, recognise, scan) against hashing alone, over 1 GiB of safetensors in 8
//! shards from a warm cache: `cargo bench --bench inventory [-- MiB]`.
//!
//! The two take turns, so that both see the same machine; the ratio of the medians is the result.

#![allow(clippy::print_stdout, reason = "the result is printed")]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use weighbridge::digest::{Digest, Hasher};
use weighbridge::inventory;

const SHARDS: usize = 8;
const TURNS: usize = 9;
const MIB: usize = 1024 * 1024;

fn main() {
    let mib: u32 = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(1024);
    let folder = tempfile::tempdir().expect("a temporary folder");
    for shard in 0..SHARDS {
        let size = mib as usize * MIB / SHARDS;
        write_shard(&folder.path().join(format!("model-{shard}.safetensors")), size);
    }
    let base = peak_memory();
    let mut weighing = vec![weigh(folder.path()).1];
    let memory = peak_memory();
    let mut hashing = vec![hash(folder.path()).1];
    for _ in 0..TURNS {
        let (weighed, time) = weigh(folder.path());
        weighing.push(time);
        let (hashed, time) = hash(folder.path());
        hashing.push(time);
        assert_eq!(weighed, hashed, "both read the same bytes");
    }
    let (weighing, hashing) = (median(weighing), median(hashing));
    let rate = |time: Duration| f64::from(mib) * 1.048_576 / time.as_secs_f64();
    println!("hashing alone     {:7.0} MB/s", rate(hashing));
    println!("the single pass   {:7.0} MB/s", rate(weighing));
    println!("ratio             {:7.3}", hashing.as_secs_f64() / weighing.as_secs_f64());
    println!("peak memory       {memory:7.1} MiB ({base:.1} before)");
}

/// A valid shard: one tensor of bytes that do not repeat.
fn write_shard(path: &Path, size: usize) {
    let header = format!(
        "{{\"weight\":{{\"dtype\":\"U8\",\"shape\":[{size}],\"data_offsets\":[0,{size}]}}}}"
    );
    let mut file = File::create(path).expect("writable");
    file.write_all(&(header.len() as u64).to_le_bytes()).expect("writable");
    file.write_all(header.as_bytes()).expect("writable");
    let mut piece = vec![0; MIB];
    for _ in 0..size / MIB {
        fastrand::fill(&mut piece);
        file.write_all(&piece).expect("writable");
    }
}

fn weigh(folder: &Path) -> (Vec<Digest>, Duration) {
    let start = Instant::now();
    let inventory = inventory::take(folder, "model", &[], &[], &|_| {}).expect("readable");
    let time = start.elapsed();
    (inventory.files.iter().map(|file| file.sha256).collect(), time)
}

fn hash(folder: &Path) -> (Vec<Digest>, Duration) {
    let start = Instant::now();
    let digests = (0..SHARDS).into_par_iter().map(|shard| {
        let mut file =
            File::open(folder.join(format!("model-{shard}.safetensors"))).expect("readable");
        let (mut hasher, mut buffer) = (Hasher::default(), vec![0; MIB]);
        loop {
            match file.read(&mut buffer).expect("readable") {
                0 => return hasher.finish(),
                count => hasher.update(&buffer[..count]),
            }
        }
    });
    let digests = digests.collect();
    (digests, start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The most this process ever held, in MiB; 0 where the system does not say.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
