//! From which address does a request come?

use std::net::IpAddr;
#[cfg(feature = "connect-info")]
use std::net::SocketAddr;

#[cfg(feature = "connect-info")]
use axum::extract::connect_info::{ConnectInfo, MockConnectInfo};
use http::Extensions;

/// The caller's address, as a layer of the app's own says that knows it: behind a proxy the
/// connection's address is the proxy's.
///
/// Put it into the request's extensions. Take it from a header only if your proxy writes that
/// header and discards what clients send. It is shown to users in the list of their sessions, as a
/// network; nothing is decided by it.
///
/// ```
/// use gatekit_layer::ClientIp;
/// use http::Request;
///
/// fn behind_our_proxy<B>(mut request: Request<B>) -> Request<B> {
///     // Our proxy appends the address it sees; what is before it came from the client.
///     let chain = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
///     let ip = chain.and_then(|chain| chain.rsplit(',').next()?.trim().parse().ok());
///     if let Some(ip) = ip {
///         request.extensions_mut().insert(ClientIp(ip));
///     }
///     request
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl ClientIp {
    /// What the app says, or else the connection's address (with feature `connect-info`, where the
    /// app is served with `into_make_service_with_connect_info::<SocketAddr>()`).
    #[must_use]
    pub fn from_extensions(extensions: &Extensions) -> Option<Self> {
        let known = extensions.get::<Self>().copied();
        #[cfg(feature = "connect-info")]
        let known = known.or_else(|| {
            let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
            let peer = peer.or_else(|| extensions.get::<MockConnectInfo<SocketAddr>>().map(|peer| peer.0));
            peer.map(|peer| Self(peer.ip()))
        });
        known
    }
}
