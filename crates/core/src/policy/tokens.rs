//! How long tokens live, and when they are renewed and checked again.

use std::time::Duration;

/// Lifetimes of tokens. A field of [`Policy`](crate::Policy).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenPolicy {
    /// Lifetime of a token when the client asks for none, in seconds. LoopBack's `ttl`: 1,209,600
    /// (14 days). At most `tokens.max_ttl`; -1 (no end) only where `tokens.allow_eternal` is set.
    pub ttl: i64,
    /// The longest lifetime a client may ask for, in seconds; more is cut to it. LoopBack's
    /// `maxTTL`: 31,556,926 (a year). A token that is renewed also ends after this time (ASVS
    /// 7.3.2).
    pub max_ttl: i64,
    /// Whether a client may ask for a token that never ends, with `"ttl": -1`. LoopBack's
    /// `allowEternalTokens`: off. Where it is off, stored tokens without an end count as expired.
    pub allow_eternal: bool,
    /// Lifetime of a password reset token, in seconds. LoopBack's `resetPasswordTokenTTL`: 900.
    /// ASVS 6.4.1, 6.5.5.
    pub reset_ttl: i64,
    /// Sliding expiry: a token that is used this many seconds after it was issued or last renewed
    /// begins its lifetime anew (ASVS 7.3.1), at most until `tokens.max_ttl` after it was issued
    /// (ASVS 7.3.2). Each time costs one write. `None`, the default, is LoopBack's way: never.
    pub renew_after: Option<u32>,
    /// How many seconds a verified password counts for flows that ask for it again, such as a
    /// change of address (ASVS 7.5.1). No standard has a number. 10 minutes let a person finish
    /// what it has begun.
    pub step_up_ttl: i64,
    /// Records when a token was last used, at most once in this many seconds, for its user's list
    /// of sessions. Each record costs one write. Tokens whose client is unknown have none. `None`:
    /// never.
    pub last_used_precision: Option<u32>,
    /// How often the token of a stream is checked again, because another process may have ended it:
    /// see [`Authenticated::ended`](crate::Authenticated::ended). Each time costs one query a
    /// stream. 60 seconds; no standard has a number, and it must not be zero.
    pub recheck: Duration,
    /// How long such checks may fail before the stream is told to end. 120 seconds; no standard has
    /// a number.
    pub recheck_grace: Duration,
}

impl Default for TokenPolicy {
    fn default() -> Self {
        Self {
            ttl: 1_209_600,
            max_ttl: 31_556_926,
            allow_eternal: false,
            reset_ttl: 900,
            renew_after: None,
            step_up_ttl: 600,
            last_used_precision: Some(300),
            recheck: Duration::from_secs(60),
            recheck_grace: Duration::from_secs(120),
        }
    }
}
