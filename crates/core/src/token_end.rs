//! The end of a caller's token, as something to wait for: for responses that last, such as
//! WebSockets.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep, timeout};

use crate::{StoreError, Timestamp, TokenChanges, TokenRecord};

/// Why a token no longer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenEnd {
    /// Its lifetime is over.
    Expired,
    /// It was logged out or replaced, or its user has a new password or address, was blocked or was
    /// deleted.
    Revoked,
    /// Whether it is valid could not be found out for longer than [`Recheck::grace`].
    Unavailable,
}

/// Completes when a token ends. See [`Authenticated::ended`](crate::Authenticated::ended).
#[must_use = "a future does nothing unless it is awaited"]
pub struct Ended(Pin<Box<dyn Future<Output = TokenEnd> + Send>>);

impl Future for Ended {
    type Output = TokenEnd;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TokenEnd> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ended")
    }
}

/// How often a token that is waited for is checked again.
///
/// Changes that this process makes are known at once. Those of other processes are found by the
/// next check, which costs one query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recheck {
    /// The time between two checks. 60 seconds; no standard has a number.
    pub every: Duration,
    /// How long the checks may fail before the wait ends with [`TokenEnd::Unavailable`]. 120
    /// seconds; no standard has a number. Checks that fail are repeated ten times as often.
    pub grace: Duration,
}

impl Default for Recheck {
    fn default() -> Self {
        Self { every: Duration::from_secs(60), grace: Duration::from_secs(120) }
    }
}

/// What a check of a token found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenState {
    /// It is valid until then, or without an end.
    Valid(Option<Timestamp>),
    /// It is not, for this reason.
    Ended(TokenEnd),
}

/// Checks a token again and again. An [`Authenticator`](crate::Authenticator) that can do it better
/// than by authenticating the token again gives one to its callers, with
/// [`Authenticated::watched_by`](crate::Authenticated::watched_by).
#[async_trait]
pub trait TokenWatch: Send + Sync + 'static {
    /// Whether the caller's token is valid now. `token` is the stored one, if tokens are stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be found out.
    async fn check(&self, token: Option<&TokenRecord>) -> Result<TokenState, StoreError>;

    /// What this process changes from now on, if it is told. It is called before the first check,
    /// so that nothing is missed between the two.
    fn changes(&self, token: Option<&TokenRecord>) -> Option<TokenChanges> {
        let _ = token;
        None
    }

    /// How often to check.
    fn recheck(&self) -> Recheck {
        Recheck::default()
    }

    /// The present time, by the clock that tokens are issued with.
    fn now(&self) -> Timestamp;
}

/// Shortest pause between two checks because of the time: the clock may stand still.
const SHORTEST: Duration = Duration::from_millis(50);

impl Ended {
    /// Never.
    pub(crate) fn never() -> Self {
        Self(Box::pin(std::future::pending()))
    }

    /// When `watch` says so.
    pub(crate) fn of(watch: Arc<dyn TokenWatch>, token: Option<TokenRecord>, expires: Option<Timestamp>) -> Self {
        Self(Box::pin(wait(watch, token, expires)))
    }
}

/// The rules, in their order:
///
/// 1. What this process changes is listened to before the first check, so that nothing is missed.
/// 2. A change that ends the token for certain ends the wait; after any other change the token is
///    checked.
/// 3. It is checked at once, then every [`Recheck::every`], and when it expires: it may have been
///    renewed.
/// 4. While checks fail the wait goes on for [`Recheck::grace`], but not beyond the last known end
///    of the token.
async fn wait(watch: Arc<dyn TokenWatch>, token: Option<TokenRecord>, mut expires: Option<Timestamp>) -> TokenEnd {
    let Recheck { every, grace } = watch.recheck();
    let changes = watch.changes(token.as_ref());
    let mut failing: Option<Instant> = None;
    loop {
        let mut pause = every;
        match watch.check(token.as_ref()).await {
            Ok(TokenState::Ended(end)) => return end,
            Ok(TokenState::Valid(until)) => (expires, failing) = (until, None),
            Err(error) => {
                let since = *failing.get_or_insert_with(Instant::now);
                if expires.is_some_and(|end| watch.now() >= end) {
                    return TokenEnd::Expired;
                }
                if since.elapsed() >= grace {
                    tracing::warn!(%error, "a token could not be checked for too long; its stream ends");
                    return TokenEnd::Unavailable;
                }
                pause = (every / 10).min(grace.saturating_sub(since.elapsed()));
            }
        }
        if let Some(end) = expires {
            let left = end.0.saturating_sub(watch.now().0);
            pause = pause.min(Duration::from_millis(u64::try_from(left).unwrap_or(0)));
        }
        let pause = pause.max(SHORTEST);
        match &changes {
            None => sleep(pause).await,
            Some(changes) => {
                if let Ok(true) = timeout(pause, changes.next()).await {
                    return TokenEnd::Revoked;
                }
            }
        }
    }
}
