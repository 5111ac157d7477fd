//! The endpoints that `@wix/sdk` calls, for apps that log members in without a page of Wix's: login
//! and registration as states, tokens of visitors and members, the exchange of a session token for
//! tokens, a lost password, logout.
//!
//! One file each. [`WixMembers::iam_router`](crate::WixMembers::iam_router) mounts them:
//!
//! | endpoint | of the SDK |
//! | --- | --- |
//! | `POST /oauth2/token` | `generateVisitorTokens`, `renewToken`, `getMemberTokens` |
//! | `POST /_api/iam/authentication/v2/login` | `login` |
//! | `POST /_api/iam/authentication/v2/register` | `register` |
//! | `POST /_api/iam/verification/v1/auth/verify` | `processVerification` |
//! | `POST /_api/iam/recovery/v1/send-email` | `sendPasswordResetEmail` |
//! | `POST /_api/iam/recovery/v1/recover` | `recovery.recover` |
//! | `POST /_api/iam/authentication/v2/change-password` | `authentication.changePassword` |
//! | `POST /_api/redirects-api/v1/redirect-session` | `getAuthUrl`, `getMemberTokensForDirectLogin`, `logout` |
//! | `GET /oauth2/authorize` | the hidden frame of `getMemberTokensForDirectLogin`; `getAuthUrl` |
//! | `GET /_api/iam/authentication/v1/logout` | where `logout` leads |
//!
//! None of them reads or sets a cookie: a page of another site can do nothing here in a visitor's
//! name.

mod authorize;
mod change_password;
mod code;
mod context;
pub(crate) mod endpoints;
mod family;
mod frame;
mod login;
mod logout;
mod pkce;
mod recovery;
mod redirect_session;
mod register;
mod reply;
mod router;
mod secret_response;
mod settings;
mod state;
mod token;
mod verify;
mod visitor;

pub use family::RefreshReuse;
pub(crate) use family::end_of as end_family_of;
pub(crate) use reply::bearer;
pub use settings::ClientConfigError;
pub(crate) use settings::Settings;
pub use visitor::Visitor;
