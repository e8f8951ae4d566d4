//! Parts of a real folder, written and read again.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::inventory::{self, Artifact, Inventory, Place, take_asked, take_share};
use crate::policy::Pattern;
use crate::scan::testing;

/// A folder with a file for every way in which one can be told of.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, bytes: &[u8]| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("below")).expect("made");
        std::fs::write(path, bytes).expect("written");
    };
    write("model.safetensors", &testing::safetensors(&[("a", &[2, 3]), ("b", &[7])], 0));
    write(
        "odd.pt",
        &testing::zip(&[("a/data.pkl", b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R.")], true),
    );
    write("code.py", b"import os\nos.system('ls')\n");
    write("config.json", b"{\"model_type\": \"bert\", \"id2label\": {\"0\": \"a\"}}\n");
    write("LICENSE", b"Apache License\n");
    write("bin/logo.png", b"\x89PNG\r\n\x1a\n....");
    write("empty", b"");
    write("text-\u{e9}.txt", b"a line\n");
    write("README.md", b"# By hand\n");
    write("weighbridge-history.svg", b"<svg/>");
    write("left/out.tmp", b"x");
    let large = std::fs::File::create(folder.path().join("large.bin")).expect("made");
    large.set_len(INLINE + 1).expect("sparse");
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("bad-link")).expect("a link");
    std::os::unix::fs::symlink("config.json", folder.path().join("link.json")).expect("a link");
    std::fs::write(folder.path().join("a\nb"), "x").expect("written");
    folder
}

const INLINE: u64 = inventory::INLINE_LIMIT;

fn exclude() -> Vec<Pattern> {
    let text = "model: {name: churn, owner: o, exclude: [\"*.tmp\", \"left/**\"]}\n";
    crate::policy::parse("p", text, &[]).expect("valid").models[0].exclude.clone()
}

fn asked() -> inventory::Asked<'static> {
    inventory::Asked { pinned: &pinned, sealed: false }
}

fn pinned(path: &str) -> bool {
    path == "code.py"
}

fn binding() -> Binding {
    Binding {
        weighbridge: "0.1.0".into(),
        model: "churn".into(),
        tag: "v1.0.0".into(),
        version: "1.0.0".into(),
        repo: "acme/churn".into(),
        revision: "main".into(),
        commit: Some("c0ffee".into()),
        run: None,
        policy: Digest::of(b"policy"),
    }
}

/// Stages all shares of a folder; their digests.
fn stage(folder: &Path, reports: &Path, of: u16) -> Vec<Digest> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let shards = (1..=of).filter_map(|number| Shard::new(number, of));
    let digests = shards.map(|shard| {
        let share = take_share(folder, "m", &[], &exclude(), shard, &asked(), &|_| {});
        let share = share.expect("weighed");
        let small: Vec<_> = share.inventory.files.iter().filter_map(small).collect();
        let written = runtime.block_on(write(reports, shard, &binding(), &share, &small));
        written.expect("written").digest
    });
    digests.collect()
}

fn is_small(file: &Artifact) -> bool {
    file.path.as_str().ends_with("json") || file.size == 0
}

/// What the Hub would want in the commit.
fn small(file: &Artifact) -> Option<crate::hub::Blob> {
    let Place::OnDisk(on_disk) = file.place.clone() else { return None };
    let origin = crate::hub::Origin::Disk(on_disk);
    let is_small = is_small(file);
    let path = file.path.to_string();
    let (size, sha256, seals) = (file.size, file.sha256, file.seals.clone());
    let way = crate::hub::Way::Lfs;
    is_small.then_some(crate::hub::Blob { path, origin, size, sha256, seals, way })
}

fn merged(reports: &Path, digests: Option<&[Digest]>) -> Result<Inventory, PartsError> {
    let digests = digests.map(|digests| digests.iter().copied().collect());
    let expected = Expected { binding: binding(), digests };
    merge(reports, "parts", &expected, "root".into(), "m")
}

/// Everything but where the bytes are.
fn told(inventory: &Inventory) -> String {
    let mut inventory = inventory.clone();
    let mut tensors = Vec::new();
    for file in inventory.files.iter_mut().chain(&mut inventory.replaced) {
        file.place = Place::OnDisk("".into());
        tensors.push(json!(file.tensors.take()));
    }
    inventory.root = "root".into();
    format!("{inventory:#?}\n{tensors:#?}")
}

#[test]
fn parts_make_the_inventory_of_a_single_pass() {
    let folder = folder();
    let whole = take_asked(folder.path(), "m", &[], &exclude(), &asked(), &|_| {});
    let whole = whole.expect("weighed");
    assert_eq!((whole.files.len(), whole.replaced.len(), whole.unweighed.len()), (10, 2, 3));
    assert!(told(&whole).contains("unsafe") && told(&whole).contains("F32"), "{}", told(&whole));
    assert!(whole.get("code.py").is_some_and(|file| file.md5.is_some()));
    for of in [1, 2, 3, 8, 20] {
        let reports = tempfile::tempdir().expect("a folder");
        let digests = stage(folder.path(), reports.path(), of);
        let inventory = merged(reports.path(), Some(&digests)).expect("parts of one release");
        assert_eq!(told(&inventory), told(&whole), "{of} shares");
        assert_eq!(inventory.manifest_digest(), whole.manifest_digest());
        for file in &inventory.files {
            let Place::Staged(staged) = &file.place else { panic!("{} is here", file.path) };
            let original = std::fs::read(folder.path().join(file.path.as_str())).expect("a file");
            let kept = staged.kept.as_ref().map(|kept| std::fs::read(kept).expect("kept"));
            assert_eq!(kept.is_some(), is_small(file));
            assert!(kept.is_none_or(|kept| kept == original), "{}", file.path);
        }
        // The same digests again: nothing of the job or the moment is in a part.
        let again = tempfile::tempdir().expect("a folder");
        assert_eq!(stage(folder.path(), again.path(), of), digests);
    }
}

#[test]
fn artifacts_may_be_downloaded_into_one_folder() {
    let folder = folder();
    let reports = tempfile::tempdir().expect("a folder");
    stage(folder.path(), reports.path(), 2);
    let flat = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(flat.path().join("files")).expect("made");
    for part in ["weighbridge-part-1-of-2", "weighbridge-part-2-of-2"] {
        let part = reports.path().join(part);
        for (from, to) in [
            (part.clone(), flat.path().to_owned()),
            (part.join("files"), flat.path().join("files")),
        ] {
            for entry in std::fs::read_dir(from).expect("a folder") {
                let entry = entry.expect("an entry");
                if entry.path().is_file() {
                    std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
                }
            }
        }
    }
    let (one, other) = (merged(reports.path(), None), merged(flat.path(), None));
    assert_eq!(told(&one.expect("parts")), told(&other.expect("parts")));
}

/// Where the report of a share lies.
fn report(reports: &Path, number: u16, of: u16) -> std::path::PathBuf {
    let name = format!("weighbridge-part-{number}-of-{of}");
    reports.join(&name).join(format!("{name}.json"))
}

/// Changes a part, and seals it again as its job would have.
fn forge(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut sealed: Value =
        serde_json::from_slice(&std::fs::read(path).expect("a part")).expect("JSON");
    change(&mut sealed["part"]);
    sealed["digest"] = json!(Digest::of(sealed["part"].to_string().as_bytes()));
    std::fs::write(path, sealed.to_string()).expect("written");
}

/// The entry of a file, in whichever part it is.
fn forge_file(reports: &Path, file: &str, change: impl FnOnce(&mut Value)) {
    let with = |number: &u16| {
        let text = std::fs::read_to_string(report(reports, *number, 3)).expect("a part");
        text.contains(&format!("\"path\":\"{file}\""))
    };
    let number = (1..=3).find(with).expect("one of the shares");
    forge(&report(reports, number, 3), |part| {
        let files = part["files"].as_array_mut().expect("files");
        change(files.iter_mut().find(|one| one["path"] == file).expect("the file"));
    });
}

type Spoil = fn(&Path);

/// What becomes of one of three parts, and what is said of it.
const SPOILED: [(&str, Spoil, &str); 30] = [
    (
        "a missing part",
        |at| std::fs::remove_file(report(at, 2, 3)).expect("there"),
        "of the 3 shares, 2/3 did not come",
    ),
    (
        "a doubled part",
        |at| {
            std::fs::create_dir(at.join("again")).expect("made");
            let copy = at.join("again/weighbridge-part-2-of-3.json");
            std::fs::copy(report(at, 2, 3), copy).expect("copied");
        },
        "the share 2/3 came twice: `again/weighbridge-part-2-of-3.json`",
    ),
    (
        "another tag",
        |at| forge(&report(at, 2, 3), |part| part["release"]["tag"] = json!("v0.9.0")),
        "its tag is `v0.9.0`, and that of this one `v1.0.0`",
    ),
    (
        "another commit",
        |at| forge(&report(at, 2, 3), |part| part["release"]["commit"] = json!("beef")),
        "its source commit is `beef`",
    ),
    (
        "another run",
        |at| forge(&report(at, 2, 3), |part| part["release"]["run"] = json!("https://x/7")),
        "its run is `https://x/7`, and that of this one `none`",
    ),
    (
        "another policy",
        |at| {
            forge(&report(at, 2, 3), |part| {
                part["release"]["policy"] = json!(Digest::of(b"other"));
            });
        },
        "its policy file is",
    ),
    (
        "another target",
        |at| forge(&report(at, 2, 3), |part| part["release"]["repo"] = json!("eve/churn")),
        "its repository on the Hub is `eve/churn`",
    ),
    (
        "another weighbridge",
        |at| forge(&report(at, 2, 3), |part| part["release"]["weighbridge"] = json!("9.9.9")),
        "its version of weighbridge is `9.9.9`",
    ),
    (
        "another number of shares",
        |at| forge(&report(at, 2, 3), |part| part["of"] = json!(4)),
        "its number of shares is `4`",
    ),
    (
        "a number that is none",
        |at| forge(&report(at, 2, 3), |part| part["shard"] = json!(0)),
        "it is 0/3",
    ),
    (
        "another folder",
        |at| forge(&report(at, 2, 3), |part| part["listing"] = json!(Digest::of(b"x"))),
        "saw another folder than",
    ),
    (
        "a changed byte",
        |at| {
            let text = std::fs::read_to_string(report(at, 1, 3)).expect("a part");
            std::fs::write(report(at, 1, 3), text.replacen("\"size\":", "\"size\":1", 1))
                .expect("written");
        },
        "`weighbridge-part-1-of-3/weighbridge-part-1-of-3.json` was altered: its content has another digest",
    ),
    (
        "a file less",
        |at| forge_file_away(at),
        "together the parts are not the folder that each of them saw",
    ),
    (
        "another size",
        |at| forge_file(at, "large.bin", |file| file["size"] = json!(INLINE + 2)),
        "together the parts are not",
    ),
    ("a file of another share", swap, "is not of the share"),
    ("a file twice", twice, "`empty` came twice"),
    (
        "another text",
        |at| forge_file(at, "config.json", |file| file["text"] = json!("{}")),
        "the text of `config.json` cannot be",
    ),
    (
        "a format of its own",
        |at| forge_file(at, "config.json", |file| file["format"] = json!("nothing")),
        "the format of `config.json` cannot be",
    ),
    (
        "a rule of its own",
        |at| forge_file(at, "odd.pt", |file| file["detections"][0]["rule"] = json!("fine")),
        "the rule of a detection of `odd.pt` cannot be",
    ),
    (
        "a sample that is too long",
        |at| forge_file(at, "empty", |file| file["sample"] = json!("AAAA")),
        "the beginning of `empty` cannot be",
    ),
    (
        "a git id that is none",
        |at| forge_file(at, "empty", |file| file["git_oid"] = json!("x")),
        "the git id of `empty` cannot be",
    ),
    (
        "a path that leaves",
        |at| forge_file(at, "empty", |file| file["path"] = json!("../empty")),
        "which cannot be published",
    ),
    (
        "a path that forges",
        |at| forge_file(at, "empty", |file| file["path"] = json!("a\n::error::x")),
        "control character",
    ),
    (
        "a wrong type",
        |at| forge(&report(at, 2, 3), |part| part["files"] = json!({})),
        "is no part that this version reads: invalid type",
    ),
    (
        "another field",
        |at| forge(&report(at, 2, 3), |part| part["more"] = json!(1)),
        "unknown field `more`",
    ),
    (
        "another schema",
        |at| forge(&report(at, 2, 3), |part| part["schema"] = json!("weighbridge-part/2")),
        "not `weighbridge-part/1`",
    ),
    (
        "garbage",
        |at| std::fs::write(report(at, 2, 3), b"\xff\xfe\0").expect("written"),
        "is no part that this version reads",
    ),
    (
        "nesting",
        |at| std::fs::write(report(at, 2, 3), "[".repeat(1 << 20)).expect("written"),
        "is no part that this version reads",
    ),
    (
        "too much",
        |at| {
            let file = std::fs::File::create(report(at, 2, 3)).expect("made");
            file.set_len(1 << 40).expect("sparse");
        },
        "with it all parts have more than 128 MB",
    ),
    (
        "content that went",
        |at| {
            for number in 1..=3 {
                let files = report(at, number, 3).with_file_name("files");
                std::fs::remove_dir_all(files).expect("there");
            }
        },
        "is not beside it",
    ),
];

#[test]
fn what_is_missing_doubled_foreign_or_altered_is_refused_by_its_name() {
    let folder = folder();
    for (what, spoil, says) in SPOILED {
        let reports = tempfile::tempdir().expect("a folder");
        stage(folder.path(), reports.path(), 3);
        spoil(reports.path());
        let error = merged(reports.path(), None).expect_err(what);
        assert!(error.to_string().contains(says), "{what}: {error}");
        assert!(error.fix().is_some_and(|fix| !fix.is_empty()), "{what}");
    }
}

fn forge_file_away(at: &Path) {
    forge(&report(at, 2, 3), |part| {
        part["files"].as_array_mut().expect("files").pop().expect("it has files");
    });
}

/// Exchanges a file of one share with one of another.
fn swap(at: &Path) {
    let mut taken = Value::Null;
    forge(&report(at, 1, 3), |part| taken = part["files"].as_array_mut().expect("files").remove(0));
    forge(&report(at, 2, 3), |part| part["files"].as_array_mut().expect("files").push(taken));
    // Its content, if it has one, lies beside the other now.
    for entry in std::fs::read_dir(report(at, 1, 3).with_file_name("files")).expect("files") {
        let entry = entry.expect("an entry");
        let to = report(at, 2, 3).with_file_name("files").join(entry.file_name());
        std::fs::copy(entry.path(), to).expect("copied");
    }
}

fn twice(at: &Path) {
    forge_file(at, "empty", |_| {});
    let all = (1..=3).map(|number| {
        let text = std::fs::read(report(at, number, 3)).expect("a part");
        serde_json::from_slice::<Value>(&text).expect("JSON")
    });
    let files = all.flat_map(|part| part["part"]["files"].as_array().expect("files").clone());
    let empty = files.into_iter().find(|file| file["path"] == "empty").expect("it is there");
    for number in 1..=3 {
        forge(&report(at, number, 3), |part| {
            let files = part["files"].as_array_mut().expect("files");
            if files.iter().all(|file| file["path"] != "empty") {
                let mut copy = empty.clone();
                copy.as_object_mut().expect("a file").shift_remove("kept");
                files.push(copy);
            }
        });
    }
}

#[test]
fn a_part_that_was_sealed_again_lacks_the_digest_that_its_job_gave_out() {
    let folder = folder();
    let reports = tempfile::tempdir().expect("a folder");
    let digests = stage(folder.path(), reports.path(), 3);
    // Where it belongs, and as its job might have written it: only the digest tells.
    forge_file(reports.path(), "code.py", |file| {
        file.as_object_mut().expect("a file").shift_remove("detections").expect("it has some");
    });
    merged(reports.path(), None).expect("nothing shows");
    let error = merged(reports.path(), Some(&digests)).expect_err("altered");
    assert!(error.to_string().contains("no stage job gave out its digest"), "{error}");
}

#[test]
fn digests_are_read_as_workflows_give_them() {
    let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
    let object = json!({"part-1": one, "part-2": two}).to_string();
    for text in [object, format!("{one} {two}"), format!("{one},\n {two}\n")] {
        assert_eq!(digests(&text).expect("digests"), [one, two].into(), "{text}");
    }
    for (text, says) in [
        (json!({"part-1": one, "part-2": ""}).to_string(), "`part-2`: `` is not a SHA-256"),
        ("{\"a\": 1}".into(), "invalid type"),
        ("sha256".into(), "`sha256` is not"),
    ] {
        let error = digests(&text).expect_err("no digests").to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn no_part_is_said_to_be_none() {
    let empty = tempfile::tempdir().expect("a folder");
    let error = merged(empty.path(), None).expect_err("empty").to_string();
    assert!(error.contains("there is no part"), "{error}");
    let error = merged(&empty.path().join("gone"), None).expect_err("gone").to_string();
    assert!(error.contains("cannot read `parts`"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn spoiled_bytes_are_refused_and_never_panic(
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 1..8),
        cut in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("config.json"), "{}").expect("written");
        std::fs::write(folder.path().join("a.py"), "import os\nos.system('x')\n").expect("written");
        let reports = tempfile::tempdir().expect("a folder");
        stage(folder.path(), reports.path(), 1);
        let path = report(reports.path(), 1, 1);
        let whole = std::fs::read(&path).expect("a part");
        let at = at.index(whole.len());
        let mut spoiled = whole[..at].to_vec();
        spoiled.extend(&bytes);
        if !cut {
            spoiled.extend(whole.iter().skip(at + bytes.len()));
        }
        std::fs::write(&path, &spoiled).expect("written");
        let read = merged(reports.path(), None);
        // Blanks may change nothing.
        prop_assert!(read.is_err() || spoiled.trim_ascii() == whole.trim_ascii());
    }
}
