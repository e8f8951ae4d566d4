//! Callables that are harmless with some arguments only: which.

use super::calls::Calls;
use super::names::{Role, Standing};
use super::value::{Node, Nodes, Texts, Value, View};

/// Arguments of a call.
pub(super) struct Asked<'a> {
    pub(super) items: &'a [Value],
    pub(super) calls: &'a Calls<'a>,
    pub(super) nodes: &'a Nodes,
    pub(super) texts: &'a Texts,
}

impl Asked<'_> {
    fn text(&self, index: usize) -> Option<&str> {
        match self.items.get(index)?.view() {
            View::Text(id) => self.texts.get(id),
            _ => None,
        }
    }

    fn standing(&self, index: usize) -> Option<Standing> {
        self.items.get(index).and_then(|item| self.calls.standing(*item))
    }

    /// A class that may be instantiated; of the author's own package too, which has its finding.
    fn is_class(&self, index: usize) -> bool {
        match self.standing(index) {
            Some(
                Standing::Known(Role::Instantiate | Role::Call)
                | Standing::Own
                | Standing::Compiled,
            ) => true,
            Some(Standing::Known(Role::Shaped)) => self.may_be_held(index),
            _ => false,
        }
    }

    /// A callable that may be called with any data.
    fn is_callable(&self, index: usize) -> bool {
        self.standing(index) == Some(Standing::Known(Role::Call))
    }

    /// A callable that may be held, to be called by whoever uses the model.
    fn may_be_held(&self, index: usize) -> bool {
        match self.standing(index) {
            Some(Standing::Known(Role::Shaped)) => self
                .calls
                .global(self.items[index])
                .is_some_and(|(module, name)| may_be_held(module, name)),
            Some(Standing::Known(_) | Standing::Own) => true,
            Some(Standing::Refused(_) | Standing::Compiled) => false,
            // A bound method, another partial, an instance: made before, and judged there.
            None => match self.items.get(index).map(|item| item.view()) {
                Some(View::Node(id)) => matches!(self.nodes.get(id), Node::Made { .. }),
                Some(View::Data) => true,
                _ => false,
            },
        }
    }
}

/// Whether a callable with a shape may be handed on: whatever it is then called with, it neither
/// resolves names nor loads anything.
pub(super) fn may_be_held(module: &str, name: &str) -> bool {
    matches!(
        (module, name),
        ("collections", "defaultdict" | "ChainMap")
            | ("functools", "partial")
            | ("operator" | "_operator", "itemgetter")
            | ("logging", "getLogger")
    )
}

/// Whether the callable is harmless with these arguments; if not, why.
pub(super) fn agrees(module: &str, name: &str, asked: &Asked<'_>) -> Result<(), &'static str> {
    let (module, name) = (module.replace("numpy._core", "numpy.core"), name);
    let fine = match (module.as_str(), name) {
        ("_codecs", "encode") => match (asked.items.len(), asked.text(1)) {
            (1 | 2, None) if asked.items.len() == 1 => true,
            (_, Some("latin1" | "latin-1" | "ascii" | "utf-8" | "utf8" | "iso-8859-1")) => true,
            _ => return Err("it encodes to Latin-1 in honest files, and to nothing else"),
        },
        ("builtins" | "__builtin__", "getattr") => return attribute(asked),
        ("copyreg" | "copy_reg", "_reconstructor" | "__newobj__" | "__newobj_ex__") => {
            asked.is_class(0)
        }
        ("array", "_array_reconstructor") => asked.is_class(0),
        ("collections", "defaultdict" | "ChainMap") => {
            asked.items.is_empty() || asked.may_be_held(0)
        }
        ("functools", "partial") => asked.may_be_held(0),
        ("operator" | "_operator", "itemgetter") => true,
        ("operator" | "_operator", "attrgetter") => {
            let plain = |index| asked.text(index).is_some_and(|name| name.split('.').all(is_plain));
            (0..asked.items.len()).all(plain)
        }
        ("logging", "getLogger") => asked.items.is_empty() || asked.text(0).is_some(),
        ("numpy.core.multiarray", "_reconstruct") => asked.is_class(0),
        ("pandas.core.indexes.base", "_new_Index") => asked.is_class(0),
        ("torch._tensor", "_rebuild_from_type_v2") => asked.is_callable(0) && asked.is_class(1),
        ("torch._utils", "_rebuild_wrapper_subclass") => asked.is_class(0),
        ("torch.storage", "_load_from_bytes") => {
            let clean = match asked.items.first().map(|item| item.view()) {
                Some(View::Node(id)) => asked.nodes.get(id) == Node::Packed { clean: true },
                _ => false,
            };
            return if clean {
                Ok(())
            } else {
                Err("it loads bytes that are no clean PyTorch file")
            };
        }
        _ => false,
    };
    if fine { Ok(()) } else { Err("with such arguments it is not known to be harmless") }
}

/// `getattr(x, name)`: members of enumerations, classes in classes, methods of the model's own
/// objects. Anything further resolves to whatever the author of the file wanted.
fn attribute(asked: &Asked<'_>) -> Result<(), &'static str> {
    let name = asked.text(1).ok_or("the attribute's name is made up while loading")?;
    // A known class may keep its own private methods.
    let of_known = matches!(asked.standing(0), Some(Standing::Known(_)));
    let private = of_known && !name.contains("__") && is_plain(name.trim_start_matches('_'));
    if !is_plain(name) && !private {
        return Err("the attribute is private or no plain name");
    }
    let owner = match asked.items[0].view() {
        View::Global(_) => asked.is_class(0),
        View::Node(id) => match asked.nodes.get(id) {
            Node::Made { by, .. } => asked.calls.global(by).is_some(),
            _ => false,
        },
        View::Data | View::Int(_) | View::Text(_) => false,
    };
    if owner { Ok(()) } else { Err("it takes an attribute of something that is no known class") }
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
