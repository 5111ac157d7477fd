//! What the layer leaves in a request for the extractors: the token as found, who can check it, and, once somebody asked,
//! the answer.

use std::any::{Any, TypeId, type_name};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use gatekit_core::{AuthenticateError, Authenticated, Authenticator, TokenRecord};
use http::Extensions;

use crate::AuthRejection;
use crate::source::Found;

/// One a request. It does not name the principal's type, so that [`AccessToken`](crate::AccessToken) needs none, and so that an
/// extractor for another type can say which one there is.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) authenticator: Arc<dyn ErasedAuthenticator>,
    pub(crate) found: Option<Found>,
    pub(crate) cross_origin: bool,
    /// The answer, once there is one.
    answer: Option<Answer>,
    /// What a layer further out left, whose principal may be of another type.
    outer: Option<Box<Context>>,
}

type Answer = Result<Arc<dyn ErasedAuthenticated>, AuthRejection>;

impl Context {
    pub(crate) fn new(
        authenticator: Arc<dyn ErasedAuthenticator>,
        found: Option<Found>,
        cross_origin: bool,
        outer: Option<Context>,
    ) -> Self {
        Self { authenticator, found, cross_origin, answer: None, outer: outer.map(Box::new) }
    }

    /// The context whose principal is a `P`.
    pub(crate) fn of<P: 'static>(extensions: &mut Extensions) -> Result<&mut Self, AuthRejection> {
        let Some(mut context) = extensions.get_mut::<Self>() else { return Err(not_mounted(type_name::<P>())) };
        let innermost = context.authenticator.principal_name();
        while context.authenticator.principal() != TypeId::of::<P>() {
            match context.outer.as_deref_mut() {
                Some(outer) => context = outer,
                None => return Err(other_principal(type_name::<P>(), innermost)),
            }
        }
        Ok(context)
    }

    /// The innermost context, whatever its principal.
    pub(crate) fn any(extensions: &mut Extensions) -> Result<&mut Self, AuthRejection> {
        extensions.get_mut::<Self>().ok_or_else(|| not_mounted("its user type"))
    }

    /// Who is calling. The authenticator is asked at most once a request.
    pub(crate) async fn resolve(&mut self) -> Answer {
        if let Some(answer) = &self.answer {
            return answer.clone();
        }
        let answer = self.ask().await;
        self.answer = Some(answer.clone());
        answer
    }

    async fn ask(&self) -> Answer {
        let found = self.found.as_ref().ok_or(AuthRejection::Missing)?;
        if self.cross_origin {
            return Err(AuthRejection::CrossOrigin);
        }
        let token = found.token().ok_or(AuthRejection::Invalid)?;
        Ok(self.authenticator.resolve(&token).await?)
    }

    /// The answer, if somebody asked already and it was yes.
    pub(crate) fn answered(&self) -> Option<&dyn ErasedAuthenticated> {
        self.answer.as_ref()?.as_deref().ok()
    }

    pub(crate) fn outer(&self) -> Option<&Self> {
        self.outer.as_deref()
    }
}

fn not_mounted(wanted: &str) -> AuthRejection {
    AuthRejection::Misconfigured(format!(
        "no AuthLayer is mounted on this route. Add `.layer(AuthLayer::new(auth))` to the router, after (below) its routes, with \
         an authenticator for {wanted}"
    ))
}

fn other_principal(wanted: &str, there: &str) -> AuthRejection {
    AuthRejection::Misconfigured(format!(
        "the AuthLayer on this route knows callers as {there}, but the handler asks for {wanted}. Write \
         `AuthUser<{there}>` in the handler, or mount an AuthLayer whose authenticator has {wanted}"
    ))
}

/// An [`Authenticator`] without its type.
pub(crate) trait ErasedAuthenticator: Send + Sync {
    fn principal(&self) -> TypeId;
    fn principal_name(&self) -> &'static str;
    fn resolve<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Arc<dyn ErasedAuthenticated>, AuthenticateError>>;
}

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<A: Authenticator> ErasedAuthenticator for A {
    fn principal(&self) -> TypeId {
        TypeId::of::<A::Principal>()
    }

    fn principal_name(&self) -> &'static str {
        type_name::<A::Principal>()
    }

    fn resolve<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Arc<dyn ErasedAuthenticated>, AuthenticateError>> {
        Box::pin(async move {
            let caller = self.authenticate(token).await?;
            Ok(Arc::new(caller) as Arc<dyn ErasedAuthenticated>)
        })
    }
}

/// An [`Authenticated`] without its type.
pub(crate) trait ErasedAuthenticated: Send + Sync {
    fn principal(&self) -> &(dyn Any + Send + Sync);
    fn token(&self) -> Option<&TokenRecord>;
}

impl<P: Send + Sync + 'static> ErasedAuthenticated for Authenticated<P> {
    fn principal(&self) -> &(dyn Any + Send + Sync) {
        &self.principal
    }

    fn token(&self) -> Option<&TokenRecord> {
        self.token.as_ref()
    }
}
