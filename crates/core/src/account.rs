//! What a user is, to Gatekit: an app's own type, or the built-in one.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{PasswordHash, UserId};

/// A type whose values are users. Implement it for an app's own struct; [`User`] has it.
///
/// It says nothing of passwords on purpose: a hash is kept beside the user ([`StoredUser`]), never in it, so that no
/// handler can send one out by serializing its user.
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
    /// The fields a sign-up may set beyond email, username, realm and password. [`NoProfile`] if there are none.
    type Profile: Profile;

    /// The id. It never changes and is never given to another user.
    fn id(&self) -> UserId;

    /// The address for mails and login.
    fn email(&self) -> Option<&str>;

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
/// They are read from the body of every kind of sign-up, so what must not be chosen by the user has no place here.
pub trait Profile: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Profile for T {}

/// No fields of the app's own. Whatever else a sign-up sends is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoProfile {}

/// The built-in user: LoopBack's `User`, with the app's own fields `P` beside its own.
///
/// Its JSON is LoopBack's: unset members are absent, the profile's fields come last.
///
/// ```
/// use gatekit_core::User;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Profile {
///     city: String,
/// }
///
/// let mut user = User::new(1.into(), Profile { city: "Ulm".into() });
/// user.email = Some("foo@bar.com".into());
/// assert_eq!(serde_json::to_string(&user)?, r#"{"email":"foo@bar.com","id":1,"city":"Ulm"}"#);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct User<P = NoProfile> {
    /// The realm, if the app has realms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The name for login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The address for mails and login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the address was proven to be the user's. `None` if nobody ever asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The id.
    pub id: UserId,
    /// The app's own fields.
    #[serde(flatten)]
    pub profile: P,
}

impl<P> User<P> {
    /// A user with nothing but an id and a profile; the rest is set field by field.
    #[must_use]
    pub fn new(id: UserId, profile: P) -> Self {
        Self { realm: None, username: None, email: None, email_verified: None, id, profile }
    }
}

impl<P: Profile> Account for User<P> {
    type Profile = P;

    fn id(&self) -> UserId {
        self.id.clone()
    }

    fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }
}

/// A user as a store holds it: the account, and beside it what only flows may see.
#[derive(Clone, Debug)]
pub struct StoredUser<U> {
    /// The account.
    pub user: U,
    /// The number that every token remembers: see [`TokenRecord`](crate::TokenRecord). It only ever grows.
    pub rev: i64,
    /// The hash of the password; `None` for a user who has none and cannot log in with one.
    pub password: Option<PasswordHash>,
}

/// A user about to be stored. Everything in it has been checked and, where the policy says so, put into lower case.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewUser<P> {
    /// Within which identifiers must be unique: the realm where the policy has realms, otherwise empty. Stores keep it
    /// beside the user and have unique indexes on (namespace, email) and (namespace, username).
    pub namespace: String,
    /// The realm as given.
    pub realm: Option<String>,
    /// The name for login.
    pub username: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// Whether the address was proven.
    pub email_verified: Option<bool>,
    /// The hash of the password.
    pub password: Option<PasswordHash>,
    /// The app's own fields.
    pub profile: P,
}

impl<P> NewUser<P> {
    /// A user with an address and no password, in no realm.
    #[must_use]
    pub fn new(email: impl Into<String>, profile: P) -> Self {
        Self {
            namespace: String::new(),
            realm: None,
            username: None,
            email: Some(email.into()),
            email_verified: None,
            password: None,
            profile,
        }
    }
}
