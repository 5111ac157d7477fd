//! The cross-origin check of the layer, for routes that need it without a cookie.

use http::request::Parts;

use crate::context::{innermost_settings, settings_of};
use crate::cross_origin::CrossOrigin;
use crate::settings::Settings;
use crate::{AuthRejection, ClientIp};

/// Refuses an unsafe request that a page of another origin has sent, whether or not it brings a
/// cookie: for routes that log somebody in, where a page of another site could log its visitors
/// in as somebody else (login CSRF), and for a WebSocket that knows its caller by other means than
/// the layer (ASVS 4.4.2).
///
/// It is the check that the [`AuthLayer`](crate::AuthLayer) makes of cookies, with its trusted
/// origins. `GET`, `HEAD` and `OPTIONS` pass unless they ask for a WebSocket. A request from no
/// page at all, which has neither `Sec-Fetch-Site` nor `Origin`, passes too.
///
/// ```
/// use gatekit_layer::{AuthRejection, refuse_cross_origin};
/// use http::request::Parts;
///
/// fn check(parts: &Parts) -> Result<(), AuthRejection> {
///     refuse_cross_origin(parts)
/// }
/// ```
///
/// # Errors
///
/// [`AuthRejection::CrossOrigin`]. Where no layer is mounted no origin but the app's own is
/// trusted.
pub fn refuse_cross_origin(parts: &Parts) -> Result<(), AuthRejection> {
    refuse(parts, innermost_settings(&parts.extensions))
}

/// [`refuse_cross_origin`] by the trusted origins of the layer whose users are `U`s, where layers
/// for several types are stacked: an origin that is trusted with one kind of account is not trusted
/// with another.
///
/// # Errors
///
/// [`AuthRejection::CrossOrigin`]. Where no such layer is mounted no origin but the app's own is
/// trusted.
pub fn refuse_cross_origin_of<U: 'static>(parts: &Parts) -> Result<(), AuthRejection> {
    refuse(parts, settings_of::<U>(&parts.extensions))
}

fn refuse(parts: &Parts, settings: Option<&Settings>) -> Result<(), AuthRejection> {
    let none = CrossOrigin::default();
    let check = settings.map_or(&none, |settings| &settings.cross_origin);
    if !check.refuses(&parts.method, &parts.uri, &parts.headers) {
        return Ok(());
    }
    let ip = ClientIp::from_extensions(&parts.extensions).map(|ClientIp(ip)| ip);
    Err(settings.map_or(AuthRejection::CrossOrigin, |settings| settings.report_cross_origin(&parts.headers, ip)))
}
