//! A group of the app's own routes, for a caller that has a permission for the path.

use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use gatekit_core::{Account, PathLevel};
use gatekit_layer::{AuthRejection, Caller, Guard, GuardRefusal, GuardService};
use tower_layer::Layer;

use crate::cmwell::store_error;
use crate::level::{decide, level_of, report_denied};
use crate::{CmWell, PermissionService};

/// Lets only callers through who have a permission for the path they ask for. See
/// [`CmWell::permission_layer`].
pub struct PathPermissionLayer<U: Account> {
    cmwell: CmWell<U>,
    level: Option<PathLevel>,
}

impl<U: Account> Clone for PathPermissionLayer<U> {
    fn clone(&self) -> Self {
        Self { cmwell: self.cmwell.clone(), level: self.level }
    }
}

impl<U: Account> fmt::Debug for PathPermissionLayer<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PathPermissionLayer").field("level", &self.level).finish_non_exhaustive()
    }
}

impl<U: Account> CmWell<U> {
    /// For groups of the app's own routes: lets only those through whose permissions allow the
    /// path, which is the whole path of the request, wherever the routes are nested; see
    /// [`filter`](Self::filter) for paths that are changed or shortened on the way. The
    /// [`AuthLayer`](gatekit_layer::AuthLayer) must be mounted around it.
    ///
    /// Who has no valid token is judged by what
    /// [`PermissionHolder::Anonymous`](gatekit_core::PermissionHolder::Anonymous) has. Who may not
    /// is answered as by Gatekit's other layers: 401 for nobody, 403 for a known caller, 503 if it
    /// cannot be found out. [`filter`](Self::filter) has CM-Well's answers.
    ///
    /// ```
    /// # use axum::{Router, routing::get};
    /// # use gatekit_cmwell::{CmWell, SigningKey};
    /// # use gatekit_core::{Auth, MemoryStore, PathLevel};
    /// # use gatekit_layer::AuthLayer;
    /// # let store = MemoryStore::new();
    /// # let key = SigningKey::new("conformance-test-key-0123456789abcdef")?;
    /// # let cmwell = CmWell::builder(Auth::new(store.clone()), key).permissions(store).build()?;
    /// let reports = Router::new().route("/reports/{name}", get(|| async { "…" })).layer(cmwell.permission_layer());
    /// let exports = Router::new()
    ///     .route("/exports/{name}", get(|| async { "…" }))
    ///     // A GET that is as much as writing.
    ///     .layer(cmwell.permission_layer().level(PathLevel::Write));
    /// let auth = AuthLayer::new(cmwell.authenticator()).sources(cmwell.token_sources());
    /// let app: Router = reports.merge(exports).layer(auth);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If permissions are kept nowhere: it would let nobody in, and the app's author is to know at
    /// the first start.
    #[must_use]
    pub fn permission_layer(&self) -> PathPermissionLayer<U> {
        self.require_permissions("permission_layer");
        PathPermissionLayer { cmwell: self.clone(), level: None }
    }
}

impl<U: Account> PathPermissionLayer<U> {
    /// Asks for this level, whatever the method. Unless set, `GET`, `HEAD`, `OPTIONS` and `TRACE`
    /// read and every other method writes.
    #[must_use]
    pub fn level(mut self, level: PathLevel) -> Self {
        self.level = Some(level);
        self
    }

    async fn check(&self, parts: &mut Parts) -> Result<(), AuthRejection> {
        let caller = match Caller::<U>::from_request_parts(parts, &()).await {
            // A token that is confined to something else is nobody's here.
            Ok(Caller(caller)) if caller.has_scope(gatekit_core::TokenRecord::DEFAULT_SCOPE) => Ok(caller),
            Ok(_) => Err(AuthRejection::InsufficientScope),
            Err(rejection) if rejection.is_anonymous() => Err(rejection),
            Err(failure) => return Err(failure),
        };
        let id = caller.as_ref().ok().map(|caller| caller.principal.id());
        let permissions = self.cmwell.permissions_of(id.as_ref()).await;
        let permissions = permissions.map_err(|error| AuthRejection::Unavailable(store_error(error)))?;
        let level = self.level.unwrap_or_else(|| level_of(&parts.method));
        let decision = decide(&permissions, parts, level);
        if decision.allowed {
            return Ok(());
        }
        report_denied(self.cmwell.auth(), id.as_ref(), level, &decision, parts);
        Err(caller.err().unwrap_or(AuthRejection::Forbidden))
    }
}

impl<U: Account> Guard for PathPermissionLayer<U> {
    async fn admit(&self, parts: &mut Parts) -> Result<(), GuardRefusal> {
        Ok(self.check(parts).await?)
    }
}

impl<U: Account, S> Layer<S> for PathPermissionLayer<U> {
    type Service = PermissionService<S, U>;

    fn layer(&self, inner: S) -> PermissionService<S, U> {
        GuardService::new(inner, self.clone())
    }
}
