//! The app's own routes: guarded by roles, scopes and owners, beside the User API.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use gatekit::{
    AccessRequest, AclErrorStatus, AuthLayer, AuthRejection, AuthUser, Event, HasRole, IssueToken, Method, Owned,
    Policy, RequireAuthLayer, RequireRoleLayer, RequireScopeLayer, Role, RoleResolver, Scope, Scoped, StoreError,
    TokenRecord, User, UserId, async_trait, require_owner,
};
use gatekit_testkit::Fault;
use gatekit_tests::{App, Call, PASSWORD, Store, on_every_store};
use serde_json::json;

const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;
const DENIED: &str = r#"{"error":{"statusCode":403,"name":"Error","message":"Access Denied","code":"ACCESS_DENIED"}}"#;
const NOT_FOUND: &str = r#"{"error":{"statusCode":404,"name":"Error","message":"Not Found","code":"MODEL_NOT_FOUND"}}"#;

struct Admin;

impl Role for Admin {
    const NAME: &'static str = "admin";
}

/// As `Admin`, and nobody else learns that there is such a page.
struct Secret;

impl Role for Secret {
    const NAME: &'static str = "admin";
    const DENIED: AclErrorStatus = AclErrorStatus::NotFound;
}

struct Staff;

impl Role for Staff {
    const NAME: &'static str = "staff";
}

struct Reports;

impl Scope for Reports {
    const NAME: &'static str = "reports";
}

/// A record of the app's.
struct Note(Option<UserId>);

impl Owned for Note {
    fn owner(&self) -> Option<UserId> {
        self.0.clone()
    }

    const DENIED: AclErrorStatus = AclErrorStatus::NotFound;
}

/// The same, for an app that tells who may not that there is one.
struct Bill(UserId);

impl Owned for Bill {
    fn owner(&self) -> Option<UserId> {
        Some(self.0.clone())
    }
}

/// Note 1 is that of user 1, 2 of user 2, 3 of nobody.
async fn note(AuthUser(user): AuthUser, Path(id): Path<i64>) -> Result<String, AuthRejection> {
    let owner = match id {
        1 | 2 => Some(id.into()),
        3 => None,
        _ => return Err(AuthRejection::NotFound),
    };
    require_owner(&user.id, &Note(owner))?;
    Ok(format!("the note of {}", user.id))
}

async fn bill(AuthUser(user): AuthUser, Path(id): Path<String>) -> Result<&'static str, AuthRejection> {
    let owner = id.parse().map_or_else(|_| UserId::from(id.as_str()), |id: i64| id.into());
    require_owner(&user.id, &Bill(owner))?;
    Ok("the bill")
}

/// Answers what it was told, and counts how often it was asked: 0 no, 1 yes, 2 that it cannot be
/// found out.
#[derive(Clone, Default)]
struct Told(Arc<(AtomicU8, AtomicUsize)>);

#[async_trait]
impl RoleResolver<User> for Told {
    async fn is_in_role(&self, role: &str, access: &AccessRequest<'_, User>) -> Result<bool, StoreError> {
        assert_eq!((role, access.method, access.target), ("staff", Method::ANY, None));
        self.0.1.fetch_add(1, Ordering::SeqCst);
        match self.0.0.load(Ordering::SeqCst) {
            2 => Err(StoreError::failed("a resolver that the test made fail")),
            answer => Ok(answer == 1),
        }
    }
}

/// What stands beside the User API in these tests.
struct Guarded {
    app: App,
    router: Router,
    told: Told,
    /// Of user 1.
    token: String,
    /// Of user 2.
    second: String,
}

impl Guarded {
    async fn start(store: Store) -> Self {
        let told = Told::default();
        let resolver = told.clone();
        let setup = App::with(Policy::loopback()).configure(|builder| builder.role_resolver("staff", resolver));
        let app = setup.start(store).await;
        let token = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        let second = app.token_of("second@bar.com").await;
        let office = Router::new()
            .route("/", get(|| async { "office" }).post(|| async { "changed" }))
            .route("/bills/{id}", get(bill))
            .fallback(|| async { "no such office" })
            .layer(RequireRoleLayer::any(["admin", "accountant"]));
        let hidden = Router::new()
            .route("/", get(|| async { "hidden" }))
            .layer(RequireRoleLayer::new("admin").denied(AclErrorStatus::NotFound));
        let audits = Router::new()
            .route("/", get(|AuthUser(user): AuthUser| async move { format!("audit of {}", user.id) }))
            .layer(RequireRoleLayer::new("admin"))
            .layer(RequireScopeLayer::any([TokenRecord::DEFAULT_SCOPE, "audits"]));
        let members = Router::new()
            .route("/", get(|_: HasRole<Admin>| async { "an admin of the members" }))
            .layer(RequireAuthLayer::new(app.auth.clone()));
        let router = Router::new()
            .route("/admin", get(|_: HasRole<Admin>| async { "admin" }))
            .route("/secret", get(|_: HasRole<Secret>| async { "secret" }))
            .route("/staff", get(|_: HasRole<Staff>| async { "staff" }))
            .route(
                "/which",
                get(
                    |admin: Option<HasRole<Admin>>| async move { if admin.is_some() { "an admin" } else { "not one" } },
                ),
            )
            .route("/report", get(|_: Scoped<Reports>, AuthUser(user): AuthUser| async move { user.id.to_string() }))
            .route("/admins-report", get(|_: Scoped<Reports>, _: HasRole<Admin>| async { "a report for admins" }))
            .route("/notes/{id}", get(note))
            .route(
                "/all",
                get(|_: HasRole<Admin>, _: AuthUser, _: Option<HasRole<Secret>>, _: HasRole<Admin>| async { "all" }),
            )
            .nest("/office", office)
            .nest("/hidden", hidden)
            .nest("/audits", audits)
            .layer(AuthLayer::new(app.auth.clone()))
            .nest("/members", members);
        Self { app, router, told, token, second }
    }

    fn get(&self, path: &str) -> Call {
        Call::new(&self.router, "GET", path)
    }

    async fn assign(&self, user: i64, role: &str) {
        self.app.auth.assign_role(&user.into(), role).await.unwrap();
    }

    /// A token of user 1 for these scopes alone.
    async fn confined(&self, scopes: &[&str]) -> String {
        let scopes = IssueToken::default().scopes(scopes.iter().copied());
        self.app.auth.issue_token(&1.into(), scopes).await.unwrap().secret.expose().to_owned()
    }
}

on_every_store! {
    /// 8.2.1
    async fn a_route_for_a_role_is_for_who_is_in_it(store) {
        let g = Guarded::start(store).await;
        g.assign(1, "admin").await;
        for (path, answer, (status, denied)) in [
            ("/admin", "admin", (403, DENIED)),
            ("/secret", "secret", (404, NOT_FOUND)),
            ("/office", "office", (403, DENIED)),
            ("/hidden", "hidden", (404, NOT_FOUND)),
            ("/audits", "audit of 1", (403, DENIED)),
            ("/members", "an admin of the members", (403, DENIED)),
            ("/all", "all", (403, DENIED)),
        ] {
            g.get(path).token(&g.token).await.is(200, answer);
            g.get(path).token(&g.second).await.is(status, denied);
            for nobody in [g.get(path), g.get(path).token("bogus"), g.get(path).token("")] {
                let refused = nobody.await.is(401, REFUSED);
                assert!(refused.header("www-authenticate").starts_with("Bearer"));
            }
        }
        g.get("/which").token(&g.token).await.is(200, "an admin");
        g.get("/which").token(&g.second).await.is(200, "not one");
        g.get("/which").await.is(200, "not one");
        g.get("/which").token("bogus").await.is(200, "not one");
        // One of several is enough.
        g.assign(2, "accountant").await;
        g.get("/office").token(&g.second).await.is(200, "office");
        g.get("/admin").token(&g.second).await.is(403, DENIED);
    }

    /// 16.3.2: each refusal of a known caller is one event that says what is missing; anonymous
    /// requests and handlers that only ask raise none.
    async fn a_refused_access_of_a_known_caller_is_one_event(store) {
        let g = Guarded::start(store).await;
        let reports = g.confined(&["reports"]).await;
        let _ = g.app.events.take();
        let denied = |events: Vec<Event<User>>| -> Vec<String> {
            let required = |event: Event<User>| match event {
                Event::AccessDenied { user_id: Some(user), required, target } => format!("{user} {required} {target:?}"),
                other => panic!("{other:?}"),
            };
            events.into_iter().map(required).collect()
        };
        for (path, token, expected) in [
            ("/admin", Some(&g.second), "2 role admin None"),
            ("/secret", Some(&g.second), "2 role admin None"),
            ("/office", Some(&g.second), "2 role admin or accountant None"),
            ("/members", Some(&g.second), "2 role admin None"),
            ("/report", Some(&g.token), "1 scope reports None"),
            ("/admins-report", Some(&reports), "1 role admin None"),
            ("/audits", Some(&reports), "1 scope DEFAULT or audits None"),
            ("/which", Some(&g.second), ""),
            ("/admin", None, ""),
            ("/report", None, ""),
        ] {
            let call = g.get(path);
            let _ = if let Some(token) = token { call.token(token).await } else { call.await };
            let expected: Vec<&str> = if expected.is_empty() { vec![] } else { vec![expected] };
            assert_eq!(denied(g.app.events.take()), expected, "{path}");
        }

        // The list of the User API.
        let app = &g.app;
        app.get("/api/users/1").token(&g.second).await.expect_status(401);
        assert_eq!(denied(app.events.take()), [r#"2 method findById Some("1")"#]);
        app.delete(&format!("/api/users/{}", "x".repeat(1000))).token(&g.second).await.expect_status(401);
        assert_eq!(denied(app.events.take()), [format!(r#"2 method deleteById Some("{}")"#, "x".repeat(256))]);
        app.get("/api/users").token(&reports).await.expect_status(401);
        assert_eq!(denied(app.events.take()), ["1 scope DEFAULT None"]);
        app.get("/api/users/1").await.expect_status(401);
        app.get("/api/users/1").token("bogus").await.expect_status(401);
        assert_eq!(denied(app.events.take()), [""; 0]);
    }

    /// 8.2.1: a layer covers what it is around: other methods, and paths that are not there.
    async fn a_layer_guards_every_way_into_its_group(store) {
        let g = Guarded::start(store).await;
        for (method, path) in [
            ("HEAD", "/office"),
            ("POST", "/office"),
            ("GET", "/office/nothing"),
            ("GET", "/office/bills/1"),
            ("GET", "/office/bills/2/3"),
            ("GET", "/office/%2e%2e/admin"),
            ("GET", "/office/;x"),
            ("DELETE", "/office/nothing"),
        ] {
            let call = || Call::new(&g.router, method, path);
            call().await.expect_status(401);
            call().token(&g.second).await.expect_status(403);
            // With its own verbs around it, a route is no more open.
            call().token(&g.second).header("x-http-method-override", "OPTIONS").await.expect_status(403);
        }
        // What is on no side of a layer is open to nobody.
        for path in ["/office//", "//office", "/./office", "/office/../admin", "/Office", "/office%2f", "/admin/", "/%61dmin"] {
            let answer = g.get(path).token(&g.second).await;
            assert!([401, 403, 404].contains(&answer.status.as_u16()), "{path}: {answer:?}");
        }
        g.assign(1, "admin").await;
        g.get("/office/nothing").token(&g.token).await.is(200, "no such office");
    }

    /// 8.3.2
    async fn a_change_of_roles_counts_from_the_next_request_on(store) {
        let g = Guarded::start(store).await;
        for _ in 0..2 {
            g.get("/admin").token(&g.token).await.is(403, DENIED);
            g.get("/office").token(&g.token).await.is(403, DENIED);
            g.assign(1, "admin").await;
            g.get("/admin").token(&g.token).await.is(200, "admin");
            g.get("/office").token(&g.token).await.is(200, "office");
            g.get("/which").token(&g.second).await.is(200, "not one");
            g.app.auth.unassign_role(&1.into(), "admin").await.unwrap();
        }
        // Who is gone has no role, and no token by which to have one.
        g.assign(1, "admin").await;
        g.app.delete("/api/users/1").token(&g.token).await.expect_status(200);
        g.get("/admin").token(&g.token).await.is(401, REFUSED);
        assert_eq!(g.app.auth.users_in_role("admin").await.unwrap(), []);
        let body = json!({"email": "foo@bar.com", "password": PASSWORD});
        g.app.post("/api/users").json(body).await.expect_status(200);
        let again = g.app.token_of("foo@bar.com").await;
        g.get("/admin").token(&again).await.is(403, DENIED);
    }

    /// 8.3.1
    async fn nobody_brings_a_role_along(store) {
        let g = Guarded::start(store).await;
        for request in [
            g.get("/admin?role=admin&roles[]=admin"),
            g.get("/admin").header("x-role", "admin").header("role", "admin").header("x-user-roles", "admin"),
            g.get("/admin").header("cookie", "role=admin"),
            g.get("/admin").json(json!({"role": "admin", "roles": ["admin"]})),
        ] {
            request.token(&g.token).await.is(403, DENIED);
        }
        for role in ["ADMIN", "admin ", "admins", "adm"] {
            let _ = g.app.auth.assign_role(&1.into(), role).await;
        }
        g.get("/admin").token(&g.token).await.is(403, DENIED);
    }

    /// A role that the app computes, and asks for each time.
    async fn a_computed_role_is_asked_for_and_never_guessed(store) {
        let g = Guarded::start(store).await;
        let tell = |answer| g.told.0.0.store(answer, Ordering::SeqCst);
        g.get("/staff").token(&g.token).await.is(403, DENIED);
        tell(1);
        g.get("/staff").token(&g.token).await.is(200, "staff");
        // Nobody is known, so nobody is asked about.
        let asked = g.told.0.1.load(Ordering::SeqCst);
        g.get("/staff").await.is(401, REFUSED);
        g.get("/staff").token("bogus").await.is(401, REFUSED);
        assert_eq!(g.told.0.1.load(Ordering::SeqCst), asked);
        tell(2);
        g.get("/staff").token(&g.token).await.expect_unavailable();
        // It alone decides: nobody can be assigned.
        assert!(g.app.auth.assign_role(&1.into(), "staff").await.is_err());
        tell(0);
        g.get("/staff").token(&g.token).await.is(403, DENIED);
    }

    /// 16.5.3
    async fn a_store_that_fails_lets_nobody_in(store) {
        let g = Guarded::start(store).await;
        g.assign(1, "admin").await;
        for fault in [Fault::Fail, Fault::FailAfter] {
            g.app.faults.every_call_of("find_token_owner", fault);
            for path in ["/admin", "/secret", "/office", "/hidden", "/audits", "/members", "/which", "/report", "/notes/1", "/all"] {
                g.get(path).token(&g.token).await.expect_unavailable();
            }
            g.app.faults.reset();
            g.get("/admin").token(&g.token).await.is(200, "admin");
        }
    }

    /// The token brings its user's roles along, however many guards ask.
    async fn a_role_costs_the_one_query_of_its_token(store) {
        let g = Guarded::start(store).await;
        g.assign(1, "admin").await;
        for path in ["/admin", "/secret", "/office", "/office/bills/1", "/hidden", "/audits", "/members", "/which", "/all", "/notes/1"] {
            for (token, own) in [(&g.token, true), (&g.second, false)] {
                g.app.faults.reset();
                let answer = g.get(path).token(token).await;
                assert_eq!(answer.status.is_success(), own || path == "/which", "{path}");
                assert_eq!(g.app.faults.calls(), ["find_token_owner"], "{path}");
            }
            g.app.faults.reset();
            g.get(path).await;
            assert!(g.app.faults.calls().is_empty(), "{path}");
        }
    }

    /// Contract §4.3, 1: the guard's scope instead of the default one.
    async fn a_route_for_a_scope_is_for_tokens_with_it(store) {
        let g = Guarded::start(store).await;
        let reports = g.confined(&["reports"]).await;
        let audits = g.confined(&["audits"]).await;
        let nothing = g.confined(&[]).await;
        let both = g.confined(&["DEFAULT", "reports"]).await;
        let similar = g.confined(&["Reports", "reports ", "report", "reports:all"]).await;
        let refused = |answer: gatekit_tests::Answer| {
            let answer = answer.is(401, REFUSED);
            assert!(answer.header("www-authenticate").contains("insufficient_scope"));
        };
        for token in [&reports, &both] {
            g.get("/report").token(token).await.is(200, "1");
        }
        for token in [&g.token, &audits, &nothing, &similar] {
            refused(g.get("/report").token(token).await);
        }
        // A role does not widen a token.
        g.assign(1, "admin").await;
        g.get("/admins-report").token(&reports).await.is(200, "a report for admins");
        refused(g.get("/admins-report").token(&g.token).await);
        for path in ["/admin", "/secret", "/office", "/hidden", "/members", "/notes/1", "/all"] {
            for token in [&reports, &audits, &nothing, &similar] {
                refused(g.get(path).token(token).await);
            }
            g.get(path).token(&both).await.expect_status(200);
        }
        for token in [&reports, &nothing] {
            g.get("/which").token(token).await.is(200, "not one");
        }
        // Nor does a scope make a role.
        g.get("/audits").token(&audits).await.is(200, "audit of 1");
        g.app.auth.unassign_role(&1.into(), "admin").await.unwrap();
        g.get("/audits").token(&audits).await.is(403, DENIED);
        g.get("/admins-report").token(&reports).await.is(403, DENIED);
        refused(g.get("/audits").token(&reports).await);
    }

    /// 8.2.2
    async fn a_record_is_its_owners(store) {
        let g = Guarded::start(store).await;
        g.get("/notes/1").token(&g.token).await.is(200, "the note of 1");
        g.get("/notes/2").token(&g.second).await.is(200, "the note of 2");
        // What is another's, nobody's, or not there, is answered the same.
        let denied = g.get("/notes/2").token(&g.token).await.is(404, NOT_FOUND);
        for path in ["/notes/3", "/notes/4", "/notes/2?id=1&userId=1&owner=1"] {
            let answer = g.get(path).token(&g.token).json(json!({"userId": 1})).await;
            assert_eq!(answer.as_sent(), denied.as_sent(), "{path}");
        }
        for path in ["/notes/1", "/notes/2", "/notes/3", "/notes/4"] {
            g.get(path).await.is(401, REFUSED);
            g.get(path).token("bogus").await.is(401, REFUSED);
        }
        // A role of the app's does not make an owner.
        g.assign(1, "admin").await;
        g.get("/notes/2").token(&g.token).await.is(404, NOT_FOUND);
        g.get("/office/bills/1").token(&g.token).await.is(200, "the bill");
        for id in ["2", "x", "1x"] {
            g.get(&format!("/office/bills/{id}")).token(&g.token).await.is(403, DENIED);
        }
    }
}
