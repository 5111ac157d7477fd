//! Path permissions on the app's own routes.

use axum::Router;
use axum::routing::any;
use gatekit::AuthLayer;
use gatekit::core::{PathLevel, PermissionHolder};
use gatekit_tests::{Answer, Call, on_every_store};

use crate::site::Site;

/// Reports by method, and exports that want to be written whatever the method.
fn app(site: &Site) -> Router {
    let page = || any(|| async { "a report" });
    let reports = Router::new().route("/{name}", page()).layer(site.cmwell.permission_layer());
    let exports = Router::new().route("/{name}", page()).layer(site.cmwell.permission_layer().level(PathLevel::Write));
    Router::new()
        .nest("/team/reports", reports)
        .nest("/team/exports", exports)
        .route("/free", page())
        .layer(AuthLayer::new(site.cmwell.authenticator()).sources(site.cmwell.token_sources()))
}

on_every_store! {
    async fn who_has_no_permission_is_refused_as_by_other_layers(store) {
        let site = Site::new(store).await;
        let (app, token) = (app(&site), site.token().await);
        let call = |method: &str, path: &str| Call::new(&app, method, path);
        let known = |method: &str, path: &str| call(method, path).header("x-cm-well-token", &token);
        let nobody = |answer: Answer| drop(answer.expect(401, "AUTHORIZATION_REQUIRED"));
        let forbidden = |answer: Answer| drop(answer.expect(403, "ACCESS_DENIED"));

        // No entry, no access.
        nobody(call("GET", "/team/reports/may").await);
        forbidden(known("GET", "/team/reports/may").await);
        call("GET", "/free").await.expect_status(200);

        // The path is the whole one, wherever the routes are nested.
        site.permit(PermissionHolder::User(1.into()), &[("+ /team/", "r"), ("- /team/reports/may", "r"), ("+ /may", "rw")]).await;
        known("GET", "/team/reports/june").await.is(200, "a report");
        known("HEAD", "/team/reports/june").await.expect_status(200);
        forbidden(known("GET", "/team/reports/may").await);
        forbidden(known("GET", "/team/reports/ma%79").await);
        for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
            forbidden(known(method, "/team/reports/june").await);
        }
        // A level that the app names holds for every method.
        forbidden(known("GET", "/team/exports/june").await);
        site.permit(PermissionHolder::User(1.into()), &[("+ /team/", "w")]).await;
        known("GET", "/team/exports/june").await.expect_status(200);
        known("PATCH", "/team/reports/june").await.expect_status(200);
        forbidden(known("GET", "/team/reports/june").await);

        // Who is nobody is judged as anonymous; who is known is not.
        site.permit(PermissionHolder::Anonymous, &[("+ /team/reports/", "r")]).await;
        call("GET", "/team/reports/june").await.expect_status(200);
        call("GET", "/team/reports/june").header("x-cm-well-token", "bogus").await.expect_status(200);
        nobody(call("PUT", "/team/reports/june").await);
        forbidden(known("GET", "/team/reports/june").await);
    }

    async fn a_role_gives_what_it_has(store) {
        let site = Site::new(store).await;
        let (app, token) = (app(&site), site.token().await);
        let get = || Call::new(&app, "GET", "/team/reports/may").header("x-cm-well-token", &token);
        site.permit(PermissionHolder::Role("reader".into()), &[("+ /team/", "r")]).await;
        get().await.expect(403, "ACCESS_DENIED");
        site.auth.assign_role(&1.into(), "reader").await.unwrap();
        // Roles are assigned behind CM-Well's back: it is told, or a minute passes.
        site.cmwell.forget_permissions();
        get().await.expect_status(200);
        site.auth.unassign_role(&1.into(), "reader").await.unwrap();
        site.advance(60);
        get().await.expect(403, "ACCESS_DENIED");
    }

    async fn an_expired_token_is_said_to_be_expired(store) {
        let site = Site::new(store).await;
        let (app, token) = (app(&site), site.token().await);
        site.advance(86_400);
        Call::new(&app, "GET", "/team/reports/may").header("x-cm-well-token", token).await.expect(401, "INVALID_TOKEN");
    }
}
