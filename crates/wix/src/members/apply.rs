//! `applySessionToken`: a session token for a session, once.

use gatekit_core::{
    AccountStatus, Client, IssueToken, IssueTokenError, IssuedToken, KnownAccount, LogoutError, MailOptions, Proofs,
    UpdateUser,
};
use serde_json::{Map, Value};

use super::WixMembers;
use super::login::{Ground, SESSION, SessionRecord};
use crate::member::MemberUser;
use crate::{Member, MemberId, SessionToken, TokenError, WixError};

/// Somebody who is logged in now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Applied {
    /// Who, as Wix' clients know it.
    pub member: Member,
    /// Who.
    pub user: MemberUser,
    /// The access token that `AuthLayer` takes.
    pub token: IssuedToken,
}

/// A session token that was taken, and works no more.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Taken {
    /// Whose it was.
    pub account: KnownAccount<MemberUser>,
    /// For how long the member is to be logged in, in seconds.
    pub ttl: i64,
    /// Which factors the member has verified, and when; none if the app has asked for the token.
    pub proofs: Proofs,
}

fn invalid(error: TokenError) -> WixError {
    WixError::InvalidSessionToken(error)
}

impl WixMembers {
    /// Logs the member in whose session token it is. It works once, within two minutes, and no
    /// longer once the member was blocked or has another password.
    ///
    /// # Errors
    ///
    /// [`WixError::InvalidSessionToken`]; [`WixError::Refused`] by a hook;
    /// [`WixError::Unavailable`].
    pub async fn apply_session_token(&self, token: &SessionToken) -> Result<Applied, WixError> {
        self.apply_session_token_on(token, &Client::default(), &MailOptions::default()).await
    }

    /// [`apply_session_token`](Self::apply_session_token) of who comes from there, with notices
    /// written like this.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn apply_session_token_on(
        &self,
        token: &SessionToken,
        client: &Client,
        mails: &MailOptions,
    ) -> Result<Applied, WixError> {
        let (token, client, mails) = (token.clone(), client.clone(), mails.clone());
        self.whole(|members| async move {
            let Taken { account, ttl, proofs } = members.take_session_token(&token, &client, &mails).await?;
            let issue = IssueToken::default().ttl(ttl).proofs(proofs).client(client);
            let token = members.issue_token(&account, issue).await?;
            let user = members.note_login(account.user).await;
            Ok(Applied { member: Member::new(&members.0.site, &user, AccountStatus::Active), user, token })
        })
        .await
    }

    /// Takes a session token: of many at the same time one gets it. For a crate that issues tokens
    /// of another kind for it.
    ///
    /// # Errors
    ///
    /// As [`apply_session_token`](Self::apply_session_token).
    pub async fn take_session_token(
        &self,
        token: &SessionToken,
        client: &Client,
        mails: &MailOptions,
    ) -> Result<Taken, WixError> {
        let taken = self.spend_session_token(token, client, mails).await;
        if matches!(taken, Err(WixError::InvalidSessionToken(_))) {
            self.auth().reject_secret(SESSION, None).await;
        }
        taken
    }

    async fn spend_session_token(
        &self,
        token: &SessionToken,
        client: &Client,
        mails: &MailOptions,
    ) -> Result<Taken, WixError> {
        let auth = self.auth();
        let claims = token.verify(&self.0.session_keys, &self.0.site, auth.now()).map_err(invalid)?;
        let record = auth.find_one_time(SESSION, token.expose()).await?.ok_or(invalid(TokenError::Used))?;
        let user =
            MemberId::from_text(claims.id).user_id(&self.0.site).filter(|id| record.user_id.as_ref() == Some(id));
        let user = user.ok_or(invalid(TokenError::OtherSite))?;
        let account = auth.find_account_by_id(&user).await?;
        let account = account
            .filter(|account| account.rev == record.rev && account.status == AccountStatus::Active)
            .ok_or(invalid(TokenError::Outdated))?;
        let ttl = claims.expires_in.div_euclid(1000);
        let (token, client, mails) = (token.clone(), client.clone(), mails.clone());
        self.whole(|members| async move {
            let auth = members.auth();
            // What was looked at above may be looked at by many. From here on there is one.
            let record = auth.take_one_time(SESSION, token.expose()).await?.ok_or(invalid(TokenError::Used))?;
            let SessionRecord { ground, proofs } = SessionRecord::read(record.data.as_deref());
            let account = match ground {
                Ground::Login => account,
                // Nobody has asked the hooks yet, and no event was raised.
                Ground::SignUp | Ground::App => auth.accept_login(account, &client, &mails).await?,
            };
            Ok(Taken { account, ttl, proofs })
        })
        .await
    }

    /// A token for the account as it was read: if it has changed meanwhile, nobody is logged in.
    pub(crate) async fn issue_token(
        &self,
        account: &KnownAccount<MemberUser>,
        issue: IssueToken,
    ) -> Result<IssuedToken, WixError> {
        let auth = self.auth();
        let token = match auth.issue_token(&account.user.id, issue).await {
            Ok(token) => token,
            Err(IssueTokenError::Unavailable(error)) => return Err(error.into()),
            Err(_) => return Err(invalid(TokenError::Outdated)),
        };
        if token.record.rev == account.rev {
            return Ok(token);
        }
        match auth.logout(&token.record.digest).await {
            Ok(()) | Err(LogoutError::TokenNotFound) => Err(invalid(TokenError::Outdated)),
            Err(LogoutError::Unavailable(error)) => Err(error.into()),
            Err(_) => Err(invalid(TokenError::Outdated)),
        }
    }

    /// Notes when the member logged in last. The login does not depend on it.
    pub(crate) async fn note_login(&self, user: MemberUser) -> MemberUser {
        let changes = Map::from_iter([("lastLoginDate".to_owned(), Value::from(self.auth().now().0))]);
        let update = UpdateUser::patch(user.id.clone(), changes).trusted();
        match self.auth().update_user(update).await {
            Ok(user) => user,
            Err(error) => {
                tracing::warn!(%error, "it was not noted when a member logged in");
                user
            }
        }
    }
}
