//! `POST /api/users`.

use std::sync::Arc;

use gatekit::Policy;
use gatekit_tests::{App, EMAIL, PASSWORD, Store, on_every_store};
use serde_json::json;
use tokio::sync::Barrier;

const USERS: &str = "/api/users";

/// `ValidationError` as LoopBack writes it: the message's details, then codes and messages as JSON.
fn invalid(details: &str, codes: &str, messages: &str) -> String {
    let details = details.replace('"', "\\\"");
    format!(
        r#"{{"error":{{"statusCode":422,"name":"ValidationError","message":"The `User` instance is not valid. Details: {details}.","details":{{"context":"User","codes":{codes},"messages":{messages}}}}}}}"#
    )
}

on_every_store! {
    async fn answers_are_loopbacks_byte_for_byte(store) {
        let app = App::loopback(store).await;
        for (body, answer) in [
            (r#"{"email":"a1@x.com","password":"p"}"#, r#"{"email":"a1@x.com","id":1}"#),
            (
                r#"{"email":"a2@x.com","username":"a2","password":"p"}"#,
                r#"{"username":"a2","email":"a2@x.com","id":2}"#,
            ),
            // Case makes two addresses.
            (r#"{"email":"A1@X.COM","password":"p"}"#, r#"{"email":"A1@X.COM","id":3}"#),
            // An id that is no number is ignored.
            (r#"{"id":"abc","email":"a6@x.com","password":"p"}"#, r#"{"email":"a6@x.com","id":4}"#),
            (r#"{"email":"b12@localhost","password":"   "}"#, r#"{"email":"b12@localhost","id":5}"#),
            (r#"{"email":"ü@exämple.com","password":"p"}"#, r#"{"email":"ü@exämple.com","id":6}"#),
            (r#"{"email":"b18@x.com","username":5,"password":"p"}"#, r#"{"username":"5","email":"b18@x.com","id":7}"#),
            (r#"{"realm":"r","email":"r@x.com","password":"p"}"#, r#"{"realm":"r","email":"r@x.com","id":8}"#),
        ] {
            app.post(USERS)
                .json(body)
                .await
                .is(200, answer)
                .expect_header("content-type", "application/json; charset=utf-8");
        }
        app.post(USERS)
            .form("email=b25%40x.com&password=p&emailVerified=true")
            .await
            .is(200, r#"{"email":"b25@x.com","emailVerified":false,"id":9}"#);
    }

    async fn what_is_wrong_with_fields_is_told_as_loopback_tells_it(store) {
        let app = App::loopback(store).await;
        app.post(USERS).json(r#"{"email":"a1@x.com","username":"a1","password":"p"}"#).await.expect_status(200);
        let presence = |value: &str| {
            invalid(
                &format!("`email` can't be blank (value: {value})"),
                r#"{"email":["presence"]}"#,
                r#"{"email":["can't be blank"]}"#,
            )
        };
        let email = |code: &str, value: &str| {
            invalid(
                &format!("`email` is invalid (value: {value})"),
                &format!(r#"{{"email":["{code}"]}}"#),
                r#"{"email":["is invalid"]}"#,
            )
        };
        let no_password = invalid(
            "`password` can't be blank (value: undefined)",
            r#"{"password":["presence"]}"#,
            r#"{"password":["can't be blank"]}"#,
        );
        let nothing = invalid(
            "`password` can't be blank (value: undefined); `email` can't be blank (value: undefined)",
            r#"{"password":["presence"],"email":["presence"]}"#,
            r#"{"password":["can't be blank"],"email":["can't be blank"]}"#,
        );
        for (body, answer) in [
            (r#"{"password":"p"}"#, presence("undefined")),
            (r#"{"email":null,"password":"p"}"#, presence("null")),
            (r#"{"email":"","password":"p"}"#, presence(r#""""#)),
            (r#"{"email":"notanemail","password":"p"}"#, email("custom.email", r#""notanemail""#)),
            (r#"{"email":" b11@x.com ","password":"p"}"#, email("custom.email", r#"" b11@x.com ""#)),
            (r#"{"email":"b16(c)@x.com","password":"p"}"#, email("custom.email", r#""b16(c)@x.com""#)),
            (r#"{"email":5,"password":"p"}"#, email("custom.string", "5")),
            (r#"{"email":{"a":1},"password":"p"}"#, email("custom.string", "{ a: 1 }")),
            (r#"{"email":["b17@x.com"],"password":"p"}"#, email("custom.string", "[ 'b17@x.com' ]")),
            (
                r#"{"email":"a1@x.com","password":"p"}"#,
                invalid(
                    r#"`email` Email already exists (value: "a1@x.com")"#,
                    r#"{"email":["uniqueness"]}"#,
                    r#"{"email":["Email already exists"]}"#,
                ),
            ),
            (
                r#"{"email":"a9@x.com","username":"a1","password":"p"}"#,
                invalid(
                    r#"`username` User already exists (value: "a1")"#,
                    r#"{"username":["uniqueness"]}"#,
                    r#"{"username":["User already exists"]}"#,
                ),
            ),
            (
                r#"{"id":77,"email":"a2@x.com","password":"p"}"#,
                invalid("`id` can't be set (value: 77)", r#"{"id":["absence"]}"#, r#"{"id":["can't be set"]}"#),
            ),
            (r#"{"email":"b1@x.com"}"#, no_password.clone()),
            (r#"{"email":"b3@x.com","password":null}"#, no_password.clone()),
            (r#"{"email":"b4@x.com","password":123456}"#, no_password.clone()),
            (r#"{"email":"b5@x.com","password":{"a":1}}"#, no_password),
            ("{}", nothing.clone()),
            ("null", nothing.clone()),
            ("", nothing),
        ] {
            app.post(USERS).json(body).await.is(422, &answer);
        }
    }

    async fn a_password_is_measured_in_bytes_as_loopback_measures_it(store) {
        let app = App::loopback(store).await;
        let with = |password: String| app.post(USERS).json(json!({"email": "b6@x.com", "password": password}));
        let too_long = |entered: usize| {
            format!(
                r#"{{"error":{{"statusCode":422,"name":"Error","message":"The password entered was too long. Max length is 72 (entered {entered})","code":"PASSWORD_TOO_LONG"}}}}"#
            )
        };
        with(String::new()).await.is(
            422,
            r#"{"error":{"statusCode":422,"name":"Error","message":"Invalid password.","code":"INVALID_PASSWORD"}}"#,
        );
        with("x".repeat(73)).await.is(422, &too_long(73));
        with("é".repeat(37)).await.is(422, &too_long(74));
        with("x".repeat(72)).await.is(200, r#"{"email":"b6@x.com","id":1}"#);
    }

    async fn a_password_that_looks_like_a_hash_is_hashed_like_any_other(store) {
        let app = App::loopback(store).await;
        let hash = "$2a$04$DMgwOWgxWYMmNVTC8BSbZ.7RbbtsxomIZ1.pVGs3L7ow/AyG5vuhW";
        app.post(USERS).json(json!({"email": EMAIL, "password": hash})).await.expect_status(200);
        app.login(EMAIL, "bar").await.expect(401, "LOGIN_FAILED");
        app.login(EMAIL, hash).await.expect_status(200);
    }

    /// 6.2.1, 6.2.4, 6.2.5, 6.2.9, V-75, V-76
    async fn the_default_policy_asks_for_8_characters_that_are_not_common_and_allows_1024_bytes(store) {
        let app = App::new(store).await;
        let mut number = 0;
        let mut with = |password: &str| {
            number += 1;
            app.post(USERS).json(json!({"email": format!("u{number}@x.com"), "password": password}))
        };
        with("q7x2m9a").await.expect(422, "PASSWORD_TOO_SHORT");
        with(&"🦀🐙".repeat(3)).await.expect(422, "PASSWORD_TOO_SHORT");
        with("password1").await.expect(422, "PASSWORD_TOO_COMMON");
        with("q7x2m9a4").await.expect_status(200);
        with("no rules of composition").await.expect_status(200);
        with(&"🦀🐙".repeat(64)).await.expect_status(200);
        let longest: String = (0..1000).map(|number| number.to_string()).collect::<String>()[..1024].to_owned();
        with(&longest).await.expect_status(200);
        let hashes = app.auth.hasher().hashes();
        with(&format!("{longest}x")).await.expect(422, "PASSWORD_TOO_LONG");
        assert_eq!(app.auth.hasher().hashes(), hashes, "refused before it is hashed");
    }

    /// 6.2.1: NIST SP 800-63B-4 where the password is the only factor.
    async fn the_strict_policy_asks_for_15_characters(store) {
        let app = App::with(Policy::strict()).start(store).await;
        let with = |password: &str| app.post(USERS).json(json!({"email": EMAIL, "password": password}));
        with("q7x2m9a4q7x2m9").await.expect(422, "PASSWORD_TOO_SHORT");
        with("q7x2m9a4q7x2m9a").await.expect_status(200);
    }

    async fn the_default_policy_keeps_addresses_in_lower_case(store) {
        let app = App::new(store).await;
        app.post(USERS)
            .json(json!({"email": "Foo@Bar.COM", "password": PASSWORD}))
            .await
            .is(200, r#"{"email":"foo@bar.com","id":1}"#);
        app.post(USERS).json(json!({"email": "foo@bar.com", "password": PASSWORD})).await.expect_error(422);
        app.login("FOO@BAR.com", PASSWORD).await.expect_status(200);
    }

    /// 8.2.3, V-79, V-82, V-142
    async fn a_user_cannot_choose_what_is_not_its_to_choose(store) {
        let app = App::loopback(store).await;
        let body = json!({
            "email": EMAIL, "password": PASSWORD, "emailVerified": true, "verificationToken": "tok", "rev": 7, "roles": ["admin"],
            "namespace": "x", "scopes": [], "created": 0, "userId": 3, "__proto__": {"x": 1}, "constructor": "c",
        });
        app.post(USERS).json(body).await.is(200, r#"{"email":"foo@bar.com","emailVerified":false,"id":1}"#);
        let token = app.token_of(EMAIL).await;
        app.me(&token).await.is(200, r#"{"email":"foo@bar.com","emailVerified":false,"id":1}"#);
    }

    /// 7.2.4: signing up is not logging in, and sends nothing.
    async fn signing_up_makes_no_token_and_no_mail(store) {
        let app = App::loopback(store).await;
        let answer = app.post(USERS).json(json!({"email": EMAIL, "password": PASSWORD})).await.expect_status(200);
        assert!(answer.headers.get("set-cookie").is_none());
        assert!(!app.faults.calls().contains(&"insert_token"));
        assert_eq!(app.mails.attempts(), 0);
    }

    /// RACE-2
    async fn of_20_who_register_one_address_at_once_one_is_registered(store) {
        let app = Arc::new(App::new(store).await);
        let barrier = Arc::new(Barrier::new(20));
        let mut racers = Vec::new();
        for racer in 0..20 {
            let (app, barrier) = (Arc::clone(&app), Arc::clone(&barrier));
            // Some write it in capitals, which is the same address here.
            let email = if racer % 2 == 0 { "Foo@Bar.com" } else { EMAIL };
            let body = json!({"email": email, "password": format!("{PASSWORD} {racer}")});
            racers.push(tokio::spawn(async move {
                barrier.wait().await;
                app.post(USERS).json(body).await
            }));
        }
        let mut winners = Vec::new();
        for (racer, task) in racers.into_iter().enumerate() {
            let answer = task.await.unwrap();
            if answer.status == 200 {
                winners.push(racer);
            } else {
                answer.is(
                    422,
                    &invalid(
                        r#"`email` Email already exists (value: "foo@bar.com")"#,
                        r#"{"email":["uniqueness"]}"#,
                        r#"{"email":["Email already exists"]}"#,
                    ),
                );
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        for racer in 0..20 {
            let status = if winners.contains(&racer) { 200 } else { 401 };
            app.login(EMAIL, &format!("{PASSWORD} {racer}")).await.expect_status(status);
        }
    }

    /// RACE-2
    async fn of_20_who_register_one_name_at_once_one_is_registered(store) {
        let app = Arc::new(App::loopback(store).await);
        let barrier = Arc::new(Barrier::new(20));
        let racers: Vec<_> = (0..20)
            .map(|racer| {
                let (app, barrier) = (Arc::clone(&app), Arc::clone(&barrier));
                let body = json!({"email": format!("u{racer}@x.com"), "username": "Foo", "password": "p"});
                tokio::spawn(async move {
                    barrier.wait().await;
                    app.post(USERS).json(body).await.status.as_u16()
                })
            })
            .collect();
        let mut statuses = Vec::new();
        for racer in racers {
            statuses.push(racer.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![200], vec![422; 19]].concat());
    }
}

/// 1.3.11, 1.2.4, FUZZ-9: whatever is sent, it is answered as a client's mistake or taken as it is.
#[tokio::test]
async fn hostile_identifiers_are_refused_or_kept_as_they_are() {
    for store in [Store::Memory, Store::Sqlite] {
        let app = App::loopback(store).await;
        for email in [
            "a\0b@x.com",
            "a@x.com\r\nBcc: b@x.com",
            "a@x.com,b@x.com",
            "<a@x.com>",
            "a@x.com\u{0}",
            &"a".repeat(90_000),
        ] {
            app.post(USERS).json(json!({"email": email, "password": "p"})).await.expect_error(422);
            app.login(email, "p").await.expect(401, "LOGIN_FAILED");
        }
        for name in ["a\0b", "a\r\nb", &"n".repeat(513)] {
            app.post(USERS)
                .json(json!({"email": "ok@x.com", "username": name, "password": "p"}))
                .await
                .expect_error(422);
            app.post("/api/users/login")
                .json(json!({"username": name, "password": "p"}))
                .await
                .expect(401, "LOGIN_FAILED");
        }
        for (number, name) in
            ["'; DROP TABLE gatekit_users; --", "%", "_", "\"", "${7*7}", "🦀", "\u{202e}abc"].into_iter().enumerate()
        {
            let body = json!({"email": format!("ok{number}@x.com"), "username": name, "password": "p"});
            app.post(USERS).json(body).await.expect_status(200);
            app.post("/api/users/login").json(json!({"username": name, "password": "p"})).await.expect_status(200);
        }
    }
}
