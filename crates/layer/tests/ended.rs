//! The end of tokens of any authenticator: they are authenticated again, from time to time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use gatekit_core::{
    AuthenticateError, Authenticated, Authenticator, Ended, Recheck, StoreError, Timestamp, TokenEnd, async_trait,
};
use gatekit_layer::{AuthLayer, Caller, RequireAuthLayer, ended};
use http::Request;
use tokio::time::Instant;
use tower::ServiceExt;

#[derive(Clone, Debug)]
struct Robot;

/// Knows a key as long as it is told to.
#[derive(Clone, Default)]
struct Keys(Arc<Told>);

#[derive(Default)]
struct Told {
    /// 0 for a good key, 1 for one that is not, 2 for a store that fails.
    answer: AtomicU8,
    now: AtomicI64,
}

#[async_trait]
impl Authenticator for Keys {
    type Principal = Robot;

    async fn authenticate(&self, _: &str) -> Result<Authenticated<Robot>, AuthenticateError> {
        match self.0.answer.load(Ordering::SeqCst) {
            0 if self.now() >= Timestamp(100_000) => Err(AuthenticateError::Expired),
            0 => Ok(Authenticated::new(Robot).expires(Timestamp(100_000))),
            1 => Err(AuthenticateError::Invalid),
            _ => Err(AuthenticateError::Unavailable(StoreError::failed("down"))),
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.0.now.load(Ordering::SeqCst))
    }

    fn recheck(&self) -> Recheck {
        Recheck { every: Duration::from_secs(30), grace: Duration::from_secs(90) }
    }
}

/// The wait for the end of the token of a request, as a handler has it.
async fn wait_for(keys: &Keys) -> Ended {
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let handler = async move |Caller(caller): Caller<Robot>| *keep.lock().unwrap() = Some(caller.ended());
    let router: Router = Router::new().route("/", get(handler)).layer(AuthLayer::new(keys.clone()));
    let request = Request::get("/").header("authorization", "key").body(Body::empty()).unwrap();
    assert_eq!(router.oneshot(request).await.unwrap().status(), 200);
    kept.lock().unwrap().take().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_withdrawn_ends_the_wait_at_the_next_check() {
    let keys = Keys::default();
    let wait = tokio::spawn(wait_for(&keys).await);
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert!(!wait.is_finished());
    keys.0.answer.store(1, Ordering::SeqCst);
    let begun = Instant::now();
    assert_eq!(wait.await.unwrap(), TokenEnd::Revoked);
    assert!(begun.elapsed() <= Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_wait_ends_when_the_key_expires_and_not_with_the_next_check() {
    let keys = Keys::default();
    keys.0.now.store(99_000, Ordering::SeqCst);
    let wait = tokio::spawn(wait_for(&keys).await);
    tokio::time::sleep(Duration::from_millis(999)).await;
    assert!(!wait.is_finished());
    keys.0.now.store(100_000, Ordering::SeqCst);
    let begun = Instant::now();
    assert_eq!(wait.await.unwrap(), TokenEnd::Expired);
    assert!(begun.elapsed() <= Duration::from_secs(1), "{:?}", begun.elapsed());
}

/// Fail closed, but not at once: a store that is restarted ends no stream.
#[tokio::test(start_paused = true)]
async fn checks_that_fail_end_the_wait_after_the_grace_and_a_good_one_begins_it_anew() {
    let keys = Keys::default();
    let wait = tokio::spawn(wait_for(&keys).await);
    for _ in 0..3 {
        keys.0.answer.store(2, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(89)).await;
        assert!(!wait.is_finished());
        keys.0.answer.store(0, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(31)).await;
        assert!(!wait.is_finished());
    }
    keys.0.answer.store(2, Ordering::SeqCst);
    let begun = Instant::now();
    assert_eq!(wait.await.unwrap(), TokenEnd::Unavailable);
    let lasted = begun.elapsed();
    assert!(lasted >= Duration::from_secs(90) && lasted <= Duration::from_secs(125), "{lasted:?}");
}

/// What is known to have expired is not kept alive by a store that fails.
#[tokio::test(start_paused = true)]
async fn a_key_that_has_expired_has_no_grace() {
    let keys = Keys::default();
    let wait = tokio::spawn(wait_for(&keys).await);
    tokio::time::sleep(Duration::from_secs(1)).await;
    keys.0.answer.store(2, Ordering::SeqCst);
    keys.0.now.store(100_000, Ordering::SeqCst);
    let begun = Instant::now();
    assert_eq!(wait.await.unwrap(), TokenEnd::Expired);
    assert!(begun.elapsed() <= Duration::from_secs(30), "{:?}", begun.elapsed());
}

/// A tower service without axum, such as tonic's.
#[tokio::test(start_paused = true)]
async fn a_service_without_extractors_can_wait_too() {
    let keys = Keys::default();
    let service = tower::service_fn(async |request: Request<Body>| {
        let ended = ended::<Robot>(request.extensions()).expect("a caller is known");
        Ok::<_, std::convert::Infallible>(http::Response::new(Body::from(format!("{:?}", ended.await))))
    });
    let service = tower::ServiceBuilder::new().layer(RequireAuthLayer::new(keys.clone())).service(service);
    let request = Request::get("/").header("authorization", "key").body(Body::empty()).unwrap();
    let answer = tokio::spawn(service.oneshot(request));
    tokio::time::sleep(Duration::from_secs(1)).await;
    keys.0.answer.store(1, Ordering::SeqCst);
    let body = http_body_util::BodyExt::collect(answer.await.unwrap().unwrap().into_body()).await.unwrap().to_bytes();
    assert_eq!(body, "Revoked");
    assert!(ended::<Robot>(&http::Extensions::new()).is_none());
}
