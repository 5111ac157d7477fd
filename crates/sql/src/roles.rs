//! The roles of users.

use async_trait::async_trait;
use gatekit_core::{RoleStore, StoreError, UserId};

use crate::database::Database;
use crate::error::store_error;
use crate::row::Table;
use crate::statement::Statement;
use crate::store::SqlStore;

const TABLE: Table = Table("gatekit_roles");

static ASSIGN: Statement = Statement::new(
    "INSERT INTO gatekit_roles (user_type, user_key, role) VALUES (?, ?, ?) \
     {ignore_conflict(user_type, user_key, role)}",
);

static UNASSIGN: Statement =
    Statement::new("DELETE FROM gatekit_roles WHERE user_type = ? AND user_key = ? AND role = ?");

static OF_USER: Statement =
    Statement::new("SELECT role FROM gatekit_roles WHERE user_type = ? AND user_key = ? ORDER BY role");

static USERS: Statement = Statement::new("SELECT user_key FROM gatekit_roles WHERE user_type = ? AND role = ?");

#[async_trait]
impl<D: Database> RoleStore for SqlStore<D> {
    async fn assign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError> {
        let assigned = ASSIGN.on(self.database()).bind(user_type).bind(user).bind(role).change().await;
        Ok(assigned.map_err(store_error)?.count > 0)
    }

    async fn unassign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError> {
        let unassigned = UNASSIGN.on(self.database()).bind(user_type).bind(user).bind(role).change().await;
        Ok(unassigned.map_err(store_error)?.count > 0)
    }

    async fn roles_of(&self, user_type: &str, user: &UserId) -> Result<Vec<String>, StoreError> {
        let rows = OF_USER.on(self.database()).bind(user_type).bind(user).find_all().await?;
        rows.iter().map(|row| TABLE.get(row, "role")).collect()
    }

    async fn users_in_role(&self, user_type: &str, role: &str) -> Result<Vec<UserId>, StoreError> {
        let rows = USERS.on(self.database()).bind(user_type).bind(role).find_all().await?;
        let id = |row| TABLE.get_user_id(row, "user_key")?.ok_or_else(|| TABLE.corrupt("user_key"));
        let mut users: Vec<UserId> = rows.iter().map(id).collect::<Result<_, StoreError>>()?;
        // The database would sort 10 before 9.
        users.sort_unstable();
        Ok(users)
    }
}
