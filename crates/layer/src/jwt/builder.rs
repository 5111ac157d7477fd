//! What a [`JwtVerifier`] has to be told, and what is refused before it runs.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use gatekit_core::{Clock, SystemClock};

use super::jwks::{Jwks, Origin};
use super::keys::Key;
use super::token::media_type;
use super::{JwtVerifier, Rules};
#[cfg(feature = "jwks-url")]
use crate::jwks_url::RemoteKeys;

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

/// An answer that must have been given.
#[derive(Debug, Default)]
struct Decision {
    any: bool,
    named: Vec<String>,
}

impl<C> JwtVerifierBuilder<C> {
    pub(super) fn new() -> Self {
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

/// Why a [`JwtVerifier`] cannot be built. The messages say what to do, and quote no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtConfigError {
    /// RFC 7518 §3.2.
    #[error("an HS256 secret has at least 32 bytes and this one has {bytes}; make one with `openssl rand -base64 32`")]
    WeakSecret {
        /// Bytes it has.
        bytes: usize,
    },
    /// RFC 8725 §3.1: what half of the world may know must not become a secret.
    #[error(
        "this is a key in PEM, DER, SSH or JWK form, and no HS256 secret; use `es256_pem`, `eddsa_pem` or `from_jwks`"
    )]
    NotASecret,
    /// A text that should be base64url is not.
    #[error("{what} is not base64url (A-Z, a-z, 0-9, `-` and `_`, no padding)")]
    NotBase64Url {
        /// Which text.
        what: &'static str,
    },
    /// Not PEM, or another block of it: a certificate, say.
    #[error(
        "a public key in PEM begins with `-----BEGIN PUBLIC KEY-----`; `openssl pkey -pubout` and `openssl x509 -pubkey` make one"
    )]
    NotPem,
    /// Only who signs needs it.
    #[error("this is a private key, which has no business here; `openssl pkey -pubout` makes the public one from it")]
    PrivateKey,
    /// The key is not one of its kind, or one that gives no safety.
    #[error("{what}")]
    BadKey {
        /// What is wrong.
        what: &'static str,
    },
    /// RFC 7518 §3.3.
    #[error("an RSA key has 2048 to 8192 bits and this one has {bits}")]
    RsaKeySize {
        /// Bits it has.
        bits: usize,
    },
    /// Not JSON, or not of the form `{"keys": [..]}`.
    #[error("this is neither a JWK set, `{{\"keys\": [..]}}`, nor a JWK")]
    NotJwks,
    /// More than 512 KiB of text, or more than 64 keys.
    #[error("a JWK set has at most 512 KiB and 64 keys")]
    JwksTooLarge,
    /// Every key of the set was passed over.
    #[error(
        "no key of the JWK set can be used: wanted are EC P-256, Ed25519 and (not from a URL) oct keys for signatures; RSA keys \
         need `foreign_issuer_rs256`, which takes no others"
    )]
    NoUsableKey,
    /// Neither [`issuer`](JwtVerifierBuilder::issuer) nor
    /// [`any_issuer`](JwtVerifierBuilder::any_issuer) was called.
    #[error(
        "say whose tokens are accepted: `.issuer(\"https://..\")` with what they have as `iss`, or `.any_issuer()`"
    )]
    IssuerUndecided,
    /// Neither [`audience`](JwtVerifierBuilder::audience) nor
    /// [`any_audience`](JwtVerifierBuilder::any_audience) was called.
    #[error(
        "say for whom accepted tokens are made: `.audience(\"..\")` with what they have as `aud`, or `.any_audience()`"
    )]
    AudienceUndecided,
    /// Both any and named ones.
    #[error("`.any_{claim}()` and `.{claim}(..)` exclude each other")]
    Contradiction {
        /// `issuer` or `audience`.
        claim: &'static str,
    },
    /// More than two minutes, or a part of a second.
    #[error("a leeway is 0 to 120 whole seconds")]
    Leeway,
    /// Not a URL, or one over which keys must not be fetched.
    #[cfg(feature = "jwks-url")]
    #[error("a JWKS URL is `https://host/..` without a password in it (`http` on localhost only)")]
    JwksUrl,
    /// TLS could not be set up: the system has no root certificates, for instance.
    #[cfg(feature = "jwks-url")]
    #[error("the client that fetches the JWK set cannot be set up: {0}")]
    Tls(String),
}
