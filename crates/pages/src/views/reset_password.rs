//! The view of `/reset-password`.

use askama::Template;

use crate::field::Field;
use crate::layout::Page;

/// `/reset-password`
#[derive(Clone, Debug, Template)]
#[template(path = "reset_password.html")]
#[non_exhaustive]
pub struct ResetPasswordPage {
    /// What all pages have.
    pub page: Page,
    /// The address or name of the user whose password it is, for password managers.
    pub username: Option<String>,
    /// `password`
    pub password: Field,
    /// A note that another user is logged in here, if so.
    pub note: Option<String>,
}
