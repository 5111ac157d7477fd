//! The view of `/register`.

use askama::Template;

use crate::feature::Feature;
use crate::field::Field;
use crate::layout::Page;

/// `/register`
#[derive(Clone, Debug, Template)]
#[template(path = "register.html")]
#[non_exhaustive]
pub struct RegisterPage {
    /// What all pages have.
    pub page: Page,
    /// `username`, where a name is enough to sign up
    /// ([`policy.identifiers.email_required`](gatekit_core::IdentifierPolicy::email_required) is
    /// off).
    pub username: Option<Field>,
    /// `email`
    pub email: Field,
    /// `password`
    pub password: Field,
    /// The fields of the profile that the app has declared by
    /// [`Pages::profile_field`](crate::Pages::profile_field), in their order.
    pub profile: Vec<Field>,
    /// What was entered into fields that only a template of the app's has: name and value. They
    /// become part of the user's [`Profile`](gatekit_core::Account::Profile), all of them as texts.
    pub others: Vec<(String, String)>,
    /// The target afterwards, for a hidden field `return_to`.
    pub return_to: Option<String>,
}
