//! Every wrong input of the contract's §2, at every route: none is a 5xx, none changes anything.

use gatekit::Policy;
use gatekit_tests::{App, EMAIL, PASSWORD, on_every_store};
use serde_json::json;

/// Every route that reads a body.
const WITH_BODY: [(&str, &str); 23] = [
    ("POST", "/api/users"),
    ("POST", "/api/users/login"),
    ("POST", "/api/users/logout"),
    ("POST", "/api/users/reset"),
    ("POST", "/api/users/reset-password"),
    ("POST", "/api/users/change-password"),
    ("POST", "/api/users/1/verify"),
    ("POST", "/api/users/resend-verification"),
    ("GET", "/api/users/confirm"),
    ("PATCH", "/api/users/1"),
    ("PUT", "/api/users/1"),
    ("POST", "/api/users/1/replace"),
    ("DELETE", "/api/users/1"),
    ("POST", "/api/users/change-email"),
    ("POST", "/api/users/confirm-email-change"),
    ("POST", "/api/users/delete-account"),
    ("POST", "/api/users/step-up"),
    ("POST", "/api/users/logout-everywhere"),
    ("DELETE", "/api/users/sessions/x"),
    ("GET", "/api/users/sessions"),
    ("GET", "/api/users/1"),
    ("POST", "/api/users/1/accessTokens"),
    ("DELETE", "/api/users/1/accessTokens"),
];

on_every_store! {
    /// 1.5.2, 4.2.1: a body that cannot be read is told before anything is done, as by LoopBack.
    async fn a_body_that_cannot_be_read_is_told_at_every_route(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            let token = app.signed_up().await;
            let (open, too_long) = (r#"{"password":"#.to_owned(), format!(r#"{{"email":"{}"}}"#, "x".repeat(102_400)));
            for (method, path) in WITH_BODY {
                let call = |body: &str| app.call(method, path).token(&token).json(body);
                let malformed = call(&open).await.expect_error(400);
                assert!(malformed.body.contains(r#""name":"SyntaxError""#), "{method} {path}: {malformed:?}");
                for body in ["{", "nope", "{'a':1}", r#"{"a":1}}"#, "\u{0}", r#"{"a":1e999}"#, &"[".repeat(10_000)] {
                    call(body).await.expect_error(400);
                }
                let too_large = call(&too_long).await.expect_error(413);
                assert!(too_large.body.contains(r#""name":"PayloadTooLargeError""#), "{method} {path}: {too_large:?}");
                app.call(method, path)
                    .token(&token)
                    .body("application/json; charset=ISO-8859-1", "{}")
                    .await
                    .expect_error(415);
                app.call(method, path).token(&token).header("content-encoding", "foo").json("{}").await.expect_error(415);
                app.call(method, path).token(&token).body("application/json", vec![b'"', 0xff, b'"']).await.expect_error(400);
            }
            app.me(&token).await.is(200, r#"{"username":"Foo","email":"foo@bar.com","id":1}"#);
            app.login(EMAIL, PASSWORD).await.expect_status(200);
            assert_eq!(app.mails.attempts(), 0);
        }
    }

    /// 1.5.2, 16.5.2, FUZZ-9: whatever value stands in the place of an object or of one of its
    /// members.
    async fn a_body_of_any_type_is_a_clients_matter_at_every_route(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            app.sign_up().await;
            let names = ["email", "username", "password", "realm", "ttl", "token", "newPassword", "oldPassword", "keepCurrent", "id"];
            let values = ["null", "true", "0", "-1", "1.5", r#""""#, r#""x""#, "[]", "[null]", "{}", r#"{"neq":"x"}"#, r#""\u0000""#];
            let members = names.iter().flat_map(|name| values.iter().map(move |value| format!(r#"{{"{name}":{value}}}"#)));
            let all: String = names.map(|name| format!(r#""{name}":{{"a":[1]}}"#)).join(",");
            let odd = [r#"{"__proto__":{"a":1},"constructor":1}"#.to_owned(), format!("{{{all}}}"), "[[]]".into(), "[{}]".into()];
            let bodies: Vec<String> = values.iter().map(|value| (*value).to_owned()).chain(members).chain(odd).collect();
            for (method, path) in WITH_BODY {
                // What ends the caller is left out: these are of another.
                for body in &bodies {
                    let answer = app.call(method, path).json(body).await;
                    assert!(!answer.status.is_server_error(), "{method} {path} {body}: {answer:?}");
                    if answer.status.is_client_error() {
                        let status = answer.status.as_u16();
                        answer.expect_error(status);
                    }
                }
            }
            app.login(EMAIL, PASSWORD).await.expect_status(200);
        }
    }

    /// The same by who is somebody, at the routes that ask for that.
    async fn a_body_of_any_type_is_a_users_matter_too(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            app.sign_up().await;
            let values = ["null", "true", "0", "1.5", r#""""#, r#""x""#, "[]", "[null]", "{}", r#"{"neq":"x"}"#, r#""\u0000""#];
            for (path, names) in [
                ("change-password", vec!["oldPassword", "newPassword"]),
                ("change-email", vec!["password", "email"]),
                ("confirm-email-change", vec!["token"]),
                ("delete-account", vec!["password"]),
                ("step-up", vec!["password"]),
                ("logout-everywhere", vec!["keepCurrent"]),
                ("logout", vec!["id"]),
            ] {
                for name in names {
                    for value in values {
                        let token = app.token_of(EMAIL).await;
                        for body in [value.to_owned(), format!(r#"{{"{name}":{value}}}"#), format!(r#"[{{"{name}":{value}}}]"#)] {
                            let answer = app.post(&format!("/api/users/{path}")).token(&token).json(&body).await;
                            assert!(!answer.status.is_server_error(), "{path} {body}: {answer:?}");
                        }
                    }
                }
            }
            app.login(EMAIL, PASSWORD).await.expect_status(200);
        }
    }

    /// Contract §2.2: another content type, or none, is an empty body.
    async fn a_body_of_another_content_type_is_an_empty_one_at_every_route(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let text = json!({"email": "x@x.com", "password": PASSWORD, "username": "x", "keepCurrent": "no"}).to_string();
        for (method, path) in WITH_BODY {
            if ["/api/users/logout", "/api/users/logout-everywhere"].contains(&path) || method == "DELETE" {
                continue;
            }
            let none = app.call(method, path).token(&token).await;
            for content_type in ["text/plain", "application/xml", "multipart/form-data; boundary=x", "x", "", "application/jsonx"] {
                let other = app.call(method, path).token(&token).body(content_type, text.clone()).await;
                assert_eq!(none.as_sent(), other.as_sent(), "{method} {path} {content_type}");
            }
            let bare = app.call(method, path).token(&token).bare_body(text.clone()).await;
            assert_eq!(none.as_sent(), bare.as_sent(), "{method} {path}");
        }
    }

    /// Contract §2.1, 1.1.1: a path that cannot be decoded, or names nobody.
    async fn an_id_of_any_form_is_a_clients_matter(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            let token = app.signed_up().await;
            for id in ["%zz", "%", "%1", "%ff", "%00", "%2F", "..", "%2e%2e", "9999999999999999999999", "-0", "1e3", "%F0%9F%A6%80", &"9".repeat(5000)] {
                for (method, path) in [
                    ("GET", ""),
                    ("HEAD", ""),
                    ("PATCH", ""),
                    ("PUT", ""),
                    ("DELETE", ""),
                    ("POST", "/replace"),
                    ("POST", "/verify"),
                    ("GET", "/exists"),
                    ("GET", "/accessTokens"),
                    ("DELETE", "/accessTokens/x"),
                ] {
                    let answer = app.call(method, &format!("/api/users/{id}{path}")).token(&token).json("{}").await;
                    assert!(!answer.status.is_server_error(), "{method} {id}{path}: {answer:?}");
                    assert!(path == "/verify" || answer.status.is_client_error(), "{method} {id}{path}: {answer:?}");
                }
                let answer = app.delete(&format!("/api/users/sessions/{id}")).token(&token).await;
                assert!(answer.status.is_client_error(), "{id}: {answer:?}");
            }
            app.me(&token).await.expect_status(200);
            assert_eq!(app.mails.attempts(), 0);
        }
    }
}
