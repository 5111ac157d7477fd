//! A password that somebody gives: the one way to verify it, and the one way to hash it.

use std::fmt;

use crate::context_passwords::{self, PasswordOwner};
use crate::flow_error::flow_error;
use crate::hasher::Pause;
use crate::{
    Account, Auth, Client, Event, HookVeto, Identifier, Password, PasswordError, PasswordHash, StoredUser, Unavailable,
    UserId, Verified,
};

/// What a password is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PasswordUse {
    /// A login, by whatever route.
    Login,
    /// A fresh token: [`Auth::step_up`].
    StepUp,
    /// [`Auth::change_password`].
    ChangePassword,
    /// [`Auth::request_email_change`].
    ChangeEmail,
    /// [`Auth::delete_account`].
    DeleteAccount,
    /// Something of the app's own: [`Auth::verify_password`].
    Other(&'static str),
}

impl PasswordUse {
    /// The stable word for it, in events and log lines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::StepUp => "step_up",
            Self::ChangePassword => "change_password",
            Self::ChangeEmail => "change_email",
            Self::DeleteAccount => "delete_account",
            Self::Other(word) => word,
        }
    }
}

/// A password is about to be verified: what [`Hooks::before_verify`](crate::Hooks::before_verify)
/// is asked about.
#[derive(Clone)]
#[non_exhaustive]
pub struct PasswordAttempt {
    /// What the password is asked for.
    pub used_for: PasswordUse,
    /// At a login: which address or name was given, as it is looked up. An account may have it or
    /// not. `None` where a user is logged in already, and for what no account can have.
    ///
    /// People type passwords into the field for the name: count it, and keep it out of logs.
    /// `Debug` shows only its kind.
    pub identifier: Option<Identifier>,
    /// Where a user is logged in already: who.
    pub user_id: Option<UserId>,
    /// From where, as far as that is known.
    pub client: Client,
}

impl fmt::Debug for PasswordAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { used_for, identifier, user_id, client } = self;
        let kind = identifier.as_ref().map(|identifier| identifier.kind);
        let mut shown = f.debug_struct("PasswordAttempt");
        shown.field("used_for", used_for).field("identifier", &kind).field("user_id", user_id).field("client", client);
        shown.finish()
    }
}

flow_error! {
    /// Why a password was not verified.
    pub enum VerifyPasswordError {
        /// It is wrong, or the user has none, or there is no such user.
        #[error("Invalid current password")]
        WrongPassword = Invalid "INVALID_PASSWORD",
    }
    or {
        /// A hook refused the attempt ([`Hooks::before_verify`](crate::Hooks::before_verify)); the
        /// password was not looked at.
        Refused(HookVeto),
    }
}

impl<U: Account> Auth<U> {
    /// Verifies a user's password, for an app that asks for it before something of its own. A wrong
    /// one raises [`Event::PasswordRefused`] with `used_for`, and takes as long as a wrong login.
    ///
    /// It does not look at the account's status, and it counts as no login.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, MemoryStore, PasswordUse, Register, VerifyPasswordError};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    /// let used_for = PasswordUse::Other("export_data");
    /// auth.verify_password(&ada.id, "correct horse battery".into(), used_for).await?;
    /// let wrong = auth.verify_password(&ada.id, "a wrong one".into(), used_for).await;
    /// assert!(matches!(wrong, Err(VerifyPasswordError::WrongPassword)));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`VerifyPasswordError`].
    pub async fn verify_password(
        &self,
        user: &UserId,
        password: Password,
        used_for: PasswordUse,
    ) -> Result<(), VerifyPasswordError> {
        let found = self.bounded(self.0.users.find_user(user)).await?;
        self.verify_password_of(user, found.as_ref(), password, used_for).await
    }

    /// Whether `password` may become the password of this owner.
    ///
    /// 1. [`Policy::check_password`](crate::Policy::check_password) accepts it.
    /// 2. Unless [`policy.passwords.refuse_expected`](crate::PasswordPolicy::refuse_expected) is
    ///    off, it is not made of the owner's address or name, of the site's name or of
    ///    [`policy.passwords.context_words`](crate::PasswordPolicy::context_words) (ASVS 6.2.11).
    ///    Case, digits and punctuation do not count, nor do words such as `login` or `password`;
    ///    any other word makes it acceptable.
    ///
    /// ```
    /// use gatekit_core::{Auth, MemoryStore, PasswordError, PasswordOwner};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = PasswordOwner::default().email(Some("lovelace@example.com"));
    /// assert_eq!(auth.check_new_password(&"Lovelace-1815".into(), ada), Err(PasswordError::Expected));
    /// assert_eq!(auth.check_new_password(&"lovelace likes engines".into(), ada), Ok(()));
    /// ```
    ///
    /// # Errors
    ///
    /// The first rule that is broken.
    pub fn check_new_password(&self, password: &Password, owner: PasswordOwner<'_>) -> Result<(), PasswordError> {
        let policy = &self.0.policy;
        policy.check_password(password)?;
        let site = self.site_name().into_iter().chain(policy.passwords.context_words.iter().map(String::as_str));
        let is_expected = || context_passwords::is_expected(password.expose(), owner, site);
        if policy.passwords.refuse_expected && is_expected() { Err(PasswordError::Expected) } else { Ok(()) }
    }

    /// Hashes a new password with the hasher and the randomness of this `Auth`. Whether it may
    /// become somebody's password is for [`check_new_password`](Self::check_new_password) to say.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if too many passwords wait to be hashed, or there is no randomness.
    pub async fn hash_password(&self, password: Password) -> Result<PasswordHash, Unavailable> {
        self.0.hasher.hash(password, &*self.0.random).await
    }

    /// Verifies the password of a user who was read a moment ago, or does the same work for nobody.
    /// Hooks are asked first. A refusal is recorded, and then waits for its time.
    pub(crate) async fn verify_password_of(
        &self,
        user: &UserId,
        found: Option<&StoredUser<U>>,
        password: Password,
        used_for: PasswordUse,
    ) -> Result<(), VerifyPasswordError> {
        let refused =
            |by_hook| Event::PasswordRefused { user_id: found.map(|found| found.user.id()), used_for, by_hook };
        let attempt =
            PasswordAttempt { used_for, identifier: None, user_id: Some(user.clone()), client: self.client() };
        if let Err(error) = self.ask_before_verify::<VerifyPasswordError>(&attempt).await {
            if matches!(error, VerifyPasswordError::Refused(_)) {
                self.emit(refused(true)).await;
            }
            return Err(error);
        }
        let (verified, pause) = self.verify_hash(found, password).await?;
        if verified.matches {
            return Ok(());
        }
        self.emit(refused(false)).await;
        pause.over().await;
        Err(VerifyPasswordError::WrongPassword)
    }

    /// The hash alone, and when a refusal may be sent: for a login, which has its own event. Says
    /// in the log what is wrong with a stored hash.
    pub(crate) async fn verify_hash(
        &self,
        found: Option<&StoredUser<U>>,
        password: Password,
    ) -> Result<(Verified, Pause), Unavailable> {
        let hash = found.and_then(|found| found.password.as_ref());
        let (verified, pause) = self.0.hasher.verify_at_once(password, hash).await?;
        if let (Some(problem), Some(found)) = (verified.problem, found) {
            let (user, model) = (found.user.id(), U::model_name());
            tracing::warn!(%user, model, matches = verified.matches, "{problem}");
        }
        Ok((verified, pause))
    }
}
