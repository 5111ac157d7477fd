//! The view of `/resend-verification`.

use askama::Template;

use crate::feature::Feature;
use crate::field::Field;
use crate::layout::Page;

/// `/resend-verification`
#[derive(Clone, Debug, Template)]
#[template(path = "resend_verification.html")]
#[non_exhaustive]
pub struct ResendVerificationPage {
    /// What all pages have.
    pub page: Page,
    /// `email`
    pub email: Field,
}
