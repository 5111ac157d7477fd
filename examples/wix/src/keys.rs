//! The keys that tokens are signed with. They are made at the first start and kept beside the
//! database: an app in production has them from where it has its other secrets.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use gatekit::Auth;
use gatekit::core::TokenDigest;
use gatekit::wix::{MemberUser, TokenKeys};

/// One for session tokens, one for approval tokens: neither can be taken for the other.
pub(crate) struct Keys {
    pub(crate) session: TokenKeys,
    pub(crate) approval: TokenKeys,
}

/// Reads them, or makes them.
pub(crate) fn read_or_make(file: &Path, auth: &Auth<MemberUser>) -> Result<Keys, Box<dyn Error>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => make(file, auth)?,
        Err(error) => return Err(format!("{}: {error}", file.display()).into()),
    };
    let mut lines = text.lines();
    let (Some(session), Some(approval)) = (lines.next(), lines.next()) else {
        return Err(format!("{} must have two lines, a key on each", file.display()).into());
    };
    Ok(Keys { session: key(session)?, approval: key(approval)? })
}

/// A key and its name, which is made of its digest: another key has another name.
fn key(secret: &str) -> Result<TokenKeys, Box<dyn Error>> {
    Ok(TokenKeys::new(&TokenDigest::of(secret).handle()[..8], secret)?)
}

/// What the file holds then. Under its own name it is there whole or not at all, also if the
/// process is killed here, and of two processes one makes it.
fn make(path: &Path, auth: &Auth<MemberUser>) -> Result<String, Box<dyn Error>> {
    let text = format!("{}\n{}\n", auth.new_secret()?.expose(), auth.new_secret()?.expose());
    let draft = path.with_extension(format!("keys.{}", std::process::id()));
    // For the owner's eyes alone, from the first byte on.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft).map_err(|error| format!("{}: {error}", draft.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(fs::read_to_string(path)?),
        linked => Ok(linked.map(|()| text)?),
    }
}
