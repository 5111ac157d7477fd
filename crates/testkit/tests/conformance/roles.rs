//! Faults of roles.

use gatekit_core::{RoleStore, StoreError, UserId, async_trait};

use super::Fault::*;
use super::Faulty;

impl Faulty {
    fn role(&self, role: &str) -> String {
        if self.has(RolesIgnoreCase) { role.to_lowercase() } else { role.to_owned() }
    }

    fn of<'a>(&self, user_type: &'a str) -> &'a str {
        if self.has(RolesIgnoreTheType) { "User" } else { user_type }
    }
}

#[async_trait]
impl RoleStore for Faulty {
    async fn assign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError> {
        let (user_type, user, role) = (self.of(user_type), &self.id(user), &self.role(role));
        if self.has(AssignmentChecksFirst) {
            let new = !self.store.roles_of(user_type, user).await?.contains(role);
            self.pause().await;
            self.store.assign_role(user_type, user, role).await?;
            return Ok(new);
        }
        Ok(self.store.assign_role(user_type, user, role).await? || self.has(AssignmentIsAlwaysNew))
    }

    async fn unassign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError> {
        let (user_type, user, role) = (self.of(user_type), &self.id(user), &self.role(role));
        let done = self.store.unassign_role(user_type, user, role).await?;
        if self.has(UnassignmentTakesAllRoles) {
            for other in self.store.roles_of(user_type, user).await? {
                self.store.unassign_role(user_type, user, &other).await?;
            }
        }
        Ok(done || self.has(UnassignmentIsAlwaysTrue))
    }

    async fn roles_of(&self, user_type: &str, user: &UserId) -> Result<Vec<String>, StoreError> {
        let mut roles = self.store.roles_of(self.of(user_type), &self.id(user)).await?;
        if self.has(RolesComeInAnotherOrder) {
            roles.sort_by_key(|role| role.to_lowercase());
        }
        Ok(roles)
    }

    async fn users_in_role(&self, user_type: &str, role: &str) -> Result<Vec<UserId>, StoreError> {
        let mut users = self.store.users_in_role(self.of(user_type), &self.role(role)).await?;
        if self.has(UsersInARoleComeInTheOrderOfTheirNames) {
            users.sort_by_key(UserId::to_string);
        }
        Ok(users)
    }
}
