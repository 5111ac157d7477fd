//! Where the roles of users are kept: [`RoleStore`].

use async_trait::async_trait;

use crate::{StoreError, UserId};

/// Where the roles assigned to users are kept: LoopBack's Role and RoleMapping. A role is a name;
/// it is there as soon as somebody is in it. That of a user who is removed is removed by the flow.
#[async_trait]
pub trait RoleStore: Send + Sync + 'static {
    /// Puts the user of this type with this id into a role. Returns whether it was not in it
    /// before.
    async fn assign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError>;

    /// Takes the user out of a role. Returns whether it was in it.
    async fn unassign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError>;

    /// The roles of the user, in the order of the alphabet (by bytes).
    async fn roles_of(&self, user_type: &str, user: &UserId) -> Result<Vec<String>, StoreError>;

    /// The users of this type that are in a role, in the order of their ids.
    async fn users_in_role(&self, user_type: &str, role: &str) -> Result<Vec<UserId>, StoreError>;
}
