//! Pages to sign up, log in and manage an account: HTML forms that work without JavaScript, to
//! mount into an axum app.
//!
//! An app depends on the `gatekit` crate, which re-exports this one as `gatekit::pages`.
//!
//! ```
//! use axum::Router;
//! use gatekit_core::{Auth, MemoryStore};
//! use gatekit_layer::AuthLayer;
//! use gatekit_pages::Pages;
//!
//! let auth = Auth::new(MemoryStore::new());
//! let app: Router = Router::new()
//!     .merge(Pages::new(auth.clone()).router())
//!     .layer(AuthLayer::new(auth));
//! ```
//!
//! # Pages
//!
//! | [`Feature`] | URL | fields of the form | what follows |
//! | --- | --- | --- | --- |
//! | `Register` | `/register` | `email`, `password`, those of [`Pages::profile_field`] | logged in; or "check your mail", where the policy wants a verified address |
//! | `Login` | `/login` | `email`, `password` | `return_to`, or [`Pages::after_login`] |
//! | | `/logout` | | `/login` |
//! | | `/confirm-password` | `password` | `return_to` |
//! | `ResetPassword` | `/forgot-password` | `email` | "check your mail" |
//! | | `/reset-password?token=…` | `password` | `/login` |
//! | `VerifyEmail` | `/verify-email?token=…` | | "address confirmed" |
//! | | `/resend-verification` | `email` | "check your mail" |
//! | `ChangePassword` | `/change-password`, `/.well-known/change-password` | `current_password`, `password` | `/account` |
//! | `ChangeEmail` | `/change-email` | `email` | "check your mail" |
//! | | `/confirm-email-change?token=…` | | `/account` |
//! | `Account` | `/account` | `session`, to end one | `/account` |
//! | `DeleteAccount` | `/delete-account` | `confirm` | `/login` |
//! | always | `/gatekit.css`, `/gatekit.js` | | |
//!
//! The [`AuthLayer`](gatekit_layer::AuthLayer) must be mounted around them, with a token cookie or
//! a session among its sources, as it has by default. Links and redirects know the prefix the pages
//! are nested under.
//!
//! # What always holds
//!
//! - A POST that a page of another origin has sent is refused with 403.
//! - A GET spends nothing. A mailed link opens a form, and takes its secret out of the URL before
//!   that.
//! - Nothing is cached, framed, or loaded from elsewhere: each answer has the headers that say so.
//! - Nobody is sent elsewhere than [`Auth::may_redirect_to`](gatekit_core::Auth::may_redirect_to)
//!   allows.
//! - A store that fails is a 503 page, never "logged out".
//! - The cookie of a token that has ended is taken back.
//! - A path with one slash at its end leads to the page. [`ignore_case`] finds it in any case.

mod account;
mod ask_to_log_in;
mod asker;
mod assets;
mod change_email;
mod change_password;
mod confirm_email_change;
mod confirm_password;
mod declared;
mod delete_account;
mod device;
mod failure;
mod feature;
mod field;
mod forgot_password;
mod form;
mod ignore_case;
mod language;
mod layout;
mod login;
mod logout;
mod look;
mod mail_token;
mod page_context;
mod pages;
mod profile_field;
mod redirect;
mod refused;
mod register;
mod resend_verification;
mod reset_password;
mod respond;
mod return_to;
mod route;
mod router;
mod sign_in;
mod table;
mod templates;
mod texts;
mod verify_email;
mod views;
mod visit;
mod well_known;

pub use {
    ask_to_log_in::{AskToLogInLayer, AskToLogInService},
    feature::Feature,
    field::{Choice, Field, Toggle},
    ignore_case::ignore_case,
    language::{Language, Languages},
    layout::{LanguageLink, Layout, Link, MessagePage, Page, Problem},
    pages::Pages,
    profile_field::ProfileField,
    table::route_table,
    templates::{Rendered, Templates},
    views::{
        AccountPage, ChangeEmailPage, ChangePasswordPage, ConfirmEmailChangePage, ConfirmPasswordPage,
        DeleteAccountPage, ForgotPasswordPage, LoginPage, LogoutPage, RegisterPage, ResendVerificationPage,
        ResetPasswordPage, Session, Time, VerifyEmailPage,
    },
    well_known::change_password_redirect,
};
