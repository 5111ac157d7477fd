//! `POST /_api/iam/verification/v1/auth/verify`: the code that was mailed, for a state.

use axum::extract::Request;
use axum::response::Response;
use gatekit_core::MailOptions;
use serde_json::{Map, Value};

use super::context::IamContext;
use super::reply::{self, Refusal, required};
use super::state::State;

pub(super) async fn verify(iam: IamContext, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = reply::read(&iam, request).await?;
    let client = gatekit_web::client(iam.auth(), &parts);
    let (state, mails) = (required(&body, "stateToken")?.into(), MailOptions::default());
    let outcome = iam.members.verify_email_code_on(&state, &code(&body)?, &client, &mails).await;
    Ok(State::of(outcome)?.into_response())
}

/// A text; some clients send the number that a person sees in it.
fn code(body: &Map<String, Value>) -> Result<String, Refusal> {
    match body.get("code") {
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => required(body, "code").map(str::to_owned),
    }
}
