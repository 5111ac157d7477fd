//! The users of one type, and the unique index over their addresses and names.

use std::collections::{BTreeSet, HashMap};

use super::contents::Contents;
use super::key_map::KeyMap;
use crate::{Identifier, IdentifierKind, Model, StoreError, StoredUser, User, UserId, normalize};

/// The most users that one address or name is compared with:
/// [`UserStore::find_users_like`](crate::UserStore::find_users_like).
const MOST_ALIKE: usize = 16;

/// The users of one type.
pub(super) struct UserTable<P> {
    pub(super) by_id: KeyMap<i64, StoredUser<User<P>>>,
    /// Of each user.
    pub(super) namespaces: KeyMap<i64, String>,
    /// The unique index over (namespace, kind, value).
    pub(super) identifiers: HashMap<IdentifierKey, i64>,
    /// Under its `normalize::key`: who has an address or a name whose spelling is another.
    respelled: HashMap<IdentifierKey, BTreeSet<i64>>,
}

impl<P> Default for UserTable<P> {
    fn default() -> Self {
        Self {
            by_id: KeyMap::default(),
            namespaces: KeyMap::default(),
            identifiers: HashMap::new(),
            respelled: HashMap::new(),
        }
    }
}

impl<P> UserTable<P> {
    pub(super) fn get(&self, id: &UserId) -> Option<&StoredUser<User<P>>> {
        match id {
            UserId::Int(id) => self.by_id.get(id),
            UserId::Text(_) => None,
        }
    }

    pub(super) fn get_mut(&mut self, id: &UserId) -> Option<&mut StoredUser<User<P>>> {
        match id {
            UserId::Int(id) => self.by_id.get_mut(id),
            UserId::Text(_) => None,
        }
    }

    /// Enters a user's address and name, which are free.
    pub(super) fn enter(&mut self, id: i64, keys: Vec<IdentifierKey>) {
        for (namespace, kind, value) in keys {
            let folded = normalize::key(kind, &value);
            if folded != value {
                self.respelled.entry((namespace.clone(), kind, folded)).or_default().insert(id);
            }
            self.identifiers.insert((namespace, kind, value), id);
        }
    }

    /// Removes the entries of a user.
    pub(super) fn remove(&mut self, id: i64) {
        for key in self.keys_of(id) {
            self.identifiers.remove(&key);
            let (namespace, kind, value) = key;
            let folded = (namespace, kind, normalize::key(kind, &value));
            if let Some(ids) = self.respelled.get_mut(&folded) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.respelled.remove(&folded);
                }
            }
        }
    }

    /// The ids of those who may have this address or name, those that are spelled like this first.
    pub(super) fn like(&self, wanted: &Identifier, typed: &str) -> Vec<i64> {
        let key = |value: &str| (wanted.namespace.clone(), wanted.kind, value.to_owned());
        let folded = normalize::key(wanted.kind, &wanted.value);
        let spelled = [wanted.value.as_str(), typed, folded.as_str()];
        let mut ids: Vec<i64> = spelled.iter().filter_map(|value| self.identifiers.get(&key(value))).copied().collect();
        ids.extend(self.respelled.get(&key(&folded)).into_iter().flatten());
        let mut seen = BTreeSet::new();
        ids.retain(|id| seen.insert(*id));
        ids.truncate(MOST_ALIKE);
        ids
    }

    /// The entries of a user in the unique index.
    fn keys_of(&self, id: i64) -> Vec<IdentifierKey> {
        match (self.by_id.get(&id), self.namespaces.get(&id)) {
            (Some(stored), Some(namespace)) => {
                identifier_keys(namespace, stored.user.email.as_ref(), stored.user.username.as_ref())
            }
            _ => Vec::new(),
        }
    }
}

impl Contents {
    /// The users of the type with this profile; `None` if there never was one.
    pub(super) fn users<P: Model>(&self) -> Result<Option<&UserTable<P>>, StoreError> {
        self.users.get(P::NAME).map(|users| users.downcast_ref().ok_or_else(two_of_one_name::<P>)).transpose()
    }

    pub(super) fn users_mut<P: Model>(&mut self) -> Result<&mut UserTable<P>, StoreError> {
        let users = self.users.entry(P::NAME).or_insert_with(|| Box::new(UserTable::<P>::default()));
        users.downcast_mut().ok_or_else(two_of_one_name::<P>)
    }
}

/// `Builder::build` refuses this; a caller of the store's own methods meets it here.
fn two_of_one_name<P: Model>() -> StoreError {
    StoreError::failed(format!("two profiles have the `Model::NAME` {:?}", P::NAME))
}

/// Under what a user is looked up: namespace, kind, value.
pub(super) type IdentifierKey = (String, IdentifierKind, String);

pub(super) fn identifier_keys(
    namespace: &str,
    email: Option<&String>,
    username: Option<&String>,
) -> Vec<IdentifierKey> {
    [(IdentifierKind::Email, email), (IdentifierKind::Username, username)]
        .into_iter()
        .filter_map(|(kind, value)| Some((namespace.to_owned(), kind, value?.clone())))
        .collect()
}

pub(super) fn user_as_json<P: Model>(user: &User<P>) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(user).map_err(|_| StoreError::failed("the profile cannot be written as JSON"))
}
