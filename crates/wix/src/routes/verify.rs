//! `POST /verify` and `POST /resend-verification`: the code from the mail.

use axum::extract::Request;
use axum::response::Response;
use gatekit_core::TokenSecret;
use gatekit_web::client;
use serde_json::json;

use super::call::{Call, Members, answer};
use crate::{SignedIn, WixError};

pub(super) async fn verify(Members(members): Members, request: Request) -> Result<Response, WixError> {
    let mut call = Call::begin(&members, request).await?;
    let (code, state) = (call.body().required("code")?, TokenSecret::from(call.body().required("stateToken")?));
    let mails = call.mails(&members);
    let client = client(members.auth(), &call.parts);
    let SignedIn { session_token, member } = members.verify_email_code_on(&state, &code, &client, &mails).await?;
    Ok(answer(&json!({"sessionToken": session_token.expose(), "member": member})))
}

pub(super) async fn resend(Members(members): Members, request: Request) -> Result<Response, WixError> {
    let mut call = Call::begin(&members, request).await?;
    let state = TokenSecret::from(call.body().required("stateToken")?);
    let mails = call.mails(&members);
    let state = members.resend_email_code(&state, mails).await?;
    Ok(answer(&json!({"stateToken": state.expose()})))
}
