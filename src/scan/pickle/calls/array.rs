//! joblib writes the bytes of an array right behind its place-holder: how many follow.

use super::super::value::{Node, Nodes, Texts, Value, View};
use super::Calls;

impl Calls<'_> {
    /// Remembers a `numpy.dtype` of Python objects.
    pub(super) fn notes_objects(
        &mut self,
        callee: Value,
        arguments: Value,
        nodes: &Nodes,
        texts: &Texts,
    ) {
        if self.objects || self.global(callee) != Some(("numpy", "dtype")) {
            return;
        }
        let first = nodes.items(arguments).and_then(|items| items.first()).map(|item| item.view());
        if let Some(View::Text(id)) = first {
            self.objects = texts.get(id).is_some_and(|name| name.starts_with('O'));
        }
    }

    /// Whether this is joblib's place-holder for an array whose bytes follow.
    pub(in crate::scan::pickle) fn is_array_wrapper(&self, value: Value, nodes: &Nodes) -> bool {
        matches!(
            self.made_by(value, nodes),
            Some((
                "joblib.numpy_pickle" | "sklearn.externals.joblib.numpy_pickle",
                "NumpyArrayWrapper"
            ))
        )
    }

    /// Bytes of an item of an array with this `numpy.dtype`: `None` if that cannot be told,
    /// `Some(None)` for Python objects.
    #[expect(clippy::option_option, reason = "not known, and known to have no size, differ")]
    pub(in crate::scan::pickle) fn item_size(
        &self,
        dtype: Value,
        nodes: &Nodes,
        texts: &Texts,
    ) -> Option<Option<u64>> {
        let View::Node(id) = dtype.view() else { return None };
        let Node::Made { by, arguments } = nodes.get(id) else { return None };
        if self.global(by)? != ("numpy", "dtype") {
            return None;
        }
        let View::Text(name) = nodes.items(arguments)?.first()?.view() else { return None };
        let name = texts.get(name)?.trim_start_matches(['<', '>', '|', '=']);
        let digits = name.get(1..)?;
        let digits = digits.split('[').next().unwrap_or(digits);
        let size: u64 = if digits.is_empty() { 1 } else { digits.parse().ok()? };
        match name.as_bytes().first()? {
            b'O' => Some(None),
            b'V' if self.objects => Some(None),
            b'U' => Some(Some(size.saturating_mul(4))),
            b'?' => Some(Some(1)),
            b'f' | b'i' | b'u' | b'b' | b'c' | b'S' | b'a' | b'V' | b'M' | b'm' => Some(Some(size)),
            _ => None,
        }
    }
}
