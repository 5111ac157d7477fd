//! A handler's guard is in its signature: the extractors.

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use gatekit_core::{Authenticated, Ended, TokenRecord, TokenSecret, User};
use http::Extensions;
use http::request::Parts;

use crate::AuthRejection;
use crate::context::{AnyUser, Context};
use crate::erased::ErasedAuthenticated;

/// The caller, who has a valid token. Without one the handler is not run: see [`AuthRejection`] for
/// the answers.
///
/// `U` is what the authenticator of the [`AuthLayer`](crate::AuthLayer) makes of a token: the app's
/// user type, the claims of a JWT. A token that is confined to scopes does not get in here, unless
/// [`Scoped`](crate::Scoped) or [`RequireScopeLayer`](crate::RequireScopeLayer) has admitted it
/// before.
///
/// ```
/// use gatekit_layer::AuthUser;
///
/// async fn me(AuthUser(user): AuthUser) -> String {
///     user.email.unwrap_or_default()
/// }
///
/// // `None` for a caller without a valid token. A store that fails is an error, never `None`.
/// async fn home(user: Option<AuthUser>) -> &'static str {
///     if user.is_some() { "Welcome back" } else { "Please sign in" }
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AuthUser<U = User>(pub U);

impl<S: Sync, U: Clone + Send + Sync + 'static> FromRequestParts<S> for AuthUser<U> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        let caller = Context::knowing::<U>(parts).await?.admitted()?;
        match caller.principal().downcast_ref::<U>() {
            Some(principal) => Ok(Self(principal.clone())),
            // The context was found by this very type.
            None => Err(AuthRejection::Invalid),
        }
    }
}

impl<S: Sync, U: Clone + Send + Sync + 'static> OptionalFromRequestParts<S> for AuthUser<U> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthRejection> {
        optional(<Self as FromRequestParts<S>>::from_request_parts(parts, state).await)
    }
}

/// The caller with all that is known of it, **whatever its token may be used for**: principal,
/// stored token and roles.
///
/// For code that decides itself, as the routes of the User API do by their access control list. A
/// handler that only wants to know who is there asks for [`AuthUser`], which does not let tokens in
/// that are confined to scopes.
///
/// A response that lasts, such as a WebSocket, ends with the caller's token if it waits for
/// [`Authenticated::ended`].
///
/// ```
/// use gatekit_layer::Caller;
///
/// async fn scopes(Caller(caller): Caller) -> String {
///     if caller.has_scope("reports") { "You may read reports" } else { "You may not" }.to_owned()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Caller<U = User>(pub Authenticated<U>);

impl<S: Sync, U: Clone + Send + Sync + 'static> FromRequestParts<S> for Caller<U> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        let caller = Context::knowing::<U>(parts).await?.known()?;
        match caller.as_any().downcast_ref::<Authenticated<U>>() {
            Some(caller) => Ok(Self(caller.clone())),
            // The context was found by this very type.
            None => Err(AuthRejection::Invalid),
        }
    }
}

impl<S: Sync, U: Clone + Send + Sync + 'static> OptionalFromRequestParts<S> for Caller<U> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthRejection> {
        optional(<Self as FromRequestParts<S>>::from_request_parts(parts, state).await)
    }
}

/// The stored token of the caller: whose it is, when it was issued, how long it lives. Not its
/// secret.
///
/// ```
/// use gatekit_layer::AccessToken;
///
/// async fn how_long(AccessToken(token): AccessToken) -> String {
///     format!("You are user {} for {} seconds", token.user_id, token.ttl)
/// }
/// ```
///
/// It needs an authenticator that stores tokens. A JWT is not stored; a handler that wants its
/// claims asks for [`AuthUser`].
///
/// Where layers are stacked, it is the token of the caller who was extracted already, or else of
/// the innermost layer that knows one.
#[derive(Clone, Debug)]
pub struct AccessToken(pub TokenRecord);

impl<S: Sync> FromRequestParts<S> for AccessToken {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        let caller = Context::knowing::<AnyUser>(parts).await?.admitted()?;
        match caller.token() {
            Some(token) => Ok(Self(token.clone())),
            None => Err(AuthRejection::Misconfigured(
                "the authenticator of this route stores no tokens, so there is no AccessToken to extract. Ask for AuthUser"
                    .into(),
            )),
        }
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for AccessToken {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthRejection> {
        optional(<Self as FromRequestParts<S>>::from_request_parts(parts, state).await)
    }
}

/// The token as the request brought it, decoded and not checked by anybody. For routes that take
/// secrets of another kind from the same places, such as a password reset.
#[derive(Clone, Debug)]
pub struct PresentedToken(pub TokenSecret);

impl<S: Sync> FromRequestParts<S> for PresentedToken {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        Context::presented(parts).map(|token| Self(TokenSecret::from(token)))
    }
}

/// The caller of a request that has passed [`RequireAuthLayer`](crate::RequireAuthLayer) or an
/// extractor, for tower services without axum. `None` if nobody asked yet, or the principal is of
/// another type.
///
/// ```
/// use gatekit_core::User;
/// use gatekit_layer::principal;
/// use http::Request;
///
/// fn name<B>(request: &Request<B>) -> Option<&str> {
///     principal::<User>(request.extensions())?.email.as_deref()
/// }
/// ```
#[must_use]
pub fn principal<U: 'static>(extensions: &Extensions) -> Option<&U> {
    caller::<U>(extensions)?.principal().downcast_ref()
}

/// The stored token by which [`principal`] is known. `None` if nobody asked yet, the principal is
/// of another type, or its tokens are not stored.
///
/// ```
/// use gatekit_core::User;
/// use gatekit_layer::access_token;
/// use http::Request;
///
/// fn seconds<B>(request: &Request<B>) -> Option<i64> {
///     Some(access_token::<User>(request.extensions())?.ttl)
/// }
/// ```
#[must_use]
pub fn access_token<U: 'static>(extensions: &Extensions) -> Option<&TokenRecord> {
    caller::<U>(extensions)?.token()
}

/// Completes when the token ends by which [`principal`] is known: see [`Authenticated::ended`].
/// `None` if nobody asked yet, or the principal is of another type.
///
/// For tower services without axum, such as those of tonic, whose responses are streams:
///
/// ```
/// use gatekit_core::{Ended, User};
/// use gatekit_layer::ended;
/// use http::Request;
///
/// fn until<B>(request: &Request<B>) -> Option<Ended> {
///     ended::<User>(request.extensions())
/// }
/// ```
#[must_use]
pub fn ended<U: 'static>(extensions: &Extensions) -> Option<Ended> {
    Some(caller::<U>(extensions)?.ended())
}

/// The caller who is a `U`, if somebody asked already and the token is for this route.
fn caller<U: 'static>(extensions: &Extensions) -> Option<&dyn ErasedAuthenticated> {
    let mut callers = extensions.get::<Context>()?.outwards().filter_map(|context| context.admitted().ok());
    callers.find(|caller| caller.principal().is::<U>())
}

/// `None` for nobody; a failure stays one.
pub(crate) fn optional<T>(extracted: Result<T, AuthRejection>) -> Result<Option<T>, AuthRejection> {
    match extracted {
        Ok(caller) => Ok(Some(caller)),
        Err(rejection) if rejection.is_anonymous() => Ok(None),
        Err(rejection) => Err(rejection),
    }
}
