//! Who may do what below which path.

use async_trait::async_trait;

use super::store::MemoryStore;
use crate::{PermissionHolder, PermissionStore, Permissions, Profile, StoreError, UserId};

#[async_trait]
impl<P: Profile> PermissionStore for MemoryStore<P> {
    async fn permissions_of(
        &self,
        user_type: &str,
        user: Option<&UserId>,
    ) -> Result<Vec<(PermissionHolder, Permissions)>, StoreError> {
        let contents = self.read();
        let holders = match user {
            None => vec![PermissionHolder::Anonymous],
            Some(user) => {
                let roles = contents.roles_of(user_type, user).into_iter().map(PermissionHolder::Role);
                std::iter::once(PermissionHolder::User(user.clone())).chain(roles).collect()
            }
        };
        let permissions = holders.into_iter().filter_map(|holder| {
            let key = (user_type.to_owned(), holder);
            let permissions = contents.permissions.get(&key)?.clone();
            Some((key.1, permissions))
        });
        Ok(permissions.collect())
    }

    async fn set_permissions(
        &self,
        user_type: &str,
        holder: &PermissionHolder,
        permissions: Option<&Permissions>,
    ) -> Result<(), StoreError> {
        let mut contents = self.write();
        let key = (user_type.to_owned(), holder.clone());
        match permissions {
            Some(permissions) => contents.permissions.insert(key, permissions.clone()),
            None => contents.permissions.remove(&key),
        };
        Ok(())
    }

    async fn get_permissions(
        &self,
        user_type: &str,
        holder: &PermissionHolder,
    ) -> Result<Option<Permissions>, StoreError> {
        Ok(self.read().permissions.get(&(user_type.to_owned(), holder.clone())).cloned())
    }
}
