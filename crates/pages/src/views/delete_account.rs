//! The view of `/delete-account`.

use askama::Template;

use crate::feature::Feature;
use crate::layout::Page;

/// `/delete-account`
#[derive(Clone, Debug, Template)]
#[template(path = "delete_account.html")]
#[non_exhaustive]
pub struct DeleteAccountPage {
    /// What all pages have.
    pub page: Page,
    /// The problem with the checkbox `confirm`.
    pub error: Option<String>,
}
