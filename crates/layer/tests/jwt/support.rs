//! A frozen clock, the keys, and tokens of any kind, good or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatekit_core::{AuthenticateError, Authenticator, Clock, Timestamp};
use gatekit_layer::JwtVerifier;
use gatekit_layer::jwt::JwtVerifierBuilder;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const AUDIENCE: &str = "https://api.test";
pub(crate) const SECRET: &str = "test-only-secret-0123456789abcdef0123456789";
pub(crate) const JWKS: &str = include_str!("../data/jwks.json");
pub(crate) const JWKS_RSA: &str = include_str!("../data/jwks-rsa.json");

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
}

/// Stands still until it is told otherwise.
#[derive(Clone)]
pub(crate) struct Frozen(Arc<AtomicI64>);

impl Frozen {
    pub(crate) fn at(seconds: i64) -> Self {
        Self(Arc::new(AtomicI64::new(seconds * 1000)))
    }

    #[cfg(feature = "jwks-url")]
    pub(crate) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for Frozen {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// With its answers given: the issuer and audience of the tests, at `NOW`.
pub(crate) fn ready<C>(builder: JwtVerifierBuilder<C>) -> JwtVerifier<C> {
    builder.issuer(ISSUER).audience(AUDIENCE).clock(Frozen::at(NOW)).build().unwrap()
}

/// Under all keys of `jwks.json` and the secret.
pub(crate) fn verifier() -> JwtVerifier<Claims> {
    ready(JwtVerifier::from_jwks(JWKS).hs256(SECRET))
}

pub(crate) struct Signer(pub(crate) &'static str, Algorithm, EncodingKey);

pub(crate) fn hs256_with(secret: &[u8]) -> Signer {
    Signer("HS256", Algorithm::HS256, EncodingKey::from_secret(secret))
}

pub(crate) fn hs256() -> Signer {
    hs256_with(SECRET.as_bytes())
}

pub(crate) fn es256_a() -> Signer {
    let pem = include_str!("../data/test-only-p256-a.pem");
    Signer("ES256", Algorithm::ES256, EncodingKey::from_ec_der(&der(pem)))
}

pub(crate) fn es256_b() -> Signer {
    let pem = include_str!("../data/test-only-p256-b.pem");
    Signer("ES256", Algorithm::ES256, EncodingKey::from_ec_der(&der(pem)))
}

pub(crate) fn eddsa_a() -> Signer {
    let pem = include_str!("../data/test-only-ed25519-a.pem");
    Signer("EdDSA", Algorithm::EdDSA, EncodingKey::from_ed_der(&der(pem)))
}

pub(crate) fn rs256() -> Signer {
    let pem = include_str!("../data/test-only-rsa2048.pem");
    Signer("RS256", Algorithm::RS256, EncodingKey::from_rsa_der(&der(pem)))
}

pub(crate) fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Claims that are good at `NOW`.
pub(crate) fn claims() -> Value {
    json!({"sub": "ada", "iss": ISSUER, "aud": AUDIENCE, "iat": NOW, "nbf": NOW, "exp": NOW + 900})
}

/// Good claims with some replaced; `null` removes one.
pub(crate) fn claims_with(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

impl Signer {
    /// A token with exactly these bytes in it.
    pub(crate) fn raw(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        let message = format!("{}.{}", b64(header), b64(claims));
        let signature = crypto::sign(message.as_bytes(), &self.2, self.1).unwrap();
        format!("{message}.{signature}")
    }

    /// Good claims under this header, with the right `alg` unless it has one.
    pub(crate) fn header(&self, mut header: Value) -> String {
        if header.get("alg").is_none() {
            header["alg"] = self.0.into();
        }
        self.raw(header.to_string(), claims().to_string())
    }

    /// These claims under the plainest header.
    pub(crate) fn claims(&self, claims: Value) -> String {
        self.raw(json!({"alg": self.0}).to_string(), claims.to_string())
    }

    pub(crate) fn token(&self) -> String {
        self.claims(claims())
    }
}

pub(crate) async fn check(verifier: &JwtVerifier<Claims>, token: &str) -> Result<String, AuthenticateError> {
    verifier.authenticate(token).await.map(|caller| caller.principal.sub)
}

#[track_caller]
pub(crate) fn accepted(answer: Result<String, AuthenticateError>, case: &str) {
    assert!(matches!(&answer, Ok(sub) if sub == "ada"), "{case}: {answer:?}");
}

#[track_caller]
pub(crate) fn invalid(answer: Result<String, AuthenticateError>, case: &str) {
    assert!(matches!(answer, Err(AuthenticateError::Invalid)), "{case}: {answer:?}");
}

#[track_caller]
pub(crate) fn expired(answer: Result<String, AuthenticateError>, case: &str) {
    assert!(matches!(answer, Err(AuthenticateError::Expired)), "{case}: {answer:?}");
}
