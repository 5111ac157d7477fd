//! Handlers and groups of routes for callers in a role.

use std::marker::PhantomData;
use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use gatekit_core::AclErrorStatus;
use http::request::Parts;
use tower_layer::Layer;

use crate::context::{AnyUser, Context, Knowing, knowing};
use crate::denial::Denial;
use crate::extract::optional;
use crate::guard::{Guard, GuardService};
use crate::{AuthRejection, GuardRefusal};

/// A role, as a type, so that a handler can name it in its signature. See [`HasRole`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a role",
    label = "implement `gatekit::Role` for it, with the role's name"
)]
pub trait Role: 'static {
    /// The name under which it is assigned to users or has its resolver.
    const NAME: &'static str;

    /// What a caller is answered who is known and not in it. Nobody always gets 401.
    const DENIED: AclErrorStatus = AclErrorStatus::Forbidden;
}

/// The caller is in the role `R`. Otherwise the handler is not run: 401 for nobody, and
/// [`Role::DENIED`], which is 403 unless set, for a caller that is not in it. If it cannot be found
/// out, 503.
///
/// Who is in a role is what the authenticator of the [`AuthLayer`](crate::AuthLayer) says: for an
/// `Auth` those it was assigned to or whom its resolver names, for an authenticator of your own
/// whom it gave the role in `Authenticated::roles`.
///
/// ```
/// use gatekit_layer::{AuthUser, HasRole, Role};
///
/// struct Admin;
///
/// impl Role for Admin {
///     const NAME: &'static str = "admin";
/// }
///
/// async fn statistics(_: HasRole<Admin>) -> &'static str {
///     "All is well"
/// }
///
/// // `None` for a caller that is not in it, and for nobody. A store that fails is an error, never `None`.
/// async fn home(AuthUser(user): AuthUser, admin: Option<HasRole<Admin>>) -> String {
///     format!("{} {}", user.id, if admin.is_some() { "<a href=/statistics>" } else { "" })
/// }
/// ```
///
/// It needs no user type. Where layers for several user types are stacked, name the one that is
/// meant: `HasRole<Admin, Member>`.
#[derive(Clone, Copy, Debug)]
pub struct HasRole<R, U = AnyUser>(PhantomData<fn() -> (R, U)>);

impl<S: Sync, R: Role, U: Clone + Send + Sync + 'static> FromRequestParts<S> for HasRole<R, U> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        let context = Context::knowing::<U>(parts).await?;
        if is_in_any(context, &[R::NAME]).await? {
            return Ok(Self(PhantomData));
        }
        let denial = context.denial();
        Err(refuse(denial, parts, &[R::NAME], R::DENIED))
    }
}

impl<S: Sync, R: Role, U: Clone + Send + Sync + 'static> OptionalFromRequestParts<S> for HasRole<R, U> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, AuthRejection> {
        let asked = match Context::knowing::<U>(parts).await {
            Ok(context) => is_in_any(context, &[R::NAME]).await,
            Err(rejection) => Err(rejection),
        };
        // A handler that only asks refuses nobody, so that there is nothing to report.
        Ok(optional(asked)?.and_then(|is| is.then_some(Self(PhantomData))))
    }
}

async fn is_in_any<R: AsRef<str>>(context: &Context, roles: &[R]) -> Result<bool, AuthRejection> {
    context.admitted()?;
    for role in roles {
        if context.is_in_role(role.as_ref()).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses a caller that is in none of the roles, and reports it (ASVS 16.3.2).
fn refuse<R: AsRef<str>>(denial: Option<Denial>, parts: &Parts, roles: &[R], denied: AclErrorStatus) -> AuthRejection {
    if let Some(denial) = denial {
        denial.report(parts, "role", roles);
    }
    denied.into()
}

/// Lets only callers through who are in a role: for groups of routes.
///
/// It asks the authenticator of the [`AuthLayer`](crate::AuthLayer) or
/// [`RequireAuthLayer`](crate::RequireAuthLayer) around it, and answers as [`HasRole`] does.
///
/// ```
/// use axum::{Router, routing::get};
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_layer::{AuthLayer, RequireRoleLayer};
///
/// let auth = Auth::new(MemoryStore::new());
/// let office: Router = Router::new()
///     .route("/statistics", get(|| async { "All is well" }))
///     .layer(RequireRoleLayer::any(["admin", "accountant"]));
/// let app: Router = Router::new().nest("/office", office).layer(AuthLayer::new(auth));
/// ```
#[derive(Clone, Debug)]
pub struct RequireRoleLayer {
    roles: Arc<[String]>,
    denied: AclErrorStatus,
    knowing: Knowing,
}

impl RequireRoleLayer {
    /// For callers in this role.
    #[must_use]
    pub fn new(role: impl Into<String>) -> Self {
        Self::any([role])
    }

    /// For callers in at least one of these roles; if there are none, for nobody.
    #[must_use]
    pub fn any<R: Into<String>>(roles: impl IntoIterator<Item = R>) -> Self {
        Self {
            roles: roles.into_iter().map(Into::into).collect(),
            denied: AclErrorStatus::Forbidden,
            knowing: knowing::<AnyUser>,
        }
    }

    /// What a caller is answered who is known and in none of them: 403 unless set. Nobody always
    /// gets 401.
    #[must_use]
    pub fn denied(mut self, status: AclErrorStatus) -> Self {
        self.denied = status;
        self
    }

    /// Asks about the caller of this type. Needed only where layers for several user types are
    /// stacked.
    #[must_use]
    pub fn of<U: Clone + Send + Sync + 'static>(mut self) -> Self {
        self.knowing = knowing::<U>;
        self
    }
}

impl Guard for RequireRoleLayer {
    async fn admit(&self, parts: &mut Parts) -> Result<(), GuardRefusal> {
        let context = (self.knowing)(parts).await?;
        if is_in_any(context, &self.roles).await? {
            return Ok(());
        }
        let denial = context.denial();
        Err(refuse(denial, parts, &self.roles, self.denied).into())
    }
}

impl<S> Layer<S> for RequireRoleLayer {
    type Service = RequireRoleService<S>;

    fn layer(&self, inner: S) -> RequireRoleService<S> {
        GuardService::new(inner, self.clone())
    }
}

/// The service of [`RequireRoleLayer`].
pub type RequireRoleService<S> = GuardService<S, RequireRoleLayer>;
