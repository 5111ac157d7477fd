//! `register`: a new member, who is logged in at once, or has to wait.

use gatekit_core::{AccountStatus, Factor, KnownAccount, MailOptions, Password, Register, RegisterError, TokenSecret};
use serde::Serialize;

use super::login::Ground;
use super::{ApprovalPolicy, TakenEmail, WixMembers};
use crate::error::fields;
use crate::member::{ContactInfo, MemberProfile, MemberUser, PrivacyStatus};
use crate::{ApprovalToken, Member, SessionToken, WixError};

/// Longer names are refused, in bytes.
const MAX_NAME: usize = 256;

/// What a new member says of itself.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RegistrationOptions {
    /// How to reach it.
    pub contact_info: ContactInfo,
    /// Who sees its profile. Private unless set.
    pub privacy_status: PrivacyStatus,
    /// The name that other members see.
    pub nickname: Option<String>,
    /// The end of the URL of its page.
    pub slug: Option<String>,
    /// How the mail with the code is written.
    pub mails: MailOptions,
}

impl RegistrationOptions {
    /// With contact details.
    #[must_use]
    pub fn contact_info(mut self, contact_info: ContactInfo) -> Self {
        self.contact_info = contact_info;
        self
    }

    /// With a profile that these see.
    #[must_use]
    pub fn privacy_status(mut self, status: PrivacyStatus) -> Self {
        self.privacy_status = status;
        self
    }

    /// With a name that other members see.
    #[must_use]
    pub fn nickname(mut self, name: impl Into<String>) -> Self {
        self.nickname = Some(name.into());
        self
    }

    /// With a page whose URL ends so.
    #[must_use]
    pub fn slug(mut self, slug: impl Into<String>) -> Self {
        self.slug = Some(slug.into());
        self
    }

    /// With the mail that has the code written like this.
    #[must_use]
    pub fn mails(mut self, options: MailOptions) -> Self {
        self.mails = options;
        self
    }
}

/// Whether a new member can log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RegistrationStatus {
    /// It has to prove its address, or to be approved.
    Pending,
    /// It can, and there is a session token.
    Active,
}

/// Somebody who has signed up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registration {
    /// Whether it can log in.
    pub status: RegistrationStatus,
    /// Who. Under [`TakenEmail::AlwaysVerify`] `None`: it would tell whether there is a new one.
    pub member: Option<Member>,
    /// To be applied, if the member is active.
    pub session_token: Option<SessionToken>,
    /// For the person that approves members, under [`ApprovalPolicy::Manual`]; never for the new
    /// member itself. `None` under [`TakenEmail::AlwaysVerify`]; there
    /// [`WixMembers::approval_token`] makes one.
    pub approval_token: Option<ApprovalToken>,
    /// What the code must be sent with that was mailed to the address, if it is to be proven.
    pub state_token: Option<TokenSecret>,
}

impl Registration {
    fn pending() -> Self {
        Self {
            status: RegistrationStatus::Pending,
            member: None,
            session_token: None,
            approval_token: None,
            state_token: None,
        }
    }
}

impl WixMembers {
    /// Makes a new member.
    ///
    /// It is active, with a session token to be applied; or pending, because somebody has to
    /// approve of it ([`ApprovalPolicy::Manual`]) or it has to prove its address
    /// (`policy.email.verification_required`: a code of six digits is mailed).
    ///
    /// # Errors
    ///
    /// [`WixError::Invalid`], [`WixError::EmailMissing`], [`WixError::EmailTaken`] (unless
    /// [`TakenEmail::AlwaysVerify`]), [`WixError::Refused`] by a hook, [`WixError::Unavailable`].
    pub async fn register(
        &self,
        email: &str,
        password: impl Into<Password>,
        options: RegistrationOptions,
    ) -> Result<Registration, WixError> {
        let (password, mails) = (password.into(), options.mails.clone());
        let mut register = Register::with_profile(self.profile(options)?);
        register.email = Some(email.to_owned());
        register.password = Some(password.clone());
        register.mails = mails.clone();
        register.status = match self.0.approval {
            ApprovalPolicy::Automatic => AccountStatus::Active,
            ApprovalPolicy::Manual => AccountStatus::Pending,
        };
        let email = email.to_owned();
        self.whole(|members| async move { members.registered(register, &email, password, mails).await }).await
    }

    async fn registered(
        &self,
        register: Register<MemberProfile>,
        email: &str,
        password: Password,
        mails: MailOptions,
    ) -> Result<Registration, WixError> {
        let hidden = self.0.taken_email == TakenEmail::AlwaysVerify;
        let user = match self.auth().register(register).await {
            Ok(user) => user,
            Err(RegisterError::Invalid(errors)) if hidden && matches!(fields(&errors), WixError::EmailTaken) => {
                return self.pretend(email, password, &mails).await;
            }
            Err(error) => return Err(error.into()),
        };
        let account = self.account_of(&user).await?;
        if hidden {
            let state_token = Some(self.mail_code(&user.id, mails).await?);
            return Ok(Registration { state_token, ..Registration::pending() });
        }
        let mut registration = Registration { member: Some(self.member(&account)), ..Registration::pending() };
        if account.status == AccountStatus::Pending {
            if !self.verifies_email() || account.user.email_verified == Some(true) {
                self.tell_approver(&account).await;
            }
            registration.approval_token = Some(self.issue_approval_token(&account).await?);
        }
        if self.verifies_email() && account.user.email_verified != Some(true) {
            registration.state_token = Some(self.mail_code(&user.id, mails).await?);
        } else if account.status == AccountStatus::Active {
            registration.session_token =
                Some(self.issue_session_token(&account, Ground::SignUp, Some(Factor::Password)).await?);
            registration.status = RegistrationStatus::Active;
        }
        Ok(registration)
    }

    /// Does the work of a registration whose address is free, and answers as if it were one: a
    /// hash, a commit in place of the new member, and a code that nobody gets. The owner of the
    /// address gets a mail that there is an account.
    async fn pretend(&self, email: &str, password: Password, mails: &MailOptions) -> Result<Registration, WixError> {
        self.auth().hash_password(password).await?;
        match self.find_by_email(email).await {
            Ok(KnownAccount { user, .. }) => self.auth().notify_account_exists(&user.id, mails).await?,
            // It was removed meanwhile.
            Err(WixError::UnknownMember) => {}
            Err(error) => return Err(error),
        }
        let state_token = Some(self.pretend_code(None, mails).await?);
        Ok(Registration { state_token, ..Registration::pending() })
    }

    /// The profile of a new member, if it is one.
    fn profile(&self, options: RegistrationOptions) -> Result<MemberProfile, WixError> {
        let RegistrationOptions { contact_info, privacy_status, nickname, slug, .. } = options;
        if let Some(field) = contact_info.mistake(&self.0.contact_fields) {
            return Err(WixError::invalid(field, "is invalid"));
        }
        for (field, name) in [("profile.nickname", &nickname), ("profile.slug", &slug)] {
            let is_name = |name: &String| name.len() <= MAX_NAME && !name.contains(char::is_control);
            if name.as_ref().is_some_and(|name| !is_name(name)) {
                return Err(WixError::invalid(field, "is invalid"));
            }
        }
        if privacy_status == PrivacyStatus::Unknown {
            return Err(WixError::invalid("privacyStatus", "is invalid"));
        }
        Ok(MemberProfile {
            privacy_status,
            nickname,
            slug,
            contact_details: contact_info,
            created_date: Some(self.auth().now().0),
            ..MemberProfile::default()
        })
    }

    /// A new member whom the app vouches for, with a password that nobody knows.
    pub(super) async fn create(&self, email: &str, verified: bool) -> Result<MemberUser, WixError> {
        let mut register = Register::with_profile(self.profile(RegistrationOptions::default())?);
        register.email = Some(email.to_owned());
        register.password = Some(self.auth().new_secret()?.expose().into());
        register.email_verified = verified.then_some(true);
        Ok(self.auth().register(register).await?)
    }
}
