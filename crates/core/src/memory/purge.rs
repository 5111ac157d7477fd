//! When what has ended is removed: each time the store has doubled since the last time.
//!
//! So what has ended never takes more room than what is alive and a small number besides, and a
//! change costs the same on average, however many there are. The time is that of the clock of the
//! [`Auth`](crate::Auth); a store that no `Auth` was built with keeps everything.

use super::contents::Contents;
use crate::Timestamp;

/// Records that are never looked through.
const FEW: usize = 1024;
/// A device that a user was not seen on for 400 days is a new one: browsers keep no cookie for
/// longer (RFC 6265bis, section 5.5).
const UNSEEN_SECONDS: i64 = 400 * 24 * 3600;

impl Contents {
    /// To be called before something is added that ends by itself.
    pub(super) fn make_room(&mut self, now: Option<Timestamp>) {
        let Some(now) = now else { return };
        if self.mortal() < self.purge_at.max(FEW) {
            return;
        }
        let unseen = now.plus_seconds(-UNSEEN_SECONDS);
        self.tokens.retain(|_, token| !token.is_expired(now));
        self.one_time.retain(|_, record| record.expires > now);
        self.counters.retain(|_, counter| !counter.has_ended(now));
        self.digests.retain_nonces(|expires| expires > now);
        self.devices.retain(|_, devices| {
            devices.retain(|_, seen| *seen >= unseen);
            !devices.is_empty()
        });
        self.purge_at = self.mortal().saturating_mul(2);
    }

    /// What ends by itself.
    fn mortal(&self) -> usize {
        self.tokens.len() + self.one_time.len() + self.counters.len() + self.digests.nonces() + self.devices.len()
    }
}
