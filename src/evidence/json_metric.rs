//! Numbers in JSON files, by JSON Pointer: what every training script can write.

use super::json_locate::{Kind, LocateError, locate};
use super::{EvidenceFile, MetricValue};
use crate::finding::Location;
use crate::source::SourceFile;

/// What the pointer leads to, and where it stands.
pub(super) fn read(file: &EvidenceFile, pointer: &str) -> (MetricValue, Location) {
    let text = match file.text() {
        Ok(text) => text,
        Err(error) => {
            let why = format!("{}: {error}", file.shown);
            return (MetricValue::Missing(why), Location::file(&file.shown));
        }
    };
    let (value, offset) = match locate(text, pointer) {
        Ok(found) => (value(found.kind, found.text), Some(found.offset)),
        Err(error) => {
            let offset = match &error {
                LocateError::Pointer(_) => None,
                LocateError::Syntax { offset, .. }
                | LocateError::Nowhere { offset, .. }
                | LocateError::Twice { offset, .. } => Some(*offset),
            };
            (MetricValue::Missing(error.to_string()), offset)
        }
    };
    let at = match offset {
        Some(offset) => {
            let source = SourceFile::new(&file.shown, text);
            Location::at(&file.shown, source.position(offset))
        }
        None => Location::file(&file.shown),
    };
    (value, at)
}

fn value(kind: Kind, text: &str) -> MetricValue {
    let short = || {
        let mut short: String = text.chars().take(60).collect();
        if short.len() < text.len() {
            short.push('…');
        }
        short
    };
    match kind {
        Kind::Number => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => MetricValue::Number(number),
            _ => MetricValue::NotFinite(short()),
        },
        Kind::NotFinite => MetricValue::NotFinite(short()),
        Kind::Text | Kind::Bool | Kind::Null | Kind::List | Kind::Object => {
            MetricValue::NotANumber(short())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn read(text: &str, pointer: &str) -> (MetricValue, String) {
        let file = EvidenceFile {
            shown: "m.json".into(),
            bytes: text.into(),
            sha256: Digest::of(text.as_bytes()),
            modified: None,
        };
        let (value, at) = super::read(&file, pointer);
        (value, at.to_string())
    }

    #[test]
    fn values_and_places() {
        let json = "{\n  \"acc\": 0.93,\n  \"nan\": NaN,\n  \"big\": 1e999,\n  \"s\": \"0.9\",\n  \"l\": []\n}";
        assert_eq!(read(json, "/acc"), (MetricValue::Number(0.93), "m.json:2:10".into()));
        assert_eq!(
            read(json, "/nan"),
            (MetricValue::NotFinite("NaN".into()), "m.json:3:10".into())
        );
        assert_eq!(read(json, "/big").0, MetricValue::NotFinite("1e999".into()));
        assert_eq!(read(json, "/s").0, MetricValue::NotANumber("\"0.9\"".into()));
        assert_eq!(read(json, "/l").0, MetricValue::NotANumber("[]".into()));
    }

    #[test]
    fn what_is_missing_says_so() {
        let (value, at) = read("{\"a\": {\n\"b\": 1}}", "/a/c");
        assert!(matches!(&value, MetricValue::Missing(why) if why.contains("there is no `c`")));
        assert_eq!(at, "m.json:1:7");
        let (value, at) = read("{\"a\": 1,\n", "/a");
        assert!(matches!(&value, MetricValue::Missing(why) if why.contains("not valid JSON")));
        assert_eq!(at, "m.json:2:1");
        assert_eq!(read("{}", "a").1, "m.json");
    }
}
