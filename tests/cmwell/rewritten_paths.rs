//! A path that something around the routers has changed: judged is also what is answered, not only
//! what was asked for (U14).

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use gatekit::core::PermissionHolder;
use gatekit::{AuthLayer, routes};
use gatekit_tests::{Call, on_every_store};
use tower::Layer;
use tower::util::MapRequestLayer;

use crate::site::Site;

/// `/api/users/{id}` behind the filter, and behind a layer for the group and for the whole app.
fn apps(site: &Site) -> [Router; 3] {
    let page = || Router::new().route("/{id}", any(|| async { "a user" }));
    let known =
        |app: Router| app.layer(AuthLayer::new(site.cmwell.authenticator()).sources(site.cmwell.token_sources()));
    let guard = || site.cmwell.permission_layer();
    [
        Router::new().nest("/api/users", page()).merge(site.cmwell.router()).layer(site.cmwell.filter()),
        known(Router::new().nest("/api/users", page().layer(guard()))),
        known(Router::new().nest("/api/users", page()).layer(guard())),
    ]
}

on_every_store! {
    async fn another_spelling_of_a_denied_path_is_denied(store) {
        let site = Site::new(store).await;
        let denied = [("+ /", "rw"), ("- /api/users/", "rw"), ("- /v1/api/users/", "rw")];
        site.permit(PermissionHolder::User(1.into()), &denied).await;
        let token = site.token().await;
        for app in apps(&site) {
            let app = routes::ignore_case("/api/users", app);
            for path in ["/api/users/1", "/API/users/1", "/api/Users/1", "/api/users//1", "/api/USERS/1/"] {
                let call = Call::new(&app, "GET", path).header("x-cm-well-token", &token);
                call.await.expect_status(403);
                let nested = Router::new().nest("/v1", app.clone());
                let call = Call::new(&nested, "GET", &format!("/v1{path}")).header("x-cm-well-token", &token);
                call.await.expect_status(403);
            }
        }
    }

    async fn another_spelling_of_an_allowed_path_is_allowed(store) {
        let site = Site::new(store).await;
        site.permit(PermissionHolder::Anonymous, &[("+ /api/users/", "r"), ("+ /v1/api/users/", "r")]).await;
        for app in apps(&site) {
            let app = routes::ignore_case("/api/users", app);
            let nested = Router::new().nest("/v1", app.clone());
            for path in ["/api/users/1", "/API/users//1"] {
                Call::new(&app, "GET", path).await.is(200, "a user");
                Call::new(&nested, "GET", &format!("/v1{path}")).await.is(200, "a user");
            }
        }
    }

    /// Where a layer of the app's sends `/public/..` and even `/_login` elsewhere, both ends must
    /// be allowed.
    async fn what_is_sent_elsewhere_must_be_allowed_there_too(store) {
        let site = Site::new(store).await;
        let redirect = MapRequestLayer::new(|mut request: Request| {
            *request.uri_mut() = "/api/users/1".parse().unwrap();
            request
        });
        // Inside of a nested router nobody can tell what was cut off from what was put in its
        // place.
        let [filtered, _, guarded] = apps(&site);
        for app in [filtered, guarded] {
            let app: Router = Router::new().fallback_service(redirect.layer(app));
            let get = |path: &str| Call::new(&app, "GET", path);
            site.permit(PermissionHolder::Anonymous, &[("+ /public/", "r"), ("+ /_login", "r")]).await;
            for path in ["/public/1", "/_login"] {
                assert!([401, 403].contains(&get(path).await.status.as_u16()), "{path}");
            }
            site.permit(PermissionHolder::Anonymous, &[("+ /public/", "r"), ("+ /api/users/", "r")]).await;
            get("/public/1").await.is(200, "a user");
            assert!([401, 403].contains(&get("/other/1").await.status.as_u16()));
        }
    }

    /// What `nest` cuts off leaves a path that entries may be about: one that keeps out counts for
    /// both forms.
    async fn what_is_kept_out_of_the_inner_path_is_kept_out_wherever_it_is_nested(store) {
        let site = Site::new(store).await;
        let denied = [("+ /", "rw"), ("- /meta/auth/", "rw")];
        site.permit(PermissionHolder::User(1.into()), &denied).await;
        let token = site.token().await;
        let users = || Router::new().route("/meta/{*path}", any(|| async { "a user" })).route("/docs/{*path}", any(|| async { "a document" }));
        let filtered = users().layer(site.cmwell.filter());
        let guarded = users().layer(site.cmwell.permission_layer());
        let guarded = guarded.layer(AuthLayer::new(site.cmwell.authenticator()).sources(site.cmwell.token_sources()));
        for inner in [filtered, guarded] {
            for (prefix, at) in [("/open", "/open"), ("/{tenant}", "/acme"), ("/a/b/c", "/a/b/c")] {
                let app: Router = Router::new().nest(prefix, inner.clone());
                let get = |path: &str| Call::new(&app, "GET", &format!("{at}{path}")).header("x-cm-well-token", &token);
                get("/docs/a").await.is(200, "a document");
                get("/meta/ns").await.is(200, "a user");
                for path in ["/meta/auth/users/x", "/meta/auth", "/meta/%61uth/users/x", "/meta//auth/users/x", "/meta/./auth/x"] {
                    get(path).await.expect_status(403);
                }
            }
        }
    }

    /// A layer that shortens the path, such as one that strips a proxy's prefix, decides what is
    /// answered: that must be allowed too.
    async fn a_path_that_a_layer_shortens_must_be_allowed_in_both_forms(store) {
        let site = Site::new(store).await;
        let shorten = MapRequestLayer::new(|mut request: Request| {
            let rest = request.uri().path().strip_prefix("/open").map(str::to_owned);
            if let Some(rest) = rest {
                *request.uri_mut() = rest.parse().unwrap();
            }
            request
        });
        let inner: Router = Router::new().route("/{*path}", any(|| async { "a page" })).layer(site.cmwell.filter());
        let app: Router = Router::new().fallback_service(shorten.layer(inner));
        let get = |path: &str| Call::new(&app, "GET", path);
        site.permit(PermissionHolder::Anonymous, &[("+ /open/", "r"), ("+ /meta/", "r"), ("- /meta/auth/", "rw")]).await;
        get("/open/meta/ns").await.is(200, "a page");
        get("/meta/ns").await.is(200, "a page");
        // Kept out of, and let in nowhere.
        get("/open/meta/auth/users/x").await.expect_status(403);
        get("/open/docs/a").await.expect_status(403);
    }
}
