//! A whole app behind the filter: the table of §1.7, with the safe answers where CM-Well's are not.

use gatekit::cmwell::{CmWellToken, Legacy};
use gatekit::core::{AccountStatus, PermissionHolder};
use gatekit::{ChangePassword, Event};
use gatekit_tests::{Answer, Call, Store, on_every_store};

use crate::site::{KEY, NAME, OTHER_KEY, PASSWORD, Site, basic, forged};

const LOGIN_FIRST: &str = "Not authorized, please login first";
const NOT_VALID: &str = "given token is not valid (not signed or expired)";
const NOT_AUTHORIZED: &str = "Authenticated but not authorized";

fn call(site: &Site, method: &str, path: &str, token: Option<&str>) -> Call {
    let call = Call::new(&site.filtered, method, path);
    match token {
        Some(token) => call.header("x-cm-well-token", token),
        None => call,
    }
}

/// Panics unless it is 403 with this message, in the form that the method has.
#[track_caller]
fn denied(answer: Answer, method: &str, message: &str) {
    match method {
        "HEAD" => drop(answer.expect_header("content-type", "text/plain; charset=utf-8").is(403, "")),
        "GET" | "OPTIONS" | "TRACE" => {
            drop(answer.expect_header("content-type", "text/plain; charset=utf-8").is(403, message));
        }
        _ => {
            let body = format!(r#"{{"success":false,"message":"{message}"}}"#);
            drop(answer.expect_header("content-type", "application/json").is(403, &body));
        }
    }
}

/// What everybody may read, but for one folder; and what [`NAME`] may write.
async fn site(store: Store) -> Site {
    let site = Site::new(store).await;
    site.permit(PermissionHolder::Anonymous, &[("+ /", "r"), ("- /docs/meta/", "rw")]).await;
    site.permit(PermissionHolder::User(1.into()), &[("+ /", "r"), ("+ /docs/", "rw"), ("- /docs/secret/", "rw")]).await;
    site
}

on_every_store! {
    async fn without_a_token_one_is_judged_as_anonymous(store) {
        let site = site(store).await;
        // No token, and what is none.
        for token in [None, Some("bogus"), Some("a.b.c"), Some(""), Some("GOkZRwgZ61q0XXVxvxlB8TS1D6lrG7Vb9V8YwRDfy3YGAN7TM7EnxWHqdbIZfheZ")] {
            call(&site, "GET", "/docs", token).await.is(200, "a document");
            call(&site, "GET", "/maybe", token).await.is(200, "anonymous");
            for method in ["GET", "HEAD", "OPTIONS"] {
                denied(call(&site, method, "/docs/meta/ns", token).await, method, LOGIN_FIRST);
            }
            for method in ["PUT", "POST", "DELETE", "PATCH", "PROPFIND"] {
                denied(call(&site, method, "/docs", token).await, method, LOGIN_FIRST);
            }
        }
        // Nobody who is not there exists for the filter either.
        denied(call(&site, "POST", "/nowhere", None).await, "POST", LOGIN_FIRST);
    }

    async fn a_token_that_is_not_valid_is_refused_even_where_everybody_may_read(store) {
        let site = site(store).await;
        let end = site.now().plus_seconds(60);
        let valid = site.token().await;
        let (message, _) = valid.rsplit_once('.').unwrap();
        let bad = [
            forged(OTHER_KEY, &CmWellToken::new(NAME, end, 0)).expose().to_owned(),
            forged(KEY, &CmWellToken::new(NAME, site.now(), 0)).expose().to_owned(),
            forged(KEY, &CmWellToken::new(NAME, end, -1)).expose().to_owned(),
            forged(KEY, &CmWellToken::new(NAME, end, 1)).expose().to_owned(),
            message.to_owned(),
            format!("{message}."),
        ];
        for token in &bad {
            for method in ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"] {
                denied(call(&site, method, "/docs", Some(token)).await, method, NOT_VALID);
            }
        }
        // One that was good until a moment ago.
        let token = site.token().await;
        call(&site, "GET", "/docs", Some(&token)).await.expect_status(200);
        site.auth.change_password(ChangePassword::new(1, PASSWORD, "another horse battery")).await.unwrap();
        denied(call(&site, "GET", "/docs", Some(&token)).await, "GET", NOT_VALID);
        site.auth.change_password(ChangePassword::new(1, "another horse battery", PASSWORD)).await.unwrap();
        let token = site.token().await;
        site.auth.set_account_status(&1.into(), AccountStatus::Blocked).await.unwrap();
        denied(call(&site, "GET", "/docs", Some(&token)).await, "GET", NOT_VALID);
    }

    async fn a_valid_token_of_nobody_names_who_is_missing(store) {
        let site = site(store).await;
        let token = |name: &str| forged(KEY, &CmWellToken::new(name, site.now().plus_seconds(60), 1));
        for method in ["GET", "PUT"] {
            // In CM-Well `root` and `pUser` were let in.
            for name in ["NoSuchUser", "root", "pUser"] {
                let answer = call(&site, method, "/docs", Some(token(name).expose())).await;
                denied(answer, method, &format!("Username {name} was not found in CM-Well"));
            }
        }
        // A name is a text in JSON, whatever it holds.
        let answer = call(&site, "PUT", "/docs", Some(token("a\"},{\"b").expose())).await.expect_status(403);
        assert_eq!(answer.text("message"), "Username a\"},{\"b was not found in CM-Well");
    }

    async fn who_is_known_is_judged_by_its_own_permissions(store) {
        let site = site(store).await;
        let token = site.token().await;
        for (method, path, allowed) in [
            ("GET", "/docs", true),
            ("PUT", "/docs", true),
            ("PATCH", "/docs/2026/may", true),
            ("GET", "/docs/secret", false),
            ("GET", "/docs/secret/", false),
            ("DELETE", "/docs/secret/plan", false),
            ("GET", "/docs/secrets", true),
            ("GET", "/documents", true),
            ("PUT", "/documents", false),
            // Anonymous' entries are not everybody's.
            ("GET", "/docs/meta/ns", true),
        ] {
            let answer = call(&site, method, path, Some(&token)).await;
            if allowed {
                answer.expect_status(200);
            } else {
                denied(answer, method, NOT_AUTHORIZED);
            }
        }
        // Inside, the caller is known as behind an `AuthLayer`.
        assert_eq!(call(&site, "GET", "/me", Some(&token)).await.text("username"), NAME);
    }

    /// 16.3.2: a path that is refused to a known caller is an event; one that is refused to an
    /// anonymous caller is none.
    async fn a_refused_path_is_an_event(store) {
        let site = site(store).await;
        let token = site.token().await;
        let _ = site.events.take();
        denied(call(&site, "DELETE", "/docs/secret/plan", Some(&token)).await, "DELETE", NOT_AUTHORIZED);
        let events = site.events.take();
        let [Event::AccessDenied { user_id: Some(id), required, target: Some(target) }] = &events[..] else { panic!("{events:?}") };
        assert_eq!((id.to_string().as_str(), required.as_str(), target.as_str()), ("1", "path write", "/docs/secret/plan"));
        call(&site, "DELETE", "/docs/secret/plan", None).await.expect_status(403);
        assert!(site.events.take().is_empty());
    }

    /// §1.9: deny wins, also over what a role lets in (in CM-Well it did not).
    async fn a_denial_wins_whoever_holds_it(store) {
        let site = site(store).await;
        site.auth.assign_role(&1.into(), "editor").await.unwrap();
        site.permit(PermissionHolder::Role("editor".into()), &[("+ /docs/secret/", "rw"), ("- /docs/", "w")]).await;
        let token = site.token().await;
        denied(call(&site, "GET", "/docs/secret", Some(&token)).await, "GET", NOT_AUTHORIZED);
        denied(call(&site, "PUT", "/docs/2026", Some(&token)).await, "PUT", NOT_AUTHORIZED);
        call(&site, "GET", "/docs/2026", Some(&token)).await.expect_status(200);
        // It counts at once.
        site.permit(PermissionHolder::Role("editor".into()), &[("+ /documents", "w")]).await;
        call(&site, "PUT", "/docs/2026", Some(&token)).await.expect_status(200);
        call(&site, "PUT", "/documents", Some(&token)).await.expect_status(200);
    }

    /// U14: no spelling of a path is judged as another one.
    async fn a_path_that_can_be_read_in_two_ways_is_denied(store) {
        let site = site(store).await;
        let token = site.token().await;
        for path in [
            "/docs/secret", "/docs/%73ecret", "/docs//secret", "//docs/secret", "/docs/./secret", "/docs/x/../secret",
            "/docs/%2e%2e/docs/secret", "/docs/x/%2E%2E/secret", "/docs%2fsecret", "/docs/secret%00", "/docs/%",
            "/docs/%zz", "/docs/\\secret", "/docs/%5csecret", "/docs/%ff",
        ] {
            let Ok(uri) = path.parse::<axum::http::Uri>() else { continue };
            assert_eq!(uri.path(), path);
            denied(call(&site, "GET", path, Some(&token)).await, "GET", NOT_AUTHORIZED);
        }
        call(&site, "GET", "/docs/%32026?x=/docs/secret#y", Some(&token)).await.expect_status(200);
    }

    /// They check themselves: who has no token logs in first.
    async fn login_and_auth_are_open(store) {
        let site = Site::new(store).await;
        denied(call(&site, "GET", "/open", None).await, "GET", LOGIN_FIRST);
        let login = call(&site, "GET", "/_login?exp=3d", None).header("authorization", basic(NAME, PASSWORD));
        let token = login.await.expect_status(200).text("token");
        let change = r#"{"op":"change-password","current":"correct horse battery","new":"another horse battery"}"#;
        call(&site, "POST", "/_auth", Some(&token)).json(change).await.is(200, r#"{"success":true}"#);
        // Nothing else that begins with an underscore is.
        for path in ["/_", "/_login/", "/_login/x", "/_Login", "/%5flogin", "/_auth/x", "/ii/x", "//_login"] {
            denied(call(&site, "GET", path, None).await, "GET", LOGIN_FIRST);
        }
    }
}

/// In CM-Well a `POST` with one of two operations reads. Here the app names what it answers without
/// a change.
#[tokio::test]
async fn a_post_reads_only_where_the_app_says_so() {
    let plain = Site::new(Store::Memory).await;
    let told = Site::with().filter(|filter| filter.read_operations(["search"])).start(Store::Memory).await;
    for site in [&plain, &told] {
        site.permit(PermissionHolder::Anonymous, &[("+ /", "r")]).await;
    }
    denied(call(&plain, "POST", "/docs?op=search", None).await, "POST", LOGIN_FIRST);
    call(&told, "POST", "/docs?op=search", None).await.expect_status(200);
    call(&told, "POST", "/docs?x=1&op=search", None).await.expect_status(200);
    for (method, query) in [
        ("POST", ""),
        ("POST", "?op=create-consumer"),
        ("POST", "?op=search&op=delete"),
        ("POST", "?op=delete&op=search"),
        ("POST", "?op=Search"),
        ("POST", "?OP=search"),
        ("PUT", "?op=search"),
        ("DELETE", "?op=search"),
        ("PATCH", "?op=search"),
    ] {
        denied(call(&told, method, &format!("/docs{query}"), None).await, method, LOGIN_FIRST);
    }
}

/// A browser's cookie from another site's page is not a reason to take its sender for anonymous.
#[tokio::test]
async fn a_cookie_from_another_site_is_refused() {
    let legacy = Legacy { cookies: true, ..Legacy::default() };
    let site = Site::with().cmwell(move |cmwell| cmwell.legacy(legacy)).start(Store::Memory).await.registered().await;
    site.permit(PermissionHolder::User(1.into()), &[("+ /", "rw")]).await;
    let cookie = format!("X-CM-WELL-TOKEN={}", site.token().await);
    let post = |from: &str| call(&site, "POST", "/docs", None).header("cookie", &cookie).header("sec-fetch-site", from);
    post("cross-site").await.expect(403, "CROSS_ORIGIN_REQUEST");
    post("same-origin").await.expect_status(200);
}

#[tokio::test]
#[should_panic(expected = "`.permissions(store)`")]
async fn without_a_store_of_permissions_it_cannot_be_mounted() {
    let auth = gatekit::Auth::new(gatekit::MemoryStore::new());
    let key = gatekit::cmwell::SigningKey::new(KEY).unwrap();
    let _ = gatekit::cmwell::CmWell::builder(auth, key).build().unwrap().filter();
}
