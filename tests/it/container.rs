//! The container action: its metadata and workflows pass their judges, its image is small, and
//! real workflow runs end as they should.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::action::{self, done, root};
use crate::support::counterpart::need;

/// `action.yml` as data.
fn metadata() -> Value {
    let source = std::fs::read_to_string(root().join("action.yml")).expect("action.yml");
    serde_yaml::from_str(&source).expect("action.yml is YAML")
}

/// Every workflow file of the project and of its examples.
fn workflows() -> Vec<PathBuf> {
    let examples = std::fs::read_dir(root().join("examples")).expect("examples");
    let homes = examples.map(|entry| entry.expect("entry").path()).chain([root().to_owned()]);
    let mut files = Vec::new();
    for home in homes {
        let Ok(entries) = std::fs::read_dir(home.join(".github/workflows")) else { continue };
        files.extend(entries.map(|entry| entry.expect("entry").path()));
    }
    files.sort();
    assert!(files.len() >= 4, "the walk found {files:?}");
    files
}

#[test]
fn the_action_takes_the_inputs_that_the_program_reads() {
    let metadata = metadata();
    let inputs = metadata["inputs"].as_object().expect("inputs");
    let names: Vec<_> = inputs.keys().map(String::as_str).collect();
    assert_eq!(names, weighbridge::inputs::ACTION_INPUTS);
    for (name, input) in inputs {
        assert!(input["description"].is_string() && input["default"].is_string(), "{name}");
    }
    // Arguments would be glued to one command line and could be shifted by an input.
    assert!(metadata["runs"]["args"].is_null());
}

#[test]
fn action_validator_accepts_the_action_and_every_workflow() {
    let test = "action_validator_accepts_the_action_and_every_workflow";
    let Some(judge) = need(test, "node/node_modules/.bin/action-validator") else { return };
    done(Command::new(&judge).arg(root().join("action.yml")));
    for file in workflows() {
        done(Command::new(&judge).arg(file));
    }
}

#[test]
fn actionlint_accepts_every_workflow() {
    let Some(judge) = need("actionlint_accepts_every_workflow", "venv/bin/actionlint") else {
        return;
    };
    done(Command::new(judge).args(["-shellcheck=", "-pyflakes="]).args(workflows()));
}

#[test]
fn zizmor_finds_nothing_in_the_action_and_the_workflows() {
    let test = "zizmor_finds_nothing_in_the_action_and_the_workflows";
    let Some(judge) = need(test, "venv/bin/zizmor") else { return };
    let strict = ["--offline", "--persona", "pedantic"];
    done(Command::new(judge).args(strict).arg(root().join("action.yml")).args(workflows()));
}

#[test]
fn the_image_is_small_and_holds_what_it_needs_and_nothing_else() {
    let test = "the_image_is_small_and_holds_what_it_needs_and_nothing_else";
    let Some(image) = action::image(test) else { return };
    let docker = |arguments: &[&str]| done(Command::new("docker").args(arguments));

    let size = docker(&["image", "inspect", "--format", "{{.Size}}", image]);
    let size: u64 = size.trim().parse().expect("bytes");
    assert!(size < 27_000_000, "the image has {size} bytes");

    let folder = tempfile::tempdir().expect("temporary folder");
    let image_file = folder.path().join("image.tar");
    docker(&["save", "--output", image_file.to_str().expect("UTF-8"), image]);
    done(Command::new("tar").current_dir(folder.path()).args(["-xf", "image.tar"]));
    let manifest = std::fs::read_to_string(folder.path().join("manifest.json")).expect("manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let mut files = Vec::new();
    for layer in manifest[0]["Layers"].as_array().expect("layers") {
        let layer = folder.path().join(layer.as_str().expect("path"));
        let listing = done(Command::new("tar").arg("-tf").arg(layer));
        files.extend(listing.lines().filter(|name| !name.ends_with('/')).map(str::to_owned));
    }
    files.sort();
    assert_eq!(files, ["etc/gitconfig", "etc/ssl/certs/ca-certificates.crt", "weighbridge"]);

    let version = docker(&["run", "--rm", image, "--version"]);
    assert_eq!(version.trim(), format!("weighbridge {}", env!("CARGO_PKG_VERSION")));
}
