//! User accounts for axum apps: sign-up, login, logout, passwords, verified addresses, roles and
//! access control, to mount into your own router.
//!
//! ```no_run
//! use axum::{Json, Router, routing::get};
//! use gatekit::{Auth, AuthLayer, AuthUser, SqliteStore, routes};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let auth = Auth::new(SqliteStore::open("app.db").await?);
//!
//! let app: Router = Router::new()
//!     .route("/me", get(|AuthUser(user): AuthUser| async move { Json(user) }))
//!     .nest("/api/users", routes::all(&auth))
//!     .layer(AuthLayer::new(auth));
//! # Ok(()) }
//! ```
//!
//! This crate has no code of its own. It re-exports the parts:
//!
//! | part | what it is | feature |
//! | --- | --- | --- |
//! | [`core`] | accounts, tokens, passwords, policy, flows, ports | `accounts` |
//! | [`layer`] | tower layers and extractors | always |
//! | [`routes`] | routes in LoopBack 3's wire format | `routes` |
//! | `pages` | pages to sign up, log in and manage an account | `pages` |
//! | `cmwell` | CM-Well's `_login` and its tokens | `cmwell` |
//! | `wix` | Wix members login | `wix` |
//! | [`web`] | what these four do the same way; for logins of an app's own | each of the four |
//! | [`sql`] | the SQLite store | `sqlite` |
//! | [`mail`] | mailers: console, SMTP | `console-mail`, `smtp` |
//! | [`tower_sessions`] | server-side sessions, in the version that the layer reads | `tower-sessions` |
//! | [`jwt`] | JSON Web Tokens made elsewhere | `jwt`, `jwks-url` |
//!
//! The default features are `routes`, `sqlite` and `console-mail`. With `default-features = false`
//! only layers and extractors remain, with neither SQL nor password hashing.

#[cfg(feature = "cmwell")]
pub use gatekit_cmwell as cmwell;
pub use gatekit_core as core;
pub use gatekit_layer as layer;
#[cfg(feature = "jwt")]
pub use gatekit_layer::jwt;
#[cfg(any(feature = "console-mail", feature = "smtp"))]
pub use gatekit_mail as mail;
#[cfg(feature = "pages")]
pub use gatekit_pages as pages;
#[cfg(feature = "routes")]
pub use gatekit_routes as routes;
#[cfg(feature = "sqlite")]
pub use gatekit_sql as sql;
#[cfg(any(feature = "routes", feature = "pages", feature = "cmwell", feature = "wix"))]
pub use gatekit_web as web;
#[cfg(feature = "wix")]
pub use gatekit_wix as wix;
#[cfg(feature = "tower-sessions")]
pub use tower_sessions;

#[cfg(feature = "accounts")]
pub use gatekit_core::{
    AccessRequest, AccessType, Account, AccountStatus, Acl, AclRow, AssignRoleError, Auth, ChangeEmail, ChangePassword,
    Client, ConfirmEmail, CounterLimit, CounterStore, Decision, DeleteAccount, DeviceSeen, DeviceStore, EmailPolicy,
    Event, Explanation, Hasher, HookVeto, Hooks, IdentifierPolicy, IssueToken, LimitPolicy, Login, MailContent,
    MailKind, MailOptions, MailPolicy, MailTemplate, Mailer, MemoryStore, Method, Model, NewUser, OneTimeStore,
    PasswordPolicy, PasswordReset, Permission, Policy, Principal, Profile, Reauthentication, Register, RenderedMail,
    RequestEmailChange, RequestEmailVerification, RequestPasswordReset, RevealPolicy, RoleResolver, RoleStore, StepUp,
    StorePolicy, StoredUser, Texts, TokenPolicy, TokenStore, UpdateUser, UserChange, UserOperation, UserQuery,
    UserStore, VerifyOptions,
};
#[cfg(feature = "accounts")]
pub use gatekit_core::{
    ConfirmEmailCodeError, DigestCredential, DigestStore, InvalidPermissions, PathDecision, PathLevel, PathLevels,
    PathPermission, PermissionHolder, PermissionSet, PermissionSign, PermissionStore, Permissions, RequestEmailCode,
    RequestEmailCodeError,
};
#[cfg(feature = "jwt")]
pub use gatekit_layer::JwtVerifier;
#[cfg(feature = "signed-cookies")]
pub use gatekit_layer::{CookieSecretError, CookieSecrets};
#[cfg(feature = "console-mail")]
pub use gatekit_mail::ConsoleMailer;
#[cfg(feature = "smtp")]
pub use gatekit_mail::SmtpMailer;
#[cfg(feature = "sqlite")]
pub use gatekit_sql::SqliteStore;
pub use {
    gatekit_core::{
        AclErrorStatus, AuthenticateError, Authenticated, Authenticator, Ended, Factor, InvalidOrigin, IssuedToken,
        NoProfile, Origin, Proof, Proofs, PublicUrl, Recheck, StoreError, Strength, Timestamp, TokenChanges,
        TokenClient, TokenEnd, TokenForm, TokenRecord, TokenSecret, TokenState, TokenWatch, User, UserId, async_trait,
    },
    gatekit_layer::{
        AccessToken, AnyUser, AuthLayer, AuthRejection, AuthUser, BrowserTransport, Caller, ClientIp, ErrorForm,
        ErrorResponse, Fresh, Guard, GuardBody, GuardRefusal, GuardService, HasRole, InvalidTokenCookie, OneFactor,
        Owned, PhishingResistant, PresentedToken, RequireAuthLayer, RequireFreshLayer, RequireRoleLayer,
        RequireScopeLayer, RequiredStrength, ResponseCaller, Role, SameSite, Scope, Scoped, StepUpRequired,
        TokenCookie, TokenSource, TokenSources, TwoFactors, access_token, ended, principal, public_url, redacted_uri,
        refuse_cross_origin, refuse_cross_origin_of, request_span, require_owner,
    },
};

// README and guides are compiled and run with the doctests.
#[cfg(all(doctest, feature = "routes", feature = "sqlite", feature = "console-mail"))]
mod guides {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/guide/register.md")]
    mod register {}
    #[doc = include_str!("../../../docs/guide/events.md")]
    mod events {}
    #[doc = include_str!("../../../docs/guide/login.md")]
    mod login {}
    #[doc = include_str!("../../../docs/guide/logout.md")]
    mod logout {}
    #[doc = include_str!("../../../docs/guide/find-user.md")]
    mod find_user {}
    #[doc = include_str!("../../../docs/guide/update-user.md")]
    mod update_user {}
    #[doc = include_str!("../../../docs/guide/verify-email.md")]
    mod verify_email {}
    #[doc = include_str!("../../../docs/guide/email-code.md")]
    mod email_code {}
    #[doc = include_str!("../../../docs/guide/path-permissions.md")]
    mod path_permissions {}
    #[doc = include_str!("../../../docs/guide/change-email.md")]
    mod change_email {}
    #[doc = include_str!("../../../docs/guide/account-status.md")]
    mod account_status {}
    #[doc = include_str!("../../../docs/guide/delete-account.md")]
    mod delete_account {}
    #[doc = include_str!("../../../docs/guide/step-up.md")]
    mod step_up {}
    #[doc = include_str!("../../../docs/guide/cookies.md")]
    mod cookies {}
    #[doc = include_str!("../../../docs/guide/tower-sessions.md")]
    mod tower_sessions {}
    #[doc = include_str!("../../../docs/guide/behind-a-proxy.md")]
    mod behind_a_proxy {}
    #[doc = include_str!("../../../docs/guide/cross-origin.md")]
    mod cross_origin {}
    #[doc = include_str!("../../../docs/guide/streams.md")]
    mod streams {}
    #[doc = include_str!("../../../docs/guide/sessions.md")]
    mod sessions {}
    #[doc = include_str!("../../../docs/guide/find-users.md")]
    mod find_users {}
    #[doc = include_str!("../../../docs/guide/change-password.md")]
    mod change_password {}
    #[doc = include_str!("../../../docs/guide/reset-password.md")]
    mod reset_password {}
    #[doc = include_str!("../../../docs/guide/protecting-handlers.md")]
    mod protecting_handlers {}
    #[doc = include_str!("../../../docs/guide/responses.md")]
    mod responses {}
    #[doc = include_str!("../../../docs/guide/roles.md")]
    mod roles {}
    #[doc = include_str!("../../../docs/guide/scopes.md")]
    mod scopes {}
    #[doc = include_str!("../../../docs/guide/mail.md")]
    mod mail {}
    #[doc = include_str!("../../../docs/guide/user-types.md")]
    mod user_types {}
    #[doc = include_str!("../../../docs/guide/own-users.md")]
    mod own_users {}
    #[doc = include_str!("../../../docs/guide/from-loopback.md")]
    mod from_loopback {}
    #[doc = include_str!("../../../docs/guide/testing.md")]
    mod testing {}
    #[cfg(feature = "cmwell")]
    #[doc = include_str!("../../../docs/guide/from-cm-well.md")]
    mod from_cm_well {}
    #[cfg(feature = "pages")]
    #[doc = include_str!("../../../docs/guide/pages.md")]
    mod pages {}
    #[cfg(feature = "wix")]
    #[doc = include_str!("../../../docs/guide/from-wix.md")]
    mod from_wix {}
}
