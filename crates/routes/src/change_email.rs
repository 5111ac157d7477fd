//! `POST /change-email` and `POST /confirm-email-change`: another address, verified before it
//! becomes the user's.

use axum::Router;
use axum::response::{IntoResponse, Response};
use gatekit_core::{Account, ChangeEmail, Method, Need, RequestEmailChange, TokenSecret, UserOperation};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Argument, Endpoint, Route, RouteResponse, Shape, TokenUse};

use crate::UserApi;
use crate::call::Call;
use crate::declared::{BAD_ARGUMENT, DENIED, EXPIRED, INVALID_USER, MAILED_PAGE, WRONG_PASSWORD};
use crate::errors::IntoError;
use crate::feature::{Feature, call};
use crate::mailed_page;
use crate::reply::NoContent;
use crate::shape::loaded_response;

const ROUTES: [Route; 4] = [
    Route::post("/change-email", "Mails a secret to the caller's new address.")
        .method(Method::CHANGE_PASSWORD)
        .token(TokenUse::Required)
        .arguments(&[Argument::body("password", Shape::Password), Argument::body("email", Shape::Email)])
        .responses(&[RouteResponse::NO_CONTENT, BAD_ARGUMENT, WRONG_PASSWORD, DENIED, EXPIRED, INVALID_USER])
        .needs(&[Need::Users(UserOperation::Update), Need::Counters]),
    Route::post("/confirm-email-change", "Makes the new address the user's, with the mailed secret.")
        .token(TokenUse::IfAny)
        .arguments(&[Argument::body("token", Shape::Secret)])
        .responses(&[
            RouteResponse::new(200, Shape::User),
            BAD_ARGUMENT,
            RouteResponse::error(
                400,
                &["INVALID_TOKEN"],
                "the secret is unknown, replaced, too old, or from before the account's last change",
            ),
            INVALID_USER,
        ])
        .needs(&[Need::Users(UserOperation::Update), Need::Counters]),
    Route::get("/confirm-email-change/form", "Shows the page that the mailed link leads to.")
        .token(TokenUse::Unused)
        .arguments(&[Argument::query("token", Shape::Secret)])
        .responses(&MAILED_PAGE)
        .needs(&[Need::Users(UserOperation::Update), Need::Counters]),
    Route::post("/confirm-email-change/form", "Makes the new address the user's, from that page.")
        .token(TokenUse::Unused)
        .arguments(&[Argument::body("token", Shape::Secret)])
        .responses(&MAILED_PAGE)
        .needs(&[Need::Users(UserOperation::Update), Need::Counters]),
];

/// Two routes and a page, additions of ours.
///
/// `POST /change-email` with `{"password", "email"}` and a token: 204, and a mail to the new
/// address with a secret that works once, within `policy.email.verification_ttl`. The old address
/// stays until then. An address that somebody else has gets the same answer, and no mail.
///
/// `POST /confirm-email-change` with `{"token"}`, the secret: 200 and the user with its new
/// address, verified. All tokens of the user end but the one that is sent along, if it is the
/// user's; the old address gets a notice.
///
/// Who may ask is what the access control list says of `changePassword`; who has the secret need
/// not be anybody.
///
/// `GET` and `POST /confirm-email-change/form`: the plain page that the mailed link leads to,
/// unless the app has one of its own
/// ([`Builder::change_email_link`](gatekit_core::Builder::change_email_link)), which sends the
/// secret on. A GET never spends it.
///
/// | answer | when |
/// | --- | --- |
/// | 400 | an argument is missing, or no text |
/// | 400 `INVALID_PASSWORD` | the password is wrong |
/// | 400 `INVALID_TOKEN` | the secret is unknown, used, replaced by a newer one, too old, or from before the account's last change |
/// | 401 `AUTHORIZATION_REQUIRED` | there is no valid token |
/// | 422 `ValidationError` | the new address is none, or was taken meanwhile |
///
/// # Panics
///
/// If the store of the users does not implement `update_user`.
pub fn change_email<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new(
        "change_email",
        &ROUTES,
        [
            call(request_change),
            call(confirm),
            Endpoint::new(mailed_page::change_email_form),
            Endpoint::new(mailed_page::change_email::<U>),
        ],
    )
    .addition()
}

async fn request_change<U: Account>(mut call: Call<U>) -> Result<NoContent, ErrorResponse> {
    let (password, email) = (call.body.text("password")?, call.body.text("email")?);
    call.authorize(None).await?;
    let user_id = call.require_caller()?.0.id();
    let (password, email) = (password.required()?, email.required()?);
    let change = RequestEmailChange::new(user_id, password, email.expose()).mails(call.mails().await);
    call.auth.request_email_change(change).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(NoContent)
}

async fn confirm<U: Account>(call: Call<U>) -> Result<Response, ErrorResponse> {
    let secret = call.body.text("token")?.required()?;
    let mut change = ChangeEmail::new(TokenSecret::from(secret.expose())).mails(call.notices());
    change.keep = call.token().cloned();
    let user = call.auth.change_email(change).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(loaded_response(&call.answers, user).into_response())
}
