//! `POST /api/users/login`.

use gatekit::{Policy, UserId};
use gatekit_tests::{Answer, App, Call, EMAIL, PASSWORD, on_every_store};
use serde_json::{Value, json};

const LOGIN: &str = "/api/users/login";
const FAILED: &str = r#"{"error":{"statusCode":401,"name":"Error","message":"login failed","code":"LOGIN_FAILED"}}"#;

fn bad_request(message: &str, code: &str) -> String {
    let code = if code.is_empty() { String::new() } else { format!(r#","code":"{code}""#) };
    format!(r#"{{"error":{{"statusCode":400,"name":"Error","message":"{message}"{code}}}}}"#)
}

fn with_ttl(app: &App, ttl: &str) -> Call {
    app.post(LOGIN).json(format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}","ttl":{ttl}}}"#))
}

/// Panics unless this is the answer to a login of user 1, with this ttl and `rest` behind it.
#[track_caller]
fn assert_token(app: &App, answer: &Answer, ttl: i64, rest: &str) {
    let id = answer.text("id");
    assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    let now = gatekit::core::Clock::now(&app.clock);
    let wanted = format!(r#"{{"id":"{id}","ttl":{ttl},"created":"{now}","userId":1{rest}}}"#);
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, wanted.as_str()));
}

/// 102 bytes, of which bcrypt sees 72.
const LONG: &str =
    "correct horse battery staple correct horse battery staple correct horse battery staple the true ending";
/// Its hash, by libxcrypt.
const LONG_BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuu6rixEKGOItKC5i1MvdHHlmR36LXX0vG";

on_every_store! {
    /// Case 01. What bcrypt has not seen whole never becomes the password.
    async fn an_imported_user_whose_password_bcrypt_cuts_gets_in_before_and_after_a_slip(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            app.import("long@example.com", LONG_BCRYPT).await;
            let slip = format!("{}XX something else", &LONG[..72]);
            for password in [LONG, &slip, LONG, &slip, LONG] {
                app.login("long@example.com", password).await.expect_status(200);
            }
            app.login("long@example.com", &LONG[..71]).await.expect(401, "LOGIN_FAILED");
        }
    }

    /// Case 21. The right password of a hash that is beyond the limit is a wrong one.
    async fn a_user_whose_hash_is_beyond_the_limit_gets_in_by_a_new_password(store) {
        let app = App::new(store).await;
        // Of "secret pw 1", by libxcrypt.
        app.import(EMAIL, "$2b$17$abcdefghijklmnopqrstuuVk1AgIUWThAt2UrJByumge8lTDnylTq").await;
        app.login(EMAIL, "secret pw 1").await.expect(401, "LOGIN_FAILED");
        let secret = app.reset_token().await;
        app.reset_password(&secret, PASSWORD).await.expect_status(204);
        app.login(EMAIL, PASSWORD).await.expect_status(200);
    }

    async fn the_answer_is_loopbacks_access_token(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let user = r#","user":{"username":"Foo","email":"foo@bar.com","id":1}"#;
        for (query, rest) in [
            ("", ""),
            ("?include=user", user),
            ("?include=USER", user),
            ("?include=%5B%22user%22%5D", user),
            ("?include=user&include=x", user),
            ("?include%5B0%5D=user", user),
            ("?include=bogus", ""),
            ("?include=", ""),
            ("?include=1", ""),
            ("?rememberMe=true", ""),
        ] {
            let body = json!({"email": EMAIL, "password": PASSWORD, "include": "user", "rememberMe": true});
            let answer = app.post(&format!("{LOGIN}{query}")).json(body).await;
            assert_token(&app, &answer, 1_209_600, rest);
        }
    }

    async fn email_and_username_mean_who_loopback_says(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        for (who, status) in [
            (r#""username":"Foo""#, 200),
            (r#""username":"foo""#, 401),
            (r#""email":"FOO@bar.com""#, 401),
            (r#""email":"foo@bar.com","username":"nobody""#, 200),
            (r#""email":"nobody@bar.com","username":"Foo""#, 401),
            (r#""email":"","username":"Foo""#, 200),
            (r#""email":"foo@bar.com","realm":"r1""#, 200),
            (r#""email":"foo@bar.com","id":"mine","userId":2,"created":"2001-01-01","scopes":["a"]"#, 200),
        ] {
            app.post(LOGIN).json(format!(r#"{{{who},"password":"{PASSWORD}"}}"#)).await.expect_status(status);
        }
        app.post(LOGIN).form("email=foo%40bar.com&password=correct+horse+battery").await.expect_status(200);
        let answer = app.post(LOGIN).form("email=foo%40bar.com&password=correct+horse+battery&ttl=60").await;
        assert_token(&app, &answer, 60, "");
    }

    /// 1.5.2, FUZZ-9
    async fn credentials_of_the_wrong_type_are_answered_as_loopback_answers_them(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let required = bad_request("username or email is required", "USERNAME_EMAIL_REQUIRED");
        let not_an_object = bad_request("Value is not an object.", "");
        for (body, answer) in [
            ("{}", required.clone()),
            ("", required.clone()),
            (r#"{"password":"bar"}"#, required.clone()),
            (r#"{"email":null,"password":"bar"}"#, required.clone()),
            (r#"{"email":"","username":"","password":"bar"}"#, required.clone()),
            ("null", bad_request("credentials is a required argument", "")),
            (r#"[{"email":"foo@bar.com","password":"bar"}]"#, not_an_object.clone()),
            (r#""foo""#, not_an_object.clone()),
            ("5", not_an_object),
            (r#"{"username":{"regexp":".*"},"password":"bar"}"#, bad_request("Invalid username", "INVALID_USERNAME")),
            (r#"{"username":5,"password":"bar"}"#, bad_request("Invalid username", "INVALID_USERNAME")),
            (r#"{"email":{"regexp":".*"},"password":"bar"}"#, bad_request("Invalid email", "INVALID_EMAIL")),
            (r#"{"email":5,"password":"bar"}"#, bad_request("Invalid email", "INVALID_EMAIL")),
            (r#"{"email":true,"password":"bar"}"#, bad_request("Invalid email", "INVALID_EMAIL")),
            (r#"{"email":["foo@bar.com"],"password":"bar"}"#, bad_request("Invalid email", "INVALID_EMAIL")),
        ] {
            app.post(LOGIN).json(body).await.is(400, &answer);
        }
        app.post(LOGIN).form("email[a]=1&password=x").await.is(400, &bad_request("Invalid email", "INVALID_EMAIL"));
        app.post(LOGIN).await.is(400, &required);
        for password in ["null", "123", r#"{"a":1}"#, "[]", r#""""#, "true"] {
            app.post(LOGIN).json(format!(r#"{{"email":"{EMAIL}","password":{password}}}"#)).await.is(401, FAILED);
        }
        app.post(LOGIN).json(json!({"email": EMAIL})).await.is(401, FAILED);
    }

    async fn where_realms_are_required_a_login_names_one(store) {
        let mut policy = Policy::loopback();
        (policy.identifiers.realm_required, policy.identifiers.realm_delimiter) = (true, Some(':'));
        let app = App::with(policy).start(store).await;
        for realm in ["r1", "r2"] {
            let body = json!({"email": EMAIL, "password": format!("{PASSWORD} {realm}"), "realm": realm});
            app.post("/api/users").json(body).await.expect_status(200);
        }
        for (body, status, code) in [
            (json!({"email": EMAIL, "password": "x"}), 400, "REALM_REQUIRED"),
            (json!({"password": "x"}), 400, "REALM_REQUIRED"),
            (json!({"realm": {"neq": "x"}, "email": EMAIL, "password": "x"}), 400, "INVALID_REALM"),
            (json!({"email": format!("r1:{EMAIL}"), "password": format!("{PASSWORD} r1")}), 200, ""),
            (json!({"email": format!("r1:{EMAIL}"), "realm": "r2", "password": format!("{PASSWORD} r1")}), 200, ""),
            (json!({"email": EMAIL, "realm": "r2", "password": format!("{PASSWORD} r2")}), 200, ""),
            (json!({"email": EMAIL, "realm": "r2", "password": format!("{PASSWORD} r1")}), 401, "LOGIN_FAILED"),
        ] {
            let answer = app.post(LOGIN).json(&body).await;
            if status == 200 {
                answer.expect_status(200)
            } else {
                answer.expect(status, code)
            };
        }
    }

    async fn a_ttl_is_taken_as_loopback_takes_it(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        for (asked, got) in [
            ("60", 60),
            ("1", 1),
            ("0", 1_209_600),
            (r#""60""#, 60),
            (r#""""#, 1_209_600),
            ("true", 1),
            ("false", 1_209_600),
            ("31556926", 31_556_926),
            ("31556927", 31_556_926),
            ("99999999999", 31_556_926),
            // In LoopBack this ended the process.
            ("null", 1_209_600),
        ] {
            assert_token(&app, &with_ttl(&app, asked).await, got, "");
        }
    }

    /// 1.4.2, CLK-4, V-52: what LoopBack stored as it came, crashed on, or let choose the token's
    /// own fields.
    async fn a_ttl_that_is_no_whole_number_of_seconds_is_refused(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        for ttl in [
            "-1",
            "-2",
            "-9223372036854775808",
            "-1e300",
            "1.5",
            r#""1.5""#,
            r#""abc""#,
            r#""60s""#,
            r#""NaN""#,
            r#""inf""#,
            r#""-1""#,
            "[]",
            "[5]",
            "{}",
            r#"{"id":"chosen-by-client","created":"2090-01-01T00:00:00.000Z","scopes":["reset-password"],"userId":2,"ttl":60}"#,
        ] {
            with_ttl(&app, ttl).await.expect(400, "INVALID_TTL");
        }
        for ttl in ["9223372036854775807", "18446744073709551615", "1e300", r#""1e9""#] {
            assert_token(&app, &with_ttl(&app, ttl).await, 31_556_926, "");
        }
        // Not even a number, to JSON: too large for one.
        with_ttl(&app, "1e400").await.expect_error(400);
    }

    async fn a_token_that_never_ends_is_given_only_where_the_policy_allows_it(store) {
        let mut policy = Policy::loopback();
        policy.tokens.allow_eternal = true;
        let app = App::with(policy).start(store).await;
        app.sign_up().await;
        let answer = with_ttl(&app, "-1").await;
        assert_token(&app, &answer, -1, "");
        app.clock.advance(std::time::Duration::from_secs(100 * 366 * 24 * 3600));
        app.me(&answer.text("id")).await.expect_status(200);
        with_ttl(&app, "-2").await.expect(400, "INVALID_TTL");
    }

    /// 6.3.8, T-1, T-6, V-77: status, body and headers are the same, and so is the work.
    async fn an_unknown_user_and_a_wrong_password_look_and_cost_the_same(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            app.sign_up().await;
            let cost = async |email: &str, password: &str| {
                app.faults.reset();
                let before = app.auth.hasher().hashes();
                let answer = app.login(email, password).await.is(401, FAILED);
                (answer, app.auth.hasher().hashes() - before, app.faults.calls())
            };
            for password in ["a wrong one", "", &"x".repeat(5000), "nul\0"] {
                let known = cost(EMAIL, password).await;
                let unknown = cost("nobody@bar.com", password).await;
                assert_eq!(known.0.as_sent(), unknown.0.as_sent(), "{password:?}");
                assert_eq!((known.1, &known.2), (unknown.1, &unknown.2), "{password:?}");
                assert_eq!((known.1, known.2), (1, vec!["find_user_by"]), "{password:?}");
            }
        }
    }

    /// 6.2.8, V-72: neither cut, trimmed nor folded; one that is too long to be a password is
    /// simply wrong.
    async fn a_password_is_compared_as_it_was_sent(store) {
        let app = App::new(store).await;
        let password = "Ünïcode and  spaces ".to_owned() + &"long enough ".repeat(10);
        app.post("/api/users").json(json!({"email": EMAIL, "password": password})).await.expect_status(200);
        let longer = password.clone() + "x";
        let cut = password.chars().take(72).collect::<String>();
        for wrong in [
            password.trim(),
            &password.to_lowercase(),
            &longer,
            &cut,
            &format!("{password}\0"),
            &"x".repeat(1025),
            &"x".repeat(90_000),
        ] {
            app.login(EMAIL, wrong).await.is(401, FAILED);
        }
        app.login(EMAIL, &password).await.expect_status(200);
    }

    /// 7.2.2, 7.2.4
    async fn each_login_makes_a_token_of_its_own_and_keeps_the_old_ones(store) {
        let app = App::new(store).await;
        let first = app.signed_up().await;
        let second = app.login(EMAIL, PASSWORD).token(&first).await.text("id");
        assert_ne!(first, second);
        for token in [first, second] {
            app.me(&token).await.expect_status(200);
        }
    }

    /// RFC B-16, 14.3.2
    async fn a_token_is_kept_by_no_cache(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        app.login(EMAIL, PASSWORD).await.expect_status(200).expect_header("cache-control", "no-store");
        app.login(EMAIL, "wrong")
            .await
            .expect_header("content-type", "application/json; charset=utf-8")
            .is(401, FAILED);
    }

    /// 6.2.10
    async fn a_password_does_not_age(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        app.clock.advance(std::time::Duration::from_secs(10 * 366 * 24 * 3600));
        app.login(EMAIL, PASSWORD).await.expect_status(200);
    }

    /// Contract, surprise 6: LoopBack looks at a token on routes that need none. The default policy
    /// does not.
    async fn an_expired_token_fails_an_open_route_only_under_loopbacks_policy(store) {
        for (policy, first) in [(Policy::loopback(), 401), (Policy::default(), 200)] {
            let app = App::with(policy).start(store).await;
            app.sign_up().await;
            let token = with_ttl(&app, "1").await.text("id");
            app.login(EMAIL, PASSWORD).token(&token).await.expect_status(200);
            app.clock.advance(std::time::Duration::from_secs(1));
            let answer = app.login(EMAIL, PASSWORD).token(&token).await.expect_status(first);
            if first == 401 {
                answer.is(401, r#"{"error":{"statusCode":401,"name":"Error","message":"Invalid Access Token","code":"INVALID_TOKEN"}}"#);
            }
            // It was removed on the way, and an unknown one is nobody's.
            app.login(EMAIL, PASSWORD).token(&token).await.expect_status(200);
            app.login(EMAIL, PASSWORD).token("bogus").await.expect_status(200);
        }
    }

    /// Contract, surprise 6.
    async fn a_token_for_other_scopes_fails_an_open_route_under_loopbacks_policy(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let scoped =
            app.auth.issue_token(&UserId::from(1), gatekit::IssueToken::default().scopes(["other"])).await.unwrap();
        app.login(EMAIL, PASSWORD).token(scoped.secret.expose()).await.expect(401, "AUTHORIZATION_REQUIRED");
    }
}

#[tokio::test]
async fn a_hook_that_refuses_is_403_and_makes_no_token() {
    struct Closed;
    #[gatekit::async_trait]
    impl gatekit::Hooks<gatekit::User> for Closed {
        async fn before_login(&self, _: &gatekit::User) -> Result<(), gatekit::HookVeto> {
            Err(gatekit::HookVeto::new("CLOSED", "We are closed"))
        }
    }
    let store = gatekit_testkit::FaultyStore::new(gatekit::MemoryStore::new());
    let faults = store.faults();
    let auth: gatekit::Auth =
        gatekit::Auth::builder(store).hasher(gatekit_testkit::fast_hasher()).hooks(Closed).build().unwrap();
    let router = gatekit_tests::routes_of("/api/users", &auth).layer(gatekit::AuthLayer::new(auth));
    let body = json!({"email": EMAIL, "password": PASSWORD});
    Call::new(&router, "POST", "/api/users").json(&body).await.expect_status(200);
    let answer = Call::new(&router, "POST", LOGIN).json(&body).await;
    answer.is(403, r#"{"error":{"statusCode":403,"name":"Error","message":"We are closed","code":"CLOSED"}}"#);
    assert!(!faults.calls().contains(&"insert_token"));
    // Who does not know the password does not learn that it is closed.
    let wrong: Value = json!({"email": EMAIL, "password": "wrong"});
    Call::new(&router, "POST", LOGIN).json(wrong).await.is(401, FAILED);
}
