//! Parameters are counted as the Hub counts them: by hand in the table, and by its own parser.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use weighbridge::inventory::{self, Weights};

use crate::support::action::root;
use crate::support::counterpart::need;

/// A folder of weights and what they count.
struct Case {
    name: &'static str,
    config: Value,
    files: &'static [File],
    /// The index beside the shards.
    index: Option<(&'static str, Value)>,
    library: &'static str,
    expected: &'static [(&'static str, u64)],
    total: u64,
}

/// Path, `total_parameters` (none when empty), and tensors: name, type, shape.
type File = (&'static str, &'static str, &'static [(&'static str, &'static str, &'static [u64])]);

const WHOLE: &str = "model.safetensors";

/// A single file with its configuration.
fn one(
    name: &'static str,
    config: Value,
    files: &'static [File],
    expected: &'static [(&'static str, u64)],
) -> Case {
    let total = expected.iter().map(|(_, count)| count).sum();
    Case { name, config, files, index: None, library: "", expected, total }
}

#[expect(clippy::too_many_lines, reason = "one table")]
fn cases() -> Vec<Case> {
    let mut cases = vec![
        one(
            "plain, with a scalar, an integer buffer and block scales",
            json!({}),
            &[(
                WHOLE,
                "",
                &[
                    ("a.weight", "F32", &[10, 20]),
                    ("a.bias", "BF16", &[20]),
                    ("position_ids", "I64", &[1, 512]),
                    ("logit_scale", "F32", &[]),
                    ("a.weight_scale", "F32", &[10]),
                    ("blocks", "F8_E8M0", &[7, 8]),
                ],
            )],
            // Without a quantisation, `weight_scale` is a parameter like any other.
            &[("F32", 210), ("BF16", 20), ("I64", 512)],
        ),
        one(
            "GPTQ in 4 bits: eight to an I32",
            json!({"quantization_config": {"quant_method": "gptq", "bits": 4,
                   "modules_to_not_convert": ["lm_head", "*.visual.*"]}}),
            &[(
                WHOLE,
                "",
                &[
                    ("m.q.qweight", "I32", &[16, 8]),
                    ("m.q.qzeros", "I32", &[2, 1]),
                    ("m.q.scales", "F16", &[2, 8]),
                    ("m.q.g_idx", "I32", &[128]),
                    ("m.q.bias", "F16", &[8]),
                    ("m.visual.qweight", "I32", &[4]),
                    ("lm_head.scales", "F16", &[3]),
                    ("lm_head.weight", "F16", &[32, 8]),
                ],
            )],
            &[("I32", 16 * 8 * 8 + 4), ("F16", 8 + 3 + 256)],
        ),
        one(
            "AWQ in 3 bits: ten to an I32, as the Hub has it",
            json!({"quantization_config": {"quant_method": "AWQ", "bits": 3}}),
            &[(WHOLE, "", &[("q.qweight", "I32", &[5]), ("q.weight", "U8", &[5])])],
            &[("I32", 50), ("U8", 5)],
        ),
        one(
            "bitsandbytes in 4 bits: two to a byte, and its state is none",
            json!({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true}}),
            &[(
                WHOLE,
                "",
                &[
                    ("q.weight", "U8", &[64, 1]),
                    ("q.weight.absmax", "U8", &[2]),
                    ("q.weight.quant_map", "F32", &[16]),
                    ("q.weight.nested_absmax", "F32", &[1]),
                    ("q.weight.nested_quant_map", "F32", &[256]),
                    ("q.weight.quant_state.bitsandbytes__nf4", "U8", &[90]),
                    ("norm.weight", "BF16", &[8]),
                ],
            )],
            &[("U8", 128), ("BF16", 8)],
        ),
        one(
            "compressed-tensors: 32/3 to an I32 of 3 bits, groups of their own, what is ignored",
            json!({"text_config": {"quantization_config": {
                "quant_method": "compressed-tensors", "format": "pack-quantized",
                "ignore": ["lm_head", "re:.*self_attn.*"],
                "config_groups": {
                    "a": {"targets": ["Linear"], "weights": {"num_bits": 3}},
                    "b": {"targets": ["re:.*down_proj$"], "weights": {"num_bits": 8}},
                    "c": {"targets": ["m.up"], "format": "mxfp4-pack-quantized", "weights": {}},
                },
            }}}),
            &[(
                WHOLE,
                "",
                &[
                    ("m.gate.weight_packed", "I32", &[7]),
                    ("m.gate.weight_shape", "I32", &[2]),
                    ("m.gate.weight_g_idx", "I32", &[70]),
                    ("m.gate.weight_scale", "BF16", &[4]),
                    ("m.down_proj.weight_packed", "I32", &[5]),
                    ("m.up.weight_packed", "U8", &[6]),
                    ("m.self_attn.q.weight", "I32", &[3]),
                    ("lm_head.weight", "I8", &[9]),
                ],
            )],
            // 7·32/3 rounded, 5·4 and 3; `m.up` has no width of its own and takes the first of any.
            &[("I32", 75 + 20 + 3), ("U8", 16), ("I8", 9)],
        ),
        one(
            "mxfp4 as gpt-oss has it",
            json!({"quantization_config": {"quant_method": "mxfp4"}}),
            &[(
                WHOLE,
                "",
                &[
                    ("mlp.experts.down_proj_blocks", "U8", &[4, 16]),
                    ("mlp.experts.down_proj_scales", "U8", &[4]),
                    ("learned_scales", "F32", &[3]),
                ],
            )],
            &[("U8", 128), ("F32", 3)],
        ),
        one(
            "fp8 whose experts are narrower",
            json!({"expert_dtype": "fp4", "quantization_config": {"quant_method": "fp8"}}),
            &[(
                WHOLE,
                "",
                &[
                    ("m.experts.0.w1.weight", "I8", &[10]),
                    ("m.shared_experts.w1.weight", "I8", &[10]),
                    ("m.gate.tid2eid", "I32", &[10]),
                    ("m.attn.weight", "F8_E4M3", &[10]),
                    ("m.attn.weight_scale_inv", "F32", &[1]),
                ],
            )],
            &[("I8", 30), ("I32", 10), ("F8_E4M3", 10)],
        ),
        one(
            "fp8 with a store_dtype, overruled by an expert_dtype that is not narrower",
            json!({"quantization_config": {"quant_method": "fp8", "store_dtype": "mxfp4",
                   "expert_dtype": "fp8"}}),
            &[(WHOLE, "", &[("m.experts.0.w1.weight", "U8", &[10])])],
            &[("U8", 10)],
        ),
        one(
            "MLX: packed where scales and biases lie beside",
            json!({"quantization": {"bits": 4, "group_size": 64, "wide": {"bits": 8},
                   "dense": false, "block": {"mode": "mxfp4"}}}),
            &[(
                WHOLE,
                "",
                &[
                    ("q.weight", "U32", &[12]),
                    ("q.scales", "BF16", &[3]),
                    ("q.biases", "BF16", &[3]),
                    ("q.bias", "BF16", &[2]),
                    ("wide.weight", "U32", &[12]),
                    ("wide.scales", "BF16", &[1]),
                    ("wide.biases", "BF16", &[1]),
                    ("dense.weight", "U32", &[12]),
                    ("block.weight", "U32", &[12]),
                    ("block.scales", "U8", &[1]),
                    ("lone.weight", "U32", &[12]),
                    ("learned.scales", "BF16", &[4]),
                    ("learned.biases", "BF16", &[5]),
                ],
            )],
            &[("U32", 96 + 48 + 12 + 96 + 12), ("BF16", 2 + 4 + 5)],
        ),
        one(
            "a width that MLX has no kernel for",
            json!({"quantization": {"bits": 1, "group_size": 64, "mode": 1}}),
            &[(WHOLE, "", &[("q.weight", "U32", &[12]), ("q.scales", "BF16", &[3])])],
            &[("U32", 12), ("BF16", 3)],
        ),
        one(
            "another method, in 4 bits",
            json!({"quantization_config": {"quant_method": "hqq", "bits": 4}}),
            &[(WHOLE, "", &[("q.W_q", "U8", &[12]), ("q.zero_point", "F32", &[3])])],
            &[("U8", 24)],
        ),
    ];
    let totals: [(&str, &[File], u64); 3] = [
        ("a total that is less is believed", &[(WHOLE, "150", &[("w", "F32", &[10, 20])])], 150),
        (
            "a total that is more is not",
            &[(WHOLE, "999000000000", &[("w", "F32", &[10, 20])])],
            200,
        ),
        ("a total that is no number", &[(WHOLE, "many", &[("w", "F32", &[10, 20])])], 200),
    ];
    for (name, files, total) in totals {
        cases.push(Case { total, ..one(name, json!({}), files, &[("F32", 200)]) });
    }
    let shards: &[File] = &[
        ("model-00001-of-00002.safetensors", "", &[("a.weight", "F16", &[4])]),
        ("odd_name.safetensors", "", &[("b.weight", "F16", &[6])]),
        ("model-00002-of-00002.safetensors", "", &[("unlisted", "F16", &[50])]),
    ];
    let map =
        json!({"a.weight": "model-00001-of-00002.safetensors", "b.weight": "odd_name.safetensors"});
    let index = json!({"metadata": {"total_size": 20, "total_parameters": 9}, "weight_map": map});
    cases.push(Case {
        index: Some(("model.safetensors.index.json", index)),
        total: 9,
        ..one("the shards that the index names", json!({}), shards, &[("F16", 10)])
    });
    let parts: &[File] = &[
        ("unet/diffusion_pytorch_model.safetensors", "", &[("a.weight", "F16", &[4])]),
        ("vae/diffusion_pytorch_model.safetensors", "", &[("b.weight", "F16", &[6])]),
    ];
    cases.push(Case {
        library: "diffusers",
        ..one("the part that diffusers names the model by", json!({}), parts, &[("F16", 4)])
    });
    cases
}

fn write(case: &Case, folder: &Path) {
    for (path, stated, tensors) in case.files {
        let mut header = serde_json::Map::new();
        if !stated.is_empty() {
            header.insert("__metadata__".into(), json!({"total_parameters": stated}));
        }
        let mut end = 0;
        for (name, dtype, shape) in *tensors {
            let width = match *dtype {
                "I64" => 8,
                "F32" | "I32" | "U32" => 4,
                "F16" | "BF16" => 2,
                _ => 1,
            };
            let start = end;
            end += shape.iter().product::<u64>() * width;
            let tensor = json!({"dtype": dtype, "shape": shape, "data_offsets": [start, end]});
            header.insert((*name).into(), tensor);
        }
        let header = Value::Object(header).to_string();
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.resize(bytes.len() + usize::try_from(end).expect("small"), 0);
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("below")).expect("writable");
        fs::write(path, bytes).expect("writable");
    }
    fs::write(folder.join("config.json"), case.config.to_string()).expect("writable");
    if let Some((path, index)) = &case.index {
        fs::write(folder.join(path), index.to_string()).expect("writable");
    }
}

/// The model's own weights among those of a folder.
fn counted(folder: &Path, library: &str) -> Option<Weights> {
    let inventory = inventory::take(folder, "m", &[], &[], &|_| {}).expect("a folder");
    let problems: Vec<_> = inventory.files.iter().flat_map(|file| &file.detections).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let library = Some(library).filter(|library| !library.is_empty());
    inventory.weights(library).into_iter().find(|weights| weights.is_the_model)
}

#[test]
fn parameters_are_counted_by_the_hubs_rules() {
    for case in cases() {
        let folder = tempfile::tempdir().expect("a folder");
        write(&case, folder.path());
        let weights = counted(folder.path(), case.library).expect(case.name);
        let expected: BTreeMap<_, _> =
            case.expected.iter().map(|(dtype, count)| ((*dtype).to_owned(), *count)).collect();
        assert_eq!((weights.by_type, weights.total), (expected, case.total), "{}", case.name);
    }
}

#[test]
fn the_hubs_own_parser_counts_the_same() {
    const CLIENT: &str = "node/node_modules/@huggingface/hub/dist/index.mjs";
    let Some(client) = need("the_hubs_own_parser_counts_the_same", CLIENT) else { return };
    let base = tempfile::tempdir().expect("a folder");
    for library in ["", "diffusers"] {
        let mut folders = Vec::new();
        for (index, case) in cases().iter().enumerate().filter(|(_, c)| c.library == library) {
            let folder = base.path().join(index.to_string());
            fs::create_dir(&folder).expect("writable");
            write(case, &folder);
            folders.push(folder);
        }
        if library.is_empty() {
            let real = base.path().join("real");
            fs::create_dir(&real).expect("writable");
            let sample = root().join("tests/samples/artifacts/tiny-bert.safetensors");
            fs::copy(sample, real.join(WHOLE)).expect("copied");
            folders.push(real);
        }
        let script = root().join("tests/counterparts/weights/count.mjs");
        let output = std::process::Command::new("node")
            .arg(script)
            .arg(&client)
            .arg(library)
            .args(&folders)
            .output()
            .expect("node runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).expect("text");
        assert_eq!(said.lines().count(), folders.len());
        for (folder, line) in folders.iter().zip(said.lines()) {
            let theirs: Value = serde_json::from_str(line).expect("JSON");
            let ours = counted(folder, library).expect("counted");
            let ours = json!({"counts": ours.by_type, "total": ours.total});
            assert_eq!(ours, theirs, "{}", folder.display());
        }
    }
}

#[test]
fn what_cannot_be_counted_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases = cases();
    let sharded = cases.iter().find(|case| case.index.is_some()).expect("one");
    write(sharded, folder.path());
    fs::remove_file(folder.path().join("odd_name.safetensors")).expect("removed");
    assert_eq!(counted(folder.path(), ""), None, "a shard is missing");
    let folder = tempfile::tempdir().expect("a folder");
    let packed = cases.iter().find(|case| case.name.starts_with("GPTQ")).expect("one");
    write(packed, folder.path());
    let patterns: Vec<_> = (0..3_000).map(|number| format!("*{number}*")).collect();
    let settings = json!({"quant_method": "gptq", "modules_to_not_convert": patterns});
    let config = json!({"quantization_config": settings}).to_string();
    fs::write(folder.path().join("config.json"), config).expect("writable");
    assert_eq!(counted(folder.path(), ""), None, "more patterns than are compared");
}
