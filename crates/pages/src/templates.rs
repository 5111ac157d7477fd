//! The templates of the pages. An app changes how a page looks by one method of [`Templates`], and
//! keeps the others.

use askama::Template;

use crate::{
    AccountPage, ChangeEmailPage, ChangePasswordPage, ConfirmEmailChangePage, ConfirmPasswordPage, DeleteAccountPage,
    ForgotPasswordPage, Layout, LoginPage, LogoutPage, MessagePage, RegisterPage, ResendVerificationPage,
    ResetPasswordPage, VerifyEmailPage,
};

/// HTML, or why there is none: an error of any template engine.
pub type Rendered = Result<String, Box<dyn std::error::Error + Send + Sync>>;

/// What the pages are made with. Each method has the built-in template as its default.
///
/// A page's method gives what stands below the heading; the heading, the summary of errors and the
/// notice are added above it, and [`layout`](Self::layout) puts the frame around all of it. **What
/// a view holds is not escaped yet**, save for a [`Field`](crate::Field), which is a template
/// itself.
///
/// Another template for one page:
///
/// ```
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_pages::{ForgotPasswordPage, Pages, Rendered, Templates};
///
/// struct Acme;
///
/// impl Templates for Acme {
///     fn forgot_password(&self, view: &ForgotPasswordPage) -> Rendered {
///         let (url, email) = (view.page.url("/forgot-password"), &view.email);
///         Ok(format!(r#"<form method="post" action="{url}">{email}<button>Help!</button></form>"#))
///     }
/// }
///
/// let auth = Auth::new(MemoryStore::new());
/// let pages: axum::Router = Pages::new(auth).templates(Acme).router();
/// ```
///
/// Another frame, here with askama:
///
/// ```
/// use askama::Template;
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_pages::{Layout, Page, Pages, Rendered, Templates};
///
/// #[derive(Template)]
/// #[template(
///     ext = "html",
///     source = r#"<!doctype html>
/// <html lang="{{ page.language }}"><title>{{ page.document_title() }}</title>
/// <link rel="stylesheet" href="/acme.css">
/// <main>{{ content|safe }}</main>
/// </html>"#
/// )]
/// struct Frame<'a> {
///     page: &'a Page,
///     content: &'a str,
/// }
///
/// struct Acme;
///
/// impl Templates for Acme {
///     fn layout(&self, layout: &Layout<'_>) -> Rendered {
///         Ok(Frame { page: layout.page, content: layout.content }.render()?)
///     }
/// }
///
/// let auth = Auth::new(MemoryStore::new());
/// let pages: axum::Router = Pages::new(auth).templates(Acme).router();
/// ```
pub trait Templates: Send + Sync + 'static {
    /// The frame around each page: the whole document.
    fn layout(&self, layout: &Layout<'_>) -> Rendered {
        Ok(layout.render()?)
    }

    /// `/register`
    fn register(&self, view: &RegisterPage) -> Rendered {
        Ok(view.render()?)
    }

    /// `/login`
    fn login(&self, view: &LoginPage) -> Rendered {
        Ok(view.render()?)
    }

    /// `/logout`
    fn logout(&self, view: &LogoutPage) -> Rendered {
        Ok(view.render()?)
    }

    /// `/forgot-password`
    fn forgot_password(&self, view: &ForgotPasswordPage) -> Rendered {
        Ok(view.render()?)
    }

    /// `/reset-password`
    fn reset_password(&self, view: &ResetPasswordPage) -> Rendered {
        Ok(view.render()?)
    }

    /// `/verify-email`
    fn verify_email(&self, view: &VerifyEmailPage) -> Rendered {
        Ok(view.render()?)
    }

    /// `/resend-verification`
    fn resend_verification(&self, view: &ResendVerificationPage) -> Rendered {
        Ok(view.render()?)
    }

    /// `/change-password`
    fn change_password(&self, view: &ChangePasswordPage) -> Rendered {
        Ok(view.render()?)
    }

    /// `/change-email`
    fn change_email(&self, view: &ChangeEmailPage) -> Rendered {
        Ok(view.render()?)
    }

    /// `/confirm-email-change`
    fn confirm_email_change(&self, view: &ConfirmEmailChangePage) -> Rendered {
        Ok(view.render()?)
    }

    /// `/confirm-password`
    fn confirm_password(&self, view: &ConfirmPasswordPage) -> Rendered {
        Ok(view.render()?)
    }

    /// `/account`
    fn account(&self, view: &AccountPage) -> Rendered {
        Ok(view.render()?)
    }

    /// `/delete-account`
    fn delete_account(&self, view: &DeleteAccountPage) -> Rendered {
        Ok(view.render()?)
    }

    /// Every page that only says something, on any of the URLs.
    fn message(&self, view: &MessagePage) -> Rendered {
        Ok(view.render()?)
    }
}

/// The built-in ones.
pub(crate) struct BuiltIn;

impl Templates for BuiltIn {}
