//! Visitors, who have not logged in. A visitor has a signed token that names the visitor and the
//! client, and nothing else, so no store keeps it.
//!
//! Its key is made from that of session tokens and used for nothing else, and its first characters
//! are its own: no other token of this crate can be taken for one, and it for none of them (ASVS
//! 9.2.2).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatekit_core::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What every visitor token begins with.
const PREFIX: &str = "Visitor.";
/// What the keys are made for. Another version of the token gets another text.
pub(crate) const LABEL: &[u8] = b"gatekit-wix visitor token 1";
/// Longer texts are none of ours.
const MAX_BYTES: usize = 1024;

/// Somebody who has not logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Visitor {
    /// By what the visitor is known as long as its tokens are renewed. Nothing is stored under it.
    pub id: String,
    /// The client that the visitor came with.
    pub client_id: String,
}

/// What a visitor token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Use {
    /// To be sent with requests.
    Access,
    /// To get another one.
    Refresh,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    #[serde(rename = "use")]
    used_for: Use,
    vid: String,
    cid: String,
    /// Seconds.
    iat: i64,
    /// Seconds.
    exp: i64,
}

/// The keys of visitor tokens. The first signs.
#[derive(Clone)]
pub(crate) struct VisitorKeys(Vec<Zeroizing<[u8; 32]>>);

impl fmt::Debug for VisitorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl VisitorKeys {
    /// With what was made of the keys of session tokens and [`LABEL`], the current one first.
    pub(crate) fn new(keys: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self(keys.into_iter().map(Zeroizing::new).collect())
    }

    /// A token for this visitor that ends after so many seconds. `None` if there is no key.
    pub(crate) fn sign(&self, visitor: &Visitor, used_for: Use, now: Timestamp, seconds: i64) -> Option<String> {
        let iat = now.0.div_euclid(1000);
        let (vid, cid) = (visitor.id.clone(), visitor.client_id.clone());
        let claims = Claims { used_for, vid, cid, iat, exp: iat.saturating_add(seconds) };
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).ok()?);
        let signed = format!("{PREFIX}{payload}");
        let signature = mac(&**self.0.first()?, signed.as_bytes())?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Whose token it is, if it is one of ours for this use and has not ended.
    pub(crate) fn verify(&self, token: &str, used_for: Use, now: Timestamp) -> Option<Visitor> {
        if token.len() > MAX_BYTES {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let payload = signed.strip_prefix(PREFIX)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        // All keys are tried: which one it is, is not secret, and `verify_slice` compares in
        // constant time.
        let is_ours = self.0.iter().any(|key| verifies(&**key, signed.as_bytes(), &signature));
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok().filter(|_| is_ours)?;
        let alive = now.0 < claims.exp.saturating_mul(1000);
        (alive && claims.used_for == used_for).then_some(Visitor { id: claims.vid, client_id: claims.cid })
    }
}

fn mac(key: &[u8], data: &[u8]) -> Option<[u8; 32]> {
    // HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(data);
    Some(mac.finalize().into_bytes().into())
}

fn verifies(key: &[u8], data: &[u8], signature: &[u8]) -> bool {
    Hmac::<Sha256>::new_from_slice(key).is_ok_and(|mut mac| {
        mac.update(data);
        mac.verify_slice(signature).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    const OURS: [u8; 32] = [7; 32];
    const OTHER: [u8; 32] = [8; 32];

    fn keys(keys: &[[u8; 32]]) -> VisitorKeys {
        VisitorKeys::new(keys.iter().copied())
    }

    fn visitor() -> Visitor {
        Visitor { id: "v".into(), client_id: "c".into() }
    }

    #[test]
    fn a_token_is_good_until_its_end_and_for_its_use() {
        let keys = keys(&[OURS]);
        let token = keys.sign(&visitor(), Use::Access, NOW, 60).unwrap();
        assert!(token.len() < 512 && token.starts_with("Visitor."));
        assert_eq!(keys.verify(&token, Use::Access, NOW), Some(visitor()));
        assert_eq!(keys.verify(&token, Use::Access, Timestamp(NOW.0 + 59_999)), Some(visitor()));
        assert_eq!(keys.verify(&token, Use::Access, Timestamp(NOW.0 + 60_000)), None);
        assert_eq!(keys.verify(&token, Use::Refresh, NOW), None);
    }

    /// 9.1.1
    #[test]
    fn a_changed_token_or_one_of_another_key_is_none() {
        let (ours, theirs) = (keys(&[OURS]), keys(&[OTHER]));
        let token = ours.sign(&visitor(), Use::Access, NOW, 60).unwrap();
        assert_eq!(theirs.verify(&token, Use::Access, NOW), None);
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last character of base64 may have bits that say nothing; then it does not decode.
            assert_eq!(ours.verify(&changed, Use::Access, NOW), None, "{at}");
        }
        for wrong in ["", ".", "Visitor.", "Visitor..", &"Visitor.".repeat(400)] {
            assert_eq!(ours.verify(wrong, Use::Access, NOW), None);
        }
    }

    #[test]
    fn an_older_key_verifies_and_the_first_signs() {
        let (old, new) = (OURS, OTHER);
        let token = keys(&[old]).sign(&visitor(), Use::Refresh, NOW, 60).unwrap();
        assert_eq!(keys(&[new, old]).verify(&token, Use::Refresh, NOW), Some(visitor()));
        assert_eq!(keys(&[new]).verify(&token, Use::Refresh, NOW), None);
    }
}
