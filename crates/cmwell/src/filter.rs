//! A whole app behind path permissions, with CM-Well's answers.

use std::fmt;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, Response, StatusCode};
use gatekit_core::{Account, PathLevel, Unavailable, UserId};
use gatekit_layer::{
    AuthLayer, AuthRejection, AuthService, AuthUser, Guard, GuardRefusal, GuardService, PresentedToken,
};
use gatekit_web::form_pairs;
use tower_layer::Layer;

use crate::cmwell::NotTheirs;
use crate::errors::{failure, retry_later, status_of, text};
use crate::level::{decide, is_at, is_safe, level_of, report_denied};
use crate::{CmWell, CmWellToken};

/// The paths that everybody may ask for: they check themselves.
const OPEN: [&str; 2] = ["/_login", "/_auth"];

/// Judges every request by the permissions for its path. See [`CmWell::filter`].
pub struct FilterLayer<U: Account> {
    guard: Filter<U>,
    auth: AuthLayer,
}

/// What is judged, and how.
pub struct Filter<U: Account> {
    cmwell: CmWell<U>,
    read_operations: Arc<[String]>,
}

impl<U: Account> Clone for Filter<U> {
    fn clone(&self) -> Self {
        Self { cmwell: self.cmwell.clone(), read_operations: Arc::clone(&self.read_operations) }
    }
}

impl<U: Account> Clone for FilterLayer<U> {
    fn clone(&self) -> Self {
        Self { guard: self.guard.clone(), auth: self.auth.clone() }
    }
}

impl<U: Account> fmt::Debug for FilterLayer<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilterLayer").field("read_operations", &self.guard.read_operations).finish_non_exhaustive()
    }
}

impl<U: Account> fmt::Debug for Filter<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

/// Who asks.
enum Who {
    Anonymous,
    User(UserId),
}

/// Why a request may not go on.
enum Refused {
    /// 403, with CM-Well's words.
    Forbidden(String),
    /// 503
    Unavailable(Unavailable),
    /// What the layer says: a cookie from another origin, a layer that is not mounted.
    Other(AuthRejection),
}

impl<U: Account> CmWell<U> {
    /// For a whole app: every request is judged by the permissions for its path, as with CM-Well's
    /// `use.authorization`. Only `/_login` and `/_auth`, which check themselves, are open to
    /// everybody.
    ///
    /// | token | answer |
    /// | --- | --- |
    /// | none, of another form, or confined to a scope | judged by what [`PermissionHolder::Anonymous`](gatekit_core::PermissionHolder::Anonymous) has; or else 403 `Not authorized, please login first` |
    /// | bad signature, expired, or of an old `rev` | 403 `given token is not valid (not signed or expired)`, also where everybody may read |
    /// | of a user who is gone | 403 `Username X was not found in CM-Well` |
    /// | of a user without the permission | 403 `Authenticated but not authorized` |
    ///
    /// The body is text for `GET`, `HEAD`, `OPTIONS` and `TRACE`, and
    /// `{"success":false,"message":"…"}` for any other method. If a store fails it is 503.
    ///
    /// `GET`, `HEAD`, `OPTIONS` and `TRACE` read, and **every other method writes**. In CM-Well
    /// `PATCH` reads, and so does a `POST` with `op=search`: for the latter see
    /// [`FilterLayer::read_operations`].
    ///
    /// It holds the [`AuthLayer`] with [`token_sources`](Self::token_sources), so that extractors
    /// such as `AuthUser` work inside of it: mount it in place of one, not beside it. The path is
    /// the whole one, as the client has sent it. Behind
    /// [`rewrite_paths`](gatekit_web::rewrite_paths) it is the canonical path.
    ///
    /// If the service inside sees another path, that path is judged too:
    ///
    /// - A layer has changed or shortened it: it must be allowed as well.
    /// - `nest` has cut off its beginning: an entry that keeps out counts for the rest as well.
    ///   With `- /meta/auth`, `/open/meta/auth/users/x` is refused where the filter is in a router
    ///   that is nested at `/open`. An entry that lets in is needed only for the whole path.
    ///
    /// ```
    /// # use axum::{Router, routing::get};
    /// # use gatekit_cmwell::{CmWell, SigningKey};
    /// # use gatekit_core::{Auth, MemoryStore};
    /// # let store = MemoryStore::new();
    /// # let key = SigningKey::new("conformance-test-key-0123456789abcdef")?;
    /// # let cmwell = CmWell::builder(Auth::new(store.clone()), key).permissions(store).build()?;
    /// let app: Router = Router::new()
    ///     .route("/reports/{name}", get(|| async { "…" }))
    ///     .merge(cmwell.router())
    ///     .layer(cmwell.filter());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If permissions are kept nowhere: it would let nobody in, and the app's author is to know at
    /// the first start.
    #[must_use]
    pub fn filter(&self) -> FilterLayer<U> {
        self.require_permissions("filter");
        FilterLayer {
            guard: Filter { cmwell: self.clone(), read_operations: Arc::default() },
            auth: AuthLayer::new(self.authenticator()).sources(self.token_sources()),
        }
    }
}

impl<U: Account> FilterLayer<U> {
    /// Takes a `POST` with one of these in its query, as `?op=search`, for reading. CM-Well has
    /// `search` and `create-consumer`. Name only what your app answers without changing anything: a
    /// route that does not look at `op` writes whatever it says.
    #[must_use]
    pub fn read_operations<O: Into<String>>(mut self, operations: impl IntoIterator<Item = O>) -> Self {
        self.guard.read_operations = operations.into_iter().map(Into::into).collect();
        self
    }

    /// With this layer inside, in place of one with the sources of [`CmWell::token_sources`]: for
    /// trusted origins, where tokens come in cookies.
    #[must_use]
    pub fn auth_layer(mut self, layer: AuthLayer) -> Self {
        self.auth = layer;
        self
    }
}

impl<U: Account> Filter<U> {
    async fn check(&self, parts: &mut Parts) -> Result<(), Refused> {
        if OPEN.iter().any(|open| is_at(parts, open)) {
            return Ok(());
        }
        let who = self.who(parts).await?;
        let id = match &who {
            Who::Anonymous => None,
            Who::User(id) => Some(id),
        };
        let permissions = self.cmwell.permissions_of(id).await.map_err(Refused::Unavailable)?;
        let level = self.level(parts);
        let decision = decide(&permissions, parts, level);
        if decision.allowed {
            return Ok(());
        }
        report_denied(self.cmwell.auth(), id, level, &decision, parts);
        Err(Refused::Forbidden(match who {
            Who::Anonymous => "Not authorized, please login first".to_owned(),
            Who::User(_) => "Authenticated but not authorized".to_owned(),
        }))
    }

    async fn who(&self, parts: &mut Parts) -> Result<Who, Refused> {
        let rejection = match AuthUser::<U>::from_request_parts(parts, &()).await {
            Ok(AuthUser(user)) => return Ok(Who::User(user.id())),
            Err(rejection) => rejection,
        };
        match rejection {
            // A token that is confined to something else is nobody's here.
            AuthRejection::Missing | AuthRejection::InsufficientScope => Ok(Who::Anonymous),
            AuthRejection::Expired => Err(not_valid()),
            AuthRejection::Invalid => self.why_invalid(parts).await,
            AuthRejection::Unavailable(error) => Err(Refused::Unavailable(error.into())),
            other => Err(Refused::Other(other)),
        }
    }

    /// The layer says only that a token is nobody's; CM-Well says why.
    async fn why_invalid(&self, parts: &mut Parts) -> Result<Who, Refused> {
        let presented = PresentedToken::from_request_parts(parts, &()).await;
        // A header that is no text is no token either.
        let Ok(PresentedToken(token)) = presented else { return Ok(Who::Anonymous) };
        if !CmWellToken::is_well_formed(token.expose()) {
            return Ok(Who::Anonymous);
        }
        // Asks the store only about a token that we have signed.
        match self.cmwell.owner_of(token.expose()).await {
            Err(NotTheirs::Unknown(name)) => {
                Err(Refused::Forbidden(format!("Username {name} was not found in CM-Well")))
            }
            Err(NotTheirs::Unavailable(error)) => Err(Refused::Unavailable(error.into())),
            // Also one that has become good in between.
            _ => Err(not_valid()),
        }
    }

    fn level(&self, parts: &Parts) -> PathLevel {
        if parts.method == Method::POST && !self.read_operations.is_empty() {
            let query = parts.uri.query().unwrap_or_default();
            let pairs: Option<Vec<_>> = form_pairs(query.as_bytes()).collect();
            let mut operations = pairs.unwrap_or_default().into_iter().filter(|(name, _)| name == "op");
            // Named once, so that nobody behind this reads another one.
            if let (Some((_, operation)), None) = (operations.next(), operations.next())
                && self.read_operations.contains(&operation)
            {
                return PathLevel::Read;
            }
        }
        level_of(&parts.method)
    }
}

fn not_valid() -> Refused {
    Refused::Forbidden("given token is not valid (not signed or expired)".to_owned())
}

impl<U: Account> Guard for Filter<U> {
    async fn admit(&self, parts: &mut Parts) -> Result<(), GuardRefusal> {
        let Err(refused) = self.check(parts).await else { return Ok(()) };
        let said = |status, message: String| -> Response<Bytes> {
            if is_safe(&parts.method) { text(status, message) } else { failure(status, &message) }
        };
        Err(match refused {
            Refused::Forbidden(message) => said(StatusCode::FORBIDDEN, message).into(),
            Refused::Unavailable(error) => {
                let (status, text) = status_of(&error);
                retry_later(said(status, text.to_owned()), &error, "a request").into()
            }
            Refused::Other(rejection) => rejection.into(),
        })
    }
}

impl<U: Account, S> Layer<S> for FilterLayer<U> {
    type Service = FilterService<S, U>;

    fn layer(&self, inner: S) -> FilterService<S, U> {
        self.auth.layer(GuardService::new(inner, self.guard.clone()))
    }
}

/// The service of [`FilterLayer`].
pub type FilterService<S, U> = AuthService<GuardService<S, Filter<U>>>;
