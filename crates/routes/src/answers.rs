//! Settings that only the User API reads: how it answers LoopBack's clients.

use gatekit_core::AclErrorStatus;

/// How the User API answers where LoopBack's apps may choose.
///
/// | setting | default | loopback | LoopBack's name |
/// | --- | --- | --- | --- |
/// | `expired_token_fails_open_routes` | no | yes | |
/// | `unread_body_counts_as_empty` | no | yes | |
/// | `replace_on_put` | yes | yes | `replaceOnPUT` |
/// | `acl_error_status` | 401 | 401 | `aclErrorStatus` |
/// | `null_members` | no | no | |
/// | `show_principal_type` | no | no | |
/// | `current_user_literal` | none | none | `currentUserLiteral` |
/// | `max_batch` | 1 | 100 | |
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_routes::{self as routes, Answers, UserApi};
///
/// let auth = Auth::new(MemoryStore::new());
/// let mut answers = Answers::loopback();
/// answers.current_user_literal = Some("me");
/// let api = UserApi::new(&auth).answers(answers);
/// let app: Router = Router::new().nest("/api/users", routes::all(api));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answers {
    /// Whether a request to a route that is open to everyone, such as login, fails with 401 if it
    /// brings an expired token, as in LoopBack. Off: such routes do not look at tokens, and ask no
    /// store about them.
    pub expired_token_fails_open_routes: bool,
    /// Whether the User API takes a body of a type that it does not read for an empty one, as
    /// LoopBack does: `multipart/form-data`, `text/json`, or no type at all. The client is then
    /// told that a field is missing although it has sent it. Off: 415, with the types that are
    /// read.
    pub unread_body_counts_as_empty: bool,
    /// Whether `PUT` of a user replaces all of it. If not, it changes what is sent, as `PATCH`
    /// does, and `POST /{id}/replace` is left to replace. LoopBack's `replaceOnPUT`: on.
    pub replace_on_put: bool,
    /// The status of a response to a logged-in caller that the access control list denies. An
    /// anonymous caller always gets 401. LoopBack's `aclErrorStatus`: 401. Roles and owners that an
    /// app's own routes ask for have settings of their own, such as `Role::DENIED`.
    pub acl_error_status: AclErrorStatus,
    /// Whether a loaded user has `null` for fields that are not set, as with LoopBack's SQL
    /// connectors. Otherwise such fields are absent, as with the memory connector.
    pub null_members: bool,
    /// Whether a token has `principalType`, the name of the user type
    /// ([`Account::model_name`](gatekit_core::Account::model_name)), in the responses of login and
    /// of `accessTokens`: as in LoopBack apps with several user models, whose clients tell by it
    /// whose id `userId` is.
    pub show_principal_type: bool,
    /// A word that stands for the caller's own id in a path of the User API, such as `me` in
    /// `/users/me`. LoopBack's `currentUserLiteral`: none.
    pub current_user_literal: Option<&'static str>,
    /// How many users one sign-up request may create, as an array. Each user costs the hashing of a
    /// password and tells whether an address is taken, and a limit on requests counts the array
    /// once. 1; LoopBack has no limit, its preset has 100.
    pub max_batch: usize,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            expired_token_fails_open_routes: false,
            unread_body_counts_as_empty: false,
            replace_on_put: true,
            acl_error_status: AclErrorStatus::Unauthorized,
            null_members: false,
            show_principal_type: false,
            current_user_literal: None,
            max_batch: 1,
        }
    }
}

impl Answers {
    /// LoopBack's. [`Policy::loopback`](gatekit_core::Policy::loopback) has its rules and limits.
    #[must_use]
    pub fn loopback() -> Self {
        Self {
            expired_token_fails_open_routes: true,
            unread_body_counts_as_empty: true,
            max_batch: 100,
            ..Self::default()
        }
    }
}
