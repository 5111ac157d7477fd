//! `/api/users/{id}/accessTokens`, for whom the access control list lets.

use std::time::Duration;

use gatekit::{AccessType, Acl, AclRow, Event, IssueToken, Policy};
use gatekit_testkit::Fault;
use gatekit_tests::{App, Store, at_once, count, on_every_store};
use serde_json::{Value, json};

use crate::find_users::encoded;

const LIST: &str = "/api/users/1/accessTokens";
const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;
const NO_USER: &str = r#"{"error":{"statusCode":404,"name":"Error","message":"could not find a model with id 99","code":"MODEL_NOT_FOUND"}}"#;
pub(crate) const METHODS: [&str; 7] = [
    "__get__accessTokens",
    "__create__accessTokens",
    "__delete__accessTokens",
    "__count__accessTokens",
    "__findById__accessTokens",
    "__updateById__accessTokens",
    "__destroyById__accessTokens",
];

fn none(name: &str) -> String {
    format!(
        r#"{{"error":{{"statusCode":404,"name":"Error","message":"No instance with id {name} found for AccessToken"}}}}"#
    )
}

/// The relation is open to these. There are the users 1 and 2, each with a token.
async fn opened_to(principal: &'static str, policy: Policy, store: Store) -> (App, String, String) {
    let acl = Acl::user().row(AclRow::allow(principal).methods(METHODS));
    let app = App::with(policy).configure(|builder| builder.acl(acl)).start(store).await;
    let token = app.signed_up().await;
    app.sign_up_as("second@bar.com").await;
    let second = app.token_of("second@bar.com").await;
    (app, token, second)
}

/// To owners.
async fn opened(store: Store) -> (App, String, String) {
    opened_to("$owner", Policy::loopback(), store).await
}

/// The tokens of user 1, as the list has them.
async fn listed(app: &App, token: &str) -> Vec<Value> {
    let tokens = app.get(LIST).token(token).await.expect_status(200).value();
    tokens.as_array().unwrap().clone()
}

/// The handle of a token of user 1.
async fn handle(app: &App, token: &str) -> String {
    app.auth.find_token(&1.into(), token).await.unwrap().unwrap().handle()
}

on_every_store! {
    /// 8.2.1: not even the owner, unless a row says so.
    async fn by_default_nobody_uses_the_relation(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            let token = app.signed_up().await;
            for (method, path) in [
                ("GET", LIST.to_owned()),
                ("POST", LIST.to_owned()),
                ("DELETE", LIST.to_owned()),
                ("GET", format!("{LIST}/count")),
                ("GET", format!("{LIST}/{token}")),
                ("PUT", format!("{LIST}/{token}")),
                ("DELETE", format!("{LIST}/{token}")),
            ] {
                app.faults.reset();
                app.call(method, &path).token(&token).await.is(401, REFUSED);
                assert_eq!(app.faults.calls(), ["find_token_owner"]);
                app.call(method, &path).await.is(401, REFUSED);
                app.call(method, &path.replace("/1/", "/99/")).token(&token).await.is(401, REFUSED);
            }
            app.me(&token).await.expect_status(200);
            assert_eq!(app.auth.list_tokens(&1.into()).await.unwrap().len(), 1);
        }
    }

    /// 8.2.2: the owner's row opens the owner's tokens and nobody else's.
    async fn nobody_reaches_the_tokens_of_another(store) {
        let (app, token, second) = opened(store).await;
        let own = handle(&app, &token).await;
        for caller in [Some(second.as_str()), Some("bogus"), None] {
            for name in ["", "/count", &format!("/{own}"), &format!("/{token}")] {
                for method in ["GET", "POST", "PUT", "DELETE"] {
                    if method == "POST" && !name.is_empty() || method == "PUT" && (name.is_empty() || name == "/count") || method == "DELETE" && name == "/count" {
                        continue;
                    }
                    for query in ["", "?id=2", "?userId=2"] {
                        let call = app.call(method, &format!("{LIST}{name}{query}")).json(json!({"id": 2, "userId": 2}));
                        let call = match caller {
                            Some(caller) => call.token(caller),
                            None => call,
                        };
                        call.await.is(401, REFUSED);
                    }
                }
            }
        }
        // A token of another user is none of one's own, by whatever name.
        let own = "/api/users/2/accessTokens";
        for name in [token.as_str(), &handle(&app, &token).await] {
            let path = format!("{own}/{name}");
            app.get(&path).token(&second).await.is(404, &none(name));
            app.put(&path).token(&second).json(json!({"ttl": 1})).await.is(404, &none(name));
            app.delete(&path).token(&second).await.is(404, &none(name));
        }
        app.delete(own).token(&second).await.expect_no_content();
        assert_eq!(listed(&app, &token).await[0]["ttl"], 1_209_600);
    }

    /// 11.7.2, 15.3.1: in LoopBack who may read this list can log in as its owner (contract §5.13).
    async fn a_list_has_handles_and_no_secrets(store) {
        let (app, token, _) = opened(store).await;
        let other = app.token_of("foo@bar.com").await;
        let tokens = app.get(LIST).token(&token).await.expect_status(200).expect_header("cache-control", "no-store");
        assert!(!tokens.body.contains(&token) && !tokens.body.contains(&other));
        let tokens = listed(&app, &token).await;
        assert_eq!(tokens.len(), 2);
        for shown in &tokens {
            let members: Vec<&String> = shown.as_object().unwrap().keys().collect();
            assert_eq!(members, ["id", "ttl", "created", "userId"]);
            let id = shown["id"].as_str().unwrap();
            assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
            // It opens nothing.
            app.me(id).await.expect_status(401);
            assert_eq!(shown["userId"], 1);
        }
        for secret in [&token, &other] {
            let handle = handle(&app, secret).await;
            assert!(tokens.iter().any(|shown| shown["id"] == handle));
            let path = format!("{LIST}/{handle}");
            let shown = app.get(&path).token(&token).await.expect_status(200).value();
            assert!(tokens.contains(&shown));
        }
        // Who names a token by its secret has it, and sees it so, as LoopBack's clients do.
        let shown = app.get(&format!("{LIST}/{token}")).token(&token).await.expect_status(200);
        assert_eq!(shown.text("id"), token);
        for name in ["nope", "", &token[..63], &token.to_lowercase(), "%20", "1", "%F0%9F%A6%80"] {
            let answer = app.get(&format!("{LIST}/{name}")).token(&token).await;
            answer.expect_error(404);
        }
        app.get(&format!("{LIST}/nope")).token(&token).await.is(404, &none("nope"));
        // The whole digest is no name.
        let handle = handle(&app, &token).await;
        app.get(&format!("{LIST}/{handle}{handle}")).token(&token).await.expect_error(404);
        app.get(&format!("{LIST}/{}", handle.to_uppercase())).token(&token).await.expect_error(404);
    }

    /// Contract §5.13. Different: the policy's longest lifetime holds here too, and nobody chooses
    /// the id.
    async fn a_new_token_is_random_and_no_longer_than_the_policy_allows(store) {
        let (app, token, _) = opened(store).await;
        for (body, ttl, scopes) in [
            (json!({}), 1_209_600, json!(null)),
            (json!(null), 1_209_600, json!(null)),
            (json!({"ttl": 5, "scopes": ["x"], "userId": 2}), 5, json!(["x"])),
            (json!({"ttl": 99_999_999_999_i64}), 31_556_926, json!(null)),
            (json!({"ttl": 1e300}), 31_556_926, json!(null)),
            (json!({"ttl": "60"}), 60, json!(null)),
            (json!({"ttl": 0}), 1_209_600, json!(null)),
            (json!({"ttl": null, "scopes": null}), 1_209_600, json!(null)),
            (json!({"id": "mine", "created": "2090-01-01T00:00:00.000Z", "rev": 9, "digest": "x"}), 1_209_600, json!(null)),
            (json!({"scopes": []}), 1_209_600, json!([])),
            (json!({"scopes": ["DEFAULT", "x"]}), 1_209_600, json!(["DEFAULT", "x"])),
        ] {
            let made = app.post(LIST).token(&token).json(&body).await.expect_status(200);
            let (secret, made) = (made.text("id"), made.value());
            assert!(secret.len() >= 43 && secret != "mine", "{made}");
            assert_eq!((&made["ttl"], &made["userId"], &made["scopes"]), (&json!(ttl), &json!(1), &scopes), "{body}");
            assert!(!made["created"].as_str().unwrap().starts_with("2090"));
            let works = scopes.is_null() || scopes.as_array().unwrap().contains(&json!("DEFAULT"));
            assert_eq!(app.me(&secret).await.status, if works { 200 } else { 401 }, "{body}");
            let shown = app.get(&format!("{LIST}/{secret}")).token(&token).await.expect_status(200).value();
            assert_eq!(shown, made, "{body}");
        }
        app.me("mine").await.expect_status(401);
        assert_eq!(listed(&app, &token).await.len(), 12);
        assert_eq!(app.auth.list_tokens(&2.into()).await.unwrap().len(), 1);
    }

    /// 1.4.2: what no token can have is refused before one is made.
    async fn what_no_token_can_have_is_400(store) {
        let (app, token, _) = opened(store).await;
        let path = format!("{LIST}/{token}");
        for ttl in [json!(-1), json!(-2), json!(1.5), json!("abc"), json!([]), json!([5]), json!({}), json!({"id": "x"}), json!("\u{0}")] {
            let body = json!({"ttl": ttl});
            app.post(LIST).token(&token).json(&body).await.expect(400, "INVALID_TTL");
            app.post(LIST).token(&token).json(json!([{}, body])).await.expect(400, "INVALID_TTL");
            app.put(&path).token(&token).json(&body).await.expect(400, "INVALID_TTL");
        }
        for scopes in [json!("x"), json!(5), json!({"0": "x"}), json!([5]), json!([null]), json!([["x"]]), json!(true)] {
            let body = json!({"scopes": scopes});
            app.post(LIST).token(&token).json(&body).await.expect(400, "INVALID_SCOPES");
            app.post(LIST).token(&token).json(json!([{}, body])).await.expect(400, "INVALID_SCOPES");
            app.put(&path).token(&token).json(&body).await.expect(400, "INVALID_SCOPES");
        }
        for body in ["5", r#""x""#, "true"] {
            app.post(LIST).json(body).await.expect_error(400);
            app.put(&path).json(body).await.expect_error(400);
        }
        app.put(&path).token(&token).json("[]").await.expect_error(400);
        assert_eq!(listed(&app, &token).await.len(), 1);
    }

    async fn an_array_makes_several_or_none(store) {
        let (app, token, _) = opened(store).await;
        app.post(LIST).token(&token).json("[]").await.is(200, "[]");
        let made = app.post(LIST).token(&token).json(json!([{"ttl": 5}, {}, {"scopes": ["x"]}])).await.expect_status(200).value();
        let secrets: Vec<&str> = made.as_array().unwrap().iter().map(|made| made["id"].as_str().unwrap()).collect();
        assert_eq!(secrets.len(), 3);
        for (secret, status) in secrets.iter().zip([200, 200, 401]) {
            app.me(secret).await.expect_status(status);
        }
        for wrong in [json!([{}, 5]), json!([null]), json!([[]]), json!([{}, {"ttl": -5}])] {
            app.post(LIST).token(&token).json(wrong).await.expect_error(400);
        }
        let many = |count: usize| Value::from(vec![json!({}); count]);
        app.post(LIST).token(&token).json(many(101)).await.expect(400, "TOO_MANY_TOKENS");
        assert_eq!(listed(&app, &token).await.len(), 4);
        // Who may not learns nothing of what is wrong.
        app.post(LIST).json(many(101)).await.is(401, REFUSED);
        app.post(LIST).json("[5]").await.is(401, REFUSED);
        app.post(LIST).token(&token).json(many(100)).await.expect_status(200);
        assert_eq!(listed(&app, &token).await.len(), 104);
    }

    async fn a_token_is_changed_by_its_handle_or_its_secret(store) {
        let (app, token, second) = opened(store).await;
        let other = app.token_of("foo@bar.com").await;
        let name = handle(&app, &other).await;
        let before = app.get(&format!("{LIST}/{name}")).token(&token).await.value();
        let put = |name: &str, body: Value| app.put(&format!("{LIST}/{name}")).token(&token).json(body);
        let mut after = before.clone();
        after["ttl"] = 77.into();
        put(&name, json!({"ttl": 77})).await.is(200, &after.to_string());
        let mut by_secret = after.clone();
        by_secret["id"] = other.as_str().into();
        put(&other, json!({})).await.is(200, &by_secret.to_string());
        put(&name, json!({"ttl": 99_999_999_999_i64})).await.expect_status(200);
        assert_eq!(app.get(&format!("{LIST}/{name}")).token(&token).await.value()["ttl"], 31_556_926);
        // What else a token has is not the client's.
        let body = json!({"id": "mine", "created": "2090-01-01T00:00:00.000Z", "rev": 9, "userId": 1, "ttl": 77});
        put(&name, body).await.is(200, &after.to_string());
        put(&name, json!({"userId": "1"})).await.expect_status(200);
        for user in [json!(2), json!("2"), json!(99), json!(null), json!({"neq": 1}), json!([1]), json!(1.5), json!(true)] {
            // LoopBack: 500.
            let message = r#"{"error":{"statusCode":400,"name":"Error","message":"a token cannot be given to another user"}}"#;
            put(&name, json!({"userId": user, "ttl": 5})).await.is(400, message);
        }
        app.get(&format!("{LIST}/{name}")).token(&token).await.is(200, &after.to_string());
        assert_eq!(app.auth.list_tokens(&2.into()).await.unwrap().len(), 1);
        app.me(&second).await.expect_status(200);
        // Confined from the next request on (8.3.2).
        let scoped = put(&name, json!({"scopes": ["x"]})).await.expect_status(200).value();
        assert_eq!(scoped["scopes"], json!(["x"]));
        app.me(&other).await.expect_status(401);
        put(&name, json!({"scopes": null})).await.expect_status(200);
        app.me(&other).await.expect_status(401);
        put("nope", json!({"ttl": 77})).await.is(404, &none("nope"));
        // There is no other way to change one.
        app.patch(&format!("{LIST}/{name}")).token(&token).json(json!({"ttl": 1})).await.is(
            404,
            &format!(r#"{{"error":{{"statusCode":404,"name":"Error","message":"Shared class \"User\" has no method handling PATCH /1/accessTokens/{name}"}}}}"#),
        );
        app.post(&format!("{LIST}/{name}")).token(&token).json("{}").await.expect_error(404);
        app.put(LIST).token(&token).json("{}").await.expect_error(404);
    }

    /// A shorter lifetime counts from when the token was made.
    async fn a_token_whose_lifetime_is_cut_below_its_age_has_ended(store) {
        let (app, token, _) = opened(store).await;
        let other = app.token_of("foo@bar.com").await;
        app.clock.advance(Duration::from_secs(100));
        app.put(&format!("{LIST}/{other}")).token(&token).json(json!({"ttl": 100})).await.expect_status(200);
        app.me(&other).await.expect(401, "INVALID_TOKEN");
        assert_eq!(listed(&app, &token).await.len(), 1);
    }

    /// 7.4.1
    async fn a_token_that_is_deleted_has_ended(store) {
        let (app, token, second) = opened(store).await;
        let by_handle = app.token_of("foo@bar.com").await;
        let by_secret = app.token_of("foo@bar.com").await;
        let name = handle(&app, &by_handle).await;
        let _ = app.events.take();
        for (path, secret) in [(&name, &by_handle), (&by_secret, &by_secret)] {
            let path = format!("{LIST}/{path}");
            app.delete(&path).token(&token).await.expect_no_content();
            app.me(secret).await.expect_status(401);
            app.delete(&path).token(&token).await.expect_error(404);
            app.get(&path).token(&token).await.expect_error(404);
        }
        let events = app.events.take();
        assert!(matches!(&events[..], [Event::LoggedOut { .. }, Event::LoggedOut { .. }]), "{events:?}");
        app.me(&token).await.expect_status(200);
        // The one that asks, too.
        app.delete(&format!("{LIST}/{token}")).token(&token).await.expect_no_content();
        app.get(LIST).token(&token).await.is(401, REFUSED);
        app.me(&second).await.expect_status(200);
    }

    /// Contract §5.13: the current one too.
    async fn deleting_all_ends_the_one_that_asks(store) {
        let (app, token, second) = opened(store).await;
        let other = app.token_of("foo@bar.com").await;
        app.delete(LIST).token(&token).await.expect_no_content();
        for secret in [&token, &other] {
            app.me(secret).await.expect_status(401);
        }
        app.get(LIST).token(&token).await.is(401, REFUSED);
        app.me(&second).await.expect_status(200);
        let new = app.token_of("foo@bar.com").await;
        assert_eq!(listed(&app, &new).await.len(), 1);
    }

    async fn a_list_is_filtered_and_counted(store) {
        let (app, token, _) = opened(store).await;
        for ttl in [5, 60, 700] {
            app.post(LIST).token(&token).json(json!({"ttl": ttl, "scopes": ["x"]})).await.expect_status(200);
        }
        let own = handle(&app, &token).await;
        for (condition, ttls) in [
            (json!({}), vec![5, 60, 700, 1_209_600]),
            (json!({"ttl": 60}), vec![60]),
            (json!({"ttl": {"lt": 700}}), vec![5, 60]),
            (json!({"scopes": "x"}), vec![5, 60, 700]),
            (json!({"scopes": null}), vec![1_209_600]),
            (json!({"id": own}), vec![1_209_600]),
            // A secret is not in any list, so none is found by it.
            (json!({"id": token}), vec![]),
            (json!({"id": {"like": "%"}, "userId": 1}), vec![5, 60, 700, 1_209_600]),
            (json!({"userId": 2}), vec![]),
            (json!({"or": [{"ttl": 5}, {"ttl": 60}]}), vec![5, 60]),
            (json!({"rev": 0}), vec![]),
            (json!({"digest": {"neq": null}}), vec![]),
        ] {
            let filter = json!({"where": condition, "order": "ttl"});
            for request in [
                app.get(&format!("{LIST}?filter={}", encoded(&filter))),
                app.get(LIST).header("filter", filter.to_string()),
                app.get(LIST).json(json!({"filter": filter})),
            ] {
                let found = request.token(&token).await.expect_status(200).value();
                let found: Vec<_> = found.as_array().unwrap().iter().map(|token| token["ttl"].as_i64().unwrap()).collect();
                assert_eq!(found, ttls, "{condition}");
            }
            let count = json!({"count": ttls.len()}).to_string();
            let path = format!("{LIST}/count");
            app.get(&format!("{path}?where={}", encoded(&condition))).token(&token).await.is(200, &count);
            app.get(&path).token(&token).header("where", condition.to_string()).await.is(200, &count);
        }
        let filter = "filter[where][ttl][gt]=5&filter[order]=ttl%20DESC&filter[limit]=1&filter[skip]=1&filter[fields][0]=ttl&filter[fields][1]=userId";
        app.get(&format!("{LIST}?{filter}")).token(&token).await.is(200, r#"[{"ttl":700,"userId":1}]"#);
        for wrong in [json!({"limit": -1}), json!({"where": {"id": {"regexp": "."}}}), json!({"order": 5})] {
            let path = format!("{LIST}?filter={}", encoded(wrong));
            app.get(&path).token(&token).await.expect_error(400);
            app.get(&path).await.is(401, REFUSED);
        }
        app.get(&format!("{LIST}?filter=zz")).await.expect_error(400);
        app.get(&format!("{LIST}/count?where=zz")).await.expect_error(400);
        app.get(&format!("{LIST}/count?where[id][near]=1")).token(&token).await.expect_error(400);
    }

    /// What has expired, was logged out or was ended by a new password is in no list, and has no
    /// name.
    async fn the_dead_are_not_listed(store) {
        let (app, token, _) = opened(store).await;
        let short = app.post(LIST).token(&token).json(json!({"ttl": 10})).await.expect_status(200).text("id");
        let gone = app.token_of("foo@bar.com").await;
        let names = [handle(&app, &short).await, short, handle(&app, &gone).await, gone.clone()];
        assert_eq!(listed(&app, &token).await.len(), 3);
        app.post("/api/users/logout").token(&gone).await.expect_no_content();
        assert_eq!(listed(&app, &token).await.len(), 2);
        app.clock.advance(Duration::from_millis(9999));
        assert_eq!(listed(&app, &token).await.len(), 2);
        app.clock.advance(Duration::from_millis(1));
        assert_eq!(listed(&app, &token).await.len(), 1);
        app.get(&format!("{LIST}/count")).token(&token).await.is(200, r#"{"count":1}"#);
        for name in names {
            app.get(&format!("{LIST}/{name}")).token(&token).await.is(404, &none(&name));
            // None is revived.
            app.put(&format!("{LIST}/{name}")).token(&token).json(json!({"ttl": 1000})).await.is(404, &none(&name));
            app.delete(&format!("{LIST}/{name}")).token(&token).await.is(404, &none(&name));
        }
        // Even if what clears them away fails.
        app.token_of("foo@bar.com").await;
        app.faults.every_call_of("delete_tokens_of", Fault::Fail);
        let body = json!({"oldPassword": gatekit_tests::PASSWORD, "newPassword": "staple battery horse"});
        app.post("/api/users/change-password").token(&token).json(body).await.expect_no_content();
        app.faults.reset();
        assert_eq!(listed(&app, &token).await.len(), 1);
    }

    async fn the_tokens_of_nobody_are_404(store) {
        let (app, token, second) = opened_to("$authenticated", Policy::loopback(), store).await;
        let list = "/api/users/99/accessTokens";
        for request in [
            app.get(list),
            app.post(list).json("{}"),
            app.post(list).json("[{}]"),
            app.delete(list),
            app.get(&format!("{list}/count")),
            app.get(&format!("{list}/x")),
            app.put(&format!("{list}/x")).json("{}"),
            app.delete(&format!("{list}/x")),
        ] {
            request.token(&token).await.is(404, NO_USER);
        }
        // A row for everybody who is known opens those of others, and their secrets stay theirs.
        let others = app.get("/api/users/2/accessTokens").token(&token).await.expect_status(200);
        assert!(!others.body.contains(&second));
        assert_eq!(others.value()[0]["userId"], 2);
        app.delete("/api/users/2/accessTokens").token(&token).await.expect_no_content();
        app.me(&second).await.expect_status(401);
        app.me(&token).await.expect_status(200);
    }

    /// LoopBack's `allowEternalTokens`.
    async fn an_eternal_token_is_made_where_the_policy_lets_it(store) {
        let mut policy = Policy::loopback();
        policy.tokens.allow_eternal = true;
        let (app, token, _) = opened_to("$owner", policy, store).await;
        let made = app.post(LIST).token(&token).json(json!({"ttl": -1})).await.expect_status(200);
        assert_eq!(made.value()["ttl"], -1);
        app.post(LIST).token(&token).json(json!({"ttl": -2})).await.expect(400, "INVALID_TTL");
        app.clock.advance(Duration::from_secs(10 * 31_556_926));
        let tokens = listed(&app, &made.text("id")).await;
        assert_eq!((tokens.len(), &tokens[0]["ttl"]), (1, &json!(-1)));
    }

    /// A token for one thing does not make one for everything.
    async fn a_confined_token_makes_no_other(store) {
        let (app, token, _) = opened(store).await;
        let scoped = app.auth.issue_token(&1.into(), IssueToken::default().scopes(["x"])).await.unwrap();
        let scoped = scoped.secret.expose();
        for (method, path) in [
            ("GET", LIST.to_owned()),
            ("POST", LIST.to_owned()),
            ("DELETE", LIST.to_owned()),
            ("GET", format!("{LIST}/count")),
            ("GET", format!("{LIST}/{scoped}")),
            ("PUT", format!("{LIST}/{scoped}")),
            ("DELETE", format!("{LIST}/{scoped}")),
        ] {
            app.call(method, &path).token(scoped).json(json!({"scopes": ["DEFAULT"]})).await.is(401, REFUSED);
        }
        assert_eq!(listed(&app, &token).await.len(), 2);
    }

    /// 15.4.2
    async fn of_many_that_end_one_token_at_once_one_does(store) {
        let (app, token, _) = opened(store).await;
        let other = app.token_of("foo@bar.com").await;
        let answers = at_once((0..8).map(|_| app.delete(&format!("{LIST}/{other}")).token(&token))).await;
        assert_eq!((count(&answers, 204), count(&answers, 404)), (1, 7));
    }

    /// A token that ends while it is changed does not come back.
    async fn a_token_that_is_changed_and_deleted_at_once_is_gone(store) {
        let (app, token, _) = opened(store).await;
        for _ in 0..10 {
            let other = app.token_of("foo@bar.com").await;
            let path = format!("{LIST}/{other}");
            let answers = at_once([
                app.put(&path).token(&token).json(json!({"ttl": 77})),
                app.delete(&path).token(&token),
            ])
            .await;
            assert_eq!(answers[1].status, 204);
            assert!([200, 404].contains(&answers[0].status.as_u16()), "{:?}", answers[0]);
            app.me(&other).await.expect_status(401);
        }
        assert_eq!(listed(&app, &token).await.len(), 1);
    }

    /// 16.5.3: no failure looks like an empty list or an ended token.
    async fn a_store_that_fails_is_503(store) {
        let (app, token, _) = opened(store).await;
        let path = format!("{LIST}/{token}");
        for (method, path, call) in [
            ("GET", LIST, "list_tokens_of"),
            ("GET", &format!("{LIST}/count"), "list_tokens_of"),
            ("GET", &path, "list_tokens_of"),
            ("PUT", &path, "list_tokens_of"),
            ("PUT", &path, "update_token"),
            ("POST", LIST, "insert_token"),
            ("DELETE", &path, "delete_token"),
            ("DELETE", LIST, "bump_rev"),
            ("GET", LIST, "find_token_owner"),
        ] {
            app.faults.every_call_of(call, Fault::Fail);
            app.call(method, path).token(&token).json(json!({"ttl": 60})).await.expect_unavailable();
            app.faults.reset();
            assert_eq!(listed(&app, &token).await.len(), 1, "{method} {path} {call}");
        }
    }

    /// A row for reading opens no writing.
    async fn a_row_for_one_kind_of_access_opens_no_other(store) {
        let row = AclRow::allow("$owner").access(AccessType::Read);
        let app = App::with(Policy::loopback()).configure(|builder| builder.acl(Acl::user().row(row))).start(store).await;
        let token = app.signed_up().await;
        let path = format!("{LIST}/{token}");
        for (method, path, status) in [
            ("GET", LIST, 200),
            ("GET", &format!("{LIST}/count"), 200),
            ("GET", &path, 200),
            ("POST", LIST, 401),
            ("PUT", &path, 401),
            ("DELETE", &path, 401),
            ("DELETE", LIST, 401),
        ] {
            app.call(method, path).token(&token).json("{}").await.expect_status(status);
        }
    }
}
