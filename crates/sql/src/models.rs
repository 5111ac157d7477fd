//! The name of a user type, wherever a row has it.

use gatekit_core::StoreError;

use crate::database::Database;
use crate::error::store_error;
use crate::statement::Statement;
use crate::store::SqlStore;

/// For every table that names user types. The users come first.
static RENAME: [Statement; 7] = [
    Statement::new("UPDATE gatekit_users SET user_type = ? WHERE user_type = ?"),
    Statement::new("UPDATE gatekit_access_tokens SET token_user_type = ? WHERE token_user_type = ?"),
    Statement::new("UPDATE gatekit_one_time SET user_type = ? WHERE user_type = ?"),
    Statement::new("UPDATE gatekit_roles SET user_type = ? WHERE user_type = ?"),
    Statement::new("UPDATE gatekit_devices SET user_type = ? WHERE user_type = ?"),
    Statement::new("UPDATE gatekit_digests SET user_type = ? WHERE user_type = ?"),
    Statement::new("UPDATE gatekit_permissions SET user_type = ? WHERE user_type = ?"),
];

impl<D: Database> SqlStore<D> {
    /// Gives a user type another name, in one transaction: its users, tokens, one-time tokens,
    /// roles, devices and permissions. For an app that changes its `Model::NAME` or
    /// `Account::model_name`; call it once, before an `Auth` is built. Returns how many users had
    /// the old name, which is 0 for users in an own table.
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
        let rename = |table: &'static Statement| table.on(self.database()).bind(to).bind(from).into_query();
        let queries = RENAME.iter().map(rename).collect::<Result<_, sqlx::Error>>();
        let counts = self.database().change_all(queries.map_err(store_error)?).await.map_err(store_error)?;
        Ok(counts.first().copied().unwrap_or(0))
    }
}
