//! Handlers and groups of routes for tokens with a scope.
//!
//! A token has the scopes it was issued with; one that was issued without any, as by a login, has
//! exactly the scope `DEFAULT`. A route asks for `DEFAULT` unless a guard of this module asks for
//! another one *instead*, as LoopBack's `accessScopes` do. Scopes are compared byte for byte (ASVS
//! 10.3.2).

use std::marker::PhantomData;
use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use tower_layer::Layer;

use crate::context::{AnyUser, Context, Knowing, knowing};
use crate::denial::Denial;
use crate::extract::optional;
use crate::guard::{Guard, GuardService};
use crate::{AuthRejection, GuardRefusal};

/// A scope, as a type, so that a handler can name it in its signature. See [`Scoped`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scope",
    label = "implement `gatekit::Scope` for it, with the scope's name"
)]
pub trait Scope: 'static {
    /// The name, as tokens have it.
    const NAME: &'static str;
}

/// The caller's token has the scope `S`. Otherwise the handler is not run: 401, as in LoopBack.
///
/// The token of a login has no scope but `DEFAULT`, so it does not get in; for tokens of both kinds
/// see [`RequireScopeLayer::any`]. Extractors to the right of it no longer ask for `DEFAULT`:
///
/// ```
/// use gatekit_layer::{AuthUser, Scope, Scoped};
///
/// struct Reports;
///
/// impl Scope for Reports {
///     const NAME: &'static str = "reports";
/// }
///
/// async fn report(_: Scoped<Reports>, AuthUser(user): AuthUser) -> String {
///     format!("The report of {}", user.id)
/// }
/// ```
///
/// It needs no user type. Where layers for several user types are stacked, name the one that is
/// meant: `Scoped<Reports, Member>`.
#[derive(Clone, Copy, Debug)]
pub struct Scoped<S, U = AnyUser>(PhantomData<fn() -> (S, U)>);

impl<S: Sync, N: Scope, U: Clone + Send + Sync + 'static> FromRequestParts<S> for Scoped<N, U> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        let context = Context::knowing::<U>(parts).await?;
        let (admitted, denial) = (context.require_scope(&[N::NAME]), context.denial());
        reported(admitted, denial, parts, &[N::NAME]).map(|()| Self(PhantomData))
    }
}

impl<S: Sync, N: Scope, U: Clone + Send + Sync + 'static> OptionalFromRequestParts<S> for Scoped<N, U> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, AuthRejection> {
        let asked = Context::knowing::<U>(parts).await.and_then(|context| context.require_scope(&[N::NAME]));
        // A handler that only asks refuses nobody, so that there is nothing to report.
        optional(asked.map(|()| Self(PhantomData)))
    }
}

/// Reports a known caller whose token has none of the scopes (ASVS 16.3.2).
fn reported<N: AsRef<str>>(
    admitted: Result<(), AuthRejection>,
    denial: Option<Denial>,
    parts: &Parts,
    scopes: &[N],
) -> Result<(), AuthRejection> {
    if let (Err(AuthRejection::InsufficientScope), Some(denial)) = (&admitted, denial) {
        denial.report(parts, "scope", scopes);
    }
    admitted
}

/// Lets only tokens through that have a scope: for groups of routes. Extractors inside no longer
/// ask for `DEFAULT`.
///
/// It goes inside an [`AuthLayer`](crate::AuthLayer). Inside a
/// [`RequireAuthLayer`](crate::RequireAuthLayer) it admits less than one may expect, because that
/// one has asked for `DEFAULT` before.
///
/// ```
/// use axum::{Router, routing::get};
/// use gatekit_core::{Auth, MemoryStore, TokenRecord};
/// use gatekit_layer::{AuthLayer, AuthUser, RequireScopeLayer};
///
/// async fn report(AuthUser(user): AuthUser) -> String {
///     format!("The report of {}", user.id)
/// }
///
/// let auth = Auth::new(MemoryStore::new());
/// // For users who are logged in, and for tokens that were issued for reports alone.
/// let reports: Router = Router::new()
///     .route("/", get(report))
///     .layer(RequireScopeLayer::any([TokenRecord::DEFAULT_SCOPE, "reports"]));
/// let app: Router = Router::new().nest("/reports", reports).layer(AuthLayer::new(auth));
/// ```
#[derive(Clone, Debug)]
pub struct RequireScopeLayer {
    scopes: Arc<[String]>,
    knowing: Knowing,
}

impl RequireScopeLayer {
    /// For tokens with this scope.
    #[must_use]
    pub fn new(scope: impl Into<String>) -> Self {
        Self::any([scope])
    }

    /// For tokens with at least one of these scopes; if there are none, for nobody's.
    #[must_use]
    pub fn any<N: Into<String>>(scopes: impl IntoIterator<Item = N>) -> Self {
        Self { scopes: scopes.into_iter().map(Into::into).collect(), knowing: knowing::<AnyUser> }
    }

    /// Asks about the token of the caller of this type. Needed only where layers for several user
    /// types are stacked.
    #[must_use]
    pub fn of<U: Clone + Send + Sync + 'static>(mut self) -> Self {
        self.knowing = knowing::<U>;
        self
    }
}

impl Guard for RequireScopeLayer {
    async fn admit(&self, parts: &mut Parts) -> Result<(), GuardRefusal> {
        let context = (self.knowing)(parts).await?;
        let (admitted, denial) = (context.require_scope(&self.scopes), context.denial());
        Ok(reported(admitted, denial, parts, &self.scopes)?)
    }
}

impl<S> Layer<S> for RequireScopeLayer {
    type Service = RequireScopeService<S>;

    fn layer(&self, inner: S) -> RequireScopeService<S> {
        GuardService::new(inner, self.clone())
    }
}

/// The service of [`RequireScopeLayer`].
pub type RequireScopeService<S> = GuardService<S, RequireScopeLayer>;
