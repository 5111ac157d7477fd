//! Public keys in PEM, by the two forms they have, and what a public key looks like when it was
//! taken for a secret.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::error::JwtConfigError;

/// How the SubjectPublicKeyInfo of a P-256 point begins (RFC 5480): the algorithm, the curve, and
/// that the point is 65 bytes, uncompressed.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// How that of an Ed25519 key begins (RFC 8410).
const ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// The name of RSA keys in such a structure (RFC 8017).
const RSA_OID: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The point of an ES256 key: the byte 4, 32 bytes of x, 32 bytes of y.
pub(super) fn p256_point(pem: &[u8]) -> Result<Vec<u8>, JwtConfigError> {
    match public_key(pem)?.strip_prefix(&P256[..]) {
        Some(point) if point.len() == 65 && point.first() == Some(&4) => Ok(point.to_vec()),
        _ => Err(JwtConfigError::BadKey { what: "this PEM holds no uncompressed P-256 key" }),
    }
}

/// The 32 bytes of an Ed25519 key.
pub(super) fn ed25519_point(pem: &[u8]) -> Result<Vec<u8>, JwtConfigError> {
    match public_key(pem)?.strip_prefix(&ED25519[..]) {
        Some(point) if point.len() == 32 => Ok(point.to_vec()),
        _ => Err(JwtConfigError::BadKey { what: "this PEM holds no Ed25519 key" }),
    }
}

/// The bytes between `BEGIN PUBLIC KEY` and `END PUBLIC KEY`.
fn public_key(pem: &[u8]) -> Result<Vec<u8>, JwtConfigError> {
    let text = str::from_utf8(pem).map_err(|_| JwtConfigError::NotPem)?;
    if text.contains("PRIVATE KEY-----") {
        return Err(JwtConfigError::PrivateKey);
    }
    let (_, rest) = text.split_once("-----BEGIN PUBLIC KEY-----").ok_or(JwtConfigError::NotPem)?;
    let (body, _) = rest.split_once("-----END PUBLIC KEY-----").ok_or(JwtConfigError::NotPem)?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).map_err(|_| JwtConfigError::NotPem)
}

/// True for one half of a key pair in any of its usual forms: PEM, DER, SSH, JWK. As an HS256
/// secret it would let everyone who knows the public half sign (CVE-2022-29217 and others).
pub(super) fn looks_like_a_key_of_two(secret: &[u8]) -> bool {
    let begins = |text: &str| secret.trim_ascii_start().starts_with(text.as_bytes());
    let contains = |bytes: &[u8]| secret.windows(bytes.len()).take(64).any(|window| window == bytes);
    begins("-----BEGIN ")
        || begins("---- BEGIN ")
        || ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].into_iter().any(begins)
        || begins("{") && serde_json::from_slice::<serde_json::Value>(secret).is_ok()
        || secret.starts_with(&P256)
        || secret.starts_with(&ED25519)
        || secret.first() == Some(&0x30) && contains(&RSA_OID)
        // PKCS #1: a sequence that begins with an integer, lengths in two bytes.
        || matches!(secret, [0x30, 0x82, _, _, 0x02, 0x82 | 0x01, ..])
}
