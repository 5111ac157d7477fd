//! What a request asks of the stores (invariant 7): nothing for who asks for nobody, one query for
//! who does.

use axum::Router;
use axum::routing::get;
use gatekit::core::PermissionHolder;
use gatekit::{AuthLayer, AuthUser, Caller, User};
use gatekit_tests::{Call, on_every_store};

use crate::site::{NAME, PASSWORD, Site};

on_every_store! {
    async fn who_asks_for_nobody_asks_no_store(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        site.faults.reset();
        for request in [
            site.get("/open"),
            site.get("/open").header("x-cm-well-token", &token),
            site.get("/me"),
            site.get("/maybe"),
            site.get("/me").header("x-cm-well-token", "bogus"),
            site.get("/nothing").header("x-cm-well-token", &token),
            site.get("/_login"),
            site.get("/_login").header("authorization", "Basic x"),
            site.call("POST", "/_auth"),
        ] {
            request.await;
        }
        assert!(site.faults.calls().is_empty(), "{:?}", site.faults.calls());
    }

    async fn a_protected_request_asks_once(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        for path in ["/me", "/maybe"] {
            site.faults.reset();
            site.get(path).header("x-cm-well-token", &token).await.expect_status(200);
            assert_eq!(site.faults.calls(), ["find_user_by"], "{path}");
        }
        async fn several(
            AuthUser(user): AuthUser,
            _: Caller,
            AuthUser(_): AuthUser,
            _: Option<AuthUser>,
        ) -> String {
            let user: User = user;
            user.id.to_string()
        }
        let layer = AuthLayer::new(site.cmwell.authenticator()).sources(site.cmwell.token_sources());
        let router: Router = Router::new().route("/", get(several)).layer(layer);
        site.faults.reset();
        Call::new(&router, "GET", "/").header("x-cm-well-token", &token).await.is(200, "1");
        assert_eq!(site.faults.calls(), ["find_user_by"]);
    }

    /// No token is stored, so a login writes nothing.
    async fn a_login_asks_once(store) {
        let site = Site::new(store).await;
        site.faults.reset();
        site.login(NAME, PASSWORD).await.expect_status(200);
        assert_eq!(site.faults.calls(), ["find_user_by"]);
    }

    /// 8.3.2: the user is asked for anew with each request, permissions are remembered for a
    /// minute.
    async fn the_filter_asks_for_the_user_each_time_and_for_permissions_once_a_minute(store) {
        let site = Site::new(store).await;
        site.permit(PermissionHolder::Anonymous, &[("+ /", "r")]).await;
        site.permit(PermissionHolder::User(1.into()), &[("+ /", "rw")]).await;
        let token = site.token().await;
        let asked = async |token: Option<&str>| {
            site.faults.reset();
            let call = Call::new(&site.filtered, "GET", "/maybe");
            let call = token.map_or(call.header("accept", "*/*"), |token| {
                Call::new(&site.filtered, "GET", "/maybe").header("x-cm-well-token", token)
            });
            call.await.expect_status(200);
            site.faults.calls()
        };
        assert_eq!(asked(None).await, ["permissions_of"]);
        assert!(asked(None).await.is_empty());
        assert_eq!(asked(Some(&token)).await, ["find_user_by", "permissions_of"]);
        assert_eq!(asked(Some(&token)).await, ["find_user_by"]);
        site.advance(59);
        assert_eq!(asked(Some(&token)).await, ["find_user_by"]);
        site.advance(1);
        assert_eq!(asked(Some(&token)).await, ["find_user_by", "permissions_of"]);
        assert_eq!(asked(None).await, ["permissions_of"]);
        // A clock that was put back does not make it live longer.
        site.clock.set(site.now().plus_seconds(-1000));
        assert_eq!(asked(None).await, ["permissions_of"]);
    }

    async fn a_cache_of_zero_remembers_nothing(store) {
        let setup = Site::with().cmwell(|cmwell| cmwell.permission_cache(std::time::Duration::ZERO));
        let site = setup.start(store).await.registered().await;
        site.permit(PermissionHolder::Anonymous, &[("+ /", "r")]).await;
        for _ in 0..3 {
            site.faults.reset();
            Call::new(&site.filtered, "GET", "/open").await.expect_status(200);
            assert_eq!(site.faults.calls(), ["permissions_of"]);
        }
    }
}
