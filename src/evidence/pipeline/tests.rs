use super::*;
use crate::policy;

/// The project that DVC made, in a folder of its own.
fn project() -> tempfile::TempDir {
    let from =
        std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/dvc-project"));
    let folder = tempfile::tempdir().expect("a folder");
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("readable");
        let to = folder.path().join(entry.path().strip_prefix(from).expect("below"));
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(to).expect("writable");
        } else {
            std::fs::copy(entry.path(), to).expect("writable");
        }
    }
    folder
}

fn read(folder: &std::path::Path, shown: &str, more: &str) -> crate::evidence::Evidence {
    let text = format!("model: {{name: churn, owner: acme, path: model}}\n{more}");
    let policy = policy::parse("weighbridge.yml", &text, &[]).expect("valid");
    crate::evidence::gather(folder, shown, &policy.models[0])
}

fn shown(pin: &Pin) -> String {
    let md5 = pin.md5_as_written().unwrap_or_else(|| "-".into());
    format!("{} {} {:?} {}", pin.path, &md5[..md5.len().min(6)], pin.reach, pin.at)
}

#[test]
fn what_dvc_wrote_is_read() {
    let folder = project();
    let pipeline = read(folder.path(), "", "").pipeline;
    assert!(pipeline.unreadable.is_empty(), "{:?}", pipeline.unreadable);
    let stages: Vec<_> =
        pipeline.stages.iter().map(|stage| format!("{} at {}", stage.name, stage.at)).collect();
    assert_eq!(stages, ["train at dvc.lock:3:3", "evaluate at dvc.lock:33:3"]);
    let train = &pipeline.stages[0];
    assert_eq!(
        train.deps.iter().map(shown).collect::<Vec<_>>(),
        [
            "data/images fdfe68 Elsewhere dvc.lock:8:7",
            "data/train.csv e5ebd4 Elsewhere dvc.lock:13:7",
            "pipe/train.py 3ebd7f Elsewhere dvc.lock:17:7",
        ],
        "paths are relative to the stage's wdir"
    );
    assert_eq!(
        train.outs.iter().map(shown).collect::<Vec<_>>(),
        [
            "model/config.json 63c05e Inside(\"config.json\") dvc.lock:26:7",
            "model/weights 59294e Inside(\"weights\") dvc.lock:30:7",
        ]
    );
    let params = [("params.yaml:depth", "4"), ("params.yaml:name", "first")];
    assert_eq!(train.params, params.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let pins: Vec<_> = pipeline.pins.iter().map(shown).collect();
    assert_eq!(
        pins,
        [
            "data/images fdfe68 Elsewhere data/images.dvc:2:3",
            "data/train.csv e5ebd4 Elsewhere data/train.csv.dvc:2:3"
        ]
    );
    assert_eq!(pipeline.metrics, ["eval/metrics.json"]);
    let pinned = pipeline.pinned();
    assert!(pinned.holds("weights/a.json") && pinned.holds("config.json"));
    assert!(!pinned.holds("LICENSE") && !pinned.holds("weights2"));
}

#[test]
fn a_policy_below_the_project_sees_it_from_there() {
    let folder = project();
    let below = folder.path().join("pipe");
    let text = "model: {name: churn, owner: acme, path: ../model}";
    // A path that leads out of the policy's folder is for the policy to refuse; the search is not.
    assert!(policy::parse("weighbridge.yml", text, &[]).is_err());
    let pipeline = read(&below, "pipe", "").pipeline;
    assert_eq!(pipeline.stages.len(), 2);
    assert_eq!(pipeline.stages[0].outs[0].path, "model/config.json");
    assert_eq!(pipeline.metrics, ["../eval/metrics.json"]);
}

#[test]
fn the_stages_behind_the_model_and_their_inputs() {
    let folder = project();
    let pipeline = read(folder.path(), "", "").pipeline;
    let names = |evidence: &[&str]| {
        let stages = pipeline.behind(&evidence.iter().copied().collect());
        let inputs: Vec<_> =
            pipeline.inputs(&stages).into_iter().map(|pin| pin.at.to_string()).collect();
        (stages.iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>(), inputs)
    };
    let (stages, inputs) = names(&[]);
    assert_eq!(stages, ["train"], "nothing of evaluate is published");
    assert_eq!(inputs, ["data/images.dvc:2:3", "data/train.csv.dvc:2:3", "dvc.lock:17:7"]);
    assert_eq!(names(&["eval/metrics.json"]).0, ["train", "evaluate"]);
}

#[test]
fn a_benchmark_without_a_file_finds_the_metrics_of_dvc() {
    let folder = project();
    let asked = "gates: {benchmarks: [{metric: accuracy, min: 0.9}]}";
    let evidence = read(folder.path(), "", asked);
    let metric = &evidence.metrics[0];
    assert_eq!((metric.file.as_str(), metric.at.line), ("eval/metrics.json", Some(1)));
    assert_eq!(evidence.pipeline.evidence.len(), 1, "it is pinned");
    // Two that have it are told apart by nobody.
    std::fs::write(folder.path().join("metrics.json"), "{\"accuracy\": 0.7}").expect("writable");
    let evidence = read(folder.path(), "", asked);
    assert_eq!(
        evidence.metrics[0].value,
        crate::evidence::MetricValue::Missing(
            "2 files that `dvc.yaml` names have accuracy: narrow `file` to one of \
             `eval/metrics.json`, `metrics.json`"
                .into()
        )
    );
    let named = "gates: {benchmarks: [{metric: accuracy, file: metrics.json, min: 0.9}]}";
    assert_eq!(read(folder.path(), "", named).metrics[0].file, "metrics.json");
}

#[test]
fn shapes_of_all_versions_and_none() {
    let md5 = "63f4f1e9b725370f459720575cd5f953";
    for (name, text, pins) in [
        ("dvc.lock", format!("train:\n  outs:\n  - {{path: model/m, md5: {md5}}}\n"), 1),
        (
            "dvc.lock",
            format!(
                "schema: '2.0'\nstages:\n  a@1:\n    outs: [{{path: model/m, md5: {md5}, hash: md5}}]\n"
            ),
            1,
        ),
        ("model/m.dvc", format!("wdir: ..\nouts: [{{path: model/m, md5: {md5}}}]\n"), 1),
        ("m.dvc", "outs: [{path: 's3://ada:secret@bucket/m?sig=x', etag: abc}]\n".into(), 1),
        ("m.dvc", "outs: [{md5: 12}, 3, {path: 7}]\n".into(), 0),
        ("m.dvc", "outs: no\n".into(), 0),
        ("dvc.lock", "stages: {a: {outs: {path: b}}, b: 3}\n".into(), 0),
        ("dvc.lock", "- 1\n".into(), 0),
        ("dvc.lock", "<<<<<<< HEAD\nstages:\n=======\n".into(), 0),
        ("dvc.lock", String::new(), 0),
        ("dvc.yaml", "stages: [a]\nmetrics: {a: b}\n".into(), 0),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("model")).expect("writable");
        std::fs::write(folder.path().join(name), &text).expect("writable");
        let pipeline = read(folder.path(), "", "").pipeline;
        assert_eq!(pipeline.all().count(), pins, "{name}: {text}");
        let broken = text.is_empty() || text.starts_with(['<', '-']);
        assert_eq!(pipeline.unreadable.len(), usize::from(broken), "{name}: {text}");
        for (pin, _) in pipeline.all().filter(|(pin, _)| pin.path.contains("model")) {
            assert_eq!(pin.reach, Reach::Inside("m".into()), "{text}");
        }
        let all: String = pipeline.all().map(|(pin, _)| pin.path.clone()).collect();
        assert!(!all.contains("secret") && !all.contains("sig"), "{all}");
    }
}

#[test]
fn of_parameters_only_what_cannot_be_a_secret_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let lock = concat!(
        "schema: '2.0'\nstages:\n  train:\n    params:\n      params.yaml:\n        \
                wandb_api: 0123456789abcdef0123456789abcdef01234567\n        \
                hf_auth: hf",
        "_abcdefghijklmnopqrstuvwxyz0123456789\n        \
                db: postgres://user:pw@host/db\n        db_password: 123456\n        \
                out: /home/ada lovelace/secret-project/x\n        \
                note: see /home/ada lovelace/secret/x\n        \
                lr: 0.1\n        shuffle: true\n        optimizer: adamw_torch\n"
    );
    std::fs::write(folder.path().join("dvc.lock"), lock).expect("writable");
    let pipeline = read(folder.path(), "", "").pipeline;
    let shown: Vec<_> =
        pipeline.stages[0].params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        shown,
        ["params.yaml:lr=0.1", "params.yaml:shuffle=true", "params.yaml:optimizer=adamw_torch"]
    );
}

#[test]
fn paths_around_and_below() {
    let known = ["a", "a/b", "a/bc", "a-b", "", "../a", "/x", "s3://b/c"];
    let paths = Paths::of(known.map(|path| (path, ())));
    for (path, found) in [
        ("a/b/c", vec!["", "a", "a/b"]),
        ("a", vec!["", "a", "a/b", "a/bc"]),
        ("..", vec!["../a"]),
        ("../a", vec!["../a"]),
        ("s3://b", vec!["", "s3://b/c"]),
    ] {
        let overlap = |known: &&str| below(known, path).is_some() || below(path, known).is_some();
        let mut expected: Vec<_> = known.into_iter().filter(overlap).collect();
        expected.sort_unstable();
        let mut overlapping: Vec<_> = paths.overlapping(path).collect();
        overlapping.sort_unstable();
        assert_eq!(overlapping, expected, "{path}");
        assert_eq!(overlapping, found, "{path}");
    }
}

/// Each stage reads what the one before wrote, and the folder of all.
#[test]
fn very_many_stages_take_no_time_and_have_an_end() {
    let started = std::time::Instant::now();
    let pin = |path: String| Pin {
        path,
        md5: None,
        is_folder: false,
        is_legacy: false,
        size: None,
        from: None,
        at: Location::release(),
        reach: Reach::Elsewhere,
    };
    let stage = |number: usize| {
        let mut out = pin(format!("data/{number}"));
        if number == 30_000 {
            out.reach = Reach::Inside(String::new());
        }
        let deps = vec![pin(format!("data/{}", number - 1)), pin("data".into())];
        let name = number.to_string();
        Stage { name, at: Location::release(), deps, outs: vec![out], params: Vec::new() }
    };
    let pipeline = Pipeline { stages: (1..=30_000).map(stage).collect(), ..Pipeline::default() };
    let stages = pipeline.behind(&BTreeSet::new());
    assert_eq!(stages.len(), 30_000);
    assert_eq!(pipeline.inputs(&stages).len(), 1, "`data/0`");
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());

    let folder = tempfile::tempdir().expect("a folder");
    let pins = format!("outs:\n{}", "- {path: a}\n".repeat(10_000));
    for number in 0..11 {
        let path = folder.path().join(format!("{number}.dvc"));
        std::fs::write(path, &pins).expect("writable");
    }
    let pipeline = read(folder.path(), "", "").pipeline;
    assert_eq!((pipeline.pins.len(), pipeline.unreadable.len()), (100_000, 1));
    assert!(pipeline.unreadable[0].why.contains("more than 100000"), "{:?}", pipeline.unreadable);
}
