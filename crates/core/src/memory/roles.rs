//! Which roles a user has.

use async_trait::async_trait;

use super::store::MemoryStore;
use crate::{Profile, RoleStore, StoreError, UserId};

#[async_trait]
impl<P: Profile> RoleStore for MemoryStore<P> {
    async fn assign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError> {
        let mut contents = self.write();
        Ok(contents.roles.entry((user_type.to_owned(), user.clone())).or_default().insert(role.to_owned()))
    }

    async fn unassign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError> {
        let mut contents = self.write();
        let roles = contents.roles.get_mut(&(user_type.to_owned(), user.clone()));
        Ok(roles.is_some_and(|roles| roles.remove(role)))
    }

    async fn roles_of(&self, user_type: &str, user: &UserId) -> Result<Vec<String>, StoreError> {
        Ok(self.read().roles_of(user_type, user))
    }

    async fn users_in_role(&self, user_type: &str, role: &str) -> Result<Vec<UserId>, StoreError> {
        let contents = self.read();
        let in_role = contents.roles.iter().filter(|((of, _), roles)| of == user_type && roles.contains(role));
        let mut users: Vec<UserId> = in_role.map(|((_, user), _)| user.clone()).collect();
        users.sort();
        Ok(users)
    }
}
