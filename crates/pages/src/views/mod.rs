//! The values that pages are made of: one view for each page, which a template renders.
//!
//! A view knows neither users nor requests. The handlers of the page with the same name fill it in.

mod account;
mod change_email;
mod change_password;
mod confirm_email_change;
mod confirm_password;
mod delete_account;
mod forgot_password;
mod login;
mod logout;
mod register;
mod resend_verification;
mod reset_password;
mod verify_email;

pub use {
    account::{AccountPage, Session, Time},
    change_email::ChangeEmailPage,
    change_password::ChangePasswordPage,
    confirm_email_change::ConfirmEmailChangePage,
    confirm_password::ConfirmPasswordPage,
    delete_account::DeleteAccountPage,
    forgot_password::ForgotPasswordPage,
    login::LoginPage,
    logout::LogoutPage,
    register::RegisterPage,
    resend_verification::ResendVerificationPage,
    reset_password::ResetPasswordPage,
    verify_email::VerifyEmailPage,
};
