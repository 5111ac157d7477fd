//! The end of a token whose authenticator does not report it: the token is authenticated again from
//! time to time.

use std::borrow::Cow;
use std::sync::Arc;

use gatekit_core::{
    AuthenticateError, Recheck, StoreError, Timestamp, TokenDigest, TokenEnd, TokenRecord, TokenSecret, TokenState,
    TokenWatch, async_trait,
};

use crate::erased::{ErasedAuthenticated, ErasedAuthenticator};
use crate::source::Credential;

/// The caller, with something that knows when its token ends.
pub(crate) fn watched(
    caller: Arc<dyn ErasedAuthenticated>,
    credential: &Credential<'_>,
    authenticator: &Arc<dyn ErasedAuthenticator>,
) -> Arc<dyn ErasedAuthenticated> {
    if caller.is_watched() {
        return caller;
    }
    let credential = match credential {
        Credential::Token(token) => Kept::Token(TokenSecret::from(&**token)),
        Credential::Digest(digest) => Kept::Digest(*digest),
    };
    caller.watched_by(Arc::new(Again { authenticator: Arc::clone(authenticator), credential }))
}

struct Again {
    authenticator: Arc<dyn ErasedAuthenticator>,
    credential: Kept,
}

/// The credential of the request.
enum Kept {
    Token(TokenSecret),
    Digest(TokenDigest),
}

#[async_trait]
impl TokenWatch for Again {
    async fn check(&self, _: Option<&TokenRecord>) -> Result<TokenState, StoreError> {
        let credential = match &self.credential {
            Kept::Token(token) => Credential::Token(Cow::Borrowed(token.expose())),
            Kept::Digest(digest) => Credential::Digest(*digest),
        };
        match self.authenticator.resolve(&credential).await {
            Ok(caller) => Ok(TokenState::Valid(caller.valid_until())),
            Err(AuthenticateError::Unavailable(error)) => Err(error),
            Err(AuthenticateError::Expired) => Ok(TokenState::Ended(TokenEnd::Expired)),
            Err(_) => Ok(TokenState::Ended(TokenEnd::Revoked)),
        }
    }

    fn recheck(&self) -> Recheck {
        self.authenticator.recheck()
    }

    fn now(&self) -> Timestamp {
        self.authenticator.now()
    }
}
