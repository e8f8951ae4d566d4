//! Keras 3, and Keras 2 as `tf_keras`.

use super::call::{Call, Snippet};

pub(super) fn load(call: &Call<'_>) -> Option<Snippet> {
    let file = call.file(&[".keras", ".h5"])?;
    Some(call.download("import keras", file, "model = keras.saving.load_model(path)"))
}

/// A file, or the whole folder of a `SavedModel`.
pub(super) fn tf_keras(call: &Call<'_>) -> Option<Snippet> {
    if let Some(file) = call.file(&[".keras", ".h5"]) {
        let load = "model = tf_keras.models.load_model(path)";
        return Some(call.download("import tf_keras", file, load));
    }
    call.has("saved_model.pb").then(|| {
        let code = format!(
            "import tf_keras\n{}\nmodel = tf_keras.models.load_model(folder)\n",
            call.snapshot()
        );
        Snippet::python(code)
    })
}
