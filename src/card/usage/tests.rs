use crate::card::{self, CardInput, query_file};
use crate::evidence::Evidence;
use crate::inventory;
use crate::policy::{self, Model};

/// What the card says of loading, and the file that is added for the Hub's counter.
fn usage(more: &str, files: &[(&str, &str)], readme: Option<&str>) -> (String, Option<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("below")).expect("writable");
        std::fs::write(path, content).expect("writable");
    }
    let text = format!("model: {{name: churn, owner: acme{more}}}");
    let model: Model = policy::parse("w", &text, &[]).expect("valid").models.remove(0);
    let inventory = inventory::take(folder.path(), "", &[], &[], &|_| {}).expect("files");
    let input = CardInput {
        model: &model,
        release: None,
        target: None,
        inventory: &inventory,
        evidence: &Evidence::default(),
        history: &[],
        commit: None,
        repository: None,
        run_url: None,
        template: None,
        readme,
        kept: &[],
        emergency: None,
    };
    let card = card::write(&input).expect("written");
    let (_, after) = card.split_once("## How to load").expect("the section");
    let usage = after.split_once("\n## ").map_or(after, |(usage, _)| usage);
    (usage.to_owned(), query_file(&input))
}

/// `library`, `task` and tags as the policy has them.
fn of(library: &str, task: &str, tags: &str) -> String {
    format!(", library: {library}, task: {task}, tags: [{tags}]")
}

const AUTO_MAP: &str = r#"{"auto_map": {"AutoModel": "code.Net"}}"#;

/// Library, task, tags, files, and what the code must say.
type Case<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);

/// A file of no interesting content.
const fn x(name: &str) -> (&str, &str) {
    (name, "x")
}

/// How XGBoost begins a model in JSON.
const BOOSTED: &str = r#"{"learner":{"attributes":{},"feature_names":[]}}"#;
const CAUSAL: &str = r#"{"task_type": "CAUSAL_LM", "base_model_name_or_path": "acme/base"}"#;
const UNTOLD: &str = r#"{"task_type": null, "base_model_name_or_path": "acme/base"}"#;

const CASES: &[Case<'_>] = &[
    (
        "catboost",
        "tabular-regression",
        "",
        &[x("m.cbm")],
        "catboost.CatBoostRegressor().load_model(path)",
    ),
    (
        "diffusers",
        "text-to-image",
        "",
        &[x("model_index.json")],
        "DiffusionPipeline.from_pretrained(\"acme/churn\", revision=\"main\")",
    ),
    (
        "diffusers",
        "text-to-image",
        "controlnet",
        &[x("config.json")],
        "ControlNetModel.from_pretrained(",
    ),
    (
        "fastai",
        "image-classification",
        "",
        &[x("model.pkl")],
        "from_pretrained_fastai(\"acme/churn\", revision=\"main\")",
    ),
    (
        "gguf",
        "text-generation",
        "",
        &[x("m-f16.gguf"), x("m-Q4_K_M.gguf"), x("a-mmproj.gguf")],
        "hf_hub_download(\"acme/churn\", \"m-Q4_K_M.gguf\", revision=\"main\")",
    ),
    (
        "llama-cpp-python",
        "text-generation",
        "conversational",
        &[x("m.gguf")],
        "model.create_chat_completion(",
    ),
    ("keras", "image-classification", "", &[x("m.keras")], "keras.saving.load_model(path)"),
    (
        "lightgbm",
        "tabular-regression",
        "",
        &[x("requirements.txt"), ("m.txt", "tree\nversion=v4\n")],
        "\"m.txt\", revision=\"main\")\n",
    ),
    ("mlx", "text-generation", "", &[x("config.json")], "load(\"acme/churn\", revision=\"main\")"),
    (
        "mlx",
        "text-generation",
        "conversational",
        &[x("config.json")],
        "tokenizer.apply_chat_template(",
    ),
    ("mlx", "image-text-to-text", "", &[x("config.json")], "from mlx_vlm import load"),
    ("mlx", "image-classification", "", &[x("w.npz")], "mx.load(path)"),
    (
        "nemo",
        "automatic-speech-recognition",
        "",
        &[x("m.nemo")],
        "nemo_asr.models.ASRModel.restore_from(path)",
    ),
    ("onnx", "image-classification", "", &[x("m.onnx")], "onnxruntime.InferenceSession(path)"),
    (
        "onnx",
        "image-classification",
        "",
        &[x("m.onnx"), x("m.onnx.data")],
        "os.path.join(folder, \"m.onnx\")",
    ),
    (
        "open_clip",
        "zero-shot-image-classification",
        "",
        &[x("model.safetensors")],
        "f\"local-dir:{folder}\"",
    ),
    (
        "peft",
        "text-generation",
        "",
        &[("adapter_config.json", CAUSAL)],
        "AutoPeftModelForCausalLM.from_pretrained(",
    ),
    (
        "peft",
        "text-generation",
        "",
        &[("adapter_config.json", UNTOLD)],
        "AutoPeftModel.from_pretrained(",
    ),
    (
        "sentence-transformers",
        "sentence-similarity",
        "",
        &[x("config.json")],
        "SentenceTransformer(\"acme/churn\", revision=\"main\")",
    ),
    ("sentence-transformers", "text-ranking", "", &[x("config.json")], "CrossEncoder("),
    (
        "sentence-transformers",
        "feature-extraction",
        "",
        &[("config_sentence_transformers.json", r#"{"model_type": "SparseEncoder"}"#)],
        "SparseEncoder(",
    ),
    ("setfit", "text-classification", "", &[x("config.json")], "SetFitModel.from_pretrained("),
    ("sklearn", "tabular-classification", "", &[x("m.skops")], "load(path, trusted=[])"),
    (
        "sklearn",
        "tabular-classification",
        "",
        &[x("a.pkl"), x("sklearn_model.joblib")],
        "\"sklearn_model.joblib\", revision=",
    ),
    (
        "sklearn",
        "tabular-classification",
        "skops",
        &[
            (
                "config.json",
                r#"{"sklearn": {"model": {"file": "b.pkl"}, "model_format": "pickle"}}"#,
            ),
            x("a.pkl"),
            x("b.pkl"),
        ],
        "\"b.pkl\", revision=",
    ),
    ("spacy", "token-classification", "", &[x("config.cfg"), x("meta.json")], "spacy.load(folder)"),
    (
        "spacy",
        "token-classification",
        "",
        &[x("en_x-1.0-py3-none-any.whl")],
        "pip install model/en_x-1.0-py3-none-any.whl",
    ),
    (
        "stable-baselines3",
        "reinforcement-learning",
        "",
        &[x("ppo-CartPole-v1.zip")],
        "PPO.load(path)",
    ),
    (
        "stable-baselines3",
        "reinforcement-learning",
        "",
        &[x("best.zip")],
        "the class that it was trained with",
    ),
    (
        "tf-keras",
        "image-classification",
        "",
        &[x("saved_model.pb")],
        "tf_keras.models.load_model(folder)",
    ),
    (
        "timm",
        "image-classification",
        "",
        &[x("model.safetensors")],
        "timm.create_model(\"hf-hub:acme/churn@main\"",
    ),
    (
        "transformers",
        "text-classification",
        "",
        &[x("config.json")],
        "pipeline(\"text-classification\", model=\"acme/churn\", revision=\"main\")",
    ),
    (
        "transformers",
        "text-generation",
        "conversational",
        &[x("config.json")],
        "answer = model(messages)",
    ),
    (
        "transformers",
        "summarization",
        "",
        &[x("config.json"), x("tokenizer_config.json")],
        "from transformers import AutoModelForSeq2SeqLM, AutoTokenizer",
    ),
    (
        "transformers",
        "image-to-text",
        "",
        &[x("config.json"), x("processor_config.json")],
        "from transformers import AutoModelForImageTextToText, AutoProcessor",
    ),
    (
        "transformers",
        "other",
        "",
        &[("config.json", r#"{"architectures": ["GPT2LMHeadModel"]}"#)],
        "AutoModelForCausalLM.from_pretrained(",
    ),
    (
        "transformers",
        "fill-mask",
        "",
        &[("config.json", AUTO_MAP)],
        "trust_remote_code=True, code_revision=\"main\"",
    ),
    (
        "transformers.js",
        "text-classification",
        "",
        &[x("config.json"), x("onnx/model_quantized.onnx")],
        "{ revision: \"main\", dtype: \"q8\" }",
    ),
    ("ultralytics", "object-detection", "", &[x("best.pt")], "YOLO(path)"),
    (
        "xgboost",
        "tabular-classification",
        "",
        &[x("m.ubj"), x("z.json")],
        "XGBClassifier()\nmodel.load_model(path)",
    ),
    (
        "xgboost",
        "tabular-regression",
        "",
        &[
            x("config.json"),
            ("feature_stats.json", "{\"learner\": {\"mean\": 1}}"),
            ("m.json", BOOSTED),
        ],
        "hf_hub_download(\"acme/churn\", \"m.json\", revision=\"main\")",
    ),
];

#[test]
fn every_library_has_its_own_way() {
    for (library, task, tags, files, expected) in CASES {
        let (usage, _) = usage(&of(library, task, tags), files, None);
        assert!(usage.contains(expected), "{library} {task} {tags}:\n{usage}");
        assert!(usage.contains("snapshot_download(\"acme/churn\", revision=\"main\")"));
        let warned =
            usage.contains("it contains. Load it only") || usage.contains("code of its own");
        let runs_code = ["joblib.load", "fastai", ".pt\"", ".zip\"", "trust_remote"];
        assert_eq!(warned, runs_code.iter().any(|sign| usage.contains(sign)), "{usage}");
    }
}

#[test]
fn a_base_that_the_policy_names_wins_over_the_trainers_folder() {
    let more = format!("{}, base-models: [acme/base]", of("peft", "text-classification", ""));
    let adapter = r#"{"task_type": "SEQ_CLS", "base_model_name_or_path": "/tmp/out"}"#;
    let (text, _) = usage(&more, &[("adapter_config.json", adapter)], None);
    assert!(
        text.contains("AutoModelForSequenceClassification.from_pretrained(\"acme/base\")"),
        "{text}"
    );
    assert!(text.contains("PeftModel.from_pretrained(base, \"acme/churn\", revision=\"main\")"));
}

#[test]
fn a_folder_of_the_trainers_machine_is_no_base() {
    let adapter = r#"{"task_type": "SEQ_CLS", "base_model_name_or_path": "/tmp/out"}"#;
    let files = [("adapter_config.json", adapter)];
    let (text, _) = usage(&of("peft", "text-classification", ""), &files, None);
    assert!(text.contains("is not known") && !text.contains("AutoPeft"), "{text}");
    assert!(text.contains("PeftModel.from_pretrained(base, \"acme/churn\", revision=\"main\")"));
}

#[test]
fn the_readme_names_base_task_and_tags_too() {
    let readme = "---\nlibrary_name: peft\nbase_model: acme/base\n---\n# M\n";
    let files = [("adapter_config.json", "{}"), ("config.json", r#"{"_name_or_path": "b/c"}"#)];
    let (text, _) = usage("", &files, Some(readme));
    assert!(text.contains("AutoModel.from_pretrained(\"acme/base\")"), "{text}");
    let lora = "---\nlibrary_name: diffusers\ntags: [lora]\nbase_model: acme/base\n---\n# M\n";
    let (text, _) = usage("", &[("w.safetensors", "x")], Some(lora));
    assert!(text.contains("DiffusionPipeline.from_pretrained(\"acme/base\")"), "{text}");
    assert!(text.contains("model.load_lora_weights(\"acme/churn\""), "{text}");
    let chat = "---\nlibrary_name: transformers\npipeline_tag: text-generation\n\
                tags: [conversational]\n---\n# M\n";
    assert!(usage("", &[("config.json", "{}")], Some(chat)).0.contains("answer = model(messages)"));
    let task = "---\nlibrary_name: xgboost\npipeline_tag: tabular-regression\n---\n# M\n";
    let added = usage("", &[("m.ubj", "x")], Some(task)).1.expect("added");
    assert!(added.contains("\"pipeline_tag\": \"tabular-regression\""), "{added}");
}

#[test]
fn code_of_another_repository_is_named_and_not_pinned() {
    let config =
        r#"{"auto_map": {"AutoConfig": "code.Config", "AutoModel": "their/code--net.Net"}}"#;
    let (text, _) = usage(&of("transformers", "other", ""), &[("config.json", config)], None);
    assert!(
        text.contains("another repository, `their/code`: read it first. No revision"),
        "{text}"
    );
    assert!(text.contains("trust_remote_code=True") && !text.contains("code_revision"), "{text}");
    let own = r#"{"auto_map": {"AutoTokenizer": [null, "acme/churn--code.Fast"]}}"#;
    let (text, _) =
        usage(&of("transformers", "other", ""), &[("tokenizer_config.json", own)], None);
    assert!(text.contains("code_revision=\"main\"") && text.contains("of its own"), "{text}");
}

#[test]
fn all_parts_of_a_gguf_are_fetched_and_the_first_is_loaded() {
    let files = [1, 2, 3].map(|at| format!("m-q8_0-0000{at}-of-00003.gguf"));
    let files: Vec<_> = files.iter().map(|name| (name.as_str(), "x")).collect();
    let (text, _) = usage(&of("gguf", "text-generation", ""), &files, None);
    assert!(
        text.contains("path = hf_hub_download(\"acme/churn\", \"m-q8_0-00001-of-00003.gguf\""),
        "{text}"
    );
    assert_eq!(text.matches("hf_hub_download(\"acme/churn\"").count(), 3);
}

#[test]
fn without_a_library_files_tell_where_they_are_clear() {
    for (files, expected) in [
        (&["m.onnx"][..], Some("onnxruntime")),
        (&["w.safetensors"], Some("safe_open")),
        (&["m.cbm"], Some("catboost")),
        (&["m.skops"], Some("skops.io")),
        (&["m.onnx", "w.safetensors"], None),
        (&["data.bin"], None),
        (&["model.json"], None),
    ] {
        let files: Vec<_> = files.iter().map(|name| (*name, "x")).collect();
        let (text, _) = usage("", &files, None);
        match expected {
            Some(expected) => assert!(text.contains(expected), "{text}"),
            None => assert!(!text.contains("The files alone"), "{text}"),
        }
    }
    let readme = Some("---\nlibrary_name: keras\n---\n# M\n");
    assert!(usage("", &[("m.keras", "x")], readme).0.contains("keras.saving.load_model"));
}

#[test]
fn of_several_models_one_is_named_only_where_its_name_says_so() {
    for (library, names, expected) in [
        ("xgboost", ["a.json", "model.json"], Some("model.json")),
        ("xgboost", ["a.json", "xgboost_v2.json"], Some("xgboost_v2.json")),
        ("xgboost", ["a.json", "b.json"], None),
        ("xgboost", ["model.json", "model.ubj"], None),
        ("catboost", ["model.cbm", "fold2.cbm"], Some("model.cbm")),
        ("onnx", ["a/decoder.onnx", "a/model.onnx"], Some("a/model.onnx")),
        ("onnx", ["decoder.onnx", "encoder.onnx"], None),
    ] {
        let (text, added) =
            usage(&of(library, "other", ""), &names.map(|name| (name, BOOSTED)), None);
        let added = added.expect("these libraries need it");
        match expected {
            Some(file) => {
                assert!(text.contains(&format!("\"acme/churn\", \"{file}\"")), "{text}");
                assert!(added.contains(&format!("\"model_file\": \"{file}\"")), "{added}");
            }
            None => {
                assert!(
                    !text.contains("The files alone") && !added.contains("model_file"),
                    "{text}"
                );
                assert!(text.contains("snapshot_download("), "{text}");
            }
        }
    }
}

#[test]
fn names_from_files_cannot_leave_their_literals() {
    let name = "a\"); import os; (\"```.onnx";
    let (text, _) = usage(&of("onnx", "other", ""), &[(name, "x")], None);
    let literal = serde_json::to_string(name).expect("a literal");
    assert!(
        text.contains(&format!("hf_hub_download(\"acme/churn\", {literal}, revision")),
        "{text}"
    );
    assert!(text.contains("````python\n"), "a longer fence: {text}");
}

#[test]
fn the_file_for_the_counter_is_small_and_says_only_what_is_known() {
    let (text, added) =
        usage(&of("xgboost", "tabular-classification", ""), &[("m.ubj", "x")], None);
    assert_eq!(
        added.as_deref(),
        Some(
            "{\n  \"library_name\": \"xgboost\",\n  \"model_file\": \"m.ubj\",\n  \
             \"pipeline_tag\": \"tabular-classification\"\n}\n"
        )
    );
    assert!(text.contains("`config.json` is no part of the model"), "{text}");
    assert!(text.contains(
        "hf_hub_download(\"acme/churn\", \"config.json\", revision=\"main\")  # counts as a download\n"
    ));
    assert_eq!(usage("", &[("data.bin", "x")], None).1.as_deref(), Some("{}\n"));
}

#[test]
fn the_file_for_the_counter_is_added_only_where_it_is_needed() {
    for (more, file) in [
        (", library: xgboost", "config.json"),
        (", library: onnx", "q.gguf"),
        (", library: transformers", "model.safetensors"),
        (", library: sklearn", "m.skops"),
        (", library: xgboost, publish: {query-file: false}", "m.ubj"),
        (", library: xgboost, exclude: [\"*.json\"]", "m.ubj"),
    ] {
        let (text, added) = usage(more, &[(file, "x")], None);
        assert_eq!(added, None, "{more}");
        assert!(!text.contains("no part of the model"), "{more}");
    }
    // A README may name the library that the policy does not.
    let readme = Some("---\nlibrary_name: transformers\n---\n# M\n");
    assert_eq!(usage("", &[("model.safetensors", "x")], readme).1, None);
}
