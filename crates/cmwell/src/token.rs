//! The tokens of CM-Well: what they say, how they are signed and verified.

mod parse;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gatekit_core::{Account, Timestamp, TokenForm, TokenSecret, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::SigningKey;
use parse::Parsed;

/// The header, byte for byte CM-Well's.
const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;
/// Whom a token is for. A token made for somebody else, under the same key by mistake, is none of
/// ours (RFC 8725 §3.9, J-13).
const AUDIENCE: &str = "cmwell";

/// What a token says: a JSON Web Token, signed with HMAC SHA-256.
///
/// | claim | |
/// | --- | --- |
/// | `sub` | the name that its holder logs in with |
/// | `exp` | when it ends, in **milliseconds** since 1970, unlike other JSON Web Tokens |
/// | `rev` | the user's `rev`; a token is dead when they differ. None is 0 |
/// | `aud` | `cmwell`; may be missing |
/// | `uid`, `model` | whose it is: `Account::id` and `Account::model_name`; may be missing |
///
/// The last three are not CM-Well's, whose tokens are good here too. They keep a token from being
/// taken for somebody else's: of whom has the same name after the account was removed, or in
/// another user type of the same app. Clients know nothing of them.
///
/// ```
/// use gatekit_cmwell::{CmWellToken, CmWellTokenError, SigningKey};
/// use gatekit_core::Timestamp;
///
/// let key = SigningKey::new("conformance-test-key-0123456789abcdef")?;
/// let made_by_cm_well = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJUZXN0VXNlciIsImV4cCI6NDYwNDk0MDAwMDAwMCwicmV2Ijo1fQ\
///                        .hdN5rAVITX2cDKln-xywlNPTyVhTgm2_KGRkDWulbIg";
/// let token = CmWellToken::verify(made_by_cm_well, [&key], Timestamp(1_800_000_000_000))?;
/// assert_eq!((token.subject.as_str(), token.rev), ("TestUser", 5));
///
/// let later = CmWellToken::verify(made_by_cm_well, [&key], Timestamp(4_604_940_000_000));
/// assert_eq!(later.unwrap_err(), CmWellTokenError::Expired);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CmWellToken {
    /// The name that its holder logs in with.
    pub subject: String,
    /// When it ends.
    pub expires: Timestamp,
    /// The user's `rev` when it was made.
    pub rev: i64,
    /// The user's id, if it says so.
    pub user_id: Option<UserId>,
    /// What kind of user it is, if it says so: `Account::model_name`.
    pub user_type: Option<String>,
}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CmWellTokenError {
    /// It is none: not two or three parts with a name and a time among the claims. CM-Well takes
    /// its sender for anonymous.
    #[error("it is not a token of CM-Well's form")]
    Malformed,
    /// Signed by nobody we know, or not in a way that we accept.
    #[error("its signature, its header or its claims are not acceptable")]
    Invalid,
    /// It was good once.
    #[error("it has expired")]
    Expired,
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    exp: i64,
    rev: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
}

impl CmWellToken {
    /// For the user with this name, until then.
    #[must_use]
    pub fn new(subject: impl Into<String>, expires: Timestamp, rev: i64) -> Self {
        Self { subject: subject.into(), expires, rev, user_id: None, user_type: None }
    }

    /// And for nobody but this user.
    #[must_use]
    pub fn for_user<U: Account>(mut self, user: &U) -> Self {
        self.user_id = Some(user.id());
        self.user_type = Some(U::model_name().to_owned());
        self
    }

    /// Whether it is this user's, as far as the token says whose it is.
    #[must_use]
    pub fn is_of<U: Account>(&self, user: &U) -> bool {
        self.user_id.as_ref().is_none_or(|id| *id == user.id())
            && self.user_type.as_deref().is_none_or(|name| name == U::model_name())
    }

    /// The token as text, signed with `key`. `None` if the cryptographic library refuses, which it
    /// has no reason to.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Option<TokenSecret> {
        let claims = self.claims(Some(AUDIENCE))?;
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims));
        let signature = key.sign(message.as_bytes())?;
        Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }

    /// The claims as JSON. Without an audience, and of nobody in particular, they are CM-Well's
    /// own.
    fn claims(&self, aud: Option<&str>) -> Option<Vec<u8>> {
        let Self { subject: sub, expires: Timestamp(exp), rev, user_id, user_type } = self;
        let claims = Claims { sub, exp: *exp, rev: *rev, aud, uid: user_id.as_ref(), model: user_type.as_deref() };
        serde_json::to_vec(&claims).ok()
    }

    /// Reads a token that one of `keys` has signed.
    ///
    /// 1. It has at most 8 KiB, and three parts of canonical base64url without padding (RFC 7515
    ///    §7.1).
    /// 2. Its claims are a JSON object without repeated names, with a text `sub` and a number
    ///    `exp`.
    /// 3. Its header is a JSON object without repeated names; `alg` is `HS256` and nothing else;
    ///    nothing in it asks for an extension (RFC 7515 §4.1.11).
    /// 4. One of the keys verifies the signature. Until here nothing of the claims is believed.
    /// 5. `exp` and `rev` are whole numbers, `aud` is ours if there is one.
    /// 6. `exp`, in milliseconds, has not come. A time in seconds is one in January 1970.
    ///
    /// # Errors
    ///
    /// [`CmWellTokenError::Malformed`] for rules 1 and 2, [`CmWellTokenError::Expired`] for rule 6,
    /// [`CmWellTokenError::Invalid`] for the rest.
    pub fn verify<'k>(
        text: &str,
        keys: impl IntoIterator<Item = &'k SigningKey>,
        now: Timestamp,
    ) -> Result<Self, CmWellTokenError> {
        let parsed = Parsed::of(text).ok_or(CmWellTokenError::Malformed)?;
        if !parsed.is_hs256() || !keys.into_iter().any(|key| parsed.is_signed_with(key)) {
            return Err(CmWellTokenError::Invalid);
        }
        let token = parsed.into_claims(AUDIENCE).and_then(Self::of_claims).ok_or(CmWellTokenError::Invalid)?;
        if token.expires <= now { Err(CmWellTokenError::Expired) } else { Ok(token) }
    }

    /// The token with these claims, if each is of the right type. A claim that cannot be read is
    /// not one that is absent (CVE-2026-25537).
    fn of_claims(mut claims: Map<String, Value>) -> Option<Self> {
        let rev = claims.get("rev").map_or(Some(0), Value::as_i64)?;
        let expires = Timestamp(claims.get("exp")?.as_i64()?);
        let text = |claim: Option<Value>| match claim {
            None => Some(None),
            Some(Value::String(text)) => Some(Some(text)),
            Some(_) => None,
        };
        let user_type = text(claims.remove("model"))?;
        let user_id = match claims.remove("uid") {
            None => None,
            Some(id) => Some(UserId::deserialize(id).ok()?),
        };
        let subject = text(claims.remove("sub"))??;
        Some(Self { subject, expires, rev, user_id, user_type })
    }

    /// Whether `text` has the form of a token, whoever made it. CM-Well takes who sends something
    /// else for anonymous, and refuses who sends a bad token.
    pub(crate) fn is_well_formed(text: &str) -> bool {
        Parsed::of(text).is_some()
    }

    /// How `text` looks, whoever made it. A JWT that is for somebody else, such as the one that an
    /// identity-aware proxy adds, differs in its algorithm or in its audience.
    pub(crate) fn form_of(text: &str) -> TokenForm {
        match Parsed::of(text) {
            Some(parsed) if parsed.is_hs256() && parsed.is_meant_for(AUDIENCE) => TokenForm::Own,
            Some(_) => TokenForm::Possible,
            None => TokenForm::Foreign,
        }
    }
}

#[cfg(test)]
mod tests;
