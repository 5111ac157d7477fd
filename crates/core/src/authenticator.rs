//! Who a token belongs to: the one trait that ties the layer and the extractors to whatever knows tokens.

use async_trait::async_trait;

use crate::{Clock, StoreError, SystemClock, Timestamp, TokenDigest, TokenRecord};

/// Tells who a presented token belongs to.
///
/// `Auth<U>` is one, the JWT verifier of `gatekit-layer` is one, an app's own is one:
///
/// ```
/// use gatekit_core::{async_trait, AuthenticateError, Authenticated, Authenticator};
///
/// #[derive(Clone)]
/// struct Robot(String);
///
/// struct FixedKeys;
///
/// #[async_trait]
/// impl Authenticator for FixedKeys {
///     type Principal = Robot;
///
///     async fn authenticate(&self, token: &str) -> Result<Authenticated<Robot>, AuthenticateError> {
///         match token {
///             "key-of-wall-e" => Ok(Authenticated::new(Robot("WALL·E".into()))),
///             _ => Err(AuthenticateError::Invalid),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Who a caller is: `User`, the app's own struct, the claims of a JWT.
    type Principal: Clone + Send + Sync + 'static;

    /// Finds the principal `token` belongs to. `token` is what the caller sent, decoded but not checked in any way.
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`]. A store that fails must answer [`AuthenticateError::Unavailable`], never `Invalid`.
    async fn authenticate(&self, token: &str) -> Result<Authenticated<Self::Principal>, AuthenticateError>;

    /// Finds the principal of a token of which only the digest is at hand, as in a server-side session.
    ///
    /// The default knows none. `Auth<U>` does.
    ///
    /// # Errors
    ///
    /// As [`authenticate`](Self::authenticate).
    async fn authenticate_digest(
        &self,
        _digest: &TokenDigest,
    ) -> Result<Authenticated<Self::Principal>, AuthenticateError> {
        Err(AuthenticateError::Invalid)
    }

    /// What time it is for whoever issues the tokens: how long ago a password was proven is counted from it.
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// Whether a caller is in a role. It is asked by `HasRole` and `RequireRoleLayer`, about callers it authenticated itself.
    ///
    /// The default looks into [`Authenticated::roles`]; `Auth<U>` knows LoopBack's dynamic roles and the app's own too.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be found out. The request fails with 503: this never means "no".
    async fn is_in_role(&self, caller: &Authenticated<Self::Principal>, role: &str) -> Result<bool, StoreError> {
        Ok(caller.roles.iter().flatten().any(|known| known == role))
    }
}

/// A caller whose token was accepted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Authenticated<P> {
    /// Who it is.
    pub principal: P,
    /// The stored token, if tokens are stored at all (a JWT is not).
    pub token: Option<TokenRecord>,
    /// The roles it was given, if they came with the token; `None` if they are yet to be asked for.
    pub roles: Option<Vec<String>>,
}

impl<P> Authenticated<P> {
    /// A caller without a stored token.
    #[must_use]
    pub fn new(principal: P) -> Self {
        Self { principal, token: None, roles: None }
    }

    /// A caller with the stored token.
    #[must_use]
    pub fn with_token(principal: P, token: TokenRecord) -> Self {
        Self { principal, token: Some(token), roles: None }
    }

    /// In these roles.
    #[must_use]
    pub fn roles<S: Into<String>>(mut self, roles: impl IntoIterator<Item = S>) -> Self {
        self.roles = Some(roles.into_iter().map(Into::into).collect());
        self
    }

    /// Whether the caller's token may be used for `scope`. A caller whose tokens are not stored has exactly the scope `DEFAULT`.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.token.as_ref().map_or(scope == TokenRecord::DEFAULT_SCOPE, |token| token.has_scope(scope))
    }
}

/// Why a token was not accepted.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticateError {
    /// No such token, or one that was revoked, or a wrong signature. LoopBack takes its sender for anonymous.
    #[error("the token is not valid")]
    Invalid,
    /// The token was good once.
    #[error("the token has expired")]
    Expired,
    /// It could not be found out. The request fails with 503: this never means "anonymous".
    #[error("tokens cannot be checked now")]
    Unavailable(#[from] StoreError),
}
