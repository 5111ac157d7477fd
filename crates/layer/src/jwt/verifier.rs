//! The check of a token by the rules of the [module](super).

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use gatekit_core::{AuthenticateError, Authenticated, Authenticator, Clock, Timestamp, TokenForm};
use serde::de::DeserializeOwned;

use super::keys::{Key, signer_of};
#[cfg(feature = "jwks-url")]
use super::remote::RemoteKeys;
use super::token::{Claims, Refused, Token};

/// Verifies JSON Web Tokens and reads their claims as `C`. The [module](super) says by which rules.
///
/// Each constructor starts a [`JwtVerifierBuilder`](super::JwtVerifierBuilder), which wants to be
/// told whose tokens for whom are meant before it builds. Clones share their keys.
#[derive(Clone)]
pub struct JwtVerifier<C> {
    pub(super) rules: Arc<Rules>,
    pub(super) claims: PhantomData<fn() -> C>,
}

/// What the builder was told.
pub(super) struct Rules {
    pub(super) keys: Vec<Key>,
    #[cfg(feature = "jwks-url")]
    pub(super) remotes: Vec<RemoteKeys>,
    /// `None`: any.
    pub(super) issuers: Option<Vec<String>>,
    /// `None`: any.
    pub(super) audiences: Option<Vec<String>>,
    /// Lowercase, without `application/`. `None`: any.
    pub(super) token_type: Option<String>,
    pub(super) leeway_seconds: i64,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl<C> Authenticator for JwtVerifier<C>
where
    C: DeserializeOwned + Clone + Send + Sync + 'static,
{
    type Principal = C;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<C>, AuthenticateError> {
        let caller = match self.rules.verify(token).await {
            Ok((claims, end)) => {
                let subject = claims.subject();
                let caller = claims.into_type().map(|claims| Authenticated::new(claims).expires(end)); // 11
                caller.map(|caller| match subject {
                    Some(subject) => caller.named(subject),
                    None => caller,
                })
            }
            Err(refused) => Err(refused),
        };
        caller.map_err(|refused| {
            tracing::debug!(%refused, "a JSON Web Token was refused");
            match refused {
                Refused::Expired => AuthenticateError::Expired,
                Refused::NoKeys(cause) => AuthenticateError::Unavailable(cause),
                _ => AuthenticateError::Invalid,
            }
        })
    }

    /// A JWT of another issuer or for another audience, such as the one that an identity-aware
    /// proxy adds, is none of these tokens. What it says of itself is believed for nothing else.
    fn token_form(&self, token: &str) -> TokenForm {
        match Token::parse(token, self.rules.token_type.as_deref()) {
            Ok(token) if self.rules.may_be_meant(&token) => TokenForm::Own,
            Ok(_) => TokenForm::Foreign,
            Err(_) => TokenForm::Possible,
        }
    }

    fn now(&self) -> Timestamp {
        self.rules.clock.now()
    }
}

impl Rules {
    /// Applies the rules of the module's documentation, by their numbers. Returns the claims, and
    /// when the token ends.
    async fn verify(&self, token: &str) -> Result<(Claims, Timestamp), Refused> {
        let token = Token::parse(token, self.token_type.as_deref())?; // 1, 2, 3
        let key_issuer = self.key_issuer(&token).await?; // 4, 5
        let claims = token.claims()?; // 6

        match (&key_issuer, &self.issuers) {
            (Some(bound), _) => claims.issued_by(|issuer| issuer == &**bound)?, // 7
            (None, Some(named)) => claims.issued_by(|issuer| named.iter().any(|name| name == issuer))?,
            (None, None) => {}
        }
        if let Some(named) = &self.audiences {
            claims.meant_for(named)?; // 8
        }
        let Timestamp(now_ms) = self.clock.now();
        let times = claims.times()?;
        times.hold_at(now_ms, self.leeway_seconds)?; // 9, 10
        Ok((claims, times.end(self.leeway_seconds)))
    }

    /// Whether the token names an issuer and an audience that the app has named, where it has.
    /// Nobody has verified that.
    fn may_be_meant(&self, token: &Token<'_>) -> bool {
        let Ok(claims) = token.claims() else { return false };
        let issuer =
            self.issuers.as_ref().map(|named| claims.issued_by(|issuer| named.iter().any(|name| name == issuer)));
        let audience = self.audiences.as_ref().map(|named| claims.meant_for(named));
        [issuer, audience].into_iter().flatten().all(|rule| rule.is_ok())
    }

    /// The issuer that the key which verifies `token` is bound to, if it is bound to one; an error
    /// if no key verifies it.
    async fn key_issuer(&self, token: &Token<'_>) -> Result<Option<Arc<str>>, Refused> {
        if let Some(key) = signer_of(&self.keys, token) {
            return Ok(key.issuer.clone());
        }
        #[cfg(feature = "jwks-url")]
        {
            let mut unreachable = None;
            for remote in self.remotes.iter().filter(|remote| remote.serves(token.algorithm)) {
                match remote.keys_for(token).await {
                    Ok(keys) => {
                        if let Some(key) = signer_of(&keys, token) {
                            return Ok(key.issuer.clone());
                        }
                    }
                    // Another set may have the key. If none has, this one might have had it: that
                    // is not "invalid".
                    Err(cause) => unreachable = Some(cause),
                }
            }
            if let Some(cause) = unreachable {
                return Err(Refused::NoKeys(cause));
            }
        }
        Err(Refused::Signature)
    }
}

impl<C> fmt::Debug for JwtVerifier<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtVerifier")
            .field("keys", &self.rules.keys)
            .field("issuers", &self.rules.issuers)
            .field("audiences", &self.rules.audiences)
            .field("token_type", &self.rules.token_type)
            .finish_non_exhaustive()
    }
}
