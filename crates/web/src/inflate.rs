//! Unpacks a body that a client has compressed: gzip (RFC 1952) or deflate (RFC 1950), within a
//! limit.
//!
//! 1. What comes out has a limit, and nothing is unpacked beyond it. A bomb of a few kilobytes
//!    costs no more than a body of the limit.
//! 2. Checksums and lengths are checked, so a body that was damaged on the way is an error.
//! 3. gzip may have several members, one after another. Anything else after them is an error. What
//!    follows a deflate stream is ignored, as Node does.
//! 4. `deflate` has zlib's header, as RFC 9110 section 8.4.1.2 says. A stream without it is an
//!    error, as in LoopBack.

use std::io::{self, Read};

use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, HeaderValue};
use flate2::read::{MultiGzDecoder, ZlibDecoder};

use crate::body_error::{BodyError, InflateError};

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
        match self {
            _ if packed.is_empty() => Ok(Vec::new()),
            Self::Identity => Ok(packed.to_vec()),
            // A body that is cut off within its first bytes may still begin as it should.
            Self::Gzip if !packed.iter().zip([0x1f, 0x8b]).all(|(found, wanted)| *found == wanted) => {
                Err(InflateError::Header.into())
            }
            // RFC 1950 section 2.2
            Self::Deflate if packed.first_chunk().is_some_and(|head| u16::from_be_bytes(*head) % 31 != 0) => {
                Err(InflateError::Header.into())
            }
            Self::Gzip => read(MultiGzDecoder::new(packed), max_bytes),
            Self::Deflate => read(ZlibDecoder::new(packed), max_bytes),
        }
    }
}

/// Reads one byte more than the limit at most, so that a body of exactly the limit is told from a
/// longer one.
fn read(unpacked: impl Read, max_bytes: usize) -> Result<Vec<u8>, BodyError> {
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    unpacked.take(limit).read_to_end(&mut bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => InflateError::Truncated,
        _ => InflateError::Data,
    })?;
    if bytes.len() > max_bytes { Err(BodyError::TooLarge) } else { Ok(bytes) }
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
            // Neither the rest of the header nor the last bits of the stream say anything of the
            // text.
            assert!(!gzip(&packed).is_ok_and(|text| text != b"hello"), "{bit}");
            assert!((16..17 * 8).contains(&bit) || gzip(&packed).is_err(), "{bit}");
        }
        for bit in 0..ZLIB.len() * 8 {
            let mut packed = ZLIB;
            packed[bit / 8] ^= 1 << (bit % 8);
            assert!(!deflate(&packed).is_ok_and(|text| text != b"hello"), "{bit}");
        }
    }

    #[test]
    fn a_body_of_another_kind_is_an_error() {
        for not_gzip in [&b"{}"[..], b"hello", &ZLIB] {
            assert_eq!(gzip(not_gzip), Err(InflateError::Header.into()), "{not_gzip:?}");
        }
        assert_eq!(gzip(&[&HELLO[..], b"garbage and more"].concat()), Err(InflateError::Data.into()));
        for not_zlib in [&b"{}"[..], &HELLO] {
            assert_eq!(deflate(not_zlib), Err(InflateError::Header.into()), "{not_zlib:?}");
        }
        // With a dictionary that is to be known.
        assert_eq!(deflate(&[0x78, 0xbb, 0, 0, 0, 1, 3, 0]), Err(InflateError::Data.into()));
    }

    #[test]
    fn no_more_comes_out_than_the_limit() {
        assert_eq!(Encoding::Deflate.unpack(&ZLIB, 5).unwrap(), b"hello");
        assert_eq!(Encoding::Deflate.unpack(&ZLIB, 4), Err(BodyError::TooLarge));
        assert_eq!(Encoding::Deflate.unpack(&ZLIB, 0), Err(BodyError::TooLarge));
        assert_eq!(Encoding::Gzip.unpack(&HELLO, 5).unwrap(), b"hello");
        assert_eq!(Encoding::Gzip.unpack(&HELLO, 4), Err(BodyError::TooLarge));
        assert_eq!(Encoding::Gzip.unpack(&[HELLO, HELLO].concat(), 10).unwrap().len(), 10);
        assert_eq!(Encoding::Gzip.unpack(&[HELLO, HELLO].concat(), 9), Err(BodyError::TooLarge));
    }
}
