//! Texts that are not UTF-8: UTF-16 by its mark or its zeroes, and whatever the name says is text.

/// How the units of a text in UTF-16 stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wide {
    Little,
    Big,
}

/// Whether a file begins as UTF-16: with its byte order mark, or as XML without one
/// (<https://www.w3.org/TR/xml/#sec-guessing>); and goes on as text.
pub(super) fn wide(head: &[u8]) -> Option<Wide> {
    let wide = match head {
        [0xFF, 0xFE, ..] | [b'<', 0, ..] => Wide::Little,
        [0xFE, 0xFF, ..] | [0, b'<', ..] => Wide::Big,
        _ => return None,
    };
    // The last unit may be cut, and with it half of a pair.
    let sure = &head[..head.len().saturating_sub(4).max(2)];
    let mut chars = char::decode_utf16(units(sure, wide));
    let plain = |c: char| !c.is_control() || c.is_ascii_whitespace();
    chars.all(|c| c.is_ok_and(plain)).then_some(wide)
}

/// The text.
pub(super) fn decode(bytes: &[u8], wide: Wide) -> String {
    let chars = char::decode_utf16(units(bytes, wide));
    let text: String = chars.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.trim_start_matches('\u{feff}').to_owned()
}

fn units(bytes: &[u8], wide: Wide) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(move |pair| match wide {
        Wide::Little => u16::from_le_bytes([pair[0], pair[1]]),
        Wide::Big => u16::from_be_bytes([pair[0], pair[1]]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_zeroes() {
        let text = "<?xml é 😀 ?>";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(wide(&little), Some(Wide::Little));
        assert_eq!(wide(&big), Some(Wide::Big));
        assert_eq!(decode(&little, Wide::Little), text);
        let marked = [&b"\xff\xfe"[..], &little].concat();
        assert_eq!(decode(&marked, wide(&marked).expect("a mark")), text);
        for other in [&b"\xff\xfe\0\0\x01\0\0\0"[..], b"\xff\xfb\x90\x64", b"", b"\xff"] {
            assert_eq!(wide(other), None, "{other:?}");
        }
    }
}
