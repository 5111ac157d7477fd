//! Changes of a user's own fields: some of them, or all.

use std::fmt;

use serde_json::{Map, Value};

use crate::flow_error::flow_error;
use crate::flows::compare_and_set::ATTEMPTS;
use crate::flows::requested_change::{OWN, RequestedChange};
use crate::flows::rev::is_outdated;
use crate::{
    Account, Auth, Change, CreateUserError, Event, FieldError, FieldErrors, Identifier, IdentifierKind, MailOptions,
    OneTimePurpose, PasswordError, PasswordOwner, StoreError, StoredUser, TokenRecord, UserChange, UserId, profile,
    read_profile,
};

/// A user is to be changed. `Debug` shows the names of what changes and no values: there may be a
/// password among them.
#[derive(Clone)]
#[non_exhaustive]
pub struct UpdateUser {
    /// Whose.
    pub user_id: UserId,
    /// The new values, by the names that a sign-up has: `email`, `username`, `realm`, `password`,
    /// and the app's own. `null` removes one.
    pub changes: Map<String, Value>,
    /// Whether what is not among the changes is removed. Then `email` and `password` are required.
    pub replace: bool,
    /// Whether the app itself wants it, and not a client: then `emailVerified` and `realm` may be
    /// set, and a password and an address may be changed whatever the policy says. A `realm` from a
    /// client is ignored unless [`Policy::clients_set_realm`](crate::Policy::clients_set_realm).
    pub trusted: bool,
    /// The token that asks, which stays alive. If password or address change, all others end.
    pub keep: Option<TokenRecord>,
    /// Whether all tokens stay alive even if password or address change. LoopBack's
    /// `options.preserveAccessTokens`. Secrets that were mailed to reset the password or to change
    /// the address end all the same.
    pub preserve_access_tokens: bool,
    /// How the notices of a new password or address are written.
    pub mails: MailOptions,
}

impl fmt::Debug for UpdateUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateUser")
            .field("user_id", &self.user_id)
            .field("changes", &self.changes.keys().collect::<Vec<_>>())
            .field("replace", &self.replace)
            .field("trusted", &self.trusted)
            .finish_non_exhaustive()
    }
}

impl UpdateUser {
    /// Changes these fields. LoopBack's `patchAttributes`.
    #[must_use]
    pub fn patch(user_id: impl Into<UserId>, changes: Map<String, Value>) -> Self {
        Self {
            user_id: user_id.into(),
            changes,
            replace: false,
            trusted: false,
            keep: None,
            preserve_access_tokens: false,
            mails: MailOptions::default(),
        }
    }

    /// Replaces all fields by these. LoopBack's `replaceById`.
    #[must_use]
    pub fn replace(user_id: impl Into<UserId>, fields: Map<String, Value>) -> Self {
        Self { replace: true, ..Self::patch(user_id, fields) }
    }

    /// On behalf of the app.
    #[must_use]
    pub fn trusted(mut self) -> Self {
        self.trusted = true;
        self
    }

    /// And this token stays alive.
    #[must_use]
    pub fn keep(mut self, token: TokenRecord) -> Self {
        self.keep = Some(token);
        self
    }

    /// And all tokens stay alive.
    #[must_use]
    pub fn preserve_access_tokens(mut self) -> Self {
        self.preserve_access_tokens = true;
        self
    }

    /// With the notices written like this.
    #[must_use]
    pub fn mails(mut self, options: MailOptions) -> Self {
        self.mails = options;
        self
    }
}

flow_error! {
    /// Why a user was not changed.
    pub enum UpdateUserError {
        /// There is no such user.
        #[error("could not find a model with id {0}")]
        NotFound(UserId) = NotFound "MODEL_NOT_FOUND",
        /// An id never changes.
        #[error("the id of a user cannot be changed")]
        IdChange {
            /// The user's.
            from: UserId,
            /// What was sent.
            to: Box<Value>,
        } = Invalid "ID_CHANGE_NOT_ALLOWED",
        /// `Policy::reject_password_changes_via_patch_or_replace`.
        #[error(
            "Changing user password via patch/replace API is not allowed. Use changePassword() or setPassword() instead."
        )]
        PasswordChangeNotAllowed = Forbidden "PASSWORD_CHANGE_NOT_ALLOWED",
        /// `Policy::reject_email_changes_via_patch_or_replace`.
        #[error("Changing the email via patch/replace API is not allowed. Use change-email instead.")]
        EmailChangeNotAllowed = Forbidden "EMAIL_CHANGE_NOT_ALLOWED",
        /// The account was changed again and again at the same time, or the token that asks was
        /// ended meanwhile.
        #[error("the account was changed at the same time")]
        Conflict = Conflict "CONFLICT",
    }
    or {
        /// The new password is not accepted.
        Password(PasswordError),
        /// Fields are missing, malformed or taken.
        Invalid(FieldErrors),
    }
}

impl<U: Account> Auth<U> {
    /// Changes a user.
    ///
    /// 1. The id stays, and the policy may refuse a password or another address from a client.
    /// 2. A new password is checked against the policy, an address for its syntax, both for being
    ///    free. The profile as it will be stored is no larger and no deeper than the policy allows.
    /// 3. The change is stored if the user is still what it was when it was read; if not, it is
    ///    read again. Of two at the same time none is lost.
    /// 4. A new password or address ends all tokens of the user but the one to keep, in the same
    ///    atomic step. A new address is not verified.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, MemoryStore, Register, UpdateUser};
    /// use serde_json::{Map, json};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    ///
    /// let changes = Map::from_iter([("username".to_owned(), json!("ada"))]);
    /// let ada = auth.update_user(UpdateUser::patch(ada.id, changes)).await?;
    /// assert_eq!(ada.username.as_deref(), Some("ada"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`UpdateUserError`].
    pub async fn update_user(&self, update: UpdateUser) -> Result<U, UpdateUserError> {
        let auth = &*self.0;
        let UpdateUser { user_id, changes, replace, trusted, keep, preserve_access_tokens, mails } = update;
        let mut old = self.find_stored(&user_id).await?;
        check_id(&old, changes.get("id"), replace)?;
        let mut wanted = self.read_changes(changes, replace);
        if !trusted && !auth.policy.clients_set_realm() {
            wanted.ignore_realm();
        }
        // Before a password is measured: what may not be changed here is not looked at.
        self.refuse(&old, &wanted, replace, trusted)?;
        if let Some(password) = &wanted.password {
            let (email, username) = (wanted.email.as_ref(), wanted.username.as_ref());
            let owner = PasswordOwner::of(&old.user);
            let owner = owner.email(email.map_or(owner.email, |email| email.as_deref()));
            let owner = owner.username(username.map_or(owner.username, |username| username.as_deref()));
            self.check_new_password(password, PasswordOwner::of(&old.user))?;
            self.check_new_password(password, owner)?;
        }
        wanted.email = wanted.email.map(|email| email.map(|email| auth.policy.canonical_email(&email)));
        wanted.username = wanted.username.map(|name| name.map(|name| auth.policy.canonical_username(&name)));
        let mut hash = None;
        for _ in 0..ATTEMPTS {
            // What was the same address a moment ago may be another one now.
            self.refuse(&old, &wanted, replace, trusted)?;
            let mut change = self.change_of(&old, &wanted, replace, trusted).await?;
            if hash.is_none()
                && let Some(password) = &wanted.password
            {
                hash = Some(self.hash_password(password.clone()).await?);
            }
            change.password.clone_from(&hash);
            change.bump_rev &= !preserve_access_tokens;
            // Another request has ended the token that asks: what ends others is not for it to
            // decide any more.
            if change.bump_rev && keep.as_ref().is_some_and(|token| is_outdated(token, &old)) {
                return Err(UpdateUserError::Conflict);
            }
            let (renamed, repassworded) = (change.email.is_some(), hash.is_some());
            let (auth, keep, mails) = (self.clone(), keep.clone(), mails.clone());
            let stored: Result<Option<U>, UpdateUserError> = self
                .change(|mut run| async move {
                    let Some(new) = auth.store_change(&mut run, &old, change).await? else { return Ok(None) };
                    Ok(Some(auth.after_update(old, new, repassworded, renamed, keep.as_ref(), &mails).await))
                })
                .await;
            if let Some(user) = stored? {
                return Ok(user);
            }
            old = self.find_stored(&user_id).await?;
        }
        Err(UpdateUserError::Conflict)
    }

    async fn find_stored(&self, id: &UserId) -> Result<StoredUser<U>, UpdateUserError> {
        let found = self.bounded(self.0.users.find_user(id)).await?;
        found.ok_or_else(|| UpdateUserError::NotFound(id.clone()))
    }

    /// What the policy does not let a client change this way.
    fn refuse(
        &self,
        old: &StoredUser<U>,
        wanted: &RequestedChange,
        replace: bool,
        trusted: bool,
    ) -> Result<(), UpdateUserError> {
        if trusted {
            return Ok(());
        }
        let policy = &self.0.policy;
        if policy.passwords.reject_changes_via_patch_or_replace && (replace || wanted.password.is_some()) {
            return Err(UpdateUserError::PasswordChangeNotAllowed);
        }
        let another =
            |email: &Option<String>| !policy.is_same(IdentifierKind::Email, email.as_deref(), old.user.email());
        if policy.email.reject_changes_via_patch_or_replace && wanted.email.as_ref().is_some_and(another) {
            return Err(UpdateUserError::EmailChangeNotAllowed);
        }
        Ok(())
    }

    /// The changes as those of this very user, checked.
    async fn change_of(
        &self,
        old: &StoredUser<U>,
        wanted: &RequestedChange,
        replace: bool,
        trusted: bool,
    ) -> Result<UserChange<U::Profile>, UpdateUserError> {
        let mut errors = wanted.problems.clone();
        let mut change = UserChange::default();
        let differs =
            |new: &Option<Option<String>>, old: Option<&str>| new.as_ref().filter(|new| new.as_deref() != old).cloned();
        // Another spelling of what is stored is no change: clients send back what they have read,
        // and people what they remember.
        let renamed = |kind: IdentifierKind, new: &Option<Option<String>>, old: Option<&str>| {
            new.clone().filter(|new| !self.0.policy.is_same(kind, new.as_deref(), old))
        };
        change.realm = differs(&wanted.realm, old.user.realm());
        change.username = renamed(IdentifierKind::Username, &wanted.username, old.user.username());
        change.email = renamed(IdentifierKind::Email, &wanted.email, old.user.email());
        let realm = change.realm.as_ref().map_or(old.user.realm(), Option::as_deref);
        let namespace = self.0.policy.namespace(realm);
        if change.realm.is_some() && self.0.policy.unique_per_realm() {
            change.namespace = Some(namespace.clone());
        }
        self.check_taken(&old.user, &namespace, &change, &mut errors).await?;

        // A new address counts as unverified until its user verifies it. An address that stays
        // keeps its state, whatever the client sends.
        if change.email.is_some()
            && (self.0.policy.email.verification_required || old.user.email_verified() == Some(true))
        {
            change.email_verified = Some(Some(false));
        }
        if let (true, Some(verified)) = (trusted, wanted.email_verified) {
            change.email_verified = Some(Some(verified));
        }
        change.profile = match self.profile(&old.user, &wanted.rest, replace) {
            Ok(profile) => profile,
            Err(wrong) => {
                errors.extend(wrong);
                None
            }
        };
        change.bump_rev = wanted.password.is_some() || change.email.is_some();
        if errors.is_empty() { Ok(change) } else { Err(UpdateUserError::Invalid(errors.into())) }
    }

    /// Names what another user has. The index has the last word; this is for the answer. The user
    /// itself may have got it a moment ago, by the same request sent twice.
    async fn check_taken(
        &self,
        user: &U,
        namespace: &str,
        change: &UserChange<U::Profile>,
        errors: &mut Vec<FieldError>,
    ) -> Result<(), StoreError> {
        // Who moves to another realm brings along what does not change.
        let moves = change.namespace.is_some();
        let wanted = |new: &Option<Option<String>>, old: Option<&str>| match new {
            None if moves => old.map(str::to_owned),
            new => new.clone().flatten(),
        };
        let kinds = [
            (IdentifierKind::Email, "email", wanted(&change.email, user.email())),
            (IdentifierKind::Username, "username", wanted(&change.username, user.username())),
        ];
        for (kind, field, value) in kinds {
            let Some(value) = value else { continue };
            if errors.iter().any(|error| error.field == field) {
                continue;
            }
            let identifier = Identifier { namespace: namespace.to_owned(), kind, value: value.clone() };
            if self.is_taken(&identifier, &value, Some(&user.id())).await? {
                errors.push(FieldError::taken(kind, &value));
            }
        }
        Ok(())
    }

    /// The app's own fields after the change; `None` if they stay.
    fn profile(
        &self,
        user: &U,
        rest: &Map<String, Value>,
        replace: bool,
    ) -> Result<Option<U::Profile>, Vec<FieldError>> {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(user) else { return Ok(None) };
        fields.retain(|name, _| !OWN.contains(&name.as_str()));
        let before = fields.clone();
        if replace {
            fields = rest.clone();
        } else {
            fields.extend(rest.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        if fields == before {
            return Ok(None);
        }
        let new = read_profile(fields)?;
        profile::check(&self.0.policy, &new).map_err(|error| vec![*error])?;
        Ok(Some(new))
    }

    /// Stores a change; `None` if the user was another meanwhile.
    async fn store_change(
        &self,
        run: &mut Change,
        old: &StoredUser<U>,
        change: UserChange<U::Profile>,
    ) -> Result<Option<StoredUser<U>>, UpdateUserError> {
        let (email, username) = (change.email.clone(), change.username.clone());
        self.commit_update(run, old, change).await.map_err(|error| match error {
            CreateUserError::Taken(kind) => {
                let value = match kind {
                    IdentifierKind::Email => email.unwrap_or_else(|| old.user.email().map(str::to_owned)),
                    IdentifierKind::Username => username.unwrap_or_else(|| old.user.username().map(str::to_owned)),
                };
                UpdateUserError::Invalid(FieldError::taken(kind, &value.unwrap_or_default()).into())
            }
            error => error.of_update().into(),
        })
    }

    async fn after_update(
        &self,
        old: StoredUser<U>,
        new: StoredUser<U>,
        repassworded: bool,
        renamed: bool,
        keep: Option<&TokenRecord>,
        mails: &MailOptions,
    ) -> U {
        let user_id = new.user.id();
        if new.rev != old.rev {
            self.after_new_rev(&user_id, keep, new.rev).await;
        } else if repassworded || renamed {
            self.end_secrets(&user_id).await;
        }
        self.emit(Event::UserUpdated { user: new.user.clone() }).await;
        if repassworded {
            self.after_new_password(&old.user, false, mails).await;
        }
        if renamed {
            self.after_new_email(&old.user, &new.user, mails).await;
        }
        new.user
    }

    /// Ends what was mailed to choose a password or an address, where `rev`, which would end it,
    /// stays for the sake of the tokens.
    async fn end_secrets(&self, user: &UserId) {
        for purpose in [OneTimePurpose::ResetPassword, OneTimePurpose::ChangeEmail] {
            let ended = self.0.one_time.delete_one_time_of(purpose, U::model_name(), user);
            if let Err(error) = self.bounded::<_, StoreError>(ended).await {
                tracing::warn!(%error, "a user was changed, but a secret that was mailed before may still be good");
            }
        }
    }
}

/// The id may be sent along, as clients do that send a whole user back, but not another one. To a
/// replacement `null`, `""`, `0` and `false` are no id, and to a change they are another one, as in
/// LoopBack.
fn check_id<U: Account>(old: &StoredUser<U>, id: Option<&Value>, replace: bool) -> Result<(), UpdateUserError> {
    let Some(to) = id else { return Ok(()) };
    let from = old.user.id();
    let same = match to {
        Value::String(text) => from.is_named(text),
        // `1.0` is 1.
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 => {
                from.is_named(&format!("{float:.0}")) || from.is_named(&number.to_string())
            }
            _ => false,
        },
        _ => false,
    };
    let is_none = match to {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    };
    if same || (replace && is_none) {
        return Ok(());
    }
    Err(UpdateUserError::IdChange { from, to: Box::new(to.clone()) })
}
