//! Keys from a URL: when they are fetched, and what is done when they cannot be.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use gatekit_core::{AuthenticateError, Clock, Timestamp};
use gatekit_layer::JwtVerifier;
use gatekit_layer::jwt::JwtConfigError;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::support::*;

/// An issuer on this machine. It counts how often its keys are fetched, and answers what it is told
/// to.
struct Issuer {
    url: String,
    fetches: Arc<AtomicUsize>,
    answer: Arc<Mutex<Arc<dyn Fn() -> Response + Send + Sync>>>,
    clock: Frozen,
    /// A permit for each answer: without one it hangs.
    gate: Arc<Semaphore>,
}

impl Issuer {
    async fn with_keys(keys: &[usize]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let fetches = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Semaphore::new(1000));
        let answer: Arc<Mutex<Arc<dyn Fn() -> Response + Send + Sync>>> =
            Arc::new(Mutex::new(Arc::new(|| ().into_response())));
        let handler = {
            let (fetches, answer, gate) = (fetches.clone(), answer.clone(), gate.clone());
            move || async move {
                fetches.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.unwrap().forget();
                let answer = answer.lock().unwrap().clone();
                answer()
            }
        };
        let app = Router::new().route("/jwks.json", get(handler));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let issuer = Self { url, fetches, answer, clock: Frozen::at(NOW), gate };
        issuer.publishes(keys, "max-age=600");
        issuer
    }

    fn answers(&self, answer: impl Fn() -> Response + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Arc::new(answer);
    }

    /// The keys of `jwks.json` with these numbers.
    fn publishes(&self, keys: &[usize], cache_control: &'static str) {
        let all: Value = serde_json::from_str(JWKS).unwrap();
        let keys: Vec<Value> = keys.iter().map(|n| all["keys"][n].clone()).collect();
        self.answers(move || ([("cache-control", cache_control)], json!({"keys": keys}).to_string()).into_response());
    }

    fn fails(&self) {
        self.answers(|| http::StatusCode::INTERNAL_SERVER_ERROR.into_response());
    }

    fn hangs(&self) {
        self.gate.forget_permits(usize::MAX >> 3);
    }

    fn verifier(&self) -> JwtVerifier<Claims> {
        let builder = JwtVerifier::from_jwks_url(&self.url).issuer(ISSUER).audience(AUDIENCE);
        builder.clock(self.clock.clone()).build().unwrap()
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    /// A token of key a, b that is good now.
    fn token(&self, signer: &Signer, kid: &str) -> String {
        let Timestamp(now) = self.clock.now();
        let claims = claims_with(json!({"exp": now / 1000 + 900}));
        signer.raw(json!({"alg": signer.0, "kid": kid}).to_string(), claims.to_string())
    }

    fn token_a(&self) -> String {
        self.token(&es256_a(), "p256-a")
    }

    fn token_b(&self) -> String {
        self.token(&es256_b(), "p256-b")
    }
}

#[track_caller]
fn unavailable(answer: Result<String, AuthenticateError>, case: &str) {
    assert!(matches!(answer, Err(AuthenticateError::Unavailable(_))), "{case}: {answer:?}");
}

/// Waits for what happens beside the test, and not for ever.
async fn until(happened: impl AsyncFn() -> bool) {
    let wait = async {
        while !happened().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), wait).await.unwrap();
}

#[tokio::test]
async fn j_19__keys_are_fetched_when_first_needed_and_kept() {
    let issuer = Issuer::with_keys(&[0, 2]).await;
    let verifier = issuer.verifier();
    assert_eq!(issuer.fetches(), 0, "nobody asked yet");
    for _ in 0..10 {
        accepted(check(&verifier, &issuer.token_a()).await, "ES256");
        accepted(check(&verifier.clone(), &issuer.token(&eddsa_a(), "ed25519-a")).await, "EdDSA");
    }
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn j_19__a_token_that_cannot_be_theirs_is_no_reason_to_fetch() {
    let issuer = Issuer::with_keys(&[0]).await;
    let verifier = issuer.verifier();
    let none = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64(claims().to_string()));
    for token in ["", "a.b.c", &none, &hs256().token(), &rs256().token(), &es256_a().header(json!({"crit": ["x"]}))] {
        invalid(check(&verifier, token).await, token);
    }
    assert_eq!(issuer.fetches(), 0);
}

#[tokio::test]
async fn j_19__the_max_age_of_the_answer_counts_within_bounds() {
    for (cache_control, seconds) in [
        ("max-age=600", 600),
        ("public, max-age=600, must-revalidate", 600),
        ("Max-Age=\"600\"", 600),
        ("max-age=0", 60),
        ("max-age=59", 60),
        ("no-cache", 60),
        ("no-store, max-age=600", 60),
        ("max-age=86401", 86400),
        ("max-age=9223372036854775807", 86400),
        ("max-age=99999999999999999999", 3600),
        ("max-age=-5", 60),
        ("max-age=soon", 3600),
        ("s-maxage=600", 3600),
        ("public", 3600),
        ("", 3600),
    ] {
        let issuer = Issuer::with_keys(&[0]).await;
        issuer.publishes(&[0], cache_control);
        let verifier = issuer.verifier();
        accepted(check(&verifier, &issuer.token_a()).await, cache_control);
        issuer.clock.forward(seconds - 1);
        accepted(check(&verifier, &issuer.token_a()).await, cache_control);
        assert_eq!(issuer.fetches(), 1, "{cache_control}: a second before");
        issuer.clock.forward(1);
        accepted(check(&verifier, &issuer.token_a()).await, cache_control);
        assert_eq!(issuer.fetches(), 2, "{cache_control}: on the second");
    }
}

#[tokio::test]
async fn j_19__time_spent_in_caches_on_the_way_counts() {
    let issuer = Issuer::with_keys(&[0]).await;
    issuer.answers(|| ([("cache-control", "max-age=600"), ("age", "500")], JWKS).into_response());
    let verifier = issuer.verifier();
    for (forward, fetches) in [(0, 1), (99, 1), (1, 2)] {
        issuer.clock.forward(forward);
        accepted(check(&verifier, &issuer.token_a()).await, "");
        assert_eq!(issuer.fetches(), fetches);
    }
}

#[tokio::test]
async fn rel_13__a_new_key_is_found_once_it_is_used() {
    let issuer = Issuer::with_keys(&[0]).await;
    let verifier = issuer.verifier();
    accepted(check(&verifier, &issuer.token_a()).await, "the first key");
    issuer.publishes(&[0, 1], "max-age=600");
    issuer.clock.forward(60);
    accepted(check(&verifier, &issuer.token_b()).await, "the second key");
    accepted(check(&verifier, &issuer.token_a()).await, "the first key still");
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn rel_13__a_withdrawn_key_is_no_good_after_the_next_fetch() {
    let issuer = Issuer::with_keys(&[0, 1]).await;
    let verifier = issuer.verifier();
    accepted(check(&verifier, &issuer.token_a()).await, "published");
    issuer.publishes(&[1], "max-age=600");
    issuer.clock.forward(600);
    invalid(check(&verifier, &issuer.token_a()).await, "withdrawn");
    accepted(check(&verifier, &issuer.token_b()).await, "the other one");
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn j_19__a_thousand_unknown_kids_are_one_fetch_a_minute() {
    let issuer = Issuer::with_keys(&[0]).await;
    let verifier = issuer.verifier();
    accepted(check(&verifier, &issuer.token_a()).await, "");
    issuer.clock.forward(59);
    for n in 0..500 {
        invalid(check(&verifier, &issuer.token(&es256_b(), &format!("random-{n}"))).await, "unknown");
    }
    assert_eq!(issuer.fetches(), 1, "not within a minute");
    issuer.clock.forward(1);
    for n in 500..1000 {
        invalid(check(&verifier, &issuer.token(&es256_b(), &format!("random-{n}"))).await, "unknown");
    }
    assert_eq!(issuer.fetches(), 2, "once after it");
}

#[tokio::test]
async fn j_19__a_wrong_signature_under_a_known_kid_is_no_reason_to_fetch() {
    let issuer = Issuer::with_keys(&[0]).await;
    let verifier = issuer.verifier();
    accepted(check(&verifier, &issuer.token_a()).await, "");
    issuer.clock.forward(100);
    invalid(check(&verifier, &issuer.token(&es256_b(), "p256-a")).await, "forged");
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j_19__many_at_once_are_one_fetch() {
    let issuer = Issuer::with_keys(&[0]).await;
    let verifier = issuer.verifier();
    let token = issuer.token_a();
    let all: Vec<_> = (0..100)
        .map(|_| {
            let (verifier, token) = (verifier.clone(), token.clone());
            tokio::spawn(async move { check(&verifier, &token).await })
        })
        .collect();
    for one in all {
        accepted(one.await.unwrap(), "all of them");
    }
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn j_19__who_hangs_up_does_not_stop_the_fetch() {
    let issuer = Issuer::with_keys(&[0]).await;
    issuer.hangs();
    let verifier = issuer.verifier();
    let token = issuer.token_a();
    let impatient = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { check(&verifier, &token).await }
    });
    until(async || issuer.fetches() == 1).await;
    impatient.abort();
    assert!(impatient.await.unwrap_err().is_cancelled());
    issuer.gate.add_permits(1);
    accepted(check(&verifier, &token).await, "who came after");
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn rel_12__no_keys_at_all_is_unavailable_and_never_invalid() {
    let issuer = Issuer::with_keys(&[0]).await;
    issuer.fails();
    let verifier = issuer.verifier();
    for _ in 0..10 {
        unavailable(check(&verifier, &issuer.token_a()).await, "down");
        unavailable(check(&verifier, &issuer.token_b()).await, "down, and who knows this key");
    }
    assert_eq!(issuer.fetches(), 1, "once a second");
    issuer.publishes(&[0], "");
    issuer.clock.forward(1);
    accepted(check(&verifier, &issuer.token_a()).await, "up again");
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn rel_12__nobody_listening_is_unavailable() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let builder = JwtVerifier::from_jwks_url(format!("http://{free}/")).issuer(ISSUER).audience(AUDIENCE);
    let answer = check(&builder.build().unwrap(), &es256_a().token()).await;
    let Err(AuthenticateError::Unavailable(cause)) = answer else { panic!("{answer:?}") };
    assert!(cause.to_string().contains("127.0.0.1"), "{cause}");
}

#[tokio::test]
async fn j_19__old_keys_are_used_for_a_day_while_the_issuer_is_down() {
    let issuer = Issuer::with_keys(&[0]).await;
    let verifier = issuer.verifier();
    accepted(check(&verifier, &issuer.token_a()).await, "fresh");
    issuer.fails();
    issuer.clock.forward(600);
    accepted(check(&verifier, &issuer.token_a()).await, "stale, the first attempt failed");
    assert_eq!(issuer.fetches(), 2);
    unavailable(check(&verifier, &issuer.token_b()).await, "a key the old set does not know");
    issuer.clock.forward(59);
    accepted(check(&verifier, &issuer.token_a()).await, "stale");
    assert_eq!(issuer.fetches(), 2, "once a minute");
    issuer.clock.forward(24 * 60 * 60 - 60);
    accepted(check(&verifier, &issuer.token_a()).await, "stale for a second less than a day");
    issuer.clock.forward(1);
    unavailable(check(&verifier, &issuer.token_a()).await, "stale for a day");
}

#[tokio::test]
async fn rel_12__while_the_issuer_is_known_to_be_down_nobody_waits_for_it() {
    let issuer = Issuer::with_keys(&[0]).await;
    let verifier = issuer.verifier();
    accepted(check(&verifier, &issuer.token_a()).await, "fresh");
    issuer.fails();
    issuer.clock.forward(600);
    accepted(check(&verifier, &issuer.token_a()).await, "the first attempt failed");
    issuer.hangs();
    issuer.clock.forward(60);
    // No answer comes, so if this one waited it would wait for the time limit.
    let start = std::time::Instant::now();
    accepted(check(&verifier, &issuer.token_a()).await, "at once");
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    until(async || issuer.fetches() == 3).await;
    // It comes back, and what was started beside is used.
    issuer.publishes(&[0, 1], "");
    issuer.gate.add_permits(1);
    until(async || check(&verifier, &issuer.token_b()).await.is_ok()).await;
    assert_eq!(issuer.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn rel_12__an_issuer_that_hangs_is_given_five_seconds() {
    let issuer = Issuer::with_keys(&[0]).await;
    issuer.hangs();
    let verifier = issuer.verifier();
    let start = tokio::time::Instant::now();
    unavailable(check(&verifier, &issuer.token_a()).await, "no answer");
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn rel_12__a_body_that_never_ends_is_given_five_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"keys\":[").await.unwrap();
        std::future::pending::<()>().await;
        drop(connection);
    });
    let verifier = ready(JwtVerifier::from_jwks_url(url));
    let start = tokio::time::Instant::now();
    unavailable(check(&verifier, &es256_a().token()).await, "a slow body");
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn j_19__more_than_512_kib_are_not_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while connection.write_all(&[b' '; 1024]).await.is_ok() {}
    });
    let answer = check(&ready(JwtVerifier::from_jwks_url(url)), &es256_a().token()).await;
    let Err(AuthenticateError::Unavailable(cause)) = answer else { panic!("{answer:?}") };
    assert!(cause.to_string().contains("512 KiB"), "{cause}");
}

#[tokio::test]
async fn j_19__a_clock_that_was_set_back_does_not_keep_a_set_for_ever() {
    let issuer = Issuer::with_keys(&[0]).await;
    let verifier = issuer.verifier();
    accepted(check(&verifier, &issuer.token_a()).await, "");
    issuer.clock.forward(-365 * 24 * 60 * 60);
    for _ in 0..10 {
        invalid(check(&verifier, &issuer.token(&es256_b(), "p256-a")).await, "a year ago");
    }
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn rel_12__an_answer_that_is_no_set_is_a_failure_and_the_old_keys_stay() {
    let issuer = Issuer::with_keys(&[0]).await;
    let verifier = issuer.verifier();
    accepted(check(&verifier, &issuer.token_a()).await, "");
    issuer.clock.forward(600);
    for body in ["", "<html>", "{}", r#"{"keys": []}"#, "\u{feff}{}", JWKS_RSA] {
        issuer.answers(move || body.into_response());
        accepted(check(&verifier, &issuer.token_a()).await, body);
        issuer.clock.forward(60);
        unavailable(check(&issuer.verifier(), &issuer.token_a()).await, body);
    }
    issuer.answers(|| vec![0xff, 0xfe].into_response());
    unavailable(check(&issuer.verifier(), &issuer.token_a()).await, "not UTF-8");
}

#[tokio::test]
async fn asvs_15_3_2__redirects_are_not_followed() {
    let other = Issuer::with_keys(&[0]).await;
    let issuer = Issuer::with_keys(&[0]).await;
    for status in [301_u16, 302, 303, 307, 308] {
        let target = other.url.clone();
        issuer.answers(move || {
            (http::StatusCode::from_u16(status).unwrap(), [("location", target.clone())], JWKS).into_response()
        });
        unavailable(check(&issuer.verifier(), &issuer.token_a()).await, "redirected");
    }
    assert_eq!(other.fetches(), 0);
}

#[tokio::test]
async fn j_6__a_published_secret_is_none() {
    let issuer = Issuer::with_keys(&[0]).await;
    let secret = json!({"kty": "oct", "k": b64(SECRET), "kid": "p256-a", "alg": "HS256"});
    issuer.answers(move || json!({"keys": [secret.clone()]}).to_string().into_response());
    let verifier = issuer.verifier();
    invalid(check(&verifier, &hs256().token()).await, "HS256");
    unavailable(check(&verifier, &issuer.token_a()).await, "there is no other key");
}

#[tokio::test]
async fn j_9__a_foreign_issuers_keys_from_a_url_are_for_its_own_tokens() {
    let issuer = Issuer::with_keys(&[]).await;
    issuer.answers(|| JWKS_RSA.into_response());
    let foreign = "https://accounts.foreign.test";
    let builder = JwtVerifier::foreign_issuer_rs256_url(foreign, &issuer.url).hs256(SECRET);
    let verifier: JwtVerifier<Claims> = ready(builder);
    accepted(check(&verifier, &hs256().token()).await, "ours");
    assert_eq!(issuer.fetches(), 0, "ours needs no fetch");
    accepted(check(&verifier, &rs256().claims(claims_with(json!({"iss": foreign})))).await, "theirs");
    invalid(check(&verifier, &rs256().token()).await, "ours under theirs");
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn rel_12__of_two_issuers_one_may_be_down() {
    let (up, down) = (Issuer::with_keys(&[0]).await, Issuer::with_keys(&[1]).await);
    down.fails();
    let builder = JwtVerifier::from_jwks_url(&down.url).from_jwks_url(&up.url).issuer(ISSUER).audience(AUDIENCE);
    let verifier = builder.clock(up.clock.clone()).build().unwrap();
    accepted(check(&verifier, &up.token_a()).await, "of the one that is up");
    unavailable(check(&verifier, &up.token_b()).await, "of the one that is down");
}

#[test]
fn j_11__keys_are_fetched_over_https_or_from_this_machine() {
    let build = |url: &str| JwtVerifier::<Claims>::from_jwks_url(url).any_issuer().any_audience().build().map(drop);
    for good in [
        "https://issuer.test/.well-known/jwks.json",
        "https://issuer.test:8443/keys?tenant=1",
        "http://localhost:3000/jwks.json",
        "http://127.0.0.1/jwks.json",
        "http://[::1]:3000/jwks.json",
    ] {
        assert_eq!(build(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "jwks.json",
        "/jwks.json",
        "issuer.test",
        "http://issuer.test/",
        "http://localhost.evil.test/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "file:///etc/passwd",
        "ftp://issuer.test/",
        "data:application/json,{}",
        "https://",
        "https://user:pw@issuer.test/",
        "https://user@issuer.test/",
    ] {
        assert_eq!(build(bad), Err(JwtConfigError::JwksUrl), "{bad}");
    }
}
