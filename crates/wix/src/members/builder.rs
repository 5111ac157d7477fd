//! Builds a [`WixMembers`](crate::WixMembers) from the settings of a site.

use std::sync::{Arc, Mutex};

use gatekit_core::{Auth, Need, UserOperation};

use super::{Inner, WixMembers};
use crate::member::MemberUser;
use crate::{InvalidSiteId, SiteId, TokenKeys, iam};

/// Who becomes a member by signing up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApprovalPolicy {
    /// Everybody.
    #[default]
    Automatic,
    /// Whom somebody approves of. Until then the member is pending and cannot log in. It holds for
    /// the sign-ups of this crate: other routes and pages that let people sign up over the same
    /// accounts make active ones.
    Manual,
}

/// What somebody is answered who signs up with an address that belongs to a member already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TakenEmail {
    /// That it does, as Wix answers: 409 `-19995`. Anybody can learn by it which addresses are
    /// members'.
    #[default]
    Reveal,
    /// The same as everybody: that a code was mailed, which must come back (ASVS 6.3.8). The owner
    /// of the address gets a mail that there is an account. The state that is returned is one to
    /// try codes with, each costs what another one costs, and none is right. It needs
    /// `policy.email.verification_required`.
    ///
    /// Two things still tell: a hook that refuses sign-ups is not asked about an address that is
    /// taken; and a login with the password of the sign-up is answered 428, because only so can a
    /// new member that has closed the page get another code.
    AlwaysVerify,
}

/// What is wrong with how [`WixMembers`] were put together. The message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WixConfigError {
    /// A token of one purpose could be taken for one of the other.
    #[error("the key {0:?} signs session tokens and approval tokens: each needs a key and a kid of its own")]
    SharedKey(String),
    /// The lifetime of a session is not one that a token can have.
    #[error("a session must last a whole number of seconds, at least one")]
    SessionTtl,
    /// What the builder says of verification is not what the policy says.
    #[error(
        "`email_verification` and `policy.email.verification_required` differ: set both, so that no other route lets in whose \
         address is not proven"
    )]
    EmailVerification,
    /// Who signs up would get two mails.
    #[error(
        "members prove their address with a code: set `policy.email.verify_on_register = false`, or they get a mail with a link as well"
    )]
    VerifyOnRegister,
    /// [`TakenEmail::AlwaysVerify`] without verification.
    #[error("`TakenEmail::AlwaysVerify` needs `policy.email.verification_required`")]
    NothingToVerify,
    /// Members have no realms.
    #[error(
        "members have no realms: leave `policy.identifiers.realm_required` and `policy.identifiers.realm_delimiter` unset"
    )]
    Realms,
    /// The stores cannot keep what members need.
    #[error("members need {0}")]
    Store(Need),
    /// The collection's id is no GUID.
    #[error(transparent)]
    CollectionId(#[from] InvalidSiteId),
    /// What the endpoints of the SDK were told.
    #[error(transparent)]
    Clients(#[from] iam::ClientConfigError),
    /// `set_password_page` is no path, or has no place for the secret.
    #[error("`set_password_page` must be a path of the own site with `{{token}}` where the secret goes")]
    SetPasswordPage,
    /// `approver` or `approval_page` where nobody is mailed.
    #[error(
        "`approver` needs `ApprovalPolicy::Manual` and an address that mail can be sent to, and `approval_page` needs an `approver`, a path of the own site with `{{token}}`, and a `public_url`"
    )]
    Approver,
    /// A contact field that is one already, or no name.
    #[error("{0:?} cannot be a contact field of the app's own")]
    ContactField(String),
}

/// Builds [`WixMembers`]. See [`WixMembers::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing exists until `build` is called"]
pub struct WixMembersBuilder {
    auth: Auth<MemberUser>,
    site: SiteId,
    session_keys: TokenKeys,
    approval_keys: TokenKeys,
    approval: ApprovalPolicy,
    approver: Option<String>,
    approval_page: Option<String>,
    taken_email: TakenEmail,
    email_verification: Option<bool>,
    client_id: Option<String>,
    collection_id: Option<String>,
    contact_fields: Vec<String>,
    set_password_page: Option<String>,
    form_token: bool,
    session_ttl: Option<i64>,
    pub(crate) iam: iam::Settings,
}

impl WixMembers {
    /// Starts with the accounts, the site's id, and the keys that sign session tokens and approval
    /// tokens.
    pub fn builder(
        auth: Auth<MemberUser>,
        site: SiteId,
        session_keys: TokenKeys,
        approval_keys: TokenKeys,
    ) -> WixMembersBuilder {
        WixMembersBuilder {
            auth,
            site,
            session_keys,
            approval_keys,
            approval: ApprovalPolicy::default(),
            approver: None,
            approval_page: None,
            taken_email: TakenEmail::default(),
            email_verification: None,
            client_id: None,
            collection_id: None,
            contact_fields: Vec::new(),
            set_password_page: None,
            form_token: false,
            session_ttl: None,
            iam: iam::Settings::default(),
        }
    }
}

impl WixMembersBuilder {
    /// Who becomes a member by signing up. Everybody unless set.
    pub fn approval(mut self, policy: ApprovalPolicy) -> Self {
        self.approval = policy;
        self
    }

    /// The address of the person who decides under [`ApprovalPolicy::Manual`]. It gets a mail for
    /// each member that waits, at most 20 an hour. [`WixMembers::pending_members`] lists all of
    /// them. Unless set, nobody is told.
    pub fn approver(mut self, address: impl Into<String>) -> Self {
        self.approver = Some(address.into());
        self
    }

    /// The page where the mail to the approver leads, from the root of the site, with `{token}`
    /// where the approval token goes: `/approve?token={token}`. It calls
    /// [`WixMembers::approve_by_token`] in a POST, and not when it is loaded: mail programs open
    /// links. Unless set, the mail has no link.
    pub fn approval_page(mut self, path: impl Into<String>) -> Self {
        self.approval_page = Some(path.into());
        self
    }

    /// What is answered to who signs up with a member's address. [`TakenEmail::Reveal`] unless set.
    pub fn taken_email(mut self, answer: TakenEmail) -> Self {
        self.taken_email = answer;
        self
    }

    /// Says once more what the accounts' `policy.email.verification_required` says;
    /// [`build`](Self::build) refuses if they differ.
    pub fn email_verification(mut self, required: bool) -> Self {
        self.email_verification = Some(required);
        self
    }

    /// The id that clients of the SDK name the app by. One made of the site's id unless set.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// The id of the site's collection of members, a GUID that tokens name. One made of the site's
    /// id unless set.
    pub fn collection_id(mut self, guid: impl Into<String>) -> Self {
        self.collection_id = Some(guid.into());
        self
    }

    /// Fields of the app's own in [`ContactInfo`](crate::ContactInfo). No others are taken.
    pub fn contact_fields<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.contact_fields.extend(names.into_iter().map(Into::into));
        self
    }

    /// The page where a member chooses a password with the secret from a mail, from the root of the
    /// site, with `{token}` where the secret goes: `/choose-password#{token}`. Unless set, mails
    /// lead to [`Builder::reset_link`](gatekit_core::Builder::reset_link).
    pub fn set_password_page(mut self, path: impl Into<String>) -> Self {
        self.set_password_page = Some(path.into());
        self
    }

    /// Whether a session token may also be applied by a form with the field `token`, as old pages
    /// do it. Off, as forms are what pages of other sites can send; the check of the origin is all
    /// that stands against them then.
    pub fn form_token(mut self, allowed: bool) -> Self {
        self.form_token = allowed;
        self
    }

    /// For how long a member is logged in once its session token is applied, in seconds.
    /// `policy.tokens.ttl`, 14 days as in Wix, unless set; at most `policy.tokens.max_ttl`.
    pub fn session_ttl(mut self, seconds: i64) -> Self {
        self.session_ttl = Some(seconds);
        self
    }

    /// Puts it together.
    ///
    /// # Errors
    ///
    /// [`WixConfigError`] says what is missing or contradicts itself.
    pub fn build(self) -> Result<WixMembers, WixConfigError> {
        let policy = self.auth.policy();
        if let Some(kid) = self.session_keys.shared_with(&self.approval_keys) {
            return Err(WixConfigError::SharedKey(kid.to_owned()));
        }
        let session_ttl = self.auth.effective_ttl(self.session_ttl).filter(|seconds| *seconds > 0);
        let session_ttl = session_ttl.ok_or(WixConfigError::SessionTtl)?;
        if self.email_verification.is_some_and(|required| required != policy.email.verification_required) {
            return Err(WixConfigError::EmailVerification);
        }
        if policy.email.verification_required && policy.email.verify_on_register {
            return Err(WixConfigError::VerifyOnRegister);
        }
        if self.taken_email == TakenEmail::AlwaysVerify && !policy.email.verification_required {
            return Err(WixConfigError::NothingToVerify);
        }
        if policy.identifiers.realm_required || policy.identifiers.realm_delimiter.is_some() {
            return Err(WixConfigError::Realms);
        }
        let needs = [Need::Users(UserOperation::Update), Need::Users(UserOperation::Status), Need::Counters];
        if let Some(need) = self.auth.missing(&needs) {
            return Err(WixConfigError::Store(need));
        }
        let is_path = |page: &str| page.contains("{token}") && page.starts_with('/') && self.auth.may_redirect_to(page);
        if self.set_password_page.as_deref().is_some_and(|page| !is_path(page)) {
            return Err(WixConfigError::SetPasswordPage);
        }
        let approver_is_sound = match (&self.approver, &self.approval_page) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(address), page) => {
                let has_url = self.iam.public_url.is_some() || self.auth.public_url().is_some();
                self.approval == ApprovalPolicy::Manual
                    && self.auth.accepts_email(address)
                    && page.as_deref().is_none_or(|page| has_url && is_path(page))
            }
        };
        if !approver_is_sound {
            return Err(WixConfigError::Approver);
        }
        if let Some(name) = self.contact_fields.iter().find(|name| !is_contact_field(name)) {
            return Err(WixConfigError::ContactField(name.clone()));
        }
        let collection_id = self.collection_id.map(SiteId::new).transpose()?.map(|id| id.to_string());
        let client_id = self.client_id.unwrap_or_else(|| self.site.derive("client"));
        self.iam.check(&client_id)?;
        Ok(WixMembers(
            Arc::new(Inner {
                iam: self.iam,
                collection_id: collection_id.unwrap_or_else(|| self.site.derive("members")),
                client_id,
                site: self.site,
                session_keys: self.session_keys,
                approval_keys: self.approval_keys,
                approval: self.approval,
                approver: self.approver,
                approval_page: self.approval_page,
                taken_email: self.taken_email,
                contact_fields: self.contact_fields,
                set_password_page: self.set_password_page,
                form_token: self.form_token,
                session_ttl,
                issued: Mutex::default(),
            }),
            self.auth,
        ))
    }
}

/// Whether an app can have a contact field of this name beside Wix' own.
fn is_contact_field(name: &str) -> bool {
    const OWN: [&str; 8] = ["firstName", "lastName", "picture", "emails", "phones", "labels", "language", "__proto__"];
    !name.is_empty() && name.len() <= 100 && !name.contains(char::is_control) && !OWN.contains(&name)
}
