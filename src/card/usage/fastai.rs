//! fastai, by the Hub client's own loader.

use super::call::{Call, PICKLE, Snippet};

pub(super) fn load(call: &Call<'_>) -> Snippet {
    let code = format!(
        "from huggingface_hub import from_pretrained_fastai\n\n\
         learner = from_pretrained_fastai({})\n",
        call.pinned()
    );
    Snippet::python(code).with_note(PICKLE)
}
