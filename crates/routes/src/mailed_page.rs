//! Plain pages that mailed links lead to where the app has none of its own, so that no link leads
//! to a 404.
//!
//! 1. The secret is in the query. Mail gateways that rewrite links leave a query alone; what is
//!    behind a `#` some of them lose, or make `%23` of it.
//! 2. A GET changes nothing, so a mail scanner spends nothing. The button sends the secret in the
//!    body of a POST.
//! 3. No script and no cookie. Nothing of the response is stored, framed, or told to the next page.
//!
//! They are in English and have no look. `Builder::reset_link` and `Builder::change_email_link`
//! lead to pages of the app's own, and `gatekit::pages` brings some in several languages.

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use gatekit_core::{
    Account, Auth, ChangeEmail, ChangeEmailError, PasswordReset, ResetPasswordError, TokenSecret, escape_html,
};
use gatekit_layer::ErrorResponse;
use gatekit_web::{client, mail_options, private_url};

use crate::UserApi;
use crate::body::Args;
use crate::errors::IntoError;

const INVALID: &str = "<p>This link is too old, or it was used already. Ask for a new one.</p>";

/// `GET /reset-password/form?token=`: a form for the new password.
pub(crate) async fn reset_form<U: Account>(
    State(UserApi { auth, .. }): State<UserApi<U>>,
    uri: Uri,
) -> Result<Response, ErrorResponse> {
    let secret = secret_in(&uri);
    let is_good = match &secret {
        Some(secret) => auth.is_reset_token(secret).await.map_err(|error| error.into_error(U::model_name()))?,
        None => false,
    };
    Ok(match secret.filter(|_| is_good) {
        Some(secret) => reset_page(&auth, StatusCode::OK, &secret, ""),
        None => page(StatusCode::BAD_REQUEST, "This link is not valid", INVALID),
    })
}

/// `POST /reset-password/form`, by that form.
pub(crate) async fn reset<U: Account>(
    State(UserApi { auth, answers }): State<UserApi<U>>,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let (parts, body) = request.into_parts();
    let auth = auth.for_client(client(&auth, &parts));
    let args = Args::read(auth.policy(), &answers, &parts.headers, body).await?;
    let (secret, new) = (args.text("token")?.required()?, args.text("newPassword")?.required()?);
    let reset = PasswordReset::new(TokenSecret::from(secret.expose()), new).mails(mail_options(&auth, &parts.headers));
    match auth.reset_password(reset).await {
        Ok(()) => Ok(page(StatusCode::OK, "Your password is changed", "<p>You can log in with it now.</p>")),
        Err(error @ ResetPasswordError::Unavailable(_)) => Err(error.into_error(U::model_name())),
        Err(ResetPasswordError::InvalidToken | ResetPasswordError::UserNotFound(_)) => {
            Ok(page(StatusCode::BAD_REQUEST, "This link is not valid", INVALID))
        }
        Err(error) => {
            let problem = format!("<p role=\"alert\">{}</p>", escape_html(&error.to_string()));
            Ok(reset_page(&auth, StatusCode::UNPROCESSABLE_ENTITY, secret.expose(), &problem))
        }
    }
}

fn reset_page<U: Account>(auth: &Auth<U>, status: StatusCode, secret: &str, problem: &str) -> Response {
    let content = format!(
        "{problem}<form method=\"post\" action=\"form\"><input type=\"hidden\" name=\"token\" value=\"{}\">\
         <p><label for=\"password\">New password</label> <input id=\"password\" name=\"newPassword\" type=\"password\" \
         autocomplete=\"new-password\" minlength=\"{}\" required></p><p><button>Save</button></p></form>",
        escape_html(secret),
        auth.policy().passwords.min_chars
    );
    page(status, "Choose a new password", &content)
}

/// `GET /confirm-email-change/form?token=`: a button.
pub(crate) async fn change_email_form(uri: Uri) -> Response {
    let Some(secret) = secret_in(&uri) else {
        return page(StatusCode::BAD_REQUEST, "This link is not valid", INVALID);
    };
    let content = format!(
        "<form method=\"post\" action=\"form\"><input type=\"hidden\" name=\"token\" value=\"{}\">\
         <p><button>Use this address for my account</button></p></form>",
        escape_html(&secret)
    );
    page(StatusCode::OK, "Confirm your new address", &content)
}

/// `POST /confirm-email-change/form`, by that button.
pub(crate) async fn change_email<U: Account>(
    State(UserApi { auth, answers }): State<UserApi<U>>,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let (parts, body) = request.into_parts();
    let auth = auth.for_client(client(&auth, &parts));
    let args = Args::read(auth.policy(), &answers, &parts.headers, body).await?;
    let secret = args.text("token")?.required()?;
    let change = ChangeEmail::new(TokenSecret::from(secret.expose())).mails(mail_options(&auth, &parts.headers));
    match auth.change_email(change).await {
        Ok(_) => Ok(page(StatusCode::OK, "Your address is changed", "<p>You can log in with it now.</p>")),
        Err(error @ ChangeEmailError::Unavailable(_)) => Err(error.into_error(U::model_name())),
        Err(_) => Ok(page(StatusCode::BAD_REQUEST, "This link is not valid", INVALID)),
    }
}

/// What could be a secret of ours: letters and digits.
fn secret_in(uri: &Uri) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    let (_, secret) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "token")?;
    let is_sound = (1..=512).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_sound.then(|| secret.into_owned())
}

/// A page whose URL may hold a secret: it loads nothing, its form comes back to this site, and the
/// next page is not told where it was. `title` is text, `content` is HTML.
pub(crate) fn page(status: StatusCode, title: &str, content: &str) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{0}</title><main><h1>{0}</h1>{content}</main></html>",
        escape_html(title)
    );
    private_url((status, HEADERS, html).into_response())
}
