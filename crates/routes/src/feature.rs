//! A feature: the declared routes of one builder, with their handlers.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use gatekit_core::{Account, Auth, Need};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Endpoint, Route, missing_need, mount};

use crate::UserApi;
use crate::call::Call;

/// Routes that are mounted together.
pub(crate) struct Feature<U: Account> {
    /// The name of the builder that mounts it.
    pub(crate) builder: &'static str,
    pub(crate) routes: &'static [Route],
    /// Whether LoopBack has these routes.
    pub(crate) is_loopback: bool,
    router: Router<UserApi<U>>,
    on_mount: fn(&Auth<U>),
}

impl<U: Account> Feature<U> {
    /// LoopBack's routes, with one handler for each, in the same order.
    pub(crate) fn new<const N: usize>(
        builder: &'static str,
        routes: &'static [Route; N],
        endpoints: [Endpoint<UserApi<U>>; N],
    ) -> Self {
        Self { builder, routes, is_loopback: true, router: mount(routes, endpoints), on_mount: |_| {} }
    }

    /// LoopBack does not have these routes.
    pub(crate) fn addition(mut self) -> Self {
        self.is_loopback = false;
        self
    }

    /// Tells the accounts that these routes are there.
    pub(crate) fn on_mount(mut self, tell: fn(&Auth<U>)) -> Self {
        self.on_mount = tell;
        self
    }

    /// The first thing that the routes need and the stores cannot do.
    pub(crate) fn missing(&self, auth: &Auth<U>) -> Option<Need> {
        missing_need(auth, self.routes)
    }

    pub(crate) fn router(self, api: &UserApi<U>) -> Router<UserApi<U>> {
        (self.on_mount)(&api.auth);
        self.router
    }

    /// The routes of a builder that an app mounts by itself.
    ///
    /// # Panics
    ///
    /// If the stores cannot carry them. The message names what is missing: better at the first
    /// start than a 500 later.
    #[expect(clippy::panic, reason = "the app's author meets it at the first start, and never again")]
    pub(crate) fn alone<S>(self, api: impl Into<UserApi<U>>) -> Router<S> {
        let api = api.into();
        if let Some(need) = self.missing(&api.auth) {
            panic!("routes::{} needs {need}, or leave this route out", self.builder);
        }
        self.router(&api).with_state(api)
    }
}

/// A route whose handler is called with a [`Call`]: token and body are read, as the route declares.
pub(crate) fn call<U, R, F, Fut>(handler: F) -> Endpoint<UserApi<U>>
where
    U: Account,
    R: IntoResponse + 'static,
    F: Fn(Call<U>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<R, ErrorResponse>> + Send + 'static,
{
    Endpoint::of_route(|route| {
        async move |State(api): State<UserApi<U>>, request: Request| {
            handler(Call::begin(api, route, request).await?).await
        }
    })
}

/// A route whose handler does something before there is a [`Call`].
pub(crate) fn raw<U, R, F, Fut>(handler: F) -> Endpoint<UserApi<U>>
where
    U: Account,
    R: IntoResponse + 'static,
    F: Fn(UserApi<U>, &'static Route, Request) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<R, ErrorResponse>> + Send + 'static,
{
    Endpoint::of_route(|route| {
        async move |State(api): State<UserApi<U>>, request: Request| handler(api, route, request).await
    })
}
