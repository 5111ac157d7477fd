//! Where do the keys come from? For development, out of a file beside the database that is made at the first start.
//!
//! In production take them from where your secrets are, and keep them apart from the database: whoever has both has every account that uses Digest.

use std::fs::{self, OpenOptions};
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
        let keys = match Self::read(path.as_ref()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Self::make(path.as_ref()),
            read => read,
        };
        let keys = match keys {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::read(path.as_ref()),
            keys => keys,
        };
        keys.map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
    }

    fn make(path: &Path) -> io::Result<Self> {
        let mut keys = Self { signing: [0; 32], sealing: [0; 32] };
        for key in [&mut keys.signing, &mut keys.sealing] {
            SystemRandom.fill(key).map_err(io::Error::other)?;
        }
        // Under its own name it is there whole or not at all, also if the process is killed here, and of two processes one makes it.
        let draft = path.with_extension(format!("keys.{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        file.write_all(&[keys.signing, keys.sealing].concat())?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        linked.map(|()| keys)
    }

    fn read(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).open(path)?;
        let mut keys = Self { signing: [0; 32], sealing: [0; 32] };
        file.read_exact(&mut keys.signing)?;
        file.read_exact(&mut keys.sealing)?;
        Ok(keys)
    }
}
