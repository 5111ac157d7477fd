//! Permissions on paths.

use async_trait::async_trait;
use gatekit_core::{PermissionHolder, PermissionStore, Permissions, StoreError, UserId};

use super::FaultyStore;

#[async_trait]
impl<S: PermissionStore> PermissionStore for FaultyStore<S> {
    async fn permissions_of(
        &self,
        user_type: &str,
        user: Option<&UserId>,
    ) -> Result<Vec<(PermissionHolder, Permissions)>, StoreError> {
        self.faults.call("permissions_of", self.inner.permissions_of(user_type, user)).await
    }

    async fn set_permissions(
        &self,
        user_type: &str,
        holder: &PermissionHolder,
        permissions: Option<&Permissions>,
    ) -> Result<(), StoreError> {
        self.faults.call("set_permissions", self.inner.set_permissions(user_type, holder, permissions)).await
    }

    async fn get_permissions(
        &self,
        user_type: &str,
        holder: &PermissionHolder,
    ) -> Result<Option<Permissions>, StoreError> {
        self.faults.call("get_permissions", self.inner.get_permissions(user_type, holder)).await
    }
}
