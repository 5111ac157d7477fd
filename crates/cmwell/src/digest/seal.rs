//! Seals Digest credentials with AES-256-GCM. Each is bound to its user and to the password that it
//! was made of.
//!
//! What Digest needs of a password, `H(name:realm:password)`, is as good as the password for this
//! realm: who reads it can log in. So the database alone must not have it. The binding makes a row
//! worthless in another user's place, and once the password is another, also if nobody managed to
//! delete the row.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use gatekit_core::{TokenDigest, UserId};
use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::keys::{SealingKey, framed};

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const TAG: usize = 16;

/// What a credential is for. Nothing of it is secret, all of it is sealed in.
pub(super) struct Binding<'a> {
    pub(super) user_type: &'a str,
    pub(super) user: &'a UserId,
    /// What the user is called here. It is hashed with the password, so that a user of another name
    /// needs another credential.
    pub(super) name: &'a str,
    pub(super) realm: &'a str,
    pub(super) algorithm: Algorithm,
    /// Of the password: another after each change.
    pub(super) password: &'a TokenDigest,
}

impl Binding<'_> {
    fn bytes(&self) -> Vec<u8> {
        // The number 7 and the text "7" are two users.
        let (kind, user): (&[u8], _) = match self.user {
            UserId::Int(id) => (b"int", id.to_string()),
            UserId::Text(id) => (b"text", id.clone()),
        };
        framed(&[
            &[VERSION],
            self.user_type.as_bytes(),
            kind,
            user.as_bytes(),
            self.name.as_bytes(),
            self.realm.as_bytes(),
            self.algorithm.name().as_bytes(),
            self.password.as_bytes(),
        ])
    }
}

/// Version, key id, nonce, and the secret encrypted, with its tag. `nonce` is random: at one seal
/// for each time that a user turns Digest on, 96 bits are far from a repetition (NIST SP 800-38D
/// §8.3: 2³² seals).
pub(super) fn seal(key: &SealingKey, nonce: [u8; NONCE_LEN], binding: &Binding<'_>, secret: &str) -> Option<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(secret.len() + TAG));
    text.extend_from_slice(secret.as_bytes());
    let aad = Aad::from(binding.bytes());
    cipher(key)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut *text).ok()?;
    let mut sealed = vec![VERSION];
    sealed.extend_from_slice(&key.id);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&text);
    Some(sealed)
}

/// The secret, if it was sealed under one of these keys for exactly this.
pub(super) fn open(keys: &[SealingKey], binding: &Binding<'_>, sealed: &[u8]) -> Option<Zeroizing<String>> {
    let (version, rest) = sealed.split_first()?;
    let (id, rest) = rest.split_first_chunk::<KEY_ID>()?;
    let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>()?;
    let key = keys.iter().find(|key| key.id == *id).filter(|_| *version == VERSION)?;
    let mut text = Zeroizing::new(text.to_vec());
    let aad = Aad::from(binding.bytes());
    let secret = cipher(key)?.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut text).ok()?;
    Some(Zeroizing::new(std::str::from_utf8(secret).ok()?.to_owned()))
}

/// Something as long as a credential that no key ever sealed: opening it is the same work.
pub(super) fn decoy(key: &SealingKey, algorithm: Algorithm) -> Vec<u8> {
    let secret = match algorithm {
        Algorithm::Sha256 => 64,
        Algorithm::Md5 => 32,
    };
    let mut sealed = vec![VERSION];
    sealed.extend_from_slice(&key.id);
    sealed.resize(1 + KEY_ID + NONCE_LEN + secret + TAG, 0);
    sealed
}

fn cipher(key: &SealingKey) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, &*key.seal).ok().map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::keys::test_key as key;

    const SECRET: &str = "a3c111d06441e33cb4f992aae5ba2f3d8b0bfa0ea1b904c1c6960074bfac1741";

    struct Bound {
        user_type: &'static str,
        user: UserId,
        name: &'static str,
        realm: &'static str,
        algorithm: Algorithm,
        password: TokenDigest,
    }

    impl Bound {
        fn new() -> Self {
            let (user, password) = (UserId::from(7), TokenDigest::of("$argon2id$.."));
            Self { user_type: "User", user, name: "myUser", realm: "cmwell", algorithm: Algorithm::Sha256, password }
        }

        fn binding(&self) -> Binding<'_> {
            let Self { user_type, user, name, realm, algorithm, password } = self;
            Binding { user_type, user, name, realm, algorithm: *algorithm, password }
        }
    }

    #[test]
    fn what_is_sealed_can_be_opened_and_not_be_read() {
        let (key, bound) = (key(1), Bound::new());
        let sealed = seal(&key, [3; 12], &bound.binding(), SECRET).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains(&SECRET[..8]));
        assert_eq!(open(&[key], &bound.binding(), &sealed).as_ref().map(|s| s.as_str()), Some(SECRET));
    }

    #[test]
    fn in_another_place_it_is_worthless() {
        let bound = Bound::new();
        let sealed = seal(&key(1), [3; 12], &bound.binding(), SECRET).unwrap();
        let others = [
            Bound { user_type: "Member", ..Bound::new() },
            Bound { user: UserId::from(8), ..Bound::new() },
            Bound { user: UserId::from("7"), ..Bound::new() },
            Bound { name: "myUsers", ..Bound::new() },
            Bound { realm: "other", ..Bound::new() },
            Bound { algorithm: Algorithm::Md5, ..Bound::new() },
            Bound { password: TokenDigest::of("$argon2id$.. of another"), ..Bound::new() },
        ];
        for other in &others {
            assert!(open(&[key(1)], &other.binding(), &sealed).is_none());
        }
    }

    #[test]
    fn another_key_does_not_open_it_and_an_additional_one_does() {
        let bound = Bound::new();
        let sealed = seal(&key(1), [3; 12], &bound.binding(), SECRET).unwrap();
        assert!(open(&[key(2)], &bound.binding(), &sealed).is_none());
        assert!(open(&[key(2), key(1)], &bound.binding(), &sealed).is_some());
    }

    #[test]
    fn no_bit_of_it_can_be_another() {
        let bound = Bound::new();
        let sealed = seal(&key(1), [3; 12], &bound.binding(), SECRET).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut forged = sealed.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&[key(1)], &bound.binding(), &forged).is_none(), "bit {bit}");
        }
        for end in 0..sealed.len() {
            assert!(open(&[key(1)], &bound.binding(), &sealed[..end]).is_none(), "{end} bytes");
        }
    }

    #[test]
    fn a_decoy_is_as_long_as_a_credential_and_opens_never() {
        let bound = Bound::new();
        let sealed = seal(&key(1), [3; 12], &bound.binding(), SECRET).unwrap();
        let decoy = decoy(&key(1), Algorithm::Sha256);
        assert_eq!(decoy.len(), sealed.len());
        assert!(open(&[key(1)], &bound.binding(), &decoy).is_none());
    }
}
