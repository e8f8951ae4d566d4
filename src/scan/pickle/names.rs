//! What is known of the names that pickles import.
//!
//! `known/generated.txt.gz` is made by `known/generate.py` from the real packages; `known/by_hand.txt`
//! has what no script can see; `known/modules.txt` says which modules are nobody's own.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::LazyLock;

/// What a pickle may do with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Hold it.
    Hold,
    /// Instantiate it without a call.
    Instantiate,
    /// Call it with any data.
    Call,
    /// Call it with arguments that [`super::shapes`] agrees with; never hand it on.
    Shaped,
}

/// What is known of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Model files need it, and used in this role it only builds data.
    Known(Role),
    /// A name of a module that does the thing said ("runs commands").
    Refused(&'static str),
    /// A class that PyTorch's own compiler named; it is data of the same archive.
    Compiled,
    /// A name of a package that nobody here knows: the author's own.
    Own,
}

/// Made by `known/generate.py`, packed.
const GENERATED: &[u8] = include_bytes!("known/generated.txt.gz");
const BY_HAND: &str = include_str!("known/by_hand.txt");
const MODULES: &str = include_str!("known/modules.txt");

/// How modules.txt calls packages whose listed names are harmless.
const NUMERIC_PACKAGE: &str = "is no known part of its package";

/// Module → the lines of its names, each with its role.
type Known = HashMap<&'static str, Vec<(Role, &'static str)>>;

static GENERATED_TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::new();
    // It is part of the program; a test reads it to its end.
    let _ = flate2::read::GzDecoder::new(GENERATED).read_to_string(&mut text);
    text
});

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let mut known = Known::new();
    for text in [GENERATED_TEXT.as_str(), BY_HAND] {
        let mut module = "";
        for line in text.lines() {
            match line.as_bytes() {
                [] | [b'#', ..] => {}
                [b' ', role, b' ', ..] => {
                    let role = match role {
                        b'r' => Role::Hold,
                        b'i' => Role::Instantiate,
                        b'c' => Role::Call,
                        _ => Role::Shaped,
                    };
                    known.entry(module).or_default().push((role, &line[3..]));
                }
                _ => module = line,
            }
        }
    }
    known
});

static REFUSED: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lines = MODULES.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines
        .filter_map(|line| line.split_once(": "))
        .flat_map(|(does, modules)| modules.split_whitespace().map(move |module| (module, does)));
    let mut refused = HashMap::new();
    for (module, does) in pairs {
        // The first line that names a module says the gravest.
        refused.entry(module).or_insert(does);
    }
    refused
});

/// What is known of `module.name`, as the loader of Python 3 resolves it.
pub(super) fn standing(module: &str, name: &str) -> Standing {
    let (module, name) = renamed(module, name);
    let module = module.replace("numpy._core", "numpy.core");
    if let Some(role) = known(&module, name) {
        return Standing::Known(role);
    }
    // A method of a known class, held to be called by the model itself.
    if let Some((class, method)) = name.split_once('.')
        && known(&module, class).is_some_and(|role| role != Role::Hold)
        && REFUSED.get(module.split('.').next().unwrap_or_default()) == Some(&NUMERIC_PACKAGE)
        && !method.contains("__")
        && method.chars().all(is_of_a_name)
    {
        return Standing::Known(Role::Hold);
    }
    if module == "__torch__" || module.starts_with("__torch__.") {
        return Standing::Compiled;
    }
    let mut place = module.as_str();
    loop {
        if let Some(does) = REFUSED.get(place) {
            return Standing::Refused(does);
        }
        match place.rsplit_once('.') {
            Some((above, _)) => place = above,
            None => break,
        }
    }
    if module.starts_with('_') && module != "__main__" && !module.starts_with("__mp_main__") {
        return Standing::Refused("is private to Python or to a package");
    }
    // With a dot a name walks from attribute to attribute; only classes in classes are what an
    // author means by that.
    let plain = |part: &str| {
        part.starts_with(|first: char| first.is_alphabetic()) && part.chars().all(is_of_a_name)
    };
    let nested = name.contains('.');
    let own = name.split('.').all(|part| {
        plain(part) && (!nested || part.starts_with(char::is_uppercase))
            || !nested
                && part.starts_with('_')
                && !part.starts_with("__")
                && part.chars().all(is_of_a_name)
    });
    if own && module.split('.').all(|part| !part.is_empty()) {
        Standing::Own
    } else {
        Standing::Refused("walks to attributes that only the loader knows")
    }
}

fn is_of_a_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The role of a known name; a list line may say it twice, the hand's word counts.
fn known(module: &str, name: &str) -> Option<Role> {
    let lines = KNOWN.get(module)?;
    let has = |names: &str| names.split(' ').any(|known| known == name);
    lines.iter().rev().find(|(_, names)| has(names)).map(|(role, _)| *role)
}

/// Python 2's names as Python 3's loader translates them (CPython `Lib/_compat_pickle.py`), those
/// that known files hold or attackers use.
fn renamed<'a>(module: &'a str, name: &'a str) -> (&'a str, &'a str) {
    match (module, name) {
        ("__builtin__", "xrange") => ("builtins", "range"),
        ("__builtin__", "unicode") => ("builtins", "str"),
        ("__builtin__", "long") => ("builtins", "int"),
        ("__builtin__", "unichr") => ("builtins", "chr"),
        ("__builtin__", "reduce") => ("functools", "reduce"),
        ("itertools", "izip") => ("builtins", "zip"),
        ("__builtin__" | "exceptions", name) => ("builtins", name),
        ("copy_reg", name) => ("copyreg", name),
        ("UserDict", "UserDict") => ("collections", "UserDict"),
        ("UserList", "UserList") => ("collections", "UserList"),
        ("UserString", "UserString") => ("collections", "UserString"),
        ("whichdb" | "dbm" | "anydbm", name) => ("dbm", name),
        (module, name) => (module, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_exact_name_and_role() {
        for (module, name, expected) in [
            ("collections", "OrderedDict", Standing::Known(Role::Call)),
            ("builtins", "getattr", Standing::Known(Role::Shaped)),
            ("__builtin__", "xrange", Standing::Known(Role::Call)),
            ("copy_reg", "_reconstructor", Standing::Known(Role::Shaped)),
            ("numpy._core.multiarray", "_reconstruct", Standing::Known(Role::Shaped)),
            ("numpy", "log1p", Standing::Known(Role::Hold)),
            (
                "sklearn.ensemble._forest",
                "RandomForestClassifier",
                Standing::Known(Role::Instantiate),
            ),
            ("sklearn.tree._tree", "Tree", Standing::Known(Role::Call)),
            ("torch._utils", "_rebuild_tensor_v2", Standing::Known(Role::Call)),
            ("transformers.training_args", "TrainingArguments", Standing::Known(Role::Instantiate)),
            ("zoneinfo", "ZoneInfo._unpickle", Standing::Known(Role::Call)),
            ("builtins", "eval", Standing::Refused("runs Python code")),
            ("os", "system", Standing::Refused("runs commands")),
            ("numpy.f2py.crackfortran", "myeval", Standing::Refused("runs commands")),
            (
                "asyncio.unix_events",
                "_UnixSubprocessTransport._start",
                Standing::Refused("runs commands"),
            ),
            ("__torch__.torch.nn.Linear", "Linear", Standing::Compiled),
            ("mine.models", "Net", Standing::Own),
            ("__main__", "Net", Standing::Own),
            ("mine", "Outer.Inner", Standing::Own),
        ] {
            assert_eq!(standing(module, name), expected, "{module}.{name}");
        }
        for (module, name) in [
            ("pathlib", "os.system"),
            ("mine", "os.system"),
            ("mine", "__builtins__"),
            ("mine", "a b"),
            ("_mine", "X"),
            ("numpy", "size.__self__"),
            ("", "X"),
            ("mine..x", "X"),
        ] {
            assert!(matches!(standing(module, name), Standing::Refused(_)), "{module}.{name}");
        }
    }

    #[test]
    fn the_packed_list_unpacks_to_its_end() {
        assert!(GENERATED_TEXT.starts_with("# Made by generate.py"), "run known/generate.py");
        assert!(GENERATED_TEXT.len() > 1_000_000 && GENERATED_TEXT.ends_with('\n'));
    }

    /// What would hand control on must never get into the lists by way of the script.
    #[test]
    fn no_list_knows_what_runs_code() {
        for (module, lines) in KNOWN.iter() {
            for name in lines.iter().flat_map(|(_, names)| names.split(' ')) {
                let last = name.rsplit('.').next().unwrap_or(name);
                let runs = [
                    "eval",
                    "exec",
                    "system",
                    "Popen",
                    "run",
                    "import_module",
                    "__import__",
                    "loads",
                    "open",
                    "compile_command",
                    "interact",
                ];
                assert!(!runs.contains(&last), "{module}.{name}");
            }
        }
    }
}
