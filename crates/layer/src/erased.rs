//! An authenticator and the caller it has found, without the type of the principal.

use std::any::{Any, type_name};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use gatekit_core::{
    AuthenticateError, Authenticated, Authenticator, CrossOriginRequest, DeniedAccess, Ended, PublicUrl, Recheck,
    StoreError, Timestamp, TokenForm, TokenRecord, TokenWatch,
};

use crate::source::Credential;

/// An [`Authenticator`] without its type.
pub(crate) trait ErasedAuthenticator: Send + Sync {
    fn as_any(&self) -> &(dyn Any + Send + Sync);
    fn principal_name(&self) -> &'static str;
    fn token_form(&self, token: &str) -> TokenForm;
    fn recheck(&self) -> Recheck;
    fn on_cross_origin(&self, request: &CrossOriginRequest<'_>);
    /// About a caller it has resolved itself.
    fn on_access_denied(&self, caller: &dyn ErasedAuthenticated, denied: &DeniedAccess<'_>);
    fn now(&self) -> Timestamp;
    fn public_url(&self) -> Option<&PublicUrl>;
    fn resolve<'a>(
        &'a self,
        credential: &'a Credential<'a>,
    ) -> BoxFuture<'a, Result<Arc<dyn ErasedAuthenticated>, AuthenticateError>>;
    /// About a caller it has resolved itself.
    fn is_in_role<'a>(
        &'a self,
        caller: &'a dyn ErasedAuthenticated,
        role: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;
}

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What an [`ErasedAuthenticator`] is behind its name: an authenticator whose principal is a `P`.
pub(crate) struct Typed<P>(pub(crate) Box<dyn Authenticator<Principal = P>>);

impl<P: Clone + Send + Sync + 'static> Typed<P> {
    /// Asks about whatever was found.
    pub(crate) async fn ask(&self, credential: &Credential<'_>) -> Result<Authenticated<P>, AuthenticateError> {
        match credential {
            Credential::Token(token) => self.0.authenticate(token).await,
            Credential::Digest(digest) => self.0.authenticate_digest(digest).await,
        }
    }
}

impl<P: Clone + Send + Sync + 'static> ErasedAuthenticator for Typed<P> {
    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }

    fn principal_name(&self) -> &'static str {
        type_name::<P>()
    }

    fn token_form(&self, token: &str) -> TokenForm {
        self.0.token_form(token)
    }

    fn recheck(&self) -> Recheck {
        self.0.recheck()
    }

    fn on_cross_origin(&self, request: &CrossOriginRequest<'_>) {
        self.0.on_cross_origin(request);
    }

    fn on_access_denied(&self, caller: &dyn ErasedAuthenticated, denied: &DeniedAccess<'_>) {
        if let Some(caller) = caller.as_any().downcast_ref() {
            self.0.on_access_denied(caller, denied);
        }
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn public_url(&self) -> Option<&PublicUrl> {
        self.0.public_url()
    }

    fn resolve<'a>(
        &'a self,
        credential: &'a Credential<'a>,
    ) -> BoxFuture<'a, Result<Arc<dyn ErasedAuthenticated>, AuthenticateError>> {
        Box::pin(async move { Ok(Arc::new(self.ask(credential).await?) as Arc<dyn ErasedAuthenticated>) })
    }

    fn is_in_role<'a>(
        &'a self,
        caller: &'a dyn ErasedAuthenticated,
        role: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            match caller.as_any().downcast_ref::<Authenticated<P>>() {
                Some(caller) => self.0.is_in_role(caller, role).await,
                // A caller of another authenticator, of whom this one knows nothing.
                None => Ok(false),
            }
        })
    }
}

/// An [`Authenticated`] without its type.
pub(crate) trait ErasedAuthenticated: Send + Sync {
    fn as_any(&self) -> &(dyn Any + Send + Sync);
    fn principal(&self) -> &(dyn Any + Send + Sync);
    fn token(&self) -> Option<&TokenRecord>;
    fn subject(&self) -> Option<String>;
    fn has_scope(&self, scope: &str) -> bool;
    fn valid_until(&self) -> Option<Timestamp>;
    fn ended(&self) -> Ended;
    /// Whether something knows already when its token ends.
    fn is_watched(&self) -> bool;
    fn watched_by(self: Arc<Self>, watch: Arc<dyn TokenWatch>) -> Arc<dyn ErasedAuthenticated>;
}

impl<P: Clone + Send + Sync + 'static> ErasedAuthenticated for Authenticated<P> {
    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }

    fn principal(&self) -> &(dyn Any + Send + Sync) {
        &self.principal
    }

    fn token(&self) -> Option<&TokenRecord> {
        self.token.as_ref()
    }

    fn subject(&self) -> Option<String> {
        Authenticated::subject(self)
    }

    fn has_scope(&self, scope: &str) -> bool {
        Authenticated::has_scope(self, scope)
    }

    fn valid_until(&self) -> Option<Timestamp> {
        Authenticated::valid_until(self)
    }

    fn ended(&self) -> Ended {
        Authenticated::ended(self)
    }

    fn is_watched(&self) -> bool {
        Authenticated::is_watched(self)
    }

    fn watched_by(self: Arc<Self>, watch: Arc<dyn TokenWatch>) -> Arc<dyn ErasedAuthenticated> {
        Arc::new(Arc::unwrap_or_clone(self).watched_by(watch))
    }
}
