//! Somebody is logged in, without a password.

use gatekit_core::{Account, Auth, IssueToken, IssuedToken};

/// Logs a user in: a token as a login would issue it, through [`Auth::issue_token`].
///
/// # Panics
///
/// If there is no such user or the store fails.
///
/// ```
/// use gatekit_core::{Auth, MemoryStore, Register};
/// use gatekit_testkit::{bearer, login_as};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = Auth::new(MemoryStore::new());
/// let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
///
/// let token = login_as(&auth, &ada).await;
/// let header = ("authorization", bearer(&token));
/// # assert!(header.1.starts_with("Bearer ") && header.1.len() == 71);
/// # Ok(()) }
/// ```
pub async fn login_as<U: Account>(auth: &Auth<U>, user: &U) -> IssuedToken {
    match auth.issue_token(&user.id(), IssueToken::default()).await {
        Ok(token) => token,
        Err(error) => panic!("user {} could not be logged in: {error}", user.id()),
    }
}

/// The value of an `Authorization` header with this token: `Bearer` and the secret.
#[must_use]
pub fn bearer(token: &IssuedToken) -> String {
    format!("Bearer {}", token.secret.expose())
}
