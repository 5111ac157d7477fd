//! Where users are kept: [`UserStore`].

use async_trait::async_trait;

use super::{Identifier, IdentifierKind, TokenStore, UserCursor, UserOperation, UserPage};
use crate::{
    Account, AccountStatus, ListedUser, NewUser, PasswordHash, StoreError, StoreIdentity, StoredUser, TokenDigest,
    TokenRecord, UserChange, UserId, UserQuery, Where,
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
    /// Stores a new user with `rev` 0 and gives it an id that no user ever had, or the id of
    /// [`NewUser::id`] if there is one. Ids that the store gives out later are none of those that
    /// were given to it, also once their users are removed. [`NewUser::id`] needs
    /// [`UserOperation::GivenId`].
    ///
    /// Of two users with the same (namespace, email) or (namespace, username) at the same time
    /// exactly one is stored: the database's unique index decides, not a query before the insert.
    ///
    /// # Errors
    ///
    /// [`CreateUserError::Taken`] names the identifier that is in use, [`CreateUserError::IdTaken`]
    /// the id, and [`CreateUserError::InvalidId`] an id that no user of this store can have.
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
    /// A user of the store, of whatever type, has the id of [`NewUser::id`].
    #[error("the id {0} is in use")]
    IdTaken(UserId),
    /// No user of this store can have the id of [`NewUser::id`].
    #[error("{0} cannot be the id of a user in this store")]
    InvalidId(UserId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CreateUserError {
    /// The failure of an update of a user, which takes no id: a store that says so has failed.
    pub(crate) fn of_update(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            refused => StoreError::failed(format!("an update was refused for no reason: {refused}")),
        }
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
    /// [`RoleStore::roles_of`](crate::RoleStore::roles_of).
    pub roles: Option<Vec<String>>,
}
