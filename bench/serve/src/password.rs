//! argon2id with the parameters that Gatekit has by default, used the way apps use it.

use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::Result;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A stored password.
#[derive(Clone, Debug)]
pub struct Secret {
    salt: [u8; 16],
    hash: [u8; 32],
}

impl Secret {
    /// Hashes a new password. The salt is fixed, so that two runs of a server execute the same
    /// instructions.
    ///
    /// # Errors
    /// When there is no memory for the hash.
    pub fn new(password: &str) -> Result<Self> {
        let salt = *b"benchmarks' salt";
        let mut hash = [0; 32];
        argon2()?.hash_password_into(password.as_bytes(), &salt, &mut hash)?;
        Ok(Self { salt, hash })
    }

    /// Restores one from where it was stored.
    pub fn from_parts(salt: [u8; 16], hash: [u8; 32]) -> Self {
        Self { salt, hash }
    }

    /// The salt, to store it.
    pub fn salt(&self) -> &[u8; 16] {
        &self.salt
    }

    /// The hash, to store it.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Whether `password` is the right one; allocates the memory for the hash as
    /// `argon2::PasswordVerifier` does.
    pub fn verify(&self, password: &str) -> bool {
        let mut hash = [0; 32];
        argon2().is_ok_and(|argon2| argon2.hash_password_into(password.as_bytes(), &self.salt, &mut hash).is_ok())
            && self.equals(&hash)
    }

    /// As `verify`, in memory that the caller keeps.
    pub fn verify_in(&self, password: &str, memory: &mut [Block]) -> bool {
        let mut hash = [0; 32];
        argon2().is_ok_and(|argon2| {
            argon2.hash_password_into_with_memory(password.as_bytes(), &self.salt, &mut hash, memory).is_ok()
        }) && self.equals(&hash)
    }

    /// Memory for `verify_in`.
    pub fn memory() -> Vec<Block> {
        vec![Block::new(); MEMORY_KIB as usize]
    }

    /// Takes the same time wherever the first difference is.
    fn equals(&self, hash: &[u8; 32]) -> bool {
        self.hash.iter().zip(hash).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }
}

/// Verifies as most apps do: one blocking task for each login.
///
/// # Errors
/// When the task was stopped.
pub async fn verify_on_blocking_pool(secret: Secret, password: String) -> Result<bool> {
    Ok(tokio::task::spawn_blocking(move || secret.verify(&password)).await?)
}

fn argon2() -> argon2::Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}
