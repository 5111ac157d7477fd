//! What is wrong with the settings of a verifier.

/// Why a [`JwtVerifier`](super::JwtVerifier) cannot be built. The messages say what to do, and
/// quote no key.
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
    /// Only the signer needs it.
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
    /// Neither [`issuer`](super::JwtVerifierBuilder::issuer) nor
    /// [`any_issuer`](super::JwtVerifierBuilder::any_issuer) was called.
    #[error(
        "say whose tokens are accepted: `.issuer(\"https://..\")` with what they have as `iss`, or `.any_issuer()`"
    )]
    IssuerUndecided,
    /// Neither [`audience`](super::JwtVerifierBuilder::audience) nor
    /// [`any_audience`](super::JwtVerifierBuilder::any_audience) was called.
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
