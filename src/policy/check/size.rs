//! What the files of a version may weigh.

use super::{Check, Layers};
use crate::policy::raw;
use crate::policy::size::{Bytes, Growth, Limit, SizeGate};

impl Check<'_> {
    pub(super) fn size(&mut self, gates: &Layers<'_, raw::Gates>, model: &str) -> SizeGate {
        let max = gates.get(|own| own.size.as_ref()?.max.as_ref());
        let warn_max = gates.get(|own| own.size.as_ref()?.warn_max.as_ref());
        let max_file = gates.get(|own| own.size.as_ref()?.max_file.as_ref());
        let max_growth = gates.get(|own| own.size.as_ref()?.max_growth.as_ref());
        SizeGate {
            max: max.and_then(|size| self.bytes(model, "max", size)),
            warn_max: warn_max.and_then(|size| self.bytes(model, "warn-max", size)),
            max_file: max_file.and_then(|size| self.bytes(model, "max-file", size)),
            max_growth: max_growth.and_then(|size| self.growth(model, size)),
        }
    }

    fn bytes(&mut self, model: &str, name: &str, size: &raw::Size) -> Option<Limit<u64>> {
        let key = self.key(model, &format!("gates/size/{name}"));
        let Bytes(most) = self.bytes_at(&key, name, size)?;
        Some(Limit { most, at: self.at(&key) })
    }

    /// A size in bytes at any key.
    pub(super) fn bytes_at(&mut self, key: &str, name: &str, size: &raw::Size) -> Option<Bytes> {
        self.limit(key, name, size, Bytes::parse(&size.text()), "")
    }

    fn growth(&mut self, model: &str, size: &raw::Size) -> Option<Limit<Growth>> {
        let text = size.text();
        let growth = match text.trim().strip_suffix('%') {
            Some(percent) => {
                let part = percent.trim().parse().ok().map(|percent: f64| percent / 100.0);
                part.filter(|part| part.is_finite() && *part >= 0.0).map(Growth::Part)
            }
            None => Bytes::parse(&text).map(|bytes| Growth::Bytes(bytes.0)),
        };
        let key = self.key(model, "gates/size/max-growth");
        let most = self.limit(&key, "max-growth", size, growth, "a part such as `20%`, or ")?;
        Some(Limit { most, at: self.at(&key) })
    }

    fn limit<T>(
        &mut self,
        key: &str,
        name: &str,
        size: &raw::Size,
        read: Option<T>,
        or: &str,
    ) -> Option<T> {
        if read.is_none() {
            let message = format!("`{name}` is no size: `{}`", size.text());
            self.wrong(key, message, format!("write {or}a size such as `500MB` or `2GiB`"));
        }
        read
    }
}
