//! A password that somebody gives: the one way to verify it, and the one way to hash it.

use crate::context_passwords::{self, PasswordOwner};
use crate::flow_error::flow_error;
use crate::hasher::Pause;
use crate::{
    Account, Auth, Event, HookVeto, Identifier, LoginFailure, Password, PasswordAttempt, PasswordError, PasswordHash,
    PasswordUse, StoreError, StoredUser, TriedIdentifier, Unavailable, UserId, Verified,
};

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

/// Whose password it is said to be.
#[derive(Clone, Copy)]
pub(crate) enum Claim<'a> {
    /// At a login: the account with this address or name; `None` for what no account can have.
    Login(Option<&'a Identifier>),
    /// The user with this id, who is logged in already and is asked for this.
    User(&'a UserId, PasswordUse),
}

/// A password that was right.
pub(crate) struct VerifiedPassword<U> {
    /// Its account, as it was read when the password was verified.
    pub(crate) account: StoredUser<U>,
    pub(crate) verified: Verified,
    /// For a caller that refuses the account in the words of a wrong password.
    pub(crate) pause: Pause,
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
        let account = self.bounded(self.0.users.find_user(user));
        self.check_password(Claim::User(user, used_for), account, password).await.map(|_| ())
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

    /// Verifies a password: the only way there is, for logins and for all else.
    ///
    /// 1. Hooks are asked, before an account is looked up.
    /// 2. `account` is awaited. Where there is none, the work is the same.
    /// 3. The hash is verified. What is wrong with a stored one is said in the log.
    /// 4. A wrong password raises its event, and then waits for its time.
    pub(crate) async fn check_password(
        &self,
        claim: Claim<'_>,
        account: impl Future<Output = Result<Option<StoredUser<U>>, StoreError>>,
        password: Password,
    ) -> Result<VerifiedPassword<U>, VerifyPasswordError> {
        self.ask_before_password(claim).await?;
        let account = account.await?;
        let hash = account.as_ref().and_then(|account| account.password.as_ref());
        let (verified, pause) = self.0.hasher.verify_at_once(password, hash).await.map_err(Unavailable::from)?;
        if let (Some(problem), Some(account)) = (verified.problem, &account) {
            let (user, model) = (account.user.id(), U::model_name());
            tracing::warn!(%user, model, matches = verified.matches, "{problem}");
        }
        match account {
            Some(account) if verified.matches => Ok(VerifiedPassword { account, verified, pause }),
            account => {
                let user = account.map(|account| account.user.id());
                let reason = if user.is_some() { LoginFailure::WrongPassword } else { LoginFailure::UnknownAccount };
                self.password_refused(claim, user, reason).await;
                pause.over().await;
                Err(VerifyPasswordError::WrongPassword)
            }
        }
    }

    /// Asks the hooks whether a password, or another proof of a login, may be tried. A no raises
    /// its event.
    pub(crate) async fn ask_before_password(&self, claim: Claim<'_>) -> Result<(), VerifyPasswordError> {
        let client = self.client();
        let attempt = match claim {
            Claim::Login(identifier) => {
                PasswordAttempt { used_for: PasswordUse::Login, identifier: identifier.cloned(), user_id: None, client }
            }
            Claim::User(user, used_for) => {
                PasswordAttempt { used_for, identifier: None, user_id: Some(user.clone()), client }
            }
        };
        let asked = self.ask_before_verify(&attempt).await;
        if matches!(asked, Err(VerifyPasswordError::Refused(_))) {
            self.password_refused(claim, attempt.user_id, LoginFailure::Refused).await;
        }
        asked
    }

    /// Raises the event of a password that was refused. `user` is whose it would have been.
    async fn password_refused(&self, claim: Claim<'_>, user: Option<UserId>, reason: LoginFailure) {
        match claim {
            Claim::Login(identifier) => {
                let tried = TriedIdentifier::of(identifier, user.is_some());
                self.emit(Event::LoginFailed { user_id: user, identifier: Some(tried), reason }).await;
            }
            Claim::User(_, used_for) => {
                let by_hook = reason == LoginFailure::Refused;
                self.emit(Event::PasswordRefused { user_id: user, used_for, by_hook }).await;
            }
        }
    }

    /// Replaces the hash of a password that was verified by one with today's parameters, where it
    /// has others. Nothing depends on it.
    pub(crate) async fn renew_hash(&self, account: &mut StoredUser<U>, password: Password) {
        let (users, id) = (&*self.0.users, account.user.id());
        let Some(old) = &account.password else { return };
        let renewed: Result<Option<PasswordHash>, Unavailable> = async {
            let new = self.hash_password(password).await?;
            let is_stored = self.bounded::<_, StoreError>(users.rehash_password(&id, old, &new)).await?;
            Ok(is_stored.then_some(new))
        }
        .await;
        match renewed {
            Ok(Some(new)) => account.password = Some(new),
            Ok(None) => {}
            Err(error) => tracing::warn!(
                %error, "a password was not hashed again with today's parameters; the next login will try"
            ),
        }
    }
}
