//! The view of `/change-password`.

use askama::Template;

use crate::feature::Feature;
use crate::field::Field;
use crate::layout::Page;

/// `/change-password`
#[derive(Clone, Debug, Template)]
#[template(path = "change_password.html")]
#[non_exhaustive]
pub struct ChangePasswordPage {
    /// What all pages have.
    pub page: Page,
    /// The user's address or name, for password managers.
    pub username: Option<String>,
    /// `current_password`
    pub current_password: Field,
    /// `password`, the new one
    pub password: Field,
}
