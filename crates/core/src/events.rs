//! What an app can hear of, and where it can say no.

use async_trait::async_trait;

use crate::{
    Account, AccountStatus, EventContext, HookVeto, LoginFailure, NewUser, OneTimePurpose, PasswordAttempt,
    PasswordUse, TokenSecret, TriedIdentifier, UserId,
};

/// An app's own steps in the flows. Every method has a default that does nothing.
///
/// ```
/// use gatekit_core::{async_trait, Auth, Event, EventContext, Hooks, MemoryStore, NewUser, NoProfile, HookVeto, User};
///
/// struct OnlyOurDomain;
///
/// #[async_trait]
/// impl Hooks<User> for OnlyOurDomain {
///     async fn before_register(&self, new: &mut NewUser<NoProfile>) -> Result<(), HookVeto> {
///         match new.email.as_deref() {
///             Some(email) if email.ends_with("@example.com") => Ok(()),
///             _ => Err(HookVeto::new("NOT_OURS", "Only addresses of example.com may sign up")),
///         }
///     }
///
///     async fn on_event(&self, event: &Event<User>, context: &EventContext) {
///         if let Event::LoggedIn { user } = event {
///             println!("{} is here since {}", user.id, context.at);
///         }
///     }
/// }
///
/// let store = MemoryStore::new();
/// let auth: Auth = Auth::builder(store).hooks(OnlyOurDomain).build()?;
/// # Ok::<_, gatekit_core::ConfigError>(())
/// ```
#[async_trait]
pub trait Hooks<U: Account>: Send + Sync + 'static {
    /// Before a new user is stored; everything Gatekit asks of it has been checked. It may change
    /// the user, or refuse it. A hook that panics (HTTP status 500) or takes longer than
    /// `policy.limits.hook_timeout` (503) has not agreed.
    ///
    /// Where a sign-up hides that an address has an account
    /// ([`Policy::hides_taken_email`](crate::Policy::hides_taken_email)), it is called for such an
    /// address as well, and nothing is stored afterwards: what it refuses and how long it takes
    /// must not depend on it.
    async fn before_register(&self, _new: &mut NewUser<U::Profile>) -> Result<(), HookVeto> {
        Ok(())
    }

    /// Before a password is verified, at each login and wherever else the password is asked for,
    /// and before an account is looked up. It may refuse the attempt: HTTP status 403 with the
    /// hook's code. This is the place for a lock or a limit: what it knows is the same for an
    /// account and for nobody, for a right password and for a wrong one, so its answer tells
    /// nothing of either. A hook that panics (HTTP status 500) or takes longer than
    /// `policy.limits.hook_timeout` (503) has not agreed.
    async fn before_verify(&self, _attempt: &PasswordAttempt) -> Result<(), HookVeto> {
        Ok(())
    }

    /// After the right password, before a token is issued. It may refuse the login. A lock does not
    /// belong here: who is refused here has learned that the password is right. That is for
    /// [`before_verify`](Self::before_verify). A hook that panics (HTTP status 500) or takes longer
    /// than `policy.limits.hook_timeout` (503) has not agreed.
    async fn before_login(&self, _user: &U) -> Result<(), HookVeto> {
        Ok(())
    }

    /// After something happened and is stored. It is called in the order of the events. The request
    /// does not wait for what is not done at once: that goes on on a task, for
    /// `policy.limits.hook_timeout` at most, and [`Auth::settled`](crate::Auth::settled) waits for
    /// it. A panic is logged. What must be done before the client is answered belongs into a
    /// `before_` method or the app's own handler.
    async fn on_event(&self, _event: &Event<U>, _context: &EventContext) {}
}

/// Something that happened. It is stored already: an event is never taken back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<U> {
    /// A user signed up.
    Registered {
        /// Who.
        user: U,
    },
    /// Somebody signed up with the address of this user, and was not told that it has an account.
    /// The user gets a mail, if there is a mailer and it has not got as many as it may.
    SignUpRepeated {
        /// Who has the address.
        user: U,
    },
    /// A user logged in.
    LoggedIn {
        /// Who.
        user: U,
    },
    /// A login was refused: unknown user, wrong password, an account that is not active, an address
    /// that must be verified first, or a hook said no.
    LoginFailed {
        /// The user, if there is one. Do not let the caller see whether there is.
        user_id: Option<UserId>,
        /// Which address or name was tried, as far as it may be kept; `None` for a proof that names
        /// none.
        identifier: Option<TriedIdentifier>,
        /// Why. Do not let the caller see this, either.
        reason: LoginFailure,
    },
    /// A user has given its password again, for a fresh token.
    SteppedUp {
        /// Who.
        user_id: UserId,
    },
    /// A wrong password was given for something else than a login: to change the password or the
    /// address, to delete the account, to get a fresh token. Somebody who has the user's token
    /// guesses, or the user has mistyped.
    PasswordRefused {
        /// Whose password it would have been, if there is such a user.
        user_id: Option<UserId>,
        /// What it was asked for.
        used_for: PasswordUse,
        /// Whether a hook refused the attempt, so that the password was not looked at.
        by_hook: bool,
    },
    /// A secret was refused that should have worked once, such as that of a password reset: it is
    /// forged, was used before, or has ended. Or a mailed code was wrong.
    SecretRefused {
        /// What it was for.
        purpose: OneTimePurpose,
        /// Whose it was, if that is known.
        user_id: Option<UserId>,
    },
    /// A token was given up.
    LoggedOut {
        /// Whose it was.
        user_id: UserId,
    },
    /// A user asked for a password reset, and the mail is on its way if there is a mailer.
    /// LoopBack's `resetPasswordRequest`.
    PasswordResetRequested {
        /// Who.
        user: U,
        /// The secret that chooses a new password, for an app that sends the mail itself.
        token: TokenSecret,
    },
    /// A password was replaced, and all other tokens of the user have ended.
    PasswordChanged {
        /// Whose.
        user_id: UserId,
        /// Whether by a reset, and not with the old password.
        by_reset: bool,
    },
    /// A user is to prove its address, and the mail is on its way if there is a mailer.
    EmailVerificationRequested {
        /// Who.
        user: U,
        /// The secret that proves the address, for an app that sends the mail itself.
        token: TokenSecret,
    },
    /// A user is to prove its address by a code, and the mail is on its way if there is a mailer.
    EmailCodeRequested {
        /// Who.
        user: U,
        /// The six digits, for an app that sends the mail itself.
        code: TokenSecret,
    },
    /// An address was verified.
    EmailVerified {
        /// Whose.
        user: U,
    },
    /// A user is to prove a new address, and the mail is on its way if there is a mailer.
    EmailChangeRequested {
        /// Who, with the old address.
        user: U,
        /// The new address.
        email: String,
        /// The secret that proves it, for an app that sends the mail itself.
        token: TokenSecret,
    },
    /// A user has another address, and all other tokens of the user have ended.
    EmailChanged {
        /// Who, with the new address.
        user: U,
        /// The old address.
        old: Option<String>,
    },
    /// A user's fields were changed.
    UserUpdated {
        /// Who, as it is now.
        user: U,
    },
    /// An account was blocked, unblocked or approved of, and all of its tokens have ended.
    StatusChanged {
        /// Whose.
        user: U,
        /// What it is now.
        status: AccountStatus,
    },
    /// A user was removed, with all of its tokens.
    UserDeleted {
        /// Who it was.
        user_id: UserId,
    },
    /// A user was put into a role.
    RoleAssigned {
        /// Who.
        user_id: UserId,
        /// Which.
        role: String,
    },
    /// A user was taken out of a role.
    RoleUnassigned {
        /// Who.
        user_id: UserId,
        /// Which.
        role: String,
    },
    /// A caller whose token is good was refused what it has no right to (ASVS 16.3.2): by the
    /// access control list, or by a guard for a role or a scope. A request without a good token
    /// raises nothing.
    AccessDenied {
        /// The caller; `None` for one of another user type.
        user_id: Option<UserId>,
        /// What the caller needs: `method` and a name of the list, `role` and names, or `scope` and
        /// names.
        required: String,
        /// Which user the access was about: the id in the path, at most 256 bytes, without control
        /// characters.
        target: Option<String>,
    },
    /// A request was refused because a page of another origin sent it: with a cookie, or to a route
    /// that logs in (CSRF).
    CrossOriginRefused {
        /// The page's origin as the browser named it, at most 256 bytes; `None` if it named none.
        origin: Option<String>,
    },
    /// All tokens of a user were ended, but perhaps one.
    LoggedOutEverywhere {
        /// Whose.
        user_id: UserId,
    },
}
