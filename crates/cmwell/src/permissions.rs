//! What may a caller do at which path? The permissions, and for how long they are remembered.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatekit_core::{
    Account, Auth, InvalidPermissions, PermissionHolder, PermissionSet, PermissionStore, Permissions, StoreError,
    Timestamp, Unavailable, UserId,
};

use crate::CmWell;

/// The operation that lets its holder make passwords and clear the cache.
pub(crate) const ADMIN: &str = "Admin";
/// How many callers' permissions are remembered. Those of more are asked for again.
const MAX_ENTRIES: usize = 10_000;

/// Why permissions were not changed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetPermissionsError {
    /// There is no store for them.
    #[error("permissions are kept nowhere: call `.permissions(store)` on the builder")]
    NoStore,
    /// An entry is for no path that a request can have.
    #[error(transparent)]
    Invalid(#[from] InvalidPermissions),
    /// It cannot be done now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl<U: Account> CmWell<U> {
    /// What a user has, by itself and by its roles; without a user, what whoever is not logged in
    /// has. Nothing, if permissions are kept nowhere. With one query, or none if it was asked
    /// within `permission_cache`.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails: nobody's permissions are taken for none.
    pub async fn permissions_of(&self, user: Option<&UserId>) -> Result<Arc<PermissionSet>, Unavailable> {
        match &self.0.permissions {
            Some(cache) => cache.of(&self.0.auth, user).await,
            None => Ok(Arc::default()),
        }
    }

    /// Gives a holder these permissions in place of those it had; `None` takes them away. It counts
    /// from the next request of this process, and of others when they have forgotten the old ones
    /// (`permission_cache`).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use gatekit_cmwell::{CmWell, SigningKey};
    /// use gatekit_core::{Auth, MemoryStore, PathLevel, PathLevels, PathPermission, PermissionHolder, Permissions};
    ///
    /// let store = MemoryStore::new();
    /// # let key = SigningKey::new("conformance-test-key-0123456789abcdef")?;
    /// let cmwell = CmWell::builder(Auth::new(store.clone()), key).permissions(store).build()?;
    ///
    /// let public = Permissions::paths([PathPermission::allow("/", PathLevels::READ).recursive(true)]);
    /// cmwell.set_permissions(&PermissionHolder::Anonymous, Some(&public)).await?;
    /// assert!(cmwell.permissions_of(None).await?.decide("/reports", PathLevel::Read).allowed);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SetPermissionsError`].
    pub async fn set_permissions(
        &self,
        holder: &PermissionHolder,
        permissions: Option<&Permissions>,
    ) -> Result<(), SetPermissionsError> {
        if self.0.permissions.is_none() {
            return Err(SetPermissionsError::NoStore);
        }
        if let Some(permissions) = permissions {
            permissions.check()?;
        }
        let (cmwell, holder, permissions) = (self.clone(), holder.clone(), permissions.cloned());
        self.0
            .auth
            .change(|mut change| async move {
                let cache = cmwell.0.permissions.as_ref().ok_or(SetPermissionsError::NoStore)?;
                let stored = cache.store.set_permissions(U::model_name(), &holder, permissions.as_ref());
                let stored: Result<(), StoreError> = change.commit(stored).await;
                // Also if it failed: it may have happened all the same.
                cache.forget();
                stored.map_err(|error| SetPermissionsError::Unavailable(error.into()))
            })
            .await
    }

    /// Panics unless permissions are kept somewhere.
    #[expect(clippy::panic, reason = "the app's author meets it at the first start, and never again")]
    pub(crate) fn require_permissions(&self, method: &str) {
        if self.0.permissions.is_none() {
            panic!("CmWell::{method} needs a store of permissions: call `.permissions(store)` on the builder");
        }
    }

    /// Forgets the permissions that are remembered in this process, for a caller that has changed
    /// them in the store itself. CM-Well's `invalidate-cache`.
    pub fn forget_permissions(&self) {
        if let Some(cache) = &self.0.permissions {
            cache.forget();
        }
    }
}

/// Permissions, and what was found of them a short time ago.
pub(crate) struct PermissionCache {
    store: Arc<dyn PermissionStore>,
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

    async fn of<U: Account>(&self, auth: &Auth<U>, user: Option<&UserId>) -> Result<Arc<PermissionSet>, Unavailable> {
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

    fn forget(&self) {
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
