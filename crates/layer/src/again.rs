//! The end of a token whose authenticator does not tell it: the token is authenticated again, from
//! time to time.

use std::borrow::Cow;
use std::sync::Arc;

use gatekit_core::{
    AuthenticateError, Authenticated, Recheck, StoreError, Timestamp, TokenDigest, TokenEnd, TokenRecord, TokenSecret,
    TokenState, TokenWatch, async_trait,
};

use crate::context::ErasedAuthenticator;
use crate::source::Credential;

/// The caller, with something that knows when its token ends.
pub(crate) fn watched<P>(
    caller: Authenticated<P>,
    credential: &Credential<'_>,
    authenticator: &Arc<dyn ErasedAuthenticator>,
) -> Authenticated<P> {
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

/// What the request brought.
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
        match self.authenticator.resolve(&credential, &self.authenticator).await {
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
