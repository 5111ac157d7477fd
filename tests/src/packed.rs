//! Bodies as clients compress them.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

/// As `Content-Encoding: gzip` says.
///
/// # Panics
///
/// Never: memory takes every byte.
pub fn gzip(body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(body.as_ref()).and_then(|()| packer.finish()).expect("memory takes every byte")
}

/// As `Content-Encoding: deflate` says: with zlib's header.
///
/// # Panics
///
/// Never: memory takes every byte.
pub fn deflate(body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    packer.write_all(body.as_ref()).and_then(|()| packer.finish()).expect("memory takes every byte")
}
