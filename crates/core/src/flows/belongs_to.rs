//! A user that belongs to a user of another model: LoopBack's `belongsTo` between two user models,
//! which makes the other user an `$owner`.

use std::sync::Arc;

use async_trait::async_trait;

use crate::owners::{BelongsTo, Owners};
use crate::{
    Account, Auth, AuthenticateError, OneTimePurpose, OtherOwner, StoreError, TokenDigest, Unavailable, UserId,
};

#[async_trait]
impl<V: Account> Owners for Auth<V> {
    async fn known(&self, digest: &TokenDigest) -> Result<OtherOwner, AuthenticateError> {
        let caller = self.authenticate_digest(digest).await?;
        let token = caller.token.ok_or(AuthenticateError::Invalid)?;
        Ok(OtherOwner { model: V::model_name(), id: caller.principal.id(), token })
    }
}

impl<U: Account> BelongsTo<U> {
    pub(crate) fn new<V: Account>(
        owners: &Auth<V>,
        owner: impl Fn(&U) -> Option<UserId> + Send + Sync + 'static,
    ) -> Self {
        Self { owners: Arc::new(owners.clone()), owner: Arc::new(owner) }
    }
}

impl<U: Account> Auth<U> {
    /// The user of another model that this token belongs to, if it owns the user with the id
    /// `target` by [`Builder::belongs_to`](crate::Builder::belongs_to). `None` for every other
    /// token.
    ///
    /// It costs one query for each model of a `belongs_to`, and one for the user with the id
    /// `target` where a token is good. Without a `belongs_to` it costs nothing.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]. This never means "no".
    pub async fn find_other_owner(
        &self,
        digest: &TokenDigest,
        target: &str,
    ) -> Result<Option<OtherOwner>, Unavailable> {
        let mut user = None;
        for BelongsTo { owners, owner } in &self.0.belongs_to {
            let caller = match owners.known(digest).await {
                Ok(caller) => caller,
                Err(AuthenticateError::Unavailable(error)) => return Err(error.into()),
                Err(_) => continue,
            };
            if user.is_none() {
                user = Some(self.find_user_named(target).await?);
            }
            // By text, as LoopBack compares ids: a profile may keep a number as a string.
            let named = user.as_ref().and_then(Option::as_ref).and_then(|user| owner(user));
            if named.is_some_and(|id| id == caller.id || caller.id.is_named(&id.to_string())) {
                return Ok(Some(caller));
            }
        }
        Ok(None)
    }

    /// Whether a token, or a secret that resets a password, is one of another model over the same
    /// store: LoopBack answers 403 and not 401 then where a caller changes its own password.
    /// Whether the other user is still there is not looked at.
    ///
    /// # Errors
    ///
    /// [`Unavailable`].
    pub async fn is_of_another_model(&self, digest: &TokenDigest) -> Result<bool, Unavailable> {
        let (auth, now) = (&*self.0, self.0.clock.now());
        if let Some(token) = self.bounded::<_, StoreError>(auth.tokens.find_token(digest)).await? {
            return Ok(token.user_type != U::model_name() && !token.is_expired(now));
        }
        let secret = auth.one_time.find_one_time(OneTimePurpose::ResetPassword, digest);
        let secret = self.bounded::<_, StoreError>(secret).await?;
        Ok(secret.is_some_and(|secret| secret.user_type != U::model_name() && now < secret.expires))
    }
}
