//! Where the routes are mounted, beside what.

use axum::Router;
use axum::http::StatusCode;
use gatekit_tests::{Call, Store};

use crate::iam::{SHOP, TOKEN};
use crate::site::Site;

/// The app's own 404 is its own, whichever of the routers is merged into the other.
#[tokio::test]
async fn the_routes_are_merged_into_an_app_with_a_fallback() {
    let site = Site::iam(Store::Memory).await;
    let own = || Router::new().fallback(|| async { (StatusCode::IM_A_TEAPOT, "the app's own") });
    let merged = own().merge(site.members.iam_router()).merge(site.members.router());
    let turned = site.members.iam_router().merge(site.members.router()).merge(own());
    for router in [merged, turned] {
        let router: Router = router;
        Call::new(&router, "POST", TOKEN).await.expect_status(415);
        Call::new(&router, "GET", "/nothing").await.is(418, "the app's own");
    }
}

/// The endpoints of the SDK are for other origins. The rest of the app is not.
#[tokio::test]
async fn the_404_of_the_app_is_not_opened_to_other_origins() {
    let site = Site::iam(Store::Memory).await;
    let preflight = |path| {
        let call = site.call("OPTIONS", path).header("origin", SHOP);
        call.header("access-control-request-method", "POST")
    };
    preflight(TOKEN).await.expect_status(200).expect_header("access-control-allow-origin", SHOP);
    let nothing = preflight("/nothing").await.expect_status(404);
    assert!(!nothing.headers.contains_key("access-control-allow-origin"), "{:?}", nothing.headers);
}
