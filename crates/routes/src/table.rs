//! All declared routes of this crate, for whoever lists, checks or documents them.

use gatekit_core::User;
use gatekit_web::{Route, RouteResponse};

use crate::features;

/// Responses that every route may give; their declarations do not repeat them.
pub const COMMON_RESPONSES: &[RouteResponse] = &crate::declared::COMMON;

/// Routes that one builder mounts together.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RouteGroup {
    /// The name of the builder: `verify_email`. A builder may mount several groups.
    pub builder: &'static str,
    /// The routes.
    pub routes: &'static [Route],
    /// Whether LoopBack has them, so that [`loopback`](crate::loopback) mounts them too.
    pub is_loopback: bool,
}

/// What this crate can mount, as data. `GET /confirm` is declared as it is unless
/// `policy.email.confirm_by_get` is set.
///
/// ```
/// let routes = gatekit_routes::route_table();
/// let login = routes.iter().find(|group| group.builder == "login").map(|group| group.routes[0]);
/// assert_eq!(login.map(|route| route.to_string()).as_deref(), Some("POST /login"));
/// ```
#[must_use]
pub fn route_table() -> Vec<RouteGroup> {
    let groups = features::<User>(false).into_iter();
    groups
        .map(|feature| RouteGroup {
            builder: feature.builder,
            routes: feature.routes,
            is_loopback: feature.is_loopback,
        })
        .collect()
}
