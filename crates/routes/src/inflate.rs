//! Unpacking a body that a client has compressed: gzip (RFC 1952) and deflate (RFC 1950), within a limit.
//!
//! 1. What comes out has a limit, and nothing is unpacked beyond it. A bomb of a few kilobytes costs no more than a body of the
//!    limit.
//! 2. Checksums and lengths are checked, so a body that was damaged on the way is an error.
//! 3. gzip may have several members, one after another. Anything else after them is an error. What follows a deflate stream is
//!    ignored, as Node does.
//! 4. `deflate` has zlib's header, as RFC 9110 section 8.4.1.2 says. A stream without it is an error, as in LoopBack.

use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, HeaderValue};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use crate::BodyError;

/// What in a compressed body is wrong. The texts are zlib's, which LoopBack answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InflateError {
    /// It does not begin as its content encoding does.
    #[error("incorrect header check")]
    Header,
    /// It is packed in a way that nobody uses.
    #[error("unknown compression method")]
    Method,
    /// It cannot be unpacked.
    #[error("invalid compressed data")]
    Data,
    /// It was damaged: the checksum is another one.
    #[error("incorrect data check")]
    Checksum,
    /// It was damaged: the length is another one.
    #[error("incorrect length check")]
    Length,
    /// It ends too early.
    #[error("unexpected end of file")]
    Truncated,
}

impl InflateError {
    /// zlib's code, which LoopBack answers with: `Z_BUF_ERROR` for a body that ends too early, or else `Z_DATA_ERROR`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Truncated => "Z_BUF_ERROR",
            _ => "Z_DATA_ERROR",
        }
    }
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

impl Encoding {
    /// What the headers of a request say.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, BodyError> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter().map(HeaderValue::as_bytes);
        match (values.next(), values.next()) {
            (None, _) | (Some(b""), None) => Ok(Self::Identity),
            (Some(name), None) if name.eq_ignore_ascii_case(b"identity") => Ok(Self::Identity),
            (Some(name), None) if name.eq_ignore_ascii_case(b"gzip") => Ok(Self::Gzip),
            (Some(name), None) if name.eq_ignore_ascii_case(b"deflate") => Ok(Self::Deflate),
            _ => Err(BodyError::UnsupportedEncoding),
        }
    }

    /// Unpacks a body into at most `max_bytes`. An empty one is empty however it is packed.
    pub(crate) fn unpack(self, packed: &[u8], max_bytes: usize) -> Result<Vec<u8>, BodyError> {
        let mut unpacked = Unpacked::new(max_bytes);
        match self {
            _ if packed.is_empty() => {}
            Self::Identity => return Ok(packed.to_vec()),
            Self::Gzip => gunzip(packed, &mut unpacked)?,
            Self::Deflate => {
                zlib_header(packed)?;
                unpacked.inflate(packed, TINFL_FLAG_PARSE_ZLIB_HEADER)?;
            }
        }
        Ok(unpacked.into_bytes())
    }
}

/// What has come out so far.
struct Unpacked {
    /// One byte more than the limit, so that a body of exactly the limit is told from a longer one.
    buffer: Vec<u8>,
    length: usize,
    inflater: Box<DecompressorOxide>,
}

impl Unpacked {
    fn new(max_bytes: usize) -> Self {
        Self { buffer: vec![0; max_bytes.saturating_add(1)], length: 0, inflater: Box::default() }
    }

    fn into_bytes(mut self) -> Vec<u8> {
        self.buffer.truncate(self.length);
        self.buffer
    }

    /// Unpacks one stream. It gives what came out, and what follows the stream.
    fn inflate<'a>(&mut self, packed: &'a [u8], flags: u32) -> Result<(&[u8], &'a [u8]), BodyError> {
        // A stream of its own: it cannot refer to what an earlier one has left.
        let out = self.buffer.get_mut(self.length..).unwrap_or_default();
        self.inflater.init();
        let flags = flags | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, consumed, written) = decompress(&mut self.inflater, packed, out, 0, flags);
        let is_full = written >= out.len();
        match status {
            TINFLStatus::HasMoreOutput => return Err(BodyError::TooLarge),
            TINFLStatus::Done if is_full => return Err(BodyError::TooLarge),
            TINFLStatus::Done => {}
            TINFLStatus::Adler32Mismatch => return Err(InflateError::Checksum.into()),
            TINFLStatus::FailedCannotMakeProgress | TINFLStatus::NeedsMoreInput => {
                return Err(InflateError::Truncated.into());
            }
            _ => return Err(InflateError::Data.into()),
        }
        let start = self.length;
        self.length += written;
        let came_out = self.buffer.get(start..self.length).unwrap_or_default();
        Ok((came_out, packed.get(consumed..).unwrap_or_default()))
    }
}

/// RFC 1950 section 2.2: deflate, with a window of at most 32 KiB and no dictionary that we would have to know.
fn zlib_header(packed: &[u8]) -> Result<(), InflateError> {
    let (&[method, flags], _) = packed.split_first_chunk().ok_or(InflateError::Truncated)?;
    if u16::from_be_bytes([method, flags]) % 31 != 0 {
        Err(InflateError::Header)
    } else if method & 0x0f != DEFLATE {
        Err(InflateError::Method)
    } else if method >> 4 > 7 || flags & 0x20 != 0 {
        Err(InflateError::Data)
    } else {
        Ok(())
    }
}

/// RFC 1952: members, each with a header, a stream, and what it must have become.
fn gunzip(mut packed: &[u8], unpacked: &mut Unpacked) -> Result<(), BodyError> {
    while !packed.is_empty() {
        let stream = after_gzip_header(packed)?;
        let (came_out, mut rest) = unpacked.inflate(stream, 0)?;
        let checksum = u32::from_le_bytes(*take(&mut rest)?);
        let length = u32::from_le_bytes(*take(&mut rest)?);
        if checksum != crc32(came_out) {
            return Err(InflateError::Checksum.into());
        }
        // The length is told modulo 2^32, and no limit of ours is that large.
        if usize::try_from(length) != Ok(came_out.len()) {
            return Err(InflateError::Length.into());
        }
        packed = rest;
    }
    Ok(())
}

/// The only method that zlib and gzip have.
const DEFLATE: u8 = 8;

const FLAG_HEADER_CHECKSUM: u8 = 0x02;
const FLAG_EXTRA: u8 = 0x04;
const FLAG_NAME: u8 = 0x08;
const FLAG_COMMENT: u8 = 0x10;
const FLAGS_RESERVED: u8 = 0xe0;

/// RFC 1952 section 2.3: what follows the header of a member.
fn after_gzip_header(packed: &[u8]) -> Result<&[u8], InflateError> {
    let mut rest = packed;
    // Whatever is no gzip is told so, also where it is shorter than a header.
    if !packed.iter().zip([0x1f, 0x8b]).all(|(found, wanted)| *found == wanted) {
        return Err(InflateError::Header);
    }
    let &[_, _, method, flags, ..] = take::<10>(&mut rest)?;
    if method != DEFLATE {
        return Err(InflateError::Method);
    }
    if flags & FLAGS_RESERVED != 0 {
        return Err(InflateError::Header);
    }
    if flags & FLAG_EXTRA != 0 {
        let length = u16::from_le_bytes(*take(&mut rest)?);
        rest = rest.split_at_checked(length.into()).ok_or(InflateError::Truncated)?.1;
    }
    for _ in [FLAG_NAME, FLAG_COMMENT].into_iter().filter(|flag| flags & flag != 0) {
        let end = rest.iter().position(|byte| *byte == 0).ok_or(InflateError::Truncated)?;
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    if flags & FLAG_HEADER_CHECKSUM != 0 {
        let header = packed.len() - rest.len();
        let wanted = crc32(packed.get(..header).unwrap_or_default());
        let [low, high] = *take(&mut rest)?;
        if u32::from(u16::from_le_bytes([low, high])) != wanted & 0xffff {
            return Err(InflateError::Header);
        }
    }
    Ok(rest)
}

/// Takes the first bytes.
fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], InflateError> {
    let (taken, after) = rest.split_first_chunk().ok_or(InflateError::Truncated)?;
    *rest = after;
    Ok(taken)
}

/// RFC 1952 section 8. Without a table: a body has at most some hundred kilobytes, and only compressed ones are checked.
fn crc32(bytes: &[u8]) -> u32 {
    let byte_in = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    };
    !bytes.iter().fold(!0, byte_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf hello | gzip -n`
    const HELLO: [u8; 25] =
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0];
    /// The same by zlib.
    const ZLIB: [u8; 13] = [0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 6, 0x2c, 2, 0x15];

    fn gzip(packed: &[u8]) -> Result<Vec<u8>, BodyError> {
        Encoding::Gzip.unpack(packed, 100)
    }

    fn deflate(packed: &[u8]) -> Result<Vec<u8>, BodyError> {
        Encoding::Deflate.unpack(packed, 100)
    }

    /// The header of a member with these flags and fields.
    fn with_header(flags: u8, fields: &[u8]) -> Vec<u8> {
        let mut packed = HELLO[..10].to_vec();
        packed[3] = flags;
        packed.extend(fields);
        packed.extend(&HELLO[10..]);
        packed
    }

    /// RFC 1952 section 8, and the check value that everybody knows.
    #[test]
    fn the_checksum_is_that_of_gzip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn both_encodings_are_unpacked() {
        assert_eq!(gzip(&HELLO).unwrap(), b"hello");
        assert_eq!(gzip(&[HELLO, HELLO].concat()).unwrap(), b"hellohello");
        assert_eq!(deflate(&ZLIB).unwrap(), b"hello");
        assert_eq!(deflate(&[&ZLIB[..], b"ignored"].concat()).unwrap(), b"hello");
        for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Deflate] {
            assert_eq!(encoding.unpack(b"", 100).unwrap(), b"");
        }
    }

    #[test]
    fn every_field_of_a_gzip_header_is_passed_over() {
        assert_eq!(gzip(&with_header(FLAG_NAME, b"a.json\0")).unwrap(), b"hello");
        assert_eq!(gzip(&with_header(FLAG_COMMENT, b"\0")).unwrap(), b"hello");
        assert_eq!(gzip(&with_header(FLAG_EXTRA, b"\x03\x00abc")).unwrap(), b"hello");
        assert_eq!(gzip(&with_header(0x01, b"")).unwrap(), b"hello", "a text");
        let all = with_header(FLAG_EXTRA | FLAG_NAME | FLAG_COMMENT, b"\x00\x00name\0comment\0");
        assert_eq!(gzip(&all).unwrap(), b"hello");
        let header = [&[0x1f, 0x8b, 8, FLAG_HEADER_CHECKSUM][..], &HELLO[4..10]].concat();
        let checksum = (crc32(&header) as u16).to_le_bytes();
        assert_eq!(gzip(&with_header(FLAG_HEADER_CHECKSUM, &checksum)).unwrap(), b"hello");
        assert_eq!(gzip(&with_header(FLAG_HEADER_CHECKSUM, b"\0\0")), Err(InflateError::Header.into()));
        for flag in [0x20, 0x40, 0x80] {
            assert_eq!(gzip(&with_header(flag, b"")), Err(InflateError::Header.into()));
        }
    }

    /// Cut anywhere, and with any bit flipped: never a panic, never another text.
    #[test]
    fn a_damaged_body_is_an_error() {
        for end in 1..HELLO.len() {
            assert_eq!(gzip(&HELLO[..end]), Err(InflateError::Truncated.into()), "{end}");
        }
        for end in 1..ZLIB.len() {
            assert_eq!(deflate(&ZLIB[..end]), Err(InflateError::Truncated.into()), "{end}");
        }
        for bit in 0..HELLO.len() * 8 {
            let mut packed = HELLO;
            packed[bit / 8] ^= 1 << (bit % 8);
            // Time, flags about the packing, the system it was packed on, and the bits that fill the last byte of the stream say
            // nothing of the text.
            let says_nothing = (4..10).contains(&(bit / 8)) || bit == 3 * 8 || (130..136).contains(&bit);
            assert_eq!(gzip(&packed).is_ok_and(|text| text == b"hello"), says_nothing, "{bit}");
            assert!(!gzip(&packed).is_ok_and(|text| text != b"hello"), "{bit}");
        }
        for bit in 0..ZLIB.len() * 8 {
            let mut packed = ZLIB;
            packed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(deflate(&packed).is_ok_and(|text| text == b"hello"), (66..72).contains(&bit), "{bit}");
            assert!(!deflate(&packed).is_ok_and(|text| text != b"hello"), "{bit}");
        }
        let mut other_length = HELLO;
        other_length[21] = 6;
        assert_eq!(gzip(&other_length), Err(InflateError::Length.into()));
        let mut other_checksum = HELLO;
        other_checksum[17] ^= 1;
        assert_eq!(gzip(&other_checksum), Err(InflateError::Checksum.into()));
    }

    #[test]
    fn what_is_of_another_kind_is_told_so() {
        for not_gzip in [&b"{}"[..], b"hello", &ZLIB, &[0x1f, 0x8c]] {
            assert_eq!(gzip(not_gzip), Err(InflateError::Header.into()), "{not_gzip:?}");
        }
        let mut other_method = HELLO;
        other_method[2] = 7;
        assert_eq!(gzip(&other_method), Err(InflateError::Method.into()));
        assert_eq!(deflate(&[0x77, 0x85, 3, 0]), Err(InflateError::Method.into()));
        assert_eq!(gzip(&[&HELLO[..], b"garbage"].concat()), Err(InflateError::Header.into()));
        for not_zlib in [&b"{}"[..], &HELLO] {
            assert_eq!(deflate(not_zlib), Err(InflateError::Header.into()), "{not_zlib:?}");
        }
        // With a dictionary that is to be known.
        assert_eq!(deflate(&[0x78, 0xbb, 0, 0, 0, 1, 3, 0]), Err(InflateError::Data.into()));
    }

    #[test]
    fn no_more_comes_out_than_the_limit() {
        let zeros = miniz_oxide::deflate::compress_to_vec_zlib(&[0; 1000], 9);
        assert_eq!(Encoding::Deflate.unpack(&zeros, 1000).unwrap().len(), 1000);
        assert_eq!(Encoding::Deflate.unpack(&zeros, 999), Err(BodyError::TooLarge));
        assert_eq!(Encoding::Deflate.unpack(&zeros, 0), Err(BodyError::TooLarge));
        assert_eq!(Encoding::Gzip.unpack(&HELLO, 5).unwrap(), b"hello");
        assert_eq!(Encoding::Gzip.unpack(&HELLO, 4), Err(BodyError::TooLarge));
        assert_eq!(Encoding::Gzip.unpack(&[HELLO, HELLO].concat(), 10).unwrap().len(), 10);
        assert_eq!(Encoding::Gzip.unpack(&[HELLO, HELLO].concat(), 9), Err(BodyError::TooLarge));
    }
}
