//! `POST /reset` and `POST /reset-password`: a new password for a user who has lost the old one.

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use gatekit_core::{
    Account, Auth, Method, OneTimePurpose, Password, PasswordError, PasswordReset, RequestPasswordReset,
    ResetPasswordError, TokenRecord, TokenSecret,
};
use gatekit_layer::{ErrorResponse, PresentedToken};
use gatekit_web::{Argument, Endpoint, Route, RouteResponse, Shape, TokenUse, client, mail_options};
use serde_json::{Map, Value};

use crate::body::Args;
use crate::call::Call;
use crate::declared::{BAD_ARGUMENT, MAILED_PAGE, OF_ANOTHER_TYPE, REFUSED_PASSWORD};
use crate::errors::IntoError;
use crate::feature::{Feature, call, raw};
use crate::mailed_page;
use crate::reply::NoContent;
use crate::{Answers, UserApi};

const ROUTES: [Route; 4] = [
    Route::post("/reset", "Mails a link that resets a forgotten password.")
        .method(Method::RESET_PASSWORD)
        .arguments(&[Argument::body("email", Shape::Email), Argument::body("realm", Shape::String).optional()])
        .responses(&[
            RouteResponse::NO_CONTENT,
            RouteResponse::error(400, &["EMAIL_REQUIRED", "INVALID_REALM"], "the address is missing or no string"),
            RouteResponse::error(401, &["RESET_FAILED_EMAIL_NOT_VERIFIED"], "the address must be verified first"),
            RouteResponse::error(404, &["EMAIL_NOT_FOUND"], "the address is unknown, and the policy says so"),
            REFUSED_PASSWORD,
        ]),
    Route::post("/reset-password", "Sets a new password with the mailed secret.")
        .method(Method::SET_PASSWORD)
        .token(TokenUse::Required)
        .arguments(&[Argument::token("secret"), Argument::body("newPassword", Shape::Password)])
        .responses(&[
            RouteResponse::NO_CONTENT,
            BAD_ARGUMENT,
            RouteResponse::error(401, &["AUTHORIZATION_REQUIRED"], "the secret is unknown, used, or too old"),
            OF_ANOTHER_TYPE,
            REFUSED_PASSWORD,
        ]),
    Route::get("/reset-password/form", "Shows the page that the mailed link leads to.")
        .token(TokenUse::Unused)
        .arguments(&[Argument::query("token", Shape::Secret)])
        .responses(&MAILED_PAGE),
    Route::post("/reset-password/form", "Sets the new password that the page asks for.")
        .token(TokenUse::Unused)
        .arguments(&[Argument::body("token", Shape::Secret), Argument::body("newPassword", Shape::Password)])
        .responses(&[
            RouteResponse::new(200, Shape::Page),
            RouteResponse::new(400, Shape::Page).when("the link is too old or was used"),
            RouteResponse::new(422, Shape::Page).when("the policy refuses the password"),
        ]),
];

/// Two routes and a page.
///
/// `POST /reset` with `{"email", "realm"?}`: 204, and a mail with a secret that works once, for
/// `policy.tokens.reset_ttl`. An unknown address gets the same answer after the same work, unless
/// `policy.reveal.unknown_email_on_reset`: then 404 `EMAIL_NOT_FOUND`.
///
/// `POST /reset-password` with `{"newPassword"}`, and the secret where a token goes
/// (`Authorization`, `?access_token=`, …): 204, and all tokens of the user have ended. In LoopBack
/// the secret is a full token of the user, good for anything and any number of times; here it is
/// good for this, once. A login token is refused, unless `policy.passwords.login_token_may_reset`;
/// one that the app issued with the scope `reset-password` is taken.
///
/// `GET` and `POST /reset-password/form`: the plain page that the mailed link leads to, unless the
/// app has one of its own ([`Builder::reset_link`](gatekit_core::Builder::reset_link)).
///
/// | answer | when |
/// | --- | --- |
/// | 400 `EMAIL_REQUIRED`, `INVALID_REALM` | no address, or it is no string; a realm that is no string |
/// | 400 | `newPassword` is missing, or no text |
/// | 401 `RESET_FAILED_EMAIL_NOT_VERIFIED` | the address must be verified first, and `policy.reveal.unknown_email_on_reset` |
/// | 404 `EMAIL_NOT_FOUND` | no user has the address, and `policy.reveal.unknown_email_on_reset` |
/// | 401 `AUTHORIZATION_REQUIRED` | the secret is unknown, used, or too old |
/// | 403 | the secret is one of another user type over the same store, as in LoopBack |
/// | 422 `PASSWORD_TOO_LONG`, `PASSWORD_TOO_SHORT`, `PASSWORD_TOO_COMMON`, `PASSWORD_TOO_GUESSABLE` | the policy refuses the new password; the secret stays good |
/// | 503 `SERVICE_UNAVAILABLE` | the store fails, or too many passwords wait to be hashed; the secret stays good |
pub fn reset_password<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new(
        "reset_password",
        &ROUTES,
        [
            call(request),
            raw(perform),
            Endpoint::new(mailed_page::reset_form::<U>),
            Endpoint::new(mailed_page::reset::<U>),
        ],
    )
}

async fn request<U: Account>(mut call: Call<U>) -> Result<NoContent, ErrorResponse> {
    let body = call.take_body().into_credentials()?;
    call.authorize(None).await?;
    let mut body = body.required("options")?;
    let Some(Value::String(email)) = body.remove("email") else {
        return Err(ErrorResponse::new(StatusCode::BAD_REQUEST, "Email is required").code("EMAIL_REQUIRED"));
    };
    check_password(&call.auth, &body)?;
    let mut request = RequestPasswordReset::email(email).mails(call.mails().await);
    request.realm = realm(&mut body)?;
    call.auth.request_password_reset(request).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(NoContent)
}

/// LoopBack lets a client try a password here, and forgets it.
fn check_password<U: Account>(auth: &Auth<U>, body: &Map<String, Value>) -> Result<(), ErrorResponse> {
    let checked = match body.get("password") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(password)) if password.is_empty() => Ok(()),
        Some(Value::String(password)) => auth.policy().check_password(&Password::from(password.as_str())),
        Some(_) => Err(PasswordError::Empty),
    };
    checked.map_err(|error| error.into_error(U::model_name()))
}

/// In LoopBack an object here is an operator of the query: `{"neq": ""}` finds everybody.
pub(crate) fn realm(body: &mut Map<String, Value>) -> Result<Option<String>, ErrorResponse> {
    match body.remove("realm") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(realm)) => Ok(Some(realm)),
        Some(_) => Err(ErrorResponse::new(StatusCode::BAD_REQUEST, "Invalid realm").code("INVALID_REALM")),
    }
}

async fn perform<U: Account>(
    api: UserApi<U>,
    route: &'static Route,
    request: Request,
) -> Result<NoContent, ErrorResponse> {
    let (mut parts, body) = request.into_parts();
    let auth = api.auth.for_client(client(&api.auth, &parts));
    // What the presented secret is: a reset token, or else whatever a caller is known by.
    let secret = PresentedToken::from_request_parts(&mut parts, &()).await.ok().map(|PresentedToken(secret)| secret);
    let is_reset_token = match &secret {
        Some(secret) => auth.is_reset_token(secret.expose()).await.map_err(|error| error.into_error(""))?,
        None => false,
    };
    let is_tried = secret.is_some();
    let request = Request::from_parts(parts, body);
    let done = match secret.filter(|_| is_reset_token) {
        Some(secret) => with_reset_token(auth, &api.answers, secret, request).await?,
        None => {
            let done = with_login_token(api, route, request).await;
            // Forged, used, or ended: nobody is known by it, either.
            if is_tried && matches!(&done, Err(error) if error.status() == StatusCode::UNAUTHORIZED) {
                auth.reject_secret(OneTimePurpose::ResetPassword, None).await;
            }
            done?
        }
    };
    done.map_err(|error: ResetPasswordError| error.into_error(U::model_name()))?;
    Ok(NoContent)
}

/// The secret is all that is asked for: who has it may do this and nothing else.
async fn with_reset_token<U: Account>(
    auth: Auth<U>,
    answers: &Answers,
    secret: TokenSecret,
    request: Request,
) -> Result<Result<(), ResetPasswordError>, ErrorResponse> {
    let (parts, body) = request.into_parts();
    let args = Args::read(auth.policy(), answers, &parts.headers, body).await?;
    let new = args.text("newPassword")?.required()?;
    let mails = mail_options(&auth, &parts.headers);
    Ok(auth.reset_password(PasswordReset::new(secret, new).mails(mails)).await)
}

/// The scope of a token that an app issued for this and nothing else; LoopBack's name for it.
const RESET_SCOPE: &str = "reset-password";

async fn with_login_token<U: Account>(
    api: UserApi<U>,
    route: &'static Route,
    request: Request,
) -> Result<Result<(), ResetPasswordError>, ErrorResponse> {
    let login_too = api.auth.policy().passwords.login_token_may_reset;
    let call = Call::begin(api, route, request).await?;
    let call = call.scopes(if login_too { &[RESET_SCOPE, TokenRecord::DEFAULT_SCOPE] } else { &[RESET_SCOPE] });
    let new = call.body.text("newPassword")?;
    call.authorize_own().await?;
    let (user, token) = call.require_caller()?;
    Ok(call.auth.set_password_with(&user.id(), new.required()?, Some(token), &call.notices()).await)
}
