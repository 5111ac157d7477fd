//! `POST /send-set-password-email` and `POST /set-password`.

use axum::extract::Request;
use axum::response::Response;
use serde_json::json;

use super::call::{Call, Members, answer, no_content};
use crate::{SetPasswordEmailOptions, WixError};

pub(super) async fn send(Members(members): Members, request: Request) -> Result<Response, WixError> {
    let mut call = Call::begin(&members, request).await?;
    let (email, hide) = (call.body().email()?, call.body().flag("hideIgnoreMessage")?);
    let mails = call.mails(&members);
    let options = SetPasswordEmailOptions::default().hide_ignore_message(hide).mails(mails);
    members.send_set_password_email(&email, options).await?;
    Ok(answer(&json!({"accepted": true})))
}

pub(super) async fn set(Members(members): Members, request: Request) -> Result<Response, WixError> {
    let mut call = Call::begin(&members, request).await?;
    let (secret, password) = (call.body().required("token")?, call.body().password()?);
    let notices = call.mails(&members);
    members.set_password(secret, password, notices).await?;
    Ok(no_content())
}
