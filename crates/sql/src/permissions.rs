//! Permissions of users, roles and anonymous callers on paths.

use async_trait::async_trait;
use gatekit_core::{PermissionHolder, PermissionStore, Permissions, StoreError, UserId};

use crate::database::Database;
use crate::error::store_error;
use crate::row::{Row, Table};
use crate::statement::Statement;
use crate::store::SqlStore;
use crate::user_key;

const TABLE: Table = Table("gatekit_permissions");

/// 'user' is after 'role' in the alphabet.
static OF_USER: Statement = Statement::new(
    "SELECT kind, holder, permissions FROM gatekit_permissions \
     WHERE user_type = ? AND kind = 'user' AND holder = ? \
     UNION ALL \
     SELECT kind, holder, permissions FROM gatekit_roles \
     JOIN gatekit_permissions USING (user_type) \
     WHERE user_type = ? AND user_key = ? AND kind = 'role' AND holder = role \
     ORDER BY kind DESC, holder",
);

static SET: Statement = Statement::new(
    "INSERT INTO gatekit_permissions (user_type, kind, holder, permissions) VALUES (?, ?, ?, ?) \
     {on_conflict(user_type, kind, holder)} permissions = {new(permissions)}",
);

static DELETE: Statement =
    Statement::new("DELETE FROM gatekit_permissions WHERE user_type = ? AND kind = ? AND holder = ?");

static GET: Statement =
    Statement::new("SELECT permissions FROM gatekit_permissions WHERE user_type = ? AND kind = ? AND holder = ?");

#[async_trait]
impl<D: Database> PermissionStore for SqlStore<D> {
    async fn permissions_of(
        &self,
        user_type: &str,
        user: Option<&UserId>,
    ) -> Result<Vec<(PermissionHolder, Permissions)>, StoreError> {
        let Some(user) = user else {
            let anonymous = self.get_permissions(user_type, &PermissionHolder::Anonymous).await?;
            return Ok(anonymous.into_iter().map(|permissions| (PermissionHolder::Anonymous, permissions)).collect());
        };
        let find = OF_USER.on(self.database()).bind(user_type).bind(user).bind(user_type).bind(user);
        find.find_all().await?.iter().map(|row| Ok((holder_from_row(row)?, from_row(row)?))).collect()
    }

    async fn set_permissions(
        &self,
        user_type: &str,
        holder: &PermissionHolder,
        permissions: Option<&Permissions>,
    ) -> Result<(), StoreError> {
        let (kind, holder) = columns(holder);
        let change = match permissions {
            Some(permissions) => {
                let json = serde_json::to_string(permissions).map_err(StoreError::failed)?;
                SET.on(self.database()).bind(user_type).bind(kind).bind(holder).bind(json)
            }
            None => DELETE.on(self.database()).bind(user_type).bind(kind).bind(holder),
        };
        change.change().await.map_err(store_error)?;
        Ok(())
    }

    async fn get_permissions(
        &self,
        user_type: &str,
        holder: &PermissionHolder,
    ) -> Result<Option<Permissions>, StoreError> {
        let (kind, holder) = columns(holder);
        let row = GET.on(self.database()).bind(user_type).bind(kind).bind(holder).find().await?;
        row.as_ref().map(from_row).transpose()
    }
}

/// The columns `kind` and `holder`: for a user its key, for a role its name.
fn columns(holder: &PermissionHolder) -> (&'static str, String) {
    match holder {
        PermissionHolder::User(id) => ("user", user_key::encode(id)),
        PermissionHolder::Role(name) => ("role", name.clone()),
        PermissionHolder::Anonymous => ("anonymous", String::new()),
    }
}

fn holder_from_row(row: &impl Row) -> Result<PermissionHolder, StoreError> {
    match TABLE.get::<&str>(row, "kind")? {
        "user" => match TABLE.get_user_id(row, "holder")? {
            Some(id) => Ok(PermissionHolder::User(id)),
            None => Err(TABLE.corrupt("holder")),
        },
        "role" => Ok(PermissionHolder::Role(TABLE.get(row, "holder")?)),
        _ => Err(TABLE.corrupt("kind")),
    }
}

fn from_row(row: &impl Row) -> Result<Permissions, StoreError> {
    serde_json::from_str(TABLE.get(row, "permissions")?).map_err(|_| TABLE.corrupt("permissions"))
}
