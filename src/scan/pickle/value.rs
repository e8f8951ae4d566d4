//! What the stack and the memo hold: four bytes each, as far as calls need to know them.

use std::num::NonZeroU32;

/// A value on the stack or in the memo. What a call can hand on is told apart; all plain data is
/// one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value(NonZeroU32);

/// A value, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Numbers, bytes, lists, dictionaries, long texts: nothing that can be called.
    Data,
    /// A whole number of at most 28 bits.
    Int(i32),
    /// A text, in [`Texts`].
    Text(u32),
    /// An imported name, in the machine's table.
    Global(u32),
    /// Something built, in [`Nodes`].
    Node(u32),
}

const TAG: u32 = 29;
const PAYLOAD: u32 = (1 << TAG) - 1;

impl Value {
    pub(super) const DATA: Self = Self(NonZeroU32::MIN);

    pub(super) fn int(number: i64) -> Self {
        match u32::try_from(number) {
            Ok(number) if number <= PAYLOAD => Self::tagged(1, number),
            _ => Self::DATA,
        }
    }

    pub(super) fn text(id: u32) -> Self {
        Self::tagged(2, id)
    }

    pub(super) fn global(id: u32) -> Self {
        Self::tagged(3, id)
    }

    pub(super) fn node(id: u32) -> Self {
        Self::tagged(4, id)
    }

    /// Never zero, because no tag is.
    fn tagged(tag: u32, payload: u32) -> Self {
        Self(NonZeroU32::new(tag << TAG | payload & PAYLOAD).unwrap_or(NonZeroU32::MIN))
    }

    pub(super) fn view(self) -> View {
        let payload = self.0.get() & PAYLOAD;
        match self.0.get() >> TAG {
            1 => View::Int(i32::try_from(payload).unwrap_or_default()),
            2 => View::Text(payload),
            3 => View::Global(payload),
            4 => View::Node(payload),
            _ => View::Data,
        }
    }
}

/// Something a pickle built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    /// A tuple that holds more than plain data.
    Tuple(Span),
    /// What a class or function made: its name, and the arguments where they are known.
    Made { by: Value, arguments: Value },
    /// A byte string that is itself a serialised file; whether nothing was found in it.
    Packed { clean: bool },
    /// Something whose parts were forgotten, because the file holds too many.
    Forgotten,
}

/// A tuple's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    length: u32,
    /// Items of items and so on, the same item counted each time: what hashing the tuple costs.
    pub(super) weight: u32,
}

/// How many of each are kept for good; of what comes later the newest are.
const KEPT: usize = 1 << 20;
/// How many of the newest.
const NEWEST: usize = 1 << 12;

/// Texts by number. The first million are kept (16 MiB at most), then the newest: pickles name a
/// class right before they need it, so that a file with more texts is followed all the same.
#[derive(Debug, Default)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    spans: Vec<(u32, u16)>,
    newest: Vec<Vec<u8>>,
    next: u32,
}

/// Longest text that is kept: module and attribute names are far shorter.
pub(super) const LONGEST: usize = 512;
const KEPT_BYTES: usize = 16 << 20;

impl Texts {
    /// Keeps a text of at most [`LONGEST`] bytes.
    pub(super) fn add(&mut self, text: &[u8]) -> Value {
        let id = self.next;
        let kept = self.spans.len() == id as usize
            && self.spans.len() < KEPT
            && self.bytes.len() + text.len() <= KEPT_BYTES;
        if kept {
            let start = u32::try_from(self.bytes.len()).unwrap_or_default(); // below 16 MiB
            self.spans.push((start, u16::try_from(text.len()).unwrap_or(u16::MAX)));
            self.bytes.extend_from_slice(text);
        } else {
            if self.newest.is_empty() {
                self.newest.resize(NEWEST, Vec::new());
            }
            let slot = &mut self.newest[id as usize % NEWEST];
            slot.clear();
            slot.extend_from_slice(text);
        }
        self.next = self.next.wrapping_add(1) & PAYLOAD;
        Value::text(id)
    }

    /// The text; `None` if it was forgotten.
    pub(super) fn get(&self, id: u32) -> Option<&str> {
        let bytes = match self.spans.get(id as usize) {
            Some((start, length)) => {
                let start = *start as usize;
                &self.bytes[start..start + usize::from(*length)]
            }
            None if (1..=NEWEST).contains(&(self.next.wrapping_sub(id) as usize)) => {
                self.newest.get(id as usize % NEWEST)?
            }
            None => return None,
        };
        std::str::from_utf8(bytes).ok()
    }
}

/// What was built, by number; kept as [`Texts`] are.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    items: Vec<Value>,
    kept: Vec<Node>,
    newest: Vec<(Node, Vec<Value>)>,
    next: u32,
}

impl Nodes {
    /// A tuple of these items; plain data if all of them are.
    pub(super) fn tuple(&mut self, items: &[Value]) -> Value {
        if items.iter().all(|item| item.view() == View::Data) {
            return Value::DATA;
        }
        let weight = items.iter().fold(1u32, |sum, item| sum.saturating_add(self.weight(*item)));
        let length = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let start = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let node = Node::Tuple(Span { start, length, weight });
        if self.room() && self.items.len() + items.len() <= 2 * KEPT {
            self.items.extend_from_slice(items);
            return self.keep(node);
        }
        if items.len() > 64 {
            return self.add(Node::Forgotten);
        }
        self.remember(node, items)
    }

    /// Anything but a tuple.
    pub(super) fn add(&mut self, node: Node) -> Value {
        if self.room() { self.keep(node) } else { self.remember(node, &[]) }
    }

    /// What the number stands for.
    pub(super) fn get(&self, id: u32) -> Node {
        match self.kept.get(id as usize) {
            Some(node) => *node,
            None => self.newest(id).map_or(Node::Forgotten, |(node, _)| *node),
        }
    }

    /// The items of a tuple; `None` if they were forgotten or it is none.
    pub(super) fn items(&self, value: Value) -> Option<&[Value]> {
        let View::Node(id) = value.view() else { return None };
        match self.kept.get(id as usize) {
            Some(Node::Tuple(span)) => {
                self.items.get(span.start as usize..(span.start + span.length) as usize)
            }
            Some(_) => None,
            None => match self.newest(id)? {
                (Node::Tuple(_), items) => Some(items),
                _ => None,
            },
        }
    }

    /// What hashing the value costs, in items.
    pub(super) fn weight(&self, value: Value) -> u32 {
        let View::Node(id) = value.view() else { return 1 };
        match self.get(id) {
            Node::Tuple(span) => span.weight,
            _ => 1,
        }
    }

    fn room(&self) -> bool {
        self.kept.len() == self.next as usize && self.kept.len() < KEPT
    }

    fn keep(&mut self, node: Node) -> Value {
        self.kept.push(node);
        self.count()
    }

    fn remember(&mut self, node: Node, items: &[Value]) -> Value {
        if self.newest.is_empty() {
            self.newest.resize(NEWEST, (Node::Forgotten, Vec::new()));
        }
        let slot = &mut self.newest[self.next as usize % NEWEST];
        slot.0 = node;
        slot.1.clear();
        slot.1.extend_from_slice(items);
        self.count()
    }

    fn count(&mut self) -> Value {
        let id = self.next;
        self.next = self.next.wrapping_add(1) & PAYLOAD;
        Value::node(id)
    }

    fn newest(&self, id: u32) -> Option<&(Node, Vec<Value>)> {
        let age = self.next.wrapping_sub(id) as usize;
        if age == 0 || age > NEWEST {
            return None;
        }
        self.newest.get(id as usize % NEWEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_newest_are_known() {
        let mut texts = Texts::default();
        let count = u32::try_from(KEPT + 2 * NEWEST).expect("small");
        for number in 0..count {
            assert_eq!(texts.add(number.to_string().as_bytes()).view(), View::Text(number));
        }
        assert_eq!(texts.get(0), Some("0"));
        assert_eq!(texts.get(count - 1), Some((count - 1).to_string().as_str()));
        assert_eq!(texts.get(u32::try_from(KEPT).expect("small") + 1), None);
        assert_eq!(texts.get(count), None);
    }

    #[test]
    fn tuples_hold_what_is_no_plain_data() {
        let mut nodes = Nodes::default();
        assert_eq!(nodes.tuple(&[Value::DATA, Value::DATA]), Value::DATA);
        let inner = nodes.tuple(&[Value::int(7), Value::text(3)]);
        assert_eq!(nodes.items(inner), Some(&[Value::int(7), Value::text(3)][..]));
        let outer = nodes.tuple(&[inner, inner]);
        assert_eq!(nodes.weight(outer), 7);
        for _ in 0..KEPT {
            nodes.add(Node::Forgotten);
        }
        let late = nodes.tuple(&[Value::global(1)]);
        assert_eq!(nodes.items(late), Some(&[Value::global(1)][..]));
        for _ in 0..=NEWEST {
            nodes.add(Node::Forgotten);
        }
        assert_eq!(nodes.items(late), None);
        assert_eq!(nodes.items(inner).map(<[_]>::len), Some(2));
    }

    #[test]
    fn values_come_back() {
        assert_eq!(Value::int(5).view(), View::Int(5));
        assert_eq!(Value::int(-5).view(), View::Data);
        assert_eq!(Value::int(1 << 40).view(), View::Data);
        assert_eq!(Value::global(9).view(), View::Global(9));
        assert_eq!(Value::node(PAYLOAD).view(), View::Node(PAYLOAD));
    }
}
