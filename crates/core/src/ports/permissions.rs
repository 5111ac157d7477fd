//! Where permissions on paths are kept: [`PermissionStore`].

use async_trait::async_trait;

use crate::{PermissionHolder, Permissions, StoreError, UserId};

/// Where permissions are kept. The roles of users are those of the same store's
/// [`RoleStore`](crate::RoleStore).
#[async_trait]
pub trait PermissionStore: Send + Sync + 'static {
    /// In one query: what the user of this type with this id has of its own, and then what its
    /// roles have, in the order of the roles' names (by bytes). Without a user: what whoever is not
    /// logged in has. A holder without permissions is left out.
    async fn permissions_of(
        &self,
        user_type: &str,
        user: Option<&UserId>,
    ) -> Result<Vec<(PermissionHolder, Permissions)>, StoreError>;

    /// In one atomic step: gives a holder these permissions in place of those it had. `None` takes
    /// them away.
    async fn set_permissions(
        &self,
        user_type: &str,
        holder: &PermissionHolder,
        permissions: Option<&Permissions>,
    ) -> Result<(), StoreError>;

    /// What one holder has of its own.
    async fn get_permissions(
        &self,
        user_type: &str,
        holder: &PermissionHolder,
    ) -> Result<Option<Permissions>, StoreError>;
}
