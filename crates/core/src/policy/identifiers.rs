//! What names a user: address, username, realm, and how they are compared.

/// Rules for addresses, usernames and realms. A field of [`Policy`](crate::Policy).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentifierPolicy {
    /// Whether `A@x.com` and `a@x.com` are two addresses. If not, addresses are stored and looked
    /// up in lower case. The case of a domain never counts where `identifiers.normalize` is set.
    /// LoopBack's `caseSensitiveEmail`: on.
    pub case_sensitive_email: bool,
    /// Whether addresses and names are stored and compared in one spelling, by the rules of
    /// [`normalize`](crate::normalize), and whether a new address must be one that mail can be sent
    /// to ([`email::smtp_form`](crate::email::smtp_form)). If not, two spellings of one address are
    /// two users, as in LoopBack, and of an address only the case is changed, as
    /// `identifiers.case_sensitive_email` says.
    pub normalize: bool,
    /// Whether a new username or realm may have a `:`. HTTP Basic divides name and password at the
    /// first one, so a user with such a name can never log in by it (RFC 7617 §2). The full-width
    /// `：` counts too where `identifiers.normalize` is set. Names that are stored already stay. On,
    /// as in LoopBack: `gatekit-cmwell` cannot offer Basic then.
    pub colon_in_names: bool,
    /// A login must name a realm. LoopBack's `realmRequired`: off.
    pub realm_required: bool,
    /// What separates realm and name in `realm:name` at login, if anything does; a login must name
    /// a realm then too. LoopBack's `realmDelimiter`: none. With this and
    /// `identifiers.realm_required`, and only with both, addresses and names are unique within a
    /// realm and not among all users, as in LoopBack. Decide before there are users: stored users
    /// keep the scope they were stored with.
    pub realm_delimiter: Option<char>,
    /// Whether a client may choose and change its realm at sign-up, by `PATCH`, `PUT` and upsert
    /// also where the app has no realms. LoopBack stores what is sent: on in its preset. If the app
    /// uses the realm as a group, a tenant or a right, any client can then give itself one
    /// (CWE-915). Off: the realm is read from clients only where `identifiers.realm_required` or
    /// `identifiers.realm_delimiter` is set, and from the app's own code always. See
    /// [`clients_set_realm`](crate::Policy::clients_set_realm).
    pub client_sets_realm: bool,
    /// Whether a new user must have an address. On. Off: a name is enough, and a user without an
    /// address cannot reset a forgotten password. It counts as on where
    /// `email.verification_required` is set. Names then have no `@`, so that a login form with one
    /// field knows a name from an address.
    pub email_required: bool,
    /// How many seconds a username stays reserved after a sign-up whose address already had an
    /// account, where responses hide that. Without it, a second sign-up with the same name would
    /// tell whether there was an account. 31,556,926 (a year).
    pub reserved_name_ttl: i64,
}

impl Default for IdentifierPolicy {
    fn default() -> Self {
        Self {
            case_sensitive_email: false,
            normalize: true,
            colon_in_names: false,
            realm_required: false,
            realm_delimiter: None,
            client_sets_realm: false,
            email_required: true,
            reserved_name_ttl: 31_556_926,
        }
    }
}
