//! Which user an address or a name means, also where it is stored in another spelling than the
//! policy writes.
//!
//! Users who were imported, who signed up under another policy, or who are in an app's own table
//! may be stored with capitals or in a form that [`normalize`](crate::normalize) does not produce.
//! They log in, get their mails, and keep their address from others all the same.
//!
//! 1. A policy that compares byte for byte, such as `Policy::loopback()`, asks the store for the
//!    very text.
//! 2. Otherwise a user is meant if the stored spelling has the canonical form of what was typed.
//!    One query finds all of them.
//! 3. A user whose stored spelling is exactly what was typed wins.
//! 4. One user alone is found. If it is stored in another spelling than the policy writes, a log
//!    line names its id.
//! 5. Of several, none of which is spelled as it was typed, none is preferred: nobody is found, and
//!    a log line names their ids.
//! 6. An address or name is taken if it means any user at all.

use crate::flows::identifier::{Wanted, is_possible};
use crate::{Account, Auth, Identifier, IdentifierKind, StoreError, StoredUser, UserId};

impl<U: Account> Auth<U> {
    /// The user who is meant, if there is one.
    pub(crate) async fn find_wanted(&self, wanted: &Wanted) -> Result<Option<StoredUser<U>>, StoreError> {
        let Some(identifier) = &wanted.identifier else { return Ok(None) };
        let mut found = self.users_called(identifier, &wanted.typed).await?;
        // Where a realm is named but is no part of the lookup, a user of another realm is not
        // meant.
        found.retain(|found| wanted.includes(&found.user));
        Ok(self.the_one(identifier, &wanted.typed, found))
    }

    /// Whether a user other than `owner` has this address or name (rule 6).
    pub(crate) async fn is_taken(
        &self,
        identifier: &Identifier,
        typed: &str,
        owner: Option<&UserId>,
    ) -> Result<bool, StoreError> {
        let found = self.users_called(identifier, typed).await?;
        Ok(found.iter().any(|found| Some(&found.user.id()) != owner))
    }

    /// Rules 1 and 2.
    pub(crate) async fn users_called(
        &self,
        identifier: &Identifier,
        typed: &str,
    ) -> Result<Vec<StoredUser<U>>, StoreError> {
        let (policy, users, kind) = (&self.0.policy, &self.0.users, identifier.kind);
        if policy.is_exact(kind) {
            return Ok(self.bounded(users.find_user_by(identifier)).await?.into_iter().collect());
        }
        let typed = if is_possible(typed) { typed } else { identifier.value.as_str() };
        let found = self.bounded(users.find_users_like(identifier, typed)).await?;
        let mut meant: Vec<StoredUser<U>> = Vec::new();
        for found in found {
            let stored = spelling(&found.user, kind).map(|stored| policy.canonical(kind, stored));
            let is_new = meant.iter().all(|known| known.user.id() != found.user.id());
            if is_new && stored.as_ref() == Some(&identifier.value) {
                meant.push(found);
            }
        }
        Ok(meant)
    }

    /// Rules 3 to 5.
    fn the_one(&self, identifier: &Identifier, typed: &str, mut found: Vec<StoredUser<U>>) -> Option<StoredUser<U>> {
        let kind = identifier.kind;
        let as_typed = found.iter().position(|found| spelling(&found.user, kind) == Some(typed));
        let one = match (as_typed, found.len()) {
            (_, 0) => return None,
            (Some(at), _) => found.swap_remove(at),
            (None, 1) => found.swap_remove(0),
            (None, _) => {
                let ids: Vec<String> = found.iter().map(|found| found.user.id().to_string()).collect();
                let users = ids.join(", ");
                tracing::error!(
                    %kind, users,
                    "several users are stored with one {kind} in different spellings, and none is spelled as it was typed, so none \
                     was found; Auth::doctor lists them"
                );
                return None;
            }
        };
        if !self.0.policy.is_exact(kind) && spelling(&one.user, kind) != Some(identifier.value.as_str()) {
            tracing::warn!(
                %kind, user = %one.user.id(),
                "a user is stored with its {kind} in another spelling than the policy writes; Auth::doctor lists all of them"
            );
        }
        Some(one)
    }
}

/// How the address or the name of a user is stored.
pub(crate) fn spelling<U: Account>(user: &U, kind: IdentifierKind) -> Option<&str> {
    match kind {
        IdentifierKind::Email => user.email(),
        IdentifierKind::Username => user.username(),
    }
}
