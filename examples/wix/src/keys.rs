//! The keys that tokens are signed with. They are made at the first start and kept beside the database: an app in production has them from
//! where it has its other secrets.

use std::error::Error;
use std::fs::{self, File, OpenOptions};
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

fn make(path: &Path, auth: &Auth<MemberUser>) -> Result<String, Box<dyn Error>> {
    let text = format!("{}\n{}\n", auth.new_secret()?.expose(), auth.new_secret()?.expose());
    // For the owner's eyes alone, from the first byte on.
    let mut file: File = new_file().open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(text)
}

fn new_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
