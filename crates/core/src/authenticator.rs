//! Who a token belongs to: the one trait that ties the layer and the extractors to whatever knows
//! tokens.

use std::net::IpAddr;

use async_trait::async_trait;

use std::fmt;
use std::sync::Arc;

use crate::{
    Clock, Ended, PublicUrl, Recheck, StoreError, SystemClock, Timestamp, TokenDigest, TokenRecord, TokenWatch,
};

/// The target of the log lines of the audit log: `gatekit::audit`. Layers write lines there too,
/// also without accounts.
pub const AUDIT_TARGET: &str = "gatekit::audit";

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

    /// Finds the principal `token` belongs to. `token` is what the caller sent, decoded but not
    /// checked in any way.
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`]. A store that fails must answer [`AuthenticateError::Unavailable`],
    /// never `Invalid`.
    async fn authenticate(&self, token: &str) -> Result<Authenticated<Self::Principal>, AuthenticateError>;

    /// Finds the principal of a token of which only the digest is at hand, as in a server-side
    /// session.
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

    /// Whether a text has the form of this authenticator's tokens. The layer asks this, before any
    /// store is asked, where a request has several texts that could be its token: a proxy's
    /// `Authorization: Basic` beside the app's own cookie.
    ///
    /// The default says [`TokenForm::Possible`] of every text, so the first one counts. An
    /// authenticator whose tokens have a form of their own says so here:
    ///
    /// ```
    /// # use gatekit_core::{async_trait, AuthenticateError, Authenticated, Authenticator};
    /// use gatekit_core::TokenForm;
    ///
    /// # struct Keys;
    /// #[async_trait]
    /// impl Authenticator for Keys {
    /// #   type Principal = String;
    /// #   async fn authenticate(&self, _: &str) -> Result<Authenticated<String>, AuthenticateError> {
    /// #       Err(AuthenticateError::Invalid)
    /// #   }
    ///     // ...
    ///     fn token_form(&self, token: &str) -> TokenForm {
    ///         if token.starts_with("key-") { TokenForm::Own } else { TokenForm::Foreign }
    ///     }
    /// }
    /// ```
    fn token_form(&self, token: &str) -> TokenForm {
        let _ = token;
        TokenForm::Possible
    }

    /// How often the layer authenticates a token again that somebody waits for the end of
    /// (`Caller::ended`), unless the authenticator gives its callers a [`TokenWatch`].
    fn recheck(&self) -> Recheck {
        Recheck::default()
    }

    /// Hears of a request that the layer or a route refused because a page of another origin sent
    /// it (CSRF).
    ///
    /// The default does nothing. `Auth<U>` raises `Event::CrossOriginRefused`.
    fn on_cross_origin(&self, request: &CrossOriginRequest<'_>) {
        let _ = request;
    }

    /// Hears of an access that a guard of the layer refused to a caller that it knows: the caller
    /// has not the role, or its token not the scope.
    ///
    /// The default does nothing. `Auth<U>` raises `Event::AccessDenied`.
    fn on_access_denied(&self, caller: &Authenticated<Self::Principal>, denied: &DeniedAccess<'_>) {
        let _ = (caller, denied);
    }

    /// The present time, by the clock that tokens are issued with. The age of a verified factor is
    /// measured against it.
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// Where users reach the app, if the authenticator knows it. Its origin is then the app's own
    /// in the cross-origin check, whatever a proxy makes of the `Host` header, and pages have its
    /// path as their prefix.
    ///
    /// The default knows nothing. `Auth<U>` answers with `Builder::public_url`.
    fn public_url(&self) -> Option<&PublicUrl> {
        None
    }

    /// Whether a caller is in a role. It is asked by `HasRole` and `RequireRoleLayer`, about
    /// callers it authenticated itself.
    ///
    /// The default looks into [`Authenticated::roles`]; `Auth<U>` knows LoopBack's dynamic roles
    /// and the app's own too.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be found out. The request fails with 503: this never means "no".
    async fn is_in_role(&self, caller: &Authenticated<Self::Principal>, role: &str) -> Result<bool, StoreError> {
        Ok(caller.roles.iter().flatten().any(|known| known == role))
    }
}

/// How a text looks to an [`Authenticator`], before any store is asked. See
/// [`Authenticator::token_form`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenForm {
    /// It has the form of the authenticator's own tokens. The search for a token ends with it,
    /// whether or not it turns out to be valid.
    Own,
    /// It could be a token. It counts if the request has nothing in the authenticator's own form.
    Possible,
    /// It cannot be a token of this authenticator. It counts if the request has nothing better, and
    /// is then refused.
    Foreign,
}

/// A request that was refused because a page of another origin sent it. What it holds is as it
/// came: neither checked nor cut.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CrossOriginRequest<'a> {
    /// The `Origin` header.
    pub origin: Option<&'a str>,
    /// The `User-Agent` header.
    pub user_agent: Option<&'a str>,
    /// The client's address, if it is known.
    pub ip: Option<IpAddr>,
}

impl<'a> CrossOriginRequest<'a> {
    /// With these two headers, from this address.
    #[must_use]
    pub fn new(origin: Option<&'a str>, user_agent: Option<&'a str>, ip: Option<IpAddr>) -> Self {
        Self { origin, user_agent, ip }
    }
}

/// An access that a guard refused. What it holds of the request is as it came: neither checked nor
/// cut.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DeniedAccess<'a> {
    /// What the guard asks for, such as `role admin` or `scope reports`.
    pub required: &'a str,
    /// The `User-Agent` header.
    pub user_agent: Option<&'a str>,
    /// The client's address, if it is known.
    pub ip: Option<IpAddr>,
}

impl<'a> DeniedAccess<'a> {
    /// For want of this, with this header, from this address.
    #[must_use]
    pub fn new(required: &'a str, user_agent: Option<&'a str>, ip: Option<IpAddr>) -> Self {
        Self { required, user_agent, ip }
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
    /// When a token ends that is not stored, as far as it is known: `exp` of a JWT. A stored token
    /// says so itself.
    pub expires: Option<Timestamp>,
    /// What logs call a caller whose token is not stored: the `sub` of a JWT.
    name: Option<String>,
    watch: Watch,
}

/// Who knows when the token ends.
#[derive(Clone, Default)]
struct Watch(Option<Arc<dyn TokenWatch>>);

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "known" } else { "unknown" })
    }
}

impl<P> Authenticated<P> {
    /// A caller without a stored token.
    #[must_use]
    pub fn new(principal: P) -> Self {
        Self { principal, token: None, roles: None, expires: None, name: None, watch: Watch(None) }
    }

    /// A caller with the stored token.
    #[must_use]
    pub fn with_token(principal: P, token: TokenRecord) -> Self {
        Self { token: Some(token), ..Self::new(principal) }
    }

    /// With a token that is not stored and ends then.
    #[must_use]
    pub fn expires(mut self, at: Timestamp) -> Self {
        self.expires = Some(at);
        self
    }

    /// With what logs call the caller, where the token is not stored: the `sub` of a JWT, or the id
    /// of an account.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What logs call the caller: the id of the user whose token it is, or what
    /// [`named`](Self::named) has set. `None` if neither is known.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        self.token.as_ref().map(|token| token.user_id.to_string()).or_else(|| self.name.clone())
    }

    /// When the token ends, as far as it is known.
    #[must_use]
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.token.as_ref().map_or(self.expires, TokenRecord::expires)
    }

    /// With what knows when the token ends.
    #[must_use]
    pub fn watched_by(mut self, watch: Arc<dyn TokenWatch>) -> Self {
        self.watch = Watch(Some(watch));
        self
    }

    /// Whether something knows when the token ends.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.watch.0.is_some()
    }

    /// Completes when the caller's token no longer counts: for a response that lasts, such as a
    /// WebSocket, Server-Sent Events or a stream of gRPC. Nothing else ends it when its user logs
    /// out.
    ///
    /// For the tokens of an `Auth` that is when the token expires, is logged out or replaced, or
    /// when its user gets a new password or address, logs out everywhere, is blocked or is deleted.
    /// What the same `Auth` (or a clone) does completes it at once. For what other processes do the
    /// token is checked again, every `policy.tokens.recheck`.
    ///
    /// | | costs |
    /// | --- | --- |
    /// | the beginning | one query, so that no change since the caller was authenticated is missed |
    /// | every `policy.tokens.recheck`, when the token expires, and at a change of the user that may concern it | one query |
    /// | in between | a timer |
    ///
    /// While the store fails the wait goes on for `policy.tokens.recheck_grace`, and then completes
    /// with [`TokenEnd::Unavailable`](crate::TokenEnd::Unavailable).
    ///
    /// The tokens of any other authenticator are authenticated again every
    /// [`Authenticator::recheck`], and when they expire, if the caller came through an `AuthLayer`.
    /// For a caller of such an authenticator without a layer the wait never completes.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "accounts")] {
    /// use gatekit_core::{Auth, Login, MemoryStore, Register, TokenEnd};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    /// let token = auth.login(Login::email("ada@example.com", "correct horse battery")).await?.token;
    /// let caller = auth.authenticate(token.secret.expose()).await?;
    ///
    /// let ended = tokio::spawn(caller.ended());
    /// auth.logout(&token.record.digest).await?;
    /// assert_eq!(ended.await?, TokenEnd::Revoked);
    /// # } Ok(()) }
    /// ```
    pub fn ended(&self) -> Ended {
        match &self.watch.0 {
            Some(watch) => Ended::of(Arc::clone(watch), self.token.clone(), self.valid_until()),
            None => Ended::never(),
        }
    }

    /// In these roles.
    #[must_use]
    pub fn roles<S: Into<String>>(mut self, roles: impl IntoIterator<Item = S>) -> Self {
        self.roles = Some(roles.into_iter().map(Into::into).collect());
        self
    }

    /// Whether the caller's token may be used for `scope`. A caller whose tokens are not stored has
    /// exactly the scope `DEFAULT`.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.token.as_ref().map_or(scope == TokenRecord::DEFAULT_SCOPE, |token| token.has_scope(scope))
    }
}

/// Why a token was not accepted.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticateError {
    /// No such token, or one that was revoked, or a wrong signature. LoopBack takes its sender for
    /// anonymous.
    #[error("the token is not valid")]
    Invalid,
    /// The token was good once.
    #[error("the token has expired")]
    Expired,
    /// It could not be found out. The request fails with 503: this never means "anonymous".
    #[error("tokens cannot be checked now")]
    Unavailable(#[from] StoreError),
}
