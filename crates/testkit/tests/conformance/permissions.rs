//! Faults of permissions on paths.

use gatekit_core::{PermissionHolder, PermissionStore, Permissions, RoleStore, StoreError, UserId, async_trait};

use super::Fault::*;
use super::Faulty;

impl Faulty {
    fn holder(&self, holder: &PermissionHolder) -> PermissionHolder {
        match holder {
            PermissionHolder::User(UserId::Text(name)) if self.has(PermissionsOfAUserAreOfTheRole) => {
                PermissionHolder::Role(name.clone())
            }
            PermissionHolder::User(id) => PermissionHolder::User(self.id(id)),
            PermissionHolder::Role(name) => PermissionHolder::Role(name.clone()),
            PermissionHolder::Anonymous => PermissionHolder::Anonymous,
        }
    }

    fn permissions_type<'a>(&self, user_type: &'a str) -> &'a str {
        if self.has(PermissionsIgnoreTheType) { "User" } else { user_type }
    }
}

#[async_trait]
impl PermissionStore for Faulty {
    async fn permissions_of(
        &self,
        user_type: &str,
        user: Option<&UserId>,
    ) -> Result<Vec<(PermissionHolder, Permissions)>, StoreError> {
        let user_type = self.permissions_type(user_type);
        let id = user.map(|id| self.id(id));
        let mut found = self.store.permissions_of(user_type, id.as_ref()).await?;
        let is_own = |(holder, _): &(PermissionHolder, Permissions)| matches!(holder, PermissionHolder::User(_));
        match self.fault {
            Some(PermissionsOfRolesAreLeftOut) => found.retain(is_own),
            Some(PermissionsOfAUserAreLeftOut) => found.retain(|one| !is_own(one)),
            Some(PermissionsOfAUserComeLast) => found.sort_by_key(is_own),
            Some(PermissionsOfRolesAreReversed) => {
                found.reverse();
                found.sort_by_key(|one| !is_own(one));
            }
            Some(PermissionsOfAllRoles) if user.is_some() => {
                let holder = PermissionHolder::Role("other".into());
                let other = self.store.get_permissions(user_type, &holder).await?;
                found.extend(other.map(|permissions| (holder, permissions)));
            }
            Some(PermissionsOfAnonymousAreEverybodys) if user.is_some() => {
                found.extend(self.store.permissions_of(user_type, None).await?);
            }
            Some(PermissionsOfNobodyAreEmpty) => {
                let roles = match user {
                    Some(user) => self.store.roles_of(user_type, user).await?,
                    None => Vec::new(),
                };
                for role in roles.into_iter().map(PermissionHolder::Role) {
                    if !found.iter().any(|(holder, _)| *holder == role) {
                        found.push((role, Permissions::default()));
                    }
                }
            }
            _ => {}
        }
        Ok(found)
    }

    async fn set_permissions(
        &self,
        user_type: &str,
        holder: &PermissionHolder,
        permissions: Option<&Permissions>,
    ) -> Result<(), StoreError> {
        let (user_type, holder) = (self.permissions_type(user_type), &self.holder(holder));
        let mut new = permissions.cloned();
        match (self.fault, &mut new) {
            (Some(PermissionsAreNeverTakenAway), None) => return Ok(()),
            (Some(PermissionsAreMerged), Some(new)) => {
                if let Some(old) = self.store.get_permissions(user_type, holder).await? {
                    new.paths.extend(old.paths);
                }
            }
            (Some(PermissionsLoseOperations), Some(new)) => new.operations.clear(),
            (Some(PermissionsLoseTheOrder), Some(new)) => new.paths.sort_by(|a, b| a.id.cmp(&b.id)),
            _ => {}
        }
        self.store.set_permissions(user_type, holder, new.as_ref()).await
    }

    async fn get_permissions(
        &self,
        user_type: &str,
        holder: &PermissionHolder,
    ) -> Result<Option<Permissions>, StoreError> {
        self.store.get_permissions(self.permissions_type(user_type), &self.holder(holder)).await
    }
}
