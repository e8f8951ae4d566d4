//! Secrets in text: tokens with a known shape, and private keys. What is found is never shown.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, packed};

use super::encoding;
use crate::finding::{Level, Rule};
use crate::scan::{Detection, Format, HEAD, Scan};

pub(in crate::scan) const SECRET: Rule = Rule {
    id: "secret-in-file",
    level: Level::Error,
    summary: "a token or private key in a file that would be published",
    reason: "Whoever sees the repository can use it; deleting the file later does not take it back.",
    fix: "revoke the secret where it was issued, then remove it from the file",
    example: "HF_TOKEN=hf_… in a notebook",
};

/// Longest line that is looked at as one; longer ones are looked at in pieces.
const LINE: usize = 256 * 1024;
/// Most secrets named in one file.
const MOST_NAMED: usize = 20;

/// A token: its beginning, the characters of the rest, and how many there are.
struct Shape {
    what: &'static str,
    prefix: &'static str,
    also: &'static str,
    length: std::ops::RangeInclusive<usize>,
}

impl Shape {
    /// Whether the token that begins at a place, with its prefix, is whole and no placeholder.
    fn stands(&self, bytes: &[u8], at: usize) -> bool {
        let rest = &bytes[at + self.prefix.len()..];
        let inside = |b: &u8| b.is_ascii_alphanumeric() || self.also.as_bytes().contains(b);
        let length = rest.iter().position(|b| !inside(b)).unwrap_or(rest.len());
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let joined = before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
        let token = || std::str::from_utf8(&rest[..length]).is_ok_and(is_random);
        !joined && self.length.contains(&length) && token()
    }
}

const SHAPES: [Shape; 26] = [
    Shape { what: "a Hugging Face token", prefix: "hf_", also: "", length: 30..=60 },
    Shape { what: "a Hugging Face JWT", prefix: "hf_jwt_", also: "._-", length: 40..=4000 },
    Shape {
        what: "a Hugging Face organisation token",
        prefix: "api_org_",
        also: "",
        length: 30..=60,
    },
    Shape { what: "a GitHub token", prefix: "ghp_", also: "", length: 36..=36 },
    Shape { what: "a GitHub token", prefix: "gho_", also: "", length: 36..=36 },
    Shape { what: "a GitHub token", prefix: "ghs_", also: "", length: 36..=36 },
    Shape { what: "a GitHub token", prefix: "ghu_", also: "", length: 36..=36 },
    Shape { what: "a GitHub token", prefix: "ghr_", also: "", length: 36..=36 },
    Shape { what: "a GitHub token", prefix: "github_pat_", also: "_", length: 60..=90 },
    Shape { what: "an AWS access key id", prefix: "AKIA", also: "", length: 16..=16 },
    Shape { what: "an AWS access key id", prefix: "ASIA", also: "", length: 16..=16 },
    Shape { what: "an OpenAI key", prefix: "sk-proj-", also: "_-", length: 40..=220 },
    Shape { what: "an OpenAI key", prefix: "sk-svcacct-", also: "_-", length: 40..=220 },
    Shape { what: "an OpenAI key", prefix: "sk-", also: "", length: 48..=48 },
    Shape { what: "an Anthropic key", prefix: "sk-ant-", also: "_-", length: 80..=140 },
    Shape { what: "a Slack token", prefix: "xoxb-", also: "-", length: 40..=90 },
    Shape { what: "a Slack token", prefix: "xoxp-", also: "-", length: 40..=120 },
    Shape { what: "a Slack token", prefix: "xapp-", also: "-", length: 40..=150 },
    Shape { what: "a Google API key", prefix: "AIza", also: "_-", length: 35..=35 },
    Shape { what: "a Google OAuth secret", prefix: "GOCSPX-", also: "_-", length: 28..=28 },
    Shape { what: "an Azure storage key", prefix: "AccountKey=", also: "+/=", length: 88..=88 },
    Shape { what: "a GitLab token", prefix: "glpat-", also: "_-.", length: 20..=60 },
    Shape { what: "a PyPI token", prefix: "pypi-AgEI", also: "_-", length: 60..=250 },
    Shape { what: "an npm token", prefix: "npm_", also: "", length: 36..=36 },
    Shape { what: "a Stripe key", prefix: "sk_live_", also: "", length: 24..=99 },
    Shape { what: "a SendGrid key", prefix: "SG.", also: "_-.", length: 60..=72 },
];

/// What a private key begins with; split so that this very line is no finding.
const KEY: &str = concat!("-----BEGIN", " ");

/// Whether a file that begins so can be searched: a text in whatever encoding.
pub fn may_be_text(head: &[u8]) -> bool {
    !head.contains(&0) || encoding::wide(head).is_some()
}

/// The tokens in bytes that are no text: where each begins, and what it is. Keys and settings are not
/// looked for, because programs and libraries have their words as constants.
pub fn tokens(bytes: &[u8]) -> Vec<(usize, &'static str)> {
    let mut found = BTreeMap::new();
    let mut look = |at: usize, shape: &Shape| {
        if shape.stands(bytes, at) {
            found.insert(at, shape.what);
        }
        found.len() < MOST_NAMED
    };
    match PREFIXES.as_ref() {
        Some(prefixes) => {
            let mut places = prefixes.find_iter(bytes).map(|found| found.start());
            // One prefix may begin another.
            places.all(|at| {
                let here = |shape: &&Shape| bytes[at..].starts_with(shape.prefix.as_bytes());
                SHAPES.iter().filter(here).all(|shape| look(at, shape))
            });
        }
        None => {
            for shape in &SHAPES {
                memchr::memmem::find_iter(bytes, shape.prefix).all(|at| look(at, shape));
            }
        }
    }
    found.into_iter().take(MOST_NAMED).collect()
}

/// What is said of a secret in its place.
pub fn told(what: &str) -> String {
    format!("{what} stands here (not shown)")
}

/// The prefixes of all tokens at once; `None` on processors that have no way to.
static PREFIXES: LazyLock<Option<packed::Searcher>> =
    LazyLock::new(|| packed::Searcher::new(SHAPES.iter().map(|shape| shape.prefix)));

/// Looks for tokens at the beginning of a file that may be no text, while it passes.
#[derive(Default)]
pub struct Passing {
    /// What a token may still begin in, with the byte before.
    held: Vec<u8>,
    /// Where that begins.
    at: u64,
    found: BTreeMap<u64, &'static str>,
}

impl Passing {
    /// Bytes of a file that are looked at: where settings and metadata are.
    const LOOKED_AT: u64 = 4 << 20;
    /// Longer than any token.
    const LONGEST: usize = 4200;

    /// The next bytes of the file.
    pub fn pass(&mut self, bytes: &[u8]) {
        let left = Self::LOOKED_AT.saturating_sub(self.at + self.held.len() as u64);
        let left = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        if left == 0 {
            return;
        }
        self.held.extend_from_slice(&bytes[..left]);
        // One that is cut here is looked at again with what comes after.
        let settled = self.held.len().saturating_sub(Self::LONGEST);
        if settled == 0 {
            return;
        }
        self.look(settled);
        let gone = settled - 1;
        self.held.drain(..gone);
        self.at += gone as u64;
    }

    fn look(&mut self, until: usize) {
        // The first byte is there for the second to be judged by, but at the file's beginning.
        let from = usize::from(self.at > 0);
        let found = tokens(&self.held).into_iter().filter(|(at, _)| (from..until).contains(at));
        self.found.extend(found.map(|(at, what)| (self.at + at as u64, what)));
    }

    /// Adds what was found to a scan of the file, unless that has looked for secrets itself.
    pub fn tell(mut self, scan: &mut Scan) {
        let known = scan.detections.iter().any(|seen| seen.rule.id == SECRET.id);
        if known || super::is_one(scan.format) {
            return;
        }
        self.look(usize::MAX);
        for (at, what) in self.found.into_iter().take(MOST_NAMED) {
            scan.say(&SECRET, told(what), at);
        }
    }
}

/// The secrets in a text of which nothing else is asked.
pub fn secrets(text: &[u8]) -> Vec<Detection> {
    let head = &text[..text.len().min(HEAD)];
    let decoded = encoding::wide(head).map(|wide| encoding::decode(text, wide));
    let text = decoded.as_deref().map_or(text, str::as_bytes);
    let mut found = Scan { format: Format::TEXT, detections: Vec::new(), tensors: None };
    let Some(beginnings) = BEGINNINGS.as_ref() else {
        // Memory is read without errors.
        let _ = scan(&mut &*text, &mut found);
        return found.detections;
    };
    // Only lines with a beginning in them are looked at.
    let (mut counted, mut number, mut looked) = (0, 1_u32, 0);
    for begun in beginnings.find_overlapping_iter(text) {
        let at = begun.start();
        if at < looked {
            continue;
        }
        let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |before| before + 1);
        looked = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |after| at + after);
        let lines = memchr::memchr_iter(b'\n', &text[counted..start]).count();
        (counted, number) =
            (start, number.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX)));
        let _ = lines_from(number, &mut &text[start..looked], &mut found);
        if found.detections.len() >= MOST_NAMED {
            break;
        }
    }
    found.detections
}

/// Looks at every line.
pub(in crate::scan) fn scan(stream: &mut dyn BufRead, scan: &mut Scan) -> io::Result<()> {
    lines_from(1, stream, scan)
}

/// The first line has this number.
fn lines_from(mut line: u32, stream: &mut dyn BufRead, scan: &mut Scan) -> io::Result<()> {
    let mut text = Vec::new();
    loop {
        let chunk = stream.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        let (piece, ends) = match memchr::memchr(b'\n', chunk) {
            Some(at) => (&chunk[..at], true),
            None => (chunk, false),
        };
        // Where a long line is cut must not depend on how it comes.
        let room = LINE.saturating_sub(text.len());
        let piece = &piece[..piece.len().min(room)];
        let whole = ends && piece.len() < room;
        text.extend_from_slice(piece);
        let taken = piece.len() + usize::from(whole);
        stream.consume(taken);
        if whole {
            look(&text, line, scan);
            text.clear();
            line += 1;
        } else if text.len() >= LINE {
            look(&text, line, scan);
            // A token may be cut by the piece's end: keep enough to see it whole.
            text.drain(..text.len() - 4096);
        }
        if scan.detections.len() >= MOST_NAMED {
            return Ok(());
        }
    }
    look(&text, line, scan);
    Ok(())
}

/// What a secret begins with, or has before it, in one automaton: most lines have none of it.
static BEGINNINGS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let prefixes = SHAPES.iter().map(|shape| shape.prefix);
    let all = prefixes.chain(NAMES).chain([KEY]);
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(all)
        .ok()
});

fn look(line: &[u8], number: u32, scan: &mut Scan) {
    let begun: BTreeSet<usize> = match BEGINNINGS.as_ref() {
        Some(beginnings) => {
            let found = beginnings.find_overlapping_iter(line);
            found.map(|found| found.pattern().as_usize()).collect()
        }
        None => (0..=SHAPES.len()).collect(),
    };
    if begun.is_empty() {
        return;
    }
    let text = String::from_utf8_lossy(line);
    for shape in begun.iter().filter_map(|index| SHAPES.get(*index)) {
        for (at, _) in text.match_indices(shape.prefix) {
            if shape.stands(text.as_bytes(), at) {
                let column = u32::try_from(text[..at].chars().count() + 1).unwrap_or(u32::MAX);
                say(shape.what, number, column, scan);
            }
        }
    }
    if begun.iter().any(|index| *index >= SHAPES.len()) {
        assigned(&text, number, scan);
    }
    if let Some(at) = text.find(KEY)
        && text[at..].contains(concat!("PRIVATE", " KEY-----"))
    {
        say(
            "a private key",
            number,
            u32::try_from(text[..at].chars().count() + 1).unwrap_or(1),
            scan,
        );
    }
}

/// Names whose values are secrets whatever they look like, as settings and `.env` files have them.
const NAMES: [&str; 7] = [
    "aws_secret_access_key",
    "wandb_api_key",
    "azure_client_secret",
    "db_password",
    "postgres_password",
    "slack_webhook_url",
    "openai_api_key",
];

/// `NAME = value` with a value that is no placeholder.
fn assigned(text: &str, number: u32, scan: &mut Scan) {
    let lower = text.to_ascii_lowercase();
    for name in NAMES {
        let Some(at) = lower.find(name) else { continue };
        let rest = text[at + name.len()..].trim_start_matches(['"', '\'', ' ']);
        let Some(value) = rest.strip_prefix(['=', ':']) else { continue };
        let value = value.trim_start_matches(['"', '\'', ' ']);
        let end = value
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';'))
            .unwrap_or(value.len());
        let value = &value[..end];
        let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || "+/=_-.:@!#%".contains(c));
        let looked_up = value.contains("environ")
            || value.starts_with(['$', '{', '<'])
            || value.contains("secrets.");
        if value.len() >= 12 && plain && !looked_up && is_random(value) {
            let column = u32::try_from(text[..at].chars().count() + 1).unwrap_or(u32::MAX);
            say(&format!("a value of `{name}`"), number, column, scan);
        }
    }
}

fn say(what: &str, line: u32, column: u32, scan: &mut Scan) {
    let known =
        scan.detections.iter().any(|seen| seen.line == Some(line) && seen.column == Some(column));
    if known || scan.detections.len() >= MOST_NAMED {
        return;
    }
    let message = told(what);
    scan.detections.push(Detection::on_line(&SECRET, message, line, column));
}

/// Placeholders (`hf_xxxxxxxx…`, `hf_your_token_here`) repeat few characters; secrets do not.
fn is_random(token: &str) -> bool {
    let mut kinds: Vec<char> = token.chars().collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mixed =
        token.chars().any(|c| c.is_ascii_digit()) || token.chars().any(|c| c.is_ascii_uppercase());
    kinds.len() >= 10.min(token.len() / 2) && mixed && !token.contains("EXAMPLE")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::testing::scan_bytes;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tokens_that_pass_in_pieces_are_those_of_the_whole(
            parts in prop::collection::vec((0usize..4, 0usize..5000), 1..8),
            cuts in prop::collection::vec(1usize..6000, 1..12),
        ) {
            let token = format!("hf{}", "_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3f");
            let mut file = Vec::new();
            for (kind, length) in parts {
                let filling: &[u8] = [&b"\xff"[..], b"x", b"hf_", b" "][kind];
                file.extend(filling.iter().cycle().take(length));
                file.extend_from_slice(token.as_bytes());
            }
            let (mut passing, mut left) = (Passing::default(), &file[..]);
            for cut in cuts.iter().cycle() {
                let (piece, rest) = left.split_at((*cut).min(left.len()));
                passing.pass(piece);
                left = rest;
                if left.is_empty() {
                    break;
                }
            }
            let mut scan = Scan { format: Format::UNKNOWN, detections: Vec::new(), tensors: None };
            passing.tell(&mut scan);
            let found: Vec<_> = scan.detections.iter().map(|seen| seen.offset).collect();
            let whole: Vec<_> = tokens(&file).iter().map(|(at, _)| Some(*at as u64)).collect();
            prop_assert_eq!(found, whole);
        }
    }

    #[test]
    fn shapes_are_found_at_line_and_column_and_never_shown() {
        let token = format!("hf{}", "_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3f");
        let scan = scan_bytes("notes.txt", format!("one\ntoken: {token}\n").as_bytes());
        assert_eq!(scan.detections.len(), 1);
        let seen = &scan.detections[0];
        assert_eq!((seen.rule.id, seen.line, seen.column), ("secret-in-file", Some(2), Some(8)));
        assert!(!seen.message.contains(&token[3..]));
        for (before, secret) in [
            ("", ["sk-pr", "oj-aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5hJ7kL9mN"].concat()),
            ("key: ", ["xox", "b-123456789012-1234567890123-aB3dE5gH7jK9mN1pQ3sT5vW7"].concat()),
            ("", ["AI", "zaB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5"].concat()),
            ("aws_secret_access_key = ", "wJalrXUtnFEMI/K7MDENG/bPxRfiCY9dE3fG5hJk".to_owned()),
        ] {
            let scan = scan_bytes(".env", format!("{before}{secret}\n").as_bytes());
            assert_eq!(scan.detections.len(), 1, "{secret}");
            assert!(!scan.detections[0].message.contains(&secret[8..]));
        }
        let key = concat!("-----BEGIN RSA PRIV", "ATE KEY-----\n");
        assert_eq!(scan_bytes("k", key.as_bytes()).detections.len(), 1);
        let long = format!("{}{token}", " ".repeat(super::LINE - 10));
        assert_eq!(scan_bytes("long.txt", long.as_bytes()).detections.len(), 1);
    }

    /// Two ways to the same places: line by line as a file comes, and beginnings first.
    #[test]
    fn what_is_searched_for_secrets_alone_has_the_same_ones() {
        let token = format!("hf{}", "_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3f");
        let texts = [
            String::new(),
            token.clone(),
            format!("\n\nhf_ no\n  {token} {token}\r\nhf_xxx\n{token}"),
            format!("task-sk-{token}\n-----BEGIN RSA {}ATE KEY-----\n{token}\n", "PRIV"),
            format!("{}{token}\n{token}", " ".repeat(super::LINE - 10)),
            format!("{token}\n").repeat(50),
        ];
        for text in texts {
            let places = |found: &[crate::scan::Detection]| -> Vec<_> {
                found.iter().map(|seen| (seen.line, seen.column, seen.message.clone())).collect()
            };
            let (one, other) =
                (scan_bytes("t.txt", text.as_bytes()), super::secrets(text.as_bytes()));
            assert_eq!(places(&one.detections), places(&other), "{text:.80}");
        }
    }

    #[test]
    fn placeholders_are_not() {
        for text in [
            "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "hf_your_token_here",
            "AKIAIOSFODNN7EXAMPLE",
            "xhf_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3f",
            "self_attention",
            "aws_secret_access_key = os.environ['AWS_SECRET_ACCESS_KEY']",
            "OPENAI_API_KEY=your-key-goes-here",
            "WANDB_API_KEY: ${{ secrets.WANDB_API_KEY }}",
            "sk-learn-contrib-is-a-name-of-packages-not-a-key",
        ] {
            assert!(scan_bytes("t", text.as_bytes()).detections.is_empty(), "{text}");
        }
    }
}
