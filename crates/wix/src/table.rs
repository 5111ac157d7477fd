//! All declared routes of this crate, for whoever lists, checks or documents them.

use gatekit_web::Route;

use crate::{iam, routes};

/// The routes of [`WixMembers::router`](crate::WixMembers::router) and of
/// [`WixMembers::iam_router`](crate::WixMembers::iam_router), as data, by the name of the method.
///
/// ```
/// let [(name, routes), _] = gatekit_wix::route_table();
/// assert_eq!((name, routes[0].to_string().as_str()), ("router", "POST /login"));
/// ```
#[must_use]
pub fn route_table() -> [(&'static str, &'static [Route]); 2] {
    [("router", &routes::ROUTES), ("iam_router", &iam::endpoints::ROUTES)]
}
