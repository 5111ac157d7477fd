//! The view of `/change-email`.

use askama::Template;

use crate::feature::Feature;
use crate::field::Field;
use crate::layout::Page;

/// `/change-email`
#[derive(Clone, Debug, Template)]
#[template(path = "change_email.html")]
#[non_exhaustive]
pub struct ChangeEmailPage {
    /// What all pages have.
    pub page: Page,
    /// The present address.
    pub current: Option<String>,
    /// `email`, the new one
    pub email: Field,
}
