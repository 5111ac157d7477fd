//! What a database or a mailer must do to carry Gatekit: the ports.
//!
//! All are object-safe and kept behind `Arc<dyn ..>` inside [`Auth`](crate::Auth). Whoever
//! implements a store runs the conformance suite of `gatekit-testkit` on it; each contract below is
//! a test there.

mod counters;
mod user_page;

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;

pub use self::counters::{CounterLimit, CounterStore};
pub use self::user_page::{UserCursor, UserPage};
use crate::{
    Account, AccountStatus, Clock, ListedUser, NewUser, PasswordHash, StoreError, StoreIdentity, StoredUser, Timestamp,
    TokenDigest, TokenRecord, UserChange, UserId, UserQuery, Where,
};

/// How many users the default of [`UserStore::users_with_status`] has in memory at a time.
const LISTED_AT_ONCE: u32 = 500;

/// Where users are kept. `U` is the app's user type.
///
/// A store that keeps several user types keeps each apart: no method finds, changes or counts a
/// user of another type than `U`, and an address or name is unique within its type.
///
/// Six methods are required. `find_token_owner` has a default that works; those of
/// [`UserOperation`] are for routes that an app need not have. See `examples/own-users` for an
/// implementation over an app's own table.
#[async_trait]
pub trait UserStore<U: Account>: Send + Sync + 'static {
    /// Stores a new user with `rev` 0 and gives it an id that no user ever had.
    ///
    /// Of two users with the same (namespace, email) or (namespace, username) at the same time
    /// exactly one is stored: the database's unique index decides, not a query before the insert.
    ///
    /// # Errors
    ///
    /// [`CreateUserError::Taken`] names the identifier that is in use.
    async fn create_user(&self, new: NewUser<U::Profile>) -> Result<StoredUser<U>, CreateUserError>;

    /// The user with this id.
    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<U>>, StoreError>;

    /// The user with this address or name, compared byte for byte.
    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<U>>, StoreError>;

    /// The users of the namespace whose address or name may be `wanted`, in whatever spelling it is
    /// stored:
    ///
    /// 1. those whose spelling is `wanted.value` or `typed`, byte for byte;
    /// 2. those whose spelling has the same [`normalize::key`](crate::normalize::key) as
    ///    `wanted.value`.
    ///
    /// At most 16 users are returned, those of rule 1 first. Others may be among them: the caller
    /// compares what is stored. The cost must be the same whether or not a user is found, or time
    /// tells which addresses have an account.
    ///
    /// The default follows rule 1 alone: users of an app's own table that are stored with capitals
    /// log in by typing what is stored. A store that overrides this, with a column or an index for
    /// the key, finds them in every spelling.
    async fn find_users_like(&self, wanted: &Identifier, typed: &str) -> Result<Vec<StoredUser<U>>, StoreError> {
        let mut found: Vec<StoredUser<U>> = self.find_user_by(wanted).await?.into_iter().collect();
        if typed != wanted.value {
            let typed = Identifier { value: typed.to_owned(), ..wanted.clone() };
            found.extend(self.find_user_by(&typed).await?);
        }
        Ok(found)
    }

    /// In one atomic step, if the user's `rev` is `rev`: replaces the password's hash and adds one
    /// to `rev`. Returns the new `rev`, or `None` if there is no such user or its `rev` is another.
    /// Of many at the same time exactly one wins.
    ///
    /// A user whose status is [`AccountStatus::PasswordReset`] becomes active in the same step; any
    /// other status stays.
    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError>;

    /// In one atomic step, if the hash is still `old`: replaces it by `new`, the same password
    /// hashed with newer parameters. `rev` stays. Returns whether it did.
    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError>;

    /// In one atomic step: adds one to the user's `rev`, which ends all of its tokens. Returns the
    /// new `rev`, or `None` if there is no such user.
    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError>;

    /// The token with this digest, and its user. This is what a protected request costs.
    ///
    /// A token of another user type has no owner here: its [`TokenRecord::user_type`] must be
    /// [`Account::model_name`], since an id may occur in both types.
    ///
    /// The default asks both stores, one after the other. A store that reaches the table of
    /// `tokens` overrides it with one query that joins the two; [`TokenStore::identity`] tells
    /// whether it does, and [`find_token_owner_separately`] is for when it does not.
    async fn find_token_owner(
        &self,
        tokens: &dyn TokenStore,
        digest: &TokenDigest,
    ) -> Result<Option<TokenOwner<U>>, StoreError> {
        find_token_owner_separately(self, tokens, digest).await
    }

    /// Which database this is, for [`Builder::build`](crate::Builder::build) to find out whether
    /// another user type of the same name is kept in it. [`TokenStore::identity`] of the same
    /// database, if it is one.
    fn users_identity(&self) -> Option<&StoreIdentity> {
        None
    }

    /// Whether the store can do this; the default can do none. A router that needs what is missing
    /// panics when it is mounted, and names the method; `routes::all` and `routes::loopback` leave
    /// such a router out.
    fn supports(&self, _operation: UserOperation) -> bool {
        false
    }

    /// In one atomic step, if the user is still as `old` has it: makes the change. Returns the user
    /// as it is then, or `None` if it has changed meanwhile or is gone. Of many at the same time
    /// with the same `old` exactly one wins, and no change is lost.
    ///
    /// What is compared is `rev` and every field of the user; the hash of the password is not (it
    /// may be replaced by [`rehash_password`](Self::rehash_password) at any time). Needs
    /// [`UserOperation::Update`].
    ///
    /// # Errors
    ///
    /// [`CreateUserError::Taken`] names the identifier that another user has.
    async fn update_user(
        &self,
        _old: &StoredUser<U>,
        _change: UserChange<U::Profile>,
    ) -> Result<Option<StoredUser<U>>, CreateUserError> {
        Err(StoreError::Unsupported("update_user").into())
    }

    /// Removes a user, whose id is never given to another. Returns whether it was there: of many at
    /// the same time exactly one gets `true`. Its tokens are dead, since their user is not found;
    /// clearing them away is not this method's. Needs [`UserOperation::Delete`].
    async fn delete_user(&self, _id: &UserId) -> Result<bool, StoreError> {
        Err(StoreError::Unsupported("delete_user"))
    }

    /// The users a query asks for, by their members as JSON has them. Needs
    /// [`UserOperation::Find`].
    async fn find_users(&self, _query: &UserQuery) -> Result<Vec<U>, StoreError> {
        Err(StoreError::Unsupported("find_users"))
    }

    /// A part of what [`find_users`](Self::find_users) finds, for an answer that is written as it
    /// is read: the first one, or the one that begins where another has ended. All parts together
    /// are what the query finds, in its order. A user that is changed, made or removed between two
    /// parts is found as it was before or as it is after.
    ///
    /// The default finds all at once, which takes as much memory as there are users. A store of
    /// many users overrides it with parts of a few hundred. Between two parts a store holds no
    /// connection and no lock: the client that reads the answer may be slow.
    async fn find_users_page(&self, query: &UserQuery, from: Option<UserCursor>) -> Result<UserPage<U>, StoreError> {
        let users = match from {
            None => self.find_users(query).await?,
            Some(_) => Vec::new(),
        };
        Ok(UserPage { users, next: None })
    }

    /// How many users a condition holds for. Needs [`UserOperation::Find`].
    async fn count_users(&self, _condition: &Where) -> Result<u64, StoreError> {
        Err(StoreError::Unsupported("count_users"))
    }

    /// In one atomic step: makes the user's status this one and adds one to its `rev`, which ends
    /// all of its tokens. Returns the new `rev`, or `None` if there is no such user. `rev` grows
    /// also where the status was the same. Needs [`UserOperation::Status`]; a store that has it
    /// stores [`NewUser::status`] too.
    async fn set_status(&self, _id: &UserId, _status: AccountStatus) -> Result<Option<i64>, StoreError> {
        Err(StoreError::Unsupported("set_status"))
    }

    /// At most `limit` users with this status whose id is greater than `after`, or from the first,
    /// in the order of their ids. Needs [`UserOperation::Status`]. The default reads all users of
    /// [`list_users`](Self::list_users), in parts; a store without that method implements this one.
    async fn users_with_status(
        &self,
        status: AccountStatus,
        after: Option<&UserId>,
        limit: u32,
    ) -> Result<Vec<StoredUser<U>>, StoreError> {
        let (mut found, mut after) = (Vec::new(), after.cloned());
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        while found.len() < wanted {
            let part = self.list_users(after.as_ref(), LISTED_AT_ONCE).await?;
            let Some(last) = part.last() else { break };
            after = Some(last.id());
            found.extend(part.into_iter().filter_map(ListedUser::into_user).filter(|user| user.status == status));
        }
        found.truncate(wanted);
        Ok(found)
    }

    /// At most `limit` users whose id is greater than `after`, or all from the first, in the order
    /// of their ids, for [`Auth::doctor`](crate::Auth::doctor). A row that cannot be read is listed
    /// by its id. An empty list means that there are no more. Needs [`UserOperation::List`].
    async fn list_users(&self, _after: Option<&UserId>, _limit: u32) -> Result<Vec<ListedUser<U>>, StoreError> {
        Err(StoreError::Unsupported("list_users"))
    }
}

/// What a [`UserStore`] may leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserOperation {
    /// [`UserStore::update_user`].
    Update,
    /// [`UserStore::delete_user`].
    Delete,
    /// [`UserStore::find_users`] and [`UserStore::count_users`].
    Find,
    /// [`UserStore::set_status`] and [`UserStore::users_with_status`], and users that are stored
    /// with another status than active.
    Status,
    /// [`UserStore::list_users`].
    List,
    /// [`UserStore::find_users_like`] finds users in every spelling, and not only in the exact one.
    AnySpelling,
}

impl UserOperation {
    /// The method, as an app's author has to write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Update => "update_user",
            Self::Delete => "delete_user",
            Self::Find => "find_users and count_users",
            Self::Status => "set_status",
            Self::List => "list_users",
            Self::AnySpelling => "find_users_like",
        }
    }
}

/// The token with this digest, and its user, by asking one store after the other. What a
/// [`UserStore`] falls back to that cannot join with `tokens`.
///
/// # Errors
///
/// [`StoreError`] of either.
pub async fn find_token_owner_separately<U: Account, S: UserStore<U> + ?Sized>(
    users: &S,
    tokens: &dyn TokenStore,
    digest: &TokenDigest,
) -> Result<Option<TokenOwner<U>>, StoreError> {
    let token = tokens.find_token(digest).await?.filter(|token| token.user_type == U::model_name());
    let Some(token) = token else { return Ok(None) };
    let found = users.find_user(&token.user_id).await?;
    Ok(found.map(|found| TokenOwner { token, user: found.user, rev: found.rev, roles: None }))
}

/// Why a user was not stored.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateUserError {
    /// Another user of the namespace has this identifier.
    #[error("the {0} is in use")]
    Taken(IdentifierKind),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// By what a user is looked up when it logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// See [`NewUser::namespace`].
    pub namespace: String,
    /// Address or name.
    pub kind: IdentifierKind,
    /// The value, in the one spelling of the policy.
    pub value: String,
}

/// The two kinds of identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentifierKind {
    /// An email address.
    Email,
    /// A name.
    Username,
}

impl fmt::Display for IdentifierKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email => "email",
            Self::Username => "username",
        })
    }
}

/// A token and the user it belongs to.
#[derive(Clone, Debug)]
pub struct TokenOwner<U> {
    /// The token.
    pub token: TokenRecord,
    /// Its user.
    pub user: U,
    /// The user's present `rev`; the token is dead if its own is another.
    pub rev: i64,
    /// The roles assigned to the user, if the same query brought them; `None` leaves them to
    /// [`RoleStore::roles_of`].
    pub roles: Option<Vec<String>>,
}

/// Where access tokens are kept.
#[async_trait]
pub trait TokenStore: Send + Sync + 'static {
    /// Stores a new token.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is already one with this digest; it is never replaced.
    async fn insert_token(&self, token: &TokenRecord) -> Result<(), StoreError>;

    /// The token with this digest, alive or not.
    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError>;

    /// Removes a token. Returns whether it was there: of many at the same time exactly one gets
    /// `true`.
    async fn delete_token(&self, digest: &TokenDigest) -> Result<bool, StoreError>;

    /// In one atomic step, if the token's `rev` is `from`: makes it `to`, so that this one token
    /// outlives a bump of its user's `rev`. Returns whether it did.
    async fn carry_token_over(&self, digest: &TokenDigest, from: i64, to: i64) -> Result<bool, StoreError>;

    /// Removes the tokens of the user of this type with this id that were issued under a `rev` less
    /// than `before_rev`, which are dead once the user's is that. Returns how many.
    async fn delete_tokens_of(&self, user_type: &str, user: &UserId, before_rev: i64) -> Result<u64, StoreError>;

    /// The tokens of the user of this type with this id, alive or not, the oldest first.
    async fn list_tokens_of(&self, user_type: &str, user: &UserId) -> Result<Vec<TokenRecord>, StoreError>;

    /// In one atomic step, if the token is still as `old` has it: makes its `ttl`, `renewed`,
    /// `scopes` and `last_used` those of `new`. Returns whether it did. Both have the same digest;
    /// what else differs in `new` is ignored.
    async fn update_token(&self, old: &TokenRecord, new: &TokenRecord) -> Result<bool, StoreError>;

    /// Removes at most `limit` tokens that ended at or before `now`. Returns how many; fewer than
    /// `limit` means that none is left.
    async fn purge_tokens(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// Gives the store the clock of the [`Auth`](crate::Auth) that is built with it, for one that
    /// removes by itself what has ended. The default does nothing.
    fn use_clock(&self, _clock: &Arc<dyn Clock>) {}

    /// Which database this is, for a [`UserStore`] that could join with it.
    fn identity(&self) -> Option<&StoreIdentity> {
        None
    }
}

/// What a one-time thing is for. One made for a purpose is worth nothing for another. Two with the
/// same word are the same purpose.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum OneTimePurpose {
    /// To choose a new password.
    ResetPassword,
    /// To prove that an address is the user's.
    VerifyEmail,
    /// To prove a new address before it becomes the user's.
    ChangeEmail,
    /// What another crate or the app makes it for: a word of its own, which is none of those above.
    /// It begins with the name of what it belongs to, so that no two choose the same. Those of a
    /// user who is removed end by themselves; whoever takes one finds no user.
    Other(&'static str),
}

impl PartialEq for OneTimePurpose {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for OneTimePurpose {}

impl Hash for OneTimePurpose {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl OneTimePurpose {
    /// To prove an address by a code: of the state that
    /// [`Auth::request_email_code`](crate::Auth::request_email_code) returns.
    pub const EMAIL_CODE: Self = Self::Other("email_code");
    /// A [`VerifyEmail`](Self::VerifyEmail) that was used. It verifies nothing any more. It is kept
    /// until it would have ended, so that a second press on its link is told that the address is
    /// verified already.
    pub const VERIFY_EMAIL_USED: Self = Self::Other("verify_email_used");
    /// A [`ChangeEmail`](Self::ChangeEmail) that was used, kept for the same reason.
    pub const CHANGE_EMAIL_USED: Self = Self::Other("change_email_used");
    /// A [`ResetPassword`](Self::ResetPassword) that was used, kept for the same reason.
    pub const RESET_PASSWORD_USED: Self = Self::Other("reset_password_used");

    /// All that mails have brought to a user, used or not: what is removed with the user.
    #[cfg(feature = "accounts")]
    pub(crate) const MAILED: [Self; 6] = [
        Self::ResetPassword,
        Self::RESET_PASSWORD_USED,
        Self::VerifyEmail,
        Self::VERIFY_EMAIL_USED,
        Self::ChangeEmail,
        Self::CHANGE_EMAIL_USED,
    ];

    /// The word a store keeps.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset_password",
            Self::VerifyEmail => "verify_email",
            Self::ChangeEmail => "change_email",
            Self::Other(word) => word,
        }
    }
}

/// What a store holds of a secret that works once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeRecord {
    /// What it is for.
    pub purpose: OneTimePurpose,
    /// SHA-256 of the secret.
    pub digest: TokenDigest,
    /// What kind of user it is for; see [`TokenRecord::user_type`].
    pub user_type: Cow<'static, str>,
    /// Whose it is; `None` for a decoy, stored so that an unknown address costs the same work as a
    /// known one.
    pub user_id: Option<UserId>,
    /// The user's `rev` when it was made; worth nothing once that has changed. Of
    /// [`OneTimePurpose::VerifyEmail`] it is not looked at: there the address counts.
    pub rev: i64,
    /// When it ends.
    pub expires: Timestamp,
    /// The address it was mailed to, where that is what it proves: with
    /// [`OneTimePurpose::VerifyEmail`] and [`OneTimePurpose::ChangeEmail`]. `None` for a password
    /// reset.
    pub email: Option<String>,
    /// What else is remembered of it, in the words of who made it. It is stored as it is: no secret
    /// belongs in here.
    pub data: Option<String>,
}

/// How many one-time records a user may have that end after a moment. See
/// [`OneTimeStore::insert_one_time_within`].
///
/// The lifetime of a record is known to the code that makes it, so "at most three in the last hour"
/// is a limit on records that end after *now + lifetime - one hour*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneTimeLimit {
    /// Only records that end after this moment are counted.
    pub expires_after: Timestamp,
    /// The greatest number of them, the new one included.
    pub max: u32,
}

/// Where secrets that work once are kept; [`OneTimePurpose`] says what for.
#[async_trait]
pub trait OneTimeStore: Send + Sync + 'static {
    /// Stores a new one.
    async fn insert_one_time(&self, record: &OneTimeRecord) -> Result<(), StoreError>;

    /// In one atomic step: stores `record` if each limit is kept with it, and `decoy` in its place
    /// if not. Returns whether it was the record. So a request that may have no more costs what any
    /// other costs.
    ///
    /// A limit counts the records of the same purpose, type of user, user and `rev`. Of many at the
    /// same time no more are stored than the limits allow. A record that belongs to no user is
    /// within all limits. A decoy takes the place of a decoy with the same digest; a record that
    /// belongs to a user is never replaced.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is already one with this digest, unless both are decoys.
    async fn insert_one_time_within(
        &self,
        record: &OneTimeRecord,
        limits: &[OneTimeLimit],
        decoy: &OneTimeRecord,
    ) -> Result<bool, StoreError>;

    /// The one with this purpose and digest, ended or not. It stays.
    async fn find_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError>;

    /// Removes and returns it, in one atomic statement: of many at the same time exactly one gets
    /// it.
    async fn take_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError>;

    /// In one atomic statement: gives the record with the purpose and the digest of `old` the data
    /// and the end of `new`, if it still has the data and the end of `old`. Nothing else of it
    /// changes. Returns whether it did: of many at the same time that have read the same, exactly
    /// one is told that it has changed it, unless what they write is the same.
    async fn update_one_time(&self, old: &OneTimeRecord, new: &OneTimeRecord) -> Result<bool, StoreError>;

    /// In one atomic step: gives the record with this purpose and digest the purpose `used`, and
    /// with it all others with its purpose that belong to the same user of the same type. Returns
    /// the record as it was: of many at the same time exactly one gets it.
    async fn spend_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
        used: OneTimePurpose,
    ) -> Result<Option<OneTimeRecord>, StoreError>;

    /// Removes all with this purpose of the user of this type with this id. Returns how many.
    async fn delete_one_time_of(
        &self,
        purpose: OneTimePurpose,
        user_type: &str,
        user: &UserId,
    ) -> Result<u64, StoreError>;

    /// Removes at most `limit` that ended at or before `now`. Returns how many.
    async fn purge_one_time(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Where the roles assigned to users are kept: LoopBack's Role and RoleMapping. A role is a name;
/// it is there as soon as somebody is in it. That of a user who is removed is removed by the flow.
#[async_trait]
pub trait RoleStore: Send + Sync + 'static {
    /// Puts the user of this type with this id into a role. Returns whether it was not in it
    /// before.
    async fn assign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError>;

    /// Takes the user out of a role. Returns whether it was in it.
    async fn unassign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError>;

    /// The roles of the user, in the order of the alphabet (by bytes).
    async fn roles_of(&self, user_type: &str, user: &UserId) -> Result<Vec<String>, StoreError>;

    /// The users of this type that are in a role, in the order of their ids.
    async fn users_in_role(&self, user_type: &str, role: &str) -> Result<Vec<UserId>, StoreError>;
}

/// Where it is kept from which devices users have logged in, for `Policy::notify_unknown_device`. A
/// device is known by the SHA-256 of what it presents. Those of a user who is removed are removed
/// by the flow.
#[async_trait]
pub trait DeviceStore: Send + Sync + 'static {
    /// In one atomic step: notes that the user of this type with this id was seen at `now` on this
    /// device. Returns what was known before: of many at the same time exactly one is told that the
    /// device is new.
    async fn remember_device(
        &self,
        user_type: &str,
        user: &UserId,
        device: &TokenDigest,
        now: Timestamp,
    ) -> Result<DeviceSeen, StoreError>;

    /// Removes all devices of the user. Returns how many.
    async fn forget_devices_of(&self, user_type: &str, user: &UserId) -> Result<u64, StoreError>;

    /// Removes at most `limit` devices that were last seen before `before`. Returns how many.
    async fn purge_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// What was known of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceSeen {
    /// The user was seen on it before.
    Known,
    /// The user was never seen on any.
    First,
    /// The user was seen on others only.
    New,
}

/// Sends mails.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Sends one mail. It is called after everything is stored, on a task of its own: it may take
    /// its time (up to `Policy::mail_timeout`) and cannot fail the request. After
    /// [`MailError::temporary`] it is called again, so a mailer need not retry.
    async fn send(&self, mail: Mail) -> Result<(), MailError>;

    /// Whether mail to this address can be sent at all, as far as the mailer knows. It answers at
    /// once, without asking anybody. Where it says no, nobody signs up with the address:
    /// `Policy::normalize_identifiers`.
    fn can_reach(&self, _address: &str) -> bool {
        true
    }
}

/// A mail to be sent. Its text holds a link with a secret: `Debug` shows neither.
#[derive(Clone)]
#[non_exhaustive]
pub struct Mail {
    /// What it is about.
    pub kind: MailKind,
    /// The address it goes to.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// The address it comes from, if it is not to be the mailer's own.
    pub from: Option<String>,
    /// The body as plain text.
    pub text: String,
    /// The same as HTML, if there is such a form.
    pub html: Option<String>,
    /// The link in the body, if there is one.
    pub link: Option<String>,
}

impl Mail {
    /// A mail without a link.
    #[must_use]
    pub fn new(kind: MailKind, to: impl Into<String>, subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { kind, to: to.into(), subject: subject.into(), from: None, text: text.into(), html: None, link: None }
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("kind", &self.kind).field("to", &self.to).finish_non_exhaustive()
    }
}

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MailKind {
    /// A link to choose a new password.
    ResetPassword,
    /// A link to prove an address.
    VerifyEmail,
    /// A link to prove a new address before it becomes the user's.
    ChangeEmail,
    /// A code of six digits to prove an address.
    EmailCode,
    /// A link to choose a password, for an account that somebody else has made.
    SetPassword,
    /// A notice to the old address that there is a new one.
    EmailChanged,
    /// A notice that the password was changed.
    PasswordChanged,
    /// A notice of a login from a device that was not seen before.
    UnknownDevice,
    /// A notice that somebody signed up with an address that has an account.
    AccountExists,
    /// The same for an account whose address is unverified, with a link to verify it.
    AccountUnverified,
    /// To whoever approves of accounts: somebody has signed up and waits.
    ApprovalRequested,
    /// A notice that the account was approved of.
    AccountApproved,
}

/// How the mails of a request are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailOptions {
    /// The prefix the routes are mounted under, for the link: `/api/users`. See
    /// [`Builder::reset_link`](crate::Builder::reset_link) and its neighbours. `None` where no
    /// routes are known that have the page: without another page the mail holds the bare secret.
    pub mount: Option<String>,
    /// The page the link leads to, where it is another than those: a path of the own site, prefix
    /// included, with `{token}` where the secret goes. `/reset-password?token={token}`. It needs
    /// [`Builder::public_url`](crate::Builder::public_url). Of a notice: the page where a new
    /// password is asked for, without `{token}`, in place of
    /// [`Builder::forgot_password_link`](crate::Builder::forgot_password_link).
    pub page: Option<String>,
    /// The language, as a tag of RFC 5646: `de`. English where there are no texts in it.
    pub language: Option<String>,
    /// Leave out that who knows nothing of it need do nothing: the text `mail.set_password.ignore`
    /// of [`MailKind::SetPassword`]. For a caller that expects the mail.
    pub hide_ignore_message: bool,
}

impl MailOptions {
    /// For routes mounted under this prefix.
    #[must_use]
    pub fn mount(prefix: impl Into<String>) -> Self {
        Self { mount: Some(prefix.into()), ..Self::default() }
    }

    /// With a link to this page.
    #[must_use]
    pub fn page(mut self, path: impl Into<String>) -> Self {
        self.page = Some(path.into());
        self
    }

    /// In this language.
    #[must_use]
    pub fn language(mut self, tag: impl Into<String>) -> Self {
        self.language = Some(tag.into());
        self
    }

    /// Without the words for a caller that knows nothing of it.
    #[must_use]
    pub fn hide_ignore_message(mut self, hide: bool) -> Self {
        self.hide_ignore_message = hide;
        self
    }
}

/// A mail was not sent. It is logged; nothing else depends on it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the mail was not sent: {cause}")]
pub struct MailError {
    cause: Arc<dyn std::error::Error + Send + Sync>,
    is_temporary: bool,
}

impl MailError {
    /// For good: another try would fail too, or could send the mail twice. The cause must not hold
    /// the mail's text.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { cause: Arc::from(cause.into()), is_temporary: false }
    }

    /// For now: the mail is surely not sent, and another try may succeed. Gatekit asks the mailer
    /// again, with growing pauses, until `Policy::mail_timeout`.
    ///
    /// ```
    /// use gatekit_core::MailError;
    ///
    /// assert!(MailError::temporary("451 4.7.1 greylisted").is_temporary());
    /// assert!(!MailError::new("550 5.1.1 no such mailbox").is_temporary());
    /// ```
    pub fn temporary(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { is_temporary: true, ..Self::new(cause) }
    }

    /// Whether another try may succeed.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.is_temporary
    }
}
