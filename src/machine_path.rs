//! Paths of the machine that something was made on. They tell user names and folders to everybody
//! who reads what is published, and lead nowhere for any of them.

/// Folders at the top of a machine's file system under which people and programs keep things.
const ROOTS: [&str; 31] = [
    "builds",
    "content",
    "databricks",
    "dbfs",
    "efs",
    "etc",
    "export",
    "fsx",
    "gpfs",
    "github",
    "home",
    "kaggle",
    "local_disk0",
    "lustre",
    "media",
    "mnt",
    "nfs",
    "opt",
    "private",
    "raid",
    "root",
    "runner",
    "scratch",
    "srv",
    "tmp",
    "usr",
    "Users",
    "var",
    "Volumes",
    "work",
    "workspace",
];

/// Folders whose entries are people's, or made for one run, wherever they lie: such an entry is not
/// told either, and neither is what lies directly below one of [`ROOTS`].
const OF_ONE: [&str; 14] = [
    "home",
    "users",
    "user",
    "tmp",
    "temp",
    "t",
    "documents and settings",
    "scratch",
    "export",
    "efs",
    "fsx",
    "gpfs",
    "lustre",
    "nfs",
];

/// Whether a whole value is such a path: absolute, of Windows, of a server, of somebody's home, or
/// an address of one.
pub(crate) fn is_one(value: &str) -> bool {
    let value = value.trim();
    let below_root = || {
        let mut parts = value.strip_prefix('/')?.split('/').filter(|part| !part.is_empty());
        let first = parts.next()?;
        Some(is_line(value) && (ROOTS.contains(&first) || parts.next().is_some()))
    };
    special(value).is_some() && is_line(value) || below_root().unwrap_or(false)
}

/// As [`is_one`], for values that are seldom paths: only below folders that machines do have.
pub(crate) fn is_surely_one(value: &str) -> bool {
    let value = value.trim();
    is_line(value) && start(value).is_some()
}

fn is_line(value: &str) -> bool {
    !value.contains(char::is_control)
}

/// What may be told of a value that names something: of a path its last part, and of that nothing
/// when it is a user's or a run's own folder.
pub(crate) fn name_of(value: &str) -> Option<String> {
    if is_one(value) {
        return last_part(value.trim());
    }
    let told = scrub(value);
    (!told.is_empty()).then_some(told)
}

/// A text with every such path in it reduced as by [`name_of`]; `…` stands for one that is not told.
pub(crate) fn scrub(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let (mut earlier, mut before) = (None, None);
    while let Some(c) = rest.chars().next() {
        let inside_word = before.is_some_and(|c: char| match c {
            // `vllm//home/ada/model` names a path, `https://home/ada` a server.
            '/' => earlier == Some(':') || rest.starts_with("//") || !rest.starts_with('/'),
            c => c.is_alphanumeric() || matches!(c, '\\' | '.' | '-' | '_' | '~'),
        });
        if let Some(head) = start(rest).filter(|_| !inside_word) {
            let body = &rest[head..];
            let path = &rest[..head + length(body)];
            out.push_str(last_part(path).as_deref().unwrap_or("…"));
            rest = &rest[path.len()..];
            (earlier, before) = (None, path.chars().next_back());
            continue;
        }
        out.push(c);
        (earlier, before) = (before, Some(c));
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Length of what marks a path at the beginning of a text.
fn start(text: &str) -> Option<usize> {
    special(text).or_else(|| {
        let (first, _) = text.strip_prefix('/')?.split_once('/')?;
        ROOTS.contains(&first).then_some(1)
    })
}

/// As [`start`], of everything but `/folder`.
fn special(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if let Some(rest) = text.get(5..).filter(|_| text.starts_with("file:")) {
        return rest.starts_with(['/', '\\']).then_some(5);
    }
    let slash = |at: usize| matches!(bytes.get(at), Some(b'/' | b'\\'));
    let word =
        |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    match bytes.first()? {
        drive if drive.is_ascii_alphabetic() && bytes.get(1) == Some(&b':') => {
            // `s:/` of an address has more before it, and `a://` has two.
            (slash(2) && !text[2..].starts_with("//")).then_some(2)
        }
        b'\\' if bytes.get(1) == Some(&b'\\') && (word(2) || slash(2)) => Some(2),
        b'~' => {
            let name = text[1..].find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c));
            name.filter(|name| slash(1 + name)).map(|_| 1)
        }
        _ => None,
    }
}

/// Length of the path that a text begins with. A space is part of it where the word behind it goes on
/// with a path: `/home/ada lovelace/x`.
fn length(body: &str) -> usize {
    let mut end = body.find(is_end).unwrap_or(body.len());
    while let Some(behind) = body[end..].strip_prefix(' ') {
        let word = &behind[..behind.find(is_end).unwrap_or(behind.len())];
        if !word.contains(['/', '\\']) || word.starts_with(['/', '\\', '~', '.']) {
            break;
        }
        end += 1 + word.len();
    }
    end
}

fn is_end(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'`,;:|<>()[]{}”’»".contains(c)
}

fn last_part(path: &str) -> Option<String> {
    let mut parts = path.rsplit(['/', '\\']).filter(|part| !part.is_empty());
    let last = parts.next()?;
    let of_one = match parts.next() {
        Some(folder) => OF_ONE.contains(&folder.to_lowercase().as_str()),
        // `~ada` and `C:` are all that there is.
        None => last.starts_with('~') || last.ends_with(':'),
    };
    let path = path.strip_prefix("file:").unwrap_or(path);
    let mut from_top = path.split('/').filter(|part| !part.is_empty());
    let below_root = path.starts_with('/')
        && from_top.next().is_some_and(|root| ROOTS.contains(&root))
        && from_top.nth(1).is_none();
    (!of_one && !below_root).then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_name_its_last_part_is_told() {
        for (value, told) in [
            ("/home/ada/models/bert", Some("bert")),
            ("/home/ada lovelace/my models/bert/", Some("bert")),
            ("/Users/ada/bert", Some("bert")),
            ("/ceph/ada/bert", Some("bert")),
            (r"C:\Users\ada\bert", Some("bert")),
            (r"C:\\Users\\ada\\bert", Some("bert")),
            ("C:/Users/ada/bert", Some("bert")),
            ("file:///home/ada/bert", Some("bert")),
            (r"\\server\ada\bert", Some("bert")),
            ("~/bert", Some("bert")),
            ("~ada/models/bert", Some("bert")),
            ("/home/ada", None),
            (r"C:\Users\ada", None),
            ("/tmp/tmpab12", None),
            ("/root", None),
            ("/scratch/ada", None),
            ("/work/ada/", None),
            ("file:///fsx/ada", None),
            ("/mnt/lustre/ada", None),
            ("/scratch/ada/bert", Some("bert")),
            ("google/bert", Some("google/bert")),
            ("./out/bert", Some("./out/bert")),
            ("s3://bucket/home/ada", Some("s3://bucket/home/ada")),
            ("https://example.org/home/ada", Some("https://example.org/home/ada")),
            ("pretrained=/home/ada/bert,dtype=auto", Some("pretrained=bert,dtype=auto")),
            ("", None),
        ] {
            assert_eq!(name_of(value).as_deref(), told, "{value}");
        }
    }

    #[test]
    fn in_prose_each_is_reduced() {
        for (text, told) in [
            ("read /home/ada/x.py:12: and C:\\Users\\ada\\y", "read x.py:12: and y"),
            ("in `/home/ada`, of \"/Users/bob/z\"", "in `…`, of \"z\""),
            ("at /results/toy/acc,none", "at /results/toy/acc,none"),
            ("models/home/ada and a/b", "models/home/ada and a/b"),
            ("dbfs:/Users/ada@acme.example/run", "dbfs:run"),
            ("PATH=/home/ada/bin:/home/bob/bin", "PATH=bin:bin"),
            ("é/home/ada", "é/home/ada"),
            ("see /home/ada lovelace/secret/x", "see x"),
            ("see /home/ada van/b c/x, y/z", "see x, y/z"),
            ("/home/ada/x /home/bob/y and a/b", "x y and a/b"),
            ("/home/ada/x https://a/b", "x https://a/b"),
            (r"C:\Users\ada lovelace\x", "x"),
            ("vllm//home/ada/phi", "vllm/phi"),
            ("https://home/ada/phi", "https://home/ada/phi"),
        ] {
            assert_eq!(scrub(text), told, "{text}");
        }
    }

    #[test]
    fn values_of_settings() {
        for value in ["/home/ada/x", "/ceph/x", r"D:\x", "~/x", "file:///x"] {
            assert!(is_one(value), "{value}");
        }
        for value in
            ["/", "/v1", "bert", "a/b", "{% if /home/ada %}", "text\n/home/ada", "C:", "a://b"]
        {
            assert!(!is_one(value), "{value}");
        }
        assert!(is_surely_one("/home/ada/x") && !is_surely_one("/ceph/x"));
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_left(
            before in "(read |=|\\(|\"|, )",
            root in "(/home/|/Users/|C:\\\\Users\\\\|C:/Users/|file:///home/|~)",
            rest in "ada[/\\\\][b-z]{1,5}",
            after in "( and|,|\\)|\"|)",
        ) {
            let text = format!("{before}{root}{rest}{after}");
            proptest::prop_assert!(!scrub(&text).contains("ada"), "{}", text);
            let all = format!("{root}{rest}");
            proptest::prop_assert!(!name_of(&all).unwrap_or_default().contains("ada"), "{}", all);
        }

        #[test]
        fn any_text_is_taken(text in "\\PC{0,60}") {
            let _ = (is_one(&text), is_surely_one(&text), name_of(&text), scrub(&text));
        }
    }
}
