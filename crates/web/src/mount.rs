//! A router of declared routes: each has one handler, and each handler has a declaration.

use axum::Router;
use axum::handler::Handler;
use axum::routing::MethodRouter;

use crate::Route;

type Mount<S> = dyn FnOnce(&'static Route, MethodRouter<S>) -> MethodRouter<S>;

/// What answers a declared route.
pub struct Endpoint<S>(Box<Mount<S>>);

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    /// A handler of axum's.
    pub fn new<T: 'static>(handler: impl Handler<T, S>) -> Self {
        Self(Box::new(|route, methods| methods.on(route.verb.filter(), handler)))
    }

    /// A handler that is made of the route it answers, to read what is declared of it.
    pub fn of_route<H: Handler<T, S>, T: 'static>(handler: impl FnOnce(&'static Route) -> H + 'static) -> Self {
        Self(Box::new(|route, methods| methods.on(route.verb.filter(), handler(route))))
    }
}

/// The handlers of the routes, by path, in the order of the routes. There is exactly one handler
/// for each route, in the same order:
///
/// ```compile_fail
/// use gatekit_web::{Endpoint, Route, mount};
///
/// const ROUTES: [Route; 2] = [Route::get("/a", "Says a."), Route::get("/b", "Says b.")];
///
/// // The handler of /b is missing.
/// let router: axum::Router = mount(&ROUTES, [Endpoint::new(async || "a")]);
/// ```
pub fn method_routers<S: Clone + Send + Sync + 'static, const N: usize>(
    routes: &'static [Route; N],
    endpoints: [Endpoint<S>; N],
) -> Vec<(&'static str, MethodRouter<S>)> {
    let mut mounted: Vec<(&'static str, MethodRouter<S>)> = Vec::new();
    for (route, Endpoint(mount)) in routes.iter().zip(endpoints) {
        match mounted.iter_mut().find(|(path, _)| *path == route.path) {
            Some((_, methods)) => *methods = mount(route, std::mem::take(methods)),
            None => mounted.push((route.path, mount(route, MethodRouter::new()))),
        }
    }
    mounted
}

/// The router of the routes, with one handler for each, in the same order.
///
/// ```
/// use axum::Router;
/// use gatekit_web::{Endpoint, Route, mount};
///
/// const ROUTES: [Route; 2] = [Route::get("/a", "Says a."), Route::post("/a", "Hears a.")];
///
/// let router: Router = mount(&ROUTES, [Endpoint::new(async || "a"), Endpoint::new(async |_: String| ())]);
/// ```
pub fn mount<S: Clone + Send + Sync + 'static, const N: usize>(
    routes: &'static [Route; N],
    endpoints: [Endpoint<S>; N],
) -> Router<S> {
    let mounted = method_routers(routes, endpoints).into_iter();
    mounted.fold(Router::new(), |router, (path, methods)| router.route(path, methods))
}
