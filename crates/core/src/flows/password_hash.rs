//! A password given as its hash, by those who run the app: an importer, or an administrator who has
//! the hash of a password that was made up.

use crate::flow_error::flow_error;
use crate::{Account, Auth, HashProblem, MailOptions, PasswordHash, ResetPasswordError, UserId};

flow_error! {
    /// Why a hash did not become a user's.
    pub enum SetPasswordHashError {
        /// There is no such user.
        #[error("User {0} not found")]
        UserNotFound(UserId) = NotFound "USER_NOT_FOUND",
        /// No password would match it, or it is not written as it should be.
        #[error("{0}")]
        Hash(HashProblem) = Invalid "INVALID_HASH",
        /// The account was changed at the same time.
        #[error("the account was changed at the same time")]
        Conflict = Conflict "CONFLICT",
    }
}

impl<U: Account> Auth<U> {
    /// Replaces a user's password by its hash: argon2 in the PHC format as
    /// [`hash_password`](Self::hash_password) makes it, or bcrypt. All of the user's tokens end,
    /// and the user is told as of any other new password.
    ///
    /// For the app's own code: whoever can call this can log in as everybody. Whether the password
    /// is a good one cannot be seen in its hash.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, Login, MailOptions, MemoryStore, Register};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    /// let hash = auth.hash_password("wrong giraffe charger".into()).await?;
    /// auth.set_password_hash(&ada.id, hash, &MailOptions::default()).await?;
    /// auth.login(Login::email("ada@example.com", "wrong giraffe charger")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SetPasswordHashError`].
    pub async fn set_password_hash(
        &self,
        user: &UserId,
        hash: PasswordHash,
        mails: &MailOptions,
    ) -> Result<(), SetPasswordHashError> {
        if let Some(problem) = HashProblem::of(&hash) {
            return Err(SetPasswordHashError::Hash(problem));
        }
        let found = self.bounded(self.0.users.find_user(user)).await?;
        let found = found.ok_or_else(|| SetPasswordHashError::UserNotFound(user.clone()))?;
        self.replace_hash(found, hash, None, mails.clone(), None).await.map_err(|error| match error {
            ResetPasswordError::Unavailable(error) => error.into(),
            _ => SetPasswordHashError::Conflict,
        })
    }
}
