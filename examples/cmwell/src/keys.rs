//! Where do the keys come from? For development, out of a file beside the database that is made at the first start.
//!
//! In production take them from where your secrets are, and keep them apart from the database: whoever has both has every account that uses Digest.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use gatekit::core::{Random, SystemRandom};

/// Two keys of 32 bytes.
pub(crate) struct Keys {
    /// Signs the tokens.
    pub(crate) signing: [u8; 32],
    /// Seals what Digest keeps of passwords.
    pub(crate) sealing: [u8; 32],
}

impl Keys {
    /// Reads them from `<database>.keys`. If there is no such file, makes one with random keys, which only its owner can read.
    pub(crate) fn beside(database: &str) -> io::Result<Self> {
        let path = format!("{database}.keys");
        match Self::make(path.as_ref()) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::read(path.as_ref()),
            made => made,
        }
    }

    fn make(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let mut keys = Self { signing: [0; 32], sealing: [0; 32] };
        for key in [&mut keys.signing, &mut keys.sealing] {
            SystemRandom.fill(key).map_err(io::Error::other)?;
            file.write_all(key)?;
        }
        file.sync_all()?;
        Ok(keys)
    }

    fn read(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).open(path)?;
        let mut keys = Self { signing: [0; 32], sealing: [0; 32] };
        file.read_exact(&mut keys.signing)?;
        file.read_exact(&mut keys.sealing)?;
        Ok(keys)
    }
}
