use super::*;

/// A token as the Hub makes them; in pieces, so that this file is no finding.
fn token() -> String {
    ["hf", "_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3f"].concat()
}

fn searched(files: &[(&str, Vec<u8>)]) -> Leaks {
    searched_within(files, MOST_IN_ALL)
}

fn searched_within(files: &[(&str, Vec<u8>)], most: u64) -> Leaks {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("there");
    let suspects = files.iter().map(|(name, bytes)| {
        let on_disk = root.join(name);
        std::fs::create_dir_all(on_disk.parent().expect("below")).expect("a folder");
        std::fs::write(&on_disk, bytes).expect("written");
        Suspect { on_disk, shown: (*name).to_owned() }
    });
    search_within(&root, &suspects.collect::<Vec<_>>(), most)
}

/// Where something was found.
fn places(leaks: &Leaks) -> Vec<String> {
    leaks.found.iter().map(|leak| leak.at.to_string()).collect()
}

#[test]
fn texts_of_every_kind_are_searched_and_binaries_for_tokens() {
    let token = token();
    let workflow = format!("steps:\n  - run: hf auth login --token {token}\n");
    let settings = format!("env:\n  HF_TOKEN: {token}\n");
    let wide: Vec<u8> =
        format!("\u{feff}$env:T = '{token}'\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin = [b"caf\xe9\n", token.as_bytes()].concat();
    let unmarked: Vec<u8> =
        format!("x {token}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let key = concat!("\0-----BEGIN PRIV", "ATE KEY-----");
    let leaks = searched(&[
        (".github/workflows/a.yml", workflow.into()),
        ("b.env", settings.into()),
        ("c.ps1", wide),
        ("d.txt", latin),
        ("e.bin", [b"\0", token.as_bytes()].concat()),
        ("e.gz", [b"\0\x01a_", token.as_bytes()].concat()),
        ("e.so", key.into()),
        ("e.txt", unmarked),
        ("f.md", "no secret: hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".into()),
    ]);
    let expected = [
        ".github/workflows/a.yml:2:32",
        "b.env:2:13",
        "c.ps1:1:11",
        "d.txt:2:1",
        "e.bin (byte 1)",
        "e.txt",
    ];
    assert_eq!(places(&leaks), expected);
    assert!(leaks.found.iter().all(|leak| !leak.what.contains(&token[3..])), "{leaks:?}");
    assert_eq!((leaks.texts, leaks.binaries, leaks.cut.len(), leaks.left), (5, 4, 0, 0));
}

#[test]
fn long_files_are_looked_at_in_their_beginning_and_said_to_be() {
    let most = usize::try_from(MOST_OF_ONE).expect("a small number");
    let early = [token().as_bytes(), b"\n", &vec![b' '; most]].concat();
    let late = [&vec![b' '; most], token().as_bytes()].concat();
    let binary = [&vec![0; most], token().as_bytes()].concat();
    let leaks = searched(&[("early.csv", early), ("late.bin", binary), ("late.csv", late)]);
    assert_eq!(places(&leaks), ["early.csv:1:1"]);
    assert_eq!(leaks.cut, ["early.csv", "late.bin", "late.csv"]);
}

#[test]
fn what_is_gone_or_leads_away_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let away = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(away.path(), token()).expect("written");
    let root = folder.path().canonicalize().expect("there");
    std::os::unix::fs::symlink(away.path(), root.join("link")).expect("a link");
    std::fs::create_dir(root.join("folder")).expect("a folder");
    let suspects = ["link", "folder", "gone"]
        .map(|name| Suspect { on_disk: root.join(name), shown: name.to_owned() });
    assert_eq!(search(&root, &suspects), Leaks::default());
}

#[test]
fn a_flood_is_cut_the_same_way_each_time() {
    let line = format!("{}\n", token());
    let files: Vec<_> = (0..200).map(|n| (format!("{n:03}.txt"), line.repeat(5))).collect();
    let files: Vec<_> =
        files.iter().map(|(name, text)| (name.as_str(), text.clone().into_bytes())).collect();
    let leaks = searched(&files);
    assert_eq!((leaks.found.len(), leaks.left), (MOST_FOUND, 200 - AT_ONCE));
    assert_eq!(leaks, searched(&files));
}

#[test]
fn binaries_leave_no_text_unread() {
    let names: Vec<_> = (0..3 * AT_ONCE).map(|n| format!("{n:03}")).collect();
    let files = |content: &dyn Fn(usize) -> Vec<u8>| -> Vec<(&str, Vec<u8>)> {
        names.iter().enumerate().map(|(n, name)| (name.as_str(), content(n))).collect()
    };
    let last = names.len() - 1;
    let secret = format!("{}\n", token()).into_bytes();
    // After a batch of binaries of 10 bytes each, too much of those was read, and of texts nothing.
    let most = 10 * AT_ONCE as u64;
    let pictures = files(&|n| if n == last { secret.clone() } else { vec![0; 10] });
    let leaks = searched_within(&pictures, most);
    assert_eq!((leaks.texts, leaks.binaries, leaks.left), (1, AT_ONCE, 2 * AT_ONCE - 1));
    assert_eq!(places(&leaks), [format!("{last:03}:1:1")]);
    // Too much of texts ends the search.
    let leaks = searched_within(&files(&|_| vec![b' '; 10]), most);
    assert_eq!((leaks.texts, leaks.left), (AT_ONCE, 2 * AT_ONCE));
}
