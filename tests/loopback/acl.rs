//! The access control list, as a client meets it: which requests it lets through, and what it
//! answers to the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use gatekit::core::Builder;
use gatekit::{
    AccessRequest, AccessType, Acl, AclErrorStatus, AclRow, IssueToken, Method, Permission, Policy, RoleResolver,
    StoreError, User, UserId, async_trait,
};
use gatekit_testkit::Fault;
use gatekit_tests::{Answer, App, Call, EMAIL, PASSWORD, Rules, Store, answering, on_every_store};
use serde_json::json;

const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;
const DENIED: &str = r#"{"error":{"statusCode":403,"name":"Error","message":"Access Denied","code":"ACCESS_DENIED"}}"#;
const FOO: &str = r#"{"username":"Foo","email":"foo@bar.com","id":1}"#;

/// Every route of LoopBack's but the one that ends the token, and the method that it is. None of
/// these requests changes anything, also if it is let through.
const ROUTES: [(Method, &str, &str); 32] = [
    (Method::CREATE, "POST", ""),
    (Method::PATCH_OR_CREATE, "PATCH", ""),
    (Method::REPLACE_OR_CREATE, "PUT", ""),
    (Method::REPLACE_OR_CREATE, "POST", "/replaceOrCreate"),
    (Method::UPSERT_WITH_WHERE, "POST", "/upsertWithWhere?where[id]=99"),
    (Method::UPDATE_ALL, "POST", "/update?where[id]=99"),
    (Method::FIND, "GET", ""),
    (Method::FIND_ONE, "GET", "/findOne"),
    (Method::COUNT, "GET", "/count"),
    (Method::CREATE_CHANGE_STREAM, "GET", "/change-stream"),
    (Method::CREATE_CHANGE_STREAM, "POST", "/change-stream"),
    (Method::FIND_BY_ID, "GET", "/99"),
    (Method::FIND_BY_ID, "GET", "/logout"),
    (Method::EXISTS, "GET", "/99/exists"),
    (Method::EXISTS, "HEAD", "/99"),
    (Method::PATCH_ATTRIBUTES, "PATCH", "/99"),
    (Method::REPLACE_BY_ID, "PUT", "/99"),
    (Method::REPLACE_BY_ID, "POST", "/99/replace"),
    (Method::DELETE_BY_ID, "DELETE", "/99"),
    (Method::LOGIN, "POST", "/login"),
    (Method::VERIFY, "POST", "/99/verify"),
    (Method::CONFIRM, "GET", "/confirm"),
    (Method::RESET_PASSWORD, "POST", "/reset"),
    (Method::CHANGE_PASSWORD, "POST", "/change-password"),
    (Method::SET_PASSWORD, "POST", "/reset-password"),
    (Method::GET_ACCESS_TOKENS, "GET", "/99/accessTokens"),
    (Method::CREATE_ACCESS_TOKENS, "POST", "/99/accessTokens"),
    (Method::DELETE_ACCESS_TOKENS, "DELETE", "/99/accessTokens"),
    (Method::COUNT_ACCESS_TOKENS, "GET", "/99/accessTokens/count"),
    (Method::FIND_BY_ID_ACCESS_TOKENS, "GET", "/99/accessTokens/x"),
    (Method::UPDATE_BY_ID_ACCESS_TOKENS, "PUT", "/99/accessTokens/x"),
    (Method::DESTROY_BY_ID_ACCESS_TOKENS, "DELETE", "/99/accessTokens/x"),
];

fn call(app: &App, method: &str, path: &str) -> Call {
    app.call(method, &format!("/api/users{path}")).json("{}")
}

/// Whether the list has let it through, whatever it was answered then.
fn is_allowed(answer: &Answer, head: bool) -> bool {
    assert!(!answer.status.is_server_error(), "{answer:?}");
    if head { answer.status != 401 } else { !(answer.status == 401 && answer.body == REFUSED) }
}

/// An app with this list and the users 1 and 2; the token is that of user 1.
async fn with_acl(acl: Acl, store: Store) -> (App, String) {
    with(Policy::loopback(), |builder| builder, acl, store).await
}

/// The same, with more to say. Whatever the list says, the users are there.
async fn with(
    rules: impl Into<Rules>,
    configure: impl FnOnce(Builder<User>) -> Builder<User> + Send + 'static,
    acl: Acl,
    store: Store,
) -> (App, String) {
    let app = App::with(rules).configure(configure).start(store).await;
    let token = app.signed_up().await;
    app.sign_up_as("second@bar.com").await;
    app.auth.replace_acl(acl);
    (app, token)
}

/// Answers what it was told: 0 no, 1 yes, 2 that it cannot be found out, 3 nothing at all.
#[derive(Clone, Default)]
struct Told(Arc<AtomicU8>);

impl Told {
    fn tell(&self, answer: u8) {
        self.0.store(answer, Ordering::SeqCst);
    }
}

#[async_trait]
impl RoleResolver<User> for Told {
    async fn is_in_role(&self, _: &str, _: &AccessRequest<'_, User>) -> Result<bool, StoreError> {
        match self.0.load(Ordering::SeqCst) {
            2 => Err(StoreError::failed("a resolver that the test made fail")),
            3 => std::future::pending().await,
            answer => Ok(answer == 1),
        }
    }
}

on_every_store! {
    /// 8.2.1: a row opens the method that it names, and no other.
    async fn a_row_opens_its_method_alone(store) {
        let (app, token) = with_acl(Acl::user(), store).await;
        for opened in ROUTES.map(|(method, ..)| method) {
            for principal in ["$authenticated", "$everyone"] {
                let acl = Acl::empty().default_permission(Permission::Deny).allow(principal, opened.name);
                app.auth.replace_acl(acl);
                for (method, verb, path) in ROUTES {
                    let answer = call(&app, verb, path).token(&token).await;
                    let allowed = is_allowed(&answer, verb == "HEAD");
                    assert_eq!(allowed, method == opened, "{verb} {path} where {} is open: {answer:?}", opened.name);
                    // What needs a caller needs one, whoever may.
                    if method == opened && ![Method::CHANGE_PASSWORD, Method::SET_PASSWORD].contains(&method) {
                        let answer = call(&app, verb, path).await;
                        assert_eq!(is_allowed(&answer, verb == "HEAD"), principal == "$everyone", "{verb} {path}");
                    }
                }
            }
        }
        app.me(&token).await.is(200, FOO);
    }

    /// 8.2.1: and one that denies closes the method that it names, and no other.
    async fn a_row_closes_its_method_alone(store) {
        let (app, token) = with_acl(Acl::user(), store).await;
        for closed in ROUTES.map(|(method, ..)| method) {
            app.auth.replace_acl(Acl::empty().allow("$everyone", "*").deny("$everyone", closed.name));
            for (method, verb, path) in ROUTES {
                let answer = call(&app, verb, path).token(&token).await;
                let allowed = is_allowed(&answer, verb == "HEAD");
                assert_eq!(allowed, method != closed, "{verb} {path} where {} is closed: {answer:?}", closed.name);
            }
        }
        app.me(&token).await.is(200, FOO);
        // Logging out is one too.
        app.auth.replace_acl(Acl::user().deny("$everyone", "logout"));
        app.post("/api/users/logout").token(&token).await.is(401, REFUSED);
        app.me(&token).await.expect_status(200);
    }

    /// 8.2.1: LoopBack's list has no methods for these routes, so each follows the rule of the
    /// method that `docs/guide/roles.md` names.
    async fn a_route_that_loopback_lacks_follows_the_rule_of_another_method(store) {
        let (app, token) = with_acl(Acl::user(), store).await;
        // None of these requests changes anything, also if it is let through.
        let routes = [
            (Some("logout"), "GET", "/sessions", "{}"),
            (Some("logout"), "DELETE", "/sessions/x", "{}"),
            (Some("logout"), "POST", "/logout-everywhere", r#"{"keepCurrent":"x"}"#),
            (Some("changePassword"), "POST", "/change-email", "{}"),
            (Some("changePassword"), "POST", "/delete-account", "{}"),
            (Some("changePassword"), "POST", "/step-up", "{}"),
            (Some("resetPassword"), "POST", "/resend-verification", "{}"),
            (None, "POST", "/confirm-email-change", "{}"),
        ];
        for closed in ["logout", "changePassword", "resetPassword"] {
            app.auth.replace_acl(Acl::empty().allow("$everyone", "*").deny("$everyone", closed));
            for (rule, verb, path, body) in routes {
                let answer = app.call(verb, &format!("/api/users{path}")).json(body).token(&token).await;
                assert_eq!(is_allowed(&answer, false), rule != Some(closed), "{verb} {path} without {closed}: {answer:?}");
            }
        }
        // What ends or changes something for a caller needs one, whoever may.
        app.auth.replace_acl(Acl::empty().allow("$everyone", "*"));
        for (rule, verb, path, body) in routes {
            let answer = app.call(verb, &format!("/api/users{path}")).json(body).await;
            let needs_a_caller = matches!(rule, Some("logout" | "changePassword"));
            assert_eq!(answer.status == 401, needs_a_caller, "{verb} {path}: {answer:?}");
        }
        app.me(&token).await.is(200, FOO);
    }

    /// Contract §4.2: a kind of access is that of the method, and not of HTTP's verb.
    async fn a_row_for_a_kind_of_access_opens_the_methods_of_that_kind(store) {
        let (app, token) = with_acl(Acl::user(), store).await;
        for (row, kinds) in [
            (AccessType::Read, vec![AccessType::Read]),
            (AccessType::Write, vec![AccessType::Write]),
            // LoopBack's: it is every kind.
            (AccessType::Execute, vec![AccessType::Read, AccessType::Write, AccessType::Execute]),
        ] {
            let acl = Acl::empty().default_permission(Permission::Deny).row(AclRow::allow("$authenticated").access(row));
            app.auth.replace_acl(acl);
            for (method, verb, path) in ROUTES {
                let answer = call(&app, verb, path).token(&token).await;
                assert_eq!(is_allowed(&answer, verb == "HEAD"), kinds.contains(&method.access), "{row} {verb} {path}");
            }
        }
    }

    /// Contract §4.3. Each row is `principal permission methods`; the last column is what user 1
    /// gets for `GET /api/users/1`.
    async fn the_most_specific_row_decides_and_of_equals_the_one_that_denies(store) {
        let (app, token) = with_acl(Acl::user(), store).await;
        let by_id = ["findById"];
        for (rows, allowed) in [
            (vec![], true),
            (vec![AclRow::deny("$everyone")], false),
            (vec![AclRow::deny("$everyone"), AclRow::allow("$everyone")], false),
            (vec![AclRow::allow("$owner").methods(by_id), AclRow::deny("$owner").methods(by_id)], false),
            (vec![AclRow::deny("$owner").methods(by_id), AclRow::allow("$owner").methods(by_id)], false),
            (vec![AclRow::deny("$everyone"), AclRow::allow("$authenticated")], true),
            (vec![AclRow::deny("$authenticated"), AclRow::allow("$owner")], true),
            (vec![AclRow::allow("$authenticated"), AclRow::deny("$owner")], false),
            (vec![AclRow::deny("$owner"), AclRow::allow("admin")], true),
            (vec![AclRow::deny("$owner"), AclRow::allow("other")], false),
            (vec![AclRow::deny("admin"), AclRow::allow(UserId::from(1))], true),
            (vec![AclRow::allow("admin"), AclRow::deny(UserId::from(1))], false),
            (vec![AclRow::allow("admin"), AclRow::deny(UserId::from("1"))], false),
            (vec![AclRow::allow("admin"), AclRow::deny(UserId::from(2))], true),
            (vec![AclRow::deny(UserId::from(1)), AclRow::allow("$everyone").methods(by_id)], true),
            (vec![AclRow::deny("$everyone").methods(by_id), AclRow::allow(UserId::from(1))], false),
            (vec![AclRow::allow(UserId::from(1)), AclRow::deny("$everyone").access(AccessType::Read)], false),
            (vec![AclRow::allow(UserId::from(1)), AclRow::deny("$everyone").access(AccessType::Write)], true),
            (vec![AclRow::deny("$everyone"), AclRow::audit("$owner")], true),
            (vec![AclRow::deny("$everyone"), AclRow::alarm("$owner")], true),
            (vec![AclRow::deny("$everyone"), AclRow::allow("$related")], false),
            // An alias matches nothing, as in LoopBack.
            (vec![AclRow::deny("$everyone"), AclRow::allow("$owner").methods(["prototype.findById", "findbyid"])], false),
            (vec![AclRow::deny("$everyone"), AclRow::allow("$owner").methods(Vec::<String>::new())], false),
        ] {
            let shown = format!("{rows:?}");
            app.auth.assign_role(&1.into(), "admin").await.unwrap();
            app.auth.replace_acl(rows.into_iter().fold(Acl::empty(), Acl::row));
            let answer = app.get("/api/users/1").token(&token).await;
            if allowed {
                assert_eq!(answer.body, FOO, "{shown}");
            } else {
                assert_eq!((answer.status.as_u16(), answer.body.as_str()), (401, REFUSED), "{shown}");
            }
        }
    }

    /// Transcript 06-acl, 110 to 112.
    async fn unauthenticated_is_who_is_not_known(store) {
        let acl = Acl::user().allow("$unauthenticated", "find").deny("$unauthenticated", "create");
        let (app, token) = with_acl(acl, store).await;
        let short = app.auth.issue_token(&1.into(), IssueToken::default().ttl(1)).await.unwrap();
        app.get("/api/users").await.expect_status(200);
        app.get("/api/users").token("bogus").await.expect_status(200);
        app.get("/api/users").token(&token).await.is(401, REFUSED);
        let new = |email: &str| app.post("/api/users").json(json!({"email": email, "password": PASSWORD}));
        new("a@x.com").await.is(401, REFUSED);
        new("a@x.com").token("bogus").await.is(401, REFUSED);
        new("a@x.com").token(&token).await.expect_status(200);
        // An expired token is told so, and is not nobody's.
        app.clock.advance(Duration::from_secs(1));
        app.get("/api/users").token(short.secret.expose()).await.expect(401, "INVALID_TOKEN");
        // That it cannot be found out whose a token is, is not nobody either.
        app.faults.every_call_of("find_token_owner", Fault::Fail);
        app.get("/api/users").token(&token).await.expect_unavailable();
    }

    /// Transcript 06-acl, 103 and 104.
    async fn a_row_for_one_user_is_for_that_user(store) {
        let acl = Acl::user().row(AclRow::allow(UserId::from(2)).methods(["find"]));
        let (app, token) = with_acl(acl, store).await;
        let second = app.token_of("second@bar.com").await;
        app.get("/api/users").token(&token).await.is(401, REFUSED);
        app.get("/api/users?id=2").token(&token).json(json!({"id": 2})).await.is(401, REFUSED);
        app.get("/api/users").token(&second).await.expect_status(200);
        app.get("/api/users").await.is(401, REFUSED);
    }

    /// 8.2.2, 10 of the invariants: an owner is who stands in the path, and nowhere else.
    async fn nothing_but_the_path_makes_an_owner(store) {
        let acl = Acl::empty().default_permission(Permission::Deny).row(AclRow::allow("$owner"));
        let (app, token) = with_acl(acl, store).await;
        for (_, verb, path) in ROUTES {
            if path == "/99" && verb == "HEAD" {
                continue;
            }
            let join = if path.contains('?') { '&' } else { '?' };
            let path = format!("/api/users{path}{join}id=1&userId=1&uid=1");
            let body = json!({"id": 1, "userId": 1, "owner": 1});
            let answer = app.call(verb, &path).token(&token).header("id", "1").header("userid", "1").json(body).await;
            answer.is(401, REFUSED);
        }
        app.get("/api/users/1").token(&token).await.is(200, FOO);
        app.get("/api/users/%31").token(&token).await.is(200, FOO);
        for id in ["2", "01", "1.0", "+1", "1%20", "%201", "1%00", "1,2"] {
            app.get(&format!("/api/users/{id}")).token(&token).await.is(401, REFUSED);
        }
    }

    /// 8.3.1
    async fn nobody_brings_roles_along(store) {
        let acl = Acl::user().allow("admin", "find");
        let (app, token) = with_acl(acl, store).await;
        for request in [
            app.get("/api/users?role=admin&roles=admin&access_token_role=admin"),
            app.get("/api/users").json(json!({"role": "admin", "roles": ["admin"], "principalType": "ROLE", "principalId": "admin"})),
            app.get("/api/users").header("x-role", "admin").header("x-roles", "admin").header("role", "admin").header("roles", "admin"),
            app.get("/api/users").header("x-user-id", "1").header("x-forwarded-user", "admin").header("cookie", "role=admin; roles=admin"),
        ] {
            request.token(&token).await.is(401, REFUSED);
        }
        // Nor by what a user is called or says of itself.
        for body in [json!({"username": "admin"}), json!({"realm": "admin"}), json!({"roles": ["admin"], "role": "admin", "isAdmin": true})] {
            app.patch("/api/users/1").token(&token).json(body).await.expect_status(200);
            app.get("/api/users").token(&token).await.is(401, REFUSED);
        }
        let body = json!({"email": "new@bar.com", "password": PASSWORD, "role": "admin", "roles": ["admin"], "username": "$everyone"});
        app.post("/api/users").json(body).await.expect_status(200);
        let new = app.token_of("new@bar.com").await;
        app.get("/api/users").token(&new).await.is(401, REFUSED);
    }

    /// 8.3.2, transcript 06-acl, 95 to 100.
    async fn an_assigned_role_counts_from_the_next_request_on(store) {
        let acl = Acl::user().allow("admin", "find");
        let (app, token) = with_acl(acl, store).await;
        let second = app.token_of("second@bar.com").await;
        let find = |token: &str| app.get("/api/users").token(token);
        for _ in 0..2 {
            find(&token).await.is(401, REFUSED);
            assert!(app.auth.assign_role(&1.into(), "admin").await.unwrap());
            find(&token).await.expect_status(200);
            find(&second).await.is(401, REFUSED);
            find("bogus").await.is(401, REFUSED);
            assert!(app.auth.unassign_role(&1.into(), "admin").await.unwrap());
        }
        // A role by another name is another one.
        for role in ["Admin", "admins", "adm", "administrator", "admin\u{301}"] {
            app.auth.assign_role(&1.into(), role).await.unwrap();
        }
        find(&token).await.is(401, REFUSED);
        for role in ["$owner", "$everyone", "$authenticated", "$related", "", " admin"] {
            assert!(app.auth.assign_role(&1.into(), role).await.is_err(), "{role}");
        }
    }

    /// Who has a role that comes with the token costs no further query.
    async fn a_role_costs_no_query(store) {
        let acl = Acl::user().row(AclRow::allow("admin")).deny("banned", "*");
        let (app, token) = with_acl(acl, store).await;
        app.auth.assign_role(&1.into(), "admin").await.unwrap();
        for (path, calls) in [
            ("/api/users/1", vec!["find_token_owner"]),
            ("/api/users", vec!["find_token_owner", "find_users"]),
            ("/api/users/2", vec!["find_token_owner", "find_user"]),
        ] {
            app.faults.reset();
            app.get(path).token(&token).await.expect_status(200);
            assert_eq!(app.faults.calls(), calls);
        }
        let second = app.token_of("second@bar.com").await;
        app.faults.reset();
        app.get("/api/users").token(&second).await.is(401, REFUSED);
        assert_eq!(app.faults.calls(), ["find_token_owner"]);
    }

    /// 16.5.3, 10 of the invariants: a role that cannot be found out is neither yes nor no.
    async fn a_resolver_that_fails_is_503_and_lets_nobody_in(store) {
        let mut policy = Policy::loopback();
        policy.store.timeout = Duration::from_millis(250);
        let told = Told::default();
        let resolver = told.clone();
        let acl = Acl::user().allow("staff", "find").deny("banned", "findById").row(AclRow::allow("banned"));
        let configure = move |builder: Builder<User>| {
            builder.role_resolver("staff", resolver.clone()).role_resolver("banned", resolver)
        };
        let (app, token) = with(policy, configure, acl, store).await;
        told.tell(0);
        app.get("/api/users").token(&token).await.is(401, REFUSED);
        app.get("/api/users/1").token(&token).await.is(200, FOO);
        told.tell(1);
        app.get("/api/users").token(&token).await.expect_status(200);
        app.get("/api/users/1").token(&token).await.is(401, REFUSED);
        for broken in [2, 3] {
            told.tell(broken);
            for path in ["/api/users", "/api/users/1", "/api/users/2", "/api/users/count"] {
                app.get(path).token(&token).await.expect_unavailable();
            }
            app.get("/api/users").await.expect_unavailable();
            // Where a row that is more specific has decided, nobody is asked.
            app.login(EMAIL, PASSWORD).await.expect_status(200);
            let open = Acl::user().allow("staff", "find");
            app.auth.replace_acl(open.clone());
            app.get("/api/users/1").token(&token).await.is(200, FOO);
            app.login(EMAIL, PASSWORD).await.expect_status(200);
            app.get("/api/users").token(&token).await.expect_unavailable();
            app.auth.replace_acl(open.deny("banned", "findById").row(AclRow::allow("banned")));
        }
        // A failure of the store is none of the resolver's.
        told.tell(1);
        app.faults.every_call_of("find_token_owner", Fault::Fail);
        app.get("/api/users").token(&token).await.expect_unavailable();
    }

    /// LoopBack's `aclErrorStatus`, contract §4.1.
    async fn who_may_not_is_answered_as_the_policy_says_and_nobody_always_401(store) {
        for (status, of_a_user, of_all) in [
            (AclErrorStatus::Unauthorized, (401, REFUSED), (401, REFUSED)),
            (AclErrorStatus::Forbidden, (403, DENIED), (403, DENIED)),
            (
                AclErrorStatus::NotFound,
                (404, r#"{"error":{"statusCode":404,"name":"Error","message":"could not find User with id 2","code":"MODEL_NOT_FOUND"}}"#),
                (404, r#"{"error":{"statusCode":404,"name":"Error","message":"could not find User with id undefined","code":"MODEL_NOT_FOUND"}}"#),
            ),
        ] {
            let rules = answering(Policy::loopback(), |answers| answers.acl_error_status = status);
            let acl = Acl::user().deny("$everyone", "login");
            let (app, token) = with(rules, |builder| builder, acl, store).await;
            let scoped = app.auth.issue_token(&1.into(), IssueToken::default().scopes(["x"])).await.unwrap();
            for (verb, path, (status, body)) in [
                ("GET", "/2", of_a_user),
                ("PATCH", "/2", of_a_user),
                ("PUT", "/2", of_a_user),
                ("DELETE", "/2", of_a_user),
                ("GET", "/2/exists", of_a_user),
                ("GET", "/2/accessTokens", of_a_user),
                ("GET", "/2/accessTokens/x", of_a_user),
                ("GET", "", of_all),
                ("GET", "/count", of_all),
                ("PATCH", "", of_all),
                ("POST", "/update", of_all),
                ("POST", "/login", of_all),
            ] {
                let refused = call(&app, verb, path).token(&token).await.is(status, body);
                assert_eq!(!refused.header("www-authenticate").is_empty(), status == 401);
                for nobody in [None, Some("bogus")] {
                    let mut call = call(&app, verb, path);
                    if let Some(token) = nobody {
                        call = call.token(token);
                    }
                    let refused = call.await.is(401, REFUSED);
                    assert!(refused.header("www-authenticate").starts_with("Bearer"));
                }
                let refused = call(&app, verb, path).token(scoped.secret.expose()).await.is(401, REFUSED);
                assert!(refused.header("www-authenticate").contains("insufficient_scope"));
            }
            // What is not there is answered like what is not one's own (8.2.2).
            let (status, body) = of_a_user;
            app.get("/api/users/99").token(&token).await.is(status, &body.replace("id 2", "id 99"));
            app.get("/api/users/1").token(&token).await.is(200, FOO);
            // 404 repeats what stands in the path, and it stays in its place.
            let answer = app.get("/api/users/%22%7D%0d%0a%3Cscript%3E").token(&token).await;
            answer.expect_error(status);
        }
    }

    /// Measured on LoopBack 3.28.0: a row with `DEFAULT` says what the list's default permission
    /// says, and of rows with one score the first decides.
    async fn a_default_row_says_what_the_list_says_by_default(store) {
        let row = |id: &str, permission: &str, property: &str| -> AclRow {
            let row = json!({"principalType": "ROLE", "principalId": id, "permission": permission, "property": property});
            serde_json::from_value(row).unwrap()
        };
        let (everyone, unauthenticated) = ("$everyone", "$unauthenticated");
        let allow = Permission::Allow;
        for (default, rows, status) in [
            (allow, vec![row(everyone, "DEFAULT", "find")], 200),
            (Permission::Default, vec![row(everyone, "DEFAULT", "find")], 200),
            (Permission::Deny, vec![row(everyone, "DEFAULT", "find")], 401),
            // More specific is the row that denies all of them.
            (allow, vec![row(everyone, "DEFAULT", "*")], 401),
            (allow, vec![row(unauthenticated, "DEFAULT", "*")], 401),
            // One score.
            (allow, vec![row(everyone, "DENY", "find"), row(unauthenticated, "DEFAULT", "find")], 401),
            (allow, vec![row(unauthenticated, "DEFAULT", "find"), row(everyone, "DENY", "find")], 200),
            (allow, vec![row(everyone, "DENY", "find"), row(unauthenticated, "ALLOW", "find")], 200),
        ] {
            let acl = rows.iter().cloned().fold(Acl::user(), Acl::row).default_permission(default);
            let open = acl.is_open(Method::FIND);
            let (app, _) = with_acl(acl, store).await;
            app.get("/api/users").await.expect_status(status);
            let access = AccessRequest::<User> { method: Method::FIND, caller: None, target: None };
            let why = app.auth.explain(&access).await.unwrap();
            assert_eq!(why.allowed(), status == 200, "{why}");
            assert!(status == 200 || !open, "{why}");
        }
    }

    /// 8.2.1: with `DENY` as `defaultPermission` nothing is open that no row opens.
    async fn a_list_may_deny_by_default(store) {
        let deny = || Acl::empty().default_permission(Permission::Deny);
        let (app, token) = with_acl(deny(), store).await;
        for (_, verb, path) in ROUTES {
            let answer = call(&app, verb, path).token(&token).await;
            assert!(!is_allowed(&answer, verb == "HEAD"), "{verb} {path}");
        }
        app.sign_up_refused().await;
        app.auth.replace_acl(deny().allow("$everyone", "create"));
        app.sign_up_as("third@bar.com").await;
        // With none and no rows, everything is open.
        app.auth.replace_acl(Acl::empty());
        for (method, verb, path) in ROUTES {
            if ![Method::CHANGE_PASSWORD, Method::SET_PASSWORD].contains(&method) {
                let answer = call(&app, verb, path).await;
                assert!(is_allowed(&answer, verb == "HEAD"), "{verb} {path}");
            }
        }
        app.get("/api/users/2").await.expect_status(200);
    }

    /// 8.3.2: transcript 06-acl, 105 to 108.
    async fn another_list_holds_from_the_next_request_on(store) {
        let (app, token) = with_acl(Acl::user(), store).await;
        let count = || app.get("/api/users/count");
        for _ in 0..2 {
            count().await.is(401, REFUSED);
            count().token(&token).await.is(401, REFUSED);
            app.auth.replace_acl(Acl::user().allow("$everyone", "count"));
            count().await.is(200, r#"{"count":2}"#);
            app.auth.replace_acl(Acl::user().row(AclRow::deny("$everyone").methods(["create"]).access(AccessType::Write)));
            app.sign_up_refused().await;
        }
    }

    /// Contract §4.3, 1, and surprise 6: what a token is for comes before any row, on open routes
    /// too.
    async fn a_confined_token_is_refused_on_every_route(store) {
        let (app, token) = with_acl(Acl::empty(), store).await;
        for scopes in [vec![], vec!["x"], vec!["default"], vec!["reset-password"], vec!["DEFAULT "]] {
            let issued = app.auth.issue_token(&1.into(), IssueToken::default().scopes(scopes.clone())).await.unwrap();
            for (method, verb, path) in ROUTES {
                // This is what that scope is for.
                if method == Method::SET_PASSWORD && scopes == ["reset-password"] {
                    continue;
                }
                let answer = call(&app, verb, path).token(issued.secret.expose()).await;
                assert!(!is_allowed(&answer, verb == "HEAD"), "{scopes:?} {verb} {path}: {answer:?}");
                assert!(answer.header("www-authenticate").contains("insufficient_scope"), "{verb} {path}");
            }
            app.post("/api/users/logout").token(issued.secret.expose()).await.is(401, REFUSED);
            app.me(issued.secret.expose()).await.expect_status(401);
        }
        let both = app.auth.issue_token(&1.into(), IssueToken::default().scopes(["x", "DEFAULT"])).await.unwrap();
        app.get("/api/users/1").token(both.secret.expose()).await.is(200, FOO);
        app.get("/api/users/1").token(&token).await.is(200, FOO);
    }

    /// What is told to people is what clients get.
    async fn an_explanation_says_what_a_request_is_answered(store) {
        let (app, token) = with_acl(Acl::user(), store).await;
        app.auth.assign_role(&1.into(), "admin").await.unwrap();
        let confined = app.auth.issue_token(&1.into(), IssueToken::default().scopes(["x"])).await.unwrap();
        let confined = confined.secret.expose();
        for acl in [
            Acl::user(),
            Acl::user().row(AclRow::allow("admin").access(AccessType::Read)).deny("$unauthenticated", "login"),
            Acl::empty().default_permission(Permission::Deny).row(AclRow::allow(UserId::from(1)).methods(["find", "count"])),
        ] {
            app.auth.replace_acl(acl);
            for caller in [None, Some(token.as_str()), Some(confined)] {
                let known = match caller {
                    Some(token) => Some(app.auth.authenticate(token).await.unwrap()),
                    None => None,
                };
                for (method, verb, path) in ROUTES {
                    if caller.is_none() && [Method::CHANGE_PASSWORD, Method::SET_PASSWORD].contains(&method) {
                        continue;
                    }
                    let target = path.starts_with("/99").then_some("99");
                    let why = app.auth.explain(&AccessRequest { method, caller: known.as_ref(), target }).await.unwrap();
                    let mut call = call(&app, verb, path);
                    if let Some(token) = caller {
                        call = call.token(token);
                    }
                    assert_eq!(is_allowed(&call.await, verb == "HEAD"), why.allowed(), "{verb} {path}\n{why}");
                }
            }
        }
    }
}

/// What a list refuses to an app.
trait Refused {
    async fn sign_up_refused(&self);
}

impl Refused for App {
    async fn sign_up_refused(&self) {
        let body = json!({"email": "refused@bar.com", "password": PASSWORD});
        self.post("/api/users").json(body).await.is(401, REFUSED);
    }
}
