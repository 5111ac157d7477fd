//! `GET /current-member`: the member who is logged in.

use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use axum::response::Response;
use gatekit_layer::AuthUser;
use serde_json::{Value, json};

use super::call::{Members, answer, pairs};
use crate::member::MemberUser;
use crate::{Fieldset, WixError};

pub(super) async fn handler(Members(members): Members, request: Request) -> Result<Response, WixError> {
    let (mut parts, _) = request.into_parts();
    let fieldset = fieldset(parts.uri.query())?;
    let user = <AuthUser<MemberUser> as FromRequestParts<()>>::from_request_parts(&mut parts, &()).await;
    let member = match user {
        Ok(AuthUser(user)) => json!(members.current_member(&user, fieldset)),
        Err(rejection) if rejection.is_anonymous() => Value::Null,
        Err(rejection) => return Err(rejection.into()),
    };
    Ok(answer(&json!({"member": member})))
}

/// How much the query asks for. Of several the last counts.
fn fieldset(query: Option<&str>) -> Result<Fieldset, WixError> {
    let pairs = pairs(query.unwrap_or_default().as_bytes())?;
    match pairs.iter().rfind(|(name, _)| name == "fieldsets").map(|(_, value)| value.as_str()) {
        None | Some("" | "PUBLIC") => Ok(Fieldset::Public),
        Some("FULL") => Ok(Fieldset::Full),
        Some(_) => Err(WixError::BadRequest(StatusCode::BAD_REQUEST, "fieldsets must be PUBLIC or FULL")),
    }
}
