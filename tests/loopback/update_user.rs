//! `PATCH /api/users/{id}`, `PUT /api/users/{id}` and `POST /api/users/{id}/replace`.

use std::future::IntoFuture;

use axum::Router;
use gatekit::core::{MailKind, UpdateUser};
use gatekit::{Auth, AuthLayer, Event, MemoryStore, Model, Policy, SqliteStore, User, UserId, UserStore};
use gatekit_testkit::{EventLog, MailSink, fast_hasher};
use gatekit_tests::{Answer, App, Call, EMAIL, Folder, PASSWORD, Store, answering, at_once, count, on_every_store};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const ONE: &str = "/api/users/1";
const NEW: &str = "staple battery horse";
const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;
const NO_PASSWORD_HERE: &str = r#"{"error":{"statusCode":401,"name":"Error","message":"Changing user password via patch/replace API is not allowed. Use changePassword() or setPassword() instead.","code":"PASSWORD_CHANGE_NOT_ALLOWED"}}"#;

/// `ValidationError` as LoopBack writes it.
fn invalid(details: &str, field: &str, code: &str, message: &str) -> String {
    let details = details.replace('"', "\\\"");
    format!(
        r#"{{"error":{{"statusCode":422,"name":"ValidationError","message":"The `User` instance is not valid. Details: {details}.","details":{{"context":"User","codes":{{"{field}":["{code}"]}},"messages":{{"{field}":["{message}"]}}}}}}}}"#
    )
}

fn bad_request(message: &str) -> String {
    format!(r#"{{"error":{{"statusCode":400,"name":"Error","message":"{message}"}}}}"#)
}

/// Of these tokens, those that live.
async fn living<'a>(app: &App, tokens: &[(&'a str, &str)]) -> Vec<&'a str> {
    let mut living = Vec::new();
    for (name, token) in tokens {
        if app.me(token).await.status == 200 {
            living.push(*name);
        }
    }
    living
}

on_every_store! {
    /// Contract §5.10. What differs is written beside it.
    async fn a_patch_is_answered_as_loopback_answers_it(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        let after = r#"{"email":"foo@bar.com","id":1}"#;
        let n3 = r#"{"username":"n3","email":"foo@bar.com","id":1}"#;
        for (body, status, answer) in [
            (r#"{"username":"newname"}"#, 200, r#"{"username":"newname","email":"foo@bar.com","id":1}"#),
            ("{}", 200, r#"{"username":"newname","email":"foo@bar.com","id":1}"#),
            ("", 200, r#"{"username":"newname","email":"foo@bar.com","id":1}"#),
            // A user of an app that declared no such field has none; LoopBack keeps and shows it.
            (r#"{"color":"red"}"#, 200, r#"{"username":"newname","email":"foo@bar.com","id":1}"#),
            (
                r#"{"id":5,"username":"n2"}"#,
                400,
                &bad_request("id cannot be updated from 1 to 5 when forceId is set to true"),
            ),
            (r#"{"id":1,"username":"n3"}"#, 200, n3),
            (r#"{"id":"1"}"#, 200, n3),
            // In LoopBack the next two are stored: anybody proves any address.
            (r#"{"emailVerified":true}"#, 200, n3),
            (r#"{"verificationToken":"abc"}"#, 200, n3),
            // LoopBack's memory connector shows `"username":null`.
            (r#"{"username":null}"#, 200, after),
            (
                r#"{"email":"nope"}"#,
                422,
                &invalid(r#"`email` is invalid (value: "nope")"#, "email", "custom.email", "is invalid"),
            ),
            (
                r#"{"email":"second@bar.com"}"#,
                422,
                &invalid(
                    r#"`email` Email already exists (value: "second@bar.com")"#,
                    "email",
                    "uniqueness",
                    "Email already exists",
                ),
            ),
            (
                r#"{"email":null}"#,
                422,
                &invalid("`email` can't be blank (value: null)", "email", "presence", "can't be blank"),
            ),
            (
                r#"{"email":""}"#,
                422,
                &invalid(r#"`email` can't be blank (value: "")"#, "email", "presence", "can't be blank"),
            ),
            (r#"{"email":5}"#, 422, &invalid("`email` is invalid (value: 5)", "email", "custom.string", "is invalid")),
            // LoopBack: 500.
            ("null", 400, &bad_request("data is a required argument")),
            ("[1]", 400, &bad_request("Value is not an object.")),
            (r#""x""#, 400, &bad_request("Value is not an object.")),
            ("5", 400, &bad_request("Value is not an object.")),
            (
                r#"{"password":""}"#,
                422,
                r#"{"error":{"statusCode":422,"name":"Error","message":"Invalid password.","code":"INVALID_PASSWORD"}}"#,
            ),
            (
                &format!(r#"{{"password":"{}"}}"#, "x".repeat(73)),
                422,
                r#"{"error":{"statusCode":422,"name":"Error","message":"The password entered was too long. Max length is 72 (entered 73)","code":"PASSWORD_TOO_LONG"}}"#,
            ),
            (r#"{"password":null}"#, 200, after),
            (r#"{"password":5}"#, 200, after),
            (r#"{"username":5}"#, 200, r#"{"username":"5","email":"foo@bar.com","id":1}"#),
            (r#"{"username":""}"#, 200, after),
        ] {
            let answer = app.patch(ONE).token(&token).json(body).await.is(status, answer);
            assert_eq!(answer.header("content-type"), "application/json; charset=utf-8", "{body}");
            if status == 200 {
                assert_eq!(answer.header("cache-control"), "no-store", "{body}");
            }
        }
        app.patch(ONE)
            .token(&token)
            .form("username=formed&emailVerified=true")
            .await
            .is(200, r#"{"username":"formed","email":"foo@bar.com","id":1}"#);
        // It is stored, and the password is the old one.
        app.get(ONE).token(&token).await.is(200, r#"{"username":"formed","email":"foo@bar.com","id":1}"#);
        app.login(EMAIL, PASSWORD).await.expect_status(200);
        let body = json!({"username": "formed", "password": PASSWORD});
        app.post("/api/users/login").json(body).await.expect_status(200);
    }

    /// Contract §5.11.
    async fn a_replace_is_answered_as_loopback_answers_it(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let blank = |field: &str| {
            invalid(&format!("`{field}` can't be blank (value: undefined)"), field, "presence", "can't be blank")
        };
        for (body, status, answer) in [
            (
                r#"{"email":"put@bar.com","password":"newpw","username":"putname"}"#,
                200,
                r#"{"username":"putname","email":"put@bar.com","id":1}"#,
            ),
            (r#"{"email":"put@bar.com"}"#, 422, blank("password").as_str()),
            (r#"{"email":"put@bar.com","password":null}"#, 422, &blank("password")),
            (r#"{"email":"put@bar.com","password":5}"#, 422, &blank("password")),
            (r#"{"password":"newpw"}"#, 422, &blank("email")),
            (
                r#"{"id":2,"email":"put@bar.com","password":"newpw"}"#,
                400,
                &bad_request("id property (id) cannot be updated from 1 to 2"),
            ),
            (
                r#"{"id":"x","email":"put@bar.com","password":"newpw"}"#,
                400,
                &bad_request("id property (id) cannot be updated from 1 to x"),
            ),
            ("null", 400, &bad_request("data is a required argument")),
            ("[]", 400, &bad_request("Value is not an object.")),
            // What is not sent is gone. In LoopBack the address is proven now.
            (
                r#"{"id":1,"email":"put@bar.com","password":"newpw","emailVerified":true}"#,
                200,
                r#"{"email":"put@bar.com","id":1}"#,
            ),
        ] {
            app.put(ONE).token(&token).json(body).await.is(status, answer);
        }
        let both = app.put(ONE).token(&token).json("{}").await.expect_error(422).value();
        assert_eq!(
            both.pointer("/error/details/codes"),
            Some(&json!({"password": ["presence"], "email": ["presence"]}))
        );
        let body = json!({"email": "put2@bar.com", "password": "newpw"});
        app.post("/api/users/1/replace").token(&token).json(&body).await.is(200, r#"{"email":"put2@bar.com","id":1}"#);
        app.put("/api/users/999").token(&token).json(&body).await.is(401, REFUSED);
        app.post("/api/users/999/replace").token(&token).json(&body).await.is(401, REFUSED);
        app.login("put2@bar.com", "newpw").await.expect_status(200);
        app.login(EMAIL, PASSWORD).await.expect(401, "LOGIN_FAILED");
    }

    /// Measured on LoopBack 3.28.0. To a PATCH every id but the own one is another, also `null`; to
    /// a PUT a value that JavaScript takes for false is no id.
    async fn the_id_in_a_body_is_the_own_one_or_refused(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let body = |id: &str| format!(r#"{{"id":{id},"email":"foo@bar.com","password":"{PASSWORD}"}}"#);
        let user = r#"{"email":"foo@bar.com","id":1}"#;
        for id in ["1", r#""1""#, "1.0", "1e0"] {
            app.put(ONE).token(&token).json(body(id)).await.is(200, user);
            app.patch(ONE).token(&token).json(format!(r#"{{"id":{id}}}"#)).await.is(200, user);
        }
        for (id, shown) in [
            ("null", "null"),
            (r#""""#, ""),
            ("0", "0"),
            ("false", "false"),
            ("true", "true"),
            ("[1]", "1"),
            ("[1,2]", "1,2"),
            ("{}", "[object Object]"),
            (r#""x""#, "x"),
            ("1.5", "1.5"),
            ("2", "2"),
        ] {
            let refused = bad_request(&format!("id cannot be updated from 1 to {shown} when forceId is set to true"));
            app.patch(ONE).token(&token).json(format!(r#"{{"id":{id}}}"#)).await.is(400, &refused);
            for request in [app.put(ONE), app.post("/api/users/1/replace")] {
                let request = request.token(&token).json(body(id));
                if ["null", r#""""#, "0", "false"].contains(&id) {
                    request.await.is(200, user);
                } else {
                    let refused = bad_request(&format!("id property (id) cannot be updated from 1 to {shown}"));
                    request.await.is(400, &refused);
                }
            }
        }
    }

    /// LoopBack's `replaceOnPUT`.
    async fn with_replace_on_put_off_a_put_is_a_patch(store) {
        let app = App::with(answering(Policy::loopback(), |answers| answers.replace_on_put = false)).start(store).await;
        let token = app.signed_up().await;
        app.put(ONE)
            .token(&token)
            .json(json!({"username": "x"}))
            .await
            .is(200, r#"{"username":"x","email":"foo@bar.com","id":1}"#);
        // POST replaces all the same.
        let body = json!({"username": "x"});
        app.post("/api/users/1/replace").token(&token).json(body).await.expect_error(422);
    }

    /// 8.2.1, 8.2.2, 2.2.3: one answer, whether or not there is such a user, and nothing changes.
    async fn nobody_changes_another(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        let body = json!({"email": "mine@bar.com", "password": NEW, "username": "mine"});
        for id in ["2", "3", "01", "1.0", "+1", "abc", "me", "99999999999999999999", "%F0%9F%A6%80"] {
            for request in [
                app.patch(&format!("/api/users/{id}")),
                app.put(&format!("/api/users/{id}")),
                app.post(&format!("/api/users/{id}/replace")),
                app.patch(&format!("/api/users/{id}?id=1")),
            ] {
                request.token(&token).json(&body).await.is(401, REFUSED);
            }
            // An id in the body is no claim to another user.
            app.patch(&format!("/api/users/{id}")).token(&token).json(json!({"id": 1})).await.is(401, REFUSED);
        }
        for request in [app.patch(ONE), app.put(ONE), app.post("/api/users/1/replace")] {
            request.json(&body).await.is(401, REFUSED);
        }
        app.patch(ONE).token("bogus").json(&body).await.is(401, REFUSED);
        app.login("second@bar.com", PASSWORD).await.expect_status(200);
        app.login(EMAIL, PASSWORD).await.expect_status(200);
    }

    /// Contract §2.4: the type of an argument is checked before authorization, that it is there
    /// after it.
    async fn a_missing_token_beats_a_missing_body_and_not_a_wrong_one(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        for path in [ONE, "/api/users/2"] {
            for method in ["PATCH", "PUT"] {
                app.call(method, path).json("[1]").await.is(400, &bad_request("Value is not an object."));
                app.call(method, path).json("{").await.expect_error(400);
                app.call(method, path).json("null").await.is(401, REFUSED);
                app.call(method, path).json("{}").await.is(401, REFUSED);
                app.call(method, path).await.is(401, REFUSED);
            }
        }
    }

    /// Contract §6.4, row by row: user 1 has the tokens A, B and C, user 2 has D.
    async fn which_tokens_a_change_ends_is_loopbacks_table(store) {
        let app = App::loopback(store).await;
        let a = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        let d = app.token_of("second@bar.com").await;
        let (mut email, mut password) = (EMAIL.to_owned(), PASSWORD.to_owned());
        for (number, (method, change, ends)) in [
            ("PATCH", json!({"username": "x"}), false),
            ("PATCH", json!({"email": EMAIL}), false),
            ("PATCH", json!({"username": "y", "email": EMAIL, "realm": null, "id": 1}), false),
            ("PATCH", json!({"password": null}), false),
            // The same plain password is a new one.
            ("PATCH", json!({"password": PASSWORD}), true),
            ("PATCH", json!({"email": "foo2@bar.com"}), true),
            ("PATCH", json!({"email": "foo3@bar.com", "password": "p3"}), true),
            ("PUT", json!({"email": "foo3@bar.com", "password": "p3"}), true),
            ("PUT", json!({"email": "foo4@bar.com", "password": "p4"}), true),
            ("POST", json!({"email": "foo5@bar.com", "password": "p4"}), true),
            // Refused: nothing happens.
            ("PATCH", json!({"email": "nope"}), false),
            ("PATCH", json!({"email": "second@bar.com", "password": "p5"}), false),
            ("PATCH", json!({"email": "foo6@bar.com", "id": 2}), false),
            ("PUT", json!({"email": "foo6@bar.com"}), false),
        ]
        .into_iter()
        .enumerate()
        {
            let login = async || app.login(&email, &password).await.expect_status(200).text("id");
            let (b, c) = (login().await, login().await);
            let tokens = [("A", a.as_str()), ("B", &b), ("C", &c), ("D", &d)];
            assert_eq!(living(&app, &tokens).await, ["A", "B", "C", "D"], "{number}");
            let path = if method == "POST" { "/api/users/1/replace" } else { ONE };
            let answer = app.call(method, path).token(&a).json(&change).await;
            let left = if ends { vec!["A", "D"] } else { vec!["A", "B", "C", "D"] };
            assert_eq!(living(&app, &tokens).await, left, "{method} {change}");
            if answer.status == 200 {
                let text = |name: &str, old: &str| change[name].as_str().unwrap_or(old).to_owned();
                (email, password) = (text("email", &email), text("password", &password));
            }
            app.login(&email, &password).await.expect_status(200);
        }
        // A token in the query is kept like any other.
        app.patch(&format!("{ONE}?access_token={a}")).json(json!({"email": "q@bar.com"})).await.expect_status(200);
        app.me(&a).await.expect_status(200);
    }

    /// 6.2.3, 7.5.1, 6.3.7: whoever finds a session open cannot take the account.
    async fn the_default_policy_lets_a_client_change_neither_password_nor_address(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        let hashes = app.auth.hasher().hashes();
        for body in [json!({"password": NEW}), json!({"password": ""}), json!({"password": "short", "username": "x"})] {
            app.patch(ONE).token(&token).json(body).await.is(401, NO_PASSWORD_HERE);
        }
        // A replace would always be one of the password.
        for body in [json!({"email": EMAIL, "password": PASSWORD}), json!({"email": EMAIL}), json!({})] {
            app.put(ONE).token(&token).json(&body).await.is(401, NO_PASSWORD_HERE);
            app.post("/api/users/1/replace").token(&token).json(&body).await.is(401, NO_PASSWORD_HERE);
        }
        for email in ["other@bar.com", "second@bar.com", "nope", ""] {
            // The same answer for a free address, a taken one and none.
            app.patch(ONE).token(&token).json(json!({"email": email})).await.expect(403, "EMAIL_CHANGE_NOT_ALLOWED");
        }
        assert_eq!(app.auth.hasher().hashes(), hashes, "nothing was hashed");
        // A client that sends back all it was given changes nothing.
        for email in [EMAIL, "FOO@Bar.com"] {
            app.patch(ONE)
                .token(&token)
                .json(json!({"email": email, "id": 1, "username": "Bar", "password": null}))
                .await
                .is(200, r#"{"username":"Bar","email":"foo@bar.com","id":1}"#);
        }
        for email in [json!(null), json!(5), json!([EMAIL]), json!({"a": 1})] {
            app.patch(ONE).token(&token).json(json!({"email": email})).await.expect_error(422);
        }
        app.login(EMAIL, PASSWORD).await.expect_status(200);
        assert_eq!(app.mails.attempts(), 0);
    }

    /// V-82: in LoopBack a text that looks like a bcrypt hash is stored as one.
    async fn a_password_that_looks_like_a_hash_is_hashed_like_any_other(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        // Of `bar`.
        let hash = "$2a$04$DMgwOWgxWYMmNVTC8BSbZ.7RbbtsxomIZ1.pVGs3L7ow/AyG5vuhW";
        app.patch(ONE).token(&token).json(json!({"password": hash})).await.expect_status(200);
        app.login(EMAIL, "bar").await.expect(401, "LOGIN_FAILED");
        app.login(EMAIL, hash).await.expect_status(200);
        app.put(ONE).token(&token).json(json!({"email": EMAIL, "password": hash})).await.expect_status(200);
        app.login(EMAIL, "bar").await.expect(401, "LOGIN_FAILED");
        app.login(EMAIL, hash).await.expect_status(200);
    }

    /// 8.2.3, V-79: who says of itself that its address is proven has proven nothing.
    async fn no_client_sets_email_verified(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let loopback = policy == Policy::loopback();
            let app = App::with(policy).start(store).await;
            let token = app.signed_up().await;
            let claims = [json!(true), json!("true"), json!(1), json!({"a": 1}), json!([true])];
            for claim in &claims {
                app.patch(ONE).token(&token).json(json!({"emailVerified": claim})).await.expect_status(200);
                if loopback {
                    let body = json!({"email": EMAIL, "password": PASSWORD, "emailVerified": claim});
                    app.put(ONE).token(&token).json(body).await.expect_status(200);
                    let body = json!({"email": "a@x.com", "emailVerified": claim});
                    app.patch(ONE).token(&token).json(body).await.expect_status(200);
                    app.patch(ONE).token(&token).json(json!({"email": EMAIL})).await.expect_status(200);
                }
                assert_ne!(app.me(&token).await.value().get("emailVerified"), Some(&json!(true)), "{claim}");
            }
            // Nor unsets it.
            let secret = app.verification_token(1).await;
            app.confirm(1, &secret).await.expect_no_content();
            for claim in [json!(false), json!(null), json!("")] {
                app.patch(ONE).token(&token).json(json!({"emailVerified": claim})).await.expect_status(200);
                assert_eq!(app.me(&token).await.value()["emailVerified"], true, "{claim}");
            }
        }
    }

    /// V-79, LoopBack issues 3063 and 3059: only a new address has to be proven anew, whoever asks
    /// for it and whatever it says.
    async fn only_a_new_address_is_not_proven(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let secret = app.verification_token(1).await;
        app.confirm(1, &secret).await.expect_no_content();
        let verified = async |body: Value| {
            let user = app.patch(ONE).token(&token).json(body).await.expect_status(200).value();
            assert_eq!(app.me(&token).await.value(), user);
            user["emailVerified"].clone()
        };
        assert_eq!(verified(json!({"username": "x"})).await, true);
        assert_eq!(verified(json!({"email": EMAIL})).await, true);
        assert_eq!(verified(json!({"password": NEW})).await, true);
        assert_eq!(verified(json!({"email": "new@bar.com", "emailVerified": true})).await, false);
        assert_eq!(verified(json!({"emailVerified": true})).await, false);
        // Back again is a new one too.
        assert_eq!(verified(json!({"email": EMAIL})).await, false);
        // A replace that keeps the address keeps what is known of it.
        let secret = app.verification_token(1).await;
        app.confirm(1, &secret).await.expect_no_content();
        let body = json!({"email": EMAIL, "password": PASSWORD});
        app.put(ONE).token(&token).json(body).await.expect_status(200);
        assert_eq!(app.me(&token).await.value()["emailVerified"], true);
    }

    /// 6.3.7: the address that is no longer used hears of it.
    async fn a_new_address_is_told_to_the_old_one(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let _ = app.events.take();
        app.patch(ONE).token(&token).json(json!({"email": "new@bar.com"})).await.expect_status(200);
        let mail = app.mails.next().await;
        assert_eq!((mail.kind, mail.to.as_str(), mail.link), (MailKind::EmailChanged, EMAIL, None));
        assert!(!mail.text.contains("new@bar.com"), "who has the old address need not know the new one");
        let events = app.events.take();
        assert!(
            matches!(&events[..], [Event::UserUpdated { .. }, Event::EmailChanged { old: Some(old), .. }] if old == EMAIL),
            "{events:?}"
        );
        app.patch(ONE).token(&token).json(json!({"password": NEW})).await.expect_status(200);
        let events = app.events.take();
        assert!(
            matches!(&events[..], [Event::UserUpdated { .. }, Event::PasswordChanged { by_reset: false, .. }]),
            "{events:?}"
        );
        assert_eq!(app.mails.attempts(), 1);
    }

    /// 1.5.2, 16.5.2, FUZZ-9: no value of any type at any field is a 5xx.
    async fn values_of_every_type_at_every_field_are_a_clients_matter(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            let token = app.signed_up().await;
            let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
            let long = format!(r#""{}""#, "x".repeat(5000));
            let values = [
                "null", "true", "false", "0", "-1", "1.5", "1e300", "9223372036854775808", r#""""#, r#""x""#, "[]", "[1]",
                "{}", r#"{"a":1}"#, r#"{"neq":"x"}"#, r#""\u0000""#, r#""a\r\nBcc: x@x.com""#, r#""<a@x.com>""#, r#""🦀""#,
                r#""\ud800""#, &deep, &long,
            ];
            let fields = [
                "id", "email", "username", "realm", "password", "emailVerified", "verificationToken", "rev", "namespace",
                "__proto__", "constructor", "toString", "", "profile", "accessTokens", "created",
            ];
            for field in fields {
                for value in values {
                    for (method, path) in [("PATCH", ONE), ("PUT", ONE), ("POST", "/api/users/1/replace")] {
                        let body = format!(r#"{{"{field}":{value}}}"#);
                        let answer = app.call(method, path).token(&token).json(&body).await;
                        assert!(
                            [200, 400, 401, 403, 422].contains(&answer.status.as_u16()),
                            "{method} {}: {answer:?}",
                            &body[..body.len().min(80)]
                        );
                        assert!(answer.body.len() < 2000, "{field} {}: it repeats all that was sent", &value[..value.len().min(20)]);
                    }
                }
            }
            // It is still its user, whose address and token are what they were (its password may be
            // another).
            let user = app.me(&token).await.expect_status(200).value();
            assert_eq!((&user["id"], &user["email"]), (&json!(1), &json!(EMAIL)));
            assert_ne!(user.get("emailVerified"), Some(&json!(true)));
        }
    }

    async fn names_that_are_too_long_or_hold_control_characters_are_refused(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        for field in ["username", "realm"] {
            for value in ["a\0b", "a\r\nb", "\u{1b}[2J", &"n".repeat(513)] {
                app.patch(ONE).token(&token).json(json!({field: value})).await.expect_error(422);
            }
            for value in ["'; DROP TABLE gatekit_users; --", "%", "_", "🦀"] {
                let user = app.patch(ONE).token(&token).json(json!({field: value})).await.expect_status(200).value();
                assert_eq!(user[field], value);
            }
        }
        for email in ["a\0b@x.com", "a@x.com\r\nBcc: b@x.com", "a@x.com,b@x.com", "<a@x.com>"] {
            app.patch(ONE).token(&token).json(json!({"email": email})).await.expect_error(422);
        }
    }

    /// 15.4.2: neither is lost.
    async fn changes_of_different_fields_at_the_same_time_both_survive(store) {
        for round in 0..10 {
            let app = App::loopback(store).await;
            let token = app.signed_up().await;
            let secret = app.verification_token(1).await;
            let answers = at_once([
                app.patch(ONE).token(&token).json(json!({"username": "both"})),
                app.patch(ONE).token(&token).json(json!({"realm": "r"})),
                app.patch(ONE).token(&token).json(json!({})),
                app.confirm(1, &secret),
            ])
            .await;
            assert_eq!((count(&answers, 200), count(&answers, 204)), (3, 1), "{round}: {answers:?}");
            app.me(&token)
                .await
                .is(200, r#"{"realm":"r","username":"both","email":"foo@bar.com","emailVerified":true,"id":1}"#);
        }
    }

    /// 15.4.2: an address and a password in one moment; both are the user's afterwards.
    async fn a_password_and_an_address_at_the_same_time_both_survive(store) {
        for round in 0..5 {
            let app = App::loopback(store).await;
            let token = app.signed_up().await;
            let other = app.token_of(EMAIL).await;
            let answers = at_once([
                app.patch(ONE).token(&token).json(json!({"password": NEW})),
                app.patch(ONE).token(&token).json(json!({"email": "new@bar.com"})),
            ])
            .await;
            // One may find that the other came first: before it was let in, or after.
            let refused = count(&answers, 409) + count(&answers, 401);
            assert!(count(&answers, 200) + refused == 2 && count(&answers, 200) >= 1, "{round}: {answers:?}");
            app.me(&token).await.expect_status(200);
            let email = if answers[1].status == 200 { "new@bar.com" } else { EMAIL };
            let password = if answers[0].status == 200 { NEW } else { PASSWORD };
            app.login(email, password).await.expect_status(200);
            app.me(&other).await.expect_status(401);
        }
    }

    /// RACE-2
    async fn of_20_who_take_one_name_at_once_one_has_it(store) {
        let app = App::loopback(store).await;
        let mut tokens = Vec::new();
        for user in 0..20 {
            let email = format!("u{user}@x.com");
            app.sign_up_as(&email).await;
            tokens.push(app.token_of(&email).await);
        }
        for body in [json!({"username": "Foo"}), json!({"email": "wanted@x.com"})] {
            let calls =
                tokens.iter().zip(1..).map(|(token, id)| app.patch(&format!("/api/users/{id}")).token(token).json(&body));
            let answers = at_once(calls).await;
            assert_eq!((count(&answers, 200), count(&answers, 422)), (1, 19), "{body}");
            for answer in answers.into_iter().filter(|answer| answer.status == 422) {
                let codes = answer.expect_error(422).value()["error"]["details"]["codes"].clone();
                let field = body.as_object().unwrap().keys().next().unwrap();
                assert_eq!(codes, json!({field: ["uniqueness"]}));
            }
        }
        let mut have = 0;
        for token in &tokens {
            have += usize::from(app.me(token).await.value()["username"] == "Foo");
        }
        assert_eq!(have, 1);
    }

    /// The same request sent twice, as a button is pressed twice, takes nothing from itself.
    async fn the_same_change_sent_several_times_at_once_is_one_change(store) {
        for round in 0..10 {
            let app = App::loopback(store).await;
            let token = app.signed_up().await;
            let body = json!({"username": "Bar", "email": EMAIL});
            let answers = at_once((0..6).map(|_| app.patch(ONE).token(&token).json(&body))).await;
            assert_eq!(count(&answers, 200), 6, "{round}: {answers:?}");
        }
    }

    /// 20 changes of one user at once: each is made or answered as a conflict, and none half.
    async fn twenty_changes_of_one_user_at_once_are_each_made_or_refused(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let calls = (0..20).map(|n| app.patch(ONE).token(&token).json(json!({"username": format!("n{n}")})));
        let answers = at_once(calls).await;
        assert_eq!(count(&answers, 200) + count(&answers, 409), 20, "{answers:?}");
        assert!(count(&answers, 200) >= 1);
        let name = app.me(&token).await.text("username");
        let winner: usize = name[1..].parse().unwrap();
        assert_eq!(answers[winner].status, 200);
    }
}

/// Fields of an app's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Profile {
    #[serde(default)]
    city: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    age: Option<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

impl Model for Profile {}

type Member = User<Profile>;

/// An app whose users have fields of its own.
struct Members {
    auth: Auth<Member>,
    router: Router,
    _folder: Option<Folder>,
}

impl Members {
    async fn start(store: Store, policy: Policy) -> Self {
        match store {
            Store::Memory => Self::assemble(MemoryStore::new(), None, policy),
            Store::Sqlite => {
                let folder = Folder::new();
                let store = SqliteStore::open(folder.database()).await.unwrap();
                Self::assemble(store, Some(folder), policy)
            }
        }
    }

    fn assemble<S>(store: S, folder: Option<Folder>, policy: Policy) -> Self
    where
        S: UserStore<Member>
            + gatekit::TokenStore
            + gatekit::OneTimeStore
            + gatekit::RoleStore
            + gatekit::DeviceStore
            + gatekit::CounterStore
            + Clone,
    {
        let auth = Auth::builder(store).policy(policy).hasher(fast_hasher());
        let auth = auth.mailer(MailSink::new()).hooks(EventLog::new()).build().unwrap();
        let routes = gatekit::routes::all(&auth);
        let router = Router::new().nest("/api/users", routes).layer(AuthLayer::new(auth.clone()));
        Self { auth, router, _folder: folder }
    }

    fn call(&self, method: &str, path: &str) -> Call {
        Call::new(&self.router, method, path)
    }

    async fn signed_up(&self) -> String {
        let body = json!({"email": EMAIL, "password": PASSWORD, "city": "Ulm", "age": 42});
        self.call("POST", "/api/users").json(&body).await.expect_status(200);
        self.call("POST", "/api/users/login").json(&body).await.text("id")
    }
}

on_every_store! {
    async fn fields_of_the_apps_own_are_changed_one_by_one_and_replaced_together(store) {
        let app = Members::start(store, Policy::loopback()).await;
        let token = app.signed_up().await;
        let patch = async |body: Value| app.call("PATCH", ONE).token(&token).json(body).await;
        patch(json!({"username": "x"}))
            .await
            .is(200, r#"{"username":"x","email":"foo@bar.com","id":1,"city":"Ulm","age":42}"#);
        patch(json!({"city": "Bonn", "color": "red"}))
            .await
            .is(200, r#"{"username":"x","email":"foo@bar.com","id":1,"city":"Bonn","age":42}"#);
        patch(json!({"age": null})).await.is(200, r#"{"username":"x","email":"foo@bar.com","id":1,"city":"Bonn"}"#);
        patch(json!({"tags": ["a"], "email": "new@bar.com"}))
            .await
            .is(200, r#"{"username":"x","email":"new@bar.com","id":1,"city":"Bonn","tags":["a"]}"#);
        for (body, field) in [(json!({"age": 256}), "256"), (json!({"city": 5}), "5"), (json!({"tags": "a"}), "a")] {
            let answer = patch(body).await.expect_error(422);
            assert!(answer.body.contains("ValidationError"), "{field}: {answer:?}");
        }
        app.call("GET", ONE)
            .token(&token)
            .await
            .is(200, r#"{"username":"x","email":"new@bar.com","id":1,"city":"Bonn","tags":["a"]}"#);
        let body = json!({"email": "new@bar.com", "password": "p", "age": 7});
        app.call("PUT", ONE).token(&token).json(body).await.is(200, r#"{"email":"new@bar.com","id":1,"city":"","age":7}"#);
        app.call("GET", ONE).token(&token).await.is(200, r#"{"email":"new@bar.com","id":1,"city":"","age":7}"#);
    }

    async fn fields_of_the_apps_own_survive_all_that_is_not_about_them(store) {
        let app = Members::start(store, Policy::loopback()).await;
        let token = app.signed_up().await;
        app.call("PATCH", ONE).token(&token).json(json!({"email": "n@x.com", "password": NEW})).await.expect_status(200);
        let body = json!({"oldPassword": NEW, "newPassword": PASSWORD});
        app.call("POST", "/api/users/change-password").token(&token).json(body).await.expect_no_content();
        app.call("POST", "/api/users/logout-everywhere").token(&token).json(json!({"keepCurrent": true})).await.expect_no_content();
        app.call("GET", ONE).token(&token).await.is(200, r#"{"email":"n@x.com","id":1,"city":"Ulm","age":42}"#);
    }

    /// 15.4.2
    async fn two_fields_of_the_apps_own_at_the_same_time_both_survive(store) {
        for _ in 0..10 {
            let app = Members::start(store, Policy::default()).await;
            let token = app.signed_up().await;
            let patch = |body: Value| app.call("PATCH", ONE).token(&token).json(body);
            let answers = at_once([patch(json!({"city": "Bonn"})), patch(json!({"age": 43})), patch(json!({"tags": ["x"]}))]).await;
            assert_eq!(count(&answers, 200), 3, "{answers:?}");
            app.call("GET", ONE)
                .token(&token)
                .await
                .is(200, r#"{"email":"foo@bar.com","id":1,"city":"Bonn","age":43,"tags":["x"]}"#);
        }
    }

    /// What code may, and a client may not.
    async fn the_app_itself_may_say_that_an_address_is_proven(store) {
        let app = Members::start(store, Policy::default()).await;
        let token = app.signed_up().await;
        let changes = json!({"emailVerified": true, "email": "new@bar.com", "password": NEW}).as_object().unwrap().clone();
        let update = gatekit::UpdateUser::patch(UserId::from(1), changes).trusted();
        let user = app.auth.update_user(update).await.unwrap();
        assert_eq!((user.email.as_deref(), user.email_verified), (Some("new@bar.com"), Some(true)));
        app.call("GET", ONE).token(&token).await.expect_status(401);
        let body = json!({"email": "new@bar.com", "password": NEW});
        app.call("POST", "/api/users/login").json(body).await.expect_status(200);
    }
}

/// LoopBack's SQL connectors: what is not set is `null` in a loaded user, and absent from one that
/// was made or replaced just now.
#[tokio::test]
async fn with_null_members_a_loaded_user_has_all_of_its_members() {
    let rules = answering(Policy::loopback(), |answers| answers.null_members = true);
    for store in [Store::Memory, Store::Sqlite] {
        let app = App::with(rules.clone()).start(store).await;
        app.post("/api/users")
            .json(json!({"email": EMAIL, "password": PASSWORD}))
            .await
            .is(200, r#"{"email":"foo@bar.com","id":1}"#);
        let token = app.token_of(EMAIL).await;
        let null = r#"{"realm":null,"username":null,"email":"foo@bar.com","emailVerified":null,"id":1}"#;
        app.get(ONE).token(&token).await.is(200, null);
        app.patch(ONE).token(&token).json("{}").await.is(200, null);
        app.patch(ONE)
            .token(&token)
            .json(json!({"username": "x"}))
            .await
            .is(200, r#"{"realm":null,"username":"x","email":"foo@bar.com","emailVerified":null,"id":1}"#);
        let body = json!({"email": EMAIL, "password": PASSWORD});
        app.put(ONE).token(&token).json(body).await.is(200, r#"{"email":"foo@bar.com","id":1}"#);
        let answer =
            app.post("/api/users/login?include=user").json(json!({"email": EMAIL, "password": PASSWORD})).await;
        assert!(answer.body.ends_with(&format!(r#""user":{null}}}"#)), "{answer:?}");
        let secret = app.change_email_token(&token, "new@bar.com").await;
        app.confirm_email_change(&secret)
            .await
            .is(200, r#"{"realm":null,"username":null,"email":"new@bar.com","emailVerified":true,"id":1}"#);
    }
}

/// LoopBack's `currentUserLiteral`.
#[tokio::test]
async fn a_literal_stands_for_the_caller_where_the_policy_has_one() {
    for preset in [Policy::default(), Policy::loopback()] {
        let rules = answering(preset.clone(), |answers| answers.current_user_literal = Some("me"));
        let app = App::with(rules).start(Store::Memory).await;
        let token = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        let second = app.token_of("second@bar.com").await;
        let user = r#"{"username":"Foo","email":"foo@bar.com","id":1}"#;
        app.get("/api/users/me").token(&token).await.is(200, user);
        app.get(&format!("/api/users/me?access_token={token}")).await.is(200, user);
        app.get("/api/users/me").token(&second).await.is(200, r#"{"email":"second@bar.com","id":2}"#);
        app.get("/api/users/1?redirect=/me").token(&token).await.is(200, user);
        app.patch("/api/users/me")
            .token(&token)
            .json(json!({"username": "me-name", "id": 1}))
            .await
            .is(200, r#"{"username":"me-name","email":"foo@bar.com","id":1}"#);
        for (method, path) in [
            ("GET", "/api/users/me"),
            ("PATCH", "/api/users/me"),
            ("DELETE", "/api/users/me"),
            ("POST", "/api/users/me/verify"),
        ] {
            app.call(method, path).await.is(401, REFUSED);
            app.call(method, path).token("bogus").await.is(401, REFUSED);
        }
        for path in ["/api/users/ME", "/api/users/men", "/api/users/me/exists", "/api/users/me%00"] {
            app.get(path).token(&token).await.is(401, REFUSED);
        }
        // An open route, which otherwise does not ask who calls.
        let before = app.mails.mails().len();
        app.post("/api/users/me/verify").token(&token).await.expect_no_content();
        assert_eq!(app.mails.wait_for(before + 1).await[before].to, EMAIL);
        let removed = app.delete("/api/users/me").token(&second).json(json!({"password": PASSWORD})).await;
        removed.is(200, r#"{"count":1}"#);
        app.get("/api/users/me").token(&second).await.is(401, REFUSED);
        app.get("/api/users/me").token(&token).await.expect_status(200);

        let app = App::with(preset).start(Store::Memory).await;
        let token = app.signed_up().await;
        app.get("/api/users/me").token(&token).await.is(401, REFUSED);
    }
}

/// Changes that wait for the hasher while the account is changed under them: one of user 1 with the
/// password [`NEW`] and `more`, and `meanwhile`.
fn changed_under_it(policy: Policy, more: Value, meanwhile: impl AsyncFn(&App, &str)) -> (App, String, Answer) {
    // One thread to hash on, which the test keeps busy for as long as it needs.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let app = App::with(policy).start(Store::Memory).await;
        let token = app.signed_up().await;
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || wait.recv());
        let mut body = more;
        body["password"] = NEW.into();
        let change = tokio::spawn(app.patch(ONE).token(&token).json(body).into_future());
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert!(app.faults.calls().ends_with(&["find_user"]), "it has been read: {:?}", app.faults.calls());
        meanwhile(&app, &token).await;
        go_on.send(()).unwrap();
        busy.await.unwrap().unwrap();
        let answer = change.await.unwrap();
        (app, token, answer)
    })
}

/// V-78: a client that sends all it knows of a user does not bring an old address back.
#[test]
fn an_address_that_changed_meanwhile_is_another_one() {
    let mut policy = Policy::default();
    policy.passwords.reject_changes_via_patch_or_replace = false;
    let meanwhile = async |app: &App, _: &str| {
        let changes = json!({"email": "new@bar.com"}).as_object().unwrap().clone();
        let update = gatekit::UpdateUser::patch(UserId::from(1), changes).trusted().preserve_access_tokens();
        app.auth.update_user(update).await.unwrap();
    };
    let (_, _, answer) = changed_under_it(policy, json!({"email": EMAIL}), meanwhile);
    answer.expect(403, "EMAIL_CHANGE_NOT_ALLOWED");
}

/// RACE-9, 7.4.3: whose token has ended takes no account over with it, however early the request
/// came.
#[test]
fn a_token_that_ended_meanwhile_changes_no_password() {
    let meanwhile = async |app: &App, token: &str| {
        let answer = app.post("/api/users/logout-everywhere").token(token).await;
        answer.expect_no_content();
    };
    let (_, _, answer) = changed_under_it(Policy::loopback(), json!({}), meanwhile);
    answer.expect(409, "CONFLICT");
    // What ends nobody's token is no reason.
    let meanwhile = async |app: &App, token: &str| {
        app.patch(ONE).token(token).json(json!({"username": "x"})).await.expect_status(200);
    };
    let (_, _, answer) = changed_under_it(Policy::loopback(), json!({}), meanwhile);
    answer.is(200, r#"{"username":"x","email":"foo@bar.com","id":1}"#);
}

/// 8.1.1, 13.4.4: what is no route answers so, and changes nothing.
#[tokio::test]
async fn other_methods_change_nothing() {
    let app = App::loopback(Store::Memory).await;
    let token = app.signed_up().await;
    let body = json!({"email": "x@x.com", "password": NEW, "username": "x"});
    for (method, path) in [
        ("POST", ONE),
        ("GET", "/api/users/1/replace"),
        ("PUT", "/api/users/1/replace"),
        ("PATCH", "/api/users/1/replace"),
        ("TRACE", ONE),
        ("PROPFIND", ONE),
        ("POST", "/api/users/1/updateAttributes"),
    ] {
        app.call(method, path)
            .token(&token)
            .json(&body)
            .header("x-http-method-override", "PATCH")
            .await
            .expect_error(404);
    }
    app.get(&format!("{ONE}?_method=DELETE")).token(&token).await.expect_status(200);
    app.me(&token).await.is(200, r#"{"username":"Foo","email":"foo@bar.com","id":1}"#);
}

/// 6.4.3: who reads the mails of the old address has no use for them, also where the tokens stay.
#[tokio::test]
async fn secrets_that_were_mailed_end_even_if_the_tokens_stay() {
    for changes in [json!({"email": "new@bar.com"}), json!({"password": NEW})] {
        for store in [Store::Memory, Store::Sqlite] {
            let app = App::loopback(store).await;
            let token = app.signed_up().await;
            let reset = app.reset_token().await;
            let change = app.change_email_token(&token, "other@bar.com").await;
            let update = UpdateUser::patch(1, changes.as_object().unwrap().clone()).trusted().preserve_access_tokens();
            app.auth.update_user(update).await.unwrap();
            app.reset_password(&reset, "staple").await.expect(401, "AUTHORIZATION_REQUIRED");
            app.confirm_email_change(&change).await.expect(400, "INVALID_TOKEN");
            app.me(&token).await.expect_status(200);
        }
    }
}
