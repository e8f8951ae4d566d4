//! spaCy: a folder that it loads as it is, or a wheel that is installed first.

use super::call::{Call, Snippet, quote};

pub(super) fn load(call: &Call<'_>) -> Option<Snippet> {
    if call.has("config.cfg") && call.has("meta.json") {
        let code = format!("import spacy\n{}\nmodel = spacy.load(folder)\n", call.snapshot());
        return Some(Snippet::python(code));
    }
    let wheel = call.only_file(".whl").filter(|path| is_plain(path))?;
    // `en_pipeline-1.0.0-py3-none-any.whl` holds the package `en_pipeline`.
    let package = wheel.rsplit('/').next()?.split('-').next()?;
    let install = format!(
        "hf download {} {wheel} --revision {} --local-dir model\npip install model/{wheel}\n",
        call.id, call.tag
    );
    let code = format!("import spacy\n\nmodel = spacy.load({})\n", quote(package));
    Some(Snippet::python(code).after_shell(install))
}

/// Letters that a shell takes as they are.
fn is_plain(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./+".contains(&byte))
        && !path.starts_with('-')
}
