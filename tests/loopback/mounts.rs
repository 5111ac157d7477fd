//! What is mounted, and beside what.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use gatekit::core::AccessType;
use gatekit::{Acl, AclRow, Auth, AuthLayer, AuthUser, MemoryStore, Model, Policy, User, VerifyOptions, routes};
use gatekit_testkit::{MailSink, fast_hasher};
use gatekit_tests::{App, Call, EMAIL, PASSWORD, Store};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Every route, by the feature that it belongs to.
const ROUTES: [(&str, &str, &str); 7] = [
    ("register", "POST", "/api/users"),
    ("login", "POST", "/api/users/login"),
    ("logout", "POST", "/api/users/logout"),
    ("find_user", "GET", "/api/users/1"),
    ("change_password", "POST", "/api/users/change-password"),
    ("reset_password", "POST", "/api/users/reset"),
    ("reset_password", "POST", "/api/users/reset-password"),
];

#[tokio::test]
async fn what_is_not_mounted_is_404() {
    let auth = App::loopback(Store::Memory).await.auth;
    let routers: [(&str, Router); 6] = [
        ("register", routes::register(&auth)),
        ("login", routes::login(&auth)),
        ("logout", routes::logout(&auth)),
        ("find_user", routes::find_user(&auth)),
        ("change_password", routes::change_password(&auth)),
        ("reset_password", routes::reset_password(&auth)),
    ];
    for (mounted, router) in routers {
        let router = Router::new().nest("/api/users", router).layer(AuthLayer::new(auth.clone()));
        for (feature, method, path) in ROUTES {
            let status = Call::new(&router, method, path).await.status.as_u16();
            if feature == mounted {
                assert!((400..=422).contains(&status) && status != 404, "{mounted}: {method} {path} {status}");
            } else if mounted != "find_user" {
                assert_eq!(status, 404, "{mounted}: {method} {path}");
            } else {
                // `/{id}` is a path, but not for POST.
                assert!(status == 404 || status == 405, "{mounted}: {method} {path} {status}");
            }
        }
    }
}

#[tokio::test]
async fn features_can_be_merged_and_routed_without_a_prefix() {
    let auth = App::loopback(Store::Memory).await.auth;
    let router: Router = routes::register(&auth).merge(routes::login(&auth)).layer(AuthLayer::new(auth));
    let body = json!({"email": EMAIL, "password": PASSWORD});
    Call::new(&router, "POST", "/").json(&body).await.expect_status(200);
    Call::new(&router, "POST", "/login").json(&body).await.expect_status(200);
    Call::new(&router, "POST", "/logout").await.expect_status(404);
}

/// No link leads to a 404: a sign-up without the page that verifies mails the bare secret, or a
/// link to the app's own page.
#[tokio::test]
async fn a_sign_up_links_to_the_page_that_verifies_only_if_there_is_one() {
    let own = "https://app.example.com/welcome";
    for (mounts_page, own_page, expected) in [
        (true, None, Some("https://app.example.com/api/users/confirm")),
        (false, None, None),
        (true, Some(own), Some(own)),
        (false, Some(own), Some(own)),
    ] {
        let mails = MailSink::new();
        let mut policy = Policy::default();
        policy.email.verification_required = true;
        let mut verify = VerifyOptions::default();
        verify.verify_href = own_page.map(str::to_owned);
        let store = MemoryStore::new();
        let auth: Auth = Auth::builder(store)
            .policy(policy)
            .hasher(fast_hasher())
            .mailer(mails.clone())
            .public_url("https://app.example.com")
            .verify_options(verify)
            .build()
            .unwrap();
        let mut users = routes::register(&auth);
        if mounts_page {
            users = users.merge(routes::verify_email(&auth));
        }
        let app: Router = Router::new().nest("/api/users", users).layer(AuthLayer::new(auth.clone()));
        let body = json!({"email": EMAIL, "password": PASSWORD});
        Call::new(&app, "POST", "/api/users").json(body).await.expect_status(200);
        auth.settled().await;
        let mails = mails.mails();
        let [mail] = &mails[..] else { panic!("{mails:?}") };
        let link = mail.link.as_deref();
        assert_eq!(link.is_some(), expected.is_some(), "{mail:?}");
        assert!(link.is_none_or(|link| link.starts_with(expected.unwrap_or_default())), "{mail:?}");
        assert!(mail.text.contains("token") || link.is_none(), "{mail:?}");
    }
}

/// axum merges no two routers that both have a fallback.
#[tokio::test]
async fn all_routes_are_merged_into_an_app_with_a_fallback_of_its_own() {
    let auth = App::loopback(Store::Memory).await.auth;
    let body = json!({"email": EMAIL, "password": PASSWORD});
    for (number, routes) in [routes::all(&auth), routes::loopback(&auth)].into_iter().enumerate() {
        let own = || {
            Router::new()
                .route("/a/page", get(|| async { "a page" }))
                .fallback(|| async { (StatusCode::IM_A_TEAPOT, "the app's own") })
        };
        let merged = own().merge(routes.clone()).layer(AuthLayer::new(auth.clone()));
        let turned = routes.clone().merge(own()).layer(AuthLayer::new(auth.clone()));
        let nested = own().merge(Router::new().nest("/users", routes)).layer(AuthLayer::new(auth.clone()));
        for (router, prefix) in [(merged, ""), (turned, ""), (nested, "/users")] {
            let call = |method: &str, path: &str| Call::new(&router, method, &format!("{prefix}{path}"));
            if number == 0 && prefix.is_empty() {
                let _ = call("POST", "/").json(&body).await;
            }
            call("POST", "/login").json(&body).await.expect_status(200);
            call("GET", "/1").await.expect(401, "AUTHORIZATION_REQUIRED");
            // To LoopBack a name is an id for another method.
            call("GET", "/login").await.expect(401, "AUTHORIZATION_REQUIRED");
            Call::new(&router, "GET", "/a/page").await.is(200, "a page");
            for nothing in ["/1/nothing", "/1/nothing/at/all"] {
                call("GET", nothing).await.is(418, "the app's own");
            }
        }
    }
}

/// Where the routes are nested, LoopBack's 404 is about what is below them, and the app's own about
/// the rest.
#[tokio::test]
async fn loopbacks_404_is_a_fallback_that_the_app_mounts() {
    let auth = App::loopback(Store::Memory).await.auth;
    let users = routes::all(&auth).fallback(routes::user_url_not_found::<User>);
    let own = Router::new().fallback(|| async { (StatusCode::IM_A_TEAPOT, "the app's own") });
    let router: Router = own.merge(Router::new().nest("/users", users)).layer(AuthLayer::new(auth));
    let missing = r#"{"error":{"statusCode":404,"name":"Error","message":"Shared class \"User\" has no method handling GET /1/nothing"}}"#;
    Call::new(&router, "GET", "/users/1/nothing").await.is(404, missing);
    Call::new(&router, "GET", "/1/nothing").await.is(418, "the app's own");
}

/// Fields of an app's own, which a sign-up sends and a user has.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Profile {
    city: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    age: Option<u8>,
}

impl Model for Profile {}

type Member = User<Profile>;

async fn members() -> (Auth<Member>, MailSink) {
    let (store, mails) = (MemoryStore::new(), MailSink::new());
    let auth = Auth::builder(store).policy(Policy::loopback()).hasher(fast_hasher()).mailer(mails.clone());
    (auth.public_url("https://app.example.com").build().unwrap(), mails)
}

#[tokio::test]
async fn fields_of_the_apps_own_are_read_stored_and_answered() {
    let (auth, _) = members().await;
    let router: Router = Router::new().nest("/api/users", routes::all(&auth)).layer(AuthLayer::new(auth));
    let post = |path: &str, body: Value| Call::new(&router, "POST", path).json(body);
    let user = r#"{"email":"foo@bar.com","id":1,"city":"Ulm"}"#;
    post("/api/users", json!({"email": EMAIL, "password": PASSWORD, "city": "Ulm", "unknown": 1})).await.is(200, user);
    let answer = post("/api/users/login?include=user", json!({"email": EMAIL, "password": PASSWORD})).await;
    assert!(answer.body.ends_with(&format!(r#","user":{user}}}"#)), "{}", answer.body);
    Call::new(&router, "GET", "/api/users/1").token(&answer.text("id")).await.is(200, user);
    let missing = r#"{"error":{"statusCode":422,"name":"ValidationError","message":"The `User` instance is not valid. Details: `city` can't be blank (value: undefined).","details":{"context":"User","codes":{"city":["presence"]},"messages":{"city":["can't be blank"]}}}}"#;
    post("/api/users", json!({"email": "b@x.com", "password": PASSWORD})).await.is(422, missing);
    post("/api/users", json!({"email": "b@x.com", "password": PASSWORD, "city": {"a": 1}})).await.expect_error(422);
    post("/api/users", json!({"email": "b@x.com", "password": PASSWORD, "city": "x", "age": 300}))
        .await
        .expect_error(422);
}

/// 8.4.1, V-80, V-132, V-133: the ids are equal, the users are not. Both ways to mount two.
#[tokio::test]
async fn two_kinds_of_users_live_side_by_side_and_know_nothing_of_each_other() {
    let app = App::loopback(Store::Memory).await;
    let users = app.auth.clone();
    let (members, member_mails) = members().await;
    let beside: Router = Router::new()
        .nest("/api/users", routes::all(&users).layer(AuthLayer::new(users.clone())))
        .nest("/api/members", routes::all(&members).layer(AuthLayer::new(members.clone())))
        .merge(Router::new().route("/user", get(user)).layer(AuthLayer::new(users.clone())))
        .merge(Router::new().route("/member", get(member)).layer(AuthLayer::new(members.clone())));
    let stacked = || {
        Router::new()
            .nest("/api/users", routes::all(&users))
            .nest("/api/members", routes::all(&members))
            .route("/user", get(user))
            .route("/member", get(member))
    };
    let inside = stacked().layer(AuthLayer::new(users.clone())).layer(AuthLayer::new(members.clone()));
    let outside = stacked().layer(AuthLayer::new(members.clone())).layer(AuthLayer::new(users.clone()));

    let body = json!({"email": EMAIL, "password": PASSWORD, "city": "Ulm"});
    for path in ["/api/users", "/api/members"] {
        Call::new(&beside, "POST", path).json(&body).await.expect_status(200);
    }
    for router in [beside, inside, outside] {
        let call = |method: &str, path: &str| Call::new(&router, method, path);
        for (own, own_page, others, others_page) in
            [("/api/users", "/user", "/api/members", "/member"), ("/api/members", "/member", "/api/users", "/user")]
        {
            let login = async || call("POST", &format!("{own}/login")).json(&body).await.text("id");
            let token = login().await;
            call("GET", &format!("{own}/1")).token(&token).await.expect_status(200);
            call("GET", own_page).token(&token).await.is(200, "1");
            call("GET", &format!("{own_page}?access_token={token}")).await.is(200, "1");
            call("GET", &format!("{own}/1?access_token={token}")).await.expect_status(200);

            call("GET", &format!("{others}/1")).token(&token).await.expect(401, "AUTHORIZATION_REQUIRED");
            call("GET", others_page).token(&token).await.expect(401, "AUTHORIZATION_REQUIRED");
            call("POST", &format!("{others}/logout")).token(&token).await.expect_error(401);
            let change = json!({"oldPassword": PASSWORD, "newPassword": PASSWORD});
            call("POST", &format!("{others}/change-password")).token(&token).json(&change).await.expect_error(401);
            call("POST", &format!("{others}/reset-password")).token(&token).json(&change).await.expect_error(401);

            call("POST", &format!("{own}/change-password")).token(&token).json(&change).await.expect_no_content();
            call("POST", &format!("{own}/reset-password")).token(&token).json(&change).await.expect_no_content();
            call("POST", &format!("{own}/logout")).token(&token).await.expect_no_content();
            let token = login().await;
            call("POST", &format!("{own}/logout?access_token={token}")).await.expect_no_content();

            // A reset of the one is none of the other, and its link says where it was asked for.
            let mails = if own == "/api/users" { &app.mails } else { &member_mails };
            let before = mails.mails().len();
            call("POST", &format!("{own}/reset")).json(json!({"email": EMAIL})).await.expect_no_content();
            mails.wait_for(before + 1).await;
            assert!(
                mails
                    .last_link()
                    .await
                    .starts_with(&format!("https://app.example.com{own}/reset-password/form?token="))
            );
            let secret = mails.last_token().await;
            call("POST", &format!("{others}/reset-password")).token(&secret).json(&change).await.expect_error(401);
            call("POST", &format!("{own}/reset-password")).token(&secret).json(&change).await.expect_no_content();
        }
    }
}

async fn user(AuthUser(user): AuthUser) -> String {
    user.id.to_string()
}

async fn member(AuthUser(member): AuthUser<Member>) -> String {
    member.id.to_string()
}

/// 8.2.1: whom the list denies a method, it denies what is beside it: a change of the address leads
/// to another password too.
#[tokio::test]
async fn the_access_control_list_holds_for_routes_that_loopback_has_not() {
    let denied = AclRow::deny("demo").methods(["changePassword", "logout"]).access(AccessType::Execute);
    let acl = Acl::user().row(denied);
    let app = App::with(Policy::default()).configure(|auth| auth.acl(acl)).start(Store::Memory).await;
    let token = app.signed_up().await;
    let body = json!({"password": PASSWORD, "email": "other@bar.com", "oldPassword": PASSWORD, "newPassword": "staple battery"});
    app.auth.assign_role(&1.into(), "demo").await.unwrap();
    for path in ["change-password", "change-email", "step-up", "delete-account", "logout", "logout-everywhere"] {
        let answer = app.post(&format!("/api/users/{path}")).token(&token).json(&body).await;
        answer.expect(401, "AUTHORIZATION_REQUIRED");
    }
    app.get("/api/users/sessions").token(&token).await.expect(401, "AUTHORIZATION_REQUIRED");
    app.delete("/api/users/sessions/x").token(&token).await.expect(401, "AUTHORIZATION_REQUIRED");
    assert_eq!(app.mails.attempts(), 0);

    app.auth.unassign_role(&1.into(), "demo").await.unwrap();
    app.get("/api/users/sessions").token(&token).await.expect_status(200);
    for path in ["change-email", "delete-account"] {
        app.post(&format!("/api/users/{path}")).token(&token).json(&body).await.expect_no_content();
    }
    app.me(&token).await.expect_status(401);
}

/// 8.2.2: the parameter of a prefix is nobody's id, whatever its name.
#[tokio::test]
async fn a_prefix_with_parameters_does_not_say_whose_it_is() {
    for name in ["id", "org"] {
        let app = App::new(Store::Memory).await;
        let token = app.signed_up().await;
        let users = routes::all(&app.api).layer(AuthLayer::new(app.auth.clone()));
        let router: Router = Router::new().nest(&format!("/orgs/{{{name}}}/users"), users);
        let call = |method: &str, path: &str| Call::new(&router, method, path).token(&token);
        for path in ["logout", "sessions", "confirm", "1/verify", "1/accessTokens/x"] {
            for method in ["GET", "HEAD", "PATCH", "PUT", "DELETE"] {
                if (method, path) != ("GET", "sessions") && (method, path) != ("HEAD", "sessions") {
                    let answer = call(method, &format!("/orgs/1/users/{path}")).json(json!({"username": "x"})).await;
                    assert!(answer.status.is_client_error(), "{method} {path}: {answer:?}");
                }
            }
        }
        call("GET", "/orgs/2/users/1").await.expect_status(200);
        call("GET", "/orgs/1/users/2").await.expect(401, "AUTHORIZATION_REQUIRED");
        call("DELETE", "/orgs/2/users/1").json(json!({"password": PASSWORD})).await.expect_status(200);
    }
}
