//! What this process does to tokens, told to those that wait for the end of one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::{TokenDigest, TokenRecord, UserId};

/// Those that wait, by the user whose tokens they wait for.
#[derive(Clone, Default)]
pub(crate) struct TokenNotifier(Arc<Mutex<HashMap<UserId, Vec<Arc<Waiter>>>>>);

struct Waiter {
    /// The stored token, if it is stored, and the `rev` it was issued under.
    token: Option<(TokenDigest, i64)>,
    /// Whether the token has ended for certain.
    ended: AtomicBool,
    wake: Notify,
}

/// What this process does to the tokens of one user. Dropping it ends the subscription.
///
/// An `Auth` and its clones know of each other's changes. For the changes of other processes, and
/// of another `Auth` over the same store, tokens are checked again: see
/// [`Recheck`](crate::Recheck).
pub struct TokenChanges {
    waiter: Arc<Waiter>,
    user: UserId,
    notifier: TokenNotifier,
}

impl std::fmt::Debug for TokenChanges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenChanges").field("user", &self.user).finish_non_exhaustive()
    }
}

impl TokenChanges {
    /// Waits for the next change. Returns whether it has ended the token for certain; otherwise the
    /// token is to be checked.
    pub(crate) async fn next(&self) -> bool {
        self.waiter.wake.notified().await;
        self.waiter.ended.load(Ordering::Acquire)
    }
}

impl Drop for TokenChanges {
    fn drop(&mut self) {
        let mut waiting = self.notifier.lock();
        if let Some(waiters) = waiting.get_mut(&self.user) {
            waiters.retain(|waiter| !Arc::ptr_eq(waiter, &self.waiter));
            if waiters.is_empty() {
                waiting.remove(&self.user);
            }
        }
    }
}

impl TokenNotifier {
    /// From now on, what happens to this stored token.
    pub(crate) fn of_token(&self, token: &TokenRecord) -> TokenChanges {
        self.subscribe(token.user_id.clone(), Some((token.digest, token.rev)))
    }

    /// From now on, what happens to any token of this user, for tokens that are not stored.
    pub(crate) fn of_user(&self, user: &UserId) -> TokenChanges {
        self.subscribe(user.clone(), None)
    }

    /// A stored token has ended.
    pub(crate) fn token_ended(&self, user: &UserId, digest: &TokenDigest) {
        self.tell(user, |waiter| match &waiter.token {
            Some((waited, _)) if waited == digest => Some(true),
            Some(_) => None,
            // It may have been issued for the same login.
            None => Some(false),
        });
    }

    /// All of a user's tokens from before `rev` have ended, but the one that is kept. Its holder is
    /// told by [`recheck`](Self::recheck), when the store has it under the new `rev`.
    pub(crate) fn rev_changed(&self, user: &UserId, rev: i64, kept: Option<&TokenDigest>) {
        self.tell(user, |waiter| match &waiter.token {
            Some((waited, _)) if kept == Some(waited) => None,
            Some((_, of)) => Some(*of < rev),
            None => Some(false),
        });
    }

    /// Something about a user's tokens may be different.
    pub(crate) fn recheck(&self, user: &UserId) {
        self.tell(user, |_| Some(false));
    }

    /// A user is gone.
    pub(crate) fn user_deleted(&self, user: &UserId) {
        self.tell(user, |_| Some(true));
    }

    /// Wakes the user's waiters. `change` says for each of them whether its token has ended for
    /// certain; `None` leaves it alone.
    fn tell(&self, user: &UserId, change: impl Fn(&Waiter) -> Option<bool>) {
        for waiter in self.lock().get(user).into_iter().flatten() {
            if let Some(certain) = change(waiter) {
                waiter.ended.fetch_or(certain, Ordering::AcqRel);
                waiter.wake.notify_one();
            }
        }
    }

    fn subscribe(&self, user: UserId, token: Option<(TokenDigest, i64)>) -> TokenChanges {
        let waiter = Arc::new(Waiter { token, ended: AtomicBool::new(false), wake: Notify::new() });
        self.lock().entry(user.clone()).or_default().push(Arc::clone(&waiter));
        TokenChanges { waiter, user, notifier: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Vec<Arc<Waiter>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_those_that_no_longer_wait() {
        let notifier = TokenNotifier::default();
        let ada = UserId::from(1);
        let (one, two) = (notifier.of_user(&ada), notifier.of_user(&ada));
        assert_eq!(notifier.lock().get(&ada).map(Vec::len), Some(2));
        drop(one);
        assert_eq!(notifier.lock().get(&ada).map(Vec::len), Some(1));
        drop(two);
        assert!(notifier.lock().is_empty());
    }
}
