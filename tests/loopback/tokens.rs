//! Where a token may be, in what form, and what is not one.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatekit::{IssueToken, Policy, TokenSource, TokenSources, UserId};
use gatekit_tests::{App, EMAIL, on_every_store};

const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;

/// Credentials that are not Gatekit's.
const STRANGERS: [&str; 10] = [
    "Basic c3RhZ2luZzpodW50ZXIy",
    "Basic dXNlcjo=",
    "Bearer undefined",
    "Bearer null",
    "Bearer ",
    "undefined",
    "Bearer eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2Nsb3VkLmdvb2dsZS5jb20vaWFwIiwic3ViIjoiYWRhIn0.c2lnbmF0dXJl",
    "Bearer 0123456789abcdef0123456789abcdef",
    "Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa8=",
    "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu/s3/aws4_request, SignedHeaders=host, Signature=00",
];

on_every_store! {
    async fn a_token_is_read_in_every_form_loopbacks_clients_send(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let base64 = |text: String| STANDARD.encode(text);
        for value in [
            token.clone(),
            format!("Bearer {}", base64(token.clone())),
            format!("Bearer  {}", base64(token.clone())),
            format!("Basic {}", base64(token.clone())),
            format!("Basic {}", base64(format!("{token}:"))),
            format!("Basic {}", base64(format!(":{token}"))),
            format!("Basic {}", base64(format!("token:{token}"))),
            format!("Basic {}", base64(format!("{token}:x"))),
            format!("basic {}", base64(token.clone())),
            format!("BASIC {}", base64(token.clone())),
            // RFC 6750; LoopBack decodes this and finds nobody.
            format!("Bearer {token}"),
            // RFC 9110 §11.1; LoopBack knows no other case than its own.
            format!("bearer {token}"),
            format!("BEARER {}", base64(token.clone())),
        ] {
            for header in ["authorization", "x-access-token"] {
                app.get("/me").header(header, &value).await.expect_status(200);
                app.get("/api/users/1").header(header, &value).await.expect_status(200);
            }
        }
        app.get(&format!("/me?access_token={token}")).await.expect_status(200);
        app.get("/me").cookie(&token).await.expect_status(200);
    }

    /// The order is LoopBack's with `TokenSources::loopback()`: the first id ends the search, and
    /// so does an empty parameter.
    async fn in_loopbacks_order_the_first_place_that_has_one_counts(store) {
        let app = App::with(Policy::loopback()).sources(TokenSources::loopback()).start(store).await;
        let a = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        let b = app.token_of("second@bar.com").await;
        let path = |query: &str| format!("/api/users/1{query}");
        for (status, request) in [
            (200, app.get(&path(&format!("?access_token={a}"))).header("x-access-token", &b)),
            (401, app.get(&path(&format!("?access_token={b}"))).token(&a)),
            // An empty one ends the search, two are none.
            (401, app.get(&path("?access_token=")).token(&a)),
            (401, app.get(&path("?access_token=bogus")).token(&a)),
            (200, app.get(&path("?access_token=x&access_token=y")).token(&a)),
            (401, app.get(&path(&format!("?ACCESS_TOKEN={a}")))),
            (200, app.get(&path("")).header("x-access-token", &a).token(&b)),
            (401, app.get(&path("")).header("x-access-token", &b).token(&a)),
            (200, app.get(&path("")).header("x-access-token", "").token(&a)),
            (401, app.get(&path("")).header("x-access-token", "bogus").token(&a)),
            // Of two headers the first counts.
            (200, app.get(&path("")).token(&a).token(&b)),
            (401, app.get(&path("")).token(&b).token(&a)),
            (401, app.get(&path("")).header("access_token", &a)),
        ] {
            request.await.expect_status(status);
        }
    }

    async fn the_first_place_with_a_text_in_the_own_form_counts(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            let a = app.signed_up().await;
            app.sign_up_as("second@bar.com").await;
            let (b, unknown) = (app.token_of("second@bar.com").await, "x".repeat(64));
            let path = |query: &str| format!("/api/users/1{query}");
            for (status, request) in [
                (200, app.get(&path(&format!("?access_token={a}"))).token(&b)),
                (401, app.get(&path(&format!("?access_token={b}"))).token(&a)),
                (200, app.get(&path("?access_token=")).token(&a)),
                (200, app.get(&path("?access_token=bogus")).token(&a)),
                (401, app.get(&path(&format!("?access_token={unknown}"))).token(&a)),
                (200, app.get(&path("?access_token=x&access_token=y")).token(&a)),
                (200, app.get(&path("")).header("x-access-token", "bogus").token(&a)),
                (401, app.get(&path("")).header("x-access-token", &b).token(&a)),
                (200, app.get(&path("")).token(&a).cookie(&b)),
                (401, app.get(&path("")).token(&unknown).cookie(&a)),
                (200, app.get(&path("")).token("").cookie(&a)),
                (200, app.get(&path("")).token(&a).token(&b)),
                (401, app.get(&path("")).token(&b).token(&a)),
            ] {
                request.await.expect_status(status);
            }
        }
    }

    /// A proxy with Basic, an identity-aware proxy, a careless script: their credential beside the
    /// user's own cookie is not the user's, and is looked up in no store.
    async fn a_strangers_credential_beside_a_good_cookie_hides_nobody(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let path = "/api/users/1";
        for stranger in STRANGERS {
            for header in ["authorization", "x-access-token"] {
                app.faults.reset();
                app.get(path).header(header, stranger).cookie(&token).await.expect_status(200);
                assert_eq!(app.faults.calls()[0], "find_token_owner", "{header}: {stranger}");
                let lookups = app.faults.calls().iter().filter(|call| **call == "find_token_owner").count();
                assert_eq!(lookups, 1, "{header}: {stranger}");
                app.get("/maybe").header(header, stranger).cookie(&token).await.is(200, "a user");
                app.get("/maybe").header(header, stranger).await.is(200, "anonymous");
            }
        }
        for query in ["", "undefined", "null", "EAABsbCS1iHgBO", "a.b.c"] {
            app.get(&format!("{path}?access_token={query}")).cookie(&token).await.expect_status(200);
        }
    }

    /// 3.5.1: the token is then the cookie's, and so are the rules.
    async fn beside_a_strangers_credential_a_cookie_is_subject_to_the_cross_origin_check(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        for stranger in STRANGERS {
            let patch = || app.patch("/api/users/1").header("authorization", stranger).cookie(&token).json("{}");
            patch().header("origin", "https://evil.example").await.expect(403, "CROSS_ORIGIN_REQUEST");
            patch().header("origin", "https://app.example.com").await.expect_status(200);
        }
    }

    async fn login_and_logout_work_behind_a_strangers_credential(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let body = format!(r#"{{"email":"{EMAIL}","password":"{}"}}"#, gatekit_tests::PASSWORD);
        for stranger in STRANGERS {
            let login = app.post("/api/users/login?cookie=both").header("authorization", stranger).json(&body);
            let token = login.await.expect_status(200).text("id");
            app.me(&token).await.expect_status(200);
            app.post("/api/users/logout").header("authorization", stranger).cookie(&token).await.expect_no_content();
            app.me(&token).await.is(401, REFUSED);
        }
    }

    /// 7.2.1, 7.2.3, V-44, FUZZ-1
    async fn a_token_that_differs_in_anything_is_nobodys(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let mut others = vec![
            token.to_lowercase(),
            token.to_uppercase(),
            format!("{token}x"),
            format!("x{token}"),
            token.repeat(2),
            format!("{token}\0").replace('\0', "%00"),
        ];
        for at in 0..token.len() {
            others.push(token[..at].to_owned());
            others.push(token[at + 1..].to_owned());
            let mut other = token.clone().into_bytes();
            other[at] = if other[at] == b'a' { b'b' } else { b'a' };
            others.push(String::from_utf8(other).unwrap());
        }
        for other in others {
            if other != token {
                app.me(&other).await.is(401, REFUSED);
            }
        }
        app.me(&token).await.expect_status(200);
    }

    /// FUZZ-2, V-123, 9.1.3: whatever stands there, it is 401.
    async fn what_is_no_token_is_401_and_nothing_else(store) {
        let app = App::loopback(store).await;
        let long = "x".repeat(64 * 1024);
        let values: [&[u8]; 16] = [
            b"\xc3\xa9\xc3\xa9",
            b"\xff\xfe\xfd",
            b"Bearer \xf0\x9f\xa6\x80",
            b"Bearer",
            b"Bearer ",
            b"Basic",
            b"Basic ====",
            b"Basic Og==",
            b"Basic \xff",
            b"Token x",
            b"$anonymous",
            b"__proto__",
            b"' OR 1=1 --",
            b"Digest username=\"x\"",
            b"\t",
            long.as_bytes(),
        ];
        for value in values {
            for header in ["authorization", "x-access-token", "cookie"] {
                app.get("/me").header(header, value).await.is(401, REFUSED);
                app.get("/maybe").header(header, value).await.is(200, "anonymous");
            }
            let mut cookie = b"__Host-access_token=".to_vec();
            cookie.extend(value);
            app.get("/me").header("cookie", cookie).await.is(401, REFUSED);
        }
        for query in [
            "access_token=%00",
            "access_token=%ff",
            "access_token=%",
            "access_token",
            "access_token=a%20b",
            "&&access_token==",
            "access_token[]=x",
        ] {
            app.get(&format!("/me?{query}")).await.is(401, REFUSED);
        }
        for many in [1, 1000] {
            let cookies = (0..many).map(|n| format!("c{n}=v")).collect::<Vec<_>>().join("; ");
            app.get("/me").header("cookie", cookies).await.is(401, REFUSED);
        }
    }

    /// LOAD-5, V-47: 10,000 of them are 10,000 times 401, and leave nothing behind.
    async fn random_tokens_are_401_each_and_never_5xx(store) {
        let app = Arc::new(App::new(store).await);
        let token = app.signed_up().await;
        app.faults.reset();
        let tasks: Vec<_> = (0..4_u64)
            .map(|task| {
                let app = Arc::clone(&app);
                tokio::spawn(async move {
                    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ task);
                    for _ in 0..2500 {
                        let (value, as_is) = random.token();
                        let request = if as_is {
                            app.get("/me").token(&value)
                        } else {
                            app.get(&format!("/me?access_token={value}"))
                        };
                        request.await.is(401, REFUSED);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(app.faults.calls().iter().all(|call| *call == "find_token_owner"), "nothing is written");
        app.me(&token).await.expect_status(200);
    }

    /// 7.4.1: it is removed on the way, so that it is unknown the second time.
    async fn a_token_is_good_strictly_before_its_end(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let body = format!(r#"{{"email":"{EMAIL}","password":"{}","ttl":60}}"#, gatekit_tests::PASSWORD);
        let token = app.post("/api/users/login").json(body).await.text("id");
        app.clock.advance(Duration::from_millis(59_999));
        app.me(&token).await.expect_status(200);
        app.clock.advance(Duration::from_millis(1));
        app.get("/maybe").await.is(200, "anonymous");
        app.me(&token).await.expect(401, "INVALID_TOKEN");
        app.me(&token).await.is(401, REFUSED);
        // CLK-2: a clock that goes back does not bring it back.
        app.clock.set(gatekit::Timestamp(0));
        app.me(&token).await.is(401, REFUSED);
    }

    async fn a_token_for_other_scopes_opens_nothing_that_asks_for_none(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        for scopes in [vec!["other"], vec![], vec!["default"], vec!["DEFAULTS"]] {
            let token = app.auth.issue_token(&UserId::from(1), IssueToken::default().scopes(scopes)).await.unwrap();
            app.me(token.secret.expose()).await.is(401, REFUSED);
            app.get("/maybe").token(token.secret.expose()).await.is(200, "anonymous");
        }
        let token =
            app.auth.issue_token(&UserId::from(1), IssueToken::default().scopes(["other", "DEFAULT"])).await.unwrap();
        app.me(token.secret.expose()).await.expect_status(200);
    }

    async fn an_app_says_where_tokens_are(store) {
        let sources = TokenSources::new([
            TokenSource::bearer(),
            TokenSource::header("x-cm-well-token"),
            TokenSource::cookie("sid"),
        ]);
        let app = App::with(Policy::default()).sources(sources).start(store).await;
        let token = app.signed_up().await;
        for (status, request) in [
            (200, app.get("/me").header("authorization", format!("Bearer {token}"))),
            (200, app.get("/me").header("x-cm-well-token", &token)),
            (200, app.get("/me").header("cookie", format!("sid={token}"))),
            (401, app.get("/me").header("authorization", &token)),
            (401, app.get("/me").header("x-access-token", &token)),
            (401, app.get(&format!("/me?access_token={token}"))),
            (401, app.get("/me").cookie(&token)),
        ] {
            request.await.expect_status(status);
        }
    }
}

/// Enough for inputs that nobody chose, and the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A token, and whether it can stand in a header.
    fn token(&mut self) -> (String, bool) {
        let length = match self.next() % 4 {
            0 => 64,
            1 => 1 + self.next() % 63,
            2 => 65 + self.next() % 600,
            _ => 1 + self.next() % 8,
        };
        if self.next().is_multiple_of(2) {
            const BASE62: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
            let token = (0..length).map(|_| char::from(BASE62[usize::try_from(self.next() % 62).unwrap()])).collect();
            return (token, true);
        }
        // Any bytes at all, as a query can carry them.
        let bytes: Vec<String> = (0..length).map(|_| format!("%{:02X}", self.next() % 256)).collect();
        (bytes.concat(), false)
    }
}
