//! A password that somebody gives: the one way to verify it, and the one way to hash it.

use crate::hasher::Pause;
use crate::{Account, Auth, Event, Password, PasswordHash, StoredUser, Unavailable, UserId, Verified};

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

impl<U: Account> Auth<U> {
    /// Whether this is the user's password; `false` also if there is no such user. For an app that asks for the password before something of
    /// its own. A wrong one raises [`Event::PasswordRefused`] with `used_for`, and takes as long as a wrong login.
    ///
    /// It does not look at the account's status, and it counts as no login.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, MemoryStore, PasswordUse, Register};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    /// let used_for = PasswordUse::Other("export_data");
    /// assert!(auth.verify_password(&ada.id, "correct horse battery".into(), used_for).await?);
    /// assert!(!auth.verify_password(&ada.id, "a wrong one".into(), used_for).await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails, or too many passwords wait to be hashed.
    pub async fn verify_password(
        &self,
        user: &UserId,
        password: Password,
        used_for: PasswordUse,
    ) -> Result<bool, Unavailable> {
        let found = self.bounded(self.0.users.find_user(user)).await?;
        Ok(self.verify_password_of(found.as_ref(), password, used_for).await?.matches)
    }

    /// Hashes a new password with the hasher and the randomness of this `Auth`. Whether it may become somebody's password is for
    /// [`Policy::check_password`](crate::Policy::check_password) to say.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if too many passwords wait to be hashed, or there is no randomness.
    pub async fn hash_password(&self, password: Password) -> Result<PasswordHash, Unavailable> {
        self.0.hasher.hash(password, &*self.0.random).await
    }

    /// Verifies a password against an account that was read a moment ago, or does the same work for nobody. A refusal is recorded first, and
    /// then waits for its time.
    pub(crate) async fn verify_password_of(
        &self,
        found: Option<&StoredUser<U>>,
        password: Password,
        used_for: PasswordUse,
    ) -> Result<Verified, Unavailable> {
        let (verified, pause) = self.verify_hash(found, password).await?;
        if !verified.matches {
            let user_id = found.map(|found| found.user.id());
            self.emit(Event::PasswordRefused { user_id, used_for }).await;
        }
        pause.over().await;
        Ok(verified)
    }

    /// The hash alone, and when a refusal may be sent: for a login, which has its own event. Says in the log what is wrong with a stored hash.
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
