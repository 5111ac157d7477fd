//! Who a login means: from email, username and realm as sent to what a store looks up.

use crate::{Account, Auth, Identifier, IdentifierKind, Policy, email, normalize};

/// Longer identifiers belong to nobody: the longest address has 254 bytes. Longer names and realms
/// are refused: LoopBack's SQL columns hold 512.
const MAX_BYTES: usize = 512;

/// What is looked up, and the realm the user found must have if it is no part of the lookup.
pub(crate) struct Wanted {
    /// `None` for an identifier nobody can have; the flow goes on as for an unknown user.
    pub(crate) identifier: Option<Identifier>,
    /// The address or name as it was typed, without the realm.
    pub(crate) typed: String,
    realm: Option<String>,
}

/// Why nobody can be looked up.
pub(crate) enum Unnamed {
    Realm,
    Identifier,
}

impl Policy {
    /// An address as it is stored, compared, shown and mailed to. It need not be a valid one.
    ///
    /// ```
    /// use gatekit_core::Policy;
    ///
    /// let policy = Policy::default();
    /// assert_eq!(policy.canonical_email(" Ada@B\u{fc}cher.example"), "ada@xn--bcher-kva.example");
    /// assert_eq!(Policy::loopback().canonical_email("Ada@Example.com"), "Ada@Example.com");
    /// ```
    #[must_use]
    pub fn canonical_email(&self, address: &str) -> String {
        if self.identifiers.normalize {
            normalize::email(address, self.identifiers.case_sensitive_email)
        } else if self.identifiers.case_sensitive_email {
            address.to_owned()
        } else {
            email::normalize_case(address)
        }
    }

    /// A username as it is stored, compared and shown. It need not be a valid one.
    #[must_use]
    pub fn canonical_username(&self, name: &str) -> String {
        if self.identifiers.normalize { normalize::username(name) } else { name.to_owned() }
    }

    /// [`canonical_email`](Self::canonical_email) or
    /// [`canonical_username`](Self::canonical_username).
    pub(crate) fn canonical(&self, kind: IdentifierKind, text: &str) -> String {
        match kind {
            IdentifierKind::Email => self.canonical_email(text),
            IdentifierKind::Username => self.canonical_username(text),
        }
    }

    /// Whether addresses or names are compared byte for byte.
    pub(crate) fn is_exact(&self, kind: IdentifierKind) -> bool {
        !self.identifiers.normalize && (self.identifiers.case_sensitive_email || kind == IdentifierKind::Username)
    }

    /// Whether two addresses or names are the same in their canonical forms.
    pub(crate) fn is_same(&self, kind: IdentifierKind, one: Option<&str>, other: Option<&str>) -> bool {
        let canonical = |text: Option<&str>| text.map(|text| self.canonical(kind, text));
        canonical(one) == canonical(other)
    }

    /// Whether a user may get the address `typed`, in its canonical form.
    ///
    /// It must be valid by [`email::is_valid`]. Where `identifiers.normalize` is set, its
    /// characters must be [sound](normalize::is_sound) and mail can be sent to it
    /// ([`email::smtp_form`]).
    #[must_use]
    pub fn accepts_email(&self, typed: &str) -> bool {
        let address = self.canonical_email(typed);
        email::is_valid(&address)
            && (!self.identifiers.normalize || (normalize::is_sound(&address) && email::smtp_form(&address).is_some()))
    }

    /// Whether a user may get the username `typed`, in its canonical form: at most 512 bytes
    /// without control characters, and without a `:` unless `identifiers.colon_in_names` is set.
    /// Where `identifiers.normalize` is set, its characters must be [sound](normalize::is_sound),
    /// and some must be visible. Where a name is enough to sign up (`identifiers.email_required` is
    /// off), it has no `@`.
    #[must_use]
    pub fn accepts_username(&self, typed: &str) -> bool {
        let name = self.canonical_username(typed);
        // Where people log in by either, what looks like an address is one.
        if !self.requires_email() && name.contains('@') {
            return false;
        }
        self.accepts_name(&name) && (!self.identifiers.normalize || (normalize::is_sound(&name) && !name.is_empty()))
    }

    /// Whether a username or a realm may look like this.
    pub(crate) fn accepts_name(&self, name: &str) -> bool {
        is_printable(name) && (self.identifiers.colon_in_names || !name.contains(':'))
    }

    /// The namespace of a user of `realm`.
    pub(crate) fn namespace(&self, realm: Option<&str>) -> String {
        if self.unique_per_realm() { realm.unwrap_or_default().to_owned() } else { String::new() }
    }

    /// Reads an identifier in the order LoopBack does.
    ///
    /// 1. The email counts before the username; an empty one is none.
    /// 2. With a delimiter, `realm:name` names the realm, and wins over the field `realm`.
    /// 3. Where the policy has realms, one must be named.
    /// 4. Where it has none, a realm that is named must be the user's, but is no part of the
    ///    lookup.
    pub(crate) fn wanted(
        &self,
        email: Option<&str>,
        username: Option<&str>,
        realm: Option<&str>,
    ) -> Result<Wanted, Unnamed> {
        let given = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
        let mut realm = given(realm);
        let mut name = match (given(email), given(username)) {
            (Some(email), _) => Some((IdentifierKind::Email, email)),
            (None, username) => username.map(|username| (IdentifierKind::Username, username)),
        };
        if let (Some(delimiter), Some((kind, whole))) = (self.identifiers.realm_delimiter, name.clone())
            // A full-width colon is the delimiter too, or it would come into being after the text
            // was split.
            && let Some((prefix, rest)) = match whole.contains(delimiter) {
                true => whole,
                false => self.canonical_username(&whole),
            }
            .split_once(delimiter)
        {
            realm = given(Some(prefix));
            name = given(Some(rest)).map(|rest| (kind, rest));
        }
        if self.has_realms() && realm.is_none() {
            return Err(Unnamed::Realm);
        }
        let Some((kind, value)) = name else { return Err(Unnamed::Identifier) };
        Ok(self.looked_up(kind, value, realm))
    }

    /// Whose address it is, for a flow that need not know the realm: where addresses are unique
    /// among all users, LoopBack finds one without it.
    pub(crate) fn wanted_email(&self, email: &str, realm: Option<&str>) -> Wanted {
        self.looked_up(
            IdentifierKind::Email,
            email.to_owned(),
            realm.filter(|realm| !realm.is_empty()).map(str::to_owned),
        )
    }

    fn looked_up(&self, kind: IdentifierKind, value: String, realm: Option<String>) -> Wanted {
        let (typed, value) = (value.clone(), self.canonical(kind, &value));
        let possible = !value.is_empty() && is_possible(&value) && realm.as_deref().is_none_or(is_possible);
        let namespace = self.namespace(realm.as_deref());
        Wanted { identifier: possible.then_some(Identifier { namespace, kind, value }), typed, realm }
    }
}

/// Whether a store may be asked for this text.
pub(crate) fn is_possible(text: &str) -> bool {
    text.len() <= MAX_BYTES && !text.contains('\0')
}

/// Whether a name or a realm has no control character and at most 512 bytes.
fn is_printable(name: &str) -> bool {
    name.len() <= MAX_BYTES && !name.chars().any(char::is_control)
}

impl Wanted {
    /// Whether a user found by the identifier is in the realm that was named.
    pub(crate) fn includes<U: Account>(&self, user: &U) -> bool {
        self.realm.is_none() || self.realm.as_deref() == user.realm()
    }
}

impl<U: Account> Auth<U> {
    /// Whether a user may get the address `typed`: [`Policy::accepts_email`], and where
    /// `policy.identifiers.normalize` is set, the mailer [can reach](crate::Mailer::can_reach) it.
    #[must_use]
    pub fn accepts_email(&self, typed: &str) -> bool {
        let (policy, mailer) = (&self.0.policy, self.0.mailer.as_ref());
        let reaches = |address: &str| mailer.is_none_or(|mailer| mailer.can_reach(address));
        policy.accepts_email(typed) && (!policy.identifiers.normalize || reaches(&policy.canonical_email(typed)))
    }

    /// What an address, a name and a realm name, as a client has sent them.
    pub(crate) fn wanted_by(
        &self,
        email: Option<&str>,
        username: Option<&str>,
        realm: Option<&str>,
    ) -> Result<Wanted, Unnamed> {
        let policy = &self.0.policy;
        // Where there are no realms, LoopBack does not look at the field.
        policy.wanted(email, username, realm.filter(|_| policy.has_realms()))
    }
}
