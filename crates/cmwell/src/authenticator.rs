//! Who calls, by the token of a request? What ties CM-Well's tokens to the layer and its extractors.

use gatekit_core::{
    Account, AuthenticateError, Authenticated, Authenticator, StoreError, Timestamp, TokenForm, async_trait,
};

use crate::cmwell::NotTheirs;
use crate::{CmWell, CmWellToken, CmWellTokenError};

/// With one query: the account by the name in the token. It is remembered nowhere, so that a token ends with the very step that adds one to its user's
/// `rev`.
///
/// Tokens are not stored, so there is no `AccessToken` to extract, and none is `Fresh`. Roles are those of the `Auth`.
#[async_trait]
impl<U: Account> Authenticator for CmWell<U> {
    type Principal = U;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<U>, AuthenticateError> {
        match self.owner_of(token).await {
            Ok(account) => Ok(Authenticated::new(account.user)),
            Err(NotTheirs::Token(CmWellTokenError::Expired)) => Err(AuthenticateError::Expired),
            Err(NotTheirs::Unavailable(error)) => Err(AuthenticateError::Unavailable(error)),
            Err(NotTheirs::Token(_) | NotTheirs::Unknown(_) | NotTheirs::Ended) => Err(AuthenticateError::Invalid),
        }
    }

    fn token_form(&self, token: &str) -> TokenForm {
        CmWellToken::form_of(token)
    }

    fn now(&self) -> Timestamp {
        self.0.auth.now()
    }

    async fn is_in_role(&self, caller: &Authenticated<U>, role: &str) -> Result<bool, StoreError> {
        Authenticator::is_in_role(&self.0.auth, caller, role).await
    }
}
