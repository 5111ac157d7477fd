//! Finds the caller by the token of a request. It connects CM-Well's tokens to the layer and its
//! extractors.

use std::sync::Arc;

use gatekit_core::{
    Account, AuthenticateError, Authenticated, Authenticator, CrossOriginRequest, DeniedAccess, PublicUrl, Recheck,
    StoreError, Timestamp, TokenChanges, TokenEnd, TokenForm, TokenRecord, TokenSecret, TokenState, TokenWatch, UserId,
    async_trait,
};

use crate::cmwell::NotTheirs;
use crate::{CmWell, CmWellToken, CmWellTokenError};

/// With one query: the account by the name in the token. It is remembered nowhere, so that a token
/// ends with the very step that adds one to its user's `rev`.
///
/// Tokens are not stored, so there is no `AccessToken` to extract, and none is `Fresh`. Roles are
/// those of the `Auth`.
#[async_trait]
impl<U: Account> Authenticator for CmWell<U> {
    type Principal = U;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<U>, AuthenticateError> {
        match self.owner_of(token).await {
            Ok((account, expires)) => {
                let user = account.user.id();
                let watch = Watch { cmwell: self.clone(), token: token.into(), user: user.clone() };
                let caller = Authenticated::new(account.user).expires(expires).named(user.to_string());
                Ok(caller.watched_by(Arc::new(watch)))
            }
            Err(NotTheirs::Token(CmWellTokenError::Expired)) => Err(AuthenticateError::Expired),
            Err(NotTheirs::Unavailable(error)) => Err(AuthenticateError::Unavailable(error)),
            Err(NotTheirs::Token(_) | NotTheirs::Unknown(_) | NotTheirs::Ended) => Err(AuthenticateError::Invalid),
        }
    }

    fn token_form(&self, token: &str) -> TokenForm {
        CmWellToken::form_of(token)
    }

    fn on_cross_origin(&self, request: &CrossOriginRequest<'_>) {
        self.0.auth.on_cross_origin(request);
    }

    fn on_access_denied(&self, caller: &Authenticated<U>, denied: &DeniedAccess<'_>) {
        self.0.auth.on_access_denied(caller, denied);
    }

    fn now(&self) -> Timestamp {
        self.0.auth.now()
    }

    fn public_url(&self) -> Option<&PublicUrl> {
        self.0.auth.public_url()
    }

    async fn is_in_role(&self, caller: &Authenticated<U>, role: &str) -> Result<bool, StoreError> {
        Authenticator::is_in_role(&self.0.auth, caller, role).await
    }
}

/// Knows when a token ends: at its time, or when its user's `rev` is another.
struct Watch<U: Account> {
    cmwell: CmWell<U>,
    token: TokenSecret,
    user: UserId,
}

#[async_trait]
impl<U: Account> TokenWatch for Watch<U> {
    async fn check(&self, _: Option<&TokenRecord>) -> Result<TokenState, StoreError> {
        match self.cmwell.owner_of(self.token.expose()).await {
            Ok((_, expires)) => Ok(TokenState::Valid(Some(expires))),
            Err(NotTheirs::Unavailable(error)) => Err(error),
            Err(NotTheirs::Token(CmWellTokenError::Expired)) => Ok(TokenState::Ended(TokenEnd::Expired)),
            Err(_) => Ok(TokenState::Ended(TokenEnd::Revoked)),
        }
    }

    fn changes(&self, _: Option<&TokenRecord>) -> Option<TokenChanges> {
        Some(self.cmwell.0.auth.token_changes(&self.user))
    }

    fn recheck(&self) -> Recheck {
        let policy = self.cmwell.0.auth.policy();
        Recheck { every: policy.tokens.recheck, grace: policy.tokens.recheck_grace }
    }

    fn now(&self) -> Timestamp {
        self.cmwell.0.auth.now()
    }
}
