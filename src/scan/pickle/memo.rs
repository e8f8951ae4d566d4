//! The memo: dense at the beginning, as every pickler writes it, and sparse where one was written
//! by hand.

use std::collections::HashMap;

use super::value::Value;

/// Most entries that are kept.
const MOST: usize = 16 << 20;
/// Most entries far from the others.
const MOST_SPARSE: usize = 1 << 16;
/// A loader allocates twice the highest index: nobody needs this one.
const HIGHEST: u64 = 1 << 28;

#[derive(Debug, Default)]
pub(super) struct Memo {
    dense: Vec<Option<Value>>,
    sparse: HashMap<u64, Value>,
    count: u64,
}

impl Memo {
    /// How many entries there are: the index that MEMOIZE takes.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Whether there was room.
    pub(super) fn put(&mut self, index: u64, value: Value) -> bool {
        let next = self.dense.len() as u64;
        let old = if index < next {
            // `index` is below the length of a vector.
            let dense = self.dense[usize::try_from(index).unwrap_or_default()].replace(value);
            dense.or_else(|| self.sparse.remove(&index))
        } else if index < next + 1024 && self.dense.len() < MOST {
            let length = usize::try_from(index).unwrap_or_default() + 1;
            self.dense.resize(length, None);
            self.dense[length - 1] = Some(value);
            self.sparse.remove(&index)
        } else if index < HIGHEST && self.sparse.len() < MOST_SPARSE {
            self.sparse.insert(index, value)
        } else {
            return false;
        };
        self.count += u64::from(old.is_none());
        true
    }

    pub(super) fn get(&self, index: u64) -> Option<Value> {
        let dense = usize::try_from(index).ok().and_then(|index| self.dense.get(index).copied());
        dense.flatten().or_else(|| self.sparse.get(&index).copied())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map(puts in prop::collection::vec((0u64..5000, 0i64..100), 0..300), gets in prop::collection::vec(0u64..5000, 50)) {
            let (mut memo, mut map) = (Memo::default(), HashMap::new());
            for (index, number) in puts {
                prop_assert!(memo.put(index, Value::int(number)));
                map.insert(index, Value::int(number));
                prop_assert_eq!(memo.count(), map.len() as u64);
            }
            for index in gets {
                prop_assert_eq!(memo.get(index), map.get(&index).copied());
            }
        }
    }

    #[test]
    fn no_index_takes_the_machine_down() {
        let mut memo = Memo::default();
        assert!(memo.put(200_000_000, Value::DATA));
        assert!(!memo.put(u64::from(u32::MAX), Value::DATA));
        assert_eq!(memo.get(200_000_000), Some(Value::DATA));
    }
}
