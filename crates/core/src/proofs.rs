//! What the holder of a token has verified: by which factors, when, and how strong that is.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Timestamp;

/// By what somebody has shown that an account is theirs.
///
/// Each factor has a stable name, by which stores know it. RFC 8176 §2 has names for some of them,
/// for the claim `amr` of a JSON Web Token.
///
/// | factor | in a store | `amr` |
/// | --- | --- | --- |
/// | [`Password`](Self::Password) | `password` | `pwd` |
/// | [`EmailCode`](Self::EmailCode) | `email_code` | `otp` |
/// | [`MailLink`](Self::MailLink) | `mail_link` | |
/// | [`Social`](Self::Social) | `social` | |
/// | [`Totp`](Self::Totp) | `totp` | `otp` |
/// | [`Passkey`](Self::Passkey) | `passkey` | `pop` |
/// | [`RecoveryCode`](Self::RecoveryCode) | `recovery_code` | |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Factor {
    /// The password of the account.
    Password,
    /// A code that was sent to the address of the account.
    EmailCode,
    /// A link that was sent to the address of the account.
    MailLink,
    /// A login at another site, such as a social network.
    Social,
    /// A time-based one-time password of an authenticator app (RFC 6238).
    Totp,
    /// A passkey with user verification (WebAuthn), which is two factors in one.
    Passkey,
    /// A recovery code, in place of a lost second factor.
    RecoveryCode,
}

impl Factor {
    const ALL: [Self; 7] =
        [Self::Password, Self::EmailCode, Self::MailLink, Self::Social, Self::Totp, Self::Passkey, Self::RecoveryCode];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::EmailCode => "email_code",
            Self::MailLink => "mail_link",
            Self::Social => "social",
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::RecoveryCode => "recovery_code",
        }
    }

    /// The value for the claim `amr` (RFC 8176 §2); `None` if there is none.
    #[must_use]
    pub fn amr(self) -> Option<&'static str> {
        match self {
            Self::Password => Some("pwd"),
            Self::EmailCode | Self::Totp => Some("otp"),
            Self::Passkey => Some("pop"),
            Self::MailLink | Self::Social | Self::RecoveryCode => None,
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.as_str() == name)
    }

    /// Whether it makes two factors together with a factor of which this is `false`.
    ///
    /// Mail does not: a mailbox resets the password, so the two are not independent, and NIST SP
    /// 800-63B-4 §3.1.3.1 does not accept mail as a channel of its own.
    fn is_second(self) -> bool {
        matches!(self, Self::Totp | Self::RecoveryCode)
    }
}

/// How strong the verified factors are together, from weak to strong.
///
/// The names of NIST SP 800-63B-4 in brackets are what an app can reach with them. Gatekit does not
/// claim a level: that depends on the authenticators and on how they were bound, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Strength {
    /// One factor, such as a password (AAL1).
    OneFactor,
    /// Two independent factors, such as a password and a TOTP (AAL2).
    TwoFactors,
    /// A factor that a page of somebody else cannot pass on: a passkey (AAL2 with phishing
    /// resistance; AAL3 if the key cannot leave its device).
    PhishingResistant,
}

impl Strength {
    /// The stable name: `one_factor`, `two_factors` or `phishing_resistant`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OneFactor => "one_factor",
            Self::TwoFactors => "two_factors",
            Self::PhishingResistant => "phishing_resistant",
        }
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A factor that was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// Which.
    pub factor: Factor,
    /// When it was verified for the last time.
    pub at: Timestamp,
}

/// The factors that were verified for a token, each at most once, with the last time of each.
///
/// It is a slice of [`Proof`], in the order of [`Factor`]. None: the token was issued by the app,
/// which has not said how the user was verified.
///
/// ```
/// use gatekit_core::{Factor, Proofs, Strength, Timestamp};
///
/// let proofs = Proofs::of(Factor::Password, Timestamp(1_000)).with(Factor::Totp, Timestamp(9_000));
/// assert_eq!(proofs.strength_within(Timestamp(9_000), 60), Some(Strength::TwoFactors));
/// // The password is 59 seconds old when the TOTP is 51 seconds old.
/// assert_eq!(proofs.strength_within(Timestamp(60_000), 60), Some(Strength::TwoFactors));
/// assert_eq!(proofs.strength_within(Timestamp(61_000), 60), Some(Strength::OneFactor));
///
/// // What a store keeps.
/// assert_eq!(proofs.to_string(), "password=1000,totp=9000");
/// assert_eq!("password=1000,totp=9000".parse(), Ok(proofs));
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Proofs(Held);

/// A token with one proof, which is nearly every token, needs no memory of its own for it.
/// `Several` are at least two.
#[derive(Clone, PartialEq, Eq, Default)]
enum Held {
    #[default]
    None,
    One(Proof),
    Several(Box<[Proof]>),
}

impl Proofs {
    /// One factor, verified at this time.
    #[must_use]
    pub fn of(factor: Factor, at: Timestamp) -> Self {
        Self(Held::One(Proof { factor, at }))
    }

    /// Adds a factor, or replaces the time at which it was verified.
    #[must_use]
    pub fn with(self, factor: Factor, at: Timestamp) -> Self {
        let new = Proof { factor, at };
        let others = || self.iter().copied().filter(|proof| proof.factor != factor);
        if others().next().is_none() {
            return Self(Held::One(new));
        }
        let mut all: Vec<Proof> = others().chain([new]).collect();
        all.sort_unstable_by_key(|proof| proof.factor);
        Self(Held::Several(all.into()))
    }

    /// How strong the factors are that were verified less than so many seconds before `now`; `None`
    /// if there are none.
    ///
    /// A time so many seconds later than `now`, or even later, does not count: a clock was wrong.
    #[must_use]
    pub fn strength_within(&self, now: Timestamp, seconds: i64) -> Option<Strength> {
        let counts = |at: Timestamp| now < at.plus_seconds(seconds) && at < now.plus_seconds(seconds);
        let mut strength = None;
        let (mut first, mut second) = (false, false);
        for Proof { factor, .. } in self.iter().filter(|proof| counts(proof.at)) {
            first |= !factor.is_second();
            second |= factor.is_second();
            let reached = match factor {
                Factor::Passkey => Strength::PhishingResistant,
                _ if first && second => Strength::TwoFactors,
                _ => Strength::OneFactor,
            };
            strength = strength.max(Some(reached));
        }
        strength
    }
}

impl Deref for Proofs {
    type Target = [Proof];

    fn deref(&self) -> &[Proof] {
        match &self.0 {
            Held::None => &[],
            Held::One(proof) => std::slice::from_ref(proof),
            Held::Several(proofs) => proofs,
        }
    }
}

impl fmt::Debug for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What a store keeps: `password=1000,totp=9000`, with times in milliseconds since the epoch.
impl fmt::Display for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Proof { factor, at }) in self.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{}={}", factor.as_str(), at.0)?;
        }
        Ok(())
    }
}

/// A string that is not what [`Proofs`] are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("proofs are written as factor=milliseconds, with commas between them")]
pub struct InvalidProofs;

/// Reads what a store has kept. A factor that this version does not know is left out, so that it
/// counts for nothing here.
impl FromStr for Proofs {
    type Err = InvalidProofs;

    fn from_str(text: &str) -> Result<Self, InvalidProofs> {
        let mut proofs = Self::default();
        for proof in text.split(',').filter(|proof| !proof.is_empty()) {
            let (name, at) = proof.split_once('=').ok_or(InvalidProofs)?;
            let at = at.parse().map(Timestamp).map_err(|_| InvalidProofs)?;
            if let Some(factor) = Factor::named(name) {
                proofs = proofs.with(factor, at);
            }
        }
        Ok(proofs)
    }
}

impl Serialize for Proofs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Proofs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn all(factors: &[Factor]) -> Proofs {
        factors.iter().fold(Proofs::default(), |proofs, factor| proofs.with(*factor, NOW))
    }

    #[test]
    fn strength_counts_independent_factors() {
        use Factor::*;
        use Strength::*;
        for (factors, wanted) in [
            (&[][..], None),
            (&[Password], Some(OneFactor)),
            (&[EmailCode], Some(OneFactor)),
            (&[Social], Some(OneFactor)),
            (&[Totp], Some(OneFactor)),
            (&[Password, EmailCode, MailLink], Some(OneFactor)),
            (&[Totp, RecoveryCode], Some(OneFactor)),
            (&[Password, Totp], Some(TwoFactors)),
            (&[Social, Totp], Some(TwoFactors)),
            (&[Password, RecoveryCode], Some(TwoFactors)),
            (&[EmailCode, Totp], Some(TwoFactors)),
            (&[Passkey], Some(PhishingResistant)),
            (&[Password, Totp, Passkey], Some(PhishingResistant)),
        ] {
            assert_eq!(all(factors).strength_within(NOW, 1), wanted, "{factors:?}");
        }
    }

    #[test]
    fn only_a_factor_of_the_last_seconds_counts() {
        let proofs = Proofs::of(Factor::Password, NOW).with(Factor::Passkey, Timestamp(NOW.0 - 60_000));
        assert_eq!(proofs.strength_within(NOW, 60), Some(Strength::OneFactor));
        assert_eq!(proofs.strength_within(NOW, 61), Some(Strength::PhishingResistant));
        assert_eq!(proofs.strength_within(NOW, 0), None);
        let later = Proofs::of(Factor::Password, Timestamp(NOW.0 + 60_000));
        assert_eq!(later.strength_within(NOW, 60), None);
        assert_eq!(later.strength_within(NOW, 61), Some(Strength::OneFactor));
    }

    #[test]
    fn a_factor_that_is_verified_again_has_its_new_time_only() {
        let proofs = all(&[Factor::Totp, Factor::Password]).with(Factor::Totp, Timestamp(5));
        assert_eq!(proofs.to_string(), format!("password={},totp=5", NOW.0));
        assert_eq!(
            Proofs::of(Factor::Totp, NOW).with(Factor::Totp, Timestamp(5)),
            Proofs::of(Factor::Totp, Timestamp(5))
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        for proofs in [
            Proofs::default(),
            Proofs::of(Factor::Password, Timestamp(i64::MIN)),
            all(&Factor::ALL).with(Factor::Social, Timestamp(i64::MAX)),
        ] {
            assert_eq!(proofs.to_string().parse(), Ok(proofs.clone()));
        }
    }

    #[test]
    fn a_factor_of_a_later_version_counts_for_nothing() {
        let read: Proofs = "password=5,retina=7".parse().unwrap();
        assert_eq!(read, Proofs::of(Factor::Password, Timestamp(5)));
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in ["password", "password=", "password=1.5", "=", "password=1 totp=2", "totp:5", "retina=x"] {
            assert_eq!(text.parse::<Proofs>(), Err(InvalidProofs), "{text}");
        }
    }
}
