//! The keys of a JWK set that is published at a URL: when they are fetched, and how long they are
//! used.
//!
//! 1. A set that is fresh and knows the key is used as it is.
//! 2. A fresh set that does not know the key is fetched again, at most once in 60 seconds: issuers
//!    publish new keys before they sign with them, so this is rare, and strangers can make it
//!    happen (RFC 8725 §3.10).
//! 3. A set that is not fresh any more is fetched again. The request waits for it, unless the last
//!    attempt failed: then the old set is used and the attempt is made beside it.
//! 4. While attempts fail the old set is used for the keys it knows, for 24 hours.
//! 5. Without a set, or with an old one that does not know the key, there is no answer: an error,
//!    and not "invalid".
//!
//! A fetch is a task of its own. A client that hangs up while it waits does not stop it for the
//! others.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use gatekit_core::{Clock, StoreError, Timestamp};
use http::header::{ACCEPT, AGE, CACHE_CONTROL};
use http::{HeaderMap, StatusCode};
use reqwest::{Client, Url};

use super::algorithm::Algorithm;
use super::error::JwtConfigError;
use super::jwks::{Jwks, MAX_TEXT, Origin};
use super::keys::Key;
use super::token::Token;

/// For connecting, the head and the body together.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Seconds a set is fresh: by default, at least, at most.
const MAX_AGE: i64 = 60 * 60;
const MIN_MAX_AGE: i64 = 60;
const MAX_MAX_AGE: i64 = 24 * 60 * 60;
/// Seconds a set is used after that, if there is no new one.
const MAX_STALE: i64 = 24 * 60 * 60;
/// Seconds between the starts of two fetches, with and without a set to use meanwhile.
const DISTANCE: i64 = 60;
const DISTANCE_WITHOUT_KEYS: i64 = 1;

/// The keys of one URL.
#[derive(Clone)]
pub(crate) struct RemoteKeys(Arc<Remote>);

struct Remote {
    url: Url,
    origin: Origin,
    client: Client,
    clock: Arc<dyn Clock>,
    cache: RwLock<Cache>,
    /// Held by the request that fetches the keys; the others wait for it.
    fetching: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Cache {
    set: Option<Set>,
    last_start: Option<Timestamp>,
    /// Why the last attempt failed, if it did.
    failure: Option<String>,
}

#[derive(Clone)]
struct Set {
    keys: Arc<[Key]>,
    fetched: Timestamp,
    fresh_until: Timestamp,
}

impl RemoteKeys {
    pub(crate) fn new(url: &str, origin: Origin, clock: Arc<dyn Clock>) -> Result<Self, JwtConfigError> {
        let url = Url::parse(url).map_err(|_| JwtConfigError::JwksUrl)?;
        let safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
        if !safe || !url.username().is_empty() || url.password().is_some() {
            return Err(JwtConfigError::JwksUrl);
        }
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("gatekit/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| JwtConfigError::Tls(chain(&error)))?;
        let (cache, fetching) = (RwLock::default(), Arc::default());
        Ok(Self(Arc::new(Remote { url, origin, client, clock, cache, fetching })))
    }

    /// True if a key for `algorithm` can be among them. If not, a token is no reason to fetch.
    pub(crate) fn serves(&self, algorithm: Algorithm) -> bool {
        self.0.origin.has(algorithm)
    }

    /// The keys to try `token` with.
    pub(crate) async fn keys_for(&self, token: &Token<'_>) -> Result<Arc<[Key]>, StoreError> {
        let knows = |set: &Set| set.keys.iter().any(|key| key.is_for(token));
        match self.look() {
            (Some((set, true)), _) if knows(&set) => return Ok(set.keys), // 1
            (Some((_, false)), true) => drop(self.fetch_if_due()),        // 3, beside
            _ => match self.fetch_if_due() {
                // 2, 3. A task that panicked or was stopped with its runtime has changed nothing.
                Some(fetch) => drop(fetch.await),
                None => drop(self.0.fetching.lock().await),
            },
        }
        match self.look() {
            (Some((set, _)), failing) if !failing || knows(&set) => Ok(set.keys), // 4
            _ => Err(self.unavailable()),                                         // 5
        }
    }

    /// The set that may be used now, with whether it is fresh; and whether the last attempt to
    /// fetch failed.
    fn look(&self) -> (Option<(Set, bool)>, bool) {
        let cache = self.0.cache.read().unwrap_or_else(PoisonError::into_inner);
        let now = self.0.clock.now();
        let usable = cache.set.as_ref().filter(|set| now < set.fresh_until.plus_seconds(MAX_STALE));
        // A clock that was set back makes a set look as if it came from the future: better to fetch
        // it again.
        let fresh = |set: &Set| (set.fetched..set.fresh_until).contains(&now);
        (usable.map(|set| (set.clone(), fresh(set))), cache.failure.is_some())
    }

    /// Starts to fetch, unless somebody does already or did just now.
    fn fetch_if_due(&self) -> Option<tokio::task::JoinHandle<()>> {
        let only_one = self.0.fetching.clone().try_lock_owned().ok()?;
        let now = self.0.clock.now();
        let distance = if self.look().0.is_some() { DISTANCE } else { DISTANCE_WITHOUT_KEYS };
        {
            let mut cache = self.0.cache.write().unwrap_or_else(PoisonError::into_inner);
            let too_early = |start: Timestamp| (start..start.plus_seconds(distance)).contains(&now);
            if cache.last_start.is_some_and(too_early) {
                return None;
            }
            cache.last_start = Some(now);
        }
        let remote = self.0.clone();
        Some(tokio::spawn(async move {
            let fetched = remote.fetch().await;
            let mut cache = remote.cache.write().unwrap_or_else(PoisonError::into_inner);
            match fetched {
                Ok(set) => (cache.set, cache.failure) = (Some(set), None),
                Err(failure) => {
                    tracing::error!(host = remote.url.host_str(), %failure, "a JWK set could not be fetched");
                    cache.failure = Some(failure);
                }
            }
            drop((cache, only_one));
        }))
    }

    fn unavailable(&self) -> StoreError {
        let cache = self.0.cache.read().unwrap_or_else(PoisonError::into_inner);
        let cause = cache.failure.as_deref().unwrap_or("it was not fetched yet");
        StoreError::failed(format!("the JWK set of {}: {cause}", self.0.url.host_str().unwrap_or_default()))
    }
}

impl Remote {
    async fn fetch(&self) -> Result<Set, String> {
        let mut response = (self.client.get(self.url.clone()))
            .header(ACCEPT, "application/jwk-set+json, application/json")
            .send()
            .await
            .map_err(|error| chain(&error.without_url()))?;
        if response.status() != StatusCode::OK {
            return Err(format!("answered with status {}", response.status().as_u16()));
        }
        let max_age = max_age(response.headers());
        let mut text = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| chain(&error.without_url()))? {
            if text.len() + chunk.len() > MAX_TEXT {
                return Err(JwtConfigError::JwksTooLarge.to_string());
            }
            text.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(text).map_err(|_| JwtConfigError::NotJwks.to_string())?;
        let keys = Jwks::from(text).into_keys(&self.origin).map_err(|error| error.to_string())?;
        let fetched = self.clock.now();
        Ok(Set { keys: keys.into(), fetched, fresh_until: fetched.plus_seconds(max_age) })
    }
}

/// Seconds the answer is fresh: its `max-age`, less what it spent in caches on the way (RFC 9111
/// §4.2), within bounds.
fn max_age(headers: &HeaderMap) -> i64 {
    let directives = headers.get_all(CACHE_CONTROL).into_iter().filter_map(|value| value.to_str().ok());
    let mut max_age = None;
    for directive in directives.flat_map(|value| value.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return MIN_MAX_AGE,
            "max-age" => max_age = max_age.or(value.trim().trim_matches('"').parse::<i64>().ok()),
            _ => {}
        }
    }
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()).and_then(|age| age.parse::<i64>().ok());
    max_age.unwrap_or(MAX_AGE).saturating_sub(age.unwrap_or(0).max(0)).clamp(MIN_MAX_AGE, MAX_MAX_AGE)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An error with what caused it, in one line.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteKeys").field(&self.0.url.host_str()).finish()
    }
}
