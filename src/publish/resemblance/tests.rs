use super::*;

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut noise = vec![0; length];
    fastrand::Rng::with_seed(seed).fill(&mut noise);
    noise
}

fn pair(path: &str, before: u64, now: u64) -> Pair {
    Pair { path: path.into(), before, now, on_disk: PathBuf::new() }
}

#[test]
fn a_window_is_found_near_where_it_stood_from_either_end() {
    let dir = tempfile::tempdir().expect("a folder");
    let before = noise(1, 2_000_000);
    let on_disk = dir.path().join("w.bin");
    let found = |now: &[u8]| -> Vec<Window> {
        std::fs::write(&on_disk, now).expect("writable");
        let pair = pair("w.bin", before.len() as u64, now.len() as u64);
        let pair = Pair { on_disk: on_disk.clone(), ..pair };
        let look = |(pair, at): (&Pair, u64)| {
            let begin = usize::try_from(at).expect("small");
            let window = Bytes::copy_from_slice(&before[begin..begin + WINDOW]);
            pair.look_for(&window, at).expect("readable")
        };
        windows(&[pair], 4).into_iter().map(look).collect()
    };
    let (all, none) = ([Window::Found; 4], [Window::Other; 4]);
    let joined = |parts: &[&[u8]]| parts.concat();
    let far = noise(2, 700_000);
    assert_eq!(found(&joined(&[&far, &before])), all, "all that changed lies before");
    assert_eq!(found(&joined(&[&before, &far])), all, "all that changed lies behind");
    // As a tensor more in safetensors: the table grew, and its bytes came in at the end.
    assert_eq!(found(&joined(&[&far[..80], &before, &far])), all, "both, a little before");
    assert_eq!(found(&noise(3, 2_000_000)), none);
    assert_eq!(found(&noise(4, 30_000)), none);
    assert_eq!(found(&[]), none);
    let half = joined(&[&noise(5, 1_000_000), &before[1_000_000..]]);
    assert_eq!(found(&half), [Window::Other, Window::Other, Window::Found, Window::Found]);
}

#[test]
fn what_is_no_file_any_more_or_another_decides_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let pipe = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let shorter = dir.path().join("shorter");
    std::fs::write(&shorter, "short").expect("writable");
    let window = Bytes::from(noise(1, WINDOW));
    for on_disk in [pipe, shorter, dir.path().join("gone")] {
        let pair = Pair { on_disk, ..pair("w.bin", 100_000, 100_000) };
        pair.look_for(&window, 0).expect_err("nothing to look at");
    }
}

#[test]
fn shards_are_one_set_and_small_ones_are_left_alone() {
    let shards = (1..=3).map(|number| pair(&format!("m-{number}-of-3.bin"), WORTH, WORTH));
    let others = [pair("tokenizer.json", 9000, WORTH - 1), pair("big.bin", 9000, 4 * WORTH)];
    let sets = sets(shards.chain(others));
    let names = |set: &Vec<Pair>| set.iter().map(|pair| pair.path.clone()).collect::<Vec<_>>();
    assert_eq!(
        sets.iter().map(names).collect::<Vec<_>>(),
        [vec!["big.bin"], vec!["m-1-of-3.bin", "m-2-of-3.bin", "m-3-of-3.bin"]]
    );
}

#[test]
fn windows_are_spread_over_all_bytes_of_a_set() {
    let window = WINDOW as u64;
    let set = [pair("a", 100 + window, 9), pair("b", 1 + window, 9), pair("c", 300 + window, 9)];
    let places: Vec<_> = windows(&set, 4).into_iter().map(|(pair, at)| (&*pair.path, at)).collect();
    assert_eq!(places, [("a", 50), ("c", 49), ("c", 149), ("c", 249)]);
    let huge = [pair("a", u64::MAX, u64::MAX), pair("b", u64::MAX, u64::MAX)];
    let of_b = windows(&huge, 32).into_iter().filter(|(pair, _)| pair.path == "b");
    assert_eq!(of_b.count(), 16);
}

#[test]
fn a_quarter_of_the_new_bytes_is_enough() {
    let same = Sizes { before: 1000, now: 1000 };
    let grown = Sizes { before: 1000, now: 10_000 };
    let shrunk = Sizes { before: 10_000, now: 1000 };
    for (found, other, sizes, anew) in [
        (0, 32, same, Some(true)),
        (7, 25, same, Some(true)),
        (8, 24, same, Some(false)),
        // The look ended there.
        (8, 0, same, Some(false)),
        (0, 16, same, Some(true)),
        // Too few came.
        (0, 15, same, None),
        (7, 8, same, None),
        (32, 0, grown, Some(true)),
        (1, 31, shrunk, Some(false)),
        (0, 32, shrunk, Some(true)),
    ] {
        let tally = Tally { found, other };
        assert_eq!(tally.anew(32, sizes), anew, "{tally:?} {sizes:?}");
        let clear = tally.is_clear(32, sizes);
        assert!(!clear || anew.is_some(), "{tally:?} {sizes:?}");
    }
    assert!(Tally { found: 8, other: 0 }.is_clear(32, same));
    assert!(Tally { found: 0, other: 16 }.is_clear(32, same));
    assert!(!Tally { found: 1, other: 16 }.is_clear(32, same));
}

#[test]
fn gaps_count_where_they_are_the_same() {
    let dir = tempfile::tempdir().expect("a folder");
    let on_disk = dir.path().join("w.bin");
    std::fs::write(&on_disk, [noise(1, 100_000), vec![0; 100_000]].concat()).expect("writable");
    let pair = Pair { on_disk, ..pair("w.bin", 200_000, 200_000) };
    let blank = Bytes::from(vec![0; WINDOW]);
    for (at, window) in [(150_000, Window::Found), (50_000, Window::Other)] {
        assert_eq!(pair.look_for(&blank, at).expect("readable"), window, "{at}");
    }
}

#[test]
fn a_number_repeated_is_blank() {
    for (unit, blank) in [
        (&[0][..], true),
        (&1f32.to_le_bytes(), true),
        (&1f64.to_le_bytes(), true),
        (&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], false),
    ] {
        assert_eq!(is_blank(&unit.repeat(WINDOW / unit.len())), blank, "{unit:?}");
    }
    assert!(!is_blank(&noise(1, WINDOW)));
    assert!(is_blank(&[]) && is_blank(&[7]));
}
