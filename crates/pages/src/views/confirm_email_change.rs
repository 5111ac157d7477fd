//! The view of `/confirm-email-change`.

use askama::Template;

use crate::layout::Page;

/// `/confirm-email-change`
#[derive(Clone, Debug, Template)]
#[template(path = "confirm_email_change.html")]
#[non_exhaustive]
pub struct ConfirmEmailChangePage {
    /// What all pages have.
    pub page: Page,
    /// The new address.
    pub email: String,
    /// A note that another user is logged in here, if so.
    pub note: Option<String>,
}
