//! Step-up: a user verifies its password again, before it does what cannot be undone.

use std::future::ready;

use crate::flow_error::flow_error;
use crate::flows::new_token::NewToken;
use crate::flows::password::Claim;
use crate::{
    Account, Auth, Event, Factor, HookVeto, IssuedToken, Password, PasswordUse, StoreError, StoredUser, TokenRecord,
    Unavailable, UserId, VerifyPasswordError,
};

/// Shows that a caller is the user, and not somebody who has found an open session.
#[derive(Clone, Debug)]
pub enum Reauthentication {
    /// The present password.
    Password(Password),
    /// The token of the caller, for which a factor was verified within `policy.tokens.step_up_ttl`.
    Token(Box<TokenRecord>),
}

impl From<Password> for Reauthentication {
    fn from(password: Password) -> Self {
        Self::Password(password)
    }
}

impl From<&str> for Reauthentication {
    fn from(password: &str) -> Self {
        Self::Password(password.into())
    }
}

impl From<String> for Reauthentication {
    fn from(password: String) -> Self {
        Self::Password(password.into())
    }
}

impl From<TokenRecord> for Reauthentication {
    fn from(token: TokenRecord) -> Self {
        Self::Token(Box::new(token))
    }
}

/// Why a caller is not accepted as the user.
pub(crate) enum ReauthenticationError {
    WrongPassword,
    StepUpRequired,
    Refused(HookVeto),
    Unavailable(Unavailable),
}

impl From<VerifyPasswordError> for ReauthenticationError {
    fn from(error: VerifyPasswordError) -> Self {
        match error {
            VerifyPasswordError::WrongPassword => Self::WrongPassword,
            VerifyPasswordError::Refused(veto) => Self::Refused(veto),
            VerifyPasswordError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

/// A user verifies its password again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StepUp {
    /// The token the user has. It is replaced.
    pub token: TokenRecord,
    /// The present password.
    pub password: Password,
}

impl StepUp {
    /// With the password.
    #[must_use]
    pub fn new(token: TokenRecord, password: impl Into<Password>) -> Self {
        Self { token, password: password.into() }
    }
}

flow_error! {
    /// Why a password was not accepted. The token is as it was.
    pub enum StepUpError {
        /// There is no such user, or the token has ended meanwhile.
        #[error("the token is not valid")]
        InvalidToken = Unauthenticated "INVALID_TOKEN",
        /// The password is wrong.
        #[error("Invalid current password")]
        WrongPassword = Invalid "INVALID_PASSWORD",
    }
    or {
        /// A hook refused the attempt.
        Refused(HookVeto),
    }
    from VerifyPasswordError { WrongPassword, Refused(veto), Unavailable(error) }
}

impl<U: Account> Auth<U> {
    /// Replaces a token by one for which the password was verified now. The old one ends (ASVS
    /// 7.2.4). Lifetime, scopes, client and other proofs are the same.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, Login, MemoryStore, Register, StepUp};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    /// let old = auth.login(Login::email("ada@example.com", "correct horse battery")).await?.token;
    ///
    /// let fresh = auth.step_up(StepUp::new(old.record, "correct horse battery")).await?;
    /// assert!(auth.is_fresh(&fresh.record, 60));
    /// assert!(auth.authenticate(old.secret.expose()).await.is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StepUpError`].
    pub async fn step_up(&self, step_up: StepUp) -> Result<IssuedToken, StepUpError> {
        let auth = &*self.0;
        let StepUp { token, password } = step_up;
        let found = self.bounded(auth.users.find_user(&token.user_id)).await?;
        let is_alive = |found: &StoredUser<U>| is_of(&token, found) && !token.is_expired(auth.clock.now());
        let found = found.filter(is_alive).ok_or(StepUpError::InvalidToken)?;
        let claim = Claim::User(&token.user_id, PasswordUse::StepUp);
        self.check_password(claim, ready(Ok(Some(found))), password).await?;
        let (old, auth) = (token.digest, self.clone());
        let proofs = token.proofs.clone().with(Factor::Password, self.now());
        let fresh = NewToken { proofs, ..NewToken::like(token) };
        self.change(|mut change| async move {
            let fresh = auth.commit_new_token(&mut change, fresh).await?;
            // Whoever removes the old token gets the new one: of several at the same time one, and
            // none whose token was ended meanwhile. That it is gone after a failure does not tell
            // who has removed it, so nobody gets the new one then.
            let replaced = auth.bounded::<_, StoreError>(auth.0.tokens.delete_token(&old)).await;
            auth.0.waiting.recheck(&fresh.record.user_id);
            if !matches!(replaced, Ok(true)) || change.is_late() {
                auth.discard_token(&fresh.record.digest).await;
            }
            if !replaced? {
                return Err(StepUpError::InvalidToken);
            }
            auth.emit(Event::SteppedUp { user_id: fresh.record.user_id.clone() }).await;
            Ok(fresh)
        })
        .await
    }

    /// Whether a factor was verified for this token within so many seconds.
    #[must_use]
    pub fn is_fresh(&self, token: &TokenRecord, seconds: i64) -> bool {
        token.is_fresh(self.0.clock.now(), seconds)
    }

    /// Verifies that a caller is this user. Returns the user.
    pub(crate) async fn reauthenticate(
        &self,
        found: StoredUser<U>,
        reauthentication: Reauthentication,
        used_for: PasswordUse,
    ) -> Result<StoredUser<U>, ReauthenticationError> {
        match reauthentication {
            Reauthentication::Password(password) => {
                let user = found.user.id();
                let claim = Claim::User(&user, used_for);
                Ok(self.check_password(claim, ready(Ok(Some(found))), password).await?.account)
            }
            Reauthentication::Token(token) => {
                match is_of(&token, &found) && self.is_fresh(&token, self.0.policy.tokens.step_up_ttl) {
                    true => Ok(found),
                    false => Err(ReauthenticationError::StepUpRequired),
                }
            }
        }
    }
}

/// Whether it is a token of this user that no change of the account has ended.
fn is_of<U: Account>(token: &TokenRecord, found: &StoredUser<U>) -> bool {
    let user_id: UserId = found.user.id();
    token.user_type == U::model_name() && token.user_id == user_id && token.rev == found.rev
}
