//! The view of `/forgot-password`.

use askama::Template;

use crate::feature::Feature;
use crate::field::Field;
use crate::layout::Page;

/// `/forgot-password`
#[derive(Clone, Debug, Template)]
#[template(path = "forgot_password.html")]
#[non_exhaustive]
pub struct ForgotPasswordPage {
    /// What all pages have.
    pub page: Page,
    /// `email`
    pub email: Field,
}
