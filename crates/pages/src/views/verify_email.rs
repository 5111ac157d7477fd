//! The view of `/verify-email`.

use askama::Template;

use crate::layout::Page;

/// `/verify-email`
#[derive(Clone, Debug, Template)]
#[template(path = "verify_email.html")]
#[non_exhaustive]
pub struct VerifyEmailPage {
    /// What all pages have.
    pub page: Page,
    /// The address that the link is for.
    pub email: String,
    /// A note that another user is logged in here, if so.
    pub note: Option<String>,
}
