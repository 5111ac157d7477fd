//! Logs a browser in and out: the token goes where the layer finds it again, and the token before
//! it ends.

use axum::response::Response;
use gatekit_core::{Account, IssuedToken, Login, LoginError};
use gatekit_web::{client, remember_device, sign_in, sign_out, with_cookies};

use crate::failure::Failure;
use crate::visit::Visit;

/// Why a visitor was not logged in.
pub(crate) enum LogInFailure {
    /// The flow refused the login.
    Refused(LoginError),
    /// The token could not be delivered.
    Failed(Failure),
}

impl From<Failure> for LogInFailure {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<U: Account> Visit<U> {
    /// Logs a user in and redirects to `target`. The device gets a cookie that identifies it, if
    /// the policy asks for that.
    pub(crate) async fn log_in(&self, mut login: Login, target: &str) -> Result<Response, LogInFailure> {
        let auth = self.context.auth();
        login.client = client(auth, &self.parts);
        let device = remember_device(auth, &self.parts, &mut login.client).map_err(Failure::from)?;
        let session = auth.login(login.mails(self.context.notices())).await.map_err(LogInFailure::Refused)?;
        Ok(with_cookies(self.sign_in(&session.token, target).await?, &device))
    }

    /// Logs the browser in with a token and redirects to `target`. The tokens that it had before
    /// end (ASVS 7.2.4).
    pub(crate) async fn sign_in(&self, token: &IssuedToken, target: &str) -> Result<Response, Failure> {
        let headers = sign_in(self.context.auth(), &self.browser, &self.parts.headers, token).await?;
        Ok(with_cookies(self.context.redirect_to(target), &headers))
    }

    /// Ends the browser's tokens, takes back its cookie or session, and redirects to `path`.
    pub(crate) async fn sign_out(&mut self, path: &str) -> Result<Response, Failure> {
        let token = self.caller().await?.map(|caller| caller.token.digest);
        let headers = sign_out(self.context.auth(), &self.browser, &self.parts.headers, token).await?;
        Ok(with_cookies(self.context.redirect(path), &headers))
    }

    /// Takes back the cookie or session of tokens that have ended, and redirects to `path`.
    pub(crate) async fn forget(&self, path: &str) -> Result<Response, Failure> {
        let headers = self.browser.sign_out().await?;
        Ok(with_cookies(self.context.redirect(path), &headers))
    }
}
