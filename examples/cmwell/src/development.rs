//! The account for development, whose password everybody can read here.
//!
//! A debug build is for development. `DEVELOPMENT=1` in the environment makes a release build one
//! too, and `DEVELOPMENT=0` makes a debug build none.

use std::env;
use std::error::Error;

use gatekit::cmwell::{CmWell, EnableDigestError};
use gatekit::core::{AccountName, UserId};
use gatekit::{Auth, Login, Policy, Register, SqliteStore};

/// Its name.
pub(crate) const NAME: &str = "myUser";
/// Its password.
pub(crate) const PASSWORD: &str = "myPassword";

/// Whether the server is one for development.
pub(crate) fn is_on() -> Result<bool, String> {
    match env::var("DEVELOPMENT").as_deref() {
        Ok("1") => Ok(true),
        Ok("0") => Ok(false),
        Ok(other) => Err(format!("DEVELOPMENT is 0 or 1, and not `{other}`")),
        Err(_) => Ok(cfg!(debug_assertions)),
    }
}

/// Makes the account, unless there is one of this name, and tells of it. Returns whose it is.
pub(crate) async fn make_account(store: SqliteStore, cmwell: &CmWell) -> Result<UserId, Box<dyn Error>> {
    // This password is on the list of common ones, which sign-up refuses. So the account is made by
    // other rules than all others.
    let mut policy = Policy::default();
    policy.passwords.refuse_common = false;
    let auth: Auth = Auth::builder(store).policy(policy).build()?;
    let user = match auth.find_account(&AccountName::username(NAME)).await? {
        Some(account) => account.user.id,
        None => {
            let user = auth.register(Register::email("my.user@example.com", PASSWORD).username(NAME)).await?;
            match cmwell.enable_digest(&user.id, PASSWORD).await {
                Ok(()) | Err(EnableDigestError::NotSetUp) => user.id,
                Err(error) => return Err(error.into()),
            }
        }
    };
    println!(
        "DEVELOPMENT: everybody knows the administrator {NAME} and its password {PASSWORD}. A release build does not make it."
    );
    Ok(user)
}

/// Refuses a database in which the account has the password that everybody knows.
pub(crate) async fn refuse_account(auth: &Auth) -> Result<(), Box<dyn Error>> {
    let known = auth.find_account(&AccountName::username(NAME)).await?.is_some();
    if known && auth.verify_login(Login::username(NAME, PASSWORD)).await.is_ok() {
        return Err(format!(
            "the account {NAME} in this database has a password that everybody knows; delete it or change its password. \
             DEVELOPMENT=1 starts the server all the same"
        )
        .into());
    }
    Ok(())
}
