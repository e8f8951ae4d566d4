//! Single compressed files, unpacked as they pass: `.tar.gz`, joblib in all its compressions.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use super::UNREADABLE;
use crate::scan::nested::{self, Unpacked};
use crate::scan::stream::Stream;
use crate::scan::{Format, Head, Limits, Reader, Scan, Subject};

macro_rules! reader {
    ($name:ident, $format:literal, $is:expr, $decoder:expr) => {
        pub(in crate::scan) const $name: Reader = Reader {
            format: Format($format),
            is: $is,
            scan: |stream, subject, limits, scan| unpack(stream, subject, limits, scan, $decoder),
            checked: "what it holds, unpacked as it passes, of every part that a loader would read",
            unchecked: "nothing",
            rules: &[&UNREADABLE],
        };
    };
}

reader!(GZIP, "gzip", |head| head.bytes.starts_with(b"\x1f\x8b\x08"), |packed| Ok(Box::new(
    flate2::bufread::MultiGzDecoder::new(packed)
)));
reader!(BZIP2, "bzip2", |head| is_bzip2(head.bytes), |packed| Ok(Box::new(
    bzip2::bufread::MultiBzDecoder::new(packed)
)));
reader!(XZ, "xz", |head| head.bytes.starts_with(b"\xfd7zXZ\0"), |packed| Ok(Box::new(
    lzma_rust2::XzReader::new_mem_limit(packed, true, nested::MOST_MEMORY_KIB)
)));
reader!(LZMA, "lzma", |head| is_lzma(head.bytes), |packed| {
    Ok(Box::new(lzma_rust2::LzmaReader::new_mem_limit(packed, nested::MOST_MEMORY_KIB, None)?))
});
reader!(ZSTD, "zstd", |head| is_zstd(head.bytes), |packed| Ok(Box::new(ZstdFrames::new(packed))));
reader!(LZ4, "lz4", |head| head.bytes.starts_with(b"\x04\x22\x4d\x18"), |packed| Ok(Box::new(
    Lz4Frames { frame: lz4_flex::frame::FrameDecoder::new(packed), ended: false }
)));
reader!(ZLIB, "zlib", is_zlib, |packed| Ok(Box::new(flate2::bufread::ZlibDecoder::new(packed))));
// joblib before 0.10: "ZF", the length in hexadecimal in 19 characters, then zlib.
reader!(ZFILE, "joblib-zfile", |head| head.bytes.starts_with(b"ZF0x"), |mut packed| {
    packed.read_exact(&mut [0; 21])?;
    Ok(Box::new(flate2::bufread::ZlibDecoder::new(packed)))
});

/// The packed bytes as decoders take them: what they have read is counted.
type Packed<'p> = Counted<'p>;
type Decoder<'p> = Box<dyn Read + 'p>;

struct Counted<'p> {
    inner: &'p mut dyn io::BufRead,
    count: Rc<RefCell<u64>>,
}

impl Read for Counted<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(target)?;
        *self.count.borrow_mut() += count as u64;
        Ok(count)
    }
}

impl io::BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        *self.count.borrow_mut() += count as u64;
        self.inner.consume(count);
    }
}

/// Scans what is inside. An error in the middle does not unsay what was seen before it: loaders
/// run that too.
fn unpack(
    stream: &mut Stream<'_>,
    subject: &Subject<'_>,
    limits: Limits<'_>,
    scan: &mut Scan,
    decoder: impl for<'p> FnOnce(Packed<'p>) -> io::Result<Decoder<'p>>,
) -> io::Result<()> {
    let name = subject.file_name();
    let inner_name = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
    let count = Rc::new(RefCell::new(0));
    let weak = scan.format == Format("zlib") || scan.format == Format("lzma");
    let failed = {
        let packed = Counted { inner: stream, count: count.clone() };
        let decoder = match decoder(packed) {
            Ok(decoder) => decoder,
            Err(error) => return nested::failed(error, &UNREADABLE, 0, scan),
        };
        let mut unpacked = Unpacked::new(decoder, subject.size, limits);
        let inside = Subject { name: &inner_name, size: None, window: None };
        nested::scan(&mut unpacked, &inside, limits, scan)?;
        // Two bytes of weights may look like zlib: what unpacks to nothing is not packed.
        let nothing = weak && unpacked.passed() < 64;
        match unpacked.failed() {
            Some(_) if nothing => {
                scan.format = Format::UNKNOWN;
                scan.detections.clear();
                None
            }
            other => other,
        }
    };
    let at = *count.borrow();
    match failed {
        Some(error) => nested::failed(error, &UNREADABLE, at, scan),
        None => Ok(()),
    }
}

fn is_bzip2(head: &[u8]) -> bool {
    matches!(head, [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..])
        || matches!(head, [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..])
}

/// The properties byte and a dictionary of a usual size, then a length (or none).
fn is_lzma(head: &[u8]) -> bool {
    let Some(header) = head.get(..13) else { return false };
    let dictionary = u32::from_le_bytes([header[1], header[2], header[3], header[4]]);
    let length = &header[5..13];
    header[0] == 0x5D
        && (dictionary.is_power_of_two() || dictionary == u32::MAX)
        && dictionary >= 4096
        && (length == [0xFF; 8] || length[5..] == [0; 3])
}

/// A frame, or a skippable one before it.
fn is_zstd(head: &[u8]) -> bool {
    matches!(head, [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..])
}

/// A zlib header with its check: method 8, a window of at most 32 KiB, no dictionary.
fn is_zlib(head: &Head<'_>) -> bool {
    let [method, flags, ..] = head.bytes else { return false };
    let check = u16::from_be_bytes([*method, *flags]);
    matches!(method, 0x08 | 0x18 | 0x28 | 0x38 | 0x48 | 0x58 | 0x68 | 0x78)
        && check.is_multiple_of(31)
        && flags & 0x20 == 0
        && (*method == 0x78 || head.bytes.len() > 16)
        && std::str::from_utf8(head.bytes).is_err()
}

/// Frames of zstd, one behind the other.
struct ZstdFrames<'p> {
    packed: Option<Packed<'p>>,
    frame: Option<ruzstd::decoding::StreamingDecoder<Packed<'p>, ruzstd::decoding::FrameDecoder>>,
}

impl<'p> ZstdFrames<'p> {
    fn new(packed: Packed<'p>) -> Self {
        Self { packed: Some(packed), frame: None }
    }
}

impl Read for ZstdFrames<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let count = frame.read(target)?;
                if count > 0 || target.is_empty() {
                    return Ok(count);
                }
            }
            self.packed = self
                .frame
                .take()
                .map(ruzstd::decoding::StreamingDecoder::into_inner)
                .or(self.packed.take());
            let Some(mut packed) = self.packed.take() else { return Ok(0) };
            if io::BufRead::fill_buf(&mut packed)?.is_empty() {
                return Ok(0);
            }
            let mut skippable = [0; 8];
            let next = io::BufRead::fill_buf(&mut packed)?;
            if matches!(next, [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..]) {
                packed.read_exact(&mut skippable)?;
                let length =
                    u32::from_le_bytes([skippable[4], skippable[5], skippable[6], skippable[7]]);
                io::copy(&mut Read::take(&mut packed, length.into()), &mut io::sink())?;
                self.packed = Some(packed);
                continue;
            }
            let frame = ruzstd::decoding::StreamingDecoder::new(packed);
            let frame = frame
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
            self.frame = Some(frame);
        }
    }
}

/// Frames of lz4, one behind the other.
struct Lz4Frames<'p> {
    frame: lz4_flex::frame::FrameDecoder<Packed<'p>>,
    ended: bool,
}

impl Read for Lz4Frames<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.frame.read(target)?;
            if count > 0 || target.is_empty() || self.ended {
                return Ok(count);
            }
            self.ended = io::BufRead::fill_buf(self.frame.get_mut())?.is_empty();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use crate::scan::testing::scan_bytes;

    const PAYLOAD: &[u8] = b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(bytes).expect("memory");
        packer.finish().expect("memory")
    }

    fn rules(name: &str, bytes: &[u8]) -> Vec<&'static str> {
        scan_bytes(name, bytes).detections.iter().map(|seen| seen.rule.id).collect()
    }

    #[test]
    fn what_is_inside_is_seen() {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(&[PAYLOAD, &[b'.'; 64]].concat()).expect("memory");
        let zlib = zlib.finish().expect("memory");
        let mut bzip = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
        bzip.write_all(PAYLOAD).expect("memory");
        let bzip = bzip.finish().expect("memory");
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(PAYLOAD).expect("memory");
        let lz4 = lz4.finish().expect("memory");
        let zstd =
            ruzstd::encoding::compress_to_vec(PAYLOAD, ruzstd::encoding::CompressionLevel::Fastest);
        let zfile = [format!("ZF{:<19}", "0x10").as_bytes(), &zlib].concat();
        for (format, bytes) in [
            ("gzip", gzip(PAYLOAD)),
            ("zlib", zlib),
            ("bzip2", bzip),
            ("lz4", lz4),
            ("zstd", zstd),
            ("joblib-zfile", zfile),
        ] {
            let scan = scan_bytes("m.joblib", &bytes);
            assert_eq!(scan.format.as_str(), format);
            let seen = &scan.detections.first().unwrap_or_else(|| panic!("{format}"));
            assert_eq!(
                (seen.rule.id, seen.member.as_deref()),
                ("unsafe-pickle", Some("m")),
                "{format}"
            );
        }
    }

    #[test]
    fn every_part_and_whatever_came_before_an_error() {
        let second = [gzip(b"\x80\x02N."), gzip(PAYLOAD)].concat();
        assert_eq!(rules("m.gz", &second), ["unsafe-pickle"]);
        let mut bad_trailer = gzip(PAYLOAD);
        let length = bad_trailer.len();
        bad_trailer[length - 6] ^= 1;
        assert_eq!(rules("m.gz", &bad_trailer), ["unsafe-pickle", "not-looked-into"]);
        let twice = gzip(&gzip(PAYLOAD));
        assert_eq!(rules("m.gz.gz", &twice), ["unsafe-pickle"]);
        assert_eq!(
            rules("weights.bin", b"\x78\x9c\xff\xfe\xfd\xff\xff\xff\xff\xff\xff"),
            Vec::<&str>::new()
        );
    }

    /// The payload by `xz`.
    const XZ: &[u8] =
        b"\xfd\x37\x7a\x58\x5a\x00\x00\x01\x69\x22\xde\x36\x02\x00\x21\x01\x16\x00\x00\x00\x74\
          \x2f\xe5\xa3\x01\x00\x16\x80\x02\x63\x6f\x73\x0a\x73\x79\x73\x74\x65\x6d\x0a\x58\x02\
          \x00\x00\x00\x69\x64\x85\x52\x2e\x00\x00\xf6\xdf\x7c\x54\x00\x01\x2b\x17\x85\xcd\x25\
          \xd5\x90\x42\x99\x0d\x01\x00\x00\x00\x00\x01\x59\x5a";

    #[test]
    fn dictionaries_that_ask_for_much_memory_are_findings() {
        assert_eq!(rules("m.xz", XZ), ["unsafe-pickle"]);
        // The header of the first block stands at 12: its size, flags, and the filter LZMA2 (0x21)
        // with one byte of properties, the dictionary; its checksum ends it.
        for (dictionary, expected) in
            [(28, "unsafe-pickle"), (29, "scan-limit"), (40, "scan-limit")]
        {
            let mut large = XZ.to_vec();
            assert_eq!(large[12..16], [2, 0, 0x21, 1]);
            large[16] = dictionary;
            let checksum = crc32fast::hash(&large[12..20]);
            large[20..24].copy_from_slice(&checksum.to_le_bytes());
            assert_eq!(rules("m.xz", &large), [expected], "{dictionary}");
        }
        let alone = b"\x5d\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0";
        assert_eq!(rules("m.lzma", alone), ["scan-limit"]);
    }

    #[test]
    fn bombs_are_findings() {
        assert_eq!(rules("zeros.gz", &gzip(&vec![0; 20 << 20])), ["unknown-format", "scan-limit"]);
    }
}
