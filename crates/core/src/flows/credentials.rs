//! A login in parts, for crates that prove one in another way than by a password, or issue tokens
//! of their own kind.

use std::fmt;

use crate::audit::{short, shown_target};
use crate::flows::password::Claim;
use crate::{
    Account, AccountStatus, Auth, Client, Event, Login, LoginError, LoginFailure, MailOptions, OneTimePurpose,
    StoredUser, Timestamp, TokenDigest, TokenSecret, TriedIdentifier, Unavailable, UserId, random,
};

/// An address or a name, as it was typed, of the account that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountName {
    /// The address. It counts before the username.
    pub email: Option<String>,
    /// The name.
    pub username: Option<String>,
    /// The realm, if the app has realms.
    pub realm: Option<String>,
}

impl AccountName {
    /// An address.
    #[must_use]
    pub fn email(email: impl Into<String>) -> Self {
        Self { email: Some(email.into()), username: None, realm: None }
    }

    /// A name.
    #[must_use]
    pub fn username(username: impl Into<String>) -> Self {
        Self { email: None, username: Some(username.into()), realm: None }
    }

    /// In this realm.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }
}

/// An account and what counts for its tokens, as the store had it a moment ago.
#[derive(Clone)]
#[non_exhaustive]
pub struct KnownAccount<U> {
    /// Who.
    pub user: U,
    /// What a token must remember to be alive: see [`TokenRecord::rev`](crate::TokenRecord::rev).
    pub rev: i64,
    /// Whether it may log in.
    pub status: AccountStatus,
    /// SHA-256 of the password's stored hash: another one after every change of the password, and
    /// also once it was hashed again with newer parameters. What is bound to it ends with the
    /// password. `None` for a user without one.
    pub password_mark: Option<TokenDigest>,
    /// Whether the stored hash depends on every byte of the password that was verified a moment
    /// ago: see [`Verified::is_whole`](crate::Verified::is_whole). Where it does not, nothing may
    /// be made of that password which outlives the hash: it may not be the owner's. `true` if no
    /// password was verified.
    pub password_is_whole: bool,
}

impl<U> fmt::Debug for KnownAccount<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("KnownAccount");
        shown.field("rev", &self.rev).field("status", &self.status).field("password_mark", &self.password_mark);
        shown.finish_non_exhaustive()
    }
}

impl<U> From<StoredUser<U>> for KnownAccount<U> {
    fn from(stored: StoredUser<U>) -> Self {
        let password_mark = stored.password.as_ref().map(|hash| TokenDigest::of(hash.expose()));
        Self { user: stored.user, rev: stored.rev, status: stored.status, password_mark, password_is_whole: true }
    }
}

impl<U: Account> Auth<U> {
    /// The account with this address or name, of whatever status; with one query. Names are read as
    /// [`login`](Self::login) reads them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{AccountName, AccountStatus, Auth, MemoryStore, Register};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// auth.register(Register::email("ada@example.com", "correct horse battery").username("ada")).await?;
    ///
    /// let ada = auth.find_account(&AccountName::username("ada")).await?.ok_or("nobody")?;
    /// assert_eq!(ada.status, AccountStatus::Active);
    /// assert!(auth.find_account(&AccountName::email("eve@example.com")).await?.is_none());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn find_account(&self, login: &AccountName) -> Result<Option<KnownAccount<U>>, Unavailable> {
        let AccountName { email, username, realm } = login;
        match self.wanted_by(email.as_deref(), username.as_deref(), realm.as_deref()) {
            Ok(wanted) => Ok(self.find_wanted(&wanted).await?.map(KnownAccount::from)),
            // An empty name matches no account.
            Err(_) => Ok(None),
        }
    }

    /// The account with this id, of whatever status; with one query.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn find_account_by_id(&self, id: &UserId) -> Result<Option<KnownAccount<U>>, Unavailable> {
        Ok(self.bounded(self.0.users.find_user(id)).await?.map(KnownAccount::from))
    }

    /// Does all that [`login`](Self::login) does but for the token: same errors (`ttl` is not
    /// looked at), same work for unknown users, same hooks, events and notices.
    ///
    /// Whoever issues a token for it binds it to [`KnownAccount::rev`], which is that of the moment
    /// when the password was right.
    ///
    /// # Errors
    ///
    /// [`LoginError`].
    pub async fn verify_login(&self, login: Login) -> Result<KnownAccount<U>, LoginError> {
        let auth = self.with_client(&login.client);
        let login = Login { client: auth.client(), ..login };
        let wanted = auth.wanted_login(&login)?;
        let (found, verified) = auth.verify_credentials(&wanted, login.password).await?;
        let account = KnownAccount { password_is_whole: verified.is_whole, ..found.into() };
        auth.welcome_on_task(account, login.client, login.mails).await
    }

    /// What [`login`](Self::login) does after the right password, for a crate that has verified the
    /// account by other means: only an active account with an address that is verified, where it
    /// must be, gets in; hooks may refuse; then event and notice.
    ///
    /// `account` must be what was read before the proof was checked, so that what ends the
    /// account's tokens meanwhile ends this login's, too.
    ///
    /// # Errors
    ///
    /// [`LoginError`].
    pub async fn accept_login(
        &self,
        account: KnownAccount<U>,
        client: &Client,
        mails: &MailOptions,
    ) -> Result<KnownAccount<U>, LoginError> {
        let auth = self.with_client(client);
        auth.admit(&account.user, account.status).await?;
        auth.welcome_on_task(account, client.clone(), mails.clone()).await
    }

    async fn welcome_on_task(
        &self,
        account: KnownAccount<U>,
        client: Client,
        mails: MailOptions,
    ) -> Result<KnownAccount<U>, LoginError> {
        let auth = self.clone();
        self.change(|_| async move {
            auth.welcome(&account.user, auth.now(), &client, &mails).await;
            Ok(account)
        })
        .await
    }

    /// Asks the hooks whether a login may be tried
    /// ([`Hooks::before_verify`](crate::Hooks::before_verify)). For a crate that verifies proofs of
    /// another kind: it does this before it looks for the account.
    ///
    /// # Errors
    ///
    /// [`LoginError::Refused`], which has raised its event, or [`LoginError::Unavailable`].
    pub async fn begin_login(&self, name: &AccountName) -> Result<(), LoginError> {
        let AccountName { email, username, realm } = name;
        match self.wanted_by(email.as_deref(), username.as_deref(), realm.as_deref()) {
            Ok(wanted) => Ok(self.ask_before_password(Claim::Login(wanted.identifier.as_ref())).await?),
            // An empty name matches no account.
            Err(_) => Ok(()),
        }
    }

    /// Raises [`Event::LoginFailed`] for a wrong proof of another kind than a password: for a crate
    /// that verifies such proofs. `user` is the account that was meant, if there is one, and `name`
    /// what it was called by.
    pub async fn reject_login(&self, user: Option<&UserId>, name: Option<&AccountName>) {
        let wanted = name.and_then(|name| {
            let AccountName { email, username, realm } = name;
            self.wanted_by(email.as_deref(), username.as_deref(), realm.as_deref()).ok()
        });
        let reason = if user.is_some() { LoginFailure::WrongProof } else { LoginFailure::UnknownAccount };
        let identifier = wanted.map(|wanted| TriedIdentifier::of(wanted.identifier.as_ref(), user.is_some()));
        self.emit(Event::LoginFailed { user_id: user.cloned(), identifier, reason }).await;
    }

    /// Raises [`Event::SecretRefused`]: for a crate that has one-time secrets of its own.
    pub async fn reject_secret(&self, purpose: OneTimePurpose, user: Option<&UserId>) {
        self.emit(Event::SecretRefused { purpose, user_id: user.cloned() }).await;
    }

    /// Raises [`Event::AccessDenied`] for a caller that is known: for a guard of the app's own, or
    /// of another crate. `required` says what the caller has not; `target` what the access was
    /// about, of which 256 bytes are kept.
    ///
    /// ```
    /// use gatekit_core::{Auth, MemoryStore, NoProfile, User};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = User::new(1.into(), NoProfile {});
    /// // In a handler, with `auth.for_client(..)`: the event then says where the request came from.
    /// auth.report_denied(&ada.id, "plan pro", Some("/exports/7"));
    /// ```
    pub fn report_denied(&self, caller: &UserId, required: &str, target: Option<&str>) {
        let (user_id, target) = (Some(caller.clone()), target.map(shown_target));
        self.raise(Event::AccessDenied { user_id, required: short(required), target });
    }

    /// The time by the clock of this `Auth`.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// A new secret: 64 characters of base62, 381 bits.
    ///
    /// # Errors
    ///
    /// [`Unavailable::Random`].
    pub fn new_secret(&self) -> Result<TokenSecret, Unavailable> {
        random::token_secret(&*self.0.random)
    }

    /// Fills `bytes` with unpredictable ones.
    ///
    /// # Errors
    ///
    /// [`Unavailable::Random`]. Callers fail; they never go on with what is in `bytes`.
    pub fn fill_random(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        self.0.random.fill(bytes)
    }
}
