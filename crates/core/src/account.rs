//! What a user is, to Gatekit: an app's own type, or the built-in one.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{NoProfile, PasswordHash, User, UserId};

/// A type whose values are users. Implement it for an app's own struct; [`User`] has it.
///
/// It says nothing of passwords on purpose: a hash is kept beside the user ([`StoredUser`]), never
/// in it, so that no handler can send one out by serializing its user.
///
/// ```
/// use gatekit_core::{Account, NoProfile, UserId};
/// use serde::Serialize;
///
/// #[derive(Clone, Serialize)]
/// struct Member {
///     id: i64,
///     email: String,
/// }
///
/// impl Account for Member {
///     type Profile = NoProfile;
///
///     fn model_name() -> &'static str {
///         "Member"
///     }
///
///     fn id(&self) -> UserId {
///         self.id.into()
///     }
///
///     fn email(&self) -> Option<&str> {
///         Some(&self.email)
///     }
/// }
/// ```
pub trait Account: Clone + Serialize + Send + Sync + 'static {
    /// The fields a sign-up may set beyond email, username, realm and password.
    /// [`NoProfile`](crate::NoProfile) if there are none.
    type Profile: Profile;

    /// The name of this type of user, as LoopBack's model name: error messages contain it (``The
    /// `Member` instance is not valid``), and every user, token, one-time token and role is stored
    /// with it. Two user types over one store must have different names:
    /// [`Builder::build`](crate::Builder::build) refuses the second one. [`User`] takes its name
    /// from [`Model::NAME`].
    fn model_name() -> &'static str
    where
        Self: Sized;

    /// The id. It never changes and is never given to another user.
    fn id(&self) -> UserId;

    /// The address for mails and login.
    fn email(&self) -> Option<&str>;

    /// Whether the address was verified to be the user's; `None` if nobody ever asked. Needed only
    /// where `policy.email.verification_required` is set.
    fn email_verified(&self) -> Option<bool> {
        None
    }

    /// The name for login.
    fn username(&self) -> Option<&str> {
        None
    }

    /// The realm the user belongs to, if the app has realms.
    fn realm(&self) -> Option<&str> {
        None
    }
}

/// An app's own fields of a user: anything that serde reads and writes as a JSON object.
///
/// They are read from the body of every kind of sign-up, so what must not be chosen by the user has
/// no place here.
pub trait Profile: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Profile for T {}

/// The profile of a [`User`], with the name of the user type: LoopBack's model name.
///
/// An app with one user type needs no name of its own: `impl Model for Profile {}`. Two user types
/// over one store need two names, and are then apart: each has its own users, tokens, one-time
/// tokens and roles, and an address may have an account in both.
///
/// ```
/// use gatekit_core::{Account, Auth, MemoryStore, Model, User};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Customer {
///     city: String,
/// }
///
/// impl Model for Customer {
///     const NAME: &'static str = "Customer";
/// }
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Seller {
///     shop: String,
/// }
///
/// impl Model for Seller {
///     const NAME: &'static str = "Seller";
/// }
///
/// let store = MemoryStore::<Customer>::new();
/// let sellers = store.with_profile::<Seller>();
/// let customers = Auth::builder(store).build()?;
/// let sellers = Auth::builder(sellers).build()?;
/// assert_eq!(User::<Seller>::model_name(), "Seller");
/// # Ok::<_, gatekit_core::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the profile of a `User`",
    label = "this type does not name its user type",
    note = "add `impl gatekit::Model for {Self} {{}}`, with `const NAME` if the app has several user types over one store",
    note = "`{Self}` must also implement `Clone`, `serde::Serialize` and `serde::Deserialize`"
)]
pub trait Model: Profile {
    /// The name of the user type. It is stored with every user: another name later needs a change
    /// of the stored rows, which `gatekit_sql::SqliteStore::rename_model` makes.
    const NAME: &'static str = "User";
}

impl Model for NoProfile {}

impl Model for serde_json::Map<String, serde_json::Value> {}

impl<V: Profile> Model for BTreeMap<String, V> {}

impl<V: Profile> Model for HashMap<String, V> {}

impl<P: Model> Account for User<P> {
    type Profile = P;

    fn model_name() -> &'static str {
        P::NAME
    }

    fn id(&self) -> UserId {
        self.id.clone()
    }

    fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    fn email_verified(&self) -> Option<bool> {
        self.email_verified
    }

    fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }
}

/// Whether somebody may log in with an account. It is kept beside the user, never in it: no client
/// can say it of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AccountStatus {
    /// The account is in use.
    #[default]
    Active,
    /// Somebody has to approve of it first.
    Pending,
    /// It is shut.
    Blocked,
    /// The people who run the app have reset its password: nobody logs in with the one it had, and
    /// once a new one is chosen the account is active again.
    PasswordReset,
}

impl AccountStatus {
    /// The word a store keeps.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Blocked => "blocked",
            Self::PasswordReset => "password_reset",
        }
    }

    /// The status a word read back from a store stands for. A store that holds another word is
    /// corrupt: who cannot be told to be active must not be taken for it.
    ///
    /// ```
    /// use gatekit_core::AccountStatus;
    ///
    /// assert_eq!(AccountStatus::from_stored("blocked"), Some(AccountStatus::Blocked));
    /// assert_eq!(AccountStatus::from_stored("Active"), None);
    /// ```
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Active, Self::Pending, Self::Blocked, Self::PasswordReset]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

impl fmt::Display for AccountStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A user as a store holds it: the account, and beside it what only flows may see.
#[derive(Clone, Debug)]
pub struct StoredUser<U> {
    /// The account.
    pub user: U,
    /// The number that every token remembers: see [`TokenRecord`](crate::TokenRecord). It only ever
    /// grows.
    pub rev: i64,
    /// The hash of the password; `None` for a user who has none and cannot log in with one.
    pub password: Option<PasswordHash>,
    /// Whether it may log in. A store that keeps none answers [`AccountStatus::Active`].
    pub status: AccountStatus,
}

/// What is to be changed of a user. What is `None` stays as it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UserChange<P> {
    /// Within which identifiers must be unique; see [`NewUser::namespace`].
    pub namespace: Option<String>,
    /// The realm; `Some(None)` removes it.
    pub realm: Option<Option<String>>,
    /// The name for login; `Some(None)` removes it.
    pub username: Option<Option<String>>,
    /// The address; `Some(None)` removes it.
    pub email: Option<Option<String>>,
    /// Whether the address was verified; `Some(None)` removes the answer.
    pub email_verified: Option<Option<bool>>,
    /// The hash of a new password.
    pub password: Option<PasswordHash>,
    /// All of the app's own fields.
    pub profile: Option<P>,
    /// Whether to add one to the user's `rev` in the same step, which ends all of its tokens.
    pub bump_rev: bool,
}

impl<P> Default for UserChange<P> {
    /// Nothing.
    fn default() -> Self {
        Self {
            namespace: None,
            realm: None,
            username: None,
            email: None,
            email_verified: None,
            password: None,
            profile: None,
            bump_rev: false,
        }
    }
}

/// A user about to be stored. Everything in it has been checked and, where the policy says so, put
/// into lower case.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewUser<P> {
    /// The id that the user is to have: for an importer, which keeps the ids of another system.
    /// `None`, as everywhere else: the store gives out a new one. An id of a user who was removed
    /// is not recognized, so an importer must not give it to another.
    pub id: Option<UserId>,
    /// Within which identifiers must be unique: the realm where `Policy::unique_per_realm`,
    /// otherwise empty. Stores keep it beside the user and have unique indexes on (namespace,
    /// email) and (namespace, username).
    pub namespace: String,
    /// The realm as given.
    pub realm: Option<String>,
    /// The name for login.
    pub username: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// Whether the address was verified.
    pub email_verified: Option<bool>,
    /// The hash of the password.
    pub password: Option<PasswordHash>,
    /// Whether it may log in. A store without
    /// [`UserOperation::Status`](crate::UserOperation::Status) is given active users only.
    pub status: AccountStatus,
    /// The app's own fields.
    pub profile: P,
}

impl<P> NewUser<P> {
    /// A user with an address and no password, in no realm.
    #[must_use]
    pub fn new(email: impl Into<String>, profile: P) -> Self {
        Self {
            id: None,
            namespace: String::new(),
            realm: None,
            username: None,
            email: Some(email.into()),
            email_verified: None,
            password: None,
            status: AccountStatus::Active,
            profile,
        }
    }
}
