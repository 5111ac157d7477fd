//! `GET /_login`: a name and a password for a token.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use gatekit_core::{Account, KnownAccount, Login, StoreError, Unavailable};
use gatekit_web::{Argument, Endpoint, Field, Route, RouteResponse, Schema, Shape, TokenUse, form_pairs, mail_options};
use serde::Serialize;

use crate::digest::{Digest, DigestOutcome, Target};
use crate::errors::{LoginFailure, json};
use crate::mount::mount_unkept;
use crate::{CmWell, ExpError, IssueCmWellTokenError, TokenLifetime, basic};

pub(crate) const ROUTES: [Route; 1] = [Route::get("/_login", "Verifies a name and a password and issues a token.")
    .token(TokenUse::Unused)
    .arguments(&[Argument::header("authorization", Shape::Secret), Argument::query("exp", Shape::String).optional()])
    .responses(&[
        RouteResponse::new(200, Shape::Object(&Schema::new("Token", &[Field::new("token", Shape::Secret)]))),
        RouteResponse::error(400, &[], "`exp` is not valid, or the header is malformed"),
        RouteResponse::error(401, &[], "there are no credentials, or they are wrong; with challenges"),
        RouteResponse::error(403, &["ACCOUNT_BLOCKED"], "the password is right, and the account may not log in"),
        RouteResponse::error(503, &[], "the store fails, or too many passwords wait to be hashed"),
    ])];

/// Bytes an `Authorization` header may have: a password of `policy.passwords.max_bytes` fits in
/// many times.
const MAX_HEADER: usize = 16 * 1024;

/// RFC 7615: the server's own proof, after an answer to a Digest challenge.
const AUTHENTICATION_INFO: HeaderName = HeaderName::from_static("authentication-info");

#[derive(Serialize)]
struct Answer<'a> {
    token: &'a str,
}

/// What a request proves its name with.
enum Scheme<'a> {
    /// What stands behind `Basic`.
    Basic(&'a str),
    /// The whole header.
    Digest(&'a Digest, &'a [u8]),
}

impl<U: Account> CmWell<U> {
    /// `GET /_login`, and `HEAD`: 200 and `{"token":"…"}` for a caller that proves a name with its
    /// password; `?exp=3d 5h` says for how long. Any other method is 405: CM-Well takes
    /// `POST /_login` for an upload.
    ///
    /// | answer | when |
    /// | --- | --- |
    /// | 400 `{"success":false,"error":"invalid exp"}` | `exp` is there and names no lifetime: see [`TokenLifetime::parse`] |
    /// | 400 `…"Token expiry must be less than 60 days"` | it is longer than `max_days` |
    /// | 400 `…"malformed Authorization header"` | there are two, or it is not of the form of its scheme |
    /// | 401 `Please provide your credentials.` | there is none, or none of a scheme on offer; with challenges |
    /// | 401 `Not authenticated.` | unknown user or wrong password, which look and cost the same; with challenges |
    /// | 403 `…"code":"ACCOUNT_BLOCKED"` and others | the password is right: the account is blocked, not approved yet, its address is not verified, or a hook refuses |
    /// | 503 | the store fails, or too many passwords wait to be hashed |
    ///
    /// They are looked at in this order. No cache keeps any of them.
    pub fn login_router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        mount_unkept(&ROUTES, [Endpoint::new(handler::<U>)]).with_state(self.clone())
    }
}

async fn handler<U: Account>(State(cmwell): State<CmWell<U>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match log_in(&cmwell, &parts).await {
        Ok(response) => response,
        Err(failure) => {
            let stale = matches!(failure, LoginFailure::WrongCredentials { stale: true });
            match cmwell.challenges(stale) {
                Ok(challenges) => failure.into_response(challenges),
                Err(error) => LoginFailure::Unavailable(error).into_response(Vec::new()),
            }
        }
    }
}

async fn log_in<U: Account>(cmwell: &CmWell<U>, parts: &Parts) -> Result<Response, LoginFailure> {
    let lifetime = lifetime(cmwell, parts.uri.query()).map_err(LoginFailure::Exp)?;
    let (account, info) = match scheme(cmwell, &parts.headers)? {
        Scheme::Basic(credentials) => (by_basic(cmwell, parts, credentials).await?, None),
        Scheme::Digest(digest, header) => by_digest(cmwell, digest, parts, header).await?,
    };
    let token = cmwell.issue_token(&account, lifetime).map_err(|error| match error {
        IssueCmWellTokenError::Exp(error) => LoginFailure::Exp(error),
        // By whatever name it came in, it is active and has one.
        other => LoginFailure::Unavailable(Unavailable::Store(StoreError::failed(other))),
    })?;
    let mut response = json(StatusCode::OK, &Answer { token: token.expose() });
    if let Some(info) = info {
        response.headers_mut().insert(AUTHENTICATION_INFO, info);
    }
    Ok(response)
}

/// The lifetime asked for. Of several `exp` the first counts, as in CM-Well.
fn lifetime<U: Account>(cmwell: &CmWell<U>, query: Option<&str>) -> Result<TokenLifetime, ExpError> {
    let pairs: Option<Vec<_>> = form_pairs(query.unwrap_or_default().as_bytes()).collect();
    match pairs.ok_or(ExpError::Invalid)?.iter().find(|(name, _)| name == "exp") {
        Some((_, exp)) => TokenLifetime::parse(exp, cmwell.leniency())?.at_most(cmwell.0.max_days),
        None => Ok(TokenLifetime::DAY),
    }
}

/// The one scheme that the request has. Two headers are refused: a proxy may have looked at the
/// other one.
fn scheme<'a, U: Account>(cmwell: &'a CmWell<U>, headers: &'a HeaderMap) -> Result<Scheme<'a>, LoginFailure> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let value = match (all.next(), all.next()) {
        (None, _) => return Err(LoginFailure::NoCredentials),
        (Some(value), None) if value.len() <= MAX_HEADER => value,
        _ => return Err(LoginFailure::Malformed),
    };
    // Names of schemes are in any case (RFC 9110 §11.1).
    let is = |name: &[u8]| {
        let head = value.as_bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
        head.eq_ignore_ascii_case(name)
    };
    if is(b"basic") && cmwell.0.basic {
        let value = value.to_str().map_err(|_| LoginFailure::Malformed)?;
        return Ok(Scheme::Basic(value.get("basic".len()..).unwrap_or_default()));
    }
    if let (true, Some(digest)) = (is(b"digest"), &cmwell.0.digest) {
        return Ok(Scheme::Digest(digest, value.as_bytes()));
    }
    Err(LoginFailure::NoCredentials)
}

async fn by_basic<U: Account>(
    cmwell: &CmWell<U>,
    parts: &Parts,
    credentials: &str,
) -> Result<KnownAccount<U>, LoginFailure> {
    let (name, password) = basic::read(credentials).ok_or(LoginFailure::Malformed)?;
    let auth = &cmwell.0.auth;
    let name = cmwell.0.names.account_name(&name);
    let mut login = Login::password(password);
    (login.email, login.username) = (name.email, name.username);
    login.client = gatekit_web::client(auth, parts);
    login.mails = mail_options(auth, &parts.headers);
    Ok(auth.verify_login(login).await?)
}

async fn by_digest<U: Account>(
    cmwell: &CmWell<U>,
    digest: &Digest,
    parts: &Parts,
    header: &[u8],
) -> Result<(KnownAccount<U>, Option<HeaderValue>), LoginFailure> {
    let client = gatekit_web::client(&cmwell.0.auth, parts);
    let auth = &cmwell.0.auth.for_client(client.clone());
    let target = Target::of(parts, auth.public_url());
    match digest.verify(auth, cmwell.0.names, header, parts.method.as_str(), &target).await? {
        DigestOutcome::Accepted { account, info } => {
            let mails = mail_options(auth, &parts.headers);
            Ok((auth.accept_login(*account, &client, &mails).await?, info))
        }
        DigestOutcome::Refused { stale } => Err(LoginFailure::WrongCredentials { stale }),
        DigestOutcome::Malformed => Err(LoginFailure::Malformed),
    }
}
