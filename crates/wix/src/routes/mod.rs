//! The routes for pages of the app's own.

mod apply_session_token;
pub(crate) mod call;
mod current_member;
mod login;
mod logout;
mod register;
mod set_password;
mod verify;

use axum::Router;
use axum::routing::{get, post};

use crate::WixMembers;

impl WixMembers {
    /// The routes for pages of the app's own, to nest into its router:
    /// `.nest("/wix", members.router())`. The [`AuthLayer`](gatekit_layer::AuthLayer) of the
    /// accounts must be mounted around them.
    ///
    /// | route | body | answer |
    /// | --- | --- | --- |
    /// | `POST /login` | `email`, `password` | `sessionToken`, `member` |
    /// | `POST /register` | `email`, `password`, `contactInfo`?, `privacyStatus`?, `profile`? | `status`, `sessionToken`?, `stateToken`?, `member`? |
    /// | `POST /verify` | `code`, `stateToken` | `sessionToken`, `member` |
    /// | `POST /resend-verification` | `stateToken` | `stateToken` |
    /// | `POST /apply-session-token` | `sessionToken` | `member`, and the browser is signed in; with `?cookie=false`, `accessToken`, `expiresIn` |
    /// | `POST /logout` | | 204 |
    /// | `POST /send-set-password-email` | `email`, `hideIgnoreMessage`? | `accepted` |
    /// | `POST /set-password` | `token`, `password` | 204 |
    /// | `GET /current-member?fieldsets=FULL` | | `member`, which is `null` if nobody is logged in |
    ///
    /// Bodies are JSON. What goes wrong is told as [`WixError`](crate::WixError) says. No answer is
    /// kept by a cache, and a POST that a page of another origin has sent is refused with 403.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Router::new()
            .route("/login", post(login::handler))
            .route("/register", post(register::handler))
            .route("/verify", post(verify::verify))
            .route("/resend-verification", post(verify::resend))
            .route("/apply-session-token", post(apply_session_token::handler))
            .route("/logout", post(logout::handler))
            .route("/send-set-password-email", post(set_password::send))
            .route("/set-password", post(set_password::set))
            .route("/current-member", get(current_member::handler))
            .with_state(self.clone())
    }
}
