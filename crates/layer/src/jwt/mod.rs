//! JSON Web Tokens that were made elsewhere: by an identity provider, a gateway or another service.
//!
//! Nothing is stored, and no other service is called: the token's signature and claims are all
//! there is. So a token lives until it expires, whatever happens to the account meanwhile; issuers
//! should keep them short (15 minutes, not days).
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
//! 10. `exp` has not come. This alone answers
//!     [`AuthenticateError::Expired`](gatekit_core::AuthenticateError::Expired); all else is
//!     [`AuthenticateError::Invalid`](gatekit_core::AuthenticateError::Invalid), and a key set that
//!     cannot be fetched is
//!     [`AuthenticateError::Unavailable`](gatekit_core::AuthenticateError::Unavailable).
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

mod algorithm;
mod builder;
mod error;
mod jwks;
mod keys;
mod pem;
#[cfg(feature = "jwks-url")]
mod remote;
mod token;
mod unique_names;
mod verifier;

pub use builder::JwtVerifierBuilder;
pub use error::JwtConfigError;
pub use jwks::Jwks;
pub use unique_names::UniqueNames;
pub use verifier::JwtVerifier;
