//! The tokens that follow from a refresh token. They are made of it and of a salt, so that whoever
//! brings it twice within the grace can be told the same tokens twice, and nothing is stored that
//! is one.
//!
//! A store holds the salt and digests. Without the refresh token before, which the client has, no
//! token can be made of these.

use gatekit_core::TokenSecret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::hex::hex;

/// The next tokens of a family.
pub(super) struct Successor {
    /// The access token.
    pub(super) access: TokenSecret,
    /// The secret of the refresh token, without the name of its family.
    pub(super) refresh: TokenSecret,
}

impl Successor {
    /// Of this refresh token's secret, in the family of this name. HMAC SHA-256 under the secret,
    /// which has 256 random bits or more.
    pub(super) fn of(secret: &str, salt: &str, name: &str) -> Option<Self> {
        let make = |what: &str| {
            let mut mac = <Hmac<Sha256>>::new_from_slice(secret.as_bytes()).ok()?;
            for part in ["gatekit-wix renewal 1", what, salt, name] {
                mac.update(part.as_bytes());
                // No part has one in it, so no two lists of parts are the same text.
                mac.update(b"\0");
            }
            Some(TokenSecret::from(hex(&mac.finalize().into_bytes())))
        };
        Some(Self { access: make("access")?, refresh: make("refresh")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_secret_salt_or_family_gives_other_tokens() {
        let made = |secret: &str, salt: &str, name: &str| {
            let Successor { access, refresh } = Successor::of(secret, salt, name).unwrap();
            assert!(TokenSecret::is_well_formed(access.expose()) && TokenSecret::is_well_formed(refresh.expose()));
            [access.expose().to_owned(), refresh.expose().to_owned()]
        };
        assert_eq!(made("s", "a", "n"), made("s", "a", "n"));
        let mut all: Vec<String> =
            [("s", "a", "n"), ("t", "a", "n"), ("s", "b", "n"), ("s", "a", "m"), ("s", "an", "")]
                .into_iter()
                .flat_map(|(secret, salt, name)| made(secret, salt, name))
                .collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 10);
    }
}
