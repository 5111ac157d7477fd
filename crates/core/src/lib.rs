//! What every part of Gatekit stands on: accounts, tokens, passwords, policy, flows and the ports
//! to the outside.
//!
//! There is no HTTP and no SQL here. An app depends on the `gatekit` crate, which re-exports this
//! one.
//!
//! # Map
//!
//! | you look for | it is in |
//! | --- | --- |
//! | the one value an app builds | [`Auth`] and its [`Builder`] |
//! | what a user is | [`Account`], the built-in [`User`], [`UserId`] |
//! | tokens | [`TokenSecret`] (what the client holds), [`TokenRecord`] (what a store holds), [`IssuedToken`] (both, once) |
//! | lifetimes, lengths and limits | [`Policy`] |
//! | what a database or mailer must do | [`UserStore`], [`TokenStore`], [`OneTimeStore`], [`RoleStore`], [`DigestStore`], [`Mailer`] |
//! | register, login, logout, passwords, addresses, changes of a user, sessions | the methods of [`Auth`], one file each under `flows/` |
//! | what mails say and look like | [`Texts`], [`MailTemplate`], [`MailOptions`] |
//! | who may do what | [`Acl`], [`Auth::authorize`], [`Auth::assign_role`], [`RoleResolver`] |
//! | who may read and write below which path | [`Permissions`], [`PermissionSet`], [`PermissionStore`] |
//! | LoopBack's filters | [`Filter`], [`Where`], [`UserQuery`] |
//! | where a browser may be sent | [`redirect`] |
//! | to be told, or to refuse | [`Hooks`], [`Event`] |
//!
//! # Features
//!
//! `accounts` (on by default) is everything that keeps accounts. Without it only the vocabulary
//! remains that a layer needs to check tokens made elsewhere: [`Authenticator`], [`User`],
//! [`UserId`], [`TokenRecord`], [`Clock`].
//!
//! # Example
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "accounts")] {
//! use gatekit_core::{Auth, Login, MemoryStore, Register};
//!
//! let auth = Auth::new(MemoryStore::new());
//! auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
//!
//! let session = auth.login(Login::email("ada@example.com", "correct horse battery")).await?;
//! let caller = auth.authenticate(session.token.secret.expose()).await?;
//! assert_eq!(caller.principal.email.as_deref(), Some("ada@example.com"));
//! # } Ok(()) }
//! ```

mod authenticator;
mod clock;
mod error;
mod id;
mod token;
#[cfg_attr(not(feature = "accounts"), expect(dead_code, reason = "only accounts change tokens"))]
mod token_changes;
mod token_end;
mod user;
mod web_origin;

pub use async_trait::async_trait;
pub use authenticator::{
    AUDIT_TARGET, AuthenticateError, Authenticated, Authenticator, CrossOriginRequest, DeniedAccess, TokenForm,
};
pub use clock::{Clock, SystemClock, Timestamp};
pub use error::{AclErrorStatus, StoreError};
pub use id::UserId;
pub use token::{IssuedToken, TokenClient, TokenDigest, TokenRecord, TokenSecret};
pub use token_changes::TokenChanges;
pub use token_end::{Ended, Recheck, TokenEnd, TokenState, TokenWatch};
pub use user::{NoProfile, User};
pub use web_origin::{InvalidOrigin, InvalidPublicUrl, Origin, PublicUrl};

#[cfg(feature = "accounts")]
mod account;
#[cfg(feature = "accounts")]
mod acl;
#[cfg(feature = "accounts")]
mod audit;
#[cfg(feature = "accounts")]
mod auth;
#[cfg(feature = "accounts")]
mod bounded;
#[cfg(feature = "accounts")]
mod change;
#[cfg(feature = "accounts")]
pub(crate) mod common_passwords;
#[cfg(feature = "accounts")]
mod context_passwords;
#[cfg(feature = "accounts")]
mod delivery;
#[cfg(feature = "accounts")]
mod doctor;
#[cfg(feature = "accounts")]
pub mod email;
#[cfg(feature = "accounts")]
mod events;
#[cfg(feature = "accounts")]
mod flows;
#[cfg(feature = "accounts")]
mod hasher;
#[cfg(feature = "accounts")]
mod hook_calls;
#[cfg(feature = "accounts")]
mod links;
#[cfg(feature = "accounts")]
mod mail_template;
#[cfg(feature = "accounts")]
mod mails;
#[cfg(feature = "accounts")]
mod memory;
#[cfg(feature = "accounts")]
pub mod normalize;
#[cfg(feature = "accounts")]
mod password;
#[cfg(feature = "accounts")]
mod permissions;
#[cfg(feature = "accounts")]
mod policy;
#[cfg(feature = "accounts")]
mod ports;
#[cfg(feature = "accounts")]
mod profile;
#[cfg(feature = "accounts")]
mod profile_fields;
#[cfg(feature = "accounts")]
mod query;
#[cfg(feature = "accounts")]
mod random;
#[cfg(feature = "accounts")]
pub mod redirect;
#[cfg(feature = "accounts")]
mod store_identity;
#[cfg(feature = "accounts")]
mod texts;

#[cfg(feature = "accounts")]
pub use {
    account::{Account, AccountStatus, Model, NewUser, Profile, StoredUser, UserChange},
    acl::{
        AccessRequest, AccessType, Acl, AclRow, Decision, ExplainedRow, Explanation, InvalidAclRow, Method, Permission,
        Principal, RoleResolver,
    },
    audit::{EventContext, LoginFailure, TriedIdentifier},
    auth::{Auth, Builder, ConfigError},
    bounded::time_left,
    change::Change,
    context_passwords::PasswordOwner,
    doctor::{Doctor, Finding, ListedUser, UserProblem},
    error::Unavailable,
    events::{Event, Hooks, Refusal},
    flows::{
        account_status::SetAccountStatusError,
        belongs_to::OtherOwner,
        change_email::{ChangeEmail, ChangeEmailError, RequestEmailChange},
        change_password::{ChangePassword, ChangePasswordError},
        credentials::{AccountName, KnownAccount},
        delete_user::{DeleteAccount, DeleteAccountError},
        email_code::{ConfirmEmailCodeError, RequestEmailCode, RequestEmailCodeError},
        issue_token::{IssueToken, IssueTokenError},
        login::{Client, LoggedIn, Login, LoginError},
        logout::LogoutError,
        one_time::NewOneTime,
        password::{PasswordAttempt, PasswordUse, VerifyPasswordError},
        password_hash::SetPasswordHashError,
        register::{CheckMail, FieldError, Register, RegisterError, SignUp},
        reset_password::{
            PasswordReset, RequestPasswordReset, RequestPasswordResetError, ResetLink, ResetPasswordError,
        },
        roles::AssignRoleError,
        step_up::{Proof, StepUp, StepUpError},
        update_user::{UpdateUser, UpdateUserError},
        verify_email::{
            ConfirmEmail, ConfirmEmailError, ConfirmedEmail, EmailLink, RequestEmailVerification,
            RequestEmailVerificationError, VerificationOf, VerifyOptions,
        },
    },
    hasher::{HashProblem, Hasher, HasherBuilder, HasherError, Verified},
    hook_calls::HookError,
    mail_template::{MailContent, MailParagraph, MailTemplate, RenderedMail, escape_html},
    memory::MemoryStore,
    password::{Password, PasswordError, PasswordHash},
    permissions::{
        InvalidPermissions, PathDecision, PathLevel, PathLevels, PathPermission, PermissionHolder, PermissionSet,
        PermissionSign, Permissions,
    },
    policy::{
        Answers, EmailPolicy, IdentifierPolicy, LimitPolicy, MailPolicy, PasswordPolicy, Policy, RevealPolicy,
        StorePolicy, TokenPolicy,
    },
    ports::{
        CounterLimit, CounterStore, CreateUserError, DeviceSeen, DeviceStore, DigestCredential, DigestStore,
        Identifier, IdentifierKind, Mail, MailError, MailKind, MailOptions, Mailer, Need, OneTimeLimit, OneTimePurpose,
        OneTimeRecord, OneTimeStore, PermissionStore, RoleStore, TokenOwner, TokenStore, UserCursor, UserOperation,
        UserPage, UserStore, find_token_owner_separately,
    },
    profile::{ProfileError, profile_to_json},
    profile_fields::{read_profile, required_profile_fields},
    query::{Fields, Filter, FilterError, Order, Test, UserQuery, Where},
    random::{Random, SystemRandom},
    store_identity::StoreIdentity,
    texts::Texts,
};
