//! What of our environment the tests get. A list of what may pass, not of what may not: nobody
//! knows under which names a workflow keeps its secrets.

use crate::context::Environment;

/// Facts of the run that hold everywhere. Nothing here is a secret, a token, or a file through which
/// later steps could be told anything.
const FACTS: [&str; 15] = [
    "CI",
    "GITHUB_ACTIONS",
    "GITHUB_EVENT_NAME",
    "GITHUB_REF",
    "GITHUB_REF_NAME",
    "GITHUB_REPOSITORY",
    "GITHUB_RUN_ID",
    "GITHUB_SHA",
    "GITLAB_CI",
    "CI_COMMIT_REF_NAME",
    "CI_COMMIT_SHA",
    "CI_COMMIT_TAG",
    "CI_PROJECT_PATH",
    "NO_COLOR",
    "TZ",
];

/// What programs of this machine need to be found and to work.
const OF_THIS_MACHINE: [&str; 15] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TMPDIR",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "CARGO_HOME",
    "RUSTUP_HOME",
];

/// A token that lies in the home folder is not for the tests either.
/// <https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables>
const NO_TOKEN: (&str, &str) = ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");

/// The variables of a command in an image.
pub(super) fn in_image(env: &Environment) -> Vec<(&'static str, &str)> {
    let facts = FACTS.into_iter().filter_map(|name| Some((name, env.get(name)?)));
    facts.chain([NO_TOKEN]).collect()
}

/// The variables of a command on this machine.
pub(super) fn on_host(env: &Environment) -> Vec<(&'static str, &str)> {
    let own = OF_THIS_MACHINE.into_iter().filter_map(|name| Some((name, env.get(name)?)));
    own.chain(in_image(env)).collect()
}
