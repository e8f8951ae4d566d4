//! The numbers that a text claims for measures: in its tables, its sentences, its `model-index`.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::names::{Names, words};
use crate::hub::yaml_tree::{Node, Value};

/// A number that a text gives for a measure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Claim {
    /// The measure, as [`Names`] has it.
    pub(super) measure: String,
    /// The number as written: `91.2%`.
    pub(super) shown: String,
    /// Byte of the text at which the table's row, or the sentence's paragraph, begins.
    pub(super) at: usize,
    /// A link stands beside it: the number is somebody else's, and its source is named.
    pub(super) cited: bool,
}

/// The claims of one table, one paragraph or one result: where one of them agrees with the evidence,
/// others of the same measure are comparisons.
pub(super) type Block = Vec<Claim>;

/// The claims of a Markdown text. Code, comments and headings claim nothing.
pub(super) fn in_markdown(text: &str, names: &Names) -> Vec<Block> {
    let mut reader =
        Reader { names, blocks: Vec::new(), table: None, run: Run::default(), silent: 0 };
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        reader.take(event, range);
    }
    reader.end_paragraph();
    reader.blocks.retain(|block| !block.is_empty());
    reader.blocks
}

/// The claims of a `model-index`, each with its place counted from the start of the YAML text.
pub(super) fn in_model_index<'a>(index: &'a Node, names: &Names) -> Vec<(Claim, &'a Node)> {
    let items = |node: Option<&'a Node>| match node.map(|node| &node.value) {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    let mut claims = Vec::new();
    for result in items(Some(index)).iter().flat_map(|entry| items(entry.get("results"))) {
        let cited = result.get("source").is_some();
        for metric in items(result.get("metrics")) {
            let name = metric.get("type").and_then(Node::as_text);
            if let (Some(name), Some(value)) = (name, metric.get("value"))
                && let Value::Scalar { text, .. } = &value.value
            {
                let (measure, shown) = (names.measure(name), text.clone());
                claims.push((Claim { measure, shown, at: 0, cited }, value));
            }
        }
    }
    claims
}

/// Text that is being read, with what stands in it.
#[derive(Default)]
struct Run {
    text: String,
    at: Option<usize>,
    has_link: bool,
}

/// The table being read.
#[derive(Default)]
struct Table {
    header: Vec<String>,
    row: Vec<String>,
    row_at: usize,
    row_has_link: bool,
    claims: Block,
}

struct Reader<'n> {
    names: &'n Names,
    blocks: Vec<Block>,
    table: Option<Table>,
    run: Run,
    /// How many headings and blocks of code are open.
    silent: usize,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(Tag::Heading { .. } | Tag::CodeBlock(_)) => {
                self.end_paragraph();
                self.silent += 1;
            }
            Event::End(TagEnd::Heading(_) | TagEnd::CodeBlock) => {
                self.silent = self.silent.saturating_sub(1);
            }
            Event::Text(text) | Event::Code(text) if self.silent == 0 => {
                self.run.at.get_or_insert(range.start);
                self.run.text.push_str(&text);
            }
            Event::SoftBreak | Event::HardBreak => self.run.text.push(' '),
            Event::Start(Tag::Link { .. }) => self.run.has_link = true,
            Event::Start(Tag::Table(_)) => {
                self.end_paragraph();
                self.table = Some(Table::default());
            }
            Event::Start(Tag::TableRow | Tag::TableHead) => {
                if let Some(table) = &mut self.table {
                    (table.row_at, table.row_has_link) = (range.start, false);
                }
            }
            Event::End(TagEnd::TableCell) => {
                let cell = std::mem::take(&mut self.run);
                if let Some(table) = &mut self.table {
                    table.row_has_link |= cell.has_link;
                    table.row.push(cell.text);
                }
            }
            Event::End(TagEnd::TableHead) => {
                if let Some(table) = &mut self.table {
                    table.header = std::mem::take(&mut table.row);
                }
            }
            Event::End(TagEnd::TableRow) => {
                if let Some(table) = &mut self.table {
                    table.end_row(self.names);
                }
            }
            Event::End(TagEnd::Table) => {
                self.blocks.extend(self.table.take().map(|table| table.claims));
            }
            Event::Start(Tag::Paragraph | Tag::Item)
            | Event::End(TagEnd::Paragraph | TagEnd::Item) => {
                self.end_paragraph();
            }
            _ => {}
        }
    }

    fn end_paragraph(&mut self) {
        let Run { text, at, has_link } = std::mem::take(&mut self.run);
        let claims = in_prose(&text, self.names).into_iter();
        let (at, cited) = (at.unwrap_or_default(), has_link);
        let block = claims.map(|(measure, shown)| Claim { measure, shown, at, cited });
        self.blocks.push(block.collect());
    }
}

impl Table {
    /// Reads a row: a number below a measure's name, or right of one.
    fn end_row(&mut self, names: &Names) {
        let row = std::mem::take(&mut self.row);
        let (at, cited) = (self.row_at, self.row_has_link);
        let mut claim = |measure: &str, cell: &str| {
            if let Some(shown) = only_number(cell) {
                self.claims.push(Claim { measure: measure.into(), shown, at, cited });
            }
        };
        let of_columns: Vec<_> = self.header.iter().map(|cell| names.in_cell(cell)).collect();
        if of_columns.iter().any(Option::is_some) {
            for (measure, cell) in of_columns.iter().zip(&row) {
                if let Some(measure) = measure {
                    claim(measure, cell);
                }
            }
            return;
        }
        let measured =
            row.iter().enumerate().find_map(|(at, cell)| Some((at, names.in_cell(cell)?)));
        let Some((named_at, measure)) = measured else { return };
        let is_value = |cell: &String| {
            let words = words(cell);
            matches!(words.as_slice(), [word] if ["value", "score", "result"].contains(&word.as_str()))
        };
        match self.header.iter().position(is_value) {
            Some(column) => row.get(column).into_iter().for_each(|cell| claim(measure, cell)),
            None => row[named_at + 1..].iter().for_each(|cell| claim(measure, cell)),
        }
    }
}

/// The number of a cell that holds one, whatever error is given behind it: `**0.91** ± 0.01`.
fn only_number(cell: &str) -> Option<String> {
    let mut tokens = cell.split(['±', ' ', '(']).filter(|token| !token.is_empty());
    let (first, second) = (tokens.next()?, tokens.next());
    match second {
        Some("%") => number(&format!("{first}%")),
        _ => number(first),
    }
}

/// Words between a measure and its number: “accuracy (macro) of about 0.91”.
const BETWEEN: [&str; 18] = [
    "of", "is", "was", "are", "score", "scores", "about", "around", "roughly", "reaches",
    "reached", "an", "a", "macro", "micro", "weighted", "=", "equals",
];

/// The claims of sentences: the number that follows a measure's name, or the percentage before it.
fn in_prose(text: &str, names: &Names) -> Vec<(String, String)> {
    let tokens = tokens(text);
    let words: Vec<_> = tokens.iter().map(Token::word).collect();
    let mut claims = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Some((measure, length)) = names.at_start(&words[at..]) else {
            at += 1;
            continue;
        };
        let after = tokens[at + length..].iter();
        let after = after.take(5).find(|token| !BETWEEN.contains(&token.word()));
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let shown = match (after, before) {
            (Some(Token::Number(shown)), _) => Some(shown),
            (_, Some(Token::Number(shown))) if shown.ends_with('%') => Some(shown),
            _ => None,
        };
        claims.extend(shown.map(|shown| (measure.to_owned(), shown.clone())));
        at += length;
    }
    claims
}

enum Token {
    /// In lower case.
    Word(String),
    Number(String),
    /// The end of a sentence or of a part of one, where nothing goes on.
    Stop,
}

impl Token {
    fn word(&self) -> &str {
        match self {
            Self::Word(word) => word,
            Self::Number(_) | Self::Stop => "",
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for raw in text.split_whitespace() {
        if raw == "%" {
            if let Some(Token::Number(number)) = tokens.last_mut() {
                number.push('%');
            }
            continue;
        }
        // `Accuracy:0.91` and `f1=0.63` are a word and a number.
        for part in raw.split_inclusive([':', '=', '(']) {
            match number(part) {
                Some(number) => tokens.push(Token::Number(number)),
                None if part.contains('=') && words(part).is_empty() => {
                    tokens.push(Token::Word("=".into()));
                }
                None => tokens.extend(words(part).into_iter().map(Token::Word)),
            }
        }
        if raw.ends_with(['.', ',', ';', '!', '?', '<', '>', '≥', '≤']) {
            tokens.push(Token::Stop);
        }
    }
    tokens
}

/// A decimal number alone in `raw`, with its percent sign; punctuation around it does not count.
/// Numbers with a comma are read differently in different countries, so they are not read.
fn number(raw: &str) -> Option<String> {
    let bare = raw.trim_matches(|c: char| "*_~`()[]:;,|".contains(c)).trim_end_matches('.');
    let (digits, percent) = match bare.strip_suffix('%') {
        Some(digits) => (digits, true),
        None => (bare, false),
    };
    let is_decimal = digits.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.')
        && digits.chars().all(|c| c.is_ascii_digit() || "-.e".contains(c))
        && digits.parse::<f64>().is_ok_and(f64::is_finite);
    // A bare integer is a count, a year or a footnote more often than a score.
    let tells = percent || digits.contains('.');
    (is_decimal && tells && digits.len() <= 24).then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(text: &str) -> Vec<String> {
        let names = Names::new(["win_rate", "eval_loss"].into_iter());
        let blocks = in_markdown(text, &names);
        let show = |claim: Claim| {
            let cited = if claim.cited { " cited" } else { "" };
            format!("{} {} @{}{cited}", claim.measure, claim.shown, claim.at)
        };
        blocks.into_iter().flatten().map(show).collect()
    }

    #[test]
    fn sentences_claim_what_stands_beside_a_name() {
        for (text, expected) in [
            ("The accuracy is 0.91.", "accuracy 0.91 @0"),
            ("It has an *accuracy* of **91.2 %** on the test set.", "accuracy 91.2% @0"),
            ("It reaches 91.2% accuracy.", "accuracy 91.2% @0"),
            ("- F1-score: 0.88", "f1 0.88 @2"),
            ("f1=0.88", "f1 0.88 @0"),
            ("ROC-AUC (0.95)", "roc_auc 0.95 @0"),
            ("a win rate of 61.5%", "win_rate 61.5% @0"),
            ("Loss: 0.31", "loss 0.31 @0"),
            ("an F1 of 0.9 ([Smith 2024](https://example.com))", "f1 0.9 @0 cited"),
        ] {
            assert_eq!(claims(text), [expected], "{text}");
        }
    }

    #[test]
    fn bounds_counts_code_and_years_claim_nothing() {
        for text in [
            "Accuracy must be ≥ 0.9.",
            "We demand accuracy > 0.9",
            "Recall that 0.5 is chance.",
            "Precision. 0.5 of the data is missing.",
            "mixed precision 16",
            "accuracy in 2024",
            "accuracy 0,91",
            "```\naccuracy = 0.91\n```",
            "## Accuracy 0.91",
            "<!-- accuracy 0.91 -->",
            "| size | colour |\n|---|---|\n| 0.5 | red |",
        ] {
            assert_eq!(claims(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn tables_claim_by_columns_and_by_rows() {
        let columns = "| Model | Accuracy ↑ | F1 (macro) |\n|---|---|---|\n| ours | **0.91** | 88.1 ± 0.2 |\n\
                       | [theirs](x) | 90 % | — |\n";
        assert_eq!(claims(columns), ["accuracy 0.91 @52", "f1 88.1 @52", "accuracy 90% @86 cited"]);
        let rows = "| Metric | Train | Test |\n|---|---|---|\n| accuracy | 0.95 | 0.91 |\n";
        assert_eq!(claims(rows), ["accuracy 0.95 @40", "accuracy 0.91 @40"]);
        let harness = "|Tasks|Version|Metric| |Value| |Stderr|\n|---|---:|---|---|---:|---|---:|\n\
                       |arc_easy|1.0|acc|↑|0.73|±|0.01|\n";
        assert_eq!(claims(harness), ["accuracy 0.73 @73"]);
    }
}
