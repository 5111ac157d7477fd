//! What the server and its sessions share: the mails that were taken, and how it behaves.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) changed: Notify,
    pub(super) hang_up: Notify,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) mails: Vec<ReceivedMail>,
    /// How many [`SmtpSink::next`] has given out.
    pub(super) read: usize,
    pub(super) logins: Vec<(String, String)>,
    pub(super) connections: usize,
    pub(super) always: SmtpBehavior,
    pub(super) next: VecDeque<SmtpBehavior>,
    pub(super) withheld: Vec<String>,
}

/// What an [`SmtpSink`](crate::SmtpSink) does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmtpBehavior {
    /// Takes every mail.
    #[default]
    Accept,
    /// Answers 451 to a recipient: not now.
    Defer,
    /// Answers 550 to a recipient: no.
    Reject,
    /// Takes the connection and says nothing.
    HangAtConnect,
    /// Takes the connection and closes it.
    CloseAtConnect,
    /// Reads a whole mail and says nothing.
    HangAfterMail,
    /// Reads a whole mail and closes the connection, so that nobody knows whether it was taken.
    CloseAfterMail,
    /// Answers 535 to every login.
    RefuseLogin,
}

/// A mail that an [`SmtpSink`](crate::SmtpSink) took.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedMail {
    /// The sender on the envelope (`MAIL FROM`).
    pub from: String,
    /// The recipients on the envelope (`RCPT TO`).
    pub to: Vec<String>,
    /// What was said after the sender on the envelope: `BODY=8BITMIME`, `SMTPUTF8`.
    pub parameters: String,
    /// All headers in order, unfolded and decoded.
    pub headers: Vec<(String, String)>,
    /// The text, decoded, with `\n` at the ends of lines; of several parts the plain one.
    pub text: String,
    /// The HTML, decoded likewise, if there is a part with it.
    pub html: Option<String>,
    /// All of it as it came over the wire, without dot-stuffing.
    pub raw: String,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do on an occasion for one of `possible`.
    pub(super) fn behavior(&self, possible: &[SmtpBehavior]) -> SmtpBehavior {
        let mut state = self.state();
        if state.next.front().is_some_and(|next| possible.contains(next)) {
            return state.next.pop_front().unwrap_or_default();
        }
        if possible.contains(&state.always) { state.always } else { SmtpBehavior::Accept }
    }
}
