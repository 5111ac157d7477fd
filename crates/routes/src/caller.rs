//! The first check of every request: the token it brings, if any.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use gatekit_core::{Account, Auth};
use gatekit_layer::{AccessToken, AuthRejection, AuthUser, access_token};

/// On a route that is open to everyone: passes, unless the policy wants an expired token to fail it.
pub(crate) struct Anyone;

impl<U: Account> FromRequestParts<Auth<U>> for Anyone {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, auth: &Auth<U>) -> Result<Self, AuthRejection> {
        if !auth.policy().expired_token_fails_open_routes {
            return Ok(Self);
        }
        match <AuthUser<U> as FromRequestParts<_>>::from_request_parts(parts, auth).await {
            Ok(_) | Err(AuthRejection::Missing | AuthRejection::Invalid) => Ok(Self),
            Err(rejection) => Err(rejection),
        }
    }
}

/// On a route that asks for a caller: what is known of one. An expired token and a store that fails are answered at once, before
/// the body is read; nobody at all is answered later, in the place LoopBack has for it.
pub(crate) struct Caller<U>(pub(crate) Result<(U, AccessToken), AuthRejection>);

impl<U: Account> FromRequestParts<Auth<U>> for Caller<U> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, auth: &Auth<U>) -> Result<Self, AuthRejection> {
        let known = async {
            let AuthUser(user) = <AuthUser<U> as FromRequestParts<_>>::from_request_parts(parts, auth).await?;
            // The one by which this user is known: another layer may know the caller by another.
            let token = match access_token::<U>(&parts.extensions) {
                Some(token) => AccessToken(token.clone()),
                None => <AccessToken as FromRequestParts<_>>::from_request_parts(parts, auth).await?,
            };
            Ok((user, token))
        }
        .await;
        match known {
            Err(rejection @ (AuthRejection::Missing | AuthRejection::Invalid | AuthRejection::InsufficientScope)) => {
                Ok(Self(Err(rejection)))
            }
            Err(rejection) => Err(rejection),
            Ok(caller) => Ok(Self(Ok(caller))),
        }
    }
}
