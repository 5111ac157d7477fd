//! What a store keeps of a family of tokens: digests of secrets, and when they were used.

use gatekit_core::{OneTimeRecord, Timestamp, TokenDigest, UserId};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::reuse::RefreshReuse;

/// A family, under its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Family {
    pub(super) client: String,
    /// Digest of the refresh token that was never used.
    pub(super) current: Digest,
    /// Digest of the one before.
    pub(super) previous: Option<Digest>,
    /// How the current tokens follow from the one before. Families of older versions have none.
    #[serde(default)]
    pub(super) renewal: Option<Renewal>,
    /// Digest of the access token that came with the current one.
    pub(super) access: Digest,
    /// When that ends by itself: milliseconds.
    pub(super) access_ends: i64,
}

/// A renewal that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Renewal {
    /// What the next tokens are made with, beside the refresh token that was brought. By itself it
    /// is worth nothing.
    pub(super) salt: String,
    /// When: milliseconds.
    pub(super) at: i64,
}

/// What bringing a refresh token means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It renews.
    Renews,
    /// It has renewed a moment ago, with this salt: the answer of then is due once more.
    Repeats(String),
    /// It was used before, or was never made: the family ends.
    Reuse,
}

/// When a token that was used already is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) reuse: RefreshReuse,
    /// Milliseconds.
    pub(crate) grace: i64,
}

impl Family {
    /// The family in a record, and whose it is.
    pub(super) fn read(record: &OneTimeRecord) -> Option<(UserId, Self)> {
        let family = serde_json::from_str(record.data.as_deref()?).ok()?;
        Some((record.user_id.clone()?, family))
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn use_of(&self, secret: &str, now: Timestamp, rules: Rules) -> Use {
        if self.current.is_of(secret) {
            return Use::Renews;
        }
        if !self.previous.as_ref().is_some_and(|previous| previous.is_of(secret)) {
            return Use::Reuse;
        }
        // Clocks of several nodes differ a little, so the renewal may seem to come.
        let is_recent = |renewal: &&Renewal| now.0.abs_diff(renewal.at) < rules.grace.unsigned_abs();
        match self.renewal.as_ref().filter(is_recent) {
            Some(renewal) => Use::Repeats(renewal.salt.clone()),
            None if rules.reuse == RefreshReuse::AllowedToSdk && now.0 >= self.access_ends => Use::Renews,
            None => Use::Reuse,
        }
    }
}

/// SHA-256 of a secret, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Digest(String);

impl Digest {
    pub(super) fn of(digest: &TokenDigest) -> Self {
        Self(digest.to_hex())
    }

    pub(super) fn is_of(&self, secret: &str) -> bool {
        Self::of(&TokenDigest::of(secret)).0.as_bytes().ct_eq(self.0.as_bytes()).into()
    }

    pub(super) fn read(&self) -> Option<TokenDigest> {
        TokenDigest::from_hex(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family() -> Family {
        let digest = |secret| Digest::of(&TokenDigest::of(secret));
        Family {
            client: "c".into(),
            current: digest("second"),
            previous: Some(digest("first")),
            renewal: Some(Renewal { salt: "salt".into(), at: 100_000 }),
            access: digest("access"),
            access_ends: 200_000,
        }
    }

    #[test]
    fn what_a_refresh_token_is_good_for() {
        let rules = |reuse, grace| Rules { reuse, grace };
        let (strict, sdk) = (RefreshReuse::EndsFamily, RefreshReuse::AllowedToSdk);
        let repeats = || Use::Repeats("salt".into());
        for (secret, now, rules, expected) in [
            ("second", 100_000, rules(strict, 30_000), Use::Renews),
            ("second", 900_000, rules(strict, 0), Use::Renews),
            ("first", 100_000, rules(strict, 30_000), repeats()),
            ("first", 129_999, rules(strict, 30_000), repeats()),
            ("first", 99_000, rules(strict, 30_000), repeats()),
            ("first", 130_000, rules(strict, 30_000), Use::Reuse),
            ("first", 70_000, rules(strict, 30_000), Use::Reuse),
            ("first", 100_000, rules(strict, 0), Use::Reuse),
            ("first", 129_999, rules(sdk, 30_000), repeats()),
            ("first", 130_000, rules(sdk, 30_000), Use::Reuse),
            ("first", 200_000, rules(sdk, 30_000), Use::Renews),
            ("zeroth", 100_000, rules(sdk, 30_000), Use::Reuse),
        ] {
            assert_eq!(family().use_of(secret, Timestamp(now), rules), expected, "{secret} at {now} with {rules:?}");
        }
    }

    #[test]
    fn a_family_of_an_older_version_is_read() {
        let digest = Digest::of(&TokenDigest::of("x")).0;
        let json = format!(
            r#"{{"client":"c","current":"{digest}","previous":"{digest}","access":"{digest}","access_ends":1}}"#
        );
        let family: Family = serde_json::from_str(&json).unwrap();
        assert_eq!(
            family.use_of("x", Timestamp(0), Rules { reuse: RefreshReuse::EndsFamily, grace: 60_000 }),
            Use::Renews
        );
        assert_eq!(family.renewal, None);
    }
}
