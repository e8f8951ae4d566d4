//! What is known of names that pickles import.

/// What is known of one name.
pub(super) enum Standing {
    /// Model files of common libraries need it, and it only builds data.
    Known,
    /// It hands control on; the text completes "which …".
    Dangerous(&'static str),
    /// Nothing is known.
    Unknown,
}

/// Names that build data, exactly.
const KNOWN: [(&str, &[&str]); 13] = [
    ("collections", &["OrderedDict", "defaultdict", "deque", "Counter"]),
    (
        "builtins",
        &[
            "set",
            "frozenset",
            "slice",
            "range",
            "complex",
            "bytearray",
            "int",
            "float",
            "str",
            "list",
            "dict",
            "tuple",
            "bool",
            "object",
        ],
    ),
    (
        "__builtin__",
        &[
            "set",
            "frozenset",
            "slice",
            "xrange",
            "complex",
            "bytearray",
            "long",
            "int",
            "float",
            "str",
            "list",
            "dict",
            "tuple",
            "bool",
            "object",
            "unicode",
        ],
    ),
    ("copyreg", &["_reconstructor"]),
    ("copy_reg", &["_reconstructor"]),
    ("_codecs", &["encode"]),
    ("datetime", &["datetime", "date", "time", "timedelta", "timezone"]),
    ("decimal", &["Decimal"]),
    ("fractions", &["Fraction"]),
    ("uuid", &["UUID"]),
    (
        "torch",
        &[
            "Size",
            "device",
            "dtype",
            "Tensor",
            "FloatStorage",
            "DoubleStorage",
            "HalfStorage",
            "BFloat16Storage",
            "LongStorage",
            "IntStorage",
            "ShortStorage",
            "CharStorage",
            "ByteStorage",
            "BoolStorage",
            "QInt8Storage",
            "QUInt8Storage",
            "float32",
            "float16",
            "bfloat16",
            "float64",
            "int64",
            "int32",
            "int16",
            "int8",
            "uint8",
            "bool",
        ],
    ),
    (
        "torch._utils",
        &[
            "_rebuild_tensor",
            "_rebuild_tensor_v2",
            "_rebuild_tensor_v3",
            "_rebuild_parameter",
            "_rebuild_parameter_with_state",
            "_rebuild_qtensor",
            "_rebuild_sparse_tensor",
        ],
    ),
    ("torch.storage", &["UntypedStorage", "TypedStorage"]),
];

/// numpy's array pickling, in its old and new modules.
const NUMPY: [&str; 11] = [
    "_reconstruct",
    "scalar",
    "ndarray",
    "dtype",
    "_frombuffer",
    "__randomstate_ctor",
    "__generator_ctor",
    "__bit_generator_ctor",
    "RandomState",
    "Generator",
    "MT19937",
];

/// Top-level modules of the standard library that run code, and what they do.
const DANGEROUS: [(&str, &[&str]); 5] = [
    (
        "runs commands",
        &[
            "os",
            "posix",
            "nt",
            "subprocess",
            "pty",
            "commands",
            "popen2",
            "_posixsubprocess",
            "multiprocessing",
            "asyncio",
            "pdb",
            "bdb",
            "timeit",
            "profile",
            "cProfile",
            "trace",
            "doctest",
            "code",
            "codeop",
            "runpy",
            "idlelib",
            "lib2to3",
            "distutils",
            "ensurepip",
            "venv",
            "pip",
            "setuptools",
            "webbrowser",
            "antigravity",
            "uuid",
            "platform",
            "test",
            "unittest",
        ],
    ),
    (
        "reaches everything by name",
        &[
            "importlib",
            "imp",
            "pkgutil",
            "pydoc",
            "operator",
            "_operator",
            "functools",
            "_functools",
            "itertools",
            "inspect",
            "types",
            "typing",
            "sys",
            "gc",
            "ctypes",
            "_ctypes",
            "builtins",
            "__builtin__",
            "__main__",
            "copyreg",
            "copy_reg",
            "weakref",
            "contextlib",
            "atexit",
            "signal",
            "threading",
            "_thread",
            "concurrent",
        ],
    ),
    (
        "loads code",
        &[
            "pickle",
            "_pickle",
            "cPickle",
            "marshal",
            "shelve",
            "zipimport",
            "dill",
            "cloudpickle",
            "joblib",
            "site",
            "sysconfig",
            "codecs",
            "_codecs",
        ],
    ),
    (
        "opens files",
        &[
            "io",
            "_io",
            "pathlib",
            "shutil",
            "tempfile",
            "glob",
            "fileinput",
            "linecache",
            "tarfile",
            "zipfile",
            "gzip",
            "bz2",
            "lzma",
            "sqlite3",
            "dbm",
            "mmap",
            "logging",
        ],
    ),
    (
        "reaches the network",
        &[
            "socket",
            "_socket",
            "ssl",
            "http",
            "httplib",
            "urllib",
            "urllib2",
            "ftplib",
            "smtplib",
            "poplib",
            "imaplib",
            "telnetlib",
            "nntplib",
            "xmlrpc",
            "socketserver",
            "requests",
            "aiohttp",
            "httpx",
        ],
    ),
];

pub(super) fn standing(module: &str, name: &str) -> Standing {
    if KNOWN.iter().any(|(known, names)| *known == module && names.contains(&name)) {
        return Standing::Known;
    }
    let array = [
        "numpy",
        "numpy.core.multiarray",
        "numpy._core.multiarray",
        "numpy.core.numeric",
        "numpy._core.numeric",
        "numpy.random._pickle",
        "numpy.random._mt19937",
        "numpy.random.mtrand",
    ];
    if array.contains(&module) && NUMPY.contains(&name) {
        return Standing::Known;
    }
    let top = module.split('.').next().unwrap_or(module);
    for (does, modules) in DANGEROUS {
        if modules.contains(&top) {
            return Standing::Dangerous(does);
        }
    }
    // Under protocol 4 a dotted name walks attributes, from anywhere to anywhere.
    if name.contains('.') || name.starts_with("__") || module.starts_with('_') {
        return Standing::Dangerous("walks to attributes that only the loader knows");
    }
    let runs = [
        "numpy.f2py",
        "numpy.testing",
        "numpy.distutils",
        "torch.hub",
        "torch.serialization",
        "torch.utils",
        "torch.jit",
        "torch.package",
        "torch._dynamo",
        "torch._inductor",
        "torch.fx",
        "torch.distributed",
    ];
    if runs.iter().any(|inside| module == *inside || module.starts_with(&format!("{inside}."))) {
        return Standing::Dangerous("can run code");
    }
    Standing::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_exact_name_not_by_module() {
        assert!(matches!(standing("collections", "OrderedDict"), Standing::Known));
        assert!(matches!(standing("builtins", "eval"), Standing::Dangerous(_)));
        assert!(matches!(standing("numpy.core.multiarray", "_reconstruct"), Standing::Known));
        assert!(matches!(standing("numpy.f2py.crackfortran", "myeval"), Standing::Dangerous(_)));
        assert!(matches!(standing("pathlib", "os.system"), Standing::Dangerous(_)));
        assert!(matches!(standing("collections", "os.system"), Standing::Dangerous(_)));
        assert!(matches!(standing("mine", "Net"), Standing::Unknown));
    }
}
