//! The one place randomness comes from.

use crate::{TokenSecret, Unavailable};

/// A source of unpredictable bytes. [`SystemRandom`] unless a test puts another one in.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes`.
    ///
    /// # Errors
    ///
    /// [`Unavailable::Random`] if there are none to be had. Callers fail; they never go on with a constant.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Unavailable>;
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        getrandom::fill(bytes).map_err(|_| Unavailable::Random)
    }
}

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const TOKEN_LENGTH: usize = 64;

/// A new secret: 64 characters of base62, 381 bits, as LoopBack's tokens look. Every character is equally likely:
/// bytes from 248 on are thrown away, where LoopBack's `% 62` prefers the first eight letters.
pub(crate) fn token_secret(random: &dyn Random) -> Result<TokenSecret, Unavailable> {
    let mut secret = String::with_capacity(TOKEN_LENGTH);
    let mut bytes = zeroize::Zeroizing::new([0_u8; 80]);
    while secret.len() < TOKEN_LENGTH {
        random.fill(&mut *bytes)?;
        secret.extend(
            bytes
                .iter()
                .filter(|byte| **byte < 248)
                .filter_map(|byte| ALPHABET.get(usize::from(byte % 62)))
                .map(|byte| char::from(*byte))
                .take(TOKEN_LENGTH - secret.len()),
        );
    }
    Ok(secret.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;
    impl Random for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), Unavailable> {
            Err(Unavailable::Random)
        }
    }

    /// 7.2.3, 6.5.3
    #[test]
    fn a_secret_is_64_characters_of_base62_and_never_the_same() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1000 {
            let secret = token_secret(&SystemRandom).unwrap();
            assert_eq!(secret.expose().len(), 64);
            assert!(secret.expose().bytes().all(|b| b.is_ascii_alphanumeric()));
            assert!(seen.insert(secret.expose().to_owned()));
        }
    }

    /// 6.5.4: χ² over the 62 characters stays below the 99.9 % quantile of 61 degrees of freedom most of the time; twice
    /// that is a bias no chance explains.
    #[test]
    fn every_character_is_equally_likely() {
        let mut counts = [0_u32; 128];
        for _ in 0..2000 {
            for b in token_secret(&SystemRandom).unwrap().expose().bytes() {
                counts[usize::from(b)] += 1;
            }
        }
        let expected = 2000.0 * 64.0 / 62.0;
        let chi: f64 =
            ALPHABET.iter().map(|b| (f64::from(counts[usize::from(*b)]) - expected).powi(2) / expected).sum();
        assert!(chi < 200.0, "χ² = {chi}");
    }

    /// 6.5.3
    #[test]
    fn no_randomness_is_an_error_and_never_a_constant() {
        assert!(matches!(token_secret(&Broken), Err(Unavailable::Random)));
    }
}
