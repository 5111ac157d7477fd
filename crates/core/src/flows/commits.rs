//! The calls that commit a change of a user, each with the way to find out whether it was made after a store has failed.
//!
//! What is found must be the doing of this very change: a hash with its random salt, a `rev` that has grown by one.

use crate::{Account, Auth, Change, CreateUserError, PasswordHash, StoreError, StoredUser, UserChange, UserId};

impl<U: Account> Auth<U> {
    /// Stores a new password if `rev` is still the user's. Returns the new `rev`.
    pub(crate) async fn commit_password(
        &self,
        change: &mut Change,
        found: &StoredUser<U>,
        hash: &PasswordHash,
    ) -> Result<Option<i64>, StoreError> {
        let (users, id) = (&*self.0.users, &found.user.id());
        let done = change.commit_or_find(users.set_password(id, found.rev, hash), async || {
            let now = users.find_user(id).await?;
            let is_ours = |now: &StoredUser<U>| now.password.as_ref().is_some_and(|now| now.expose() == hash.expose());
            Ok(now.filter(is_ours).map(|now| Some(now.rev)))
        });
        done.await
    }

    /// Removes a user. Returns whether there was one.
    pub(crate) async fn commit_deletion(&self, change: &mut Change, id: &UserId) -> Result<bool, StoreError> {
        let users = &*self.0.users;
        // If another request has removed it meanwhile, clearing away twice harms nobody.
        let done = change
            .commit_or_find(users.delete_user(id), async || Ok(users.find_user(id).await?.is_none().then_some(true)));
        done.await
    }

    /// Changes a user if it is still `old`. Returns it as it is then.
    pub(crate) async fn commit_update(
        &self,
        change: &mut Change,
        old: &StoredUser<U>,
        update: UserChange<U::Profile>,
    ) -> Result<Option<StoredUser<U>>, CreateUserError> {
        let (users, id) = (&*self.0.users, &old.user.id());
        let wanted = Wanted::of(&update, old);
        // That an address is taken is an answer. It is carried around the way of those that are none.
        let call = async {
            match users.update_user(old, update).await {
                Err(CreateUserError::Store(error)) => Err(error),
                answer => Ok(answer),
            }
        };
        let done = change.commit_or_find(call, async || {
            let now = users.find_user(id).await?;
            Ok(now.filter(|now| wanted.is_met_by(now)).map(|now| Ok(Some(now))))
        });
        done.await?
    }
}

/// What a user has after an update.
struct Wanted {
    rev: i64,
    email: Option<String>,
    username: Option<String>,
    realm: Option<String>,
    email_verified: Option<Option<bool>>,
    password: Option<String>,
    /// As JSON; `None` if it stays.
    profile: Option<serde_json::Value>,
}

impl Wanted {
    fn of<U: Account>(update: &UserChange<U::Profile>, old: &StoredUser<U>) -> Self {
        let after = |new: &Option<Option<String>>, old: Option<&str>| match new {
            Some(new) => new.clone(),
            None => old.map(str::to_owned),
        };
        Self {
            rev: old.rev.saturating_add(i64::from(update.bump_rev)),
            email: after(&update.email, old.user.email()),
            username: after(&update.username, old.user.username()),
            realm: after(&update.realm, old.user.realm()),
            email_verified: update.email_verified,
            password: update.password.as_ref().map(|hash| hash.expose().to_owned()),
            profile: update.profile.as_ref().and_then(|profile| serde_json::to_value(profile).ok()),
        }
    }

    fn is_met_by<U: Account>(&self, now: &StoredUser<U>) -> bool {
        let user = serde_json::to_value(&now.user).unwrap_or_default();
        let has_profile = self
            .profile
            .as_ref()
            .and_then(serde_json::Value::as_object)
            .is_none_or(|profile| profile.iter().all(|(name, value)| user.get(name) == Some(value)));
        now.rev == self.rev
            && now.user.email() == self.email.as_deref()
            && now.user.username() == self.username.as_deref()
            && now.user.realm() == self.realm.as_deref()
            && self.email_verified.is_none_or(|verified| now.user.email_verified() == verified)
            && self.password.as_ref().is_none_or(|hash| now.password.as_ref().is_some_and(|now| now.expose() == hash))
            && has_profile
    }
}
