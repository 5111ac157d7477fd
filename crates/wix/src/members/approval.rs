//! Who may be a member: `approveByToken`, `approveByEmail`, `blockByEmail`, and the list of those
//! who wait.
//!
//! Whoever decides is told by mail of each member that waits
//! ([`WixMembersBuilder::approver`](crate::WixMembersBuilder::approver)): once it has signed up, or
//! once it has proven its address where that is required. The member is told by mail that it was
//! approved of.

use gatekit_core::{AccountStatus, KnownAccount, MailOptions, NewOneTime, OneTimePurpose};

use super::WixMembers;
use super::login::Ground;
use crate::member::MemberUser;
use crate::session_token::APPROVAL_SECONDS;
use crate::{ApprovalClaims, ApprovalToken, Member, MemberId, SessionToken, TokenError, WixError};

/// What an approval token is recorded under until it is used.
const APPROVAL: OneTimePurpose = OneTimePurpose::Other("wix_approval");

impl WixMembers {
    /// At most `limit` members that wait for approval, in the order in which they have signed up:
    /// the first, or those behind `after`.
    ///
    /// # Errors
    ///
    /// [`WixError::UnknownMember`] if `after` is no id of this site; [`WixError::Unavailable`].
    pub async fn pending_members(&self, after: Option<&MemberId>, limit: u32) -> Result<Vec<Member>, WixError> {
        let after = match after {
            Some(id) => Some(id.user_id(&self.0.site).ok_or(WixError::UnknownMember)?),
            None => None,
        };
        let found = self.auth().users_with_status(AccountStatus::Pending, after.as_ref(), limit).await?;
        Ok(found.iter().map(|account| self.member(account)).collect())
    }

    /// A token that approves of the pending member with this address, once, within 30 hours: to be
    /// mailed to who decides, and never to the member itself.
    ///
    /// # Errors
    ///
    /// [`WixError::UnknownMember`]; [`WixError::Conflict`] if the member is not pending;
    /// [`WixError::Unavailable`].
    pub async fn approval_token(&self, email: &str) -> Result<ApprovalToken, WixError> {
        let account = self.find_by_email(email).await?;
        match account.status {
            AccountStatus::Pending => self.issue_approval_token(&account).await,
            _ => Err(WixError::Conflict),
        }
    }

    /// Approves of a pending member. For trusted callers: whoever has the token decides.
    ///
    /// It works once, and no longer once the member was approved, blocked or given another password
    /// since.
    ///
    /// # Errors
    ///
    /// [`WixError::InvalidApprovalToken`], [`WixError::Unavailable`].
    pub async fn approve_by_token(&self, token: &ApprovalToken) -> Result<SessionToken, WixError> {
        let approved = self.spend_approval_token(token).await;
        if matches!(approved, Err(WixError::InvalidApprovalToken(_))) {
            self.auth().reject_secret(APPROVAL, None).await;
        }
        approved
    }

    async fn spend_approval_token(&self, token: &ApprovalToken) -> Result<SessionToken, WixError> {
        let invalid = WixError::InvalidApprovalToken;
        let auth = self.auth();
        let claims = token.verify(&self.0.approval_keys, auth.now()).map_err(invalid)?;
        if claims.collection_id != self.0.collection_id {
            return Err(invalid(TokenError::OtherSite));
        }
        let record = auth.find_one_time(APPROVAL, token.expose()).await?.ok_or(invalid(TokenError::Used))?;
        let user =
            MemberId::from_text(claims.id).user_id(&self.0.site).filter(|id| record.user_id.as_ref() == Some(id));
        let user = user.ok_or(invalid(TokenError::OtherSite))?;
        let account = auth.find_account_by_id(&user).await?;
        account
            .filter(|account| account.rev == record.rev && account.status == AccountStatus::Pending)
            .ok_or(invalid(TokenError::Outdated))?;
        let token = token.clone();
        // Between taking the token and approving of the member nobody may hang up: the token would
        // be gone for nothing.
        self.whole(|members| async move {
            let auth = members.auth();
            auth.take_one_time(APPROVAL, token.expose()).await?.ok_or(invalid(TokenError::Used))?;
            let user = auth.set_account_status(&user, AccountStatus::Active).await?;
            members.tell_approved(&user).await;
            members.approved(&user).await
        })
        .await
    }

    /// Approves of a member, or lets one in again that was blocked. For trusted callers. A member
    /// that has waited is told by mail.
    ///
    /// # Errors
    ///
    /// [`WixError::UnknownMember`]; [`WixError::PasswordReset`] if the member has to choose a new
    /// password, which no approval takes the place of; [`WixError::Unavailable`].
    pub async fn approve_by_email(&self, email: &str) -> Result<SessionToken, WixError> {
        let account = self.find_by_email(email).await?;
        if account.status == AccountStatus::PasswordReset {
            return Err(WixError::PasswordReset);
        }
        self.whole(|members| async move {
            let user = members.auth().set_account_status(&account.user.id, AccountStatus::Active).await?;
            if account.status == AccountStatus::Pending {
                members.tell_approved(&user).await;
            }
            members.approved(&user).await
        })
        .await
    }

    /// Shuts a member out: it cannot log in, its sessions have ended, and so have session tokens
    /// that were not yet applied. For trusted callers.
    ///
    /// # Errors
    ///
    /// [`WixError::UnknownMember`], [`WixError::Unavailable`].
    pub async fn block_by_email(&self, email: &str) -> Result<(), WixError> {
        let account = self.find_by_email(email).await?;
        self.auth().set_account_status(&account.user.id, AccountStatus::Blocked).await?;
        Ok(())
    }

    /// Tells whoever decides that a member waits, if the app has said who that is. The sign-up does
    /// not depend on it: the member is in the list.
    pub(super) async fn tell_approver(&self, account: &KnownAccount<MemberUser>) {
        let Some(approver) = &self.0.approver else { return };
        let told = async {
            let link = match &self.0.approval_page {
                Some(page) => {
                    let token = self.issue_approval_token(account).await?;
                    self.link_to(&page.replace("{token}", token.expose()))
                }
                None => None,
            };
            self.auth().notify_approver(approver, &account.user, link, &MailOptions::default()).await?;
            Ok::<_, WixError>(())
        };
        if let Err(error) = told.await {
            tracing::warn!(%error, "nobody was told that a member waits for approval");
        }
    }

    /// Tells a member that it was approved of. The approval does not depend on it.
    async fn tell_approved(&self, user: &MemberUser) {
        if let Err(error) = self.auth().notify_approved(&user.id, &self.mails_to(user)).await {
            tracing::warn!(%error, "a member was not told that it was approved of");
        }
    }

    /// Mails to a member are in the language that it has said it reads.
    pub(super) fn mails_to(&self, user: &MemberUser) -> MailOptions {
        let mut mails = MailOptions::default();
        mails.language.clone_from(&user.profile.contact_details.language);
        mails
    }

    async fn approved(&self, user: &MemberUser) -> Result<SessionToken, WixError> {
        let account = self.account_of(user).await?;
        self.issue_session_token(&account, Ground::App, None).await
    }

    pub(super) async fn issue_approval_token(
        &self,
        account: &KnownAccount<MemberUser>,
    ) -> Result<ApprovalToken, WixError> {
        let auth = self.auth();
        let issued = auth.now().0.div_euclid(1000);
        let claims = ApprovalClaims {
            id: self.member_id(&account.user).to_string(),
            collection_id: self.0.collection_id.clone(),
            issued,
            expires: issued.saturating_add(APPROVAL_SECONDS),
        };
        let token = ApprovalToken::sign(&claims, &self.0.approval_keys);
        // Two of one second are the same.
        if auth.find_one_time(APPROVAL, token.expose()).await?.is_none() {
            let record = NewOneTime::new(APPROVAL, &account.user.id, account.rev, APPROVAL_SECONDS * 1000);
            auth.record_one_time(record, token.expose()).await?;
        }
        Ok(token)
    }
}
