//! The members of a site: Gatekit's accounts, in Wix's terms.

mod apply;
mod approval;
mod builder;
mod change_login_email;
mod email_code;
mod generate;
mod login;
mod recover;
mod register;
mod set_password;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use gatekit_core::{AccountName, AccountStatus, Auth, Client, KnownAccount, PublicUrl, Timestamp};

pub use apply::{Applied, Taken};
pub use builder::{ApprovalPolicy, TakenEmail, WixConfigError, WixMembersBuilder};
pub use generate::GenerateOptions;
pub use login::SignedIn;
pub use register::{Registration, RegistrationOptions, RegistrationStatus};
pub use set_password::SetPasswordEmailOptions;

use crate::member::MemberUser;
use crate::session_token::DEADLINE_MS;
use crate::{Fieldset, Member, MemberId, SiteId, TokenKeys, WixError, iam};

/// The members of a site: Wix' backend functions over Gatekit's accounts. A clone is another handle
/// to the same.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_wix::{MemberUser, RegistrationOptions, SiteId, TokenKeys, WixMembers};
///
/// let store = MemoryStore::new();
/// let auth: Auth<MemberUser> = Auth::builder(store).build()?;
/// let site = SiteId::new("1ff46a96-dea6-49da-83ba-5164fb62d839")?;
/// # let (session_key, approval_key) = ([7; 32], [8; 32]);
/// let members = WixMembers::builder(
///     auth,
///     site,
///     TokenKeys::new("session-1", session_key)?,
///     TokenKeys::new("approval-1", approval_key)?,
/// )
/// .build()?;
///
/// members.register("ada@example.com", "correct horse battery", RegistrationOptions::default()).await?;
/// let token = members.login("ada@example.com", "correct horse battery").await?;
/// let applied = members.apply_session_token(&token).await?;
/// assert_eq!(applied.member.login_email.as_deref(), Some("ada@example.com"));
///
/// // Once.
/// assert!(members.apply_session_token(&token).await.is_err());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct WixMembers(pub(crate) Arc<Inner>, Auth<MemberUser>);

pub(crate) struct Inner {
    pub(crate) iam: iam::Settings,
    site: SiteId,
    collection_id: String,
    client_id: String,
    pub(crate) session_keys: TokenKeys,
    approval_keys: TokenKeys,
    approval: ApprovalPolicy,
    approver: Option<String>,
    approval_page: Option<String>,
    taken_email: TakenEmail,
    contact_fields: Vec<String>,
    set_password_page: Option<String>,
    form_token: bool,
    /// In seconds.
    session_ttl: i64,
    /// When the newest session token was made, in milliseconds, and how many were made before it at
    /// that moment.
    issued: Mutex<(i64, i64)>,
}

impl fmt::Debug for WixMembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { site, session_keys, approval_keys, approval, .. } = &*self.0;
        f.debug_struct("WixMembers")
            .field("site", site)
            .field("session_keys", session_keys)
            .field("approval_keys", approval_keys)
            .field("approval", approval)
            .finish_non_exhaustive()
    }
}

impl WixMembers {
    /// The accounts behind the members.
    #[must_use]
    pub fn auth(&self) -> &Auth<MemberUser> {
        &self.1
    }

    /// Another handle to the same members, for the requests of this client: see
    /// [`Auth::for_client`].
    #[must_use]
    pub fn for_client(&self, client: Client) -> Self {
        Self(Arc::clone(&self.0), self.1.for_client(client))
    }

    /// The site.
    #[must_use]
    pub fn site_id(&self) -> &SiteId {
        &self.0.site
    }

    /// The id that clients of the SDK name the app by.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// Whether a member proves its address before it may log in:
    /// `policy.email.verification_required`.
    #[must_use]
    pub fn verifies_email(&self) -> bool {
        self.auth().policy().email.verification_required
    }

    /// How Wix' clients see this account.
    #[must_use]
    pub fn member(&self, account: &KnownAccount<MemberUser>) -> Member {
        Member::new(&self.0.site, &account.user, account.status)
    }

    /// How Wix' clients see who is logged in. The user is what `AuthUser<MemberUser>` extracts: who
    /// has a token that lives is approved.
    #[must_use]
    pub fn current_member(&self, user: &MemberUser, fieldset: Fieldset) -> Member {
        Member::new(&self.0.site, user, AccountStatus::Active).fieldset(fieldset)
    }

    /// The id of a member, as Wix' clients know it.
    #[must_use]
    pub fn member_id(&self, user: &MemberUser) -> MemberId {
        MemberId::of(&self.0.site, &user.id)
    }

    /// Runs a flow of several steps on a task of its own ([`Auth::change`]): a client that hangs up
    /// must not leave it half done.
    pub(crate) async fn whole<T, F>(&self, run: impl FnOnce(Self) -> F) -> Result<T, WixError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, WixError>> + Send + 'static,
    {
        self.auth().change(|_| run(self.clone())).await
    }

    /// The account with this address.
    pub(crate) async fn find_by_email(&self, email: &str) -> Result<KnownAccount<MemberUser>, WixError> {
        self.auth().find_account(&AccountName::email(email)).await?.ok_or(WixError::UnknownMember)
    }

    /// The account of this user, as it is now.
    async fn account_of(&self, user: &MemberUser) -> Result<KnownAccount<MemberUser>, WixError> {
        self.auth().find_account_by_id(&user.id).await?.ok_or(WixError::UnknownMember)
    }

    /// Where browsers reach a path of the site, if the app has said where that is.
    fn link_to(&self, path: &str) -> Option<String> {
        let url: PublicUrl = match &self.0.iam.public_url {
            Some(url) => url.parse().ok()?,
            None => self.auth().public_url()?.clone(),
        };
        Some(format!("{}{}", url.origin().as_str(), url.outside(path)))
    }

    pub(crate) fn takes_form_tokens(&self) -> bool {
        self.0.form_token
    }

    /// When the next session token is made and until when it is good, in milliseconds. Two tokens
    /// of one member that say the same are the same, so of several at one moment each says that it
    /// was made a millisecond earlier.
    fn next_times(&self) -> (i64, i64) {
        let Timestamp(now) = self.auth().now();
        let mut issued = self.0.issued.lock().unwrap_or_else(PoisonError::into_inner);
        *issued = match *issued {
            (at, before) if at == now => (at, before + 1),
            _ => (now, 0),
        };
        (now.saturating_sub(issued.1), now.saturating_add(DEADLINE_MS))
    }
}
