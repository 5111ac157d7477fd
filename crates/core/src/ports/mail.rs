//! How mails are sent: [`Mailer`].

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

/// Sends mails.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Sends one mail. It is called after everything is stored, on a task of its own: it may take
    /// its time (up to `policy.mail.timeout`) and cannot fail the request. After
    /// [`MailError::temporary`] it is called again, so a mailer need not retry.
    async fn send(&self, mail: Mail) -> Result<(), MailError>;

    /// Whether mail to this address can be sent at all, as far as the mailer knows. It answers at
    /// once, without asking anybody. Where it says no, nobody signs up with the address:
    /// `policy.identifiers.normalize`.
    fn can_reach(&self, _address: &str) -> bool {
        true
    }
}

/// A mail to be sent. Its text holds a link with a secret: `Debug` shows neither.
#[derive(Clone)]
#[non_exhaustive]
pub struct Mail {
    /// What it is about.
    pub kind: MailKind,
    /// The address it goes to.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// The address it comes from, if it is not to be the mailer's own.
    pub from: Option<String>,
    /// The body as plain text.
    pub text: String,
    /// The same as HTML, if there is such a form.
    pub html: Option<String>,
    /// The link in the body, if there is one.
    pub link: Option<String>,
}

impl Mail {
    /// A mail without a link.
    #[must_use]
    pub fn new(kind: MailKind, to: impl Into<String>, subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { kind, to: to.into(), subject: subject.into(), from: None, text: text.into(), html: None, link: None }
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("kind", &self.kind).field("to", &self.to).finish_non_exhaustive()
    }
}

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MailKind {
    /// A link to choose a new password.
    ResetPassword,
    /// A link to prove an address.
    VerifyEmail,
    /// A link to prove a new address before it becomes the user's.
    ChangeEmail,
    /// A code of six digits to prove an address.
    EmailCode,
    /// A link to choose a password, for an account that somebody else has made.
    SetPassword,
    /// A notice to the old address that there is a new one.
    EmailChanged,
    /// A notice that the password was changed.
    PasswordChanged,
    /// A notice of a login from a device that was not seen before.
    UnknownDevice,
    /// A notice that somebody signed up with an address that has an account.
    AccountExists,
    /// The same for an account whose address is unverified, with a link to verify it.
    AccountUnverified,
    /// To whoever approves of accounts: somebody has signed up and waits.
    ApprovalRequested,
    /// A notice that the account was approved of.
    AccountApproved,
}

/// How the mails of a request are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailOptions {
    /// The prefix the routes are mounted under, for the link: `/api/users`. See
    /// [`Builder::reset_link`](crate::Builder::reset_link) and its neighbours. `None` where no
    /// routes are known that have the page: without another page the mail holds the bare secret.
    pub mount: Option<String>,
    /// The page the link leads to, where it is another than those: a path of the own site, prefix
    /// included, with `{token}` where the secret goes. `/reset-password?token={token}`. It needs
    /// [`Builder::public_url`](crate::Builder::public_url). Of a notice: the page where a new
    /// password is asked for, without `{token}`, in place of
    /// [`Builder::forgot_password_link`](crate::Builder::forgot_password_link).
    pub page: Option<String>,
    /// The language, as a tag of RFC 5646: `de`. English where there are no texts in it.
    pub language: Option<String>,
    /// Leave out that who knows nothing of it need do nothing: the text `mail.set_password.ignore`
    /// of [`MailKind::SetPassword`]. For a caller that expects the mail.
    pub hide_ignore_message: bool,
}

impl MailOptions {
    /// For routes mounted under this prefix.
    #[must_use]
    pub fn mount(prefix: impl Into<String>) -> Self {
        Self { mount: Some(prefix.into()), ..Self::default() }
    }

    /// With a link to this page.
    #[must_use]
    pub fn page(mut self, path: impl Into<String>) -> Self {
        self.page = Some(path.into());
        self
    }

    /// In this language.
    #[must_use]
    pub fn language(mut self, tag: impl Into<String>) -> Self {
        self.language = Some(tag.into());
        self
    }

    /// Without the words for a caller that knows nothing of it.
    #[must_use]
    pub fn hide_ignore_message(mut self, hide: bool) -> Self {
        self.hide_ignore_message = hide;
        self
    }
}

/// A mail was not sent. It is logged; nothing else depends on it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the mail was not sent: {cause}")]
pub struct MailError {
    cause: Arc<dyn std::error::Error + Send + Sync>,
    is_temporary: bool,
}

impl MailError {
    /// For good: another try would fail too, or could send the mail twice. The cause must not hold
    /// the mail's text.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { cause: Arc::from(cause.into()), is_temporary: false }
    }

    /// For now: the mail is surely not sent, and another try may succeed. Gatekit asks the mailer
    /// again, with growing pauses, until `policy.mail.timeout`.
    ///
    /// ```
    /// use gatekit_core::MailError;
    ///
    /// assert!(MailError::temporary("451 4.7.1 greylisted").is_temporary());
    /// assert!(!MailError::new("550 5.1.1 no such mailbox").is_temporary());
    /// ```
    pub fn temporary(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { is_temporary: true, ..Self::new(cause) }
    }

    /// Whether another try may succeed.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.is_temporary
    }
}
