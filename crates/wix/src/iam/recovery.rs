//! `POST /_api/iam/recovery/v1/send-email` and `/recover`: a lost password.

use axum::extract::Request;
use axum::response::Response;
use gatekit_core::MailOptions;
use serde_json::{Value, json};

use super::context::IamContext;
use super::reply::{self, Refusal, required, text};
use super::state::State;

/// Mails the secret, if there is a member. Nobody is told whether there is.
///
/// `redirect.url` is where the client wants the member to come back to. It is checked, and no link
/// is made of it: where the secret goes is the app's to say.
pub(super) async fn send_email(iam: IamContext, request: Request) -> Result<Response, Refusal> {
    let (_, body) = reply::read(&iam, request).await?;
    let email = required(&body, "email")?;
    if let Some(redirect) = body.get("redirect").and_then(Value::as_object) {
        if text(redirect, "clientId").is_some_and(|client| !iam.clients.knows(client)) {
            return Err(Refusal::client());
        }
        if text(redirect, "url").is_some_and(|url| !iam.clients.may_lead_to(url)) {
            return Err(Refusal::redirect());
        }
    }
    let mut mails = MailOptions::default();
    mails.language = text(&body, "language").map(str::to_owned);
    iam.members.send_recovery_email(email, mails).await?;
    Ok(reply::json(json!({})))
}

/// Chooses a password with the secret, and logs the member in.
pub(super) async fn recover(iam: IamContext, request: Request) -> Result<Response, Refusal> {
    let (_, body) = reply::read(&iam, request).await?;
    let (token, password) = (required(&body, "recoveryToken")?, required(&body, "password")?);
    Ok(State::of(iam.members.recover(token, password).await)?.into_response())
}
