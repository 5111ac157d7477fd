//! Stored hashes: how a new one is written, how a password is verified against one, which schemes
//! there are, what each of them sees of a password, and where they stop.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use argon2::password_hash::phc;
use argon2::{Algorithm, Params, Version};
use subtle::ConstantTimeEq;

use super::backend::{Input, OUTPUT_LENGTH};
use super::engine::Engine;
use super::pace::{Pace, Pause};
use crate::{Password, PasswordHash};

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Whether the password is the one that was hashed, as far as the hash can tell: see
    /// [`is_whole`](Self::is_whole).
    pub matches: bool,
    /// Whether it matches but was hashed with other parameters than today's, and should be hashed
    /// again. Never set for a password that the hash has seen only a part of.
    pub outdated: bool,
    /// Whether the hash depends on every byte of this password.
    ///
    /// bcrypt looks at 72 bytes at most, and does not tell a password from one that repeats it
    /// after a NUL byte. Where this is `false`, other passwords match too, and the one at hand may
    /// not be the owner's. Nothing may be made of it that outlives the hash.
    pub is_whole: bool,
    /// What is wrong with the stored hash, for the log.
    pub problem: Option<HashProblem>,
}

impl Verified {
    const NOBODY: Self = Self { matches: false, outdated: false, is_whole: true, problem: None };
}

/// What is wrong with a stored hash. `Display` is for the log, and never holds the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashProblem {
    /// It is neither a PHC string of argon2 nor a bcrypt string, or it is cut or damaged. No
    /// password matches.
    #[error("the stored hash is damaged or of an unknown scheme; no password matches it")]
    Unreadable,
    /// It would take too long or too much memory to verify: bcrypt above cost 16, or argon2 above 1
    /// GiB or 32 passes. No password matches.
    #[error(
        "the stored hash has a cost above the limit (bcrypt 16, argon2 1 GiB and 32 passes); no password matches it"
    )]
    TooCostly,
    /// It is `$2x$`, made by the version of crypt_blowfish that read bytes above 127 wrongly.
    /// Passwords of ASCII characters match; others do not.
    #[error(
        "the stored hash is of bcrypt's defective version 2x; a password with other characters than ASCII does not match it"
    )]
    DefectiveVersion,
    /// There are blanks around it, as a column of a fixed width adds them. It was verified without
    /// them.
    #[error("the stored hash has blanks around it; it was verified without them")]
    Padded,
    /// It was verified, but takes longer than refusals are made to take
    /// ([`HasherBuilder::imported_bcrypt_cost`](crate::HasherBuilder::imported_bcrypt_cost)), so
    /// its user can be told from others by time.
    #[error(
        "the stored hash has a greater cost than the hasher was told to expect; wrong logins of its user may take longer than others"
    )]
    Slow,
}

impl HashProblem {
    /// What can be told of a stored hash without a password; `None` if it can be verified.
    /// [`Slow`](Self::Slow) depends on the hasher and is not among it.
    #[must_use]
    pub fn of(stored: &PasswordHash) -> Option<Self> {
        let text = trimmed(stored);
        let problem = match text.starts_with("$2") {
            true => match read_bcrypt(text) {
                Ok(_) if text.starts_with("$2x$") => Some(Self::DefectiveVersion),
                read => read.err(),
            },
            false => Argon2Hash::read(text).err(),
        };
        problem.or_else(|| (text.len() != stored.expose().len()).then_some(Self::Padded))
    }
}

/// A stored hash without the blanks of a column of a fixed width.
fn trimmed(stored: &PasswordHash) -> &str {
    stored.expose().trim_matches(|c: char| c.is_whitespace() || c == '\0')
}

/// The cost of a bcrypt string that can be verified.
fn read_bcrypt(hash: &str) -> Result<u32, HashProblem> {
    let cost: u32 = hash.get(4..6).and_then(|cost| cost.parse().ok()).ok_or(HashProblem::Unreadable)?;
    if cost > MAX_BCRYPT_COST {
        return Err(HashProblem::TooCostly);
    }
    hash.parse::<bcrypt::HashParts>().map_err(|_| HashProblem::Unreadable)?;
    Ok(cost)
}

/// A PHC string of argon2 that can be verified.
struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    /// Whether the string names its version.
    names_version: bool,
    params: Params,
    salt: phc::Salt,
    expected: phc::Output,
}

impl Argon2Hash {
    fn read(hash: &str) -> Result<Self, HashProblem> {
        let damaged = HashProblem::Unreadable;
        let hash = phc::PasswordHash::new(hash).map_err(|_| damaged)?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| damaged)?;
        let version = hash.version.map_or(Ok(Version::default()), Version::try_from).map_err(|_| damaged)?;
        let params = Params::try_from(&hash).map_err(|_| damaged)?;
        if params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > MAX_ITERATIONS {
            return Err(HashProblem::TooCostly);
        }
        let (salt, expected) = (hash.salt.ok_or(damaged)?, hash.hash.ok_or(damaged)?);
        if expected.len() != OUTPUT_LENGTH {
            return Err(damaged);
        }
        Ok(Self { algorithm, version, names_version: hash.version.is_some(), params, salt, expected })
    }
}

/// Beyond these a stored hash is not verified: that would stop the server for minutes.
const MAX_BCRYPT_COST: u32 = 16;
const MAX_MEMORY_KIB: u32 = 1 << 20;
const MAX_ITERATIONS: u32 = 32;
/// What bcrypt sees of a password: with fewer bytes, also where it ends.
const BCRYPT_BYTES: usize = 72;

pub(super) const SALT_LENGTH: usize = 16;

/// Writes and verifies stored hashes, on the thread that calls it.
pub(super) struct StoredHashes {
    engine: Engine,
    /// How many hashes were computed.
    computed: AtomicU64,
    /// A hash with our parameters that no password matches: what an unknown user's password is
    /// verified against.
    nobody: PasswordHash,
    /// How long a refusal takes.
    pace: Pace,
}

impl StoredHashes {
    /// `None` if the parameters cannot be written as a PHC string.
    pub(super) fn new(params: Params, imported_bcrypt_cost: Option<u32>) -> Option<Self> {
        Self::with_engine(Engine::new(params), imported_bcrypt_cost)
    }

    pub(super) fn with_engine(engine: Engine, imported_bcrypt_cost: Option<u32>) -> Option<Self> {
        // Neither salt nor output is a secret here: the output is not the hash of anything.
        let nobody = encode(engine.own_params(), &[0; SALT_LENGTH], &[0; OUTPUT_LENGTH])?;
        Some(Self { engine, computed: AtomicU64::new(0), nobody, pace: Pace::new(imported_bcrypt_cost) })
    }

    /// A new hash.
    pub(super) fn hash(&self, password: &Password, salt: &[u8; SALT_LENGTH]) -> Option<PasswordHash> {
        let params = self.engine.own_params();
        let output = self.argon2(params, Version::V0x13, Algorithm::Argon2id, password, salt)?;
        encode(params, salt, &output)
    }

    /// Verifies a password against a stored hash, or does the same work for a user without one.
    /// Says when a refusal may be sent.
    pub(super) fn verify(&self, password: &Password, stored: Option<&PasswordHash>) -> (Verified, Pause) {
        let began = Instant::now();
        let verified = match stored {
            Some(stored) => self.verify_stored(password, stored),
            None => self.verify_nobody(password),
        };
        (verified, self.pace.after(began))
    }

    /// The parameters of new hashes.
    pub(super) fn params(&self) -> &Params {
        self.engine.own_params()
    }

    /// How many hashes were computed.
    pub(super) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    /// Bytes of memory that wait for the next hashes.
    pub(super) fn idle_memory(&self) -> usize {
        self.engine.idle_memory()
    }

    /// One hash in any case.
    fn verify_stored(&self, password: &Password, stored: &PasswordHash) -> Verified {
        let text = trimmed(stored);
        let padded = (text.len() != stored.expose().len()).then_some(HashProblem::Padded);
        let verified = match text.starts_with("$2") {
            true => self.verify_bcrypt(password, text),
            false => self.verify_argon2(password, text),
        };
        match verified {
            Ok(verified) => Verified {
                // The blanks go when it is hashed again.
                outdated: verified.matches && verified.is_whole && (verified.outdated || padded.is_some()),
                problem: verified.problem.or(padded),
                ..verified
            },
            Err(problem) => {
                // The work of a hash that can be verified, so that the refusal costs the same.
                self.verify_nobody(password);
                Verified { problem: Some(problem), ..Verified::NOBODY }
            }
        }
    }

    /// The work of a verification, for a user who is not there.
    fn verify_nobody(&self, password: &Password) -> Verified {
        // It is the hash of no password.
        let _ = self.verify_argon2(password, self.nobody.expose());
        Verified::NOBODY
    }

    fn verify_bcrypt(&self, password: &Password, hash: &str) -> Result<Verified, HashProblem> {
        let cost = read_bcrypt(hash)?;
        let password = password.expose();
        let matches = bcrypt::verify(password, hash).map_err(|_| HashProblem::Unreadable)?;
        self.computed.fetch_add(1, Ordering::Relaxed);
        let is_whole = password.len() < BCRYPT_BYTES && !password.contains('\0');
        let problem = if hash.starts_with("$2x$") && !password.is_ascii() {
            Some(HashProblem::DefectiveVersion)
        } else if self.pace.is_exceeded_by(cost) {
            Some(HashProblem::Slow)
        } else {
            None
        };
        Ok(Verified { matches, outdated: true, is_whole, problem })
    }

    fn verify_argon2(&self, password: &Password, hash: &str) -> Result<Verified, HashProblem> {
        let Argon2Hash { algorithm, version, names_version, params, salt, expected } = Argon2Hash::read(hash)?;
        let output = self.argon2(&params, version, algorithm, password, &salt).ok_or(HashProblem::Unreadable)?;
        let is_current = algorithm == Algorithm::Argon2id
            && version == Version::V0x13
            && names_version
            && self.has_own_cost(&params);
        Ok(Verified {
            matches: output.ct_eq(expected.as_bytes()).into(),
            outdated: !is_current,
            is_whole: true,
            problem: None,
        })
    }

    fn has_own_cost(&self, params: &Params) -> bool {
        let costs = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        costs(params) == costs(self.engine.own_params())
    }

    fn argon2(
        &self,
        params: &Params,
        version: Version,
        algorithm: Algorithm,
        password: &Password,
        salt: &[u8],
    ) -> Option<[u8; OUTPUT_LENGTH]> {
        self.computed.fetch_add(1, Ordering::Relaxed);
        self.engine.hash(Input { algorithm, version, params, password: password.expose().as_bytes(), salt })
    }
}

fn encode(params: &Params, salt: &[u8], output: &[u8]) -> Option<PasswordHash> {
    let hash = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: params.try_into().ok()?,
        salt: Some(phc::Salt::new(salt).ok()?),
        hash: Some(phc::Output::new(output).ok()?),
    };
    Some(PasswordHash::from_stored(hash.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the doctor tells of a hash is what a verification would meet.
    #[test]
    fn a_stored_hash_is_judged_without_a_password() {
        let bcrypt = "$2b$04$abcdefghijklmnopqrstuuo76bVC.53VI0L..mm03vuBm0KljUQoi";
        let argon2 =
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for (hash, problem) in [
            (bcrypt.to_owned(), None),
            (argon2.to_owned(), None),
            (format!("{bcrypt}  "), Some(HashProblem::Padded)),
            (bcrypt.replace("$2b$", "$2x$"), Some(HashProblem::DefectiveVersion)),
            (bcrypt.replace("$04$", "$17$"), Some(HashProblem::TooCostly)),
            (bcrypt[..59].to_owned(), Some(HashProblem::Unreadable)),
            (argon2.replace("m=19456", "m=2000000"), Some(HashProblem::TooCostly)),
            (argon2.replace("argon2id", "scrypt"), Some(HashProblem::Unreadable)),
            ("5f4dcc3b5aa765d61d8327deb882cf99".to_owned(), Some(HashProblem::Unreadable)),
            (String::new(), Some(HashProblem::Unreadable)),
        ] {
            assert_eq!(HashProblem::of(&PasswordHash::from_stored(hash.clone())), problem, "{hash:?}");
        }
    }
}
