//! `POST /login`: a password for a session token.

use axum::extract::Request;
use axum::response::Response;
use gatekit_core::Login;
use gatekit_web::{client, remember_device, with_cookies};
use serde_json::json;

use super::call::{Call, Members, answer};
use crate::{SignedIn, WixError};

pub(super) async fn handler(Members(members): Members, request: Request) -> Result<Response, WixError> {
    let mut call = Call::begin(&members, request).await?;
    let mut login = Login::email(call.body().email()?, call.body().password()?);
    login.mails = call.mails(&members);
    login.client = client(members.auth(), &call.parts);
    let device = remember_device(members.auth(), &call.parts, &mut login.client)?;
    let SignedIn { session_token, member } = members.sign_in(login).await?;
    let body = json!({"sessionToken": session_token.expose(), "member": member});
    Ok(with_cookies(answer(&body), &device))
}
