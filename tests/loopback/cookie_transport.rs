//! Is a browser signed in by a cookie, and signed out, as browsers need it?

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::extract::connect_info::MockConnectInfo;
use gatekit::routes::{TokenTransport, TokenTransportLayer};
use gatekit::{ClientIp, Policy, TokenCookie, TokenSources};
use gatekit_tests::{Answer, App, Call, EMAIL, PASSWORD, Store, on_every_store};
use serde_json::{Value, json};

const REMOVAL: &str = "__Host-access_token=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0";

fn set_cookies(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
}

/// The value of the one cookie that is set.
fn token_in(answer: &Answer) -> String {
    let cookies = set_cookies(answer);
    assert_eq!(cookies.len(), 1, "{answer:?}");
    let (name, rest) = cookies[0].split_once('=').unwrap();
    assert_eq!(name, "__Host-access_token");
    rest.split(';').next().unwrap().to_owned()
}

fn login(app: &App, query: &str) -> Call {
    app.post(&format!("/api/users/login{query}")).json(json!({"email": EMAIL, "password": PASSWORD}))
}

async fn signed_in(app: &App) -> String {
    token_in(&login(app, "?cookie=true").await.expect_status(200))
}

on_every_store! {
    /// 3.3.1, 3.3.2, 3.3.3, 3.3.4, 14.3.3, V-52
    async fn the_cookie_has_every_protection_and_lives_as_long_as_the_token(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let body = json!({"email": EMAIL, "password": PASSWORD, "ttl": 3600});
        let answer = app.post("/api/users/login?cookie=true").json(body).await.expect_status(200);
        let token = token_in(&answer);
        let wanted = format!("__Host-access_token={token}; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=3600");
        assert_eq!(set_cookies(&answer), [wanted]);
        assert_eq!(token.len(), 64);
        app.get("/me").cookie(&token).await.expect_status(200);
    }

    async fn the_body_of_a_login_by_cookie_holds_no_secret(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let answer = login(&app, "?cookie=true&include=user").await.expect_status(200);
        let members: Vec<String> = answer.value().as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["ttl", "created", "userId", "user"]);
        assert!(!answer.body.contains(&token_in(&answer)));
        answer.expect_header("cache-control", "no-store");
    }

    async fn mount_and_request_choose_between_body_cookie_and_both(store) {
        use TokenTransport::{Body, Both, Cookie};
        for (mount, query, in_body, in_cookie) in [
            (None, "", true, false),
            (None, "?cookie=", true, false),
            (None, "?cookie=true", false, true),
            (None, "?cookie=both", true, true),
            (Some(Body), "?cookie=true", false, true),
            (Some(Cookie), "", false, true),
            (Some(Cookie), "?cookie=both", true, true),
            (Some(Cookie), "?cookie=false", true, false),
            (Some(Both), "", true, true),
            (Some(Both), "?cookie=false", true, false),
        ] {
            let mut app = App::new(store).await;
            app.sign_up().await;
            if let Some(mount) = mount {
                app.router = app.router.clone().layer(TokenTransportLayer::new(mount));
            }
            let answer = login(&app, query).await.expect_status(200);
            assert_eq!(answer.value().get("id").is_some(), in_body, "{mount:?} {query}");
            assert_eq!(!set_cookies(&answer).is_empty(), in_cookie, "{mount:?} {query}");
            if in_body && in_cookie {
                assert_eq!(answer.text("id"), token_in(&answer));
            }
        }
        let app = App::new(store).await;
        for query in ["?cookie=1", "?cookie=TRUE", "?cookie=true&cookie=false", "?cookie[a]=true"] {
            login(&app, query).await.expect(400, "INVALID_COOKIE");
        }
    }

    /// LOAD-4: a cookie that is too long to be a token is looked up in no store, at a login as
    /// little as anywhere.
    async fn a_login_looks_no_oversized_cookie_up(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let calls_with = async |cookie: &str| {
            app.faults.reset();
            login(&app, "?cookie=true").cookie(cookie).await.expect_status(200);
            app.faults.calls()
        };
        let without_a_cookie = {
            app.faults.reset();
            login(&app, "?cookie=true").await.expect_status(200);
            app.faults.calls()
        };
        for bytes in [513, 4096, 64 * 1024] {
            assert_eq!(calls_with(&"x".repeat(bytes)).await, without_a_cookie, "{bytes} bytes");
        }
        assert_eq!(calls_with("").await, without_a_cookie);
        let looked_up = calls_with(&"x".repeat(512)).await;
        assert!(looked_up.len() > without_a_cookie.len(), "one that could be a token is: {looked_up:?}");
        // Nor is it at a logout, which takes the cookie back.
        app.faults.reset();
        let answer = app.post("/api/users/logout").cookie(&"x".repeat(513)).await.expect_status(401);
        assert!(app.faults.calls().is_empty(), "{:?}", app.faults.calls());
        assert!(set_cookies(&answer)[0].starts_with("__Host-access_token=; "));
    }

    async fn where_the_layer_has_no_cookie_one_that_is_asked_for_is_400(store) {
        let app = App::with(Policy::default()).sources(TokenSources::loopback()).start(store).await;
        app.sign_up().await;
        login(&app, "?cookie=true").await.expect(400, "COOKIES_NOT_ENABLED");
        login(&app, "?cookie=both").await.expect(400, "COOKIES_NOT_ENABLED");
        login(&app, "").await.expect_status(200);
        assert_eq!(app.auth.list_tokens(&1.into()).await.unwrap().len(), 1, "none was issued in vain");
    }

    async fn a_refused_login_sets_no_cookie(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let body = json!({"email": EMAIL, "password": "wrong"});
        let answer = app.post("/api/users/login?cookie=true").json(body).await.expect(401, "LOGIN_FAILED");
        assert!(set_cookies(&answer).is_empty());
    }

    /// 7.4.1, 14.3.1
    async fn a_logout_takes_the_cookie_back_and_ends_its_token(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let token = signed_in(&app).await;
        let answer = app.post("/api/users/logout").cookie(&token).await.expect_no_content();
        assert_eq!(set_cookies(&answer), [REMOVAL]);
        app.get("/me").cookie(&token).await.expect_status(401);
        // A cookie that is nobody's any more is taken back as well.
        let answer = app.post("/api/users/logout").cookie(&token).await.expect_status(401);
        assert_eq!(set_cookies(&answer), [REMOVAL]);
        // A program has none.
        let bearer = app.token_of(EMAIL).await;
        let answer = app.post("/api/users/logout").token(&bearer).await.expect_no_content();
        assert!(set_cookies(&answer).is_empty());
    }

    async fn a_logout_by_another_token_signs_the_browser_out_too(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let (cookie, bearer) = (signed_in(&app).await, app.token_of(EMAIL).await);
        let answer = app.post("/api/users/logout").token(&bearer).cookie(&cookie).await.expect_no_content();
        assert_eq!(set_cookies(&answer), [REMOVAL]);
        app.me(&bearer).await.expect_status(401);
        app.me(&cookie).await.expect_status(401);
    }

    async fn who_ends_all_tokens_or_the_account_is_signed_out(store) {
        for (path, body, removed) in [
            ("logout-everywhere", json!({}), true),
            ("logout-everywhere", json!({"keepCurrent": true}), false),
            ("delete-account", json!({"password": PASSWORD}), true),
            ("delete-account", json!({"password": "wrong"}), false),
        ] {
            let app = App::new(store).await;
            app.sign_up().await;
            let token = signed_in(&app).await;
            let answer = app.post(&format!("/api/users/{path}")).cookie(&token).json(&body).await;
            assert_eq!(set_cookies(&answer) == [REMOVAL], removed, "{path} {body}: {answer:?}");
        }
    }

    /// 7.2.4: signing in again ends what the browser was signed in with, and nothing else.
    async fn a_new_login_ends_the_token_the_browser_had(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let (first, elsewhere) = (signed_in(&app).await, signed_in(&app).await);
        let second = token_in(&login(&app, "?cookie=true").cookie(&first).await.expect_status(200));
        app.get("/me").cookie(&first).await.expect_status(401);
        for token in [&second, &elsewhere] {
            app.get("/me").cookie(token).await.expect_status(200);
        }
        // One whose token is in the body leaves the browser as it is, and so does one that fails.
        login(&app, "").cookie(&second).await.expect_status(200);
        let wrong = json!({"email": EMAIL, "password": "wrong"});
        app.post("/api/users/login?cookie=true").cookie(&second).json(wrong).await.expect_status(401);
        app.get("/me").cookie(&second).await.expect_status(200);
    }

    /// C-14, V-50: a neighbouring host can plant the plain name and not the one with the prefix.
    async fn a_planted_cookie_signs_nobody_in(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let (mine, planted) = (signed_in(&app).await, signed_in(&app).await);
        let get = |cookie: String| app.get("/me").header("cookie", cookie);
        get(format!("access_token={planted}")).await.expect_status(401);
        get(format!("__host-access_token={planted}")).await.expect_status(401);
        get(format!("access_token={planted}; __Host-access_token={mine}")).await.expect_status(200);
        get(format!("__Host-access_token={planted}; __Host-access_token={mine}")).await.expect_status(401);
        get(format!("__Host-access_token={mine}; __Host-access_token={planted}")).await.expect_status(401);
        // The plain one is not read at a logout either: nothing that was planted ends anything.
        app.post("/api/users/logout").header("cookie", format!("access_token={planted}")).await.expect_status(401);
        app.get("/me").cookie(&planted).await.expect_status(200);
    }

    async fn an_oversized_cookie_is_refused_without_asking_the_store(store) {
        let app = App::new(store).await;
        app.faults.reset();
        for bytes in [513, 4096, 60_000] {
            app.get("/me").cookie(&"x".repeat(bytes)).await.expect_status(401);
        }
        assert!(app.faults.calls().is_empty());
        let duplicates = vec!["__Host-access_token=x"; 500].join("; ");
        app.get("/me").header("cookie", duplicates).await.expect_status(401);
        assert!(app.faults.calls().is_empty());
    }

    /// What a client sends is in no header of the answer.
    async fn no_value_of_a_request_gets_into_set_cookie(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let hostile = "x%0d%0aSet-Cookie:%20a=b;Domain=evil";
        let path = format!("/api/users/login?cookie=true&include={hostile}&name={hostile}");
        let body = json!({"email": EMAIL, "password": PASSWORD, "ttl": 60, "id": "a; Domain=evil\r\nX: y", "name": "evil"});
        let answer = app
            .post(&path)
            .header("user-agent", "x; Domain=evil")
            .header("cookie", "gatekit_device=x; __Host-gatekit_device=evil%0d%0a")
            .json(body)
            .await
            .expect_status(200);
        assert!(token_in(&answer).bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert!(!format!("{:?}", answer.headers).contains("evil"));
    }

    /// Nobody is signed in by halves: if the browser's old token cannot be ended, the new one is.
    async fn a_store_that_fails_in_a_login_by_cookie_is_503_without_a_cookie(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let old = signed_in(&app).await;
        app.faults.reset();
        login(&app, "?cookie=true").cookie(&old).await.expect_status(200);
        let calls = app.faults.calls().len();
        for number in 1..=calls {
            let old = signed_in(&app).await;
            let before = app.auth.list_tokens(&1.into()).await.unwrap().len();
            app.faults.nth(number, gatekit_testkit::Fault::Fail);
            let answer = login(&app, "?cookie=true").cookie(&old).await.expect_unavailable();
            app.faults.reset();
            assert!(set_cookies(&answer).is_empty(), "call {number}");
            assert!(app.auth.list_tokens(&1.into()).await.unwrap().len() <= before, "call {number}: a token is left");
        }
    }

    async fn a_renewed_tokens_cookie_outlives_the_first_lifetime(store) {
        let mut policy = Policy::default();
        (policy.tokens.ttl, policy.tokens.max_ttl, policy.tokens.renew_after) = (3600, 86_400, Some(60));
        let app = App::with(policy).start(store).await;
        app.sign_up().await;
        let answer = login(&app, "?cookie=true").await;
        assert!(set_cookies(&answer)[0].ends_with("; Max-Age=86400"), "{answer:?}");
    }

    /// 7.5.2
    async fn the_list_of_sessions_shows_on_what_somebody_is_signed_in(store) {
        let mut app = App::new(store).await;
        app.sign_up().await;
        let plain = app.token_of(EMAIL).await;
        app.clock.advance(Duration::from_secs(1));
        let peer = SocketAddr::from(([203, 0, 113, 7], 4711));
        app.router = app.router.clone().layer(MockConnectInfo(peer));
        let agent = format!("Mozilla/5.0\t{}", "x".repeat(1000));
        let body = json!({"email": EMAIL, "password": PASSWORD});
        let answer = app.post("/api/users/login").header("user-agent", &agent).json(&body).await.expect_status(200);
        let known = answer.text("id");
        app.clock.advance(Duration::from_secs(1));
        // What the app's own layer says counts before the connection's address.
        let behind: IpAddr = "2001:db8:7:8::9".parse().unwrap();
        app.router = app.router.clone().layer(axum::Extension(ClientIp(behind)));
        app.login(EMAIL, PASSWORD).await.expect_status(200);
        app.clock.advance(Duration::from_secs(3600));
        app.me(&known).await.expect_status(200);

        let sessions = app.get("/api/users/sessions").token(&plain).await.expect_status(200).value();
        let [first, second, third] = sessions.as_array().unwrap().as_slice() else { panic!("{sessions}") };
        assert!(["userAgent", "network", "lastUsed"].iter().all(|member| first.get(*member).is_none()), "{first}");
        assert_eq!(second["userAgent"].as_str().unwrap().len(), 256);
        assert!(second["userAgent"].as_str().unwrap().starts_with("Mozilla/5.0xxx"));
        assert_eq!(second["network"], "203.0.113.0/24");
        assert_ne!(second["lastUsed"], Value::Null);
        assert_eq!(third["network"], "2001:db8:7::/48");
        assert_eq!(third.get("userAgent"), None);
    }

    /// 6.3.5: a browser is known by a cookie of its own, which a logout does not take back.
    async fn an_unknown_device_is_told_of_and_a_known_one_has_a_cookie(store) {
        let mut policy = Policy::default();
        policy.mail.notify_unknown_device = true;
        let app = App::with(policy).start(store).await;
        app.sign_up().await;
        let device_in = |answer: &Answer| {
            let cookies = set_cookies(answer);
            let device = *cookies.iter().find(|cookie| cookie.starts_with("__Host-gatekit_device=")).unwrap();
            assert!(device.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=31536000"), "{device}");
            device.split(';').next().unwrap().to_owned()
        };
        let first = login(&app, "?cookie=true").await.expect_status(200);
        let device = device_in(&first);
        let again = login(&app, "?cookie=true").header("cookie", &device).await.expect_status(200);
        assert_eq!(device_in(&again), device, "a known device keeps its secret");
        let token = set_cookies(&again)[0].split(['=', ';']).nth(1).unwrap().to_owned();
        let out = app.post("/api/users/logout").cookie(&token).header("cookie", &device).await.expect_no_content();
        assert_eq!(set_cookies(&out), [REMOVAL]);
        let other = login(&app, "?cookie=true").await.expect_status(200);
        assert_ne!(device_in(&other), device);
        app.mails.wait_for(1).await;
        assert_eq!(app.mails.attempts(), 1, "one of an unknown device, none of a known one");
        assert!(set_cookies(&login(&app, "").await).is_empty(), "a program gets no cookie");
    }
}

#[tokio::test]
async fn for_localhost_the_cookie_is_neither_secure_nor_prefixed() {
    let sources = TokenSources::default().with_cookie(TokenCookie::for_localhost());
    let app = App::with(Policy::default()).sources(sources).start(Store::Memory).await;
    app.sign_up().await;
    let answer = login(&app, "?cookie=true").await.expect_status(200);
    let cookie = set_cookies(&answer)[0].to_owned();
    assert!(cookie.starts_with("access_token=") && !cookie.contains("Secure"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    app.get("/me").header("cookie", pair).await.expect_status(200);
    let out = app.post("/api/users/logout").header("cookie", pair).await.expect_no_content();
    assert_eq!(set_cookies(&out), ["access_token=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"]);
}
