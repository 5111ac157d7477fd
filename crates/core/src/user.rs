//! The built-in user.

use serde::{Deserialize, Serialize};

use crate::UserId;

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
    /// Whether the address was verified to be the user's. `None` if nobody ever asked.
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
