//! Who is in which role.

use async_trait::async_trait;
use gatekit_core::{RoleStore, StoreError, UserId};

use super::SqliteStore;
use super::rows::{Id, Table, id_from_row};
use crate::own::store_error;

const TABLE: Table = Table("gatekit_roles");

#[async_trait]
impl RoleStore for SqliteStore {
    async fn assign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError> {
        let insert = sqlx::query(
            "INSERT INTO gatekit_roles (user_type, user_id, role) VALUES (?, ?, ?) \
             ON CONFLICT (user_type, user_id, role) DO NOTHING",
        )
        .bind(user_type)
        .bind(Id(user))
        .bind(role);
        Ok(self.change(insert).await.map_err(store_error)?.count > 0)
    }

    async fn unassign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError> {
        let delete = sqlx::query("DELETE FROM gatekit_roles WHERE user_type = ? AND user_id = ? AND role = ?")
            .bind(user_type)
            .bind(Id(user))
            .bind(role);
        Ok(self.change(delete).await.map_err(store_error)?.count > 0)
    }

    async fn roles_of(&self, user_type: &str, user: &UserId) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query("SELECT role FROM gatekit_roles WHERE user_type = ? AND user_id = ? ORDER BY role")
            .bind(user_type)
            .bind(Id(user));
        self.find_all(query).await?.iter().map(|row| TABLE.get(row, "role")).collect()
    }

    async fn users_in_role(&self, user_type: &str, role: &str) -> Result<Vec<UserId>, StoreError> {
        // SQLite has numbers before texts, as `UserId` does.
        let query = sqlx::query("SELECT user_id FROM gatekit_roles WHERE user_type = ? AND role = ? ORDER BY user_id")
            .bind(user_type)
            .bind(role);
        let id = |row| id_from_row(row, TABLE, "user_id")?.ok_or_else(|| TABLE.corrupt("user_id"));
        self.find_all(query).await?.iter().map(id).collect()
    }
}
