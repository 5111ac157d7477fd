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
//! | what a database or mailer must do | [`UserStore`], [`TokenStore`], [`OneTimeStore`], [`Mailer`], and the optional ports that [`Need`] lists |
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
mod proofs;
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
pub use proofs::{Factor, InvalidProofs, Proof, Proofs, Strength};
pub use token::{IssuedToken, TokenClient, TokenDigest, TokenRecord, TokenSecret};
pub use token_changes::TokenChanges;
pub use token_end::{Ended, Recheck, TokenEnd, TokenState, TokenWatch};
pub use user::{NoProfile, User};
pub use web_origin::{InvalidOrigin, InvalidPublicUrl, Origin, PublicUrl};

#[cfg(feature = "accounts")]
pub use accounts::*;

/// Everything that keeps accounts. Its files lie beside this one: the module exists so that one
/// `cfg` is enough.
#[cfg(feature = "accounts")]
#[path = "."]
mod accounts {
    pub(crate) mod account;
    pub(crate) mod acl;
    pub(crate) mod audit;
    pub(crate) mod auth;
    pub(crate) mod bounded;
    pub(crate) mod builder;
    pub(crate) mod change;
    pub(crate) mod client;
    pub(crate) mod common_passwords;
    pub(crate) mod config_error;
    pub(crate) mod context_passwords;
    pub(crate) mod delivery;
    pub(crate) mod doctor;
    pub mod email;
    pub(crate) mod event_context;
    pub(crate) mod event_counters;
    pub(crate) mod events;
    pub(crate) mod field_error;
    pub(crate) mod flow_error;
    pub(crate) mod flows;
    pub(crate) mod hasher;
    pub(crate) mod hook_calls;
    pub(crate) mod hook_veto;
    pub(crate) mod links;
    pub(crate) mod mail_template;
    pub(crate) mod mails;
    pub(crate) mod memory;
    pub mod normalize;
    pub(crate) mod owners;
    pub(crate) mod password;
    pub(crate) mod password_attempt;
    pub(crate) mod permissions;
    pub(crate) mod policy;
    pub(crate) mod ports;
    pub(crate) mod profile;
    pub(crate) mod profile_fields;
    pub(crate) mod query;
    pub(crate) mod random;
    pub mod redirect;
    pub(crate) mod store_identity;
    pub(crate) mod texts;
    pub(crate) mod under_way;
    pub(crate) mod verify_options;

    pub use crate::error::{HookError, Unavailable};

    pub use self::{
        account::{Account, AccountStatus, Model, NewUser, Profile, StoredUser, UserChange},
        acl::{
            AccessRequest, AccessType, Acl, AclRow, Decision, ExplainedRow, Explanation, InvalidAclRow, Method,
            Permission, Principal, RoleResolver,
        },
        auth::Auth,
        bounded::time_left,
        builder::Builder,
        change::Change,
        client::Client,
        config_error::ConfigError,
        context_passwords::PasswordOwner,
        doctor::{Doctor, Finding, UserProblem},
        event_context::{EventContext, LoginFailure, TriedIdentifier},
        events::{Event, Hooks},
        field_error::{FieldError, FieldErrors, FieldProblem},
        flow_error::{ErrorDetails, ErrorKind, FlowError},
        flows::{
            account_status::SetAccountStatusError,
            change_email::{ChangeEmail, ChangeEmailError, RequestEmailChange},
            change_password::{ChangePassword, ChangePasswordError},
            credentials::{AccountName, KnownAccount},
            delete_user::{DeleteAccount, DeleteAccountError},
            email_code::{ConfirmEmailCodeError, RequestEmailCode, RequestEmailCodeError},
            issue_token::{IssueToken, IssueTokenError},
            login::{LoggedIn, Login, LoginError},
            logout::LogoutError,
            one_time::NewOneTime,
            password::VerifyPasswordError,
            password_hash::SetPasswordHashError,
            register::{CheckMail, Register, RegisterError, SignUp},
            reset_password::{
                PasswordReset, RequestPasswordReset, RequestPasswordResetError, ResetLink, ResetPasswordError,
            },
            roles::AssignRoleError,
            step_up::{Reauthentication, StepUp, StepUpError},
            update_user::{UpdateUser, UpdateUserError},
            verify_email::{
                ConfirmEmail, ConfirmEmailError, ConfirmedEmail, EmailLink, RequestEmailVerification,
                RequestEmailVerificationError, VerificationOf,
            },
        },
        hasher::{HashProblem, Hasher, HasherBuilder, HasherError, Verified},
        hook_veto::HookVeto,
        mail_template::{MailContent, MailParagraph, MailTemplate, RenderedMail, escape_html},
        memory::MemoryStore,
        owners::OtherOwner,
        password::{Password, PasswordError, PasswordHash},
        password_attempt::{PasswordAttempt, PasswordUse},
        permissions::{
            InvalidPermissions, PathDecision, PathLevel, PathLevels, PathPermission, PermissionHolder, PermissionSet,
            PermissionSign, Permissions,
        },
        policy::{
            EmailPolicy, IdentifierPolicy, LimitPolicy, MailPolicy, PasswordPolicy, Policy, RevealPolicy, StorePolicy,
            TokenPolicy,
        },
        ports::{
            CounterLimit, CounterStore, CreateUserError, DeviceSeen, DeviceStore, DigestCredential, DigestStore,
            Identifier, IdentifierKind, ListedUser, Mail, MailError, MailKind, MailOptions, Mailer, Need, OneTimeLimit,
            OneTimePurpose, OneTimeRecord, OneTimeStore, PermissionStore, RoleStore, TokenOwner, TokenStore,
            UserCursor, UserOperation, UserPage, UserStore, find_token_owner_separately,
        },
        profile::{ProfileError, profile_to_json},
        profile_fields::{read_profile, required_profile_fields},
        query::{Fields, Filter, FilterError, Order, Test, UserQuery, Where},
        random::{Random, SystemRandom},
        store_identity::StoreIdentity,
        texts::Texts,
        verify_options::VerifyOptions,
    };
}
