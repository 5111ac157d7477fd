//! A mailer that keeps the mails for a test to read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gatekit_core::{Mail, MailError, MailKind, Mailer};
use tokio::sync::Notify;

use crate::wait::{first_code, first_link, first_secret, until};

/// Keeps mails instead of sending them. Clones keep them in the same place.
///
/// An app sends mails on tasks of their own, after it has answered: what reads one here waits for
/// it.
///
/// ```
/// use gatekit_core::{Mail, MailKind, Mailer};
/// use gatekit_testkit::MailSink;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), gatekit_core::MailError> {
/// let mails = MailSink::new();
/// mails.send(Mail::new(MailKind::ResetPassword, "ada@example.com", "Hello", "See https://example.com/x")).await?;
/// assert_eq!(mails.next().await.to, "ada@example.com");
/// assert_eq!(mails.last_link().await, "https://example.com/x");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MailSink(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    mails: Vec<Mail>,
    /// How many [`MailSink::next`] has given out.
    read: usize,
    behavior: MailBehavior,
    attempts: usize,
}

/// What a [`MailSink`] does with a mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailBehavior {
    /// Keeps it.
    #[default]
    Deliver,
    /// Refuses it for good.
    Fail,
    /// Refuses it for now, as a server that greylists.
    Defer,
    /// Does not answer, until it is told to do something else; then it refuses it.
    Hang,
}

impl MailSink {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on does this with every mail.
    pub fn behave(&self, behavior: MailBehavior) {
        self.state().behavior = behavior;
        self.0.changed.notify_waiters();
    }

    /// What it does with a mail at present.
    #[must_use]
    pub fn behavior(&self) -> MailBehavior {
        self.state().behavior
    }

    /// The mails so far, oldest first. It does not wait.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.state().mails.clone()
    }

    /// How many mails it was asked to send, kept or not.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.state().attempts
    }

    /// The next mail that `next` has not yet returned; waits for it.
    ///
    /// # Panics
    ///
    /// If none comes within a minute.
    pub async fn next(&self) -> Mail {
        let next = until(&self.0.changed, || {
            let mut state = self.state();
            let mail = state.mails.get(state.read).cloned()?;
            state.read += 1;
            Some(mail)
        });
        match next.await {
            Some(mail) => mail,
            None => panic!("waited for a mail, but none came (there are {} that were read before)", self.mails().len()),
        }
    }

    /// The mails, once there are at least `count`.
    ///
    /// # Panics
    ///
    /// If they do not come within a minute.
    pub async fn wait_for(&self, count: usize) -> Vec<Mail> {
        let enough = until(&self.0.changed, || Some(self.mails()).filter(|mails| mails.len() >= count));
        match enough.await {
            Some(mails) => mails,
            None => panic!("waited for {count} mails, but only {} came", self.mails().len()),
        }
    }

    /// The mails of this kind, once there are at least `count`. Mails are sent on tasks of their
    /// own: one that was asked for earlier may come later.
    ///
    /// # Panics
    ///
    /// If they do not come within a minute.
    pub async fn wait_for_kind(&self, kind: MailKind, count: usize) -> Vec<Mail> {
        let of_kind = || self.mails().into_iter().filter(|mail| mail.kind == kind).collect::<Vec<_>>();
        match until(&self.0.changed, || Some(of_kind()).filter(|mails| mails.len() >= count)).await {
            Some(mails) => mails,
            None => panic!("waited for {count} mails of the kind {kind:?}, but only {} came", of_kind().len()),
        }
    }

    /// The secret in a mail: in its link, or in its text if it has none.
    #[must_use]
    pub fn token_in(mail: &Mail) -> Option<String> {
        mail.link.as_deref().and_then(first_secret).or_else(|| first_secret(&mail.text))
    }

    /// The code of six digits in a mail's text.
    ///
    /// ```
    /// use gatekit_core::{Mail, MailKind};
    /// use gatekit_testkit::MailSink;
    ///
    /// let mail = Mail::new(MailKind::EmailCode, "ada@example.com", "Your code", "Enter it within 10 minutes:\n\n314159\n");
    /// assert_eq!(MailSink::code_in(&mail).as_deref(), Some("314159"));
    /// ```
    #[must_use]
    pub fn code_in(mail: &Mail) -> Option<String> {
        first_code(&mail.text)
    }

    /// The link in the newest mail; waits for a mail if there is none.
    ///
    /// # Panics
    ///
    /// If no mail comes within a minute, or the newest holds no link.
    pub async fn last_link(&self) -> String {
        let mail = self.last().await;
        match mail.link.or_else(|| first_link(&mail.text)) {
            Some(link) => link,
            None => panic!("the newest mail ({:?}) holds no link; is `public_url` set?", mail.subject),
        }
    }

    /// The secret in the newest mail: in its link, or in its text if it has none. Waits for a mail
    /// if there is none.
    ///
    /// # Panics
    ///
    /// If no mail comes within a minute, or the newest holds no secret.
    pub async fn last_token(&self) -> String {
        let mail = self.last().await;
        match Self::token_in(&mail) {
            Some(secret) => secret,
            None => panic!("the newest mail ({:?}) holds no secret", mail.subject),
        }
    }

    async fn last(&self) -> Mail {
        match self.wait_for(1).await.pop() {
            Some(mail) => mail,
            None => panic!("a mail that had come is gone"),
        }
    }

    /// Waits while it is told to hang.
    async fn told_otherwise(&self) {
        loop {
            let mut changed = std::pin::pin!(self.0.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            if self.behavior() != MailBehavior::Hang {
                return;
            }
            changed.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mailer for MailSink {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let behavior = {
            let mut state = self.state();
            state.attempts += 1;
            if state.behavior == MailBehavior::Deliver {
                state.mails.push(mail);
            }
            state.behavior
        };
        self.0.changed.notify_waiters();
        match behavior {
            MailBehavior::Deliver => Ok(()),
            MailBehavior::Defer => Err(MailError::temporary("the mail sink was told to defer")),
            MailBehavior::Fail => Err(MailError::new("the mail sink was told to fail")),
            MailBehavior::Hang => {
                self.told_otherwise().await;
                Err(MailError::new("the mail sink was told not to answer"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn mail(text: &str) -> Mail {
        Mail::new(MailKind::ResetPassword, "ada@example.com", "subject", text)
    }

    #[tokio::test]
    async fn reading_waits_for_a_mail_that_is_sent_later() {
        let mails = MailSink::new();
        let sender = mails.clone();
        let task = tokio::spawn(async move {
            for text in ["one", "two https://a.example/#t"] {
                tokio::time::sleep(Duration::from_millis(2)).await;
                sender.send(mail(text)).await.unwrap();
            }
        });
        assert_eq!(mails.next().await.text, "one");
        assert_eq!(mails.next().await.text, "two https://a.example/#t");
        assert_eq!(mails.wait_for(2).await.len(), 2);
        assert_eq!(mails.last_link().await, "https://a.example/#t");
        task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "waited for 2 mails, but only 1 came")]
    async fn waiting_ends_with_a_message() {
        let mails = MailSink::new();
        mails.send(mail("one")).await.unwrap();
        mails.wait_for(2).await;
    }

    #[tokio::test]
    #[should_panic(expected = "holds no link; is `public_url` set?")]
    async fn a_mail_without_a_link_is_told_from_no_mail() {
        let mails = MailSink::new();
        mails.send(mail("no link")).await.unwrap();
        mails.last_link().await;
    }

    #[tokio::test(start_paused = true)]
    async fn it_fails_and_hangs_when_told_to() {
        let mails = MailSink::new();
        mails.behave(MailBehavior::Fail);
        assert!(mails.send(mail("lost")).await.is_err());
        mails.behave(MailBehavior::Hang);
        let hung = tokio::time::timeout(Duration::from_secs(3600), mails.send(mail("lost"))).await;
        assert!(hung.is_err());
        assert_eq!((mails.attempts(), mails.mails().len()), (2, 0));
    }
}
