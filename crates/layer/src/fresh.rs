//! Handlers and groups of routes for callers who have proven a password a short time ago: step-up
//! authentication.
//!
//! Who is signed in need not be who sits there now. What cannot be undone asks for the password
//! again (ASVS 7.5.1, 7.5.3): the caller is told so (RFC 9470), proves it at `POST /step-up`, and
//! comes back with the token it got for it.

use std::marker::PhantomData;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use gatekit_core::TokenRecord;
use http::request::Parts;
use tower_layer::Layer;

use crate::context::{AnyUser, Context, Knowing, knowing};
use crate::extract::optional;
use crate::guard::{Guard, GuardService};
use crate::{AuthRejection, GuardRefusal};

/// The caller has proven a password for its token within the last `SECS` seconds. Otherwise the
/// handler is not run: 401 with code `STEP_UP_REQUIRED` for a caller who is known, and for nobody
/// as with [`AuthUser`](crate::AuthUser).
///
/// A login proves a password, and so does a step-up. A token that the app issued by itself proves
/// none, nor does one that is not stored, such as a JWT: whatever it says, nobody here has seen the
/// password.
///
/// ```
/// use gatekit_layer::{AuthUser, Fresh};
///
/// async fn close_account(_: Fresh<300>, AuthUser(user): AuthUser) -> String {
///     format!("Good bye, {}", user.id)
/// }
///
/// // `None` for a caller that has to prove it anew, and for nobody. A store that fails is an error, never `None`.
/// async fn settings(AuthUser(user): AuthUser, fresh: Option<Fresh<300>>) -> String {
///     format!("{} {}", user.id, if fresh.is_some() { "<a href=/close>" } else { "<a href=/confirm-password>" })
/// }
/// ```
///
/// The time is that of the authenticator
/// ([`Authenticator::now`](gatekit_core::Authenticator::now)). `Fresh` needs no user type. Where
/// layers for several user types are stacked, name the one that is meant: `Fresh<300, Member>`.
#[derive(Clone, Copy, Debug)]
pub struct Fresh<const SECS: u32, U = AnyUser>(PhantomData<fn() -> U>);

impl<S: Sync, const SECS: u32, U: Clone + Send + Sync + 'static> FromRequestParts<S> for Fresh<SECS, U> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        require_fresh(Context::knowing::<U>(parts).await?, SECS)?;
        Ok(Self(PhantomData))
    }
}

impl<S: Sync, const SECS: u32, U: Clone + Send + Sync + 'static> OptionalFromRequestParts<S> for Fresh<SECS, U> {
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthRejection> {
        match optional(<Self as FromRequestParts<S>>::from_request_parts(parts, state).await) {
            Err(AuthRejection::StepUpRequired { .. }) => Ok(None),
            extracted => extracted,
        }
    }
}

fn require_fresh(context: &Context, seconds: u32) -> Result<(), AuthRejection> {
    let now = context.now();
    let is_fresh = |token: &TokenRecord| token.is_fresh(now, seconds.into());
    if context.admitted()?.token().is_some_and(is_fresh) {
        Ok(())
    } else {
        Err(AuthRejection::StepUpRequired { max_age: seconds })
    }
}

/// Lets only callers through who have proven a password a short time ago: for groups of routes.
///
/// It goes inside an [`AuthLayer`](crate::AuthLayer) or
/// [`RequireAuthLayer`](crate::RequireAuthLayer), and answers as [`Fresh`] does.
///
/// ```
/// use axum::{Router, routing::post};
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_layer::{AuthLayer, RequireFreshLayer};
///
/// let auth = Auth::new(MemoryStore::new());
/// let keys: Router = Router::new().route("/keys", post(|| async { "A new key" })).layer(RequireFreshLayer::new(300));
/// let app: Router = keys.layer(AuthLayer::new(auth));
/// ```
#[derive(Clone, Debug)]
pub struct RequireFreshLayer {
    seconds: u32,
    knowing: Knowing,
}

impl RequireFreshLayer {
    /// For callers who have proven a password within this many seconds; if they are none, for
    /// nobody.
    #[must_use]
    pub fn new(seconds: u32) -> Self {
        Self { seconds, knowing: knowing::<AnyUser> }
    }

    /// Asks about the token of the caller of this type. Needed only where layers for several user
    /// types are stacked.
    #[must_use]
    pub fn of<U: Clone + Send + Sync + 'static>(mut self) -> Self {
        self.knowing = knowing::<U>;
        self
    }
}

impl Guard for RequireFreshLayer {
    async fn admit(&self, parts: &mut Parts) -> Result<(), GuardRefusal> {
        Ok(require_fresh((self.knowing)(parts).await?, self.seconds)?)
    }
}

impl<S> Layer<S> for RequireFreshLayer {
    type Service = RequireFreshService<S>;

    fn layer(&self, inner: S) -> RequireFreshService<S> {
        GuardService::new(inner, self.clone())
    }
}

/// The service of [`RequireFreshLayer`].
pub type RequireFreshService<S> = GuardService<S, RequireFreshLayer>;
