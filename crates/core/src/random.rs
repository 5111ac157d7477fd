//! The one place randomness comes from.

use crate::{TokenSecret, Unavailable};

/// A source of unpredictable bytes. [`SystemRandom`] unless a test puts another one in.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes`.
    ///
    /// # Errors
    ///
    /// [`Unavailable::Random`] if there are none to be had. Callers fail; they never go on with a
    /// constant.
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

/// A new secret: 64 characters of base62, 381 bits, as LoopBack's tokens look. Every character is
/// equally likely: bytes from 248 on are thrown away, where LoopBack's `% 62` prefers the first
/// eight letters.
pub(crate) fn token_secret(random: &dyn Random) -> Result<TokenSecret, Unavailable> {
    let mut secret = String::with_capacity(TokenSecret::LENGTH);
    let mut bytes = zeroize::Zeroizing::new([0_u8; 80]);
    while secret.len() < TokenSecret::LENGTH {
        random.fill(&mut *bytes)?;
        secret.extend(
            bytes
                .iter()
                .filter(|byte| **byte < 248)
                .filter_map(|byte| ALPHABET.get(usize::from(byte % 62)))
                .map(|byte| char::from(*byte))
                .take(TokenSecret::LENGTH - secret.len()),
        );
    }
    Ok(secret.into())
}

/// How many codes there are: 100000 to 999999, so that none begins with a zero that somebody leaves
/// out.
const CODES: u32 = 900_000;

/// A new code of six digits, each equally likely: of the numbers of 32 bits the topmost few are
/// thrown away.
pub(crate) fn six_digits(random: &dyn Random) -> Result<TokenSecret, Unavailable> {
    let mut bytes = zeroize::Zeroizing::new([0_u8; 4]);
    loop {
        random.fill(&mut *bytes)?;
        let number = u32::from_be_bytes(*bytes);
        if number < u32::MAX - u32::MAX % CODES {
            return Ok((100_000 + number % CODES).to_string().into());
        }
    }
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

    /// 6.5.4: χ² over the 62 characters stays below the 99.9 % quantile of 61 degrees of freedom
    /// most of the time; twice that is a bias no chance explains.
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

    /// Gives these numbers, one after the other.
    struct Scripted(std::sync::Mutex<Vec<u32>>);
    impl Random for Scripted {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
            let number = self.0.lock().unwrap().pop().ok_or(Unavailable::Random)?;
            bytes.copy_from_slice(&number.to_be_bytes());
            Ok(())
        }
    }

    /// 6.5.4, N-23
    #[test]
    fn every_code_of_six_digits_is_equally_likely() {
        let code = |numbers: &[u32]| six_digits(&Scripted(std::sync::Mutex::new(numbers.to_vec())));
        for (number, expected) in [(0, "100000"), (899_999, "999999"), (900_000, "100000"), (4_294_799_999, "999999")] {
            assert_eq!(code(&[number]).unwrap().expose(), expected);
        }
        // What is left of 2^32 after 4772 times all codes would make some of them likelier.
        for number in [4_294_800_000, 4_294_800_001, u32::MAX] {
            assert_eq!(code(&[7, number]).unwrap().expose(), "100007", "{number} is thrown away");
        }
        let mut first = [0_u32; 10];
        for _ in 0..9000 {
            let code = six_digits(&SystemRandom).unwrap();
            assert!((100_000..1_000_000).contains(&code.expose().parse::<u32>().unwrap()));
            first[usize::from(code.expose().as_bytes()[0] - b'0')] += 1;
        }
        assert!(first[0] == 0 && first[1..].iter().all(|count| (700..1300).contains(count)), "{first:?}");
    }

    /// 6.5.3
    #[test]
    fn no_randomness_is_an_error_and_never_a_constant() {
        assert!(matches!(token_secret(&Broken), Err(Unavailable::Random)));
        assert!(matches!(six_digits(&Broken), Err(Unavailable::Random)));
    }
}
