//! Limits on the size and time of what an app reads and of what its hooks do.

use std::time::Duration;

/// Limits on profiles, bodies and hooks. A field of [`Policy`](crate::Policy).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitPolicy {
    /// The greatest number of bytes of a user's profile (the app's own fields), as compact JSON. It
    /// is checked wherever a profile is written, for the whole that is stored: a user that grows
    /// with every `PATCH` slows down each later request. 65,536, so that a user that was read fits
    /// into the body that sends it back. In the preset for LoopBack 102,400, which is what one
    /// request there can send. No standard has a number.
    pub profile_max_bytes: usize,
    /// How deep objects and arrays of a profile may be nested; the profile itself is the first
    /// level. 32, and at most 64: readers of JSON refuse what is nested too deep (serde_json at 128
    /// levels), and what cannot be read back must not be written.
    pub profile_max_depth: usize,
    /// How long the whole body of a request may take to arrive before the response is 408. 20
    /// seconds, as `mod_reqtimeout` of Apache has it; it must not be zero. Without such a limit
    /// every client that sends half a body keeps a connection for as long as it likes.
    pub body_timeout: Duration,
    /// How long a hook of the app may take: `before_register` and `before_login` before the request
    /// fails with 503, `on_event`, for which no request waits, before the event counts as dropped.
    /// 5 seconds, as for a store; it must not be zero.
    pub hook_timeout: Duration,
    /// How many events may wait for the hooks, all together. Beyond that an event is dropped
    /// and counted ([`Auth::dropped_events`](crate::Auth::dropped_events)). 1,024; no standard has
    /// a number.
    pub max_pending_events: usize,
}

impl Default for LimitPolicy {
    fn default() -> Self {
        Self {
            profile_max_bytes: 64 * 1024,
            profile_max_depth: 32,
            body_timeout: Duration::from_secs(20),
            hook_timeout: Duration::from_secs(5),
            max_pending_events: 1024,
        }
    }
}
