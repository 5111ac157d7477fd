//! Why a caller did not get in.

use axum_core::response::{IntoResponse, Response};
use gatekit_core::{AclErrorStatus, AuthenticateError, StoreError, Strength};
use http::StatusCode;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde_json::json;

use crate::ErrorResponse;

/// Why an extractor or [`RequireAuthLayer`](crate::RequireAuthLayer) refused a request.
///
/// It is also put into the response's extensions, so that an outer layer can tell why without
/// reading the body.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthRejection {
    /// The request has no token. Status 401, code `AUTHORIZATION_REQUIRED`.
    #[error("the request has no token")]
    Missing,
    /// The token is unknown, revoked or malformed. Status 401, code `AUTHORIZATION_REQUIRED`, as in
    /// LoopBack.
    #[error("the token is not valid")]
    Invalid,
    /// The token was valid once. Status 401, code `INVALID_TOKEN`, as in LoopBack.
    #[error("the token has expired")]
    Expired,
    /// The token is for other scopes. Status 401, code `AUTHORIZATION_REQUIRED`, as in LoopBack.
    #[error("the token is not valid for this scope")]
    InsufficientScope,
    /// The caller is known, and has to verify a factor again, or a stronger one. Status 401, code
    /// `STEP_UP_REQUIRED`, with the challenge of RFC 9470.
    #[error(transparent)]
    StepUpRequired(StepUpRequired),
    /// The token is in a cookie or session, the method is unsafe or the request asks for a
    /// WebSocket, and it comes from another origin. Status 403, code `CROSS_ORIGIN_REQUEST`.
    #[error("a cookie from another origin is not accepted for this method or for a WebSocket")]
    CrossOrigin,
    /// The caller is known and has not the right: not the role, or not the owner. Status 403, code
    /// `ACCESS_DENIED`.
    #[error("the caller has not the right")]
    Forbidden,
    /// The same, as LoopBack answers it unless told otherwise. Status 401, code
    /// `AUTHORIZATION_REQUIRED`.
    #[error("the caller has not the right")]
    Unauthorized,
    /// The same, without telling that there is such a thing. Status 404, code `MODEL_NOT_FOUND`.
    #[error("the caller has not the right, and is not to know that there is such a thing")]
    NotFound,
    /// The token could not be checked, or the caller's roles could not be found out. Status 503,
    /// code `SERVICE_UNAVAILABLE`; or 500 without a code if the store holds what cannot be read.
    #[error("tokens or roles cannot be checked now: {0}")]
    Unavailable(StoreError),
    /// The app's mistake. Status 500; the message says how to mend it.
    #[error("{0}")]
    Misconfigured(String),
}

/// What a token lacks for a route that asks for a recent verification: see
/// [`Fresh`](crate::Fresh).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the route asks for {} within {max_age} seconds", .strength.as_str())]
pub struct StepUpRequired {
    pub(crate) max_age: u32,
    pub(crate) strength: Strength,
    pub(crate) present: Option<Strength>,
}

impl StepUpRequired {
    /// How many seconds ago the factors may have been verified.
    #[must_use]
    pub fn max_age(&self) -> u32 {
        self.max_age
    }

    /// How strong the factors of that time must be together.
    #[must_use]
    pub fn strength(&self) -> Strength {
        self.strength
    }

    /// How strong the factors of that time are. `None` if there are none, so that the caller has to
    /// begin with the first factor.
    #[must_use]
    pub fn present(&self) -> Option<Strength> {
        self.present
    }

    fn message(&self) -> &'static str {
        match self.strength {
            Strength::PhishingResistant => "A passkey must be verified again",
            Strength::TwoFactors => "Two factors must be verified again",
            _ => "The password must be verified again",
        }
    }

    /// RFC 9470 §3. `acr_values` is left out where one factor is enough.
    fn challenge(&self) -> HeaderValue {
        let Self { max_age, strength, .. } = self;
        let description = self.message();
        let mut challenge = format!(
            r#"Bearer error="insufficient_user_authentication", error_description="{description}", max_age="{max_age}""#
        );
        if *strength > Strength::OneFactor {
            challenge.push_str(&format!(r#", acr_values="{strength}""#));
        }
        // Digits and what stands here are fit for a header.
        HeaderValue::try_from(challenge).unwrap_or(HeaderValue::from_static("Bearer"))
    }
}

impl From<AuthenticateError> for AuthRejection {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Expired => Self::Expired,
            AuthenticateError::Unavailable(error) => Self::Unavailable(error),
            // The enum may grow; what is not known to be better is a token that is not valid.
            _ => Self::Invalid,
        }
    }
}

/// What a caller is answered who is known and has not the right.
impl From<AclErrorStatus> for AuthRejection {
    fn from(status: AclErrorStatus) -> Self {
        match status {
            AclErrorStatus::Unauthorized => Self::Unauthorized,
            AclErrorStatus::NotFound => Self::NotFound,
            _ => Self::Forbidden,
        }
    }
}

impl AuthRejection {
    /// Whether this says only that nobody is known to be calling. Anything else is a failure that
    /// `Option<AuthUser>` must not hide.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Missing | Self::Invalid | Self::Expired | Self::InsufficientScope)
    }

    /// Whether this says that the caller is known and has not the right.
    #[must_use]
    pub fn is_denial(&self) -> bool {
        matches!(self, Self::Forbidden | Self::Unauthorized | Self::NotFound)
    }

    /// The answer in the kit's error shape, with `WWW-Authenticate` as RFC 6750 §3 and RFC 9470 §3
    /// want it.
    #[must_use]
    pub fn to_error(&self) -> ErrorResponse {
        let unauthorized = |message: &'static str, code: &'static str, challenge: HeaderValue| {
            ErrorResponse::new(StatusCode::UNAUTHORIZED, message).code(code).header(WWW_AUTHENTICATE, challenge)
        };
        let refused = |challenge| {
            unauthorized("Authorization Required", "AUTHORIZATION_REQUIRED", HeaderValue::from_static(challenge))
        };
        match self {
            Self::Missing | Self::Unauthorized => refused("Bearer"),
            Self::Invalid => refused(r#"Bearer error="invalid_token", error_description="The token is not valid""#),
            Self::InsufficientScope => {
                refused(r#"Bearer error="insufficient_scope", error_description="The token is for something else""#)
            }
            Self::Expired => unauthorized(
                "Invalid Access Token",
                "INVALID_TOKEN",
                HeaderValue::from_static(r#"Bearer error="invalid_token", error_description="The token has expired""#),
            )
            .property("status", 401),
            Self::StepUpRequired(missing) => unauthorized(missing.message(), "STEP_UP_REQUIRED", missing.challenge())
                .details(json!({ "maxAge": missing.max_age, "strength": missing.strength.as_str() })),
            Self::CrossOrigin => {
                ErrorResponse::new(StatusCode::FORBIDDEN, "Cross-origin request refused").code("CROSS_ORIGIN_REQUEST")
            }
            Self::Forbidden => ErrorResponse::new(StatusCode::FORBIDDEN, "Access Denied").code("ACCESS_DENIED"),
            Self::NotFound => ErrorResponse::new(StatusCode::NOT_FOUND, "Not Found").code("MODEL_NOT_FOUND"),
            Self::Unavailable(error) => {
                tracing::error!(%error, "a request failed because its token or its caller's roles could not be checked");
                match error.is_corrupt() {
                    true => ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
                    false => ErrorResponse::unavailable(1),
                }
            }
            Self::Misconfigured(message) => {
                tracing::error!("{message}");
                ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, message.clone())
                    .code("MISCONFIGURED")
                    // It says how to mend the app, and nothing of its data.
                    .exposed()
            }
        }
    }

    /// The whole answer, with a body of any type that can be made from bytes.
    pub fn into_http<B: From<bytes::Bytes>>(self) -> http::Response<B> {
        let mut response = self.to_error().into_http();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for AuthRejection {
    fn into_response(self) -> Response {
        self.into_http()
    }
}
