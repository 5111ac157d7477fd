//! The operations of `/_auth` for callers with the operation `Admin`: a made-up password, and the
//! password of another user.

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use gatekit_core::{Account, PasswordHash, SetPasswordHashError, Unavailable};
use gatekit_web::mail_options;
use serde::Serialize;

use super::caller::{Refused, caller, refused};
use crate::CmWell;
use crate::errors::{json, success, unauthorized, unavailable};
use crate::permissions::ADMIN;

/// Characters of a password that is made up: 119 bits of base62.
const GENERATED: usize = 20;

#[derive(Serialize)]
struct Generated<'a> {
    password: &'a str,
    encrypted: &'a str,
}

/// The caller, who must have the operation `Admin`, by itself or by a role.
pub(super) async fn require<U: Account>(cmwell: &CmWell<U>, parts: &mut Parts) -> Result<U, Refused> {
    let refused = || Box::new(unauthorized("Not authorized", vec![bearer(&cmwell.0.realm)]));
    let user = caller::<U>(parts).await?.map_err(|_| refused())?;
    let permissions = cmwell.permissions_of(Some(&user.id())).await.map_err(|error| Box::new(unavailable(&error)))?;
    if permissions.has_operation(ADMIN) { Ok(user) } else { Err(refused()) }
}

pub(super) async fn generate_password<U: Account>(cmwell: &CmWell<U>) -> Result<Response, Unavailable> {
    let auth = &cmwell.0.auth;
    let secret = auth.new_secret()?;
    let password = secret.expose().get(..GENERATED).unwrap_or_default();
    let hash = auth.hash_password(password.into()).await?;
    Ok(json(StatusCode::OK, &Generated { password, encrypted: hash.expose() }))
}

/// Gives the user of this login name the password with this hash. What Digest has kept of the old
/// one is removed.
pub(super) async fn set_password<U: Account>(
    cmwell: &CmWell<U>,
    parts: &Parts,
    by: &U,
    name: &str,
    encrypted: String,
) -> Result<Response, Refused> {
    let auth = cmwell.0.auth.for_client(gatekit_web::client(&cmwell.0.auth, parts));
    let found = auth.find_account(&cmwell.0.names.account_name(name)).await;
    let Some(account) = found.map_err(|error| Box::new(unavailable(&error)))? else {
        return refused(StatusCode::NOT_FOUND, &format!("Username {name} was not found in CM-Well"));
    };
    let (user, by) = (account.user.id(), by.id());
    let (whole, mails, hash) =
        (cmwell.clone(), mail_options(&auth, &parts.headers), PasswordHash::from_stored(encrypted));
    // The task has the handle of this client, and a client that hangs up does not stop it.
    let task = auth.clone();
    let changed = auth.change(|_| async move {
        task.set_password_hash(&user, hash, &mails).await?;
        tracing::info!(%user, %by, "an administrator has set a password");
        if let Err(error) = whole.disable_digest(&user).await {
            tracing::warn!(%error, "Digest credentials of an old password are left over; nobody can use them");
        }
        Ok(())
    });
    match changed.await {
        Ok(()) => Ok(success()),
        Err(SetPasswordHashError::Unavailable(error)) => Err(Box::new(unavailable(&error))),
        Err(error @ SetPasswordHashError::Hash(_)) => refused(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
        Err(error) => refused(StatusCode::CONFLICT, &error.to_string()),
    }
}

/// A token is what would be accepted here; a browser that was offered Basic would ask for a
/// password that nobody looks at.
fn bearer(realm: &str) -> HeaderValue {
    HeaderValue::try_from(format!(r#"Bearer realm="{realm}""#)).unwrap_or(HeaderValue::from_static("Bearer"))
}
