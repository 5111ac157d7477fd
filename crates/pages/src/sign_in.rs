//! How is somebody logged in here? The token goes where the layer finds it again, and the one
//! before it ends.

use axum::response::Response;
use gatekit_core::{Account, IssuedToken, Login, LoginError};
use gatekit_web::{client, end_tokens, remember_device, sign_in};

use crate::respond::{Failure, with_headers};
use crate::visit::Visit;

/// Why somebody was not logged in.
pub(crate) enum LogInFailure {
    /// The flow says no.
    Refused(LoginError),
    /// It went wrong on the way.
    Failed(Failure),
}

impl From<Failure> for LogInFailure {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<U: Account> Visit<U> {
    /// Logs somebody in and goes to `target`, on a device that is known from then on, if the policy
    /// wants to know it.
    pub(crate) async fn log_in(&self, mut login: Login, target: &str) -> Result<Response, LogInFailure> {
        let auth = self.stage.auth();
        login.client = client(auth, &self.parts);
        let device = remember_device(auth, &self.parts, &mut login.client).map_err(Failure::from)?;
        let session = auth.login(login.mails(self.stage.notices())).await.map_err(LogInFailure::Refused)?;
        Ok(with_headers(self.sign_in(&session.token, target).await?, &device))
    }

    /// Signs the browser in with a token and goes to `target`. The tokens it was signed in with
    /// before end (ASVS 7.2.4).
    pub(crate) async fn sign_in(&self, token: &IssuedToken, target: &str) -> Result<Response, Failure> {
        let headers = sign_in(self.stage.auth(), &self.browser, &self.parts.headers, token).await?;
        Ok(with_headers(self.stage.redirect_to(target), &headers))
    }

    /// Ends the tokens the browser has and takes them back.
    pub(crate) async fn sign_out(&mut self, path: &str) -> Result<Response, Failure> {
        let mut digests = self.browser.presented(&self.parts.headers).await?;
        digests.extend(self.caller().await?.map(|caller| caller.token.digest));
        end_tokens(self.stage.auth(), &digests).await?;
        self.forget(path).await
    }

    /// Takes back what the browser has, of tokens that have ended.
    pub(crate) async fn forget(&self, path: &str) -> Result<Response, Failure> {
        let headers = self.browser.sign_out().await?;
        Ok(with_headers(self.stage.redirect(path), &headers))
    }
}
