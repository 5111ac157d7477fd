//! The calls that commit a change of a user or of its tokens, each with the way to find out whether
//! it was made after a store has failed.
//!
//! What is found must be the doing of this very change: a hash with its random salt, a `rev` that
//! has grown by one.

use crate::flows::new_token::NewToken;
use crate::{
    Account, AccountStatus, Auth, Change, CreateUserError, Identifier, IdentifierKind, IssuedToken, NewUser,
    OneTimePurpose, OneTimeRecord, PasswordHash, StoreError, StoredUser, TokenDigest, TokenSecret, Unavailable,
    UserChange, UserId, random,
};

/// That all tokens of a user have ended.
pub(crate) struct NewRev {
    pub(crate) rev: i64,
    /// Whether the store said that this request has ended them. Otherwise another one may have.
    pub(crate) acknowledged: bool,
}

impl<U: Account> Auth<U> {
    /// Stores a new user.
    pub(crate) async fn commit_new_user(
        &self,
        change: &mut Change,
        new: NewUser<U::Profile>,
    ) -> Result<StoredUser<U>, CreateUserError> {
        let users = &*self.0.users;
        let hash = new.password.as_ref().map(|hash| hash.expose().to_owned());
        let identifier = |kind, value: &Option<String>| {
            let value = value.clone()?;
            Some(Identifier { namespace: new.namespace.clone(), kind, value })
        };
        let identifier = identifier(IdentifierKind::Email, &new.email)
            .or_else(|| identifier(IdentifierKind::Username, &new.username));
        let call = async {
            match users.create_user(new).await {
                Err(CreateUserError::Store(error)) => Err(error),
                answer => Ok(answer),
            }
        };
        let done = change.commit_or_find(call, async || {
            let Some(identifier) = &identifier else { return Ok(None) };
            let now = users.find_user_by(identifier).await?;
            // A hash has a random salt. Without one nothing tells whose doing the user is.
            let is_ours = |now: &StoredUser<U>| {
                hash.is_some() && now.password.as_ref().map(PasswordHash::expose) == hash.as_deref()
            };
            Ok(now.filter(is_ours).map(Ok))
        });
        done.await?
    }

    /// Stores a token under a new secret, issued now. If the request was answered 503 meanwhile,
    /// the token is taken back: no client will ever have its secret.
    pub(crate) async fn commit_new_token(
        &self,
        change: &mut Change,
        token: NewToken,
    ) -> Result<IssuedToken, Unavailable> {
        let secret = random::token_secret(&*self.0.random)?;
        self.commit_token(change, token, secret).await
    }

    /// The same, under this secret.
    pub(crate) async fn commit_token(
        &self,
        change: &mut Change,
        token: NewToken,
        secret: TokenSecret,
    ) -> Result<IssuedToken, Unavailable> {
        let record = token.issued(secret.digest(), self.0.clock.now());
        let tokens = &*self.0.tokens;
        let stored = change.commit_or_find(tokens.insert_token(&record), async || {
            Ok(tokens.find_token(&record.digest).await?.map(|_| ()))
        });
        stored.await?;
        if change.is_late() {
            self.discard_token(&record.digest).await;
            return Err(StoreError::Timeout.into());
        }
        Ok(IssuedToken { secret, record })
    }

    /// Ends a token whose secret nobody has got: no event is raised, because nobody is logged out.
    /// If the store fails, the token ends by itself, and the log says so.
    pub async fn discard_token(&self, token: &TokenDigest) {
        if let Err(error) = self.bounded::<_, StoreError>(self.0.tokens.delete_token(token)).await {
            tracing::warn!(%error, "a token that nobody got could not be removed; it ends by itself");
        }
    }

    /// Ends a token. Returns whether it was there.
    pub(crate) async fn commit_token_end(&self, change: &mut Change, token: &TokenDigest) -> Result<bool, StoreError> {
        let tokens = &*self.0.tokens;
        let done = change.commit_or_find(tokens.delete_token(token), async || {
            Ok(tokens.find_token(token).await?.is_none().then_some(true))
        });
        done.await
    }

    /// Sets whether a user may log in. Returns the new `rev`, if there is such a user.
    pub(crate) async fn commit_status(
        &self,
        change: &mut Change,
        old: &StoredUser<U>,
        status: AccountStatus,
    ) -> Result<Option<i64>, StoreError> {
        let (users, id) = (&*self.0.users, &old.user.id());
        let done = change.commit_or_find(users.set_status(id, status), async || {
            let now = users.find_user(id).await?;
            Ok(now.filter(|now| now.status == status && now.rev > old.rev).map(|now| Some(now.rev)))
        });
        done.await
    }

    /// Ends all tokens of a user that were issued under `before`. Returns the new `rev`, if there
    /// is such a user.
    pub(crate) async fn commit_new_rev(
        &self,
        change: &mut Change,
        user: &UserId,
        before: i64,
    ) -> Result<Option<NewRev>, StoreError> {
        let users = &*self.0.users;
        let bump = async { Ok(users.bump_rev(user).await?.map(|rev| NewRev { rev, acknowledged: true })) };
        let done = change.commit_or_find(bump, async || {
            Ok(match users.find_user(user).await? {
                Some(found) if found.rev == before => None,
                Some(found) => Some(Some(NewRev { rev: found.rev, acknowledged: false })),
                None => Some(None),
            })
        });
        done.await
    }

    /// Stores a one-time secret that is to be mailed. If the request was answered 503 meanwhile,
    /// this fails, so that nobody is mailed what nobody has been told of; the record ends by
    /// itself.
    pub(crate) async fn commit_secret(&self, change: &mut Change, record: &OneTimeRecord) -> Result<(), StoreError> {
        change.commit(self.0.one_time.insert_one_time(record)).await?;
        if change.is_late() { Err(StoreError::Timeout) } else { Ok(()) }
    }

    /// Changes a one-time record, if it is as it was read.
    pub(crate) async fn commit_one_time_replacement(
        &self,
        change: &mut Change,
        old: &OneTimeRecord,
        new: &OneTimeRecord,
    ) -> Result<bool, StoreError> {
        let one_time = &*self.0.one_time;
        let done = change.commit_or_find(one_time.replace_one_time(old, new), async || {
            let now = one_time.find_one_time(old.purpose, &old.digest).await?;
            Ok(now.filter(|now| now.data == new.data && now.expires == new.expires).map(|_| true))
        });
        done.await
    }

    /// Takes a one-time secret whose use has been stored already. Returns whether this request is
    /// the one that took it; of a store that fails in between that may be more than one.
    pub(crate) async fn commit_use(
        &self,
        change: &mut Change,
        purpose: OneTimePurpose,
        secret: &TokenDigest,
    ) -> Result<bool, StoreError> {
        let one_time = &*self.0.one_time;
        let take = async { Ok(one_time.take_one_time(purpose, secret).await?.is_some()) };
        let done = change.commit_or_find(take, async || {
            Ok(one_time.find_one_time(purpose, secret).await?.is_none().then_some(true))
        });
        done.await
    }

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
        // That an address is taken is an answer. It is carried around the way of those that are
        // none.
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
