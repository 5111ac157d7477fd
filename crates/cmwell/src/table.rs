//! All declared routes of this crate, for whoever lists, checks or documents them.

use gatekit_web::Route;

use crate::{auth_operations, login};

/// The routes of [`CmWell::login_router`](crate::CmWell::login_router) and of
/// [`CmWell::auth_router`](crate::CmWell::auth_router), as data, by the name of the method. The GET
/// of `/_auth` is there with [`Legacy::get_operations`](crate::Legacy::get_operations) alone.
///
/// ```
/// let [(name, routes), _] = gatekit_cmwell::route_table();
/// assert_eq!((name, routes[0].to_string().as_str()), ("login_router", "GET /_login"));
/// ```
#[must_use]
pub fn route_table() -> [(&'static str, &'static [Route]); 2] {
    [("login_router", &login::ROUTES), ("auth_router", &auth_operations::LEGACY_ROUTES)]
}
