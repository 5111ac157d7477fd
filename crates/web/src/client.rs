//! The client of a request: its browser, its address, its device.

use axum::http::header::{HeaderMap, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use gatekit_core::{Account, Auth, Client, Unavailable};
use gatekit_layer::{BrowserTransport, ClientIp};

/// The cookie that identifies a device, without its prefix.
const DEVICE: &str = "gatekit_device";
/// How long the cookie lasts, in seconds: a year.
const DEVICE_TTL: i64 = 365 * 24 * 60 * 60;
/// The longest value, in bytes, that counts as one of ours.
const MAX_BYTES: usize = 512;

/// The client of a request: `User-Agent`, the address ([`ClientIp`], or else axum's `ConnectInfo`),
/// and the device's cookie if `policy.mail.notify_unknown_device` is set. A login records it with
/// its token, and events name it.
///
/// ```
/// use axum::http::Request;
/// use gatekit_core::{Auth, MemoryStore};
///
/// let auth = Auth::new(MemoryStore::new());
/// let (parts, ()) = Request::builder().header("user-agent", "Mozilla/5.0").body(()).unwrap().into_parts();
/// assert_eq!(gatekit_web::client(&auth, &parts).user_agent.as_deref(), Some("Mozilla/5.0"));
/// ```
pub fn client<U: Account>(auth: &Auth<U>, parts: &Parts) -> Client {
    let mut client = Client::default();
    let user_agent = parts.headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    client.user_agent = user_agent;
    client.ip = ClientIp::from_extensions(&parts.extensions).map(|ClientIp(ip)| ip);
    if auth.policy().mail.notify_unknown_device
        && let Some(cookie) = device_cookie::<U>(parts)
    {
        let value = cookie.find(&parts.headers).filter(|value| !value.is_empty() && value.len() <= MAX_BYTES);
        client.device = value.map(|value| value.into_owned().into());
    }
    client
}

/// Identifies the browser of `client` by a cookie, if `policy.mail.notify_unknown_device` is set.
/// Returns the `Set-Cookie` header for the response; the cookie lasts a year from now. A device
/// that has a secret already keeps it.
///
/// # Errors
///
/// [`Unavailable::Random`].
pub fn remember_device<U: Account>(
    auth: &Auth<U>,
    parts: &Parts,
    client: &mut Client,
) -> Result<HeaderMap, Unavailable> {
    let mut headers = HeaderMap::new();
    let Some(cookie) = device_cookie::<U>(parts).filter(|_| auth.policy().mail.notify_unknown_device) else {
        return Ok(headers);
    };
    let known = client.device.as_ref().and_then(|secret| cookie.with_value(secret.expose(), Some(DEVICE_TTL)).ok());
    let value = match known {
        Some(value) => Some(value),
        None => {
            let secret = auth.new_device()?;
            let value = cookie.with_value(secret.expose(), Some(DEVICE_TTL)).ok();
            client.device = Some(secret);
            value
        }
    };
    if let Some(value) = value {
        headers.append(SET_COOKIE, value);
    }
    Ok(headers)
}

fn device_cookie<U: Account>(parts: &Parts) -> Option<gatekit_layer::TokenCookie> {
    BrowserTransport::of_user::<U>(&parts.extensions)?.companion(DEVICE).ok()
}
