//! Permissions that were read a short time ago.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatekit_core::{Account, Auth, PermissionSet, PermissionStore, StoreError, Timestamp, Unavailable, UserId};

/// How many callers' permissions are remembered. Those of more are asked for again.
const MAX_ENTRIES: usize = 10_000;

/// Permissions, and what was found of them a short time ago.
pub(crate) struct PermissionCache {
    pub(crate) store: Arc<dyn PermissionStore>,
    /// Milliseconds.
    ttl: i64,
    remembered: Mutex<Remembered>,
}

#[derive(Default)]
struct Remembered {
    /// Grows when all is forgotten: what was asked before is not remembered after.
    generation: u64,
    entries: HashMap<Option<UserId>, (Timestamp, Arc<PermissionSet>)>,
}

impl PermissionCache {
    pub(crate) fn new(store: Arc<dyn PermissionStore>, ttl: Duration) -> Self {
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        Self { store, ttl, remembered: Mutex::default() }
    }

    pub(crate) async fn of<U: Account>(
        &self,
        auth: &Auth<U>,
        user: Option<&UserId>,
    ) -> Result<Arc<PermissionSet>, Unavailable> {
        let now = auth.now();
        let key = user.cloned();
        let generation = {
            let remembered = self.lock();
            if let Some((_, known)) = remembered.entries.get(&key).filter(|(at, _)| self.is_fresh(*at, now)) {
                return Ok(Arc::clone(known));
            }
            remembered.generation
        };
        let found: Result<_, StoreError> = auth.bounded(self.store.permissions_of(U::model_name(), user)).await;
        let found = Arc::new(PermissionSet(found?));
        self.remember(generation, key, now, &found);
        Ok(found)
    }

    fn remember(&self, generation: u64, key: Option<UserId>, now: Timestamp, found: &Arc<PermissionSet>) {
        let mut remembered = self.lock();
        if self.ttl == 0 || remembered.generation != generation {
            return;
        }
        if remembered.entries.len() >= MAX_ENTRIES {
            remembered.entries.retain(|_, (at, _)| self.is_fresh(*at, now));
        }
        if remembered.entries.len() < MAX_ENTRIES {
            remembered.entries.insert(key, (now, Arc::clone(found)));
        }
    }

    /// A clock that was put back makes nothing live longer.
    fn is_fresh(&self, at: Timestamp, now: Timestamp) -> bool {
        now.0.checked_sub(at.0).is_some_and(|age| (0..self.ttl).contains(&age))
    }

    pub(crate) fn forget(&self) {
        let mut remembered = self.lock();
        remembered.generation = remembered.generation.wrapping_add(1);
        remembered.entries.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PermissionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermissionCache").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}
