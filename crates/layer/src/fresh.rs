//! Handlers and groups of routes for callers who have verified a factor a short time ago: step-up
//! authentication.
//!
//! Somebody else may sit at an open session. A handler that does what cannot be undone asks for a
//! verification of the last few minutes (ASVS 7.5.1, 7.5.3), and for two factors or a passkey where
//! one factor is too little. The rejection says what is missing (RFC 9470). The client verifies it,
//! for a password by `POST /step-up`, and comes back with the token it got for it.

use std::marker::PhantomData;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use gatekit_core::Strength;
use http::request::Parts;
use tower_layer::Layer;

use crate::context::{AnyUser, Context, Knowing, knowing};
use crate::extract::optional;
use crate::guard::{Guard, GuardService};
use crate::{AuthRejection, GuardRefusal, StepUpRequired};

/// The caller has verified a factor for its token within the last `SECS` seconds. Otherwise the
/// handler is not run: 401 with code `STEP_UP_REQUIRED` for a caller who is known, and the response
/// of [`AuthUser`](crate::AuthUser) for an anonymous one.
///
/// A login verifies a password, and so does a step-up. A token that the app issued by itself has
/// what [`IssueToken::proofs`](gatekit_core::IssueToken::proofs) was told, which is nothing unless
/// set. A token that is not stored, such as a JWT, has nothing: Gatekit has not seen the factor.
///
/// ```
/// use gatekit_layer::{AuthUser, Fresh, TwoFactors};
///
/// async fn close_account(_: Fresh<300>, AuthUser(user): AuthUser) -> String {
///     format!("Good bye, {}", user.id)
/// }
///
/// // Two independent factors, both within five minutes, such as a password and a TOTP.
/// async fn pay_out(_: Fresh<300, TwoFactors>, AuthUser(user): AuthUser) -> String {
///     format!("Paid to {}", user.id)
/// }
///
/// // `None` for a caller that has to verify a factor again, and for an anonymous one. A store that fails is an
/// // error, never `None`.
/// async fn settings(AuthUser(user): AuthUser, fresh: Option<Fresh<300>>) -> String {
///     format!("{} {}", user.id, if fresh.is_some() { "<a href=/close>" } else { "<a href=/confirm-password>" })
/// }
/// ```
///
/// The time is that of the authenticator
/// ([`Authenticator::now`](gatekit_core::Authenticator::now)). `Fresh` needs no user type. Where
/// layers for several user types are stacked, name the one that is meant:
/// `Fresh<300, OneFactor, Member>`.
#[derive(Clone, Copy, Debug)]
pub struct Fresh<const SECS: u32, R = OneFactor, U = AnyUser>(PhantomData<fn() -> (R, U)>);

/// A strength as a type, so that a handler can name it in its signature. See [`Fresh`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a strength",
    label = "`Fresh` takes `OneFactor`, `TwoFactors` or `PhishingResistant`, and after it the user type"
)]
pub trait RequiredStrength: 'static {
    /// How strong the verified factors must be together.
    const STRENGTH: Strength;
}

/// [`Strength::OneFactor`] as a type. See [`Fresh`].
#[derive(Clone, Copy, Debug)]
pub enum OneFactor {}

/// [`Strength::TwoFactors`] as a type. See [`Fresh`].
#[derive(Clone, Copy, Debug)]
pub enum TwoFactors {}

/// [`Strength::PhishingResistant`] as a type. See [`Fresh`].
#[derive(Clone, Copy, Debug)]
pub enum PhishingResistant {}

impl RequiredStrength for OneFactor {
    const STRENGTH: Strength = Strength::OneFactor;
}

impl RequiredStrength for TwoFactors {
    const STRENGTH: Strength = Strength::TwoFactors;
}

impl RequiredStrength for PhishingResistant {
    const STRENGTH: Strength = Strength::PhishingResistant;
}

impl<S, const SECS: u32, R, U> FromRequestParts<S> for Fresh<SECS, R, U>
where
    S: Sync,
    R: RequiredStrength,
    U: Clone + Send + Sync + 'static,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        require_fresh(Context::knowing::<U>(parts).await?, SECS, R::STRENGTH)?;
        Ok(Self(PhantomData))
    }
}

impl<S, const SECS: u32, R, U> OptionalFromRequestParts<S> for Fresh<SECS, R, U>
where
    S: Sync,
    R: RequiredStrength,
    U: Clone + Send + Sync + 'static,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthRejection> {
        match optional(<Self as FromRequestParts<S>>::from_request_parts(parts, state).await) {
            Err(AuthRejection::StepUpRequired(_)) => Ok(None),
            extracted => extracted,
        }
    }
}

fn require_fresh(context: &Context, max_age: u32, strength: Strength) -> Result<(), AuthRejection> {
    let now = context.now();
    let token = context.admitted()?.token();
    let present = token.and_then(|token| token.proofs.strength_within(now, max_age.into()));
    if present >= Some(strength) {
        Ok(())
    } else {
        Err(AuthRejection::StepUpRequired(StepUpRequired { max_age, strength, present }))
    }
}

/// Lets only callers through who have verified a factor a short time ago: for groups of routes.
///
/// It goes inside an [`AuthLayer`](crate::AuthLayer) or
/// [`RequireAuthLayer`](crate::RequireAuthLayer), and responds as [`Fresh`] does.
///
/// ```
/// use axum::{Router, routing::post};
/// use gatekit_core::{Auth, MemoryStore, Strength};
/// use gatekit_layer::{AuthLayer, RequireFreshLayer};
///
/// let auth = Auth::new(MemoryStore::new());
/// let keys: Router = Router::new().route("/keys", post(|| async { "A new key" })).layer(RequireFreshLayer::new(300));
/// let strong = RequireFreshLayer::new(300).strength(Strength::TwoFactors);
/// let payouts: Router = Router::new().route("/payouts", post(|| async { "Paid" })).layer(strong);
/// let app: Router = keys.merge(payouts).layer(AuthLayer::new(auth));
/// ```
#[derive(Clone, Debug)]
pub struct RequireFreshLayer {
    seconds: u32,
    strength: Strength,
    knowing: Knowing,
}

impl RequireFreshLayer {
    /// For callers who have verified a factor within this many seconds; with 0 for no caller.
    #[must_use]
    pub fn new(seconds: u32) -> Self {
        Self { seconds, strength: Strength::OneFactor, knowing: knowing::<AnyUser> }
    }

    /// How strong the factors of that time must be together. [`Strength::OneFactor`] unless set.
    #[must_use]
    pub fn strength(mut self, strength: Strength) -> Self {
        self.strength = strength;
        self
    }

    /// Looks at the token of the caller of this type. Needed only where layers for several user
    /// types are stacked.
    #[must_use]
    pub fn of<U: Clone + Send + Sync + 'static>(mut self) -> Self {
        self.knowing = knowing::<U>;
        self
    }
}

impl Guard for RequireFreshLayer {
    async fn admit(&self, parts: &mut Parts) -> Result<(), GuardRefusal> {
        Ok(require_fresh((self.knowing)(parts).await?, self.seconds, self.strength)?)
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
