//! Who may do what below which path.

use async_trait::async_trait;
use gatekit_core::{PermissionHolder, PermissionStore, Permissions, StoreError, UserId};
use sqlx::sqlite::SqliteRow;

use super::SqliteStore;
use super::rows::{Id, Table, id_from_row};
use crate::own::store_error;

const TABLE: Table = Table("gatekit_permissions");

#[async_trait]
impl PermissionStore for SqliteStore {
    async fn permissions_of(
        &self,
        user_type: &str,
        user: Option<&UserId>,
    ) -> Result<Vec<(PermissionHolder, Permissions)>, StoreError> {
        let Some(user) = user else {
            let anonymous = self.get_permissions(user_type, &PermissionHolder::Anonymous).await?;
            return Ok(anonymous.into_iter().map(|permissions| (PermissionHolder::Anonymous, permissions)).collect());
        };
        // 'user' is after 'role' in the alphabet.
        let query = sqlx::query(
            "SELECT kind, holder, permissions FROM gatekit_permissions \
             WHERE user_type = ?1 AND kind = 'user' AND holder = ?2 \
             UNION ALL \
             SELECT kind, holder, permissions FROM gatekit_roles \
             JOIN gatekit_permissions USING (user_type) \
             WHERE user_type = ?1 AND user_id = ?2 AND kind = 'role' AND holder = role \
             ORDER BY kind DESC, holder",
        )
        .bind(user_type)
        .bind(Id(user));
        self.find_all(query).await?.iter().map(|row| Ok((holder_from_row(row)?, from_row(row)?))).collect()
    }

    async fn set_permissions(
        &self,
        user_type: &str,
        holder: &PermissionHolder,
        permissions: Option<&Permissions>,
    ) -> Result<(), StoreError> {
        let (kind, id) = columns(holder);
        let json = permissions.map(serde_json::to_string).transpose().map_err(StoreError::failed)?;
        let change = match &json {
            Some(json) => sqlx::query(
                "INSERT INTO gatekit_permissions (user_type, kind, holder, permissions) VALUES (?, ?, ?, ?) \
                 ON CONFLICT (user_type, kind, holder) DO UPDATE SET permissions = excluded.permissions",
            )
            .bind(user_type)
            .bind(kind)
            .bind(Id(&id))
            .bind(json),
            None => sqlx::query("DELETE FROM gatekit_permissions WHERE user_type = ? AND kind = ? AND holder = ?")
                .bind(user_type)
                .bind(kind)
                .bind(Id(&id)),
        };
        self.change(change).await.map_err(store_error)?;
        Ok(())
    }

    async fn get_permissions(
        &self,
        user_type: &str,
        holder: &PermissionHolder,
    ) -> Result<Option<Permissions>, StoreError> {
        let (kind, id) = columns(holder);
        let query =
            sqlx::query("SELECT permissions FROM gatekit_permissions WHERE user_type = ? AND kind = ? AND holder = ?")
                .bind(user_type)
                .bind(kind)
                .bind(Id(&id));
        self.find(query).await?.as_ref().map(from_row).transpose()
    }
}

/// A role's name is kept as the text it is, as a user's id would be.
fn columns(holder: &PermissionHolder) -> (&'static str, UserId) {
    match holder {
        PermissionHolder::User(id) => ("user", id.clone()),
        PermissionHolder::Role(name) => ("role", UserId::Text(name.clone())),
        PermissionHolder::Anonymous => ("anonymous", UserId::Text(String::new())),
    }
}

fn holder_from_row(row: &SqliteRow) -> Result<PermissionHolder, StoreError> {
    match (TABLE.get::<&str>(row, "kind")?, id_from_row(row, TABLE, "holder")?) {
        ("user", Some(id)) => Ok(PermissionHolder::User(id)),
        ("role", Some(UserId::Text(name))) => Ok(PermissionHolder::Role(name)),
        ("role", _) => Err(TABLE.corrupt("holder")),
        _ => Err(TABLE.corrupt("kind")),
    }
}

fn from_row(row: &SqliteRow) -> Result<Permissions, StoreError> {
    serde_json::from_str(TABLE.get(row, "permissions")?).map_err(|_| TABLE.corrupt("permissions"))
}
