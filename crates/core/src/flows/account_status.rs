//! Who may log in at all: an account is active, waits for somebody's approval, or is blocked.

use crate::flow_error::flow_error;
use crate::{Account, AccountStatus, Auth, Event, KnownAccount, Unavailable, UserId, UserOperation};

flow_error! {
    /// Why a status was not set.
    pub enum SetAccountStatusError {
        /// There is no such user.
        #[error("User {0} not found")]
        UserNotFound(UserId) = NotFound "USER_NOT_FOUND",
        /// The store of the users keeps no status ([`UserOperation::Status`]).
        #[error("the store of the users keeps no status: it must implement set_status")]
        Unsupported = Internal "UNSUPPORTED",
    }
}

impl<U: Account> Auth<U> {
    /// Blocks an account, lets it in again, or approves of it. Returns the user.
    ///
    /// All of its tokens end, and so does whatever else was made under its `rev`, in the same
    /// atomic step (ASVS 7.4.2): who is logging in at that moment gets a token that is dead. To
    /// make an active account active changes nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{AccountStatus, Auth, Login, LoginError, MemoryStore, Register};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    /// let token = auth.login(Login::email("ada@example.com", "correct horse battery")).await?.token;
    ///
    /// auth.set_account_status(&ada.id, AccountStatus::Blocked).await?;
    /// assert!(auth.authenticate(token.secret.expose()).await.is_err());
    /// let refused = auth.login(Login::email("ada@example.com", "correct horse battery")).await;
    /// assert!(matches!(refused, Err(LoginError::Blocked)));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SetAccountStatusError`].
    pub async fn set_account_status(&self, user: &UserId, status: AccountStatus) -> Result<U, SetAccountStatusError> {
        let auth = &*self.0;
        if !self.supports(UserOperation::Status) {
            return Err(SetAccountStatusError::Unsupported);
        }
        let not_found = || SetAccountStatusError::UserNotFound(user.clone());
        let found = self.bounded(auth.users.find_user(user)).await?.ok_or_else(not_found)?;
        if found.status == AccountStatus::Active && status == AccountStatus::Active {
            return Ok(found.user);
        }
        let (auth, user) = (self.clone(), user.clone());
        self.change(|mut change| async move {
            let rev = auth.commit_status(&mut change, &found, status).await?;
            let rev = rev.ok_or_else(|| SetAccountStatusError::UserNotFound(user.clone()))?;
            tracing::info!(%user, %status, "the status of an account is set");
            auth.after_new_rev(&user, None, rev).await;
            auth.emit(Event::StatusChanged { user: found.user.clone(), status }).await;
            Ok(found.user)
        })
        .await
    }

    /// At most `limit` accounts with this status, in the order of their ids, from the first or from
    /// behind `after`: those that wait for approval, for instance.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{AccountStatus, Auth, MemoryStore, Register};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// for name in ["ada", "bob", "eve"] {
    ///     let new = Register::email(format!("{name}@example.com"), "correct horse battery");
    ///     auth.register(new.status(AccountStatus::Pending)).await?;
    /// }
    /// let first = auth.users_with_status(AccountStatus::Pending, None, 2).await?;
    /// let rest = auth.users_with_status(AccountStatus::Pending, Some(&first[1].user.id), 2).await?;
    /// assert_eq!((first.len(), rest.len()), (2, 1));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails, or keeps no status.
    pub async fn users_with_status(
        &self,
        status: AccountStatus,
        after: Option<&UserId>,
        limit: u32,
    ) -> Result<Vec<KnownAccount<U>>, Unavailable> {
        let found = self.bounded(self.0.users.users_with_status(status, after, limit)).await?;
        Ok(found.into_iter().map(KnownAccount::from).collect())
    }

    /// Whether a user may log in; `None` if there is no such user.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn account_status(&self, user: &UserId) -> Result<Option<AccountStatus>, Unavailable> {
        let found = self.bounded(self.0.users.find_user(user)).await?;
        Ok(found.map(|found| found.status))
    }
}
