//! How many mails are sent, how long one is tried, and which notices there are.

use std::time::Duration;

/// Mails: limits, retries, notices. A field of [`Policy`](crate::Policy).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailPolicy {
    /// How many mails of one kind (verification link, reset link, code, link for a new address,
    /// notice that there is an account already) one account gets within an hour, from all clients
    /// together. A request beyond that gets the same response and sends nothing. A link that is
    /// good for less than an hour is counted for its life only, so that the links in the mailbox
    /// are good as long as no new one is sent. 3; ASVS 2.4.1 asks for a limit and names no number.
    /// `u32::MAX` is no limit.
    pub per_hour: u32,
    /// The same within a day, or the life of the link if that is shorter. 10.
    pub per_day: u32,
    /// How long the kit tries to send one mail, pauses included. 60 seconds; no request
    /// waits for it, and it must not be zero. An app that stops waits at most this long
    /// ([`Auth::settled`](crate::Auth::settled)). A mail server that greylists (RFC 6647 §4) takes
    /// a mail of an unknown sender only after some minutes: set 10 minutes where mails go to such
    /// servers directly, and not through a relay that queues them.
    pub timeout: Duration,
    /// The pause after the first temporary failure. Each later pause is twice as long, up to
    /// a quarter of `mail.timeout` and a minute at most. 1 second; it must not be zero.
    pub backoff: Duration,
    /// Whether a user is told by mail that the password was changed (ASVS 6.3.7).
    pub notify_password_changed: bool,
    /// Whether a user is told of a new address, by a mail to the old one (ASVS 6.3.7).
    pub notify_email_changed: bool,
    /// Whether a user is told by mail of a login from a device that was not seen before (ASVS
    /// 6.3.5). The first login after a sign-up sends none. Where this is on, a browser gets a
    /// cookie that identifies it.
    pub notify_unknown_device: bool,
}

impl Default for MailPolicy {
    fn default() -> Self {
        Self {
            per_hour: 3,
            per_day: 10,
            timeout: Duration::from_secs(60),
            backoff: Duration::from_secs(1),
            notify_password_changed: true,
            notify_email_changed: true,
            notify_unknown_device: false,
        }
    }
}
