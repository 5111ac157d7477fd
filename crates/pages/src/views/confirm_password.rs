//! The view of `/confirm-password`.

use askama::Template;

use crate::field::Field;
use crate::layout::Page;

/// `/confirm-password`
#[derive(Clone, Debug, Template)]
#[template(path = "confirm_password.html")]
#[non_exhaustive]
pub struct ConfirmPasswordPage {
    /// What all pages have.
    pub page: Page,
    /// The user's address or name, for password managers.
    pub username: Option<String>,
    /// `password`
    pub password: Field,
    /// The target afterwards, for a hidden field `return_to`.
    pub return_to: Option<String>,
}
