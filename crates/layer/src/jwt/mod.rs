//! Who a JSON Web Token belongs to, when the token was made elsewhere: by an identity provider, a
//! gateway, another service.
//!
//! Nothing is stored and nobody is asked: the token's signature and claims are all there is. So a
//! token lives until it expires, whatever happens to the account meanwhile; issuers should keep
//! them short (15 minutes, not days).
//!
//! # The rules, in the order they are applied
//!
//! 1. A token of more than 8 KiB is refused before anything is done with it.
//! 2. It is three parts of canonical base64url: no padding, no white space, no fourth part (RFC
//!    7515 §7.1). Encrypted tokens have five and are refused.
//! 3. Its header is a JSON object without repeated names. `crit`, `b64`, `zip`, `enc` and a nested
//!    JWT ask for extensions that are not spoken here, so they are refused (RFC 7515 §4.1.11).
//!    `jku`, `jwk`, `x5u` and `x5c` offer keys; nobody looks at them (ASVS 9.1.3). `typ` is
//!    compared if the app named one ([`JwtVerifierBuilder::token_type`]).
//! 4. A key says which algorithm it is for; the token can only agree. Of the keys whose algorithm
//!    the header names, those with the header's `kid` are tried, and those that have none; without
//!    a `kid` all of them. At most 8 are tried. `none` is the algorithm of no key (RFC 8725 §3.1,
//!    §3.2).
//! 5. The signature verifies under one of them, or the token is refused, before its claims are read
//!    (ASVS 9.1.1).
//! 6. The claims are a JSON object without repeated names (RFC 7519 §4).
//! 7. `iss` is one the app named. Under the key of a named foreign issuer it is that issuer (RFC
//!    8725 §3.8).
//! 8. `aud` is, or contains, one the app named (RFC 8725 §3.9).
//! 9. `exp`, `nbf` and `iat` are whole seconds before the year 10000, not texts, fractions or
//!    milliseconds; `exp` must be there. `nbf` has come, and `iat` has too: a token from the future
//!    shows a broken clock or a forger.
//! 10. `exp` has not come. This alone answers [`AuthenticateError::Expired`]; all else is
//!     [`AuthenticateError::Invalid`], and a key set that cannot be fetched is
//!     [`AuthenticateError::Unavailable`].
//! 11. The claims fit the app's own type, which becomes the principal.
//!
//! Of several JWTs in a request the first counts whose `iss` and `aud` are those that the app
//! named, where it named any: the one that an identity-aware proxy adds is passed over. What an
//! unverified token says is believed for nothing but this choice.
//!
//! Times in rules 9 and 10 have a leeway of 30 seconds for clocks that differ
//! ([`JwtVerifierBuilder::leeway`]). Why a token was refused is logged at level `debug`, without
//! the token.
//!
//! # Which algorithms
//!
//! EdDSA with Ed25519 (the one to choose), ES256, and HS256 where both sides can keep one secret.
//! RS256 only for an issuer named in [`JwtVerifier::foreign_issuer_rs256`]: RSA PKCS #1 v1.5
//! signatures are on their way out (ASVS 5.0, appendix C), but the large identity providers still
//! make them.
//!
//! # Example
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use gatekit_core::{AuthenticateError, Authenticator};
//! use gatekit_layer::JwtVerifier;
//! use serde::Deserialize;
//!
//! #[derive(Clone, Debug, Deserialize)]
//! struct Claims {
//!     sub: String,
//! }
//!
//! let verifier = JwtVerifier::<Claims>::from_jwks(
//!     r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "2026", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
//! )
//! .issuer("https://login.example.com")
//! .audience("https://api.example.com")
//! .build()?;
//!
//! // In an app: `.layer(AuthLayer::new(verifier))`, and `AuthUser(claims): AuthUser<Claims>` in a handler.
//! let answer = verifier.authenticate("eyJhbGciOiJub25lIn0.eyJzdWIiOiJldmUifQ.").await;
//! assert!(matches!(answer, Err(AuthenticateError::Invalid)));
//! # Ok(()) }
//! ```
//!
//! # Sources
//!
//! RFC 7515 (signatures), RFC 7517 (keys), RFC 7519 (claims), RFC 8037 and 9864 (Ed25519), RFC 8725
//! (best current practice), OWASP ASVS 5.0 chapter V9.

mod builder;
pub(crate) mod jwks;
pub(crate) mod keys;
mod pem;
pub(crate) mod token;
mod unique_names;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use gatekit_core::{AuthenticateError, Authenticated, Authenticator, Clock, Timestamp, TokenForm};
use serde::de::DeserializeOwned;

#[cfg(feature = "jwks-url")]
use crate::jwks_url::RemoteKeys;
pub use builder::{JwtConfigError, JwtVerifierBuilder};
pub use jwks::Jwks;
use keys::{Key, signer_of};
use token::{Claims, Refused, Token};
pub use unique_names::UniqueNames;

/// Verifies JSON Web Tokens and reads their claims as `C`. The [module](self) says by which rules.
///
/// Each constructor starts a [`JwtVerifierBuilder`], which wants to be told whose tokens for whom
/// are meant before it builds. Clones share their keys.
#[derive(Clone)]
pub struct JwtVerifier<C> {
    rules: Arc<Rules>,
    claims: PhantomData<fn() -> C>,
}

/// What the builder was told.
struct Rules {
    keys: Vec<Key>,
    #[cfg(feature = "jwks-url")]
    remotes: Vec<RemoteKeys>,
    /// `None`: any.
    issuers: Option<Vec<String>>,
    /// `None`: any.
    audiences: Option<Vec<String>>,
    /// Lowercase, without `application/`. `None`: any.
    token_type: Option<String>,
    leeway_seconds: i64,
    clock: Arc<dyn Clock>,
}

impl<C> JwtVerifier<C> {
    /// Tokens signed with a shared secret: HMAC SHA-256. Whoever can verify can sign, so keep it to
    /// your own services.
    ///
    /// `secret` is at least 32 random bytes, not a password (RFC 7518 §3.2, RFC 8725 §3.5).
    #[must_use = "a builder does nothing until `build`"]
    pub fn hs256(secret: impl AsRef<[u8]>) -> JwtVerifierBuilder<C> {
        JwtVerifierBuilder::new().hs256(secret)
    }

    /// As [`hs256`](Self::hs256), with the secret as base64url text, as in the `k` of a JWK.
    #[must_use = "a builder does nothing until `build`"]
    pub fn hs256_base64url(secret: &str) -> JwtVerifierBuilder<C> {
        JwtVerifierBuilder::new().hs256_base64url(secret)
    }

    /// Tokens signed with ECDSA on P-256. `pem` is the public key: `-----BEGIN PUBLIC KEY-----`.
    #[must_use = "a builder does nothing until `build`"]
    pub fn es256_pem(pem: impl AsRef<[u8]>) -> JwtVerifierBuilder<C> {
        JwtVerifierBuilder::new().es256_pem(pem)
    }

    /// As [`es256_pem`](Self::es256_pem), with the point's coordinates as base64url text, as in the
    /// `x` and `y` of a JWK.
    #[must_use = "a builder does nothing until `build`"]
    pub fn es256_components(x: &str, y: &str) -> JwtVerifierBuilder<C> {
        JwtVerifierBuilder::new().es256_components(x, y)
    }

    /// Tokens signed with Ed25519. `pem` is the public key: `-----BEGIN PUBLIC KEY-----`.
    #[must_use = "a builder does nothing until `build`"]
    pub fn eddsa_pem(pem: impl AsRef<[u8]>) -> JwtVerifierBuilder<C> {
        JwtVerifierBuilder::new().eddsa_pem(pem)
    }

    /// As [`eddsa_pem`](Self::eddsa_pem), with the key's 32 bytes as base64url text, as in the `x`
    /// of a JWK.
    #[must_use = "a builder does nothing until `build`"]
    pub fn eddsa_components(x: &str) -> JwtVerifierBuilder<C> {
        JwtVerifierBuilder::new().eddsa_components(x)
    }

    /// Tokens signed with one of the keys of a JWK set (or of a single JWK), as JSON text or value:
    /// EC keys on P-256, Ed25519 keys, and `oct` keys for HS256. [`Jwks`] says which keys are
    /// passed over.
    #[must_use = "a builder does nothing until `build`"]
    pub fn from_jwks(jwks: impl Into<Jwks>) -> JwtVerifierBuilder<C> {
        JwtVerifierBuilder::new().from_jwks(jwks)
    }

    /// Tokens of one foreign issuer that signs with RSA, verified with the RSA keys of its JWK set.
    ///
    /// These keys are good for tokens whose `iss` is exactly `issuer`, and for no others; so no
    /// [`issuer`] is asked for.
    ///
    /// [`issuer`]: JwtVerifierBuilder::issuer
    #[must_use = "a builder does nothing until `build`"]
    pub fn foreign_issuer_rs256(issuer: impl Into<String>, jwks: impl Into<Jwks>) -> JwtVerifierBuilder<C> {
        JwtVerifierBuilder::new().foreign_issuer_rs256(issuer, jwks)
    }

    /// Tokens signed with one of the keys published at `url`: EC keys on P-256 and Ed25519 keys. A
    /// shared secret that is published is none, so `oct` keys are passed over.
    ///
    /// The set is fetched when the first token needs it, and kept. How long, and what happens when
    /// it cannot be fetched, is told at [`JwtVerifierBuilder::from_jwks_url`].
    #[cfg(feature = "jwks-url")]
    #[must_use = "a builder does nothing until `build`"]
    pub fn from_jwks_url(url: impl Into<String>) -> JwtVerifierBuilder<C> {
        JwtVerifierBuilder::new().from_jwks_url(url)
    }

    /// As [`foreign_issuer_rs256`](Self::foreign_issuer_rs256), with the keys fetched as by
    /// [`from_jwks_url`](Self::from_jwks_url).
    #[cfg(feature = "jwks-url")]
    #[must_use = "a builder does nothing until `build`"]
    pub fn foreign_issuer_rs256_url(issuer: impl Into<String>, url: impl Into<String>) -> JwtVerifierBuilder<C> {
        JwtVerifierBuilder::new().foreign_issuer_rs256_url(issuer, url)
    }
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
    /// Applies the rules of the module's documentation, by their numbers.
    /// The claims, and when the token ends.
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
