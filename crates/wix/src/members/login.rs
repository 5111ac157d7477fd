//! `login`: a password for a session token.

use gatekit_core::{
    Factor, KnownAccount, Login, LoginError, MailOptions, NewOneTime, OneTimePurpose, Password, Proofs,
};

use super::WixMembers;
use crate::member::MemberUser;
use crate::session_token::DEADLINE_MS;
use crate::{Member, SessionClaims, SessionToken, WixError};

/// What a session token is recorded under until it is applied.
pub(super) const SESSION: OneTimePurpose = OneTimePurpose::Other("wix_session");

/// A member who has logged in, and whose session token is to be applied.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedIn {
    /// To be applied within two minutes.
    pub session_token: SessionToken,
    /// Who.
    pub member: Member,
}

/// Why a session token was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    /// A login, with all that it asks and does.
    Login,
    /// A sign-up a moment ago; what a login does besides is yet to be done.
    SignUp,
    /// The app's word.
    App,
}

impl Ground {
    fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::SignUp => "sign-up",
            Self::App => "app",
        }
    }
}

/// What is recorded with a session token: why it was made, and which factors the member has
/// verified. A store keeps both as `login password=1764547200000`.
pub(super) struct SessionRecord {
    pub(super) ground: Ground,
    pub(super) proofs: Proofs,
}

impl SessionRecord {
    fn to_text(&self) -> String {
        format!("{} {}", self.ground.as_str(), self.proofs)
    }

    /// What cannot be read is the app's word and verifies nothing.
    pub(super) fn read(stored: Option<&str>) -> Self {
        let stored = stored.unwrap_or_default();
        let (ground, proofs) = stored.split_once(' ').unwrap_or((stored, ""));
        let known = [Ground::Login, Ground::SignUp].into_iter().find(|known| ground == known.as_str());
        Self { ground: known.unwrap_or(Ground::App), proofs: proofs.parse().unwrap_or_default() }
    }
}

impl WixMembers {
    /// Checks a password. The session token that is returned logs nobody in until it is applied.
    ///
    /// An unknown address and a wrong password are the same to the caller, and so are a member that
    /// is blocked and one that waits for approval, as long as the password is wrong: same error,
    /// same hashing work (ASVS 6.3.8).
    ///
    /// # Errors
    ///
    /// [`WixError::InvalidCredentials`]; with the right password [`WixError::ApprovalRequired`],
    /// [`WixError::Blocked`], [`WixError::EmailVerificationRequired`]; [`WixError::Refused`] by a
    /// hook; [`WixError::Unavailable`].
    pub async fn login(&self, email: &str, password: impl Into<Password>) -> Result<SessionToken, WixError> {
        Ok(self.sign_in(Login::email(email, password)).await?.session_token)
    }

    /// [`login`](Self::login), with all that can be said of one: from where it comes, how mails are
    /// written.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn sign_in(&self, login: Login) -> Result<SignedIn, WixError> {
        let mails = login.mails.clone();
        match self.auth().verify_login(login).await {
            Ok(account) => self.signed_in(&account, Ground::Login, Some(Factor::Password)).await,
            Err(LoginError::EmailNotVerified { user_id }) => {
                let state_token = self.mail_code(&user_id, mails).await?;
                Err(WixError::EmailVerificationRequired { state_token: Some(state_token) })
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn signed_in(
        &self,
        account: &KnownAccount<MemberUser>,
        ground: Ground,
        verified: Option<Factor>,
    ) -> Result<SignedIn, WixError> {
        let session_token = self.issue_session_token(account, ground, verified).await?;
        Ok(SignedIn { session_token, member: self.member(account) })
    }

    /// Signs a session token and records it: it is taken once, and not once the member's `rev` has
    /// changed. `verified` is the factor that the member has verified now.
    pub(super) async fn issue_session_token(
        &self,
        account: &KnownAccount<MemberUser>,
        ground: Ground,
        verified: Option<Factor>,
    ) -> Result<SessionToken, WixError> {
        let (created, expires) = self.next_times();
        let claims = SessionClaims {
            id: self.member_id(&account.user).to_string(),
            collection_id: self.0.collection_id.clone(),
            meta_site_id: self.0.site.to_string(),
            owner: false,
            creation_time: created,
            expires_in: self.0.session_ttl.saturating_mul(1000),
            expiration_time: expires,
            last_refreshed: 0,
            admin: false,
        };
        let token = SessionToken::sign(&claims, &self.0.session_keys);
        let proofs = verified.map(|factor| Proofs::of(factor, self.auth().now())).unwrap_or_default();
        let data = SessionRecord { ground, proofs }.to_text();
        let record = NewOneTime::new(SESSION, &account.user.id, account.rev, DEADLINE_MS).data(data);
        self.auth().record_one_time(record, token.expose()).await?;
        Ok(token)
    }

    /// How a mail is written that leads to the page where a password is chosen.
    pub(super) fn with_set_password_page(&self, mails: MailOptions) -> MailOptions {
        match &self.0.set_password_page {
            Some(page) if mails.page.is_none() => mails.page(page.clone()),
            _ => mails,
        }
    }
}
