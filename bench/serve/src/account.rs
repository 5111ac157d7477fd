//! The one account every server knows, and the bodies of its routes.

use serde::{Deserialize, Serialize};

/// The address of the account that every server has from the start.
pub const EMAIL: &str = "bench@example.com";
/// Its password.
pub const PASSWORD: &str = "correct horse battery staple";

/// The user as `GET /me` answers it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Its number.
    pub id: i64,
    /// Its address.
    pub email: String,
    /// Whether the address is known to be theirs.
    pub email_verified: bool,
}

impl User {
    /// The account that every server has from the start.
    pub fn bench() -> Self {
        Self { id: 1, email: EMAIL.to_owned(), email_verified: true }
    }
}

/// The body of `POST /login`.
#[derive(Clone, Debug, Deserialize)]
pub struct Login {
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
}

/// The answer to `POST /login` of the servers that hand out tokens.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// The secret to send in the `Authorization` header.
    pub id: String,
    /// Whose it is.
    pub user_id: i64,
}

impl Token {
    /// A new random token of 64 characters.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn random(user_id: i64) -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        let id = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { id, user_id })
    }
}
