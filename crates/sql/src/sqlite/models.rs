//! The name of a user type, wherever a row has it.

use gatekit_core::StoreError;
use sqlx::{AssertSqlSafe, Connection};

use super::SqliteStore;
use crate::own::store_error;

/// Every table that names user types, with the column that does.
const COLUMNS: [(&str, &str); 7] = [
    ("gatekit_users", "user_type"),
    ("gatekit_access_tokens", "token_user_type"),
    ("gatekit_one_time", "user_type"),
    ("gatekit_roles", "user_type"),
    ("gatekit_devices", "user_type"),
    ("gatekit_digests", "user_type"),
    ("gatekit_permissions", "user_type"),
];

impl SqliteStore {
    /// Gives a user type another name, in one transaction: its users, tokens, one-time tokens,
    /// roles, devices and permissions. For an app that changes its `Model::NAME` or
    /// `Account::model_name`; call it once, before an `Auth` is built. Returns how many users have
    /// the new name now that had the old one, which is 0 for users in an own table.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = gatekit_sql::SqliteStore::in_memory().await?;
    /// assert_eq!(store.rename_model("User", "Customer").await?, 0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`], among others if a user of the new name has the same address or name already.
    /// Nothing has changed then.
    pub async fn rename_model(&self, from: &str, to: &str) -> Result<u64, StoreError> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(store_error)?;
        let mut users = 0;
        for (table, column) in COLUMNS {
            let rename = format!("UPDATE {table} SET {column} = ? WHERE {column} = ?");
            let renamed = sqlx::query(AssertSqlSafe(rename)).bind(to).bind(from).execute(&mut *transaction).await;
            let count = renamed.map_err(store_error)?.rows_affected();
            users = if table == "gatekit_users" { count } else { users };
        }
        transaction.commit().await.map_err(store_error)?;
        Ok(users)
    }
}
