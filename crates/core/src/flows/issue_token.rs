//! A token for a user, without a password: for the app's own code, and the last step of a login.

use crate::flow_error::flow_error;
use crate::flows::new_token::NewToken;
use crate::{Account, AccountStatus, Auth, Client, IssuedToken, Proofs, TokenSecret, UserId};

/// A token to be issued.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct IssueToken {
    /// Lifetime in seconds. `None` for `policy.tokens.ttl`, `-1` for one that never ends where the
    /// policy allows that; what exceeds `policy.tokens.max_ttl` is cut to it.
    pub ttl: Option<i64>,
    /// What it may be used for; see [`TokenRecord::scopes`](crate::TokenRecord::scopes).
    pub scopes: Option<Vec<String>>,
    /// Which factors the user has verified, and when; see
    /// [`TokenRecord::proofs`](crate::TokenRecord::proofs). None unless set.
    pub proofs: Proofs,
    /// On what it is issued, for the user's list of sessions.
    pub client: Client,
    /// Its secret; `None` for a random one. See [`secret`](Self::secret).
    pub secret: Option<TokenSecret>,
}

impl IssueToken {
    /// A token with this lifetime, in seconds.
    #[must_use]
    pub fn ttl(mut self, seconds: i64) -> Self {
        self.ttl = Some(seconds);
        self
    }

    /// A token for these scopes only.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// For a user who has verified these factors: the token is as fresh and as strong as they are.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, Factor, IssueToken, MemoryStore, Proofs, Register};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let user = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    /// let proofs = Proofs::of(Factor::Social, auth.now());
    /// let token = auth.issue_token(&user.id, IssueToken::default().proofs(proofs)).await?;
    /// assert!(auth.is_fresh(&token.record, 60));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn proofs(mut self, proofs: Proofs) -> Self {
        self.proofs = proofs;
        self
    }

    /// With this secret in place of a random one: for a crate that must be able to tell the same
    /// client the same token again. It has the form of [`TokenSecret::is_well_formed`], and must
    /// hold 128 bits that nobody can guess, such as a MAC under a secret of the client's.
    #[must_use]
    pub fn secret(mut self, secret: TokenSecret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// On this client.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.client = client;
        self
    }
}

flow_error! {
    /// Why no token was issued.
    pub enum IssueTokenError {
        /// There is no such user.
        #[error("there is no such user")]
        UserNotFound = NotFound "MODEL_NOT_FOUND",
        /// The account is pending or blocked.
        #[error("the account is not active")]
        NotActive = Forbidden "ACCOUNT_NOT_ACTIVE",
        /// The lifetime is negative, and not the `-1` that the policy may allow.
        #[error("ttl must be a positive whole number of seconds")]
        InvalidTtl = Invalid "INVALID_TTL",
        /// The secret that was given does not have the form of a token's.
        #[error("the secret must have 64 letters and digits")]
        InvalidSecret = Invalid "INVALID_SECRET",
    }
}

impl<U: Account> Auth<U> {
    /// Issues a token for a user whom the app knows by other means. Nothing is asked and no event
    /// is raised.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, IssueToken, MemoryStore, Register};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let user = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    /// let token = auth.issue_token(&user.id, IssueToken::default().ttl(60).scopes(["read"])).await?;
    /// assert_eq!(token.record.ttl, 60);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`IssueTokenError`].
    pub async fn issue_token(&self, user: &UserId, options: IssueToken) -> Result<IssuedToken, IssueTokenError> {
        let ttl = self.effective_ttl(options.ttl).ok_or(IssueTokenError::InvalidTtl)?;
        let secret = match options.secret {
            Some(secret) if !TokenSecret::is_well_formed(secret.expose()) => {
                return Err(IssueTokenError::InvalidSecret);
            }
            Some(secret) => secret,
            None => self.new_secret()?,
        };
        let found = self.bounded(self.0.users.find_user(user)).await?.ok_or(IssueTokenError::UserNotFound)?;
        if found.status != AccountStatus::Active {
            return Err(IssueTokenError::NotActive);
        }
        let token =
            NewToken { scopes: options.scopes, proofs: options.proofs, ..NewToken::of(&found, ttl, &options.client) };
        let auth = self.clone();
        self.change(|mut change| async move { Ok(auth.commit_token(&mut change, token, secret).await?) }).await
    }

    /// The lifetime a token gets for which `asked` seconds are asked; `None` if no token can have
    /// that, which is what [`issue_token`](Self::issue_token) refuses. For an app that wants to
    /// know it before anything is done.
    #[must_use]
    pub fn effective_ttl(&self, asked: Option<i64>) -> Option<i64> {
        let policy = &self.0.policy;
        match asked {
            None | Some(0) => Some(policy.tokens.ttl),
            Some(-1) if policy.tokens.allow_eternal => Some(-1),
            Some(seconds) if seconds < 0 => None,
            Some(seconds) => Some(seconds.min(policy.tokens.max_ttl)),
        }
    }
}
