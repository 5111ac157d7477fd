//! `Caller`: who decides itself sees all that is known.

use axum::Router;
use axum::routing::get;
use gatekit_layer::{AuthLayer, AuthRejection, Caller};

use crate::{Member, Members, Robots, ask, error, ok};

async fn caller(Caller(caller): Caller<Member>) -> String {
    let scopes = caller.token.as_ref().unwrap().scopes.as_ref();
    format!("{} {:?} {:?}", caller.principal.0, scopes, caller.roles)
}

async fn result(caller: Result<Caller<Member>, AuthRejection>) -> String {
    match caller {
        Ok(Caller(caller)) => caller.principal.0.to_owned(),
        Err(rejection) => format!("{rejection:?}"),
    }
}

fn router() -> Router {
    Router::new()
        .route("/", get(caller))
        .route("/maybe", get(async |caller: Option<Caller<Member>>| format!("{}", caller.is_some())))
        .route("/result", get(result))
        .layer(AuthLayer::new(Members::default()))
}

#[tokio::test]
async fn a_caller_comes_with_token_and_roles_whatever_the_token_is_for() {
    let router = router();
    assert_eq!(ask(&router, "/", "bob").await, ok(r#"bob None Some(["author"])"#));
    assert_eq!(ask(&router, "/", "bob:read").await, ok(r#"bob Some(["read"]) Some(["author"])"#));
    assert_eq!(ask(&router, "/", "eve:").await, ok("eve Some([]) Some([])"));
    assert_eq!(ask(&router, "/", "").await.0, 401);
    assert_eq!(ask(&router, "/maybe", "bob:read").await, ok("true"));
    for token in ["", "other", "old"] {
        assert_eq!(ask(&router, "/maybe", token).await, ok("false"), "{token}");
    }
    assert_eq!(ask(&router, "/maybe", "down").await, error(503, "Service Unavailable", "SERVICE_UNAVAILABLE"));
}

/// Contract, surprise 6: an open route may have to know an expired token from none.
#[tokio::test]
async fn why_there_is_no_caller_can_be_told_apart() {
    let router = router();
    for (token, wanted) in [("bob:x", "bob"), ("", "Missing"), ("other", "Invalid"), ("old", "Expired")] {
        assert_eq!(ask(&router, "/result", token).await, ok(wanted));
    }
    assert!(ask(&router, "/result", "down").await.1.starts_with("Unavailable"));
}

#[tokio::test]
async fn another_user_type_is_told_which_one_there_is() {
    let router = Router::new().route("/", get(caller)).layer(AuthLayer::new(Robots));
    let (status, body) = ask(&router, "/", "wall-e").await;
    assert!(status == 500 && body.contains("Robot") && body.contains("Member"), "{body}");
}
