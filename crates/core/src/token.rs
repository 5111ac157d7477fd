//! What an access token is: the secret a client holds, the record a store holds, and both at the
//! moment of issue.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Proofs, Timestamp, UserId};

/// The secret of a token, as its holder presents it. It is shown once and never stored.
///
/// `Debug` prints `[redacted]`, there is no `Display` and no `Serialize`; the memory is wiped when
/// it is dropped.
///
/// ```
/// use gatekit_core::TokenSecret;
///
/// let secret = TokenSecret::from("GOkZRwgZ61q0XXVxvxlB8TS1D6lrG7Vb9V8YwRDfy3YGAN7TM7EnxWHqdbIZfheZ");
/// assert_eq!(format!("{secret:?}"), "[redacted]");
/// assert_eq!(secret.expose().len(), 64);
/// ```
#[derive(Clone)]
pub struct TokenSecret(Zeroizing<String>);

impl TokenSecret {
    /// The secret itself. The name is a warning: what is returned must not be logged or stored.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// How many characters a secret has that the kit makes: 64 of base62, as LoopBack's tokens,
    /// which have 381 bits.
    pub const LENGTH: usize = 64;

    /// Whether a text has the form of the secrets that the kit makes: 64 letters and digits.
    ///
    /// ```
    /// use gatekit_core::TokenSecret;
    ///
    /// assert!(TokenSecret::is_well_formed("GOkZRwgZ61q0XXVxvxlB8TS1D6lrG7Vb9V8YwRDfy3YGAN7TM7EnxWHqdbIZfheZ"));
    /// assert!(!TokenSecret::is_well_formed("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln"));
    /// ```
    #[must_use]
    pub fn is_well_formed(text: &str) -> bool {
        // Without an early end, so that the compiler looks at several bytes at a time.
        text.len() == Self::LENGTH && text.bytes().fold(true, |all, byte| all & byte.is_ascii_alphanumeric())
    }

    /// The digest under which a store knows this secret.
    #[must_use]
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::of(&self.0)
    }
}

impl From<String> for TokenSecret {
    fn from(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }
}

impl From<&str> for TokenSecret {
    fn from(secret: &str) -> Self {
        Self::from(secret.to_owned())
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// SHA-256 of a token's secret: all that a store ever holds of it.
///
/// A plain digest is enough because the secret has 381 bits of entropy (ASVS 6.5.2 asks for 112).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of `secret`.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// A digest read back from a store.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest as 64 hex digits in lower case.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// Reads what [`to_hex`](Self::to_hex) has written; `None` for any other text. Digits in upper
    /// case are read as well.
    ///
    /// ```
    /// use gatekit_core::TokenDigest;
    ///
    /// let digest = TokenDigest::of("secret");
    /// assert_eq!(TokenDigest::from_hex(&digest.to_hex()), Some(digest));
    /// assert_eq!(TokenDigest::from_hex("2bb80d53"), None);
    /// ```
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let bytes: Option<Vec<u8>> = pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect();
        Some(Self(bytes?.try_into().ok()?))
    }

    /// The first half of the digest as 32 hex digits: a name for the token that is worth nothing as
    /// a token.
    #[must_use]
    pub fn handle(&self) -> String {
        let (half, _) = self.0.split_at(16);
        hex(half)
    }

    /// The 32 bytes, for a store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        use fmt::Write;
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What a store holds of an access token.
///
/// The token is alive while `created + ttl` (or, where tokens are renewed, `renewed + ttl`) has not
/// passed **and** `rev` equals the user's: a new password, "log out everywhere" and the like bump
/// the user's `rev` and thereby end every older token at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// SHA-256 of the secret.
    pub digest: TokenDigest,
    /// What kind of user it is: `Account::model_name`. Two user types may share a store, and an id
    /// may occur in both.
    pub user_type: Cow<'static, str>,
    /// Whose token it is.
    pub user_id: UserId,
    /// The user's `rev` when it was issued.
    pub rev: i64,
    /// Lifetime in seconds; `-1` for one that never ends (LoopBack's `allowEternalTokens`).
    pub ttl: i64,
    /// When it was issued.
    pub created: Timestamp,
    /// When its lifetime began anew for the last time (`policy.tokens.renew_after`); `None` if it
    /// never did.
    pub renewed: Option<Timestamp>,
    /// What it may be used for. `None` means everything that asks for no scope (LoopBack's
    /// `["DEFAULT"]`); an empty list means nothing.
    pub scopes: Option<Vec<String>>,
    /// Which factors its holder has verified to get it, and when; none for a token that the app
    /// issued without saying so. Step-up authentication depends on them.
    pub proofs: Proofs,
    /// On what it was issued, as far as that was known. For the user's own list of sessions;
    /// nothing is decided by it.
    pub client: Option<TokenClient>,
    /// When it was last used, give or take `policy.tokens.last_used_precision`; `None` if not since
    /// it was issued, or if nothing is known of its client.
    pub last_used: Option<Timestamp>,
}

/// On what a token was issued: what its user knows the session by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenClient {
    /// The `User-Agent` header, at most [`MAX_USER_AGENT`](Self::MAX_USER_AGENT) bytes of it.
    pub user_agent: Option<String>,
    /// The network, not the address: `203.0.113.0/24` or `2001:db8:7::/48`.
    pub network: Option<String>,
}

impl TokenClient {
    /// The most bytes of a `User-Agent` header that are kept.
    pub const MAX_USER_AGENT: usize = 256;

    /// With what is known; `None` if nothing is. Of an address the network is kept: 24 bits of
    /// IPv4, 48 of IPv6.
    ///
    /// ```
    /// use gatekit_core::TokenClient;
    ///
    /// let client = TokenClient::new(Some("Mozilla/5.0"), Some([203, 0, 113, 7].into())).unwrap();
    /// assert_eq!(client.network.as_deref(), Some("203.0.113.0/24"));
    /// assert_eq!(TokenClient::new(None, None), None);
    /// ```
    #[must_use]
    pub fn new(user_agent: Option<&str>, ip: Option<IpAddr>) -> Option<Self> {
        let printable = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
        let user_agent = user_agent.map(|text| {
            let mut text = printable(text);
            text.truncate(text.floor_char_boundary(Self::MAX_USER_AGENT));
            text
        });
        let client = Self { user_agent: user_agent.filter(|text| !text.is_empty()), network: ip.map(network) };
        (client != Self::default()).then_some(client)
    }
}

fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

impl TokenRecord {
    /// When the token ends; `None` for one that never does.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        (self.ttl >= 0).then(|| self.renewed.unwrap_or(self.created).plus_seconds(self.ttl))
    }

    /// By what its holder can name the token without showing its secret, in a list of sessions: 32
    /// hex digits of the digest.
    #[must_use]
    pub fn handle(&self) -> String {
        self.digest.handle()
    }

    /// Whether the token has ended at `now`. A token is valid strictly before its end, as in
    /// LoopBack.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires().is_some_and(|end| now >= end)
    }

    /// Whether its holder has verified a factor less than so many seconds before `now`. How strong
    /// the factors are says [`Proofs::strength_within`].
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp, seconds: i64) -> bool {
        self.proofs.strength_within(now, seconds).is_some()
    }

    /// Whether the token may be used for `scope`.
    ///
    /// A token without scopes has exactly the scope `DEFAULT`, which is what routes ask for unless
    /// they say otherwise.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        match &self.scopes {
            None => scope == Self::DEFAULT_SCOPE,
            Some(scopes) => scopes.iter().any(|s| s == scope),
        }
    }

    /// The scope of a token without scopes, and the one a route asks for if it asks for none.
    pub const DEFAULT_SCOPE: &'static str = "DEFAULT";
}

/// A token at the moment it is issued: the only time secret and record are together.
///
/// It serializes as LoopBack's AccessToken, secret included:
/// `{"id":"…","ttl":1209600,"created":"…","userId":1}`, with `scopes` between `ttl` and `created`
/// if it has any.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// What the client gets, now and never again.
    pub secret: TokenSecret,
    /// What the store has.
    pub record: TokenRecord,
}

impl Serialize for IssuedToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = &self.record;
        let mut s = serializer.serialize_struct("AccessToken", 4 + usize::from(record.scopes.is_some()))?;
        s.serialize_field("id", self.secret.expose())?;
        s.serialize_field("ttl", &record.ttl)?;
        if let Some(scopes) = &record.scopes {
            s.serialize_field("scopes", scopes)?;
        }
        s.serialize_field("created", &record.created)?;
        s.serialize_field("userId", &record.user_id)?;
        s.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_was_written_and_nothing_else_is_one() {
        let digest = TokenDigest::of("secret");
        assert_eq!(TokenDigest::from_hex(&digest.to_hex()), Some(digest));
        assert_eq!(TokenDigest::from_hex(&digest.to_hex().to_uppercase()), Some(digest));
        for text in ["", "ab", &"+".repeat(64), &"\u{e4}".repeat(32), &"a".repeat(63), &"a".repeat(65), &"a".repeat(66)]
        {
            assert_eq!(TokenDigest::from_hex(text), None, "{text}");
        }
    }
}
