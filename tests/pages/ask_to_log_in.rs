//! A page of the app's own that is for users: what a person gets, and what a program gets.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response, StatusCode};
use axum::routing::get;
use gatekit::core::{AclErrorStatus, Texts};
use gatekit::pages::{AskToLogInLayer, Language, Pages};
use gatekit::{AuthLayer, AuthUser, Fresh, Policy, RequireRoleLayer, RequireScopeLayer, ResponseCaller};
use gatekit_tests::{App, EMAIL, PASSWORD, Store, on_every_store};
use http_body_util::Full;
use tower::{ServiceBuilder, service_fn};

use crate::site::{Browser, PageAnswer, Site};

async fn private(AuthUser(user): AuthUser) -> String {
    format!("for {} only", user.id)
}

async fn keys(_: Fresh<600>, AuthUser(user): AuthUser) -> String {
    format!("keys of {}", user.id)
}

/// A site with pages of its own, and the kit's pages below `prefix`.
fn with_own_pages(site: &mut Site, layer: AskToLogInLayer, prefix: &'static str) {
    let admin = Router::new().route("/admin", get(private)).layer(RequireRoleLayer::new("admin"));
    let hidden = RequireRoleLayer::new("admin").denied(AclErrorStatus::NotFound);
    let hidden = Router::new().route("/hidden", get(private)).layer(hidden);
    let own = Router::new()
        .route("/private", get(private).post(private))
        .route("/keys", get(keys).post(keys))
        .route("/language", get(async |language: Language| language.to_string()))
        .merge(admin)
        .merge(hidden)
        .layer(layer);
    let pages = Pages::new(site.app.auth.clone());
    let router = match prefix {
        "" => own.merge(pages.router()),
        prefix => own.nest(prefix, pages.router()),
    };
    site.app.router = router.layer(AuthLayer::new(site.app.auth.clone()));
    site.prefix = prefix;
}

on_every_store! {
    async fn who_is_not_logged_in_gets_the_login_and_comes_back_query_included(store) {
        for (layer, prefix) in [(AskToLogInLayer::new(), ""), (AskToLogInLayer::pages_at("/auth/"), "/auth")] {
            let mut site = Site::new(store).await;
            with_own_pages(&mut site, layer, prefix);
            site.signed_up().await;
            let mut browser = site.browser();
            let asked = browser.get("/private?page=2&q=a%20b").await.expect_status(303);
            let login = asked.headers["location"].to_str().unwrap().to_owned();
            assert_eq!(login, format!("{prefix}/login?return_to=/private%3Fpage%3D2%26q%3Da%2520b"));
            assert_eq!(asked.headers["cache-control"], "no-store");
            browser.get(&login).await.expect_status(200);
            let fields = [("email", EMAIL), ("password", PASSWORD), ("return_to", "/private?page=2&q=a%20b")];
            let back = browser.post(&format!("{prefix}/login"), &fields).await.expect_status(303);
            assert_eq!(back.headers["location"], "/private?page=2&q=a%20b");
            browser.get("/private?page=2&q=a%20b").await.expect_status(200);
        }
    }

    /// 7.5.1
    async fn who_has_proven_its_password_too_long_ago_proves_it_and_comes_back(store) {
        let mut site = Site::new(store).await;
        with_own_pages(&mut site, AskToLogInLayer::new(), "");
        let mut browser = site.signed_up().await;
        browser.get("/keys").await.expect_status(200);
        site.app.clock.advance(Duration::from_secs(601));
        let asked = browser.get("/keys").await.expect_status(303);
        assert_eq!(asked.headers["location"], "/confirm-password?return_to=/keys");
        let back = browser.post("/confirm-password", &[("password", PASSWORD), ("return_to", "/keys")]).await;
        assert_eq!(back.expect_status(303).headers["location"], "/keys");
        browser.get("/keys").await.expect_status(200);
        browser.get("/private").await.expect_status(200);
    }

    /// RFC 9110 §12.5.1: some proxies pass no `Accept` on.
    async fn a_request_that_names_no_type_is_answered_for_a_person(store) {
        let mut site = Site::new(store).await;
        with_own_pages(&mut site, AskToLogInLayer::new(), "");
        site.browser().call("GET", "/private").await.goes_to("/login?return_to=/private");
        site.browser().call("POST", "/private").await.expect_status(401).says("Nothing was saved");
    }

    /// The kit's JSON, whatever the method, and never HTML: a script would take the login for what
    /// it has asked for.
    async fn a_program_gets_401_and_is_sent_nowhere(store) {
        let mut site = Site::new(store).await;
        with_own_pages(&mut site, AskToLogInLayer::new(), "");
        let cors = ("sec-fetch-mode", "cors");
        for headers in [
            &[("accept", "*/*")][..],
            &[("content-type", "application/json")],
            &[("accept", "application/json")],
            &[("accept", "application/json, text/html;q=0.9")],
            &[("accept", "application/json"), cors, ("sec-fetch-dest", "empty")],
            &[("accept", "text/html"), cors],
            &[("accept", "text/html"), ("sec-fetch-mode", "same-origin")],
            &[("accept", "text/event-stream"), cors],
            &[("accept", "text/html"), ("x-requested-with", "XMLHttpRequest")],
            &[("connection", "upgrade"), ("upgrade", "websocket"), ("accept", "text/html")],
            &[("sec-fetch-mode", "websocket"), ("upgrade", "websocket"), ("sec-fetch-site", "same-origin")],
        ] {
            for method in ["GET", "POST"] {
                let call = headers.iter().fold(site.browser().call(method, "/private"), |call, (name, value)| call.header(name, value));
                let answer = call.await.expect(401, "AUTHORIZATION_REQUIRED");
                assert!(!answer.headers.contains_key("location") && !answer.headers.contains_key("hx-redirect"), "{headers:?}");
            }
            let call = headers.iter().fold(site.browser().call("HEAD", "/private"), |call, (name, value)| call.header(name, value));
            call.await.expect_status(401);
        }
        site.browser().get("/nothing-here").await.expect_status(404);
    }

    /// RFC 9110 §9.3.2: as the same GET, without the content.
    async fn head_is_answered_like_get(store) {
        let mut site = Site::new(store).await;
        with_own_pages(&mut site, AskToLogInLayer::new(), "");
        let head = site.browser().opening("HEAD", "/private").await.goes_to("/login?return_to=/private");
        assert_eq!(head.body, "");
        let mut browser = site.signed_up().await;
        let head = browser.opening("HEAD", "/admin").await.expect_status(403);
        assert_eq!((head.header("content-type"), head.body.as_str()), ("text/html; charset=utf-8", ""));
        site.app.clock.advance(Duration::from_secs(601));
        browser.opening("HEAD", "/keys").await.goes_to("/confirm-password?return_to=/keys");
        browser.get("/private").await.expect_status(200);
    }

    /// It follows `HX-Redirect` whatever the status, and comes back to the page that it was in and
    /// not to the part of it.
    async fn htmx_is_told_where_to_log_in(store) {
        for (layer, prefix) in [(AskToLogInLayer::new(), ""), (AskToLogInLayer::pages_at("/auth"), "/auth")] {
            let mut site = Site::new(store).await;
            with_own_pages(&mut site, layer, prefix);
            let htmx = |browser: &Browser, method, current: &str| {
                let call = browser.call(method, "/private").header("hx-request", "true").header("accept", "text/html, */*");
                call.header("sec-fetch-mode", "cors").header("hx-current-url", current)
            };
            let browser = site.browser();
            for method in ["GET", "POST"] {
                let answer = htmx(&browser, method, "https://app.example.com/list?page=2#top").await;
                let answer = answer.expect(401, "AUTHORIZATION_REQUIRED").expect_header("cache-control", "no-store");
                assert_eq!(answer.header("hx-redirect"), format!("{prefix}/login?return_to=/list%3Fpage%3D2"), "{method}");
            }
            // What is no page of this site is nowhere to come back to.
            for elsewhere in ["https://evil.example/list", "https://app.example.com//evil.example/", "javascript:alert(1)", "/list", ""] {
                let answer = htmx(&browser, "GET", elsewhere).await.expect(401, "AUTHORIZATION_REQUIRED");
                assert_eq!(answer.header("hx-redirect"), format!("{prefix}/login"), "{elsewhere}");
            }
            let browser = site.signed_up().await;
            site.app.clock.advance(Duration::from_secs(601));
            let call = browser.call("GET", "/keys").header("hx-request", "true");
            let answer = call.header("hx-current-url", "https://app.example.com/keys").await.expect(401, "STEP_UP_REQUIRED");
            assert_eq!(answer.header("hx-redirect"), format!("{prefix}/confirm-password?return_to=/keys"));
            let denied = browser.call("GET", "/admin").header("hx-request", "true").await.expect(403, "ACCESS_DENIED");
            assert!(!denied.headers.contains_key("hx-redirect"), "another login would not help");
        }
    }

    /// A redirect would lose what was entered.
    async fn who_sends_a_form_and_is_not_logged_in_gets_a_page_that_says_that_nothing_was_saved(store) {
        let mut site = Site::new(store).await;
        with_own_pages(&mut site, AskToLogInLayer::new(), "");
        let form = || site.browser().form("/private", &[("a", "b")]);
        let page = form().header("referer", "https://app.example.com/private?page=2").await.expect_status(401);
        page.says("<h1>You are not logged in</h1>").says("Nothing was saved").says(r#"<a href="/login?return_to=/private%3Fpage%3D2">Log in</a>"#)
            .expect_header("www-authenticate", "Bearer");
        form().await.expect_status(401).says(r#"<a href="/login">Log in</a>"#);
        form().header("referer", "https://evil.example/private").await.expect_status(401).says(r#"<a href="/login">"#);
        let german = form().header("accept-language", "de").await.expect_status(401);
        german.says("<h1>Sie sind nicht angemeldet</h1>").says("Es wurde nichts gespeichert");
        let browser = site.signed_up().await;
        site.app.clock.advance(Duration::from_secs(601));
        let page = browser.form("/keys", &[]).header("referer", "https://app.example.com/keys").await.expect_status(401);
        page.says("Nothing was saved").says(r#"<a href="/confirm-password?return_to=/keys">Confirm it is you</a>"#);
    }

    async fn who_has_not_the_role_gets_a_page_and_a_program_the_json(store) {
        let mut site = Site::new(store).await;
        with_own_pages(&mut site, AskToLogInLayer::new(), "");
        let mut browser = site.signed_up().await;
        let page = browser.get("/admin").await.expect_status(403).expect_header("content-type", "text/html; charset=utf-8");
        page.says("<h1>You may not open this page</h1>").says(r#"<a href="/logout">Log out</a>"#)
            .expect_header("cache-control", "no-store").expect_header("x-frame-options", "DENY");
        let german = browser.opening("GET", "/admin").header("accept-language", "de-AT").await.expect_status(403);
        german.says(r#"<html lang="de">"#).says("<h1>Sie dürfen diese Seite nicht öffnen</h1>");
        browser.get("/admin?lang=de").await.expect_status(403).says("Sie dürfen diese Seite nicht öffnen");
        browser.call("GET", "/admin").header("accept", "application/json").await.expect(403, "ACCESS_DENIED");
        browser.call("GET", "/admin").header("sec-fetch-mode", "cors").await.expect(403, "ACCESS_DENIED");
        site.app.auth.assign_role(&1.into(), "admin").await.unwrap();
        browser.get("/admin").await.expect_status(200);
    }

    async fn a_page_that_cannot_be_shown_now_or_to_this_caller_says_so(store) {
        let mut site = Site::new(store).await;
        with_own_pages(&mut site, AskToLogInLayer::new(), "");
        let browser = site.signed_up().await;
        let forged = browser.opening("POST", "/private").header("sec-fetch-site", "cross-site").header("origin", "https://evil.example");
        forged.await.expect_status(403).says("<h1>Request refused</h1>");
        browser.opening("GET", "/hidden").await.expect_status(404).says("<h1>Page not found</h1>");
        browser.call("GET", "/hidden").header("accept", "*/*").await.expect(404, "MODEL_NOT_FOUND");
        site.app.faults.every_call_of("find_token_owner", gatekit_testkit::Fault::Fail);
        let failed = browser.opening("GET", "/private").await.expect_status(503).expect_header("retry-after", "1");
        failed.says("<h1>Not available right now</h1>");
        browser.call("GET", "/private").header("accept", "*/*").await.expect_unavailable();
    }

    /// Only where a person is in front of it: requests of a page that are on their way while its
    /// token is replaced must not take the new cookie away.
    async fn the_cookie_of_a_token_that_has_ended_is_taken_back(store) {
        let mut site = Site::new(store).await;
        with_own_pages(&mut site, AskToLogInLayer::new(), "");
        let mut browser = site.signed_up().await;
        let removal = |answer: &gatekit_tests::Answer| {
            let cookies = answer.headers.get_all("set-cookie").iter();
            cookies.filter(|cookie| cookie.to_str().unwrap().starts_with("__Host-access_token=; ")).count()
        };
        for path in ["/private", "/account", "/login"] {
            assert_eq!(removal(&browser.opening("GET", path).await), 0, "it is alive");
        }
        site.app.auth.logout_everywhere(&1.into(), None).await.unwrap();
        for path in ["/private", "/keys", "/admin", "/account", "/login", "/register", "/change-password"] {
            let answer = browser.opening("GET", path).await;
            assert_eq!(removal(&answer), 1, "{path}: {answer:?}");
        }
        assert_eq!(removal(&browser.form("/private", &[]).await), 1);
        assert_eq!(removal(&browser.call("GET", "/private").header("accept", "application/json").await), 0);
        assert_eq!(removal(&browser.call("GET", "/private").header("hx-request", "true").await), 0);
        // What a login sets stays.
        let login = browser.form("/login", &[("email", EMAIL), ("password", PASSWORD)]).await.expect_status(303);
        assert_eq!(removal(&login), 0);
        browser.get("/private").await.expect_status(303);
        assert_eq!(browser.token(), None);
        assert_eq!(removal(&browser.opening("GET", "/private").await), 0, "there is none");
    }

    /// Outside of all layers of the kit, as an access log is.
    async fn an_access_log_further_out_names_the_user(store) {
        let mut site = Site::new(store).await;
        with_own_pages(&mut site, AskToLogInLayer::new(), "");
        let log = axum::middleware::map_response(async |mut response: axum::response::Response| {
            let user = response.extensions().get::<ResponseCaller>().map(ToString::to_string);
            if let Some(user) = user {
                response.headers_mut().insert("user", user.parse().unwrap());
            }
            response
        });
        site.app.router = site.app.router.clone().layer(log);
        let mut browser = site.signed_up().await;
        for (path, status) in [("/private", 200), ("/admin", 403), ("/account", 200)] {
            assert_eq!(browser.get(path).await.expect_status(status).header("user"), "1", "{path}");
        }
        assert!(!browser.get("/logout").await.headers.contains_key("user"), "nobody asked");
        browser.jar.clear();
        assert!(!browser.get("/private").await.headers.contains_key("user"));
    }

    async fn what_the_layer_says_is_in_the_look_of_the_pages(store) {
        let mut site = Site::new(store).await;
        let texts = Texts::default().set("fr", "page.denied.title", "Page interdite").set("fr", "page.language.name", "Français");
        site.app = App::with(Policy::default()).configure(move |builder| builder.texts(texts.clone())).start(store).await;
        let pages = Pages::new(site.app.auth.clone()).site_name("Acme").languages(["en", "fr"]).home("/start");
        with_own_pages(&mut site, AskToLogInLayer::of(&pages), "");
        let browser = site.signed_up().await;
        let page = browser.opening("GET", "/admin").header("accept-language", "fr").await.page(403, "Page interdite");
        page.says(r#"<html lang="fr">"#).says(r#"<a href="/start">Acme</a>"#);
        // The page of the app's own inside knows the language too.
        browser.opening("GET", "/language").header("accept-language", "fr").await.is(200, "fr");
        browser.opening("GET", "/language").header("accept-language", "de").await.is(200, "en");
    }

    /// A token in the query stays out of the link, and a host in the path out of the redirect.
    async fn nothing_of_the_address_leads_elsewhere(store) {
        let mut site = Site::new(store).await;
        with_own_pages(&mut site, AskToLogInLayer::new(), "");
        let mut browser = site.browser();
        let asked = browser.get("/private?access_token=abc&x=1").await.expect_status(303);
        assert_eq!(asked.headers["location"], "/login?return_to=/private%3Fx%3D1");
    }

    /// Neither would another login help, nor would the way there and back ever end.
    async fn who_is_logged_in_with_a_token_for_something_else_is_not_sent_to_the_login(store) {
        let site = Site::new(store).await;
        let scoped = Router::new().route("/admin", get(private)).layer(RequireScopeLayer::new("admin"));
        let own = scoped.route("/own", get(async || StatusCode::UNAUTHORIZED)).layer(AskToLogInLayer::new());
        let mut browser = site.signed_up().await;
        browser.router = own.layer(AuthLayer::new(site.app.auth.clone()));
        browser.call("GET", "/admin").header("accept", "*/*").await.expect(401, "AUTHORIZATION_REQUIRED");
        browser.get("/admin").await.expect_status(403).says("You may not open this page");
        browser.get("/own").await.is(401, "");
        browser.jar.clear();
        browser.get("/admin").await.expect_status(303);
        browser.get("/own").await.expect_status(401);
    }
}

/// In one stack of layers, around a guard and a service whose bodies are not axum's.
#[tokio::test]
async fn it_stands_around_a_guard_and_a_service_with_any_body() {
    let site = Site::new(Store::Memory).await;
    let mut user = site.signed_up().await;
    let inner = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("a file"))));
    let auth = AuthLayer::new(site.app.auth.clone());
    let asking = |required| {
        let guard = RequireRoleLayer::new("admin");
        let stack = ServiceBuilder::new().layer(auth.clone()).layer(AskToLogInLayer::new());
        match required {
            true => Router::new().route_service("/files", stack.layer(guard).service(inner)),
            false => Router::new().route_service("/files", stack.service(inner)),
        }
    };
    let mut nobody = Browser::new(&asking(true));
    nobody.get("/files").await.goes_to("/login?return_to=/files");
    user.router = asking(true);
    user.get("/files").await.expect_status(403);
    user.router = asking(false);
    assert_eq!(user.get("/files").await.expect_status(200).body, "a file");
}
