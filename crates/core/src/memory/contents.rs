//! What a [`MemoryStore`](super::MemoryStore) keeps.

use std::any::Any;
use std::collections::{BTreeSet, HashMap, HashSet};

use super::key_map::KeyMap;
use crate::{
    CounterLimit, DigestCredential, OneTimeRecord, PermissionHolder, Permissions, Timestamp, TokenDigest, TokenRecord,
    UserId,
};

#[derive(Default)]
pub(super) struct Contents {
    /// The greatest id that a user of any type ever had.
    pub(super) last_id: i64,
    /// The ids of the users of all types.
    pub(super) ids: HashSet<i64>,
    /// The `UserTable<P>` of each user type, by `Model::NAME`.
    pub(super) users: HashMap<&'static str, Box<dyn Any + Send + Sync>>,
    pub(super) tokens: KeyMap<TokenDigest, TokenRecord>,
    pub(super) one_time: KeyMap<TokenDigest, OneTimeRecord>,
    /// Of a user's type and id.
    pub(super) roles: HashMap<(String, UserId), BTreeSet<String>>,
    /// Of a user's type and id: when it was last seen on which.
    pub(super) devices: HashMap<(String, UserId), HashMap<TokenDigest, Timestamp>>,
    pub(super) counters: KeyMap<TokenDigest, Counter>,
    pub(super) digests: Digests,
    /// Of a user's type and a holder.
    pub(super) permissions: HashMap<(String, PermissionHolder), Permissions>,
    /// How many of what ends by itself there must be before it is looked through again.
    pub(super) purge_at: usize,
}

impl Contents {
    pub(super) fn roles_of(&self, user_type: &str, id: &UserId) -> Vec<String> {
        if self.roles.is_empty() {
            return Vec::new();
        }
        self.roles.get(&(user_type.to_owned(), id.clone())).into_iter().flatten().cloned().collect()
    }
}

/// The newest events of a key.
#[derive(Debug)]
pub(super) struct Counter {
    /// When they were, the newest first; never more than the limit.
    pub(super) times: Vec<Timestamp>,
    /// When the newest stops counting.
    pub(super) expires: Timestamp,
}

impl Counter {
    /// Whether none of its events counts any more.
    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.expires <= now
    }

    /// Whether the oldest of as many events as the limit allows still counts.
    pub(super) fn is_full(&self, limit: CounterLimit, now: Timestamp) -> bool {
        match limit.kept().checked_sub(1) {
            None => true,
            Some(last) => self.times.get(last as usize).is_some_and(|oldest| *oldest > limit.since(now)),
        }
    }
}

/// Who may log in by HTTP Digest, and how often each nonce was used.
#[derive(Debug, Default)]
pub(super) struct Digests {
    /// In the order in which they were made, of those that were made at the same time.
    pub(super) credentials: Vec<DigestCredential>,
    /// The highest count, and until when it is remembered.
    pub(super) nonces: HashMap<TokenDigest, (u32, Timestamp)>,
}

impl Digests {
    pub(super) fn nonces(&self) -> usize {
        self.nonces.len()
    }

    /// Keeps the nonces that end then.
    pub(super) fn retain_nonces(&mut self, keep: impl Fn(Timestamp) -> bool) {
        self.nonces.retain(|_, (_, expires)| keep(*expires));
    }
}

/// Whether one more may be removed of as many as are left.
pub(super) fn take_one(left: &mut u32) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}

/// How many were removed.
pub(super) fn removed(before: usize, after: usize) -> u64 {
    u64::try_from(before - after).unwrap_or(u64::MAX)
}
