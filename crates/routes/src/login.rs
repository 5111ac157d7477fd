//! `POST /login`: a password for a token.

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use gatekit_core::{Account, IssuedToken, Login, Method};
use gatekit_layer::ErrorResponse;
use gatekit_web::{
    Argument, Field, Route, RouteResponse, Schema, Shape, TokenDelivery, client, remember_device, with_cookies,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::access_tokens::{NewToken, token_json};
use crate::call::{Call, unavailable};
use crate::complete::complete;
use crate::declared::{FROM_ANOTHER_ORIGIN, VETOED};
use crate::delivery::{deliver, delivery};
use crate::errors::IntoError;
use crate::feature::{Feature, call};
use crate::reply::Json;
use crate::shape::loaded;
use crate::ttl::ttl;
use crate::{Answers, UserApi};

const ROUTES: [Route; 1] = [Route::post("/login", "Logs a user in with a password and issues an access token.")
    .method(Method::LOGIN)
    .arguments(&[
        Argument::body("email", Shape::Email).optional(),
        Argument::body("username", Shape::String).optional(),
        Argument::body("password", Shape::Password),
        Argument::body("realm", Shape::String).optional(),
        Argument::body("ttl", Shape::Integer).optional(),
        Argument::query("include", Shape::String).optional(),
        Argument::query("cookie", Shape::String).optional(),
    ])
    .responses(&[
        RouteResponse::new(200, LOGIN),
        RouteResponse::error(
            400,
            &[
                "USERNAME_EMAIL_REQUIRED",
                "INVALID_EMAIL",
                "INVALID_USERNAME",
                "REALM_REQUIRED",
                "INVALID_REALM",
                "INVALID_TTL",
            ],
            "the body is wrong",
        ),
        RouteResponse::error(400, &["COOKIES_NOT_ENABLED", "INVALID_COOKIE"], "the cookie asked for cannot be had"),
        RouteResponse::error(401, &["LOGIN_FAILED"], "the user is unknown or the password is wrong"),
        RouteResponse::error(401, &["LOGIN_FAILED_EMAIL_NOT_VERIFIED"], "the address must be verified first"),
        FROM_ANOTHER_ORIGIN,
        RouteResponse::error(
            403,
            &["ACCOUNT_BLOCKED", "ACCOUNT_PENDING", "PASSWORD_RESET"],
            "the password is right, and the account is not active",
        ),
        VETOED,
    ])];

/// A new access token, and the user if the request asks for it. Without `id` where the token is in
/// a cookie.
pub(crate) const LOGIN: Shape = Shape::Object(&Schema::new(
    "Login",
    &[
        Field::optional("id", Shape::Secret),
        Field::new("ttl", Shape::Integer),
        Field::optional("scopes", Shape::Array(&Shape::String)),
        Field::new("created", Shape::Time),
        Field::new("userId", Shape::Id),
        Field::optional("principalType", Shape::String),
        Field::optional("user", Shape::User),
    ],
));

/// `POST /login` with `{"email" or "username", "password", "realm"?, "ttl"?}`: 200 and
/// `{"id": <the token>, "ttl": <seconds>, "created", "userId"}`; with `?include=user` the user too,
/// and with `Answers::show_principal_type` the name of the user type as `principalType`.
///
/// `ttl` is a whole number of seconds, as a number or a text; none, `0`, `""`, `false` and `null`
/// mean `policy.tokens.ttl`, and what exceeds `policy.tokens.max_ttl` is cut to it. (In LoopBack
/// `null` ended the process, and an object chose the token's own fields.)
///
/// How the token gets to the client is said by [`TokenTransportLayer`](crate::TokenTransportLayer),
/// or by the request: with `?cookie=true` it is in a cookie or session and the body has no `id`,
/// with `?cookie=both` it is in both, with `?cookie=false` in the body. A browser that was signed
/// in before is not any more: its old token ends.
///
/// | answer | when |
/// | --- | --- |
/// | 400 `USERNAME_EMAIL_REQUIRED`, `INVALID_EMAIL`, `INVALID_USERNAME`, `REALM_REQUIRED`, `INVALID_REALM`, `INVALID_TTL` | the body is wrong |
/// | 400 `COOKIES_NOT_ENABLED`, `INVALID_COOKIE` | a cookie is asked for, and the `AuthLayer` has none among its sources; `cookie` has another value than these |
/// | 403 `CROSS_ORIGIN_REQUEST` | a page of another origin asks: for a cookie, or with a body that is not JSON |
/// | 401 `LOGIN_FAILED` | unknown user or wrong password, which look and cost the same |
/// | 401 `LOGIN_FAILED_EMAIL_NOT_VERIFIED` | the password is right, and the address must be verified first; `details.userId` |
/// | 403 `ACCOUNT_BLOCKED`, `ACCOUNT_PENDING`, `PASSWORD_RESET` | the password is right, and the account is not active |
/// | 403 | a hook refuses |
/// | 503 `SERVICE_UNAVAILABLE` | the store fails, or too many passwords wait to be hashed |
pub fn login<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new("login", &ROUTES, [call(handler)])
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    token: NewToken,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Value>,
}

async fn handler<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
    let delivery = delivery(&call)?;
    let body = call.take_body().into_credentials()?;
    call.authorize(None).await?;
    let mut login = read(body.required("credentials")?, call.auth.policy().has_realms())?;
    login.client = client(&call.auth, call.parts());
    login.mails = call.notices();
    let device = match delivery.is_for_browsers() {
        true => remember_device(&call.auth, call.parts(), &mut login.client).map_err(unavailable)?,
        false => HeaderMap::new(),
    };
    complete(&call.auth.clone(), async move {
        let session = call.auth.login(login).await.map_err(|error| error.into_error(U::model_name()))?;
        let signed_in = deliver(&call, &delivery, &session.token).await?;
        let user = includes_user(&call.query()?).then(|| loaded(&call.answers, &session.user));
        let response = answer::<U>(&call.answers, &delivery, session.token, user);
        Ok(with_cookies(with_cookies(response, &signed_in), &device))
    })
    .await
}

/// What is answered to who gets a new token for a password.
pub(crate) fn answer<U: Account>(
    answers: &Answers,
    delivery: &TokenDelivery,
    token: IssuedToken,
    user: Option<Value>,
) -> Response {
    match delivery.shows_secret() {
        true => Json(Answer { token: NewToken::of::<U>(answers, token), user }).into_response(),
        false => Json(without_secret::<U>(answers, &token, user)).into_response(),
    }
}

/// What a browser is told whose token is in a cookie.
fn without_secret<U: Account>(answers: &Answers, token: &IssuedToken, user: Option<Value>) -> Map<String, Value> {
    let mut json = token_json::<U>(answers, &token.record);
    // The token's name in the list of sessions, which here would be mistaken for the token.
    json.shift_remove("id");
    json.extend(user.map(|user| ("user".to_owned(), user)));
    json
}

fn read(mut body: Map<String, Value>, has_realms: bool) -> Result<Login, ErrorResponse> {
    // A password that is no text is nobody's: the flow does its work and says so.
    let password = match body.remove("password") {
        Some(Value::String(password)) => password,
        _ => String::new(),
    };
    let mut login = Login::password(password);
    if has_realms {
        login.realm = text(&mut body, "realm", "Invalid realm", "INVALID_REALM")?;
    }
    login.email = match text(&mut body, "email", "Invalid email", "INVALID_EMAIL") {
        // Of a wrong username and a wrong email LoopBack names the username.
        Err(error) => {
            text(&mut body, "username", "Invalid username", "INVALID_USERNAME")?;
            return Err(error);
        }
        Ok(email) => email,
    };
    if login.email.is_none() {
        login.username = text(&mut body, "username", "Invalid username", "INVALID_USERNAME")?;
    }
    login.ttl = ttl(body.get("ttl"))?;
    Ok(login)
}

/// A text, or nothing for what JavaScript takes for false.
fn text(
    body: &mut Map<String, Value>,
    field: &str,
    message: &'static str,
    code: &'static str,
) -> Result<Option<String>, ErrorResponse> {
    match body.remove(field) {
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        None | Some(Value::Null | Value::Bool(false)) => Ok(None),
        Some(Value::Number(number)) if number.as_f64() == Some(0.0) => Ok(None),
        Some(_) => Err(ErrorResponse::new(StatusCode::BAD_REQUEST, message).code(code)),
    }
}

/// Whether the query asks for the user: `include=user`, in any case, several times, as a JSON
/// array, or as `include[0]=user`.
fn includes_user(query: &Map<String, Value>) -> bool {
    query.get("include").is_some_and(names_user)
}

fn names_user(value: &Value) -> bool {
    match value {
        Value::String(name) => {
            let listed = serde_json::from_str::<Vec<String>>(name).unwrap_or_default();
            name.eq_ignore_ascii_case("user") || listed.iter().any(|name| name.eq_ignore_ascii_case("user"))
        }
        Value::Array(values) => values.iter().any(names_user),
        Value::Object(values) => values.values().any(names_user),
        _ => false,
    }
}
