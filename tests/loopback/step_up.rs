//! `POST /api/users/step-up`, `Fresh` and `RequireFreshLayer`.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use gatekit::{
    Acl, AclRow, AuthLayer, AuthUser, AuthenticateError, Authenticated, Authenticator, Client, Event, Fresh,
    IssueToken, Login, Policy, RequireFreshLayer, UserId, async_trait, routes,
};
use gatekit_testkit::Fault::{Fail, FailAfter};
use gatekit_tests::{App, Call, EMAIL, PASSWORD, Store, at_once, count, on_every_store};
use serde_json::{Value, json};

const STEP_UP: &str = "/api/users/step-up";
const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;
const WRONG: &str =
    r#"{"error":{"statusCode":400,"name":"Error","message":"Invalid current password","code":"INVALID_PASSWORD"}}"#;
const STALE: &str = r#"{"error":{"statusCode":401,"name":"Error","message":"The password must be verified again","code":"STEP_UP_REQUIRED","details":{"maxAge":300,"strength":"one_factor"}}}"#;
const CHALLENGE: &str = r#"Bearer error="insufficient_user_authentication", error_description="The password must be verified again", max_age="300""#;
/// What asks for a password of the last five minutes: as an extractor, and as a layer.
const GUARDED: [&str; 2] = ["/fresh", "/group"];

async fn me(AuthUser(user): AuthUser) -> String {
    user.id.to_string()
}

/// The app, with pages for whose password is fresh.
async fn app(policy: Policy, store: Store) -> App {
    let mut app = App::with(policy).start(store).await;
    app.router = Router::new()
        .route("/fresh", get(async |_: Fresh<300>, user: AuthUser| me(user).await))
        .route(
            "/maybe-fresh",
            get(async |fresh: Option<Fresh<300>>| if fresh.is_some() { "fresh" } else { "not fresh" }),
        )
        .merge(Router::new().route("/group", get(me)).layer(RequireFreshLayer::new(300)))
        .route("/me", get(me))
        .nest("/api/users", routes::all(&app.api))
        .layer(AuthLayer::new(app.auth.clone()));
    app
}

fn password(password: &str) -> Value {
    json!({ "password": password })
}

async fn is_fresh(app: &App, token: &str) -> bool {
    for path in GUARDED {
        let answer = app.get(path).token(token).await;
        if answer.status != 200 {
            answer.is(401, STALE).expect_header("www-authenticate", CHALLENGE);
            app.get("/maybe-fresh").token(token).await.is(200, "not fresh");
            return false;
        }
        answer.is(200, "1");
    }
    app.get("/maybe-fresh").token(token).await.is(200, "fresh");
    true
}

on_every_store! {
    /// 7.5.1, 7.5.3
    async fn a_login_is_fresh_for_so_long_and_not_a_moment_longer(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = app(policy, store).await;
            let token = app.signed_up().await;
            assert!(is_fresh(&app, &token).await);
            app.clock.advance(Duration::from_millis(299_999));
            assert!(is_fresh(&app, &token).await);
            app.clock.advance(Duration::from_millis(1));
            assert!(!is_fresh(&app, &token).await, "at the limit");
            app.clock.advance(Duration::from_secs(1));
            assert!(!is_fresh(&app, &token).await, "a second after it");
            app.get("/me").token(&token).await.is(200, "1");
            assert!(is_fresh(&app, &app.token_of(EMAIL).await).await, "another login");
            assert!(!is_fresh(&app, &token).await, "which is not this one's");
        }
    }

    /// 7.5.1, 7.2.4, V-31
    async fn a_proven_password_gets_a_fresh_token_and_ends_the_old_one(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = app(policy, store).await;
            let (old, elsewhere) = (app.signed_up().await, app.token_of(EMAIL).await);
            app.clock.advance(Duration::from_secs(3600));
            let answer = app.post(STEP_UP).token(&old).json(password(PASSWORD)).await.expect_status(200);
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
            let fresh = answer.text("id");
            assert_eq!((fresh.len(), fresh == old), (64, false));
            // What a login answers, member by member.
            let login = app.login(EMAIL, PASSWORD).await;
            let but_for_the_id = |body: &str, id: &str| body.replace(id, "");
            assert_eq!(but_for_the_id(&answer.body, &fresh), but_for_the_id(&login.body, &login.text("id")));

            assert!(is_fresh(&app, &fresh).await);
            for path in ["/me", "/fresh", "/group"] {
                app.get(path).token(&old).await.is(401, REFUSED);
            }
            app.get("/me").token(&elsewhere).await.is(200, "1");
            assert!(!is_fresh(&app, &elsewhere).await, "a session elsewhere is as it was");
            app.post(STEP_UP).token(&old).json(password(PASSWORD)).await.is(401, REFUSED);
            // Again, and the one before has ended too.
            let again = app.post(STEP_UP).token(&fresh).json(password(PASSWORD)).await.text("id");
            app.get("/me").token(&fresh).await.is(401, REFUSED);
            assert!(is_fresh(&app, &again).await);
        }
    }

    /// 7.5.1
    async fn a_token_that_the_app_issued_by_itself_is_not_fresh_until_a_password_is_proven(store) {
        let app = app(Policy::default(), store).await;
        app.sign_up().await;
        let issued = app.auth.issue_token(&UserId::from(1), IssueToken::default()).await.unwrap();
        let token = issued.secret.expose();
        app.get("/me").token(token).await.is(200, "1");
        assert!(!is_fresh(&app, token).await);
        let fresh = app.post(STEP_UP).token(token).json(password(PASSWORD)).await.text("id");
        assert!(is_fresh(&app, &fresh).await);
        app.get("/me").token(token).await.is(401, REFUSED);
    }

    async fn scopes_lifetime_and_client_are_kept(store) {
        let app = app(Policy::default(), store).await;
        app.sign_up().await;
        let options = IssueToken::default().ttl(60).scopes(["reports", "DEFAULT"]);
        let issued = app.auth.issue_token(&UserId::from(1), options).await.unwrap();
        app.clock.advance(Duration::from_secs(59));
        let answer = app.post(STEP_UP).token(issued.secret.expose()).json(password(PASSWORD)).await.expect_status(200);
        assert_eq!((&answer.value()["ttl"], &answer.value()["scopes"]), (&json!(60), &json!(["reports", "DEFAULT"])));
        app.clock.advance(Duration::from_secs(59));
        app.get("/me").token(&answer.text("id")).await.is(200, "1");
        app.clock.advance(Duration::from_secs(1));
        app.get("/me").token(&answer.text("id")).await.expect(401, "INVALID_TOKEN");

        let client = Client::default().user_agent("Mozilla/5.0").ip([203, 0, 113, 7]);
        let login = app.auth.login(Login::email(EMAIL, PASSWORD).client(client)).await.unwrap().token;
        let old = login.secret.expose();
        app.post(STEP_UP).token(old).header("user-agent", "Another").json(password(PASSWORD)).await.expect_status(200);
        let tokens = app.auth.list_tokens(&UserId::from(1)).await.unwrap();
        let clients: Vec<_> = tokens.into_iter().filter_map(|token| token.client).collect();
        assert_eq!(clients, [login.record.client.unwrap()]);
    }

    /// A token for something else proves nothing, and gets nothing.
    async fn a_token_for_other_scopes_is_refused(store) {
        let app = app(Policy::default(), store).await;
        app.sign_up().await;
        let scoped = app.auth.issue_token(&UserId::from(1), IssueToken::default().scopes(["reports"])).await.unwrap();
        let hashes = app.auth.hasher().hashes();
        app.post(STEP_UP).token(scoped.secret.expose()).json(password(PASSWORD)).await.is(401, REFUSED);
        assert_eq!(app.auth.hasher().hashes(), hashes);
    }

    /// 6.3.1: the event is what counts failed attempts.
    async fn a_wrong_password_is_told_and_counted_and_changes_nothing(store) {
        let app = app(Policy::default(), store).await;
        let token = app.signed_up().await;
        app.clock.advance(Duration::from_secs(300));
        let _ = app.events.take();
        for wrong in ["wrong", "correct horse batterY", " correct horse battery", &"x".repeat(5000)] {
            app.post(STEP_UP).token(&token).json(password(wrong)).await.is(400, WRONG);
            assert!(matches!(&app.events.take()[..], [Event::PasswordRefused { user_id: Some(_), .. }]));
        }
        app.get("/me").token(&token).await.is(200, "1");
        assert!(!is_fresh(&app, &token).await);
        // That of somebody else is no better.
        let body = json!({"email": "second@bar.com", "password": "orbital marzipan 74"});
        app.post("/api/users").json(body).await.expect_status(200);
        app.post(STEP_UP).token(&token).json(password("orbital marzipan 74")).await.is(400, WRONG);
        app.post(STEP_UP).token(&token).json(json!({"password": PASSWORD, "id": 2, "email": "second@bar.com"})).await.expect_status(200);
    }

    /// 1.5.2
    async fn what_is_wrong_with_a_request_is_told(store) {
        let app = app(Policy::default(), store).await;
        let token = app.signed_up().await;
        let missing = r#"{"error":{"statusCode":400,"name":"Error","message":"password is a required argument"}}"#;
        let no_text = r#"{"error":{"statusCode":400,"name":"Error","message":"Value is not a string."}}"#;
        for (body, answer) in [
            ("{}", missing),
            ("", missing),
            ("null", missing),
            ("[]", missing),
            (r#"{"password":""}"#, missing),
            (r#"{"password":null}"#, no_text),
            (r#"{"password":true}"#, no_text),
            (r#"{"password":5}"#, no_text),
            (r#"{"password":["correct horse battery"]}"#, no_text),
            (r#"{"password":{"neq":"x"}}"#, no_text),
        ] {
            app.post(STEP_UP).token(&token).json(body).await.is(400, answer);
        }
        app.post(STEP_UP).token(&token).await.is(400, missing);
        // A password in the URL would stand in logs.
        app.post(&format!("{STEP_UP}?password=correct+horse+battery")).token(&token).await.is(400, missing);
        // Types, then authorization, then what is missing.
        app.post(STEP_UP).json(r#"{"password":5}"#).await.is(400, no_text);
        app.post(STEP_UP).json("{}").await.is(401, REFUSED).expect_header("www-authenticate", "Bearer");
        app.post(STEP_UP).json(password(PASSWORD)).await.is(401, REFUSED);
        app.post(STEP_UP).token("bogus").json(password(PASSWORD)).await.is(401, REFUSED);
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
            let answer = app.call(method, STEP_UP).token(&token).json(password(PASSWORD)).await;
            assert!(answer.status.is_client_error(), "{method}: {answer:?}");
        }
        app.get("/me").token(&token).await.is(200, "1");
        app.post(STEP_UP).token(&token).form("password=correct+horse+battery").await.expect_status(200);
    }

    async fn an_expired_token_cannot_be_replaced(store) {
        let app = app(Policy::default(), store).await;
        let token = app.signed_up().await;
        app.clock.advance(Duration::from_secs(1_209_600));
        app.post(STEP_UP).token(&token).json(password(PASSWORD)).await.expect(401, "INVALID_TOKEN");
        app.post(STEP_UP).token(&token).json(password(PASSWORD)).await.is(401, REFUSED);
    }

    /// RACE-3
    async fn of_20_who_ask_at_once_one_gets_a_token(store) {
        let app = app(Policy::default(), store).await;
        let token = app.signed_up().await;
        let answers = at_once((0..20).map(|_| app.post(STEP_UP).token(&token).json(password(PASSWORD)))).await;
        assert_eq!((count(&answers, 200), count(&answers, 401)), (1, 19), "{answers:?}");
        let fresh = answers.iter().find(|answer| answer.status == 200).unwrap().text("id");
        app.get("/me").token(&token).await.is(401, REFUSED);
        app.get("/me").token(&fresh).await.is(200, "1");
        let sessions = app.get("/api/users/sessions").token(&fresh).await.value();
        assert_eq!(sessions.as_array().unwrap().len(), 1, "nothing is left of the others: {sessions}");
    }

    /// REL-2, 16.5.3
    async fn a_store_that_fails_gives_nobody_a_token(store) {
        let app = app(Policy::default(), store).await;
        let token = app.signed_up().await;
        for (call, fault) in [("find_user", Fail), ("find_user", FailAfter), ("insert_token", Fail), ("delete_token", Fail)] {
            app.faults.every_call_of(call, fault);
            app.post(STEP_UP).token(&token).json(password(PASSWORD)).await.expect_unavailable();
            app.faults.reset();
            app.get("/me").token(&token).await.is(200, "1");
        }
        // The new token is stored, and the store failed to say so: that is found out.
        app.faults.every_call_of("insert_token", FailAfter);
        let fresh = app.post(STEP_UP).token(&token).json(password(PASSWORD)).await.expect_status(200).text("id");
        app.faults.reset();
        app.get("/me").token(&token).await.is(401, REFUSED);
        let token = fresh;
        // Who has removed the old one cannot be found out, so nobody gets the new one.
        app.faults.nth_call_of("delete_token", 1, FailAfter);
        app.post(STEP_UP).token(&token).json(password(PASSWORD)).await.expect_unavailable();
        app.faults.reset();
        app.get("/me").token(&token).await.is(401, REFUSED);
    }

    /// 8.2.1: it is the password that is proven, so whom the list denies `changePassword`, it
    /// denies this.
    async fn the_access_control_list_is_asked(store) {
        let denied = AclRow::deny("demo").methods(["changePassword"]).access(gatekit::AccessType::Execute);
        let app = App::with(Policy::default()).configure(|auth| auth.acl(Acl::user().row(denied))).start(store).await;
        let token = app.signed_up().await;
        app.auth.assign_role(&1.into(), "demo").await.unwrap();
        app.post(STEP_UP).token(&token).json(password(PASSWORD)).await.is(401, REFUSED);
        app.auth.unassign_role(&1.into(), "demo").await.unwrap();
        app.post(STEP_UP).token(&token).json(password(PASSWORD)).await.expect_status(200);
    }

    /// 3.5.1: a page of another origin has no password, and is not let try.
    async fn a_cookie_from_another_origin_is_refused(store) {
        let app = app(Policy::default(), store).await;
        let token = app.signed_up().await;
        let hashes = app.auth.hasher().hashes();
        let request = app.post(STEP_UP).cookie(&token).header("sec-fetch-site", "cross-site");
        request.json(password(PASSWORD)).await.expect_status(403);
        assert_eq!(app.auth.hasher().hashes(), hashes);
    }
}

/// A name that LoopBack has not is an id to it.
#[tokio::test]
async fn loopbacks_routes_have_no_step_up() {
    let app = App::loopback(Store::Memory).await;
    let token = app.signed_up().await;
    let router: Router =
        Router::new().nest("/api/users", routes::loopback(&app.api)).layer(AuthLayer::new(app.auth.clone()));
    Call::new(&router, "POST", STEP_UP).token(&token).json(password(PASSWORD)).await.expect_status(404);
}

/// As with JSON Web Tokens: what is not stored has no password proven for it, whatever it claims.
#[tokio::test]
async fn a_caller_without_a_stored_token_is_never_fresh() {
    struct Keys(gatekit::User);

    #[async_trait]
    impl Authenticator for Keys {
        type Principal = gatekit::User;

        async fn authenticate(&self, token: &str) -> Result<Authenticated<gatekit::User>, AuthenticateError> {
            if token == "key" { Ok(Authenticated::new(self.0.clone())) } else { Err(AuthenticateError::Invalid) }
        }
    }

    let app = App::new(Store::Memory).await;
    app.sign_up().await;
    let user = app.auth.find_user(&UserId::from(1)).await.unwrap().unwrap();
    let router = Router::new()
        .route("/fresh", get(async |_: Fresh<300>| "in"))
        .merge(Router::new().route("/group", get(me)).layer(RequireFreshLayer::new(300)))
        .route("/me", get(me))
        .nest("/api/users", routes::all(&app.api))
        .layer(AuthLayer::new(Keys(user)));
    Call::new(&router, "GET", "/me").token("key").await.is(200, "1");
    for path in GUARDED {
        let answer = Call::new(&router, "GET", path).token("key").await;
        answer.is(401, STALE).expect_header("www-authenticate", CHALLENGE);
    }
    Call::new(&router, "POST", STEP_UP).token("key").json(password(PASSWORD)).await.is(401, REFUSED);
}
