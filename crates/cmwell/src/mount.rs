//! Mounts declared routes whose responses no cache may keep.

use axum::Router;
use axum::middleware::map_response;
use gatekit_core::Account;
use gatekit_web::{Endpoint, Route, method_routers};

use crate::CmWell;
use crate::errors::unkept;

/// The routes, with one handler for each. The 405 for another method is not kept either.
pub(crate) fn mount_unkept<U: Account, const N: usize>(
    routes: &'static [Route; N],
    endpoints: [Endpoint<CmWell<U>>; N],
) -> Router<CmWell<U>> {
    let paths = method_routers(routes, endpoints).into_iter();
    paths.fold(Router::new(), |router, (path, methods)| router.route(path, methods.layer(map_response(unkept))))
}
