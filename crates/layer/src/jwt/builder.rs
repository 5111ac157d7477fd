//! The settings of a [`JwtVerifier`], and what is refused before it runs.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use gatekit_core::{Clock, SystemClock};

use super::error::JwtConfigError;
use super::jwks::{Jwks, Origin};
use super::keys::Key;
#[cfg(feature = "jwks-url")]
use super::remote::RemoteKeys;
use super::token::media_type;
use super::verifier::{JwtVerifier, Rules};

const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);
const MAX_LEEWAY: Duration = Duration::from_secs(120);

/// Builds a [`JwtVerifier`]. Start with one of its constructors; the methods of the same names add
/// further keys, so that a new key and the one before it are good side by side while the issuer
/// changes over.
///
/// Two questions have no default, because the safe answer is known to the app alone: whose tokens
/// ([`issuer`](Self::issuer)), and for whom ([`audience`](Self::audience)).
///
/// ```
/// use gatekit_layer::{JwtVerifier, jwt::JwtConfigError};
///
/// let secret = "a secret for examples, which everyone has read";
/// let forgotten = JwtVerifier::<serde_json::Value>::hs256(secret).issuer("https://login.example.com").build();
/// assert!(matches!(forgotten, Err(JwtConfigError::AudienceUndecided)));
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct JwtVerifierBuilder<C> {
    keys: Vec<Key>,
    #[cfg(feature = "jwks-url")]
    urls: Vec<(String, Origin)>,
    /// A key that is not bound to an issuer was added: `issuers` must be decided.
    needs_issuer: bool,
    issuers: Decision,
    audiences: Decision,
    token_type: Option<String>,
    leeway: Duration,
    clock: Arc<dyn Clock>,
    first_problem: Option<JwtConfigError>,
    claims: PhantomData<fn() -> C>,
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

/// An answer that must have been given.
#[derive(Debug, Default)]
struct Decision {
    any: bool,
    named: Vec<String>,
}

impl<C> JwtVerifierBuilder<C> {
    fn new() -> Self {
        Self {
            keys: Vec::new(),
            #[cfg(feature = "jwks-url")]
            urls: Vec::new(),
            needs_issuer: false,
            issuers: Decision::default(),
            audiences: Decision::default(),
            token_type: None,
            leeway: DEFAULT_LEEWAY,
            clock: Arc::new(SystemClock),
            first_problem: None,
            claims: PhantomData,
        }
    }

    /// Accepts tokens whose `iss` is exactly this text. Call it again to accept another issuer's as
    /// well, if all of them may sign with all of the keys; otherwise build one verifier for each.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.named.push(issuer.into());
        self
    }

    /// Accepts every `iss`, and tokens without one: whoever has the key speaks for everybody.
    pub fn any_issuer(mut self) -> Self {
        self.issuers.any = true;
        self
    }

    /// Accepts tokens whose `aud` is exactly this text, or a list with it. Call it again for
    /// another name of this app.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.named.push(audience.into());
        self
    }

    /// Accepts every `aud`, and tokens without one: a token that was made for another service, and
    /// that this other service has seen, opens this one too (RFC 8725 §3.9).
    pub fn any_audience(mut self) -> Self {
        self.audiences.any = true;
        self
    }

    /// Accepts tokens whose header has this `typ` only, such as `at+jwt` for access tokens (RFC
    /// 9068 §2.1), in any case, with or without `application/`. Name it if the issuer does: it
    /// keeps ID tokens and logout tokens out (RFC 8725 §3.11). By default any `typ` is accepted,
    /// and none.
    pub fn token_type(mut self, token_type: impl AsRef<str>) -> Self {
        self.token_type = Some(media_type(token_type.as_ref()));
        self
    }

    /// How far the issuer's clock may be off: `exp` counts that much later, `nbf` and `iat` that
    /// much earlier. Whole seconds, 0 to 120, 30 by default. (RFC 7519 §4.1.4: "usually no more
    /// than a few minutes".)
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Where time comes from. For tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Also accepts tokens under this secret. See [`JwtVerifier::hs256`].
    pub fn hs256(self, secret: impl AsRef<[u8]>) -> Self {
        self.key(Key::hs256(secret.as_ref()))
    }

    /// Also accepts tokens under this secret. See [`JwtVerifier::hs256_base64url`].
    pub fn hs256_base64url(self, secret: &str) -> Self {
        self.key(Key::hs256_base64url(secret))
    }

    /// Also accepts tokens under this key. See [`JwtVerifier::es256_pem`].
    pub fn es256_pem(self, pem: impl AsRef<[u8]>) -> Self {
        self.key(Key::es256_pem(pem.as_ref()))
    }

    /// Also accepts tokens under this key. See [`JwtVerifier::es256_components`].
    pub fn es256_components(self, x: &str, y: &str) -> Self {
        self.key(Key::es256_components(x, y))
    }

    /// Also accepts tokens under this key. See [`JwtVerifier::eddsa_pem`].
    pub fn eddsa_pem(self, pem: impl AsRef<[u8]>) -> Self {
        self.key(Key::eddsa_pem(pem.as_ref()))
    }

    /// Also accepts tokens under this key. See [`JwtVerifier::eddsa_components`].
    pub fn eddsa_components(self, x: &str) -> Self {
        self.key(Key::eddsa_components(x))
    }

    /// Also accepts tokens under these keys. See [`JwtVerifier::from_jwks`].
    pub fn from_jwks(mut self, jwks: impl Into<Jwks>) -> Self {
        self.needs_issuer = true;
        self.keys(jwks.into().into_keys(&Origin::Own))
    }

    /// Also accepts tokens of this foreign issuer. See [`JwtVerifier::foreign_issuer_rs256`].
    pub fn foreign_issuer_rs256(self, issuer: impl Into<String>, jwks: impl Into<Jwks>) -> Self {
        let issuer: String = issuer.into();
        self.keys(jwks.into().into_keys(&Origin::Foreign(issuer.into())))
    }

    /// Also accepts tokens under the keys published at `url`.
    ///
    /// - `https`, or `http` on this very machine. Redirects are not followed. 5 seconds, 512 KiB.
    /// - Fetched when first needed, and again after the `max-age` of the answer's `Cache-Control`:
    ///   1 minute to 24 hours, 1 hour if it has none.
    /// - A token that names an unknown `kid` has the set fetched again, at most once a minute,
    ///   however many such tokens come.
    /// - While it cannot be fetched, the last good set is used, for 24 hours at most from when it
    ///   should have been renewed, and one attempt is made a minute. Without a set requests fail
    ///   with 503 and one attempt is made a second.
    /// - There is one fetch at a time, and all requests wait for it together.
    #[cfg(feature = "jwks-url")]
    pub fn from_jwks_url(mut self, url: impl Into<String>) -> Self {
        self.needs_issuer = true;
        self.urls.push((url.into(), Origin::Published));
        self
    }

    /// Also accepts tokens of this foreign issuer. See [`JwtVerifier::foreign_issuer_rs256_url`].
    #[cfg(feature = "jwks-url")]
    pub fn foreign_issuer_rs256_url(mut self, issuer: impl Into<String>, url: impl Into<String>) -> Self {
        let issuer: String = issuer.into();
        self.urls.push((url.into(), Origin::Foreign(issuer.into())));
        self
    }

    /// The verifier.
    ///
    /// # Errors
    ///
    /// [`JwtConfigError`]: the first key that cannot be used, or a question without an answer.
    pub fn build(self) -> Result<JwtVerifier<C>, JwtConfigError> {
        if let Some(problem) = self.first_problem {
            return Err(problem);
        }
        if self.leeway > MAX_LEEWAY || self.leeway.subsec_nanos() != 0 {
            return Err(JwtConfigError::Leeway);
        }
        let issuers = match (self.needs_issuer, self.issuers.any, self.issuers.named) {
            (_, true, named) if !named.is_empty() => return Err(JwtConfigError::Contradiction { claim: "issuer" }),
            (true, false, named) if named.is_empty() => return Err(JwtConfigError::IssuerUndecided),
            (_, true, _) => None,
            (_, false, named) => Some(named),
        };
        let audiences = match (self.audiences.any, self.audiences.named) {
            (true, named) if !named.is_empty() => return Err(JwtConfigError::Contradiction { claim: "audience" }),
            (false, named) if named.is_empty() => return Err(JwtConfigError::AudienceUndecided),
            (true, _) => None,
            (false, named) => Some(named),
        };
        let rules = Rules {
            keys: self.keys,
            #[cfg(feature = "jwks-url")]
            remotes: (self.urls.into_iter())
                .map(|(url, origin)| RemoteKeys::new(&url, origin, self.clock.clone()))
                .collect::<Result<_, _>>()?,
            issuers,
            audiences,
            token_type: self.token_type,
            leeway_seconds: i64::try_from(self.leeway.as_secs()).map_err(|_| JwtConfigError::Leeway)?,
            clock: self.clock,
        };
        Ok(JwtVerifier { rules: Arc::new(rules), claims: PhantomData })
    }

    fn key(mut self, key: Result<Key, JwtConfigError>) -> Self {
        self.needs_issuer = true;
        self.keys(key.map(|key| vec![key]))
    }

    fn keys(mut self, keys: Result<Vec<Key>, JwtConfigError>) -> Self {
        match keys {
            Ok(keys) => self.keys.extend(keys),
            Err(problem) => drop(self.first_problem.get_or_insert(problem)),
        }
        self
    }
}

impl<C> fmt::Debug for JwtVerifierBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtVerifierBuilder")
            .field("keys", &self.keys)
            .field("issuers", &self.issuers)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}
