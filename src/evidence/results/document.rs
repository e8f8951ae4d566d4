//! An evidence file as a document: JSON, YAML, TOML and CSV become the same values.

use super::Spot;
use crate::evidence::EvidenceFile;
use crate::hub::yaml_dialect::Reading;
use crate::hub::yaml_tree::{self, Node};
use crate::json::{Key, Unread, Value};

/// Most values of a document; training logs and benchmark data stay far below.
const MAX_VALUES: usize = 2_000_000;

/// A file with what can be made of it.
pub(in crate::evidence) struct Document<'f> {
    /// Path relative to the workspace.
    pub(super) path: &'f str,
    /// As it is on disk.
    pub(super) bytes: &'f [u8],
    /// The same, when it is text; else empty.
    pub(super) text: &'f str,
    /// Its values, when it is in one of the syntaxes.
    pub(super) value: Option<Value>,
    /// Whether it is a table with a head.
    pub(super) is_table: bool,
}

impl<'f> Document<'f> {
    /// # Errors
    ///
    /// The file says by its name or first sign what it is, and is not that.
    pub(in crate::evidence) fn new(file: &'f EvidenceFile) -> Result<Self, String> {
        let read = file.text();
        let text = *read.as_ref().unwrap_or(&"");
        let name = file.shown.rsplit('/').next().unwrap_or_default();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        let first = text.trim_start_matches('\u{feff}').trim_start().chars().next();
        let is_table = matches!(ending.as_str(), "csv" | "tsv");
        let value = match ending.as_str() {
            _ if file.bytes.is_empty() => return Err("it is empty".into()),
            "json" | "jsonl" | "yaml" | "yml" | "toml" | "csv" | "tsv" if read.is_err() => {
                return Err(read.err().map(|error| error.to_string()).unwrap_or_default());
            }
            _ if text.is_empty() => None,
            "yaml" | "yml" => Some(yaml(text)?),
            "toml" => Some(toml(text)?),
            "csv" => Some(table(text, b',')?),
            "tsv" => Some(table(text, b'\t')?),
            "json" | "jsonl" => Some(json(text)?),
            _ if matches!(first, Some('{' | '[')) => Some(json(text)?),
            // MLflow's `MLmodel`, DVC's `dvc.lock` and `.dvc` files.
            _ if matches!(name, "MLmodel" | "dvc.lock") || ending == "dvc" => Some(yaml(text)?),
            _ => None,
        };
        Ok(Self { path: &file.shown, bytes: &file.bytes, text, value, is_table })
    }

    /// Its outermost value, when it has values.
    pub(super) fn root(&self) -> Option<Spot<'_>> {
        self.value.as_ref().map(Spot::root)
    }

    /// As [`Document::root`], when that is a map.
    pub(in crate::evidence) fn map(&self) -> Option<Spot<'_>> {
        self.root().filter(Spot::is_map)
    }

    /// Whether the outermost map has all of these keys.
    pub(super) fn has(&self, keys: &[&str]) -> bool {
        self.map().is_some_and(|map| keys.iter().all(|key| map.value.get(key).is_some()))
    }
}

fn json(text: &str) -> Result<Value, String> {
    if text.bytes().filter(|byte| *byte == b',').count() > MAX_VALUES {
        return Err(format!(
            "it holds more than {MAX_VALUES} values: lead to the number with `pointer`, which \
             reads the file without holding it"
        ));
    }
    Value::parse(text).map_err(|error| match error {
        Unread::Broken => "not valid JSON".into(),
        Unread::Deep => "its JSON nests too deeply".into(),
    })
}

fn yaml(text: &str) -> Result<Value, String> {
    let root = yaml_tree::parse(text)
        .map_err(|error| format!("not valid YAML, line {}: {}", error.at.line, error.message))?;
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    Ok(root.map_or(Value::Null, |root| from_yaml(&root, text, &starts)))
}

fn from_yaml(node: &Node, text: &str, starts: &[usize]) -> Value {
    let offset = |node: &Node| {
        let start = starts.get(node.at.line as usize - 1).copied().unwrap_or_default();
        let line = text.get(start..).unwrap_or_default();
        let column = node.at.column as usize - 1;
        start + line.char_indices().nth(column).map_or(0, |(at, _)| at)
    };
    match &node.value {
        yaml_tree::Value::Map(entries) => {
            let entry = |(key, value): &(Node, Node)| {
                let yaml_tree::Value::Scalar { text: name, .. } = &key.value else { return None };
                let key = Key { name: name.clone(), at: offset(key) };
                Some((key, from_yaml(value, text, starts)))
            };
            Value::Map(entries.iter().filter_map(entry).collect())
        }
        yaml_tree::Value::List(items) => {
            Value::List(items.iter().map(|item| from_yaml(item, text, starts)).collect())
        }
        yaml_tree::Value::Scalar { text: scalar, .. } => match node.reading() {
            Some(Reading::Int(_) | Reading::Float) => float(scalar).map_or_else(
                || Value::Text(scalar.clone()),
                |number| Value::Number(number, offset(node)),
            ),
            Some(Reading::Bool(yes)) => Value::Bool(yes),
            Some(Reading::Null) => Value::Null,
            _ => Value::Text(scalar.clone()),
        },
    }
}

/// A YAML number; `.nan` and `.inf` are some.
fn float(text: &str) -> Option<f64> {
    let plain = text.replace('_', "").to_ascii_lowercase();
    match plain.as_str() {
        ".nan" => Some(f64::NAN),
        ".inf" | "+.inf" => Some(f64::INFINITY),
        "-.inf" => Some(f64::NEG_INFINITY),
        _ => plain.parse().ok(),
    }
}

fn toml(text: &str) -> Result<Value, String> {
    let table = toml::de::DeTable::parse(text)
        .map_err(|error| format!("not valid TOML: {}", error.message()))?;
    Ok(from_toml_table(table.get_ref()))
}

fn from_toml_table(table: &toml::de::DeTable<'_>) -> Value {
    Value::Map(
        table
            .iter()
            .map(|(key, value)| {
                let name = key.get_ref().to_string();
                (Key { name, at: key.span().start }, from_toml(value))
            })
            .collect(),
    )
}

fn from_toml(value: &toml::Spanned<toml::de::DeValue<'_>>) -> Value {
    use toml::de::DeValue;
    let at = value.span().start;
    match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, |number| {
                #[expect(clippy::cast_precision_loss, reason = "metrics are floats everywhere")]
                Value::Number(number as f64, at)
            })
        }
        DeValue::Float(number) => {
            number.as_str().parse().map_or(Value::Null, |number| Value::Number(number, at))
        }
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(items) => Value::List(items.iter().map(from_toml).collect()),
        DeValue::Table(table) => from_toml_table(table),
    }
}

/// Rows as maps from the head's names to their cells.
fn table(text: &str, delimiter: u8) -> Result<Value, String> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let skipped = text.len() - text.trim_start_matches('\u{feff}').len();
    let head = reader.headers().map_err(|error| format!("not a table: {error}"))?.clone();
    let mut rows = Vec::new();
    let mut values = 0;
    for row in reader.records() {
        let row = row.map_err(|error| format!("not a table: {error}"))?;
        values += row.len();
        if values > MAX_VALUES {
            return Err(format!("it holds more than {MAX_VALUES} cells"));
        }
        let start = row.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or_default());
        // Where the row starts is exact; cells may be quoted, so they are found from there.
        let mut at = skipped + start;
        let cells = head.iter().zip(row.iter()).map(|(name, cell)| {
            let found = text.get(at..).and_then(|rest| rest.find(cell)).unwrap_or_default();
            at += found;
            let value = cell
                .parse()
                .map_or_else(|_| Value::Text(cell.to_owned()), |number| Value::Number(number, at));
            let key = Key { name: name.to_owned(), at };
            at += cell.len();
            (key, value)
        });
        rows.push(Value::Map(cells.collect()));
    }
    Ok(Value::List(rows))
}
