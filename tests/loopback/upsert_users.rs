//! `PATCH /api/users`, `PUT /api/users`, `POST /api/users/replaceOrCreate`, `/upsertWithWhere` and
//! `/update`, for whom the access control list lets.

use gatekit::{Acl, AclRow, Event, Policy};
use gatekit_testkit::Fault;
use gatekit_tests::{Answer, App, Call, EMAIL, PASSWORD, Store, answering, at_once, count, on_every_store};
use serde_json::{Value, json};

use crate::find_users::encoded;

const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;
const NEW: &str = "staple battery horse";
const METHODS: [&str; 4] = ["patchOrCreate", "replaceOrCreate", "upsertWithWhere", "updateAll"];

fn bad_request(message: &str) -> String {
    format!(r#"{{"error":{{"statusCode":400,"name":"Error","message":"{message}"}}}}"#)
}

fn not_found(message: &str) -> String {
    format!(r#"{{"error":{{"statusCode":404,"name":"Error","message":"{message}"}}}}"#)
}

/// Who is known may use these routes and read everybody. There are the users 1 and 2; the token is
/// that of user 1.
async fn opened_with(policy: Policy, store: Store) -> (App, String) {
    let acl = Acl::user()
        .row(AclRow::allow("$authenticated").methods(METHODS))
        .row(AclRow::allow("$authenticated").methods(["find", "findById", "count"]));
    let app = App::with(policy).configure(|builder| builder.acl(acl)).start(store).await;
    let token = app.signed_up().await;
    app.sign_up_as("second@bar.com").await;
    (app, token)
}

async fn opened(store: Store) -> (App, String) {
    opened_with(Policy::loopback(), store).await
}

/// All users.
async fn users(app: &App, token: &str) -> String {
    app.get("/api/users").token(token).await.expect_status(200).body
}

/// Every route, with a body that would change the user with this id, or one that meets a condition.
fn all_routes(app: &App, id: i64, body: &Value) -> [(&'static str, Call); 5] {
    let mut with_id = body.clone();
    with_id["id"] = id.into();
    [
        ("patchOrCreate", app.patch("/api/users").json(&with_id)),
        ("replaceOrCreate", app.put("/api/users").json(&with_id)),
        ("replaceOrCreate", app.post("/api/users/replaceOrCreate").json(&with_id)),
        ("upsertWithWhere", app.post(&format!("/api/users/upsertWithWhere?where[id]={id}")).json(body)),
        ("updateAll", app.post(&format!("/api/users/update?where[id]={id}")).json(body)),
    ]
}

/// Of these tokens, those that live.
async fn living<'a>(app: &App, tokens: &[(&'a str, &str)]) -> Vec<&'a str> {
    let mut living = Vec::new();
    for (name, token) in tokens {
        if app.me(token).await.status == 200 {
            living.push(*name);
        }
    }
    living
}

fn is_refused_or_sound(answer: &Answer) -> bool {
    [200, 400, 401, 403, 404, 422].contains(&answer.status.as_u16())
}

on_every_store! {
    /// 8.2.1, and the contract's surprise 20: an id in body or query is nobody's right.
    async fn by_default_nobody_changes_users_this_way(store) {
        let rows = [vec![], vec![AclRow::allow("$owner")]];
        for (policy, rows) in [Policy::default(), Policy::loopback()].into_iter().zip(rows) {
            let acl = rows.into_iter().fold(Acl::user(), Acl::row);
            let app = App::with(policy).configure(|builder| builder.acl(acl)).start(store).await;
            let token = app.signed_up().await;
            app.sign_up_as("second@bar.com").await;
            let before = app.me(&token).await.body;
            let body = json!({"email": "mine@bar.com", "password": NEW, "username": "mine", "id": 1});
            for path in [
                ("PATCH", "/api/users"),
                ("PUT", "/api/users"),
                ("POST", "/api/users/replaceOrCreate"),
                ("POST", "/api/users/upsertWithWhere"),
                ("POST", "/api/users/upsertWithWhere?where[id]=1"),
                ("POST", "/api/users/update"),
                ("POST", "/api/users/update?where[id]=1"),
                ("POST", "/api/users/update?where[id]=1&id=1"),
                ("POST", "/api/users/update?id=1"),
            ] {
                let call = || app.call(path.0, path.1).json(&body);
                call().await.is(401, REFUSED);
                call().token("bogus").await.is(401, REFUSED);
                call().token(&token).await.is(401, REFUSED);
                call().token(&token).header("id", "1").header("where", r#"{"id":1}"#).await.is(401, REFUSED);
            }
            assert_eq!(app.me(&token).await.body, before);
            app.login(EMAIL, PASSWORD).await.expect_status(200);
        }
    }

    /// Contract §5.13.
    async fn each_route_answers_as_loopback_answers_it(store) {
        let (app, token) = opened(store).await;
        let both = r#"{"error":{"statusCode":422,"name":"ValidationError","message":"The `User` instance is not valid. Details: `password` can't be blank (value: undefined); `email` can't be blank (value: undefined).","details":{"context":"User","codes":{"password":["presence"],"email":["presence"]},"messages":{"password":["can't be blank"],"email":["can't be blank"]}}}}"#;
        let nothing_to_patch = not_found("Could not update attributes. Object with id 99 does not exist!");
        let nothing_to_replace = not_found("Could not replace. Object with id 99 does not exist!");
        let others_id = bad_request("id property (id) cannot be updated from 2 to 1");
        for (method, path, body, status, answer) in [
            ("PATCH", "", json!({"id": 2, "username": "n"}), 200, r#"{"username":"n","email":"second@bar.com","id":2}"#),
            ("PATCH", "", json!({"id": "2", "username": "m"}), 200, r#"{"username":"m","email":"second@bar.com","id":2}"#),
            ("PATCH", "", json!({"id": 99, "username": "n"}), 404, &nothing_to_patch),
            ("PATCH", "", json!({"id": "99"}), 404, &nothing_to_patch),
            ("PATCH", "", json!({"email": "n3@x.com", "password": "p"}), 200, r#"{"email":"n3@x.com","id":3}"#),
            ("PATCH", "", json!({"id": null, "email": "n4@x.com", "password": "p"}), 200, r#"{"email":"n4@x.com","id":4}"#),
            ("PATCH", "", json!({}), 422, both),
            ("PATCH", "", json!(null), 422, both),
            ("PUT", "", json!({"id": 2, "email": "q@q.com", "password": "x"}), 200, r#"{"email":"q@q.com","id":2}"#),
            ("PUT", "", json!({"email": "n5@x.com", "password": "p"}), 200, r#"{"email":"n5@x.com","id":5}"#),
            ("PUT", "", json!({"id": 99, "email": "n6@x.com", "password": "p"}), 404, &nothing_to_replace),
            ("PUT", "", json!({"id": 2}), 422, both),
            (
                "POST",
                "/replaceOrCreate",
                json!({"id": 2, "email": "q2@q.com", "password": "x", "username": "u"}),
                200,
                r#"{"username":"u","email":"q2@q.com","id":2}"#,
            ),
            ("POST", "/replaceOrCreate", json!({"email": "n6@x.com", "password": "p"}), 200, r#"{"email":"n6@x.com","id":6}"#),
            ("POST", "/replaceOrCreate", json!({"id": 99, "email": "n7@x.com", "password": "p"}), 404, &nothing_to_replace),
            ("POST", "/upsertWithWhere?where[id]=2", json!({"username": "up"}), 422, both),
            (
                "POST",
                "/upsertWithWhere?where[id]=2",
                json!({"email": "q3@q.com", "password": "x"}),
                200,
                r#"{"email":"q3@q.com","id":2}"#,
            ),
            (
                "POST",
                "/upsertWithWhere?where[id]=2",
                json!({"id": 1, "email": "q3@q.com", "password": "x"}),
                400,
                &others_id,
            ),
            (
                "POST",
                "/upsertWithWhere?where[email]=n7@x.com",
                json!({"email": "n7@x.com", "password": "p"}),
                200,
                r#"{"email":"n7@x.com","id":7}"#,
            ),
            ("POST", "/update?where[id]=2", json!({"username": "bulk"}), 200, r#"{"count":1}"#),
            ("POST", "/update?where[id]=999", json!({"username": "bulk"}), 200, r#"{"count":0}"#),
            ("POST", "/update?where[id][inq]=1&where[id][inq]=2", json!({"realm": "r"}), 200, r#"{"count":2}"#),
            ("POST", "/update", json!({"realm": null}), 200, r#"{"count":7}"#),
            ("POST", "/update?where[id]=2", json!({}), 200, r#"{"count":1}"#),
            ("POST", "/update?where[id]=2", json!(null), 400, &bad_request("data is a required argument")),
        ] {
            let answer = app.call(method, &format!("/api/users{path}")).token(&token).json(&body).await.is(status, answer);
            assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
            if status == 200 {
                assert_eq!(answer.header("cache-control"), "no-store");
            }
        }
        app.get("/api/users/2").token(&token).await.is(200, r#"{"username":"bulk","email":"q3@q.com","id":2}"#);
        app.get("/api/users/1").token(&token).await.is(200, r#"{"username":"Foo","email":"foo@bar.com","id":1}"#);
        app.login("q3@q.com", "x").await.expect_status(200);
        // There is no route that deletes all.
        app.delete("/api/users").token(&token).await.expect_error(404);
        app.delete("/api/users?where[id]=1").token(&token).await.expect_error(404);
    }

    /// With LoopBack's `replaceOnPUT: false` a PUT is a PATCH, also to the access control list.
    async fn with_replace_on_put_off_a_put_patches_or_creates(store) {
        let rules = answering(Policy::loopback(), |answers| answers.replace_on_put = false);
        for (method, may) in [("patchOrCreate", true), ("replaceOrCreate", false)] {
            let acl = Acl::user().allow("$authenticated", method);
            let app = App::with(rules.clone()).configure(|builder| builder.acl(acl)).start(store).await;
            let token = app.signed_up().await;
            let answer = app.put("/api/users").token(&token).json(json!({"id": 1, "username": "x"})).await;
            if may {
                answer.is(200, r#"{"username":"x","email":"foo@bar.com","id":1}"#);
            } else {
                answer.is(401, REFUSED);
            }
            let body = json!({"id": 1, "email": EMAIL, "password": NEW});
            let replaced = app.post("/api/users/replaceOrCreate").token(&token).json(body).await;
            assert_eq!(replaced.status, if may { 401 } else { 200 });
        }
    }

    /// Where the body is the data, a condition is in the query or a header.
    async fn a_condition_is_in_query_or_header_and_not_in_the_data(store) {
        let (app, token) = opened(store).await;
        let second = json!({"id": 2});
        let update = |path: &str| app.post(&format!("/api/users/update{path}")).token(&token);
        for (number, request) in [
            update(&format!("?where={}", encoded(&second))),
            update("?where[id]=2"),
            update("?where%5Bid%5D=2"),
            update("").header("where", second.to_string()),
            update("?where[id]=2").header("where", r#"{"id":1}"#),
        ]
        .into_iter()
        .enumerate()
        {
            request.json(json!({"username": format!("u{number}")})).await.is(200, r#"{"count":1}"#);
            let user = app.get("/api/users/2").token(&token).await.value();
            assert_eq!(user["username"], format!("u{number}"));
        }
        // In the body it is a field that there is none of, and none in the query is everybody.
        update("").json(json!({"where": {"id": 2}, "realm": "r"})).await.is(200, r#"{"count":2}"#);
        let body = json!({"where": {"id": 2}, "email": "x@x.com", "password": PASSWORD});
        let several = bad_request("There are multiple instances found. Upsert Operation will not be performed!");
        app.post("/api/users/upsertWithWhere").token(&token).json(body).await.is(400, &several);
        app.get("/api/users/1").token(&token).await.is(200, r#"{"realm":"r","username":"Foo","email":"foo@bar.com","id":1}"#);
    }

    /// Nothing happens to anybody where it is not said to whom.
    async fn an_upsert_that_means_several_changes_nobody(store) {
        let (app, token) = opened(store).await;
        let before = users(&app, &token).await;
        let several = bad_request("There are multiple instances found. Upsert Operation will not be performed!");
        let hashes = app.auth.hasher().hashes();
        let body = json!({"email": "x@x.com", "password": NEW, "username": "x"});
        for condition in [json!({}), json!({"email": {"like": "%bar.com"}}), json!({"id": {"inq": [1, 2, 3]}}), json!({"or": [{"id": 1}, {"id": 2}]})] {
            let path = format!("/api/users/upsertWithWhere?where={}", encoded(condition));
            app.post(&path).token(&token).json(&body).await.is(400, &several);
        }
        assert_eq!(users(&app, &token).await, before);
        assert_eq!(app.auth.hasher().hashes(), hashes);
    }

    /// LoopBack drops a condition on what is hidden, and changes everybody.
    async fn a_condition_on_what_is_hidden_changes_nobody(store) {
        let (app, token) = opened(store).await;
        let before = users(&app, &token).await;
        for condition in [
            json!({"verificationToken": "x"}),
            json!({"password": {"like": "$2a%"}}),
            json!({"and": [{"id": 2}, {"or": [{"password": "x"}, {"id": 2}]}]}),
            // Each of these passed a check that looked for names in another way than the reader of
            // conditions.
            json!({"and": {"0": {"password": "x"}}}),
            json!({"or": {"0": {"and": {"0": {"password": "x"}}}}}),
            json!({"a.password": "x"}),
            json!({"password.a": "x"}),
        ] {
            for route in ["update", "upsertWithWhere"] {
                let path = format!("/api/users/{route}?where={}", encoded(condition.clone()));
                let body = json!({"email": "x@x.com", "password": NEW, "username": "x"});
                app.post(&path).token(&token).json(body).await.expect(400, "INVALID_FILTER");
            }
        }
        assert_eq!(users(&app, &token).await, before);
    }

    /// 15.3.3, the contract's surprise 20: `id` in the data chooses nobody, and nobody gets another
    /// one.
    async fn an_id_in_the_data_changes_no_id(store) {
        let (app, token) = opened(store).await;
        for id in [json!(1), json!(99), json!("1"), json!(null), json!({"neq": 0}), json!([1])] {
            let body = json!({"id": id, "username": "second"});
            app.post("/api/users/update?where[id]=2").token(&token).json(body).await.is(200, r#"{"count":1}"#);
            app.post("/api/users/update?where[id]=2&id=1").token(&token).json(json!({"id": id})).await.is(200, r#"{"count":1}"#);
        }
        for id in [json!(1), json!(99), json!("x"), json!({"neq": 0}), json!(true)] {
            let body = json!({"id": id, "email": "second@bar.com", "password": PASSWORD});
            app.post("/api/users/upsertWithWhere?where[id]=2").token(&token).json(body).await.expect_error(400);
        }
        // What is no id of anybody's is not taken for somebody's.
        for id in [json!("02"), json!("2.0"), json!("+2"), json!(" 2"), json!("99"), json!("abc"), json!(-2)] {
            app.patch("/api/users").token(&token).json(json!({"id": id, "username": "y"})).await.expect_error(404);
            let body = json!({"id": id, "email": "y@x.com", "password": PASSWORD});
            app.put("/api/users").token(&token).json(body).await.expect_error(404);
        }
        for id in [json!(2.5), json!(2.0), json!(1e300), json!(u64::MAX)] {
            app.patch("/api/users").token(&token).json(json!({"id": id, "email": "y@x.com", "password": "p"})).await.expect_error(422);
        }
        for id in [json!({"inq": [2]}), json!([2]), json!(true), json!("")] {
            // As at a sign-up: somebody new, or nobody.
            app.patch("/api/users").token(&token).json(json!({"id": id, "username": "y"})).await.expect_error(422);
        }
        assert_eq!(
            users(&app, &token).await,
            r#"[{"username":"Foo","email":"foo@bar.com","id":1},{"username":"second","email":"second@bar.com","id":2}]"#
        );
    }

    /// 8.2.3, 15.3.3, V-79: not on these routes either. LoopBack stores it (contract §5.13).
    async fn nobody_says_that_an_address_is_proven(store) {
        let (app, token) = opened(store).await;
        for (round, claim) in [json!(true), json!("true"), json!(1)].into_iter().enumerate() {
            let claims = json!({"email": "second@bar.com", "password": PASSWORD, "emailVerified": claim, "verificationToken": "x", "rev": 9, "roles": ["admin"]});
            for (method, request) in all_routes(&app, 2, &claims) {
                request.token(&token).await.expect_status(200);
                let user = app.get("/api/users/2").token(&token).await.is(200, r#"{"email":"second@bar.com","id":2}"#);
                assert_eq!(user.value().get("emailVerified"), None, "{method}");
            }
            for (number, path) in ["", "/replaceOrCreate", "/upsertWithWhere?where[id]=99"].iter().enumerate() {
                let method = if path.is_empty() { "PATCH" } else { "POST" };
                let body = json!({"email": format!("n{number}@x{round}.com"), "password": "p", "emailVerified": claim});
                let made = app.call(method, &format!("/api/users{path}")).token(&token).json(body).await.expect_status(200).value();
                assert_eq!(made["emailVerified"], false, "{path}");
            }
            app.post("/api/users/update").token(&token).json(json!({"emailVerified": claim})).await.expect_status(200);
            let path = format!("/api/users/count?where={}", encoded(json!({"emailVerified": true})));
            app.get(&path).token(&token).await.is(200, r#"{"count":0}"#);
        }
        assert_eq!(app.auth.roles_of(&2.into()).await.unwrap(), [""; 0]);
        // Nor takes the proof away, unless the address changes.
        let secret = app.verification_token(2).await;
        app.confirm(2, &secret).await.expect_no_content();
        let verified = async || app.get("/api/users/2").token(&token).await.value()["emailVerified"].clone();
        app.post("/api/users/update").token(&token).json(json!({"emailVerified": false, "realm": "r"})).await.expect_status(200);
        assert_eq!(verified().await, true);
        let body = json!({"email": "other@bar.com", "emailVerified": true});
        app.post("/api/users/update?where[id]=2").token(&token).json(body).await.expect_status(200);
        assert_eq!(verified().await, false);
    }

    /// Contract §6.4. User 1 has the tokens A, which asks, and B; user 2 has C and D.
    async fn which_tokens_a_change_ends_is_loopbacks_table(store) {
        let (app, a) = opened(store).await;
        for (id, email, left) in [(1, EMAIL, ["A", "C", "D"].as_slice()), (2, "second@bar.com", &["A", "B"])] {
            for (change, ends, replaces) in [
                (json!({"username": "x"}), false, false),
                (json!({"username": null, "email": email}), false, false),
                // The same plain password is a new one.
                (json!({"password": PASSWORD}), true, false),
                (json!({"email": email, "password": PASSWORD}), true, true),
            ] {
                for (number, (method, request)) in all_routes(&app, id, &change).into_iter().enumerate() {
                    // A replace needs both.
                    if !replaces && (1..4).contains(&number) {
                        continue;
                    }
                    let (b, c) = (app.token_of(EMAIL).await, app.token_of("second@bar.com").await);
                    let d = app.token_of("second@bar.com").await;
                    let tokens = [("A", a.as_str()), ("B", &b), ("C", &c), ("D", &d)];
                    request.token(&a).await.expect_status(200);
                    let left = if ends { left } else { &["A", "B", "C", "D"] };
                    assert_eq!(living(&app, &tokens).await, left, "{method} {id} {change}");
                }
            }
        }
        // A new address.
        for (number, path) in [("PATCH", ""), ("POST", "/update?where[id]=2")].into_iter().enumerate() {
            let old = if number == 0 { "second@bar.com".to_owned() } else { "u0@x.com".to_owned() };
            let (b, c) = (app.token_of(EMAIL).await, app.token_of(&old).await);
            let body = json!({"id": 2, "email": format!("u{number}@x.com")});
            app.call(path.0, &format!("/api/users{}", path.1)).token(&a).json(body).await.expect_status(200);
            assert_eq!(living(&app, &[("A", &a), ("B", &b), ("C", &c)]).await, ["A", "B"], "{path:?}");
        }
        // Everybody at once: who asks stays.
        let (b, c) = (app.token_of(EMAIL).await, app.token_of("u1@x.com").await);
        app.post("/api/users/update").token(&a).json(json!({"password": NEW})).await.is(200, r#"{"count":2}"#);
        assert_eq!(living(&app, &[("A", &a), ("B", &b), ("C", &c)]).await, ["A"]);
        for email in [EMAIL, "u1@x.com"] {
            app.login(email, NEW).await.expect_status(200);
        }
    }

    /// 6.2.3, 7.5.1: no row lets a client past what `PATCH /{id}` refuses.
    async fn the_default_policy_refuses_passwords_and_addresses_here_too(store) {
        let (app, token) = opened_with(Policy::default(), store).await;
        let before = users(&app, &token).await;
        let hashes = app.auth.hasher().hashes();
        for id in [1, 2] {
            for body in [json!({"password": NEW}), json!({"password": NEW, "email": "x@x.com", "username": "x"}), json!({"password": "short"})] {
                for (_, request) in all_routes(&app, id, &body) {
                    request.token(&token).await.expect(401, "PASSWORD_CHANGE_NOT_ALLOWED");
                }
            }
            for (method, request) in all_routes(&app, id, &json!({"email": "x@x.com", "username": "x"})) {
                if method == "patchOrCreate" || method == "updateAll" {
                    request.token(&token).await.expect(403, "EMAIL_CHANGE_NOT_ALLOWED");
                } else {
                    // A replace would always be one of the password.
                    request.token(&token).await.expect(401, "PASSWORD_CHANGE_NOT_ALLOWED");
                }
            }
        }
        assert_eq!(app.auth.hasher().hashes(), hashes);
        assert_eq!(users(&app, &token).await, before);
        // Who is new has a password that is good enough, and an address.
        for (password, code) in [("short", "PASSWORD_TOO_SHORT"), ("password1", "PASSWORD_TOO_COMMON"), ("", "INVALID_PASSWORD")] {
            let body = json!({"email": "new@bar.com", "password": password});
            app.patch("/api/users").token(&token).json(&body).await.expect(422, code);
            app.put("/api/users").token(&token).json(&body).await.expect(422, code);
            app.post("/api/users/upsertWithWhere?where[id]=99").token(&token).json(&body).await.expect(422, code);
        }
        app.patch("/api/users").token(&token).json(json!({"email": "New@Bar.com", "password": NEW})).await.is(200, r#"{"email":"new@bar.com","id":3}"#);
        // In any case it is the same address: nothing that is refused, and the same user that is
        // meant.
        app.patch("/api/users").token(&token).json(json!({"id": 3, "email": "NEW@bar.com", "username": "n"})).await.expect_status(200);
        app.post("/api/users/update?where[email]=NEW@BAR.com").token(&token).json(json!({"realm": "r"})).await.is(200, r#"{"count":1}"#);
        let path = "/api/users/upsertWithWhere?where[email]=NEW@BAR.com";
        app.post(path).token(&token).json(json!({"email": "new@bar.com", "password": NEW})).await.expect(401, "PASSWORD_CHANGE_NOT_ALLOWED");
    }

    /// Contract §5.1, §7.
    async fn what_is_malformed_or_taken_is_422_and_changes_nothing(store) {
        let (app, token) = opened(store).await;
        app.patch("/api/users").token(&token).json(json!({"id": 2, "username": "second"})).await.expect_status(200);
        let before = users(&app, &token).await;
        for (change, code) in [
            (json!({"email": "nope"}), "custom.email"),
            (json!({"email": 5}), "custom.string"),
            (json!({"email": null}), "presence"),
            (json!({"email": ""}), "presence"),
            (json!({"email": {"neq": "x"}}), "custom.string"),
            (json!({"email": EMAIL}), "uniqueness"),
        ] {
            let mut body = json!({"password": NEW});
            body["email"] = change["email"].clone();
            for (method, request) in all_routes(&app, 2, &body) {
                let error = request.token(&token).await.expect_error(422).value();
                assert_eq!(error.pointer("/error/details/codes/email"), Some(&json!([code])), "{method} {change}");
            }
        }
        for (password, code) in [("".to_owned(), "INVALID_PASSWORD"), ("x".repeat(73), "PASSWORD_TOO_LONG")] {
            let body = json!({"email": "second@bar.com", "password": password});
            for (_, request) in all_routes(&app, 2, &body) {
                request.token(&token).await.expect(422, code);
            }
        }
        let body = json!({"email": "second@bar.com", "password": NEW, "username": "Foo"});
        for (method, request) in all_routes(&app, 2, &body) {
            let error = request.token(&token).await.expect_error(422).value();
            assert_eq!(error.pointer("/error/details/codes/username"), Some(&json!(["uniqueness"])), "{method}");
        }
        assert_eq!(users(&app, &token).await, before);
        app.login("second@bar.com", PASSWORD).await.expect_status(200);
    }

    /// The changes of many are made one after the other. What is not made is told, what was made
    /// stays.
    async fn who_was_changed_before_a_failure_stays_changed(store) {
        let (app, token) = opened(store).await;
        app.sign_up_as("third@bar.com").await;
        // Only one can have it.
        let error = app.post("/api/users/update").token(&token).json(json!({"username": "one"})).await.expect_error(422).value();
        assert_eq!(error.pointer("/error/details/codes/username"), Some(&json!(["uniqueness"])));
        let names = async || {
            let users: Value = serde_json::from_str(&users(&app, &token).await).unwrap();
            users.as_array().unwrap().iter().map(|user| user["username"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(names().await, [json!("one"), json!(null), json!(null)]);
        // What every one of them is refused for changes none.
        app.post("/api/users/update").token(&token).json(json!({"realm": "r", "email": "nope"})).await.expect_error(422);
        app.post("/api/users/update").token(&token).json(json!({"realm": "r", "password": ""})).await.expect_error(422);
        assert!(!users(&app, &token).await.contains("realm"));
        // A store that fails in between.
        for (fault, changed) in [(Fault::Fail, 1), (Fault::FailAfter, 3)] {
            app.post("/api/users/update").token(&token).json(json!({"realm": null})).await.is(200, r#"{"count":3}"#);
            app.faults.nth_call_of("update_user", 2, fault);
            let answer = app.post("/api/users/update").token(&token).json(json!({"realm": "r"})).await;
            app.faults.reset();
            // A change whose acknowledgement is lost is found to be made.
            match fault {
                Fault::FailAfter => drop(answer.is(200, r#"{"count":3}"#)),
                _ => drop(answer.expect_unavailable()),
            }
            let path = "/api/users/count?where[realm]=r";
            app.get(path).token(&token).await.is(200, &json!({"count": changed}).to_string());
            // The same again does the rest.
            app.post("/api/users/update").token(&token).json(json!({"realm": "r"})).await.is(200, r#"{"count":3}"#);
            app.get(path).token(&token).await.is(200, r#"{"count":3}"#);
        }
    }

    /// 6.3.7: each of them raises what the same change raises elsewhere.
    async fn changes_of_many_are_told_as_those_of_one(store) {
        let (app, token) = opened(store).await;
        let _ = app.events.take();
        app.post("/api/users/update").token(&token).json(json!({"password": NEW})).await.is(200, r#"{"count":2}"#);
        let events = app.events.take();
        assert!(
            matches!(
                &events[..],
                [
                    Event::UserUpdated { .. },
                    Event::PasswordChanged { by_reset: false, .. },
                    Event::UserUpdated { .. },
                    Event::PasswordChanged { by_reset: false, .. }
                ]
            ),
            "{events:?}"
        );
        app.patch("/api/users").token(&token).json(json!({"id": 2, "email": "new@bar.com"})).await.expect_status(200);
        assert_eq!(app.mails.next().await.to, "second@bar.com");
        let _ = app.events.take();
        app.patch("/api/users").token(&token).json(json!({"email": "third@bar.com", "password": NEW})).await.expect_status(200);
        let events = app.events.take();
        assert!(matches!(&events[..], [Event::Registered { .. }]), "{events:?}");
    }

    /// Who is made this way proves the address as everybody does.
    async fn who_is_made_here_has_to_prove_the_address_too(store) {
        let mut policy = Policy::default();
        policy.email.verification_required = true;
        let acl = Acl::user().row(AclRow::allow("$everyone").methods(METHODS));
        let app = App::with(policy).configure(|builder| builder.acl(acl)).start(store).await;
        for (number, (method, path)) in
            [("PATCH", ""), ("PUT", ""), ("POST", "/replaceOrCreate"), ("POST", "/upsertWithWhere?where[id]=99")].into_iter().enumerate()
        {
            let email = format!("n{number}@bar.com");
            let body = json!({"email": email, "password": NEW, "emailVerified": true});
            app.call(method, &format!("/api/users{path}")).json(body).await.expect_status(200);
            // The right password does not tell that there is an account, as a sign-up does not.
            app.login(&email, NEW).await.expect(401, "LOGIN_FAILED");
            let mail = app.mails.next().await;
            assert_eq!(mail.to, email);
            assert!(mail.link.is_some_and(|link| link.contains("/api/users/confirm?")), "{method} {path}");
        }
    }

    /// 15.4.2: the same new user from several at once is one user.
    async fn of_many_upserts_at_once_one_makes_the_user(store) {
        let (app, token) = opened(store).await;
        let body = json!({"email": "new@bar.com", "password": NEW});
        let upsert = || app.post("/api/users/upsertWithWhere?where[email]=new@bar.com").token(&token).json(&body);
        let answers = at_once((0..8).map(|_| upsert())).await;
        assert!(count(&answers, 200) >= 1);
        for answer in &answers {
            assert!([200, 409, 422].contains(&answer.status.as_u16()), "{answer:?}");
        }
        app.get("/api/users/count?where[email]=new@bar.com").token(&token).await.is(200, r#"{"count":1}"#);
        app.get("/api/users/count").token(&token).await.is(200, r#"{"count":3}"#);
    }

    /// Contract §2.4: types before authorization, the rest after it.
    async fn a_wrong_type_beats_a_missing_token_and_nothing_else_does(store) {
        let (app, token) = opened(store).await;
        let not_an_object = bad_request("Value is not an object.");
        for (method, path) in [
            ("PATCH", "/api/users"),
            ("PUT", "/api/users"),
            ("POST", "/api/users/replaceOrCreate"),
            ("POST", "/api/users/upsertWithWhere"),
            ("POST", "/api/users/update"),
        ] {
            for body in ["[]", "[{}]", "5", r#""x""#, "true"] {
                app.call(method, path).json(body).await.is(400, &not_an_object);
                app.call(method, path).token(&token).json(body).await.is(400, &not_an_object);
            }
            app.call(method, path).json("{").await.expect_error(400);
            app.call(method, path).json("null").await.is(401, REFUSED);
            app.call(method, path).await.is(401, REFUSED);
            app.call(method, path).json(json!({"email": "nope"})).await.is(401, REFUSED);
        }
        for path in ["/api/users/upsertWithWhere", "/api/users/update"] {
            for text in ["zz", "5", "[1]"] {
                app.post(&format!("{path}?where={text}")).json("{}").await.is(400, &not_an_object);
                app.post(path).header("where", text).json("{}").await.is(400, &not_an_object);
            }
            for wrong in [json!({"id": {"regexp": "."}}), json!({"or": 5}), json!({"id": {}}), json!({"id": {"between": [1]}})] {
                let path = format!("{path}?where={}", encoded(wrong));
                app.post(&path).json("{}").await.is(401, REFUSED);
                app.post(&path).token(&token).json("{}").await.expect_error(400);
            }
        }
    }

    /// 1.5.2, 16.5.2, FUZZ-9
    async fn values_of_every_type_at_every_field_are_a_clients_matter(store) {
        let (app, token) = opened(store).await;
        let values = [
            json!(null), json!(true), json!(0), json!(-1), json!(1.5), json!(1e300), json!(i64::MIN), json!(u64::MAX), json!(""), json!("x"),
            json!([]), json!([1]), json!({}), json!({"a": 1}), json!({"neq": "x"}), json!("\u{0}"), json!("a\r\nBcc: x@x.com"), json!("🦀"),
            json!("'; DROP TABLE gatekit_users; --"), json!("x".repeat(5000)),
        ];
        let fields = [
            "id", "email", "username", "realm", "password", "emailVerified", "verificationToken", "rev", "namespace", "password_hash", "roles",
            "__proto__", "constructor", "where", "data", "",
        ];
        let mut number = 0;
        for field in fields {
            for value in &values {
                for (method, path) in [
                    ("PATCH", ""),
                    ("PUT", ""),
                    ("POST", "/replaceOrCreate"),
                    ("POST", "/upsertWithWhere?where[id]=2"),
                    ("POST", "/update?where[id]=2"),
                ] {
                    number += 1;
                    let new = json!({"email": format!("u{number}@x.com"), "password": "p"});
                    let mut body = if number % 2 == 0 { new } else { json!({"id": 2}) };
                    body[field] = value.clone();
                    let answer = app.call(method, &format!("/api/users{path}")).token(&token).json(&body).await;
                    assert!(is_refused_or_sound(&answer), "{method} {path} {body}: {answer:?}");
                    if answer.status != 200 {
                        let status = answer.status.as_u16();
                        answer.expect_error(status);
                    }
                }
            }
        }
        // The one who asked is who it was.
        app.me(&token).await.is(200, r#"{"username":"Foo","email":"foo@bar.com","id":1}"#);
        app.login(EMAIL, PASSWORD).await.expect_status(200);
    }

    /// 16.5.3
    async fn a_store_that_fails_is_503(store) {
        let (app, token) = opened(store).await;
        let body = json!({"email": "second@bar.com", "password": PASSWORD});
        for call in ["find_token_owner", "find_user", "find_users", "update_user"] {
            for (method, request) in all_routes(&app, 2, &body) {
                // The two without a condition look for nobody.
                if call == "find_users" && !["upsertWithWhere", "updateAll"].contains(&method) {
                    continue;
                }
                app.faults.every_call_of(call, Fault::Fail);
                request.token(&token).await.expect_unavailable();
                app.faults.reset();
            }
        }
        assert_eq!(
            users(&app, &token).await,
            r#"[{"username":"Foo","email":"foo@bar.com","id":1},{"email":"second@bar.com","id":2}]"#
        );
    }
}
