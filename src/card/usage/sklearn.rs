//! scikit-learn, kept by skops or as a pickle.

use super::call::{Call, PICKLE, Snippet, ends};

pub(super) fn load(call: &Call<'_>) -> Option<Snippet> {
    skops(call).or_else(|| {
        let named = named(call).filter(|file| !ends(file, ".skops"));
        let usual = || call.has("sklearn_model.joblib").then(|| "sklearn_model.joblib".to_owned());
        let any = || call.file(&[".joblib", ".pkl", ".pickle"]).map(str::to_owned);
        let file = named.or_else(usual).or_else(any)?;
        Some(call.download("import joblib", &file, "model = joblib.load(path)").with_note(PICKLE))
    })
}

pub(super) fn skops(call: &Call<'_>) -> Option<Snippet> {
    let named = named(call).filter(|file| ends(file, ".skops"));
    let file = named.or_else(|| call.file(&[".skops"]).map(str::to_owned))?;
    let load = "print(get_untrusted_types(file=path))  # look before you trust\n\
                model = load(path, trusted=[])";
    Some(call.download("from skops.io import get_untrusted_types, load", &file, load))
}

/// The file that skops' own `config.json` names, if it is here.
fn named(call: &Call<'_>) -> Option<String> {
    let settings = call.settings("config.json")?;
    let file = settings.get("sklearn")?.get("model")?.get("file")?.text()?;
    call.has(file).then(|| file.to_owned())
}
