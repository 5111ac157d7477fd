//! A token given up.

use crate::flow_error::flow_error;
use crate::{Account, Auth, Event, TokenDigest};

flow_error! {
    /// Why nobody was logged out. The token is still alive where the error is `Unavailable`.
    pub enum LogoutError {
        /// There is no such token, or no longer.
        #[error("Could not find accessToken")]
        TokenNotFound = Unauthenticated "TOKEN_NOT_FOUND",
    }
}

impl<U: Account> Auth<U> {
    /// Ends one token. The user's others live on.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, Login, MemoryStore, Register};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    /// let session = auth.login(Login::email("ada@example.com", "correct horse battery")).await?;
    ///
    /// auth.logout(&session.token.record.digest).await?;
    /// assert!(auth.authenticate(session.token.secret.expose()).await.is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`LogoutError`]. Of many at the same time one succeeds; the rest find nothing.
    pub async fn logout(&self, token: &TokenDigest) -> Result<(), LogoutError> {
        let tokens = &*self.0.tokens;
        let record = self.bounded(tokens.find_token(token)).await?;
        let record = record.filter(|record| record.user_type == U::model_name()).ok_or(LogoutError::TokenNotFound)?;
        let auth = self.clone();
        self.change(|mut change| async move {
            if !auth.commit_token_end(&mut change, &record.digest).await? {
                return Err(LogoutError::TokenNotFound);
            }
            auth.0.waiting.token_ended(&record.user_id, &record.digest);
            auth.emit(Event::LoggedOut { user_id: record.user_id }).await;
            Ok(())
        })
        .await
    }
}
