//! How an [`Auth`] is put together: its stores, its rules and what is the app's own.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, RwLock};

use crate::acl::{self, NamedResolver};
use crate::auth::Inner;
use crate::event_counters::EventCounters;
use crate::links::LinkSettings;
use crate::mails;
use crate::owners::BelongsTo;
use crate::redirect;
use crate::token_changes::TokenNotifier;
use crate::under_way::UnderWay;
use crate::{
    Account, Acl, Auth, Clock, ConfigError, CounterStore, DeviceStore, Hasher, Hooks, MailTemplate, Mailer, Need,
    OneTimeStore, Policy, Principal, Random, RoleResolver, RoleStore, SystemClock, SystemRandom, Texts, TokenStore,
    User, UserId, UserOperation, UserStore, VerifyOptions,
};

impl Auth<User> {
    /// Accounts of the built-in [`User`] in `store`, under [`Policy::default`], with no mailer.
    ///
    /// # Panics
    ///
    /// If `store` is in use by the `Auth` of another user type with the name `User`:
    /// [`ConfigError::ModelNameTaken`]. The defaults contradict nothing, which is a test.
    #[must_use]
    pub fn new<S>(store: S) -> Self
    where
        S: UserStore<User> + TokenStore + OneTimeStore + RoleStore + DeviceStore + CounterStore + Clone,
    {
        Self::builder(store).assemble_default()
    }
}

impl<U: Account> Auth<U> {
    /// Starts with one store for everything. Settings follow; all have defaults.
    ///
    /// ```
    /// use gatekit_core::{Auth, MemoryStore, Model, Policy, User};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Serialize, Deserialize)]
    /// struct Profile {
    ///     city: String,
    /// }
    ///
    /// impl Model for Profile {}
    ///
    /// let store = MemoryStore::new();
    /// let auth: Auth<User<Profile>> = Auth::builder(store).policy(Policy::strict()).build()?;
    /// # Ok::<_, gatekit_core::ConfigError>(())
    /// ```
    pub fn builder<S>(store: S) -> Builder<U>
    where
        S: UserStore<U> + TokenStore + OneTimeStore + RoleStore + DeviceStore + CounterStore + Clone,
    {
        Self::builder_with_users(store.clone()).store(store)
    }

    /// Starts with the store of the users, for an app that keeps them in another store than the
    /// tokens, or whose store has not all ports. [`Builder::store`] or [`Builder::tokens`] must
    /// follow.
    ///
    /// ```
    /// use gatekit_core::{Auth, MemoryStore, Need, NoProfile};
    ///
    /// let (users, tokens) = (MemoryStore::new(), MemoryStore::<NoProfile>::new());
    /// let auth: Auth = Auth::builder_with_users(users).tokens(tokens).build()?;
    /// assert_eq!(auth.missing(&[Need::Roles]), Some(Need::Roles));
    /// # Ok::<_, gatekit_core::ConfigError>(())
    /// ```
    pub fn builder_with_users(users: impl UserStore<U>) -> Builder<U> {
        Builder::from_users(Arc::new(users))
    }
}

/// Builds an [`Auth`]. See [`Auth::builder`].
#[must_use = "nothing exists until `build` is called"]
pub struct Builder<U: Account> {
    users: Arc<dyn UserStore<U>>,
    tokens: Option<Arc<dyn TokenStore>>,
    one_time: Option<Arc<dyn OneTimeStore>>,
    roles: Option<Arc<dyn RoleStore>>,
    devices: Option<Arc<dyn DeviceStore>>,
    counters: Option<Arc<dyn CounterStore>>,
    acl: Acl,
    role_resolvers: Vec<NamedResolver<U>>,
    belongs_to: Vec<BelongsTo<U>>,
    mailer: Option<Arc<dyn Mailer>>,
    policy: Policy,
    hasher: Option<Hasher>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    hooks: Vec<Arc<dyn Hooks<U>>>,
    links: LinkSettings,
    verify_options: VerifyOptions,
    redirect_origins: Vec<String>,
    texts: Texts,
    mail_template: Option<Arc<dyn MailTemplate>>,
    site_name: Option<String>,
}

impl<U: Account> fmt::Debug for Builder<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl<U: Account> Builder<U> {
    fn from_users(users: Arc<dyn UserStore<U>>) -> Self {
        Self {
            users,
            tokens: None,
            one_time: None,
            roles: None,
            devices: None,
            counters: None,
            acl: Acl::user(),
            role_resolvers: Vec::new(),
            belongs_to: Vec::new(),
            mailer: None,
            policy: Policy::default(),
            hasher: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            hooks: Vec::new(),
            links: LinkSettings::default(),
            verify_options: VerifyOptions::default(),
            redirect_origins: Vec::new(),
            texts: Texts::default(),
            mail_template: None,
            site_name: None,
        }
    }

    /// Keeps everything but the users in `store`: [`tokens`](Self::tokens), [`roles`](Self::roles),
    /// [`devices`](Self::devices) and [`counters`](Self::counters) in one call.
    pub fn store<S: TokenStore + OneTimeStore + RoleStore + DeviceStore + CounterStore>(mut self, store: S) -> Self {
        let store = Arc::new(store);
        self.tokens = Some(store.clone());
        self.one_time = Some(store.clone());
        self.roles = Some(store.clone());
        self.devices = Some(store.clone());
        self.counters = Some(store);
        self
    }

    /// Keeps access tokens and one-time records in `store`. With the store of users this is enough
    /// for sign-up, login, logout and password reset.
    pub fn tokens<S: TokenStore + OneTimeStore>(mut self, store: S) -> Self {
        let store = Arc::new(store);
        self.tokens = Some(store.clone());
        self.one_time = Some(store);
        self
    }

    /// Keeps the roles of users in `store`. Without a store of roles, [`Auth::assign_role`] fails
    /// with [`StoreError::Missing`](crate::StoreError::Missing), and [`build`](Self::build) refuses
    /// an [`Acl`] that names a role which no [`role_resolver`](Self::role_resolver) computes.
    pub fn roles(mut self, store: impl RoleStore) -> Self {
        self.roles = Some(Arc::new(store));
        self
    }

    /// Keeps in `store` from which devices users have logged in.
    /// `policy.mail.notify_unknown_device` needs it.
    pub fn devices(mut self, store: impl DeviceStore) -> Self {
        self.devices = Some(Arc::new(store));
        self
    }

    /// Counts tries and mails in `store`. Mailed codes, the change of an address and mails to
    /// approvers need it. The limits on other mails do not: they count one-time records.
    pub fn counters(mut self, store: impl CounterStore) -> Self {
        self.counters = Some(Arc::new(store));
        self
    }

    /// Who may call which method of the User API. [`Acl::user`], LoopBack's for its built-in User,
    /// unless set.
    pub fn acl(mut self, acl: Acl) -> Self {
        self.acl = acl;
        self
    }

    /// A role that the app computes, in place of the roles assigned under this name. LoopBack's
    /// `Role.registerResolver`. Of several for one name the last counts.
    pub fn role_resolver(mut self, role: impl Into<String>, resolver: impl RoleResolver<U>) -> Self {
        self.role_resolvers.push((role.into(), Arc::new(resolver)));
        self
    }

    /// Makes a user of another model the owner of the users that name it: LoopBack's `belongsTo`
    /// between two user models. `owner` returns the id of that user. In the routes of the User API,
    /// its token then counts as `$owner` and `$authenticated` for the user in the path, and as
    /// anonymous for every other one. Several may be added.
    ///
    /// A request with a token of the other model costs two queries more than one with a token of
    /// this model. What only a user itself may do stays its own: a password is changed by a caller
    /// that knows the old one.
    ///
    /// A client sets the fields of its own profile: a user that sets the field which `owner` reads
    /// chooses its owner, as in LoopBack.
    ///
    /// ```
    /// use gatekit_core::{Auth, MemoryStore, Model, User, UserId};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Serialize, Deserialize)]
    /// struct Customer {
    ///     #[serde(rename = "sellerId")]
    ///     seller_id: Option<UserId>,
    /// }
    ///
    /// impl Model for Customer {
    ///     const NAME: &'static str = "Customer";
    /// }
    ///
    /// let store = MemoryStore::<Customer>::new();
    /// let sellers = store.with_profile::<gatekit_core::NoProfile>();
    /// let sellers: Auth = Auth::builder(sellers).build()?;
    /// let customers = Auth::builder(store)
    ///     .belongs_to(&sellers, |customer: &User<Customer>| customer.profile.seller_id.clone())
    ///     .build()?;
    /// # Ok::<_, gatekit_core::ConfigError>(())
    /// ```
    pub fn belongs_to<V: Account>(
        mut self,
        owners: &Auth<V>,
        owner: impl Fn(&U) -> Option<UserId> + Send + Sync + 'static,
    ) -> Self {
        self.belongs_to.push(BelongsTo::new(owners, owner));
        self
    }

    /// Sends the mails. Without one, an app that sends its own takes the secret from
    /// [`Event::PasswordResetRequested`](crate::Event::PasswordResetRequested),
    /// [`Event::EmailVerificationRequested`](crate::Event::EmailVerificationRequested) or
    /// [`Event::EmailChangeRequested`](crate::Event::EmailChangeRequested). Each is raised with a
    /// mailer, too.
    pub fn mailer(mut self, mailer: impl Mailer) -> Self {
        self.mailer = Some(Arc::new(mailer));
        self
    }

    /// The rules. [`Policy::default`] unless set.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The password hasher. [`Hasher::builder`]'s defaults unless set.
    pub fn hasher(mut self, hasher: Hasher) -> Self {
        self.hasher = Some(hasher);
        self
    }

    /// The clock. The machine's unless set.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The source of randomness. The system's unless set.
    pub fn random(mut self, random: impl Random) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// The app's own steps in the flows. Several are run in the order they were added.
    pub fn hooks(mut self, hooks: impl Hooks<U>) -> Self {
        self.hooks.push(Arc::new(hooks));
        self
    }

    /// Where users reach the app, such as `https://app.example.com`, or `https://example.com/app`
    /// if a proxy serves the app below a path and cuts that path off.
    ///
    /// - Links in mails begin with it. The `Host` header of a request is never believed. Without it
    ///   a mail holds the bare secret, or a link of your own ([`reset_link`](Self::reset_link),
    ///   [`change_email_link`](Self::change_email_link), [`VerifyOptions::verify_href`]).
    /// - Its origin is the app's own in the cross-origin check, also where a proxy changes `Host`,
    ///   and a browser may be redirected to it.
    /// - Its path is the prefix of all that browsers are led to: redirects, forms and stylesheets
    ///   of the pages, and the `redirect` of a verification link.
    ///
    /// [`build`](Self::build) writes it as browsers do (lower case, no default port) and refuses
    /// what nobody can open: `0.0.0.0` and `[::]`, at which a server only listens, a query, a
    /// fragment, a user.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.links.public_url = Some(url.into());
        self
    }

    /// The page of the app that lets a user choose a new password, with `{token}` where the secret
    /// goes: `https://app.example.com/choose-password?token={token}`. Some mail gateways lose what
    /// is behind a `#`, or make `%23` of it; a query arrives.
    ///
    /// Unless set, the link leads to a plain page that the routes bring along:
    /// `{public_url}{mount}/reset-password/form?token={token}`, where `mount` is the prefix that
    /// the routes are nested under.
    pub fn reset_link(mut self, template: impl Into<String>) -> Self {
        self.links.reset = Some(template.into());
        self
    }

    /// The page of the app that proves a new address, with `{token}` where the secret goes, as for
    /// [`reset_link`](Self::reset_link). Unless set, the link leads to
    /// `{public_url}{mount}/confirm-email-change/form?token={token}`, which the routes bring along.
    pub fn change_email_link(mut self, template: impl Into<String>) -> Self {
        self.links.change_email = Some(template.into());
        self
    }

    /// What the mail with the verification link says and where its link leads. LoopBack's
    /// `verifyOptions`.
    pub fn verify_options(mut self, options: VerifyOptions) -> Self {
        self.verify_options = options;
        self
    }

    /// An origin, such as `https://app.example.com`, that `GET /confirm` may redirect to, beside
    /// paths of the own site. Any other target is ignored: the address is verified, and nobody is
    /// redirected (CWE-601). Several may be added. The origin of [`public_url`](Self::public_url)
    /// is one already.
    pub fn redirect_origin(mut self, origin: impl Into<String>) -> Self {
        self.redirect_origins.push(origin.into());
        self
    }

    /// What mails and pages say. [`Texts::default`], English and German, unless set.
    pub fn texts(mut self, texts: Texts) -> Self {
        self.texts = texts;
        self
    }

    /// How mails look. As [`MailContent::render`](crate::MailContent::render) makes them unless
    /// set.
    pub fn mail_template(mut self, template: impl MailTemplate) -> Self {
        self.mail_template = Some(Arc::new(template));
        self
    }

    /// What the site is called. Mails say it, and texts have it as `{site}`. Unless set, mails do
    /// without.
    pub fn site_name(mut self, name: impl Into<String>) -> Self {
        self.site_name = Some(name.into());
        self
    }

    /// The page of the app where a user asks for a new password:
    /// `https://app.example.com/forgot-password`. Notices of a new password or an unknown device
    /// lead there. Unless set, they have no link.
    pub fn forgot_password_link(mut self, url: impl Into<String>) -> Self {
        self.links.forgot_password = Some(url.into());
        self
    }

    /// Puts it together.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says what is missing or contradicts itself.
    pub fn build(self) -> Result<Auth<U>, ConfigError> {
        if let Some(mistake) = self.policy.mistake() {
            return Err(ConfigError::Policy(mistake));
        }
        if self.site_name.as_deref().is_some_and(|name| name.contains(char::is_control)) {
            return Err(ConfigError::SiteName);
        }
        if let Some((text, what)) = mails::mistake(&self.texts) {
            return Err(ConfigError::Text(text, what));
        }
        self.check_needs()?;
        self.verify_options.check()?;
        let links = self.links.check(&self.verify_options)?;
        let redirect_origins = redirect::origins(&self.redirect_origins, links.public_url.as_ref())?;
        if !redirect::is_allowed(&self.verify_options.redirect, &redirect_origins) {
            return Err(ConfigError::VerifyOptions(
                "`redirect` must be a path of the own site, or below an origin of `Builder::redirect_origin`",
            ));
        }
        if let Some((role, _)) = self.role_resolvers.iter().find(|(role, _)| acl::is_built_in(role)) {
            return Err(ConfigError::RoleResolver(role.clone()));
        }
        if let Some(tokens) = &self.tokens {
            tokens.use_clock(&self.clock);
        }
        self.acl.warn_of_mistakes();
        let hasher = match self.hasher {
            Some(hasher) => hasher,
            None => Hasher::builder().build()?,
        };
        // Last, so that what is refused reserves no name.
        let name = Arc::new(());
        let identities = [self.users.users_identity(), self.tokens.as_ref().and_then(|tokens| tokens.identity())];
        for identity in identities.into_iter().flatten() {
            identity.claim::<U>(&name)?;
        }
        let inner = Arc::new(Inner {
            users: self.users,
            tokens: self.tokens.ok_or(ConfigError::NoTokenStore)?,
            one_time: self.one_time.ok_or(ConfigError::NoTokenStore)?,
            roles: self.roles,
            devices: self.devices,
            counters: self.counters,
            acl: RwLock::new(Arc::new(self.acl)),
            role_resolvers: self.role_resolvers,
            belongs_to: self.belongs_to,
            mailer: self.mailer,
            under_way: UnderWay::default(),
            mails_lost: AtomicU64::new(0),
            has_confirm_route: AtomicBool::new(false),
            events: EventCounters::default(),
            waiting: TokenNotifier::default(),
            policy: self.policy,
            hasher,
            clock: self.clock,
            random: self.random,
            hooks: self.hooks,
            links,
            verify_options: self.verify_options,
            redirect_origins,
            texts: self.texts,
            mail_template: self.mail_template,
            site_name: self.site_name,
            _name: name,
        });
        Ok(Auth(inner, None))
    }

    /// Refuses a setting that would not hold for want of a store.
    fn check_needs(&self) -> Result<(), ConfigError> {
        let missing = |what: String, need| Err(ConfigError::Missing { what, need });
        if self.policy.email.verification_required && !self.users.supports(UserOperation::Update) {
            return missing("`policy.email.verification_required`".to_owned(), Need::Users(UserOperation::Update));
        }
        if self.policy.mail.notify_unknown_device && self.devices.is_none() {
            return missing("`policy.mail.notify_unknown_device`".to_owned(), Need::Devices);
        }
        let is_computed =
            |role: &str| role.starts_with('$') || self.role_resolvers.iter().any(|(name, _)| name == role);
        let assigned = self.acl.rows().iter().find_map(|row| match &row.principal {
            Principal::Role(role) if !is_computed(role) => Some(role),
            _ => None,
        });
        match assigned {
            Some(role) if self.roles.is_none() => {
                missing(format!("the role `{role}` of the access control list"), Need::Roles)
            }
            _ => Ok(()),
        }
    }

    #[expect(clippy::panic, reason = "documented: it can fail only at the start of an app, by how the app is written")]
    fn assemble_default(self) -> Auth<U> {
        self.build().unwrap_or_else(|error| panic!("{error}"))
    }
}
