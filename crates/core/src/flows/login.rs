//! A password for a token. The steps, in order: find the account, verify the password, admit the
//! user, issue the token, welcome the user.

use crate::flow_error::flow_error;
use crate::flows::identifier::{Unnamed, Wanted};
use crate::flows::new_token::NewToken;
use crate::flows::password::{Claim, VerifiedPassword};
use crate::{
    Account, AccountStatus, Auth, Client, DeviceSeen, Event, Factor, HookVeto, IssuedToken, LoginFailure, MailOptions,
    Password, Proofs, StoredUser, Timestamp, TokenClient, TokenSecret, Unavailable, UserId, Verified,
    VerifyPasswordError,
};

/// Somebody wants to log in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Login {
    /// The address. It counts before the username.
    pub email: Option<String>,
    /// The name.
    pub username: Option<String>,
    /// The realm, if the app has realms.
    pub realm: Option<String>,
    /// The password.
    pub password: Password,
    /// The lifetime asked for; see [`IssueToken::ttl`](crate::IssueToken::ttl).
    pub ttl: Option<i64>,
    /// On what.
    pub client: Client,
    /// How the notice of a login from an unknown device is written.
    pub mails: MailOptions,
}

impl Login {
    /// With an address.
    #[must_use]
    pub fn email(email: impl Into<String>, password: impl Into<Password>) -> Self {
        Self { email: Some(email.into()), ..Self::password(password) }
    }

    /// With a name.
    #[must_use]
    pub fn username(username: impl Into<String>, password: impl Into<Password>) -> Self {
        Self { username: Some(username.into()), ..Self::password(password) }
    }

    /// With a password, and an identifier that is set field by field.
    #[must_use]
    pub fn password(password: impl Into<Password>) -> Self {
        Self {
            email: None,
            username: None,
            realm: None,
            password: password.into(),
            ttl: None,
            client: Client::default(),
            mails: MailOptions::default(),
        }
    }

    /// In this realm.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// From there.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.client = client;
        self
    }

    /// With the notice of an unknown device written like this.
    #[must_use]
    pub fn mails(mut self, options: MailOptions) -> Self {
        self.mails = options;
        self
    }

    /// For this long, in seconds.
    #[must_use]
    pub fn ttl(mut self, seconds: i64) -> Self {
        self.ttl = Some(seconds);
        self
    }
}

/// Somebody who has logged in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoggedIn<U> {
    /// Who.
    pub user: U,
    /// The token, with its secret.
    pub token: IssuedToken,
}

flow_error! {
    /// Why a login was refused. The first three are found before the store is asked.
    pub enum LoginError {
        /// Neither address nor name.
        #[error("username or email is required")]
        IdentifierRequired = Invalid "USERNAME_EMAIL_REQUIRED",
        /// The policy has realms and none was named.
        #[error("realm is required")]
        RealmRequired = Invalid "REALM_REQUIRED",
        /// The lifetime asked for is negative.
        #[error("ttl must be a positive whole number of seconds")]
        InvalidTtl = Invalid "INVALID_TTL",
        /// Unknown user, wrong password, or a user without one: the caller does not learn which.
        /// Where a sign-up hides that an address is taken
        /// ([`Policy::hides_taken_email`](crate::Policy::hides_taken_email)), an unverified address
        /// too.
        #[error("login failed")]
        InvalidCredentials = Unauthenticated "LOGIN_FAILED",
        /// The password is right, and the account is blocked.
        #[error("the account is blocked")]
        Blocked = Forbidden "ACCOUNT_BLOCKED",
        /// The password is right, and somebody has yet to approve of the account.
        #[error("the account has not been approved yet")]
        Pending = Forbidden "ACCOUNT_PENDING",
        /// The password is right, and those who run the app have reset it: a new one must be chosen
        /// by mail.
        #[error("the password was reset; choose a new one")]
        PasswordReset = Forbidden "PASSWORD_RESET",
        /// The password is right, but the address is not verified,
        /// `Policy::email_verification_required` is set, and a sign-up tells that an address is
        /// taken.
        #[error("login failed as the email has not been verified")]
        EmailNotVerified {
            /// Whose, so that a client can ask for the mail again.
            user_id: UserId,
        } = Unauthenticated "LOGIN_FAILED_EMAIL_NOT_VERIFIED" of user_id,
    }
    or {
        /// A hook refused it.
        Refused(HookVeto),
    }
}

impl From<VerifyPasswordError> for LoginError {
    fn from(error: VerifyPasswordError) -> Self {
        match error {
            VerifyPasswordError::WrongPassword => Self::InvalidCredentials,
            VerifyPasswordError::Refused(veto) => Self::Refused(veto),
            VerifyPasswordError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl<U: Account> Auth<U> {
    /// Checks a password and issues a token.
    ///
    /// An unknown user, a wrong password and a user without a password are one and the same to the
    /// caller: same error, and the same hashing work (ASVS 6.3.8). A hash made with other
    /// parameters than today's is replaced on the way.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, Login, LoginError, MemoryStore, Register};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    ///
    /// let session = auth.login(Login::email("ada@example.com", "correct horse battery").ttl(3600)).await?;
    /// assert_eq!(session.token.record.ttl, 3600);
    ///
    /// let refused = auth.login(Login::email("ada@example.com", "a wrong one")).await;
    /// assert!(matches!(refused, Err(LoginError::InvalidCredentials)));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoginError`].
    pub async fn login(&self, login: Login) -> Result<LoggedIn<U>, LoginError> {
        let auth = self.with_client(&login.client);
        auth.log_in(Login { client: auth.client(), ..login }).await
    }

    /// The steps of a login, by the handle of its client.
    async fn log_in(&self, login: Login) -> Result<LoggedIn<U>, LoginError> {
        let wanted = self.wanted_login(&login)?;
        let ttl = self.effective_ttl(login.ttl).ok_or(LoginError::InvalidTtl)?;
        let (found, _) = self.verify_credentials(&wanted, login.password.clone()).await?;
        self.issue_and_welcome(found, ttl, login).await
    }

    /// What a login looks for.
    pub(crate) fn wanted_login(&self, login: &Login) -> Result<Wanted, LoginError> {
        let wanted = self.wanted_by(login.email.as_deref(), login.username.as_deref(), login.realm.as_deref());
        wanted.map_err(|unnamed| match unnamed {
            Unnamed::Realm => LoginError::RealmRequired,
            Unnamed::Identifier => LoginError::IdentifierRequired,
        })
    }

    /// Finds the account, verifies its password, and decides whether it may log in. The account
    /// that is returned has the hash that is stored now.
    pub(crate) async fn verify_credentials(
        &self,
        wanted: &Wanted,
        password: Password,
    ) -> Result<(StoredUser<U>, Verified), LoginError> {
        let claim = Claim::Login(wanted.identifier.as_ref());
        let right = self.check_password(claim, self.find_wanted(wanted), password.clone()).await?;
        let VerifiedPassword { account: mut found, verified, pause } = right;
        match self.admit(&found.user, found.status).await {
            Ok(()) => {}
            // Where a sign-up hides that an address was taken, a login with its password must not
            // tell it, nor by its time.
            Err(LoginError::EmailNotVerified { .. }) if self.0.policy.hides_taken_email() => {
                pause.over().await;
                return Err(LoginError::InvalidCredentials);
            }
            Err(error) => return Err(error),
        }
        if verified.outdated {
            self.renew_hash(&mut found, password).await;
        }
        Ok((found, verified))
    }

    /// Decides whether a user whose proof was right may log in. A no raises its event.
    pub(crate) async fn admit(&self, user: &U, status: AccountStatus) -> Result<(), LoginError> {
        let admitted = self.is_admitted(user, status).await;
        // A hook that failed has said nothing of the login.
        if let Some(reason) = admitted.as_ref().err().and_then(failure) {
            self.emit(Event::LoginFailed { user_id: Some(user.id()), identifier: None, reason }).await;
        }
        admitted
    }

    async fn is_admitted(&self, user: &U, status: AccountStatus) -> Result<(), LoginError> {
        match status {
            AccountStatus::Active => {}
            AccountStatus::Pending => return Err(LoginError::Pending),
            AccountStatus::Blocked => return Err(LoginError::Blocked),
            AccountStatus::PasswordReset => return Err(LoginError::PasswordReset),
        }
        if self.0.policy.email.verification_required && user.email_verified() != Some(true) {
            return Err(LoginError::EmailNotVerified { user_id: user.id() });
        }
        for hooks in &self.0.hooks {
            self.ask_hook::<LoginError>(hooks.before_login(user)).await?;
        }
        Ok(())
    }

    /// Issues the token, and welcomes the user.
    async fn issue_and_welcome(&self, found: StoredUser<U>, ttl: i64, login: Login) -> Result<LoggedIn<U>, LoginError> {
        let (auth, Login { client, mails, .. }) = (self.clone(), login);
        let proofs = Proofs::of(Factor::Password, self.now());
        let token = NewToken { proofs, ..NewToken::of(&found, ttl, &client) };
        self.change(|mut change| async move {
            let token = auth.commit_new_token(&mut change, token).await?;
            auth.welcome(&found.user, token.record.created, &client, &mails).await;
            Ok(LoggedIn { user: found.user, token })
        })
        .await
    }

    /// What follows a login at this moment: a notice if the device was not seen before, and the
    /// event.
    pub(crate) async fn welcome(&self, user: &U, at: Timestamp, client: &Client, mails: &MailOptions) {
        self.notice_device(user, at, client, mails).await;
        self.emit(Event::LoggedIn { user: user.clone() }).await;
    }

    /// Tells the user of a device it was not seen on before. The login does not depend on it.
    async fn notice_device(&self, user: &U, at: Timestamp, client: &Client, mails: &MailOptions) {
        let auth = &*self.0;
        // `Builder::build` has seen to it that the two come together.
        let Some(devices) = auth.devices.as_ref().filter(|_| auth.policy.mail.notify_unknown_device) else { return };
        let (id, device) = (user.id(), client.digest());
        match self.bounded(devices.remember_device(U::model_name(), &id, &device, at)).await {
            Ok(DeviceSeen::New) => {
                let client = TokenClient::new(client.user_agent.as_deref(), client.ip);
                self.post_device_notice(user.email(), mails, at, client.as_ref());
            }
            Ok(DeviceSeen::Known | DeviceSeen::First) => {}
            Err(error) => tracing::warn!(%error, "a login could not be compared with the devices of its user"),
        }
    }
    /// A secret to know a device by from now on: what [`Client::device`] takes, and the browser
    /// keeps in a cookie.
    ///
    /// # Errors
    ///
    /// [`Unavailable::Random`].
    pub fn new_device(&self) -> Result<TokenSecret, Unavailable> {
        self.new_secret()
    }
}

/// Why a login failed whose password was right; `None` if nothing was decided.
fn failure(error: &LoginError) -> Option<LoginFailure> {
    match error {
        LoginError::Pending => Some(LoginFailure::Pending),
        LoginError::Blocked => Some(LoginFailure::Blocked),
        LoginError::PasswordReset => Some(LoginFailure::PasswordReset),
        LoginError::EmailNotVerified { .. } => Some(LoginFailure::EmailNotVerified),
        LoginError::Refused(_) => Some(LoginFailure::Refused),
        _ => None,
    }
}
