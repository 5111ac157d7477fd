//! Who may do what: CM-Well's records of users and roles, at the paths that CM-Well has them at.
//!
//! | request | effect |
//! | --- | --- |
//! | `GET /meta/auth/users/{name}` | the user's own entries, operations and roles |
//! | `PUT` or `POST /meta/auth/users/{name}` with `{"paths":[..],"operations":[..],"roles":[..]}` | replaces all three |
//! | `GET`, `PUT` or `POST /meta/auth/roles/{name}` with `{"paths":[..],"operations":[..]}` | the same of a role |
//!
//! Whoever has the path permission may: by default the administrator alone. Hashes of passwords are
//! not in a record; `/_auth` sets passwords.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use gatekit::SqliteStore;
use gatekit::User;
use gatekit::cmwell::{CmWell, SetPermissionsError};
use gatekit::core::{
    Account, AccountName, AssignRoleError, KnownAccount, PermissionHolder, PermissionStore, Permissions, StoreError,
    Unavailable,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A record of CM-Well. Members that it does not have are ignored, as there.
#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    permissions: Permissions,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
}

#[derive(Clone)]
struct Records {
    cmwell: CmWell,
    store: SqliteStore,
}

/// Why nothing was read or written.
enum Failure {
    NoSuchUser,
    /// The record cannot be stored, for this reason.
    Invalid(String),
    Unavailable(Unavailable),
}

/// The routes, to be mounted inside of the filter.
pub(crate) fn routes(cmwell: CmWell, store: SqliteStore) -> Router {
    Router::new()
        .route("/meta/auth/users/{name}", get(user).put(set_user).post(set_user))
        .route("/meta/auth/roles/{name}", get(role).put(set_role).post(set_role))
        .with_state(Records { cmwell, store })
}

async fn user(State(records): State<Records>, Path(name): Path<String>) -> Result<Json<Record>, Failure> {
    let account = records.account(&name).await?;
    let permissions = records.of(&PermissionHolder::User(account.user.id.clone())).await?;
    let roles = records.cmwell.auth().roles_of(&account.user.id).await?;
    Ok(Json(Record { permissions, roles }))
}

async fn set_user(
    State(records): State<Records>,
    Path(name): Path<String>,
    record: Result<Json<Record>, JsonRejection>,
) -> Result<StatusCode, Failure> {
    let Json(Record { permissions, roles }) = record.map_err(|error| Failure::Invalid(error.body_text()))?;
    let (auth, id) = (records.cmwell.auth(), records.account(&name).await?.user.id);
    records.cmwell.set_permissions(&PermissionHolder::User(id.clone()), Some(&permissions)).await?;
    for role in &roles {
        auth.assign_role(&id, role).await?;
    }
    for role in auth.roles_of(&id).await?.iter().filter(|role| !roles.contains(role)) {
        auth.unassign_role(&id, role).await?;
    }
    // What is remembered of the user's roles ends at once, and not after a minute.
    records.cmwell.forget_permissions();
    Ok(StatusCode::NO_CONTENT)
}

async fn role(State(records): State<Records>, Path(name): Path<String>) -> Result<Json<Record>, Failure> {
    let permissions = records.of(&PermissionHolder::Role(name)).await?;
    Ok(Json(Record { permissions, roles: Vec::new() }))
}

async fn set_role(
    State(records): State<Records>,
    Path(name): Path<String>,
    record: Result<Json<Record>, JsonRejection>,
) -> Result<StatusCode, Failure> {
    let Json(record) = record.map_err(|error| Failure::Invalid(error.body_text()))?;
    records.cmwell.set_permissions(&PermissionHolder::Role(name), Some(&record.permissions)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Records {
    async fn account(&self, name: &str) -> Result<KnownAccount<User>, Failure> {
        self.cmwell.auth().find_account(&AccountName::username(name)).await?.ok_or(Failure::NoSuchUser)
    }

    async fn of(&self, holder: &PermissionHolder) -> Result<Permissions, Failure> {
        Ok(self.store.get_permissions(User::<gatekit::NoProfile>::model_name(), holder).await?.unwrap_or_default())
    }
}

impl From<Unavailable> for Failure {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<SetPermissionsError> for Failure {
    fn from(error: SetPermissionsError) -> Self {
        match error {
            SetPermissionsError::Unavailable(error) => Self::Unavailable(error),
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl From<AssignRoleError> for Failure {
    fn from(error: AssignRoleError) -> Self {
        match error {
            AssignRoleError::Unavailable(error) => Self::Unavailable(error),
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::NoSuchUser => (StatusCode::NOT_FOUND, "there is no such user".to_owned()),
            Self::Invalid(reason) => (StatusCode::BAD_REQUEST, reason),
            Self::Unavailable(error) => {
                tracing::error!(%error, "a record could not be read or written");
                (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable".to_owned())
            }
        };
        (status, Json(json!({ "success": false, "message": message }))).into_response()
    }
}
