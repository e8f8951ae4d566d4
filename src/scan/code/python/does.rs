//! What calls of well-known names do.

/// What a call of a dotted name does.
pub(super) enum Does {
    /// Never what a model's code is for.
    Unsafe(&'static str),
    /// Unsafe where it runs on import, doubtful in a function.
    OnImport(&'static str),
    /// Doubtful anywhere.
    Doubtful(&'static str),
}

pub(super) fn does(name: &str) -> Option<Does> {
    use Does::{Doubtful, OnImport, Unsafe};
    let (module, last) = name.rsplit_once('.').unwrap_or(("", name));
    Some(match (module, last) {
        ("os", "system" | "popen" | "startfile" | "fork" | "forkpty" | "kill")
        | ("pty", "spawn")
        | ("commands", "getoutput" | "getstatusoutput")
        | ("asyncio", "create_subprocess_shell" | "create_subprocess_exec") => {
            Unsafe("runs commands")
        }
        ("os" | "posix" | "nt", last)
            if last.starts_with("exec")
                || last.starts_with("spawn")
                || last.starts_with("posix_spawn") =>
        {
            Unsafe("runs commands")
        }
        ("posix" | "nt", "system" | "popen") => Unsafe("runs commands"),
        (
            "subprocess",
            "run" | "call" | "check_call" | "check_output" | "Popen" | "getoutput"
            | "getstatusoutput",
        ) => Unsafe("runs commands"),
        ("socket", "socket" | "create_connection" | "create_server") => Unsafe("opens sockets"),
        ("ctypes", "CDLL" | "WinDLL" | "PyDLL" | "cdll" | "windll")
        | ("ctypes.cdll" | "ctypes.windll", _) => Unsafe("loads native libraries"),
        ("marshal", "loads" | "load")
        | ("types", "FunctionType" | "CodeType")
        | ("code", "InteractiveInterpreter" | "interact") => {
            Unsafe("runs code that is not in the file as text")
        }
        ("runpy", "run_path" | "run_module") => Unsafe("runs other files"),
        ("shutil", "rmtree") | ("os", "remove" | "unlink" | "rmdir" | "removedirs") => {
            OnImport("deletes files")
        }
        ("pip" | "pip._internal" | "pip.main", "main") => Unsafe("installs packages"),
        ("requests" | "httpx", "post" | "put" | "patch")
        | ("smtplib", "SMTP" | "SMTP_SSL")
        | ("ftplib", "FTP" | "FTP_TLS")
        | ("paramiko", "SSHClient")
        | ("telnetlib", "Telnet")
        | ("websocket", "create_connection") => Unsafe("sends data to the network"),
        ("requests" | "httpx", "get" | "request" | "Session" | "Client" | "AsyncClient")
        | ("aiohttp", "ClientSession")
        | ("urllib.request", "urlopen" | "urlretrieve" | "Request")
        | ("urllib", "urlopen" | "urlretrieve")
        | ("http.client", "HTTPConnection" | "HTTPSConnection")
        | ("urllib3", "PoolManager") => OnImport("reads from the network"),
        (
            "pickle" | "cPickle" | "_pickle" | "dill" | "cloudpickle" | "joblib",
            "load" | "loads",
        ) => Doubtful("loads pickles"),
        ("importlib", "import_module") => OnImport("imports by name"),
        ("builtins" | "", "exec" | "eval" | "compile" | "__import__") => return None,
        _ => return None,
    })
}

/// Modules through which everything can be reached.
pub(super) fn is_powerful(module: &str) -> bool {
    matches!(
        module.split('.').next().unwrap_or(module),
        "os" | "posix"
            | "nt"
            | "subprocess"
            | "builtins"
            | "__builtins__"
            | "importlib"
            | "sys"
            | "ctypes"
            | "socket"
            | "pty"
            | "marshal"
            | "runpy"
            | "shutil"
    )
}
