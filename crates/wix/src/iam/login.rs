//! `POST /_api/iam/authentication/v2/login`: an address and a password for a state.

use axum::extract::Request;
use axum::response::Response;
use gatekit_core::Login;
use serde_json::{Map, Value};

use super::context::IamContext;
use super::reply::{self, Refusal, required};
use super::state::State;
use crate::WixError;

pub(super) async fn login(iam: IamContext, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = reply::read(&iam, request).await?;
    let mut login = Login::email(login_email(&body)?, required(&body, "password")?);
    login.client = gatekit_web::client(iam.auth(), &parts);
    Ok(State::of(iam.members.sign_in(login).await)?.into_response())
}

/// `loginId.email`. The SDK knows no other way to name a member.
pub(super) fn login_email(body: &Map<String, Value>) -> Result<&str, Refusal> {
    let email = body.get("loginId").and_then(|id| id.get("email")).and_then(Value::as_str);
    email.ok_or_else(|| WixError::EmailMissing.into())
}
