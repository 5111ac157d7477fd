//! The view of `/logout`.

use askama::Template;

use crate::layout::Page;

/// `/logout`
#[derive(Clone, Debug, Template)]
#[template(path = "logout.html")]
#[non_exhaustive]
pub struct LogoutPage {
    /// What all pages have.
    pub page: Page,
}
