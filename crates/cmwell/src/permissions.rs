//! Which operations a caller may use at which path.

use std::sync::Arc;

use gatekit_core::{
    Account, InvalidPermissions, PermissionHolder, PermissionSet, Permissions, StoreError, Unavailable, UserId,
};

use crate::CmWell;

/// The operation that lets its holder make passwords and clear the cache.
pub(crate) const ADMIN: &str = "Admin";

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
