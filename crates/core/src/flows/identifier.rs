//! Who a login means: from email, username and realm as sent to what a store looks up.

use crate::{Account, Auth, Identifier, IdentifierKind, Policy, email};

/// Longer identifiers belong to nobody: the longest address has 254 bytes.
const MAX_BYTES: usize = 512;

/// What is looked up, and the realm the user found must have if it is no part of the lookup.
pub(crate) struct Wanted {
    /// `None` for an identifier nobody can have; the flow goes on as for an unknown user.
    pub(crate) identifier: Option<Identifier>,
    realm: Option<String>,
}

/// Why nobody can be looked up.
pub(crate) enum Unnamed {
    Realm,
    Identifier,
}

impl Policy {
    /// An address as it is stored and compared.
    pub(crate) fn canonical_email(&self, address: &str) -> String {
        if self.case_sensitive_email { address.to_owned() } else { email::normalize_case(address) }
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
    /// 4. Where it has none, a realm that is named must be the user's, but is no part of the lookup.
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
        if let (Some(delimiter), Some((kind, whole))) = (self.realm_delimiter, name.clone())
            && let Some((prefix, rest)) = whole.split_once(delimiter)
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

    /// Whose address it is, for a flow that need not know the realm: where addresses are unique among all users, LoopBack finds
    /// one without it.
    pub(crate) fn wanted_email(&self, email: &str, realm: Option<&str>) -> Wanted {
        self.looked_up(
            IdentifierKind::Email,
            email.to_owned(),
            realm.filter(|realm| !realm.is_empty()).map(str::to_owned),
        )
    }

    fn looked_up(&self, kind: IdentifierKind, value: String, realm: Option<String>) -> Wanted {
        let value = match kind {
            IdentifierKind::Email => self.canonical_email(&value),
            IdentifierKind::Username => value,
        };
        let possible = !value.is_empty()
            && value.len() <= MAX_BYTES
            && !value.contains('\0')
            && realm.as_ref().is_none_or(|realm| realm.len() <= MAX_BYTES && !realm.contains('\0'));
        let namespace = self.namespace(realm.as_deref());
        Wanted { identifier: possible.then_some(Identifier { namespace, kind, value }), realm }
    }
}

impl Wanted {
    /// Whether a user found by the identifier is in the realm that was named.
    fn includes<U: Account>(&self, user: &U) -> bool {
        self.realm.is_none() || self.realm.as_deref() == user.realm()
    }
}

impl<U: Account> Auth<U> {
    /// The user who is meant, if there is one.
    pub(crate) async fn find_wanted(&self, wanted: &Wanted) -> Result<Option<crate::StoredUser<U>>, crate::StoreError> {
        let Some(identifier) = &wanted.identifier else { return Ok(None) };
        let found = self.bounded(self.0.users.find_user_by(identifier)).await?;
        Ok(found.filter(|found| wanted.includes(&found.user)))
    }
}
