//! `/_auth`: a new password, a made-up password, forgetting permissions.

mod admin;
mod caller;

use self::caller::{Anonymous, Refused, caller, refused};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ORIGIN, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use gatekit_core::{Account, Authenticator, ChangePassword, ChangePasswordError, CrossOriginRequest, Password, Policy};
use gatekit_layer::{AuthRejection, ClientIp};
use gatekit_web::{
    Argument, Endpoint, Route, RouteResponse, Shape, TokenUse, Verb, client, form_pairs, mail_options, media_type,
    read_body,
};
use serde_json::{Map, Value};

use crate::CmWell;
use crate::errors::{method_not_allowed, success, unavailable};
use crate::mount::mount_unkept;

const POST: Route = Route::post("/_auth", "Changes, makes or sets a password, or forgets permissions.")
    .token(TokenUse::Required)
    .arguments(&[
        Argument::body("op", Shape::String),
        Argument::body("current", Shape::Password).optional(),
        Argument::body("new", Shape::Password).optional(),
        Argument::body("user", Shape::String).optional(),
        Argument::body("encrypted", Shape::Password).optional(),
    ])
    .responses(&[
        RouteResponse::new(200, Shape::Any),
        RouteResponse::error(400, &[], "there is no operation, an unknown one, or an argument is missing"),
        RouteResponse::error(401, &[], "the operation is for `Admin`"),
        RouteResponse::error(403, &[], "the current password is wrong, or the token is not valid"),
        RouteResponse::error(404, &[], "no user has the name"),
        RouteResponse::error(408, &[], "the body does not arrive in time"),
        RouteResponse::error(409, &[], "the account was changed at the same time"),
        RouteResponse::error(413, &[], "the body is too long"),
        RouteResponse::error(415, &[], "the body is not JSON"),
        RouteResponse::error(422, &[], "the policy refuses the password, or no password could match the hash"),
        RouteResponse::error(503, &[], "a store fails"),
    ]);

pub(crate) const ROUTES: [Route; 1] = [POST];

/// With `Legacy::get_operations`. The arguments of the GET are in its query.
pub(crate) const LEGACY_ROUTES: [Route; 2] = [
    POST,
    POST.at(Verb::Get, "/_auth").arguments(&[
        Argument::query("op", Shape::String),
        Argument::query("current", Shape::Password).optional(),
        Argument::query("new", Shape::Password).optional(),
    ]),
];

/// Bytes of a body: two passwords and a word.
const MAX_BODY: usize = 64 * 1024;
/// Characters of an unknown operation that are repeated.
const MAX_SHOWN: usize = 64;

impl<U: Account> CmWell<U> {
    /// `POST /_auth` with `{"op":"…"}`, or `?op=…` in its query. The
    /// [`AuthLayer`](gatekit_layer::AuthLayer) must be mounted around it: it finds the token.
    ///
    /// | operation | who | answer |
    /// | --- | --- | --- |
    /// | `change-password`, with `current` and `new` in the body | who has a token | 200 `{"success":true}`; all of the user's tokens end with it |
    /// | `generate-password` | who has the operation `Admin` | 200 `{"password":"…","encrypted":"…"}`: 20 characters, and the hash of them |
    /// | `set-password`, with `user` and `encrypted` in the body | who has the operation `Admin` | 200 `{"success":true}`: the user of this login name has the password with this hash, and all of its tokens have ended |
    /// | `invalidate-cache` | who has the operation `Admin` | 200 `{"success":true}`: permissions are forgotten, see [`forget_permissions`](Self::forget_permissions) |
    ///
    /// | refusal | when |
    /// | --- | --- |
    /// | 400 ``"`op` query parameter was expected"``, ``"`x` is not a valid operation"`` | no operation, or none of these |
    /// | 400 `"insufficient arguments"` | a password is missing, or there is no token |
    /// | 401 `Not authorized` | the operation is for `Admin` |
    /// | 404 `"Username X was not found in CM-Well"` | `set-password` for a name that nobody has |
    /// | 403 `"Current password does not match given token"` | so it is, or the token is not valid |
    /// | 408, 413, 415 | the body does not arrive within `policy.limits.body_timeout`, is too long, or is not JSON |
    /// | 422 | the new password is not one that `Policy` accepts, or no password could match the hash |
    /// | 409, 503 | the account was changed at the same time; a store fails |
    ///
    /// `set-password` is not CM-Well's: there the hash that `generate-password` returns is written
    /// into the user's record at `/meta/auth/users`.
    ///
    /// With [`Legacy::get_operations`](crate::Legacy::get_operations)
    /// `GET /_auth?op=…&current=…&new=…` does the same, but for `set-password`. Otherwise it is
    /// 405.
    pub fn auth_router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let endpoint = || Endpoint::new(handler::<U>);
        let router = match self.0.legacy.get_operations {
            true => mount_unkept(&LEGACY_ROUTES, [endpoint(), endpoint()]),
            false => mount_unkept(&ROUTES, [endpoint()]),
        };
        router.with_state(self.clone())
    }
}

enum Operation {
    ChangePassword,
    GeneratePassword,
    SetPassword,
    InvalidateCache,
}

/// What the request asks for: from its body, or, with the flag, from its query.
struct Arguments {
    operation: Operation,
    current: Option<Password>,
    new: Option<Password>,
    /// The login name of the user whose password is set.
    user: Option<String>,
    /// The hash of that password.
    encrypted: Option<String>,
}

async fn handler<U: Account>(State(cmwell): State<CmWell<U>>, request: Request) -> Response {
    perform(&cmwell, request).await.unwrap_or_else(|refused| *refused)
}

async fn perform<U: Account>(cmwell: &CmWell<U>, request: Request) -> Result<Response, Refused> {
    let (mut parts, body) = request.into_parts();
    let arguments = match parts.method {
        Method::POST => of_body(cmwell.0.auth.policy(), &parts, body).await?,
        Method::GET if !is_cross_site(&parts.headers) => of_query(&parts)?,
        Method::GET => {
            let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
            let ip = ClientIp::from_extensions(&parts.extensions).map(|ClientIp(ip)| ip);
            cmwell.on_cross_origin(&CrossOriginRequest::new(text(ORIGIN), text(USER_AGENT), ip));
            return Err(Box::new(AuthRejection::CrossOrigin.into_response()));
        }
        // `HEAD` comes here with `GET`, and must not do anything.
        _ => return Err(Box::new(method_not_allowed("GET,POST"))),
    };
    let Arguments { operation, current, new, user, encrypted } = arguments;
    match operation {
        Operation::ChangePassword => change_password(cmwell, &mut parts, current, new).await,
        Operation::GeneratePassword => {
            admin::require(cmwell, &mut parts).await?;
            admin::generate_password(cmwell).await.map_err(|error| Box::new(unavailable(&error)))
        }
        Operation::SetPassword => {
            let by = admin::require(cmwell, &mut parts).await?;
            let (Some(user), Some(encrypted)) = (user, encrypted) else { return insufficient() };
            admin::set_password(cmwell, &parts, &by, &user, encrypted).await
        }
        Operation::InvalidateCache => {
            admin::require(cmwell, &mut parts).await?;
            cmwell.forget_permissions();
            Ok(success())
        }
    }
}

async fn change_password<U: Account>(
    cmwell: &CmWell<U>,
    parts: &mut Parts,
    current: Option<Password>,
    new: Option<Password>,
) -> Result<Response, Refused> {
    let caller = caller::<U>(parts).await?;
    let (Some(current), Some(new)) = (current, new) else { return insufficient() };
    let user = match caller {
        Ok(user) => user,
        Err(Anonymous::Absent) => return insufficient(),
        Err(Anonymous::Bad) => return mismatch(),
    };
    let auth = &cmwell.0.auth.for_client(client(&cmwell.0.auth, parts));
    let change = ChangePassword::new(user.id(), current, new).mails(mail_options(auth, &parts.headers));
    let (whole, user) = (cmwell.clone(), user.id());
    let changed = auth.change(|_| async move {
        whole.0.auth.change_password(change).await?;
        // Also where nobody has given `ForgetDigests` to the `Auth`. It is worthless in any case.
        if let Err(error) = whole.disable_digest(&user).await {
            tracing::warn!(%error, "Digest credentials of an old password are left over; nobody can use them");
        }
        Ok(())
    });
    match changed.await {
        Ok(()) => Ok(success()),
        Err(ChangePasswordError::WrongPassword | ChangePasswordError::UserNotFound(_)) => mismatch(),
        Err(ChangePasswordError::Unavailable(error)) => Err(Box::new(unavailable(&error))),
        Err(ChangePasswordError::Refused(refusal)) => refused(StatusCode::FORBIDDEN, &refusal.message),
        Err(error @ ChangePasswordError::Conflict) => refused(StatusCode::CONFLICT, &error.to_string()),
        Err(error) => refused(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    }
}

/// Whether a page of another site sent the request, as far as the browser tells. The layer asks
/// that of methods that are unsafe by their nature; this GET is unsafe by ours.
fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

/// The parameters of a query. One that cannot be read is refused: a password must not become
/// another one by being read.
fn query(parts: &Parts) -> Result<Vec<(String, String)>, Refused> {
    let pairs: Option<_> = form_pairs(parts.uri.query().unwrap_or_default().as_bytes()).collect();
    pairs.map_or_else(|| refused(StatusCode::BAD_REQUEST, "the query is not UTF-8"), Ok)
}

/// The first of each name, as in CM-Well.
fn first(pairs: &[(String, String)], wanted: &str) -> Option<String> {
    pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
}

fn of_query(parts: &Parts) -> Result<Arguments, Refused> {
    let query = query(parts)?;
    let operation = operation(first(&query, "op").as_deref())?;
    let password = |name| first(&query, name).map(Password::from);
    Ok(Arguments { operation, current: password("current"), new: password("new"), user: None, encrypted: None })
}

/// Passwords come from the body alone: URLs are kept in logs.
async fn of_body(policy: &Policy, parts: &Parts, body: Body) -> Result<Arguments, Refused> {
    let bytes = match read_body(policy, &parts.headers, body, MAX_BODY).await {
        Ok(bytes) => bytes,
        Err(error) => return refused(error.status(), &error.to_string()),
    };
    let mut members = match bytes.trim_ascii() {
        b"" => Map::new(),
        _ if !media_type(&parts.headers).eq_ignore_ascii_case("application/json") => {
            return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json");
        }
        json => match serde_json::from_slice(json) {
            Ok(Value::Object(members)) => members,
            _ => return refused(StatusCode::BAD_REQUEST, "the body is not a JSON object"),
        },
    };
    let mut text = |name| match members.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let op = first(&query(parts)?, "op").or_else(|| text("op"));
    Ok(Arguments {
        operation: operation(op.as_deref())?,
        current: text("current").map(Password::from),
        new: text("new").map(Password::from),
        user: text("user"),
        encrypted: text("encrypted"),
    })
}

fn operation(op: Option<&str>) -> Result<Operation, Refused> {
    match op {
        Some("change-password") => Ok(Operation::ChangePassword),
        Some("generate-password") => Ok(Operation::GeneratePassword),
        Some("set-password") => Ok(Operation::SetPassword),
        Some("invalidate-cache") => Ok(Operation::InvalidateCache),
        Some(other) => {
            let shown: String = other.chars().take(MAX_SHOWN).collect();
            refused(StatusCode::BAD_REQUEST, &format!("`{shown}` is not a valid operation"))
        }
        None => refused(StatusCode::BAD_REQUEST, "`op` query parameter was expected"),
    }
}

fn insufficient<T>() -> Result<T, Refused> {
    refused(StatusCode::BAD_REQUEST, "insufficient arguments")
}

fn mismatch<T>() -> Result<T, Refused> {
    refused(StatusCode::FORBIDDEN, "Current password does not match given token")
}
