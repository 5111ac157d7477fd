//! The account for development, whose password everybody can read here.
//!
//! A debug build is for development. `DEVELOPMENT=1` in the environment makes a release build one
//! too, and `DEVELOPMENT=0` makes a debug build none.

use std::env;
use std::error::Error;

use gatekit::core::AccountName;
use gatekit::wix::{MemberProfile, MemberUser};
use gatekit::{Auth, Login, Register};

/// The member's address and password.
pub(crate) const MEMBER: (&str, &str) = ("user@example.com", "correct horse battery");

/// Whether the server is one for development.
pub(crate) fn is_on() -> Result<bool, String> {
    match env::var("DEVELOPMENT").as_deref() {
        Ok("1") => Ok(true),
        Ok("0") => Ok(false),
        Ok(other) => Err(format!("DEVELOPMENT is 0 or 1, and not `{other}`")),
        Err(_) => Ok(cfg!(debug_assertions)),
    }
}

/// Makes the member that the pages and the documentation speak of, unless it is there, and tells of
/// it. Its address counts as verified.
pub(crate) async fn make_member(auth: &Auth<MemberUser>) -> Result<(), Box<dyn Error>> {
    let (email, password) = MEMBER;
    if auth.find_account(&AccountName::email(email)).await?.is_none() {
        let mut member = Register::with_profile(MemberProfile::default());
        (member.email, member.password) = (Some(email.into()), Some(password.into()));
        member.email_verified = Some(true);
        auth.register(member).await?;
    }
    println!(
        "DEVELOPMENT: everybody knows the member {email} and its password `{password}`. A release build does not make it."
    );
    Ok(())
}

/// Refuses a database in which the member has the password that everybody knows.
pub(crate) async fn refuse_member(auth: &Auth<MemberUser>) -> Result<(), Box<dyn Error>> {
    let (email, password) = MEMBER;
    let known = auth.find_account(&AccountName::email(email)).await?.is_some();
    if known && auth.verify_login(Login::email(email, password)).await.is_ok() {
        return Err(format!(
            "the member {email} in this database has a password that everybody knows; delete it or change its password. \
             DEVELOPMENT=1 starts the server all the same"
        )
        .into());
    }
    Ok(())
}
