//! A password as typed, and its hash as stored. Neither can be printed.

use std::fmt;

use zeroize::Zeroizing;

/// A password as somebody typed it. It is verified exactly as received: not trimmed, not cut, not
/// normalized (ASVS 6.2.8). `Debug` prints `[redacted]`; the memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The password itself. The name is a warning.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(Zeroizing::new(password))
    }
}

impl From<&str> for Password {
    fn from(password: &str) -> Self {
        Self::from(password.to_owned())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The stored hash of a password: a PHC string (`$argon2id$…`) or a bcrypt string (`$2b$…`).
/// `Debug` prints `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Zeroizing<String>);

impl PasswordHash {
    /// A hash read back from a store or imported from LoopBack. It is not checked here: a text that
    /// is no hash verifies no password.
    #[must_use]
    pub fn from_stored(hash: impl Into<String>) -> Self {
        Self(Zeroizing::new(hash.into()))
    }

    /// The string to store.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why a new password is not accepted. HTTP status 422.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// It is empty.
    #[error("Invalid password.")]
    Empty,
    /// It has fewer than `min` characters (`policy.passwords.min_chars`).
    #[error("The password must have at least {min} characters (entered {entered}).")]
    TooShort {
        /// The least number of characters.
        min: usize,
        /// How many there were.
        entered: usize,
    },
    /// It has more than `max` bytes of UTF-8 (`policy.passwords.max_bytes`). The text is
    /// LoopBack's.
    #[error("The password entered was too long. Max length is {max} (entered {entered})")]
    TooLong {
        /// The greatest number of bytes.
        max: usize,
        /// How many there were.
        entered: usize,
    },
    /// It is on the list of common passwords (ASVS 6.2.4).
    #[error("The password is one of the most common ones. Choose another.")]
    Common,
    /// It is the user's own address or name, or that of the site, with no more than digits and the
    /// like (ASVS 6.2.11).
    #[error("The password is your own address or name, or that of the site. Choose another.")]
    Expected,
}
