//! Can a page of another origin make a browser do anything?

use gatekit::{AuthLayer, Policy, TokenSources};
use gatekit_tests::{App, Call, EMAIL, PASSWORD, on_every_store};
use serde_json::json;

const CODE: &str = "CROSS_ORIGIN_REQUEST";

/// What a page of another origin makes a browser send.
const FOREIGN: [&[(&str, &str)]; 6] = [
    &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
    &[("sec-fetch-site", "same-site"), ("origin", "https://shop.example.com")],
    &[("sec-fetch-site", "cross-site")],
    // Browsers from before Sec-Fetch-Site.
    &[("origin", "https://evil.example")],
    &[("origin", "null")],
    &[("origin", "https://app.example.com.evil.example")],
];

/// What the app's own pages, pages it trusts, and programs send.
const OWN: [&[(&str, &str)]; 5] = [
    &[("sec-fetch-site", "same-origin"), ("origin", "https://app.example.com")],
    &[("sec-fetch-site", "none")],
    &[("origin", "https://app.example.com")],
    &[("sec-fetch-site", "cross-site"), ("origin", "https://admin.example.com")],
    &[],
];

/// Requests for a WebSocket: method and `Upgrade`.
const UPGRADES: [(&str, &str); 6] = [
    ("GET", "websocket"),
    ("GET", "WebSocket"),
    ("GET", "h2c, websocket/13"),
    ("PATCH", "websocket"),
    // HTTP/2 has no such header (RFC 8441).
    ("CONNECT", ""),
    ("CONNECT", "websocket"),
];

/// Asks for a WebSocket at a route for users. What it is answered says whether it would have been
/// opened.
fn socket(app: &App, method: &str, upgrade: &str) -> Call {
    let route = axum::routing::any(|_: gatekit::AuthUser| async {});
    let layer = AuthLayer::new(app.auth.clone()).trusted_origin("https://admin.example.com").unwrap();
    let router = axum::Router::new().route("/ws", route).layer(layer);
    let path = if method == "CONNECT" { "https://app.example.com/ws" } else { "/ws" };
    let call = Call::new(&router, method, path).header("connection", "Upgrade").header("sec-websocket-version", "13");
    if upgrade.is_empty() { call } else { call.header("upgrade", upgrade) }
}

const FORM: &str = "email=foo%40bar.com&password=correct+horse+battery";

fn with(mut call: Call, headers: &[(&str, &str)]) -> Call {
    for (name, value) in headers {
        call = call.header(name, value);
    }
    call
}

async fn start(store: gatekit_tests::Store) -> App {
    let app = App::with(Policy::default()).trusted_origin("https://admin.example.com").start(store).await;
    app.sign_up().await;
    app
}

on_every_store! {
    /// 3.5.1, FM-1, FM-2, FM-3: each route that changes something.
    async fn no_unsafe_route_takes_a_cookie_from_another_origin(store) {
        let app = start(store).await;
        let token = app.token_of(EMAIL).await;
        let routes = [
            ("POST", "/logout"),
            ("POST", "/logout-everywhere"),
            ("DELETE", "/sessions/0123456789abcdef0123456789abcdef"),
            ("POST", "/change-password"),
            ("POST", "/change-email"),
            ("POST", "/delete-account"),
            ("POST", "/reset-password"),
            ("PATCH", "/1"),
            ("PUT", "/1"),
            ("POST", "/1/replace"),
            ("DELETE", "/1"),
            ("POST", "/1/accessTokens"),
            ("DELETE", "/1/accessTokens"),
            ("PUT", "/1/accessTokens/x"),
            ("DELETE", "/1/accessTokens/x"),
            ("PATCH", "/"),
            ("PUT", "/"),
            ("POST", "/replaceOrCreate"),
            ("POST", "/upsertWithWhere"),
            ("POST", "/update"),
        ];
        for (method, path) in routes {
            let path = format!("/api/users{}", path.trim_end_matches('/'));
            for headers in FOREIGN {
                app.faults.reset();
                let call = app.call(method, &path).cookie(&token).json("{}");
                with(call, headers).await.expect(403, CODE);
                assert!(app.faults.calls().is_empty(), "{method} {path}: refused before the store is asked");
            }
        }
        app.get("/me").cookie(&token).await.expect_status(200);
    }

    async fn own_pages_trusted_ones_and_programs_pass(store) {
        let app = start(store).await;
        for headers in OWN {
            let token = app.token_of(EMAIL).await;
            with(app.post("/api/users/logout").cookie(&token), headers).await.expect_no_content();
            with(app.post("/api/users/login?cookie=true").form(FORM), headers).await.expect_status(200);
            with(app.post("/api/users/login").form(FORM), headers).await.expect_status(200);
        }
    }

    async fn a_token_in_a_header_and_safe_methods_are_not_concerned(store) {
        let app = start(store).await;
        for headers in FOREIGN {
            let token = app.token_of(EMAIL).await;
            for method in ["GET", "HEAD"] {
                with(app.call(method, "/me").cookie(&token), headers).await.expect_status(200);
            }
            with(app.patch("/api/users/1").token(&token).json("{}"), headers).await.expect_status(200);
            with(app.post("/api/users/logout").token(&token), headers).await.expect_no_content();
        }
    }

    /// 4.4.2: a WebSocket is unsafe whatever its method, and no page of another origin opens one
    /// with the user's cookie.
    async fn no_page_of_another_origin_opens_a_websocket_with_the_cookie(store) {
        let app = start(store).await;
        let token = app.token_of(EMAIL).await;
        for headers in FOREIGN {
            for (method, upgrade) in UPGRADES {
                app.faults.reset();
                let call = with(socket(&app, method, upgrade).cookie(&token), headers);
                call.await.expect(403, CODE);
                assert!(app.faults.calls().is_empty(), "{method} {upgrade}: refused before the store is asked");
                // In a header the token was put there on purpose.
                with(socket(&app, method, upgrade).token(&token), headers).await.expect_status(200);
            }
        }
        for headers in OWN {
            for (method, upgrade) in UPGRADES {
                if headers.contains(&("sec-fetch-site", "none")) {
                    continue;
                }
                with(socket(&app, method, upgrade).cookie(&token), headers).await.expect_status(200);
            }
        }
    }

    /// 4.4.2: browsers send `Origin` with every WebSocket (RFC 6455 section 4.1), so one without it
    /// has lost it on the way.
    async fn a_websocket_of_a_browser_without_an_origin_is_refused(store) {
        let app = start(store).await;
        let token = app.token_of(EMAIL).await;
        let open = |headers: &[(&str, &str)]| with(socket(&app, "GET", "websocket").cookie(&token), headers);
        for headers in [
            &[("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")][..],
            &[("user-agent", "Mozilla/5.0"), ("origin", "")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "")],
        ] {
            open(headers).await.expect(403, CODE);
        }
        // Programs, and browsers whose word there is.
        open(&[("user-agent", "okhttp/4.12.0")]).await.expect_status(200);
        open(&[("user-agent", "Mozilla/5.0"), ("sec-fetch-site", "same-origin")]).await.expect_status(200);
        // Browsers do not agree on what a `wss:` URL is to the page that opens it; the origin is
        // never wrong.
        open(&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example.com")]).await.expect_status(200);
    }

    /// A request for another protocol is no WebSocket: `curl --http2` asks for `h2c` with every
    /// GET.
    async fn an_upgrade_to_another_protocol_is_as_safe_as_its_method(store) {
        let app = start(store).await;
        let token = app.token_of(EMAIL).await;
        for upgrade in ["h2c", "TLS/1.2", "", "websockets"] {
            with(socket(&app, "GET", upgrade).cookie(&token), FOREIGN[0]).await.expect_status(200);
        }
    }

    /// Login CSRF: a page of another origin would sign its visitors in as its author.
    async fn a_login_that_sets_a_cookie_is_refused_whatever_its_body(store) {
        let app = start(store).await;
        let body = json!({"email": EMAIL, "password": PASSWORD});
        for headers in FOREIGN {
            for query in ["?cookie=true", "?cookie=both"] {
                let path = format!("/api/users/login{query}");
                for call in [app.post(&path).json(&body), app.post(&path).form(FORM)] {
                    app.faults.reset();
                    let answer = with(call, headers).await.expect(403, CODE);
                    assert!(answer.headers.get("set-cookie").is_none());
                    assert!(app.faults.calls().is_empty());
                }
            }
        }
        assert!(app.auth.list_tokens(&1.into()).await.unwrap().is_empty());
    }

    /// A form needs no leave of the app's; JSON has been allowed by its CORS answer.
    async fn logins_and_registrations_in_the_body_are_refused_unless_they_are_json(store) {
        let app = start(store).await;
        let body = json!({"email": EMAIL, "password": PASSWORD});
        for (number, headers) in FOREIGN.iter().enumerate() {
            for path in ["/api/users/login", "/api/users"] {
                with(app.post(path).body("application/x-www-form-urlencoded", FORM), headers).await.expect(403, CODE);
                // What a page can send unasked besides is not read.
                for content_type in ["text/plain", "multipart/form-data"] {
                    with(app.post(path).body(content_type, FORM), headers).await.expect_status(415);
                }
            }
            with(app.post("/api/users").bare_body(body.to_string()), headers).await.expect_status(415);
            with(app.post("/api/users/login").json(&body), headers).await.expect_status(200);
            let new = json!({"email": format!("user{number}@bar.com"), "password": PASSWORD});
            with(app.post("/api/users").json(new), headers).await.expect_status(200);
        }
    }

    /// Without cookies among the sources nothing is signed in, and forms of other origins are
    /// refused all the same.
    async fn apps_without_cookies_refuse_forms_of_other_origins_too(store) {
        let app = App::with(Policy::default()).sources(TokenSources::loopback()).start(store).await;
        app.sign_up().await;
        for headers in FOREIGN {
            with(app.post("/api/users/login").form(FORM), headers).await.expect(403, CODE);
        }
        app.post("/api/users/login").form(FORM).await.expect_status(200);
    }

    /// V-125, FM-3. A proxy may pass on another `Host`: the public URL names the app's own origin,
    /// its scheme included.
    async fn the_public_url_names_the_own_origin_whatever_the_host_header_says(store) {
        let app = start(store).await;
        for (host, headers, passes) in [
            ("app:3000", &[("origin", "https://app.example.com")][..], true),
            ("127.0.0.1:3000", &[("origin", "https://app.example.com")], true),
            // The browser has compared, and the two do not fit together.
            ("app:3000", &[("sec-fetch-site", "same-site"), ("origin", "https://app.example.com")], false),
            ("app.example.com:443", &[("origin", "https://app.example.com")], true),
            // Served under another name too, by the same scheme.
            ("app.example.org", &[("origin", "https://app.example.org")], true),
            // The same host, but anybody on the way could have written the page.
            ("app.example.com", &[("origin", "http://app.example.com")], false),
            ("app.example.com", &[("origin", "http://app.example.com:443")], false),
            ("app.example.org", &[("origin", "http://app.example.org")], false),
            ("app.example.com:3000", &[("origin", "https://app.example.com:8443")], false),
            ("app.example.com", &[("origin", "https://app.example.com.evil.example")], false),
            ("evil.example", &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")], false),
            ("app.example.com", &[("origin", "https://app.example.com"), ("origin", "https://evil.example")], false),
            ("app.example.com", &[("origin", "https://evil.example"), ("origin", "https://app.example.com")], false),
            ("app.example.com", &[("origin", "https://app.example.com, https://evil.example")], false),
            ("app.example.com", &[("origin", "app.example.com")], false),
            ("", &[("origin", "https://")], false),
        ] {
            let token = app.token_of(EMAIL).await;
            let mut call = app.post("/api/users/logout").cookie(&token);
            call = with(call.host(host), headers);
            let status = call.await.status.as_u16();
            assert_eq!(status, if passes { 204 } else { 403 }, "{host}: {headers:?}");
            let login = with(app.post("/api/users/login").form(FORM).host(host), headers);
            assert_eq!(login.await.status.as_u16(), if passes { 200 } else { 403 }, "{host}: {headers:?}");
        }
    }

    /// Without a public URL the scheme is told by a cookie that browsers keep for HTTPS alone.
    async fn a_cookie_of_https_does_not_come_from_a_page_of_http(store) {
        let app = App::with(Policy::default()).no_public_url().start(store).await;
        app.sign_up().await;
        for (host, origin, passes) in [
            ("app.example.com", "https://app.example.com", true),
            ("app.example.com", "http://app.example.com", false),
            // Browsers take this machine for as safe as HTTPS, and some keep such cookies there.
            ("localhost:3000", "http://localhost:3000", true),
            ("127.0.0.1:3000", "http://127.0.0.1:3000", true),
        ] {
            let token = app.token_of(EMAIL).await;
            let call = app.post("/api/users/logout").cookie(&token).host(host).header("origin", origin);
            assert_eq!(call.await.status.as_u16(), if passes { 204 } else { 403 }, "{origin}");
            // Nothing tells the scheme of a login without cookies.
            let login = app.post("/api/users/login").form(FORM).host(host).header("origin", origin);
            login.await.expect_status(200);
        }
    }

    /// The setting in any spelling, the browser in its one.
    async fn a_trusted_origin_matches_what_browsers_send(store) {
        for written in ["https://admin.example.com:443", "HTTPS://Admin.Example.com/", "https://admin.example.com"] {
            let app = App::with(Policy::default()).trusted_origin(written).start(store).await;
            let token = app.signed_up().await;
            let call = app.post("/api/users/logout").cookie(&token).header("origin", "https://admin.example.com");
            call.await.expect_no_content();
        }
    }

    /// Nobody is signed out by a page of another origin: neither the token ends nor is the cookie
    /// taken back.
    async fn a_logout_of_another_origin_leaves_the_browser_signed_in(store) {
        let app = start(store).await;
        let token = app.token_of(EMAIL).await;
        for headers in FOREIGN {
            // A cookie that is not sent, as `SameSite` has it, must not be removed by the answer
            // either.
            for call in [app.post("/api/users/logout"), app.post("/api/users/logout").cookie(&token)] {
                let answer = with(call, headers).await;
                assert!(answer.headers.get("set-cookie").is_none(), "{answer:?}");
            }
        }
        app.get("/me").cookie(&token).await.expect_status(200);
    }
}
