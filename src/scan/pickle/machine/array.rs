//! Arrays whose bytes stand in the middle of a pickle.

use super::super::value::{Value, View};
use super::{Machine, Stop};

impl Machine<'_, '_, '_> {
    /// joblib writes an array's bytes right behind the BUILD of its wrapper
    /// (joblib `numpy_pickle.py`, `NumpyArrayWrapper.read_array`).
    pub(super) fn raw_array(&mut self, target: Value) -> Result<(), Stop> {
        if !self.calls.is_array_wrapper(target, self.nodes) {
            return Ok(());
        }
        let field = |name: &str| {
            let found = self.fields.iter().find(|(key, _)| self.text_of(*key) == Some(name));
            found.map(|(_, value)| *value)
        };
        let unknown = || Stop::Broken("the length of an array in it cannot be told".into());
        let shape = field("shape").ok_or_else(unknown)?;
        let item =
            field("dtype").and_then(|dtype| self.calls.item_size(dtype, self.nodes, self.texts));
        let Some(mut bytes) = item.ok_or_else(unknown)? else {
            // Objects: a pickle of its own follows, as `pickle.load` reads it.
            let mut inner = Machine::new(self.stream, self.calls, self.texts, self.nodes);
            return inner.run();
        };
        // `()` holds nothing but data and is not told apart: it is a single number.
        for length in self.nodes.items(shape).unwrap_or_default() {
            let View::Int(length) = length.view() else { return Err(unknown()) };
            bytes = bytes.saturating_mul(u64::from(length.unsigned_abs()));
        }
        if field("numpy_array_alignment_bytes").is_some_and(|value| value != Value::DATA) {
            let padding = self.number(1)?;
            self.skip(padding)?;
        }
        self.skip(bytes)
    }
}
