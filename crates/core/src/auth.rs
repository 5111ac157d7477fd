//! The one value an app builds: stores, rules and clock together, with a method for each flow.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, PoisonError, RwLock};

use crate::acl::NamedResolver;
use crate::bounded::bounded;
use crate::event_counters::EventCounters;
use crate::links::Links;
use crate::owners::BelongsTo;
use crate::redirect;
use crate::token_changes::TokenNotifier;
use crate::under_way::UnderWay;
use crate::{
    Account, Acl, Client, Clock, CounterStore, DeviceStore, Hasher, Hooks, MailTemplate, Mailer, Need, OneTimeStore,
    Policy, PublicUrl, Random, RoleStore, StoreError, Texts, TokenStore, User, UserOperation, UserStore, VerifyOptions,
};

/// User accounts: what routes, layers and an app's own code call.
///
/// `U` is the app's user type. A clone is another handle to the same.
/// [`for_client`](Self::for_client) makes a handle for one request.
///
/// ```
/// use gatekit_core::{Auth, MemoryStore};
///
/// let auth = Auth::new(MemoryStore::new());
/// ```
///
/// [`Auth::builder`] is for settings and user types of the app, [`Auth::builder_with_users`] for
/// users and tokens in different stores.
pub struct Auth<U: Account = User>(pub(crate) Arc<Inner<U>>, pub(crate) Option<Arc<Client>>);

pub(crate) struct Inner<U: Account> {
    pub(crate) users: Arc<dyn UserStore<U>>,
    pub(crate) tokens: Arc<dyn TokenStore>,
    pub(crate) one_time: Arc<dyn OneTimeStore>,
    /// The stores that an app may leave out: see [`Need`].
    pub(crate) roles: Option<Arc<dyn RoleStore>>,
    pub(crate) devices: Option<Arc<dyn DeviceStore>>,
    pub(crate) counters: Option<Arc<dyn CounterStore>>,
    /// In a lock, because an app that keeps rows in a table replaces it while it runs.
    pub(crate) acl: RwLock<Arc<Acl>>,
    pub(crate) role_resolvers: Vec<NamedResolver<U>>,
    pub(crate) belongs_to: Vec<BelongsTo<U>>,
    pub(crate) mailer: Option<Arc<dyn Mailer>>,
    pub(crate) under_way: UnderWay,
    pub(crate) mails_lost: AtomicU64,
    pub(crate) has_confirm_route: AtomicBool,
    pub(crate) events: EventCounters,
    /// Those that wait for the end of a token.
    pub(crate) waiting: TokenNotifier,
    pub(crate) policy: Policy,
    pub(crate) hasher: Hasher,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) hooks: Vec<Arc<dyn Hooks<U>>>,
    pub(crate) links: Links,
    pub(crate) verify_options: VerifyOptions,
    pub(crate) redirect_origins: Vec<String>,
    pub(crate) texts: Texts,
    pub(crate) mail_template: Option<Arc<dyn MailTemplate>>,
    pub(crate) site_name: Option<String>,
    /// Holds the name of the user type in the stores, as long as this lives.
    pub(crate) _name: Arc<()>,
}

impl<U: Account> Clone for Auth<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), self.1.clone())
    }
}

impl<U: Account> fmt::Debug for Auth<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("policy", &self.0.policy).finish_non_exhaustive()
    }
}

impl<U: Account> Auth<U> {
    /// The access control list in force.
    #[must_use]
    pub fn acl(&self) -> Arc<Acl> {
        Arc::clone(&self.0.acl.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another access control list in force, for an app that keeps rows in a table. Requests
    /// that are under way go on with the one they began with.
    pub fn replace_acl(&self, acl: Acl) {
        acl.warn_of_mistakes();
        *self.0.acl.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(acl);
    }

    /// Where users reach the app, if the app has said so
    /// ([`Builder::public_url`](crate::Builder::public_url)).
    #[must_use]
    pub fn public_url(&self) -> Option<&PublicUrl> {
        self.0.links.public_url.as_ref()
    }

    /// Whether a browser may be sent to `target`: a path of the own site, or below the origin of
    /// [`Builder::public_url`](crate::Builder::public_url) or of
    /// [`Builder::redirect_origin`](crate::Builder::redirect_origin).
    #[must_use]
    pub fn may_redirect_to(&self, target: &str) -> bool {
        redirect::is_allowed(target, &self.0.redirect_origins)
    }

    /// Whether the store of the users can do this.
    #[must_use]
    pub fn supports(&self, operation: UserOperation) -> bool {
        self.0.users.supports(operation)
    }

    /// The first of `needs` that the stores of this `Auth` do not cover, or `None` if they cover
    /// all. A builder of routes asks this when a feature is mounted, and refuses by the name of
    /// what is missing.
    ///
    /// ```
    /// use gatekit_core::{Auth, MemoryStore, Need, UserOperation};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// assert_eq!(auth.missing(&[Need::Users(UserOperation::Update), Need::Counters]), None);
    /// ```
    #[must_use]
    pub fn missing(&self, needs: &[Need]) -> Option<Need> {
        needs.iter().copied().find(|need| match need {
            Need::Users(operation) => !self.supports(*operation),
            Need::Roles => self.0.roles.is_none(),
            Need::Devices => self.0.devices.is_none(),
            Need::Counters => self.0.counters.is_none(),
        })
    }

    /// The store of roles, for a flow that cannot do without.
    pub(crate) fn roles(&self) -> Result<&dyn RoleStore, StoreError> {
        self.0.roles.as_deref().ok_or(StoreError::Missing(Need::Roles))
    }

    /// The store of counters, for a flow that cannot do without.
    pub(crate) fn counters(&self) -> Result<&dyn CounterStore, StoreError> {
        self.0.counters.as_deref().ok_or(StoreError::Missing(Need::Counters))
    }

    /// Another handle to the same accounts, for the requests of this client: events and log lines
    /// of what is done with it say where it came from. The kit's routes and pages do this for each
    /// request; an app that calls flows from handlers of its own does it too.
    ///
    /// ```
    /// use gatekit_core::{Auth, Client, MemoryStore};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let here = auth.for_client(Client::default().ip([203, 0, 113, 7]).user_agent("Mozilla/5.0"));
    /// assert_eq!(here.client().user_agent.as_deref(), Some("Mozilla/5.0"));
    /// ```
    #[must_use]
    pub fn for_client(&self, client: Client) -> Self {
        Self(Arc::clone(&self.0), Some(Arc::new(client)))
    }

    /// This handle, or one for the client if anything is known of it.
    pub(crate) fn with_client(&self, client: &Client) -> Self {
        if client.is_unknown() { self.clone() } else { self.for_client(client.clone()) }
    }

    /// The client that this handle is for; one of which nothing is known unless
    /// [`for_client`](Self::for_client) said more.
    #[must_use]
    pub fn client(&self) -> Client {
        self.1.as_deref().cloned().unwrap_or_default()
    }

    /// The rules in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// The hasher, to share it with another `Auth` or to read its counters.
    #[must_use]
    pub fn hasher(&self) -> &Hasher {
        &self.0.hasher
    }

    /// What the site is called, if the app has said so.
    #[must_use]
    pub fn site_name(&self) -> Option<&str> {
        self.0.site_name.as_deref()
    }

    /// What people are told, in which languages.
    #[must_use]
    pub fn texts(&self) -> &Texts {
        &self.0.texts
    }

    /// Runs a call to a store under `policy.store.timeout`: those of the flows, and of a store
    /// that another crate keeps beside them.
    ///
    /// # Errors
    ///
    /// What the call fails with, or [`StoreError::Timeout`].
    pub async fn bounded<T, E: From<StoreError>>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        bounded(self.0.policy.store.timeout, call).await
    }
}
