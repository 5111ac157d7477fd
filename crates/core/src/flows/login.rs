//! A password for a token.

use crate::flow_error::flow_error;
use crate::{
    Account, Auth, Client, Factor, HookVeto, IssuedToken, MailOptions, Password, Proofs, TokenClient, TokenRecord,
    TokenSecret, Unavailable, UserId,
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

    /// [`login`](Self::login), by the handle of its client.
    async fn log_in(&self, login: Login) -> Result<LoggedIn<U>, LoginError> {
        let wanted = self.wanted_login(&login)?;
        let ttl = self.effective_ttl(login.ttl).ok_or(LoginError::InvalidTtl)?;
        let (found, _) = self.check_login(&wanted, login.password.clone()).await?;
        let blank = self.blank_token(found.user.id(), found.rev, ttl);
        let token = TokenRecord {
            proofs: Proofs::of(Factor::Password, blank.created),
            client: TokenClient::new(login.client.user_agent.as_deref(), login.client.ip),
            ..blank
        };
        let (auth, Login { client, mails, .. }) = (self.clone(), login);
        self.change(|mut change| async move {
            let token = auth.commit_new_token(&mut change, token).await?;
            auth.welcome(&found.user, token.record.created, &client, &mails).await;
            Ok(LoggedIn { user: found.user, token })
        })
        .await
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
