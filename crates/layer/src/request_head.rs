//! The part of a request's head in which a token can be.

use std::net::IpAddr;

use http::{HeaderMap, Method, Uri};

#[cfg(feature = "tower-sessions")]
use crate::AuthRejection;

/// The part of a request's head that says where a token is and whether it may be there.
pub(crate) struct RequestHead<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    /// The client's address, if it is known.
    pub(crate) ip: Option<IpAddr>,
    /// Where a layer looks for one: the session, or why there is none.
    #[cfg(feature = "tower-sessions")]
    pub(crate) session: Option<Result<tower_sessions_core::Session, AuthRejection>>,
}
