//! What follows a new `rev` of a user: the tokens issued under an older one are dead.

use crate::{Account, Auth, Event, MailKind, MailOptions, StoreError, StoredUser, TokenRecord, UserId};

impl<U: Account> Auth<U> {
    /// Carries the one token over that is kept, and clears the dead ones away. `rev` has been
    /// bumped already, so what fails here is logged: a token that was not carried over is dead, and
    /// its user logs in again.
    pub(crate) async fn after_new_rev(&self, user: &UserId, keep: Option<&TokenRecord>, rev: i64) {
        let tokens = &*self.0.tokens;
        // Only a token of this user that was alive until now: whatever else ended it meanwhile has
        // ended it for good.
        let keep = keep.filter(|token| {
            token.user_type == U::model_name() && token.user_id == *user && token.rev.checked_add(1) == Some(rev)
        });
        self.0.waiting.rev_changed(user, rev, keep.map(|token| &token.digest));
        let cleared: Result<u64, StoreError> = async {
            if let Some(token) = keep {
                self.bounded(tokens.carry_token_over(&token.digest, token.rev, rev)).await?;
            }
            self.bounded(tokens.delete_tokens_of(U::model_name(), user, rev)).await
        }
        .await;
        if let Err(error) = cleared {
            tracing::warn!(%error, "all old tokens of a user are dead, but they could not be cleared away");
        }
        if keep.is_some() {
            self.0.waiting.recheck(user);
        }
    }

    /// Tells the user and the app of a new password. Somebody else may have chosen it.
    pub(crate) async fn after_new_password(&self, user: &U, by_reset: bool, mails: &MailOptions) {
        if self.0.policy.mail.notify_password_changed {
            self.post_notice(MailKind::PasswordChanged, user.email(), mails, &[]);
        }
        self.emit(Event::PasswordChanged { user_id: user.id(), by_reset }).await;
    }
}

/// Whether this is a token of the user from before the last change that ended its tokens.
pub(crate) fn is_outdated<U: Account>(token: &TokenRecord, user: &StoredUser<U>) -> bool {
    token.user_type == U::model_name() && token.user_id == user.user.id() && token.rev != user.rev
}
