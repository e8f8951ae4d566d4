//! A value of a document together with the way to it.

use super::Number;
use crate::evidence::MetricValue;
use crate::json::Value;

/// A value, the byte at which it or its key stands, and the JSON Pointer that leads to it.
#[derive(Debug, Clone)]
pub(in crate::evidence) struct Spot<'v> {
    pub(in crate::evidence) value: &'v Value,
    at: usize,
    pointer: String,
}

impl<'v> Spot<'v> {
    pub(super) fn root(value: &'v Value) -> Self {
        Self { value, at: 0, pointer: String::new() }
    }

    fn inside(&self, step: &str, at: usize, value: &'v Value) -> Self {
        let step = step.replace('~', "~0").replace('/', "~1");
        let at = if let Value::Number(_, at) = value { *at } else { at };
        Self { value, at, pointer: format!("{}/{step}", self.pointer) }
    }

    /// The byte at which the value or its key stands.
    pub(in crate::evidence) fn at(&self) -> usize {
        self.at
    }

    /// The value of a key.
    pub(in crate::evidence) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key)?;
        Some(self.inside(key, self.value.place(key), value))
    }

    /// The value behind keys in keys.
    pub(in crate::evidence) fn path(&self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(self.clone(), |spot, key| spot.get(key))
    }

    /// The text behind keys in keys, empty ones excluded.
    pub(in crate::evidence) fn text_at(&self, keys: &[&str]) -> Option<String> {
        self.path(keys)?.value.text().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Keys and values of a map; nothing of anything else.
    pub(in crate::evidence) fn entries(&self) -> impl Iterator<Item = (&'v str, Self)> {
        self.value
            .entries()
            .iter()
            .map(|(key, value)| (key.name.as_str(), self.inside(&key.name, key.at, value)))
    }

    /// The items of a list; nothing of anything else.
    pub(in crate::evidence) fn items(&self) -> impl Iterator<Item = Self> {
        self.value
            .list()
            .iter()
            .enumerate()
            .map(|(index, value)| self.inside(&index.to_string(), self.at, value))
    }

    pub(in crate::evidence) fn float(&self) -> Option<f64> {
        self.value.number()
    }

    pub(in crate::evidence) fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// The number that stands here, under a metric's name.
    pub(super) fn number(&self, metric: &str) -> Option<Number> {
        let number = Number::new(metric, MetricValue::of(self.float()?), self.at);
        Some(Number { pointer: self.pointer.clone(), ..number })
    }

    /// As [`Spot::number`]; a number that was written as text is there, and is none.
    pub(super) fn number_or_text(&self, metric: &str) -> Option<Number> {
        self.number(metric).or_else(|| {
            let text = self.value.text()?;
            text.trim().parse::<f64>().ok()?;
            let value = MetricValue::NotANumber(format!("\"{text}\""));
            Some(Number { pointer: self.pointer.clone(), ..Number::new(metric, value, self.at) })
        })
    }
}
