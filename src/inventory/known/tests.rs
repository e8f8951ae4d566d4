use std::path::Path;

use proptest::prelude::*;

use super::*;

/// What a folder of these files says, as `name=value (file)`.
fn said(files: &[(&str, &[u8])]) -> Known {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, content) in files {
        std::fs::write(folder.path().join(path), content).expect("writable");
    }
    crate::inventory::take(folder.path(), "m", &[], &[], &|_| {}).expect("weighed").known()
}

fn sample(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(path);
    std::fs::read(path).expect("a sample")
}

fn lines(facts: &[Fact]) -> Vec<String> {
    facts.iter().map(|fact| format!("{}={}", fact.name, fact.value)).collect()
}

fn bases(known: &Known) -> Vec<String> {
    let shown = |base: &Base| {
        let relation = base.relation.map_or("?", Relation::as_str);
        format!("{} {relation} {} {}", base.id, base.file, base.is_stated)
    };
    known.bases.iter().map(shown).collect()
}

#[test]
fn the_files_of_real_tools_say_what_they_hold() {
    let model = "evidence/mlflow/file-store/108678704430194621/models/\
                 m-bee2294bff5f4cabbd2fc30356eb6dff/artifacts/MLmodel";
    // Sample, name in the folder, model, software, training.
    let table: [(&str, &str, &[&str], &[&str], &[&str]); 8] = [
        (
            "evidence/transformers-trainer/config.json",
            "config.json",
            &[
                "Architecture=BertForSequenceClassification",
                "Model type=bert",
                "Problem type=single_label_classification",
                "Data type=float32",
                "Context length=64",
                "Layers=1",
                "Hidden size=16",
                "Attention heads=2",
                "Vocabulary size=16",
                "Labels=2: NEG, POS",
            ],
            &["transformers=5.23.0"],
            &[],
        ),
        (
            "evidence/transformers-trainer/trainer_state.json",
            "trainer_state.json",
            &[],
            &[],
            &[
                "Epochs=2.0",
                "Steps=18",
                "Train batch size=8",
                "Best value of the watched metric=1.0",
                "Step of the best value=9",
                "Floating-point operations=8854272.0",
            ],
        ),
        (
            "artifacts/adapter_config.json",
            "adapter_config.json",
            &["Adapter=LORA", "Task of the adapter=SEQ_CLS"],
            &["peft=0.21.2"],
            &[
                "r=2",
                "lora_alpha=8",
                "lora_dropout=0.0",
                "target_modules=query, value",
                "modules_to_save=classifier, score",
                "bias=none",
                "use_dora=false",
                "use_rslora=false",
            ],
        ),
        (
            "artifacts/config_sentence_transformers.json",
            "config_sentence_transformers.json",
            &["Similarity=cosine"],
            &["pytorch=2.15.0+cu132", "sentence-transformers=6.2.0", "transformers=5.23.0"],
            &[],
        ),
        (
            "artifacts/tiny.gguf",
            "tiny.gguf",
            &[
                "Architecture=llama",
                "Context length=2048",
                "Layers=1",
                "Hidden size=16",
                "Vocabulary size=2",
                "Name in the file=tiny",
                "Version in the file=1.2.0",
                "Size=1M",
                "Fine-tune=chat",
                "Quantisation=F16",
            ],
            &[],
            &[],
        ),
        (model, "MLmodel", &[], &["mlflow=3.17.2", "python=3.11.7", "sklearn=1.9.1"], &[]),
        ("evidence/dvc/params.yaml", "params.yaml", &[], &[], &["train.seed=0", "train.C=1.0"]),
        ("evidence/dvclive/params.yaml", "params.yaml", &[], &[], &["lr=0.01"]),
    ];
    for (path, name, model, software, training) in table {
        let known = said(&[(name, &sample(path))]);
        assert_eq!(lines(&known.model), model, "{path}");
        assert_eq!(lines(&known.software), software, "{path}");
        assert_eq!(lines(&known.training), training, "{path}");
        let facts = known.model.iter().chain(&known.software).chain(&known.training);
        assert!(facts.into_iter().all(|fact| fact.file == name), "{path}");
    }
}

#[test]
fn settings_as_people_write_them() {
    for (name, content, expected) in [
        (
            "requirements.txt",
            "# loads it\ntorch==2.5.1+cu124\nscikit_learn>=1.4,<2 ; python_version > '3'\nrequests==1\n\
             transformers[torch] == 4.46\npeft==0.21 \\\n    --hash=sha256:0\n\
             timm==1.0 --hash=sha256:0\nxgboost @ git+https://u:p@h/x\nnumpy\n--hash=sha256:0\n",
            &[
                "torch=2.5.1+cu124",
                "scikit-learn=>=1.4,<2",
                "transformers=4.46",
                "peft=0.21",
                "timm=1.0",
            ][..],
        ),
        (
            "config.json",
            r#"{"sklearn": {"columns": ["age", "plan"], "environment": ["numpy=2.1", "skops==0.16", "x"]}}"#,
            &["Features=age, plan", "numpy=2.1", "skops=0.16"],
        ),
        (
            "config.json",
            r#"{"text_config": {"n_positions": 8192, "dtype": "bfloat16"}, "quantization": {"bits": 4}}"#,
            &["Data type=bfloat16", "Context length=8192", "Quantisation=4 bits"],
        ),
        (
            "model_index.json",
            r#"{"_class_name": "FluxPipeline", "_diffusers_version": "0.35.1"}"#,
            &["Pipeline=FluxPipeline", "diffusers=0.35.1"],
        ),
        (
            "meta.json",
            r#"{"spacy_version": ">=3.8.0,<3.9.0", "pipeline": ["tok2vec", "ner"]}"#,
            &["Pipeline=tok2vec, ner", "spacy=>=3.8.0,<3.9.0"],
        ),
        ("meta.json", r#"{"pipeline": ["of something else"]}"#, &[]),
        ("sentence_bert_config.json", r#"{"max_seq_length": 256}"#, &["Longest input=256"]),
        (
            "training_args.json",
            r#"{"learning_rate": 5e-05, "seed": 42, "output_dir": "/home/a/out", "hub_token": "hf_x"}"#,
            &["learning_rate=5e-05", "seed=42"],
        ),
        (
            "params.yaml",
            "lr: 1e-4\ndata: /mnt/corp/train.csv\ncache: ~/x\ntrack: https://u:p@h/\nlayers: [64, 32]\n\
             wandb_token: abc\nfiles: [/a, b]\nopt: {name: adam, nesterov: no}\nnone: null\n",
            &["lr=1e-4", "layers=64, 32", "opt.name=adam", "opt.nesterov=no"],
        ),
        (
            "params.yaml",
            "dir: C:/Users/ada/x\ncmd: train --path=/home/ada/secret\nhome: $HOME/x\nhf_token_value: abc\n\
             aws_key: AKIA\nauth: x\nheader: Bearer xyz\ndbpassword: x\npad_token_id: 0\ntokenizer: bert\n\
             num_key_value_heads: 8\nauthor: Ada\nmonkey: see\n",
            &[
                "pad_token_id=0",
                "tokenizer=bert",
                "num_key_value_heads=8",
                "author=Ada",
                "monkey=see",
            ],
        ),
    ] {
        let known = said(&[(name, content.as_bytes())]);
        let all = [known.model, known.software, known.training].concat();
        assert_eq!(lines(&all), expected, "{content}");
    }
}

#[test]
fn bases_are_ids_of_others_and_never_paths() {
    let trained: (&str, &[u8]) = ("trainer_state.json", b"{}");
    let config = |text: &'static str| ("config.json", text.as_bytes());
    let adapter = |text: &'static str| ("adapter_config.json", text.as_bytes());
    let merge =
        b"merge_method: slerp\nbase_model: a/one\nmodels:\n- model: a/one\n- model: b/two\n\
                  - model: ./out\nslices:\n- sources: [{model: c/three, layer_range: [0, 1]}]\n";
    for (files, expected) in [
        (
            vec![adapter(r#"{"base_model_name_or_path": "meta-llama/Llama-3.1-8B"}"#)],
            &["meta-llama/Llama-3.1-8B adapter adapter_config.json true"][..],
        ),
        (vec![config(r#"{"_name_or_path": "a/b"}"#)], &["a/b ? config.json false"]),
        (vec![config(r#"{"_name_or_path": "a/b"}"#), trained], &["a/b finetune config.json false"]),
        (
            vec![config(r#"{"_name_or_path": "a/b", "quantization_config": {}}"#), trained],
            &["a/b quantized config.json false"],
        ),
        (
            vec![("mergekit_config.yml", &merge[..])],
            &[
                "a/one merge mergekit_config.yml true",
                "b/two merge mergekit_config.yml true",
                "c/three merge mergekit_config.yml true",
            ],
        ),
        (vec![("tiny.gguf", &sample("artifacts/tiny.gguf"))], &["acme/base ? tiny.gguf true"]),
        (vec![("adapter_config.json", &sample("artifacts/adapter_config.json"))], &[]),
    ] {
        assert_eq!(bases(&said(&files)), expected);
    }
    for path in [
        "",
        "/home/x/y",
        "./a",
        "../a/b",
        "out",
        "models/llama",
        "runs/checkpoint-500",
        "a/b/c",
        "C:\\\\a",
    ] {
        let text = format!(r#"{{"base_model_name_or_path": "{path}", "_name_or_path": "{path}"}}"#);
        let known =
            said(&[("adapter_config.json", text.as_bytes()), ("config.json", text.as_bytes())]);
        assert_eq!(known, Known::default(), "{path}");
    }
}

#[test]
fn labels_are_many_wrong_or_nobodys() {
    let labels = |id2label: &str| {
        let config = format!("{{\"id2label\": {id2label}}}");
        lines(&said(&[("config.json", config.as_bytes())]).model)
    };
    let many: Vec<String> = (0..100_000).rev().map(|id| format!("\"{id}\": \"l{id}\"")).collect();
    let shown = labels(&format!("{{{}}}", many.join(",")));
    let first: Vec<String> = (0..20).map(|id| format!("l{id}")).collect();
    assert_eq!(shown, [format!("Labels=100000: {} and 99980 more", first.join(", "))]);
    let long = "x".repeat(1_000_000);
    assert_eq!(
        labels(&format!("{{\"0\": \"{long}\"}}")),
        [format!("Labels=1: {}", "x".repeat(40))]
    );
    assert_eq!(
        labels(r#"{"1": 5, "0": "a", "x": "b", "2": "/etc/passwd"}"#),
        ["Labels=3: a, ?, ?"]
    );
    assert_eq!(labels(r#"["no", "yes"]"#), ["Labels=2: no, yes"]);
    for nothing in [r#"{"0": "LABEL_0", "1": "LABEL_1"}"#, "{}", "[]", "7", "null", "\"a\""] {
        assert_eq!(labels(nothing), Vec::<String>::new(), "{nothing}");
    }
}

#[test]
fn what_is_no_fact_is_not_said() {
    for config in [
        "",
        "[",
        "[]",
        "7",
        r#"{"model_type": 7, "architectures": {"a": 1}, "vocab_size": "many", "hidden_size": -1}"#,
        r#"{"vocab_size": 1e300, "hidden_size": 1.5, "n_positions": NaN, "num_layers": 0}"#,
        r#"{"architectures": [["a"]], "model_type": "  ", "dtype": null, "text_config": 3}"#,
        r#"{"quantization_config": "gptq", "quantization": [1], "sklearn": {"environment": 5}}"#,
    ] {
        assert_eq!(said(&[("config.json", config.as_bytes())]), Known::default(), "{config}");
    }
    let deep = format!("{}1{}", "{\"a\":".repeat(150), "}".repeat(150));
    assert_eq!(said(&[("params.yaml", deep.as_bytes())]), Known::default());
    let wide: String = (0..5_000).map(|key| format!("key{key}: {}\n", "v".repeat(500))).collect();
    let known = said(&[("params.yaml", wide.as_bytes())]);
    assert_eq!(known.training.len(), MOST);
    assert!(known.training.iter().all(|fact| fact.value.chars().count() == 201));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_document_is_read_in_bounds(
        text in "(\\{|\\}|\\[|\\]|:|,|\"|\n|- |\"id2label\"|\"model_type\"|\"quantization_config\"|\"bits\"|\
                 epoch|flavors|models|model|a|1|e5|é|\u{0}|\u{202E}| ){0,40}",
    ) {
        let names = ["config.json", "params.yaml", "MLmodel", "trainer_state.json",
                     "adapter_config.json", "mergekit_config.yml", "requirements.txt"];
        let files: Vec<_> = names.iter().map(|name| (*name, text.as_bytes())).collect();
        let known = said(&files);
        for fact in [known.model, known.software, known.training].concat() {
            prop_assert!(fact.name.chars().count() <= 201 && fact.value.chars().count() <= 1_000);
        }
    }
}
