//! A user goes.

use crate::flow_error::flow_error;
use crate::flows::step_up::{Reauthentication, ReauthenticationError};
use crate::{Account, Auth, Event, HookVeto, OneTimePurpose, PasswordUse, StoreError, Unavailable, UserId};

/// A user removes its own account. It enters the password, or has a token for which a factor was
/// verified a short time ago.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeleteAccount {
    /// Who.
    pub user_id: UserId,
    /// The present password, or a token for which a factor was verified a short time ago.
    pub reauthentication: Reauthentication,
}

impl DeleteAccount {
    /// With the password, or a token for which a factor was verified a short time ago.
    #[must_use]
    pub fn new(user_id: impl Into<UserId>, reauthentication: impl Into<Reauthentication>) -> Self {
        Self { user_id: user_id.into(), reauthentication: reauthentication.into() }
    }
}

flow_error! {
    /// Why a user was not removed.
    pub enum DeleteAccountError {
        /// There is no such user (any more).
        #[error("User {0} not found")]
        UserNotFound(UserId) = Unauthenticated "USER_NOT_FOUND",
        /// The password is wrong.
        #[error("Invalid current password")]
        WrongPassword = Invalid "INVALID_PASSWORD",
        /// No factor was verified for the token within `policy.tokens.step_up_ttl`.
        #[error("the password must be proven again")]
        StepUpRequired = Unauthenticated "STEP_UP_REQUIRED",
    }
    or {
        /// A hook refused the attempt.
        Refused(HookVeto),
    }
    from ReauthenticationError { WrongPassword, StepUpRequired, Refused(veto), Unavailable(error) }
}

impl<U: Account> Auth<U> {
    /// Removes a user, and with it all of its tokens, secrets and roles. Returns whether there was
    /// one.
    ///
    /// The tokens are dead once the user is gone. Clearing them away is housekeeping: if it fails,
    /// it is logged.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn delete_user(&self, id: &UserId) -> Result<bool, Unavailable> {
        let (auth, id) = (self.clone(), id.clone());
        self.change(|mut change| async move {
            if !auth.commit_deletion(&mut change, &id).await? {
                return Ok(false);
            }
            auth.0.waiting.user_deleted(&id);
            if let Err(error) = auth.clear_away(&id).await {
                tracing::warn!(%error, "a user is removed, but not all that belonged to it could be cleared away");
            }
            auth.emit(Event::UserDeleted { user_id: id }).await;
            Ok(true)
        })
        .await
    }

    /// Removes the user whose id `text` names, as [`find_user_named`](Self::find_user_named) reads
    /// it. The user is not looked up: one whose row cannot be read can be removed.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn delete_user_named(&self, text: &str) -> Result<bool, Unavailable> {
        let number = text.parse().ok().map(UserId::Int).filter(|id| id.is_named(text));
        if let Some(id) = number
            && self.delete_user(&id).await?
        {
            return Ok(true);
        }
        self.delete_user(&UserId::from(text)).await
    }

    /// Removes a user, given its password.
    ///
    /// # Errors
    ///
    /// [`DeleteAccountError`].
    pub async fn delete_account(&self, delete: DeleteAccount) -> Result<(), DeleteAccountError> {
        let auth = &*self.0;
        let DeleteAccount { user_id, reauthentication } = delete;
        let Some(found) = self.bounded(auth.users.find_user(&user_id)).await? else {
            return Err(DeleteAccountError::UserNotFound(user_id));
        };
        self.reauthenticate(found, reauthentication, PasswordUse::DeleteAccount).await?;
        if self.delete_user(&user_id).await? { Ok(()) } else { Err(DeleteAccountError::UserNotFound(user_id)) }
    }

    async fn clear_away(&self, id: &UserId) -> Result<(), StoreError> {
        let auth = &*self.0;
        let model = U::model_name();
        self.bounded(auth.tokens.delete_tokens_of(model, id, i64::MAX)).await?;
        for purpose in OneTimePurpose::MAILED {
            self.bounded(auth.one_time.delete_one_time_of(purpose, model, id)).await?;
        }
        if let Some(devices) = &auth.devices {
            self.bounded(devices.forget_devices_of(model, id)).await?;
        }
        if let Some(roles) = &auth.roles {
            for role in self.bounded(roles.roles_of(model, id)).await? {
                self.bounded(roles.unassign_role(model, id, &role)).await?;
            }
        }
        Ok(())
    }
}
