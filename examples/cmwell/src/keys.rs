//! Where the keys come from: the environment, and what is not there from a file beside the database
//! that is made at the first start.
//!
//! | variable | key |
//! | --- | --- |
//! | `SIGNING_KEY` | signs the tokens: CM-Well's `play.http.secret.key` |
//! | `OLD_SIGNING_KEY` | the one before, until its last token has ended (60 days): CM-Well's `ws.additionalSecret.key` |
//! | `SEALING_KEY` | seals what Digest keeps of passwords |
//! | `OLD_SEALING_KEY` | the one before, until its users have turned Digest on again |
//!
//! In production set both keys, from where your secrets are: `openssl rand -base64 48`. Whoever has
//! the database and the sealing key can log in as every user who turned Digest on, so they are kept
//! apart.

use std::env;
use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use gatekit::cmwell::{CmWellBuilder, SealingKey, SigningKey};
use gatekit::core::{Random, SystemRandom};
use gatekit::{SqliteStore, User};

/// The keys of one server. Each has a slot for the key that it has replaced.
pub(crate) struct Keys {
    /// Signs the tokens.
    pub(crate) signing: SigningKey,
    old_signing: Option<SigningKey>,
    sealing: SealingKey,
    old_sealing: Option<SealingKey>,
}

impl Keys {
    /// From the environment and the file `<database>.keys`, which is read and made only if a key is
    /// missing. The error names the variable whose key is refused.
    pub(crate) fn find(database: &str) -> Result<Self, Box<dyn Error>> {
        let (signing, sealing) = (read("SIGNING_KEY", SigningKey::new)?, read("SEALING_KEY", SealingKey::new)?);
        let (signing, sealing) = match (signing, sealing) {
            (Some(signing), Some(sealing)) => (signing, sealing),
            (signing, sealing) => {
                let file = KeyFile::beside(database)?;
                (
                    signing.map_or_else(|| SigningKey::new(file.signing), Ok)?,
                    sealing.map_or_else(|| SealingKey::new(file.sealing), Ok)?,
                )
            }
        };
        let old_signing = read("OLD_SIGNING_KEY", SigningKey::new)?;
        let old_sealing = read("OLD_SEALING_KEY", SealingKey::new)?;
        Ok(Self { signing, old_signing, sealing, old_sealing })
    }

    /// Also takes tokens that the old key has signed.
    pub(crate) fn with_old(&self, builder: CmWellBuilder<User>) -> CmWellBuilder<User> {
        match &self.old_signing {
            Some(key) => builder.additional_key(key.clone()),
            None => builder,
        }
    }

    /// Turns Digest on, and also opens what the old key has sealed.
    pub(crate) fn with_digest(&self, builder: CmWellBuilder<User>, store: SqliteStore) -> CmWellBuilder<User> {
        let builder = builder.digest(store, self.sealing.clone());
        match &self.old_sealing {
            Some(key) => builder.additional_sealing_key(key.clone()),
            None => builder,
        }
    }
}

/// The key in a variable, if it is set.
fn read<K, E: Error>(name: &str, key: impl FnOnce(String) -> Result<K, E>) -> Result<Option<K>, String> {
    match env::var(name) {
        Ok(secret) => key(secret).map(Some).map_err(|error| format!("{name} is refused: {error}")),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// Two keys of 32 bytes.
struct KeyFile {
    signing: [u8; 32],
    sealing: [u8; 32],
}

impl KeyFile {
    /// Reads them from `<database>.keys`. If there is no such file, makes one with random keys,
    /// which only its owner can read.
    fn beside(database: &str) -> io::Result<Self> {
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
        // Under its own name it is there whole or not at all, also if the process is killed here,
        // and of two processes one makes it.
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
