//! argon2id behind permits.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use argon2::Block;
use bench_serve::{Result, Secret};
use tokio::{sync::Semaphore, task};

pub(crate) struct Hasher {
    permits: Semaphore,
    /// One block of memory for each permit, when they are kept.
    memory: Option<Arc<Mutex<Vec<Vec<Block>>>>>,
}

impl Hasher {
    pub(crate) fn new(reuse: bool) -> Result<Self> {
        let cores = thread::available_parallelism()?.get();
        let memory = reuse.then(|| Arc::new(Mutex::new(vec![Secret::memory(); cores])));
        Ok(Self { permits: Semaphore::new(cores), memory })
    }

    pub(crate) async fn verify(&self, secret: Secret, password: String) -> Result<bool> {
        let _permit = self.permits.acquire().await?;
        let memory = self.memory.clone();
        Ok(task::spawn_blocking(move || match memory {
            None => secret.verify(&password),
            Some(memory) => {
                let mut block =
                    memory.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_else(Secret::memory);
                let right = secret.verify_in(&password, &mut block);
                memory.lock().unwrap_or_else(PoisonError::into_inner).push(block);
                right
            }
        })
        .await?)
    }
}
