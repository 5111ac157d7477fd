//! Bodies, good and bad, at every route that reads one.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use gatekit::Policy;
use gatekit_tests::{App, EMAIL, PASSWORD, deflate, gzip, half_a_body, on_every_store};
use http_body::Frame;
use serde_json::json;

/// Every route that reads a body.
const ROUTES: [&str; 6] = [
    "/api/users",
    "/api/users/login",
    "/api/users/logout",
    "/api/users/reset",
    "/api/users/reset-password",
    "/api/users/change-password",
];

on_every_store! {
    /// LOAD-3, V-136, FUZZ-9
    async fn a_body_of_a_megabyte_is_413_and_hashes_nothing(store) {
        let app = App::loopback(store).await;
        let too_large =
            r#"{"error":{"statusCode":413,"name":"PayloadTooLargeError","message":"request entity too large"}}"#;
        let megabyte = "x".repeat(1 << 20);
        for path in ROUTES {
            for field in ["email", "username", "password", "ttl", "other"] {
                let body = json!({field: megabyte, "newPassword": "x", "oldPassword": "x"});
                app.post(path).json(body).await.is(413, too_large);
            }
            app.post(path).form(&format!("email={megabyte}")).await.is(413, too_large);
            app.post(path).json(format!("{{}}{}", " ".repeat(102_399))).await.is(413, too_large);
        }
        assert_eq!(app.auth.hasher().hashes(), 0);
        app.post(ROUTES[1]).json(format!("{{}}{}", " ".repeat(102_398))).await.expect(400, "USERNAME_EMAIL_REQUIRED");
    }

    /// FUZZ-9
    async fn a_body_that_is_no_json_is_400_and_is_not_quoted(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let syntax_error =
            |message: &str| format!(r#"{{"error":{{"statusCode":400,"name":"SyntaxError","message":"{message}"}}}}"#);
        let hashes = app.auth.hasher().hashes();
        for path in ROUTES {
            for token in ["", "bogus", &token] {
                app.post(path)
                    .token(token)
                    .json("{")
                    .await
                    .is(400, &syntax_error("Expected property name or '}' in JSON at position 1"));
                app.post(path)
                    .token(token)
                    .json(r#"{"email":"#)
                    .await
                    .is(400, &syntax_error("Unexpected end of JSON input"));
                app.post(path)
                    .token(token)
                    .json(r#"{"email":"foo@bar.com","password":"hunter22"#)
                    .await
                    .is(400, &syntax_error("Unexpected end of JSON input"));
                let broken: [&[u8]; 8] = [
                    b"{'email':'hunter22'}",
                    b"hunter22",
                    b"{\"password\":\"hunter22\"}}",
                    b"\xff\xfe",
                    b"{\"password\":\"hunter22\xff\"}",
                    b"\"\\ud800\"",
                    b"{\"password\":\"hunter22\0\"}",
                    b"{\"a\":1e999999}",
                ];
                for body in broken {
                    let answer = app.post(path).token(token).body("application/json", body).await.expect_error(400);
                    assert!(!answer.body.contains("hunter22"), "{}", answer.body);
                }
            }
        }
        assert_eq!(app.auth.hasher().hashes(), hashes);
        app.me(&token).await.expect_status(200);
    }

    /// LOAD-4
    async fn a_body_nested_without_end_is_400(store) {
        let app = App::loopback(store).await;
        for path in ROUTES {
            app.post(path).json("[".repeat(50_000)).await.expect_error(400);
            app.post(path).json(format!("{}{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000))).await.expect_error(400);
        }
        let deep = format!("email{}=x&password=y", "[a]".repeat(20_000));
        app.post("/api/users/login").form(&deep).await.expect(400, "INVALID_EMAIL");
        let many = "a=1&".repeat(25_000);
        app.post("/api/users/login").form(&many).await.expect(400, "USERNAME_EMAIL_REQUIRED");
    }

    /// 3.5.2, V-126: a form of another site cannot send JSON as text.
    async fn a_body_of_another_type_is_no_body(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let body = json!({"email": EMAIL, "password": PASSWORD}).to_string();
        for content_type in [
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/vnd.api+json",
            "application/jsonx",
            "text/json",
            "",
            "\u{e9}",
            "json",
        ] {
            app.post("/api/users/login").body(content_type, body.clone()).await.expect(400, "USERNAME_EMAIL_REQUIRED");
        }
        app.post("/api/users/login").bare_body(body.clone()).await.expect(400, "USERNAME_EMAIL_REQUIRED");
        for content_type in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json ; x=y",
        ] {
            app.post("/api/users/login").body(content_type, body.clone()).await.expect_status(200);
        }
    }

    async fn a_charset_or_encoding_that_is_not_read_is_415(store) {
        let app = App::loopback(store).await;
        let unsupported = |message: &str| {
            format!(
                r#"{{"error":{{"statusCode":415,"name":"UnsupportedMediaTypeError","message":"unsupported {message}"}}}}"#
            )
        };
        for path in ROUTES {
            app.post(path)
                .body("application/json; charset=iso-8859-1", "{}")
                .await
                .is(415, &unsupported(r#"charset \"ISO-8859-1\""#));
            app.post(path)
                .json("{}")
                .header("content-encoding", "foo")
                .await
                .is(415, &unsupported(r#"content encoding \"foo\""#));
            app.post(path)
                .json("{}")
                .header("content-encoding", "gzip")
                .header("content-encoding", "br")
                .await
                .is(415, &unsupported(r#"content encoding \"gzip, br\""#));
            app.post(path).body("application/json; charset=\"x\\", "{}").await.expect_error(415);
        }
    }

    /// Contract 2.2, measured on LoopBack 3.28.0: what its body parser unpacks.
    async fn a_compressed_body_is_read(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let (json, form) = ("application/json", "application/x-www-form-urlencoded");
        let body = json!({"email": EMAIL, "password": PASSWORD}).to_string();
        let fields = format!("email={EMAIL}&password={}", PASSWORD.replace(' ', "+"));
        let (head, tail) = body.split_at(10);
        for (encoding, content_type, packed) in [
            ("gzip", json, gzip(&body)),
            ("GZip", json, gzip(&body)),
            ("gzip", json, [gzip(head), gzip(tail)].concat()),
            ("gzip", form, gzip(&fields)),
            ("deflate", json, deflate(&body)),
            ("deflate", form, deflate(&fields)),
            ("identity", json, body.clone().into_bytes()),
            ("Identity", json, body.clone().into_bytes()),
        ] {
            let login = app.post("/api/users/login").header("content-encoding", encoding).body(content_type, packed);
            login.await.expect_status(200);
        }
        for encoding in ["gzip", "deflate"] {
            let empty = app.post("/api/users/login").header("content-encoding", encoding).json("");
            empty.await.expect(400, "USERNAME_EMAIL_REQUIRED");
        }
    }

    /// LOAD-3, V-136: the limit is for what comes out, and what is over it is not unpacked.
    async fn a_body_that_is_too_large_when_unpacked_is_413(store) {
        let app = App::loopback(store).await;
        let too_large =
            r#"{"error":{"statusCode":413,"name":"PayloadTooLargeError","message":"request entity too large"}}"#;
        let bomb = vec![b' '; 50_000_000];
        let (gzip_bomb, zlib_bomb) = (gzip(&bomb), deflate(&bomb));
        assert!(gzip_bomb.len() < 102_400 && zlib_bomb.len() < 102_400);
        let just = |spaces: usize| format!("{{}}{}", " ".repeat(spaces));
        for path in ROUTES {
            let post = |encoding, body: Vec<u8>| app.post(path).header("content-encoding", encoding).body("application/json", body);
            post("gzip", gzip_bomb.clone()).await.is(413, too_large);
            post("deflate", zlib_bomb.clone()).await.is(413, too_large);
            post("gzip", gzip(just(102_399))).await.is(413, too_large);
            post("deflate", deflate(just(102_399))).await.is(413, too_large);
            // Many small ones.
            post("gzip", gzip("").repeat(6000)).await.is(413, too_large);
            post("gzip", gzip(" ".repeat(1000)).repeat(150)).await.is(413, too_large);
        }
        for (encoding, body) in [("gzip", gzip(just(102_398))), ("deflate", deflate(just(102_398)))] {
            let login = app.post(ROUTES[1]).header("content-encoding", encoding).body("application/json", body);
            login.await.expect(400, "USERNAME_EMAIL_REQUIRED");
        }
        assert_eq!(app.auth.hasher().hashes(), 0);
    }

    /// The codes are those of LoopBack 3.28.0, and so are the texts, but for two: it tells garbage
    /// behind the end and a wrong length from other damage.
    async fn a_body_that_cannot_be_unpacked_is_400(store) {
        let app = App::loopback(store).await;
        let error = |message: &str, code: &str| {
            format!(r#"{{"error":{{"statusCode":400,"name":"Error","message":"{message}","code":"{code}"}}}}"#)
        };
        let packed = gzip(r#"{"email":"a@b.c","password":"x"}"#);
        let end = packed.len();
        let with = |at: usize, byte: u8| {
            let mut damaged = packed.clone();
            damaged[at] = byte;
            damaged
        };
        for (encoding, body, message, code) in [
            ("gzip", b"{}".to_vec(), "incorrect header check", "Z_DATA_ERROR"),
            ("gzip", deflate("{}"), "incorrect header check", "Z_DATA_ERROR"),
            ("gzip", [&packed[..], b"garbage, and more of it"].concat(), "incorrect data check", "Z_DATA_ERROR"),
            ("gzip", packed[..20].to_vec(), "unexpected end of file", "Z_BUF_ERROR"),
            ("gzip", packed[..end - 3].to_vec(), "unexpected end of file", "Z_BUF_ERROR"),
            ("gzip", with(end - 8, !packed[end - 8]), "incorrect data check", "Z_DATA_ERROR"),
            ("gzip", with(end - 2, 1), "incorrect data check", "Z_DATA_ERROR"),
            ("deflate", b"{}".to_vec(), "incorrect header check", "Z_DATA_ERROR"),
            ("deflate", deflate("{}")[..6].to_vec(), "unexpected end of file", "Z_BUF_ERROR"),
        ] {
            for path in ROUTES {
                let post = app.post(path).header("content-encoding", encoding).body("application/json", body.clone());
                post.await.is(400, &error(message, code));
            }
        }
    }

    /// FormData, Postman's form-data, `curl -F`: whoever sends it learns that it is not read, and
    /// not that something is missing.
    async fn a_body_of_a_type_that_is_not_read_is_415(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let read = "send application/json or application/x-www-form-urlencoded";
        let refused = |what: &str| {
            format!(
                r#"{{"error":{{"statusCode":415,"name":"UnsupportedMediaTypeError","message":"{what}: {read}"}}}}"#
            )
        };
        let body = json!({"email": EMAIL, "password": PASSWORD}).to_string();
        for (content_type, shown) in [
            ("multipart/form-data; boundary=x", "multipart/form-data"),
            ("text/plain;charset=UTF-8", "text/plain"),
            ("text/json", "text/json"),
            ("application/vnd.api+json", "application/vnd.api+json"),
        ] {
            for path in ROUTES {
                let wanted = refused(&format!(r#"unsupported content type \"{shown}\""#));
                app.post(path).body(content_type, body.clone()).await.is(415, &wanted);
                // However large, and however packed.
                app.post(path).body(content_type, vec![b'x'; 1 << 20]).await.is(415, &wanted);
                let packed = app.post(path).header("content-encoding", "br").body(content_type, "x");
                packed.await.is(415, &wanted);
            }
            app.post("/api/users/login").body(content_type, "").await.expect(400, "USERNAME_EMAIL_REQUIRED");
        }
        for path in ROUTES {
            app.post(path).bare_body(body.clone()).await.is(415, &refused("a body without a content type is not read"));
        }
        app.post("/api/users/login").await.expect(400, "USERNAME_EMAIL_REQUIRED");
        let long = app.post("/api/users/login").body(&format!("a/{}", "b".repeat(5000)), "x").await.expect_error(415);
        assert!(long.body.len() < 300, "{}", long.body);
    }

    async fn what_javascript_clients_send_is_read(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let body = json!({"email": EMAIL, "password": PASSWORD}).to_string();
        app.post("/api/users/login").json(format!("\u{feff}{body}")).await.expect_status(200);
        app.post("/api/users/login").json(format!("\r\n  {body} \n")).await.expect_status(200);
        app.post("/api/users/login").json(body.replacen('{', r#"{"email":"a@b.c","#, 1)).await.expect_status(200);
        let escaped = body.replace('@', "\\u0040");
        app.post("/api/users/login").json(escaped).await.expect_status(200);
    }

    async fn a_body_whose_sender_goes_away_is_400_and_does_nothing(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        for path in ROUTES {
            let body = Body::new(BrokenOff(Some(r#"{"email":"foo@bar.com","password":""#)));
            app.post(path).body("application/json", body).await.expect_error(400);
        }
    }

    /// V-136, LOAD-4: who sends half a body keeps a connection no longer than the policy says.
    async fn a_body_that_does_not_arrive_in_time_is_408_and_does_nothing(store) {
        let mut policy = Policy::loopback();
        policy.limits.body_timeout = Duration::from_millis(1);
        let app = App::with(policy).start(store).await;
        let timed_out = r#"{"error":{"statusCode":408,"name":"RequestTimeoutError","message":"request timed out"}}"#;
        for path in ROUTES {
            for kind in ["application/json", "application/x-www-form-urlencoded", "text/plain"] {
                app.post(path).body(kind, half_a_body("{\"email\":")).await.is(408, timed_out);
                app.post(path).body(kind, half_a_body("")).await.is(408, timed_out);
            }
        }
        assert_eq!(app.auth.hasher().hashes(), 0);
    }

    /// FUZZ-2: a decoder that replaces what it cannot read makes two passwords one. LoopBack's
    /// does.
    async fn a_form_that_is_not_utf_8_is_400_and_opens_nothing(store) {
        let app = App::loopback(store).await;
        let form = "application/x-www-form-urlencoded";
        let refused = r#"{"error":{"statusCode":400,"name":"BadRequestError","message":"the form is not UTF-8"}}"#;
        let bodies: [&[u8]; 6] = [
            b"email=foo@bar.com&password=p\xe9re-No\xebl-2024!",
            b"email=foo@bar.com&password=p%E9re-No%EBl-2024!",
            b"email=foo@bar.com&password=x&a[b\xff]=1",
            b"email=foo@bar.com&password=x&%ff=1",
            b"email=foo@bar.com&password=%ed%a0%80x",
            b"\xff",
        ];
        for path in ROUTES {
            for body in bodies {
                app.post(path).body(form, body).await.is(400, refused);
            }
        }
        assert_eq!(app.auth.hasher().hashes(), 0);
        let sound = "email=foo@bar.com&password=p%C3%A9re-No%C3%ABl-2024!";
        app.post("/api/users").form(sound).await.expect_status(200);
        app.login("foo@bar.com", "p\u{e9}re-No\u{eb}l-2024!").await.expect_status(200);
    }

    /// FUZZ-2, FUZZ-9: about 260 pairs in 4 KB nested a level deeper each, past what can be read
    /// back.
    async fn a_form_that_nests_without_end_is_400_and_stores_nothing(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let nested: String = (0..130).map(|n| format!("&a[b]c{n}=x&a[b]c{n}[k]=x")).collect();
        assert!(nested.len() < 4096);
        let refused = r#"{"error":{"statusCode":400,"name":"BadRequestError","message":"the parameters are nested too deep: the maximum is 16 levels"}}"#;
        for path in ROUTES {
            app.post(path).form(&format!("email=deep@bar.com&password=secret{nested}")).await.is(400, refused);
        }
        app.patch("/api/users/1").token(&token).form(&nested).await.is(400, refused);
        app.login("deep@bar.com", "secret").await.expect(401, "LOGIN_FAILED");
        app.get("/api/users/1").token(&token).await.expect_status(200);
        app.get(&format!("/api/users/1?x=1{nested}")).token(&token).await.expect_error(400);
        app.post(&format!("/api/users/login?x=1{nested}")).json("{}").await.expect_error(400);
    }
}

/// What a broken connection looks like to a server.
struct BrokenOff(Option<&'static str>);

impl HttpBody for BrokenOff {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(Some(match self.0.take() {
            Some(text) => Ok(Frame::data(text.into())),
            None => Err(std::io::Error::other("gone")),
        }))
    }
}
