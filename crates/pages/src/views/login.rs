//! The view of `/login`.

use askama::Template;

use crate::feature::Feature;
use crate::field::Field;
use crate::layout::Page;

/// `/login`
#[derive(Clone, Debug, Template)]
#[template(path = "login.html")]
#[non_exhaustive]
pub struct LoginPage {
    /// What all pages have.
    pub page: Page,
    /// `email`: an address, or also a name where that is enough to sign up
    /// ([`policy.identifiers.email_required`](gatekit_core::IdentifierPolicy::email_required) is
    /// off).
    pub email: Field,
    /// `password`
    pub password: Field,
    /// The target afterwards, for a hidden field `return_to`.
    pub return_to: Option<String>,
}
