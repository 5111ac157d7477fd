//! The log line that each event writes.
//!
//! Each event is one line of the target [`AUDIT_TARGET`], whether or not the app has hooks. Its
//! fields are the catalogue in `docs/guide/events.md`. No field holds a secret.

use crate::{AUDIT_TARGET, Account, Event, EventContext, LoginFailure, TokenSecret, UserId};

impl<U: Account> Event<U> {
    /// The stable name of the event, for a log that programs read. Where OWASP's logging vocabulary
    /// has a name, it is that.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "user_created",
            Self::SignUpRepeated { .. } => "user_created_again",
            Self::LoggedIn { .. } => "authn_login_success",
            Self::LoginFailed { .. } => "authn_login_fail",
            Self::SteppedUp { .. } => "authn_step_up_success",
            Self::PasswordRefused { .. } => "authn_password_fail",
            Self::SecretRefused { .. } => "authn_secret_fail",
            Self::LoggedOut { .. } => "authn_token_revoked",
            Self::LoggedOutEverywhere { .. } => "authn_token_revoked_all",
            Self::PasswordResetRequested { .. } => "authn_password_reset_requested",
            Self::PasswordChanged { .. } => "authn_password_change",
            Self::EmailVerificationRequested { .. } => "email_verification_requested",
            Self::EmailCodeRequested { .. } => "email_code_requested",
            Self::EmailVerified { .. } => "email_verified",
            Self::EmailChangeRequested { .. } => "email_change_requested",
            Self::EmailChanged { .. } => "email_changed",
            Self::UserUpdated { .. } => "user_updated",
            Self::StatusChanged { .. } => "user_status_changed",
            Self::UserDeleted { .. } => "user_deleted",
            Self::RoleAssigned { .. } => "authz_role_assigned",
            Self::RoleUnassigned { .. } => "authz_role_unassigned",
            Self::AccessDenied { .. } => "authz_fail",
            Self::CrossOriginRefused { .. } => "malicious_cors",
        }
    }

    /// The user it is about, if it is about one.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::Registered { user }
            | Self::SignUpRepeated { user }
            | Self::LoggedIn { user }
            | Self::PasswordResetRequested { user, .. }
            | Self::EmailVerificationRequested { user, .. }
            | Self::EmailCodeRequested { user, .. }
            | Self::EmailVerified { user }
            | Self::EmailChangeRequested { user, .. }
            | Self::EmailChanged { user, .. }
            | Self::UserUpdated { user }
            | Self::StatusChanged { user, .. } => Some(user.id()),
            Self::LoggedOut { user_id }
            | Self::LoggedOutEverywhere { user_id }
            | Self::SteppedUp { user_id }
            | Self::PasswordChanged { user_id, .. }
            | Self::UserDeleted { user_id }
            | Self::RoleAssigned { user_id, .. }
            | Self::RoleUnassigned { user_id, .. } => Some(user_id.clone()),
            Self::LoginFailed { user_id, .. }
            | Self::PasswordRefused { user_id, .. }
            | Self::SecretRefused { user_id, .. }
            | Self::AccessDenied { user_id, .. } => user_id.clone(),
            Self::CrossOriginRefused { .. } => None,
        }
    }

    /// Whether something was refused: a login, a password, a secret, an access, a request of
    /// another origin.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::LoginFailed { .. }
                | Self::PasswordRefused { .. }
                | Self::SecretRefused { .. }
                | Self::AccessDenied { .. }
                | Self::CrossOriginRefused { .. }
        )
    }

    /// Writes the event's line (ASVS 16.2.1): a warning for a refusal, information for anything
    /// else.
    pub(crate) fn log(&self, context: &EventContext) {
        let (event, model, at) = (self.name(), U::model_name(), context.at.to_string());
        let user = self.user_id().map(|id| id.to_string());
        let user = user.as_deref();
        let (network, user_agent) = (context.client.network.as_deref(), context.client.user_agent.as_deref());
        let Details { identifier, reason, operation, purpose, origin, role, status, required, target } = self.details();
        let identifier = identifier.as_deref();
        // `tracing` needs the level where the line is written.
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: AUDIT_TARGET,
                    event, at, model, user, identifier, reason, operation, purpose, origin, role, status, required, target, network,
                    user_agent,
                )
            };
        }
        if self.is_refusal() { line!(warn) } else { line!(info) }
    }

    fn details(&self) -> Details<'_> {
        let mut details = Details::default();
        match self {
            Self::LoginFailed { identifier, reason, .. } => {
                details.identifier = identifier.as_ref().map(ToString::to_string);
                details.reason = Some(reason.as_str());
            }
            Self::PasswordRefused { used_for, by_hook, .. } => {
                details.operation = Some(used_for.as_str());
                let reason = if *by_hook { LoginFailure::Refused } else { LoginFailure::WrongPassword };
                details.reason = Some(reason.as_str());
            }
            Self::SecretRefused { purpose, .. } => details.purpose = Some(purpose.as_str()),
            Self::PasswordChanged { by_reset, .. } => {
                details.operation = Some(if *by_reset { "reset_password" } else { "change_password" });
            }
            Self::RoleAssigned { role, .. } | Self::RoleUnassigned { role, .. } => details.role = Some(role),
            Self::StatusChanged { status, .. } => details.status = Some(status.as_str()),
            Self::AccessDenied { required, target, .. } => {
                details.required = Some(required);
                details.target = target.as_deref();
            }
            Self::CrossOriginRefused { origin } => details.origin = origin.as_deref(),
            _ => {}
        }
        details
    }
}

/// What a line says of some events only.
#[derive(Default)]
struct Details<'a> {
    identifier: Option<String>,
    reason: Option<&'static str>,
    operation: Option<&'static str>,
    purpose: Option<&'static str>,
    origin: Option<&'a str>,
    role: Option<&'a str>,
    status: Option<&'static str>,
    required: Option<&'a str>,
    target: Option<&'a str>,
}

/// Text of a request as an event may keep it: no control characters, at most 256 bytes.
pub(crate) fn short(text: &str) -> String {
    const MAX: usize = 256;
    let mut text: String = text.chars().filter(|c| !c.is_control()).take(MAX).collect();
    text.truncate(text.floor_char_boundary(MAX));
    text
}

/// An id or a path of a request as an event may keep it. A client may have put anything there, also
/// its token: a part that has the form of a secret is withheld.
pub(crate) fn shown_target(target: &str) -> String {
    let shown = |part| if TokenSecret::is_well_formed(part) { "(withheld)" } else { part };
    short(&target.split('/').map(shown).collect::<Vec<_>>().join("/"))
}
