//! Cookies that carry a signature, as Express' cookie-parser writes and reads them.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The secrets that cookies are signed with: one for
/// [`TokenSource::signed_cookie`](crate::TokenSource::signed_cookie), or several while one takes
/// over from another. The first signs, all of them verify, as in cookie-parser.
///
/// A signed cookie has the value `s:<value>.<signature>`, percent-encoded; the signature is the
/// Base64 of HMAC-SHA256(value, secret), without `=`.
///
/// ```
/// use gatekit_layer::CookieSecrets;
///
/// let secrets = CookieSecrets::new(["wPkd0Vn1XoLqzMNjYbR7fcAe5uTgiSh2", "the one before, until its cookies have ended"])?;
/// let cookie = secrets.sign("GOkZRwgZ61q0");
/// assert_eq!(secrets.verify(&cookie).as_deref(), Some("GOkZRwgZ61q0"));
/// assert_eq!(secrets.verify("GOkZRwgZ61q0"), None);
/// # Ok::<_, gatekit_layer::CookieSecretError>(())
/// ```
///
/// They are not shown by `Debug`, and wiped from memory when they are dropped.
#[derive(Clone)]
pub struct CookieSecrets(Arc<[Zeroizing<Vec<u8>>]>);

/// Why secrets were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CookieSecretError {
    /// There is none, or one of them is empty: everybody could sign.
    #[error("a cookie secret is missing or empty")]
    Empty,
    /// One of them is shorter than [`CookieSecrets::MIN_BYTES`].
    #[error("a cookie secret has {0} bytes; it must have at least {min}", min = CookieSecrets::MIN_BYTES)]
    TooShort(usize),
}

/// What JavaScript's `encodeURIComponent` leaves as it is, besides letters and digits.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

impl CookieSecrets {
    /// The shortest secret that [`new`](Self::new) takes, in bytes: as many as the signature has
    /// (RFC 2104 §3, ASVS 11.2.3).
    pub const MIN_BYTES: usize = 32;

    /// With these secrets, of which the first signs.
    ///
    /// # Errors
    ///
    /// [`CookieSecretError`] if there is none, or one is shorter than
    /// [`MIN_BYTES`](Self::MIN_BYTES).
    pub fn new<S: AsRef<[u8]>>(secrets: impl IntoIterator<Item = S>) -> Result<Self, CookieSecretError> {
        let secrets = Self::with_insecure_lengths(secrets)?;
        match secrets.0.iter().map(|secret| secret.len()).find(|length| *length < Self::MIN_BYTES) {
            Some(length) => Err(CookieSecretError::TooShort(length)),
            None => Ok(secrets),
        }
    }

    /// With secrets of any length but zero: those of a LoopBack project whose cookies should go on
    /// working.
    ///
    /// A short secret can be guessed from one cookie, and whoever knows it can sign. The signature
    /// then protects nothing. A made-up token still belongs to no user, so this is no worse than
    /// [`TokenSource::cookie`](crate::TokenSource::cookie).
    ///
    /// # Errors
    ///
    /// [`CookieSecretError::Empty`].
    pub fn with_insecure_lengths<S: AsRef<[u8]>>(
        secrets: impl IntoIterator<Item = S>,
    ) -> Result<Self, CookieSecretError> {
        let secrets: Arc<[_]> = secrets.into_iter().map(|secret| Zeroizing::new(secret.as_ref().to_vec())).collect();
        if secrets.is_empty() || secrets.iter().any(|secret| secret.is_empty()) {
            return Err(CookieSecretError::Empty);
        }
        Ok(Self(secrets))
    }

    /// The value of a cookie that holds `value`, ready for `Set-Cookie`. The app sets the cookie's
    /// attributes: `Secure`, `HttpOnly` and `SameSite=Lax`, and best a name that begins with
    /// `__Host-` (ASVS 3.3.1 to 3.3.4).
    #[must_use]
    pub fn sign(&self, value: &str) -> String {
        let signature = self.0.first().and_then(|secret| mac(secret, value)).map(|mac| mac.finalize().into_bytes());
        let signature = STANDARD_NO_PAD.encode(signature.unwrap_or_default());
        utf8_percent_encode(&format!("s:{value}.{signature}"), COMPONENT).to_string()
    }

    /// What a cookie's value holds, if one of these secrets has signed it. The signatures are
    /// compared in constant time.
    #[must_use]
    pub fn verify(&self, cookie: &str) -> Option<String> {
        let decoded = percent_decode_str(cookie).decode_utf8().ok()?;
        let (value, signature) = decoded.strip_prefix("s:")?.rsplit_once('.')?;
        // One text for each signature: bits to spare and padding are refused.
        let signature = STANDARD_NO_PAD.decode(signature).ok()?;
        let signed =
            |secret: &Zeroizing<Vec<u8>>| mac(secret, value).is_some_and(|mac| mac.verify_slice(&signature).is_ok());
        self.0.iter().any(signed).then(|| value.to_owned())
    }
}

/// HMAC takes keys of every length; should it not, nothing is signed by this one.
fn mac(secret: &[u8], value: &str) -> Option<Hmac<Sha256>> {
    Some(Hmac::<Sha256>::new_from_slice(secret).ok()?.chain_update(value))
}

impl std::fmt::Debug for CookieSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieSecrets([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded of LoopBack 3.28.0 with `cookie-parser("sekret")`.
    const TOKEN: &str = "hPAFC4a8txzAOynQbHd5sJCdhYixgNW6bzQ2wI43kgA7eo1nnpldfFdcjfqedyCV";
    const COOKIE: &str = "s%3AhPAFC4a8txzAOynQbHd5sJCdhYixgNW6bzQ2wI43kgA7eo1nnpldfFdcjfqedyCV.MwCli5BiUvf2F02r2zwVbjoW6NBO6jZ%2BwZePK4kiX98";
    const FORGED: &str = "s%3AhPAFC4a8txzAOynQbHd5sJCdhYixgNW6bzQ2wI43kgA7eo1nnpldfFdcjfqedyCV.9CdZxWUtNSTmQBbJKsJi%2FCdu5HSywvXZeR8toLmwBPQ";
    const BEARER: &str = "s%3ABearer%20aFBBRkM0YTh0eHpBT3luUWJIZDVzSkNkaFlpeGdOVzZielEyd0k0M2tnQTdlbzFubnBsZGZGZGNqZnFlZHlDVg%3D%3D.teEFw2iLhcH%2BsQVmka%2FOxwYIaC18EbKvbXl92NXuyss";

    fn weak(secrets: &[&str]) -> CookieSecrets {
        CookieSecrets::with_insecure_lengths(secrets).unwrap()
    }

    #[test]
    fn loopbacks_cookies_are_read_and_written_byte_for_byte() {
        let secrets = weak(&["sekret"]);
        assert_eq!(secrets.verify(COOKIE).as_deref(), Some(TOKEN));
        assert_eq!(secrets.sign(TOKEN), COOKIE);
        // The one with the bad signature was signed by somebody.
        assert_eq!(weak(&["other"]).sign(TOKEN), FORGED);
        let value = secrets.verify(BEARER).unwrap();
        assert!(value.starts_with("Bearer aFBB"), "a value is taken as it is: {value}");
        assert_eq!(secrets.sign(&value), BEARER);
        // A client may send it decoded: only some characters need it.
        assert_eq!(secrets.verify(&COOKIE.replace("%3A", ":").replace("%2B", "+")).as_deref(), Some(TOKEN));
    }

    #[test]
    fn what_is_not_signed_by_one_of_the_secrets_holds_nothing() {
        let secrets = weak(&["sekret", "another"]);
        let signed = secrets.sign("abc");
        for cookie in [
            FORGED,
            TOKEN,
            "",
            "s:",
            "s%3A",
            "s:.",
            "s:abc",
            "s:abc.",
            "j:abc",
            &signed.replace("abc", "abd"),
            &signed.replace("s%3A", ""),
            &signed.replace("s%3A", "S%3A"),
            &format!("{signed}="),
            &format!("{signed}%3D"),
            &format!("{signed}A"),
            &signed[..signed.len() - 1],
            "s%3Aabc.%ff",
            &weak(&["sekres"]).sign("abc"),
        ] {
            assert_eq!(secrets.verify(cookie), None, "{cookie}");
        }
    }

    #[test]
    fn one_signature_has_one_text() {
        let secrets = weak(&["sekret"]);
        // The last of 43 characters has two bits that no byte has room for.
        let ends = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let cut = &COOKIE[..COOKIE.len() - 1];
        let valid = ends.chars().filter(|end| secrets.verify(&format!("{cut}{end}")).is_some()).count();
        assert_eq!(valid, 1);
    }

    #[test]
    fn while_secrets_rotate_the_first_signs_and_all_verify() {
        let (old, new, both) = (weak(&["old"]), weak(&["new"]), weak(&["new", "old"]));
        for value in ["abc", "", "a.b", "ü; \"\\,🦀"] {
            assert_eq!(both.sign(value), new.sign(value));
            assert_eq!(both.verify(&old.sign(value)).as_deref(), Some(value));
            assert_eq!(both.verify(&new.sign(value)).as_deref(), Some(value));
            assert_eq!(old.verify(&new.sign(value)), None);
            assert!(both.sign(value).bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()%".contains(&byte)));
        }
    }

    /// 11.2.3, J-6, V-114
    #[test]
    fn secrets_that_can_be_guessed_are_refused_unless_asked_for_by_that_name() {
        let (short, long) = ("x".repeat(31), "x".repeat(32));
        assert!(CookieSecrets::new([&long]).is_ok());
        assert_eq!(CookieSecrets::new([&long, &short]).unwrap_err(), CookieSecretError::TooShort(31));
        assert!(CookieSecrets::with_insecure_lengths(["x"]).is_ok());
        for none in [&[][..], &[""], &["x", ""]] {
            assert_eq!(CookieSecrets::new(none).unwrap_err(), CookieSecretError::Empty);
            assert_eq!(CookieSecrets::with_insecure_lengths(none).unwrap_err(), CookieSecretError::Empty);
        }
    }

    #[test]
    fn they_are_not_printed() {
        let printed = format!("{:?}", crate::TokenSource::signed_cookie("sid", weak(&["sekret"])));
        assert!(printed.contains("[redacted]") && !printed.contains("sekret"), "{printed}");
    }
}
