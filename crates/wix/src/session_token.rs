//! Session tokens and approval tokens: their claims, and how they are verified.

use std::fmt;

use gatekit_core::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{SiteId, TokenError, TokenKeys};

/// How long a session token may wait to be applied, in milliseconds: two minutes, as in Wix.
pub(crate) const DEADLINE_MS: i64 = 120_000;
/// How long an approval token is good, in seconds: 30 hours, as in Wix.
pub(crate) const APPROVAL_SECONDS: i64 = 30 * 60 * 60;
/// So much may the clock of another server of the app be ahead, in milliseconds.
const SKEW_MS: i64 = 30_000;

/// The proof that somebody has logged in, to be applied once, within two minutes: `JWS.…`, signed.
///
/// It is as good as a password for that time: `Debug` prints `[redacted]`, the memory is wiped when
/// it is dropped.
#[derive(Clone)]
pub struct SessionToken(Zeroizing<String>);

/// What approves a member that is waiting for it, once, within 30 hours: `JWS.…`, signed with a key
/// of its own.
///
/// Who has it can approve. `Debug` prints `[redacted]`, the memory is wiped when it is dropped.
#[derive(Clone)]
pub struct ApprovalToken(Zeroizing<String>);

macro_rules! secret {
    ($name:ident) => {
        impl $name {
            /// The token itself. The name is a warning: what is returned must not be logged or
            /// stored.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(token: String) -> Self {
                Self(Zeroizing::new(token))
            }
        }

        impl From<&str> for $name {
            fn from(token: &str) -> Self {
                Self::from(token.to_owned())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[redacted]")
            }
        }
    };
}

secret!(SessionToken);
secret!(ApprovalToken);

/// What is signed: the data as a text that holds JSON, and times in seconds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    data: String,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
}

/// What a session token says, in the order in which it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionClaims {
    /// The member.
    pub id: String,
    /// The site's collection of members.
    pub collection_id: String,
    /// The site.
    pub meta_site_id: String,
    /// Whether the member is the site's owner. Nothing is decided by it: a role is looked up, and
    /// not believed.
    pub owner: bool,
    /// When it was issued, in milliseconds.
    pub creation_time: i64,
    /// For how long the member will be logged in, in milliseconds.
    pub expires_in: i64,
    /// Until when it can be applied, in milliseconds.
    pub expiration_time: i64,
    /// 0.
    pub last_refreshed: i64,
    /// Whether the member is a contributor of the site. Nothing is decided by it either.
    pub admin: bool,
}

impl SessionClaims {
    /// The payload of a token that says this, byte for byte as Wix writes it.
    pub(crate) fn to_payload(&self) -> String {
        payload(self, self.creation_time.div_euclid(1000), None)
    }

    /// Reads a payload. `iat` must be the second of `creationTime`.
    pub(crate) fn from_payload(payload: &str) -> Result<Self, TokenError> {
        let Payload { data, iat, exp } = read(payload)?;
        let claims: Self = read(&data)?;
        if exp.is_some() {
            return Err(TokenError::Malformed);
        }
        if iat != claims.creation_time.div_euclid(1000) || claims.expiration_time < claims.creation_time {
            return Err(TokenError::IssuedAt);
        }
        Ok(claims)
    }
}

impl SessionToken {
    /// Signs one.
    #[must_use]
    pub fn sign(claims: &SessionClaims, keys: &TokenKeys) -> Self {
        keys.sign(&claims.to_payload()).into()
    }

    /// What it says, if it was signed by one of these keys, is of this site, and has not come too
    /// late. Whether it was used before, only a store can tell:
    /// [`WixMembers::apply_session_token`](crate::WixMembers::apply_session_token) asks it.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub fn verify(&self, keys: &TokenKeys, site: &SiteId, now: Timestamp) -> Result<SessionClaims, TokenError> {
        let claims = SessionClaims::from_payload(&keys.verify(&self.0)?)?;
        if claims.meta_site_id != site.as_str() {
            return Err(TokenError::OtherSite);
        }
        if claims.creation_time > now.0.saturating_add(SKEW_MS) {
            return Err(TokenError::IssuedAt);
        }
        if now.0 >= claims.expiration_time {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }
}

/// What an approval token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalClaims {
    /// The member.
    pub id: String,
    /// The site's collection of members.
    pub collection_id: String,
    /// When it was issued, in seconds.
    pub issued: i64,
    /// Until when it can be used, in seconds.
    pub expires: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApprovalData {
    id: String,
    collection_id: String,
}

impl ApprovalClaims {
    /// The payload of a token that says this.
    pub(crate) fn to_payload(&self) -> String {
        let data = ApprovalData { id: self.id.clone(), collection_id: self.collection_id.clone() };
        payload(&data, self.issued, Some(self.expires))
    }

    /// Reads a payload. It must not end before it begins.
    pub(crate) fn from_payload(payload: &str) -> Result<Self, TokenError> {
        let Payload { data, iat: issued, exp } = read(payload)?;
        let expires = exp.ok_or(TokenError::Malformed)?;
        let ApprovalData { id, collection_id } = read(&data)?;
        if expires < issued { Err(TokenError::IssuedAt) } else { Ok(Self { id, collection_id, issued, expires }) }
    }
}

impl ApprovalToken {
    /// Signs one.
    #[must_use]
    pub fn sign(claims: &ApprovalClaims, keys: &TokenKeys) -> Self {
        keys.sign(&claims.to_payload()).into()
    }

    /// What it says, if it was signed by one of these keys and has not come too late.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub fn verify(&self, keys: &TokenKeys, now: Timestamp) -> Result<ApprovalClaims, TokenError> {
        let claims = ApprovalClaims::from_payload(&keys.verify(&self.0)?)?;
        if claims.issued.saturating_mul(1000) > now.0.saturating_add(SKEW_MS) {
            return Err(TokenError::IssuedAt);
        }
        if now.0 >= claims.expires.saturating_mul(1000) {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }
}

fn payload(data: &impl Serialize, iat: i64, exp: Option<i64>) -> String {
    // Texts, numbers and truth values are always JSON.
    let data = serde_json::to_string(data).unwrap_or_default();
    serde_json::to_string(&Payload { data, iat, exp }).unwrap_or_default()
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, TokenError> {
    // serde takes an array for a struct too.
    if !json.starts_with('{') {
        return Err(TokenError::Malformed);
    }
    serde_json::from_str(json).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests;
