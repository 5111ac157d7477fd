//! `POST /_api/iam/authentication/v2/change-password`: another password for a user who has just
//! logged in.
//!
//! The call of the SDK brings no old password. So it is taken only with a token for which a factor
//! was verified within `policy.tokens.step_up_ttl` (ASVS 6.2.3, 7.5.1), and not from somebody who
//! has found an open session. All sessions end, this one too (ASVS 7.4.3).

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use gatekit_core::{AuthenticateError, MailOptions, ResetPasswordError, Unavailable};
use serde_json::json;

use super::context::IamContext;
use super::family;
use super::reply::{self, Refusal, required};
use crate::WixError;

pub(super) async fn change_password(iam: IamContext, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = reply::read(&iam, request).await?;
    let auth = iam.auth();
    let secret = reply::bearer(&parts.headers).ok_or_else(Refusal::session)?;
    let caller = match auth.authenticate(secret).await {
        Ok(caller) => caller,
        Err(AuthenticateError::Unavailable(error)) => return Err(Unavailable::from(error).into()),
        Err(_) => return Err(Refusal::session()),
    };
    let token =
        caller.token.as_ref().filter(|token| token.is_fresh(auth.now(), auth.policy().tokens.step_up_ttl)).ok_or_else(
            || {
                let why = "the login must be a few minutes old at most: log in again, and ask then";
                Refusal::new(StatusCode::FORBIDDEN, "LOGIN_REQUIRED", why)
            },
        )?;
    let new = required(&body, "newPassword")?.into();
    let user = caller.principal.id.clone();
    let (whole, token, secret) = (auth.clone(), token.clone(), secret.to_owned());
    auth.change(|_| async move {
        match whole.set_password_with(&user, new, Some(&token), &MailOptions::default()).await {
            Ok(()) => {}
            Err(ResetPasswordError::Password(error)) => return Err(WixError::from(error).into()),
            Err(ResetPasswordError::Unavailable(error)) => return Err(error.into()),
            Err(_) => return Err(Refusal::session()),
        }
        // It was kept so that a change could not come from a token that another request had ended.
        family::log_out(&whole, &secret).await?;
        Ok(reply::json(json!({})))
    })
    .await
}
