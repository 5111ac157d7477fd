//! `GET /api/users`, `GET /api/users/findOne` and `GET /api/users/count`, for whom the access
//! control list lets.

use gatekit::{AccessType, Acl, AclRow, Policy};
use gatekit_testkit::Fault;
use gatekit_tests::{App, EMAIL, PASSWORD, Rules, Store, answering, on_every_store};
use serde_json::{Value, json};

const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;
const NOT_AN_OBJECT: &str = r#"{"error":{"statusCode":400,"name":"Error","message":"Value is not an object."}}"#;
const FOO: &str = r#"{"username":"Foo","email":"foo@bar.com","id":1}"#;
const SECOND: &str = r#"{"email":"second@bar.com","id":2}"#;
const THIRD: &str = r#"{"realm":"r","username":"third","email":"third@baz.org","id":3}"#;

/// A value as it stands in a query.
pub(crate) fn encoded(value: impl ToString) -> String {
    let text = value.to_string();
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// Who is known may read everything. There are the users 1, 2 and 3; the token is that of user 1.
async fn opened_with(rules: impl Into<Rules>, store: Store) -> (App, String) {
    let acl = Acl::user().row(AclRow::allow("$authenticated").access(AccessType::Read));
    let app = App::with(rules).configure(|builder| builder.acl(acl)).start(store).await;
    let token = app.signed_up().await;
    app.sign_up_as("second@bar.com").await;
    let third = json!({"email": "third@baz.org", "password": PASSWORD, "username": "third", "realm": "r"});
    app.post("/api/users").json(third).await.expect_status(200);
    (app, token)
}

async fn opened(store: Store) -> (App, String) {
    opened_with(Policy::loopback(), store).await
}

/// The ids of those whom a condition finds.
async fn found(app: &App, token: &str, condition: &Value) -> Vec<i64> {
    let path = format!("/api/users?filter={}", encoded(json!({"where": condition})));
    let answer = app.get(&path).token(token).await.expect_status(200);
    let ids: Vec<i64> = answer.value().as_array().unwrap().iter().map(|user| user["id"].as_i64().unwrap()).collect();
    let path = format!("/api/users/count?where={}", encoded(condition));
    app.get(&path).token(token).await.is(200, &json!({"count": ids.len()}).to_string());
    ids
}

on_every_store! {
    /// 8.2.1: what no row opens is open to nobody, whoever claims to be asking. Contract, surprise
    /// 20.
    async fn by_default_nobody_asks_about_users(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            let token = app.signed_up().await;
            for path in ["", "/findOne", "/count", "/change-stream"] {
                for query in ["", "?id=1", "?filter=%7B%22where%22%3A%7B%22id%22%3A1%7D%7D", "?userId=1", "?where[id]=1"] {
                    let path = format!("/api/users{path}{query}");
                    app.faults.reset();
                    app.get(&path).await.is(401, REFUSED);
                    assert!(app.faults.calls().is_empty());
                    app.get(&path).token("bogus").await.is(401, REFUSED);
                    app.faults.reset();
                    app.get(&path).token(&token).await.is(401, REFUSED);
                    assert_eq!(app.faults.calls(), ["find_token_owner"], "{path}");
                    app.get(&path).token(&token).json(json!({"id": 1})).await.is(401, REFUSED);
                    app.get(&path).token(&token).header("id", "1").await.is(401, REFUSED);
                }
            }
            app.post("/api/users/change-stream").token(&token).await.is(401, REFUSED);
        }
    }

    /// 20 of the contract's surprises: a row for the owner opens nothing that has no owner.
    async fn a_row_for_owners_opens_no_list(store) {
        let acl = Acl::user().row(AclRow::allow("$owner"));
        let app = App::with(Policy::loopback()).configure(|builder| builder.acl(acl)).start(store).await;
        let token = app.signed_up().await;
        for path in ["", "/findOne", "/count"] {
            for query in ["", "?id=1", "?where[id]=1", "?filter[where][id]=1"] {
                app.get(&format!("/api/users{path}{query}")).token(&token).json(json!({"id": 1})).await.is(401, REFUSED);
            }
        }
        app.get("/api/users/1/exists").token(&token).await.is(200, r#"{"exists":true}"#);
        app.get("/api/users/2/exists?id=1").token(&token).await.is(401, REFUSED);
    }

    /// Contract §2.3: the Angular SDK puts `filter` and `where` into headers, others write JSON or
    /// brackets into the query.
    async fn a_filter_is_the_same_wherever_it_stands(store) {
        let (app, token) = opened(store).await;
        let all = format!("[{FOO},{SECOND},{THIRD}]");
        for (filter, brackets, answer) in [
            (json!({}), "", all.as_str()),
            (json!({"where": {"email": EMAIL}}), "filter[where][email]=foo@bar.com", &format!("[{FOO}]")),
            (json!({"where": {"id": 2}}), "filter[where][id]=2", &format!("[{SECOND}]")),
            (json!({"where": {"id": {"gt": 1}}, "limit": 1}), "filter[where][id][gt]=1&filter[limit]=1", &format!("[{SECOND}]")),
            (
                json!({"where": {"id": {"inq": [3, 1]}}, "order": "id DESC"}),
                "filter[where][id][inq]=3&filter[where][id][inq]=1&filter[order]=id%20DESC",
                &format!("[{THIRD},{FOO}]"),
            ),
            (
                json!({"where": {"or": [{"id": 1}, {"realm": "r"}]}, "skip": 1}),
                "filter[where][or][0][id]=1&filter[where][or][1][realm]=r&filter[skip]=1",
                &format!("[{THIRD}]"),
            ),
            (json!({"fields": ["id"], "limit": 2}), "filter[fields]=id&filter[limit]=2", r#"[{"id":1},{"id":2}]"#),
            (
                json!({"fields": {"email": false}}),
                "filter[fields][email]=false",
                r#"[{"username":"Foo","id":1},{"id":2},{"realm":"r","username":"third","id":3}]"#,
            ),
            (json!({"where": {"email": "zz"}}), "filter[where][email]=zz", "[]"),
            (json!({"include": "accessTokens"}), "filter[include]=accessTokens", &all),
        ] {
            let query = encoded(&filter);
            for request in [
                app.get(&format!("/api/users?filter={query}")),
                app.get(&format!("/api/users?{brackets}")),
                app.get(&format!("/api/users?{}", brackets.replace('[', "%5B").replace(']', "%5D"))),
                app.get("/api/users").header("filter", filter.to_string()),
                app.get("/api/users").json(json!({"filter": filter})),
                app.get("/api/users").form(&format!("filter={query}")),
            ] {
                request
                    .token(&token)
                    .await
                    .is(200, answer)
                    .expect_header("content-type", "application/json; charset=utf-8")
                    .expect_header("cache-control", "no-store");
            }
        }
    }

    /// Contract §2.3: body, query, header.
    async fn the_first_place_that_has_a_filter_decides(store) {
        let (app, token) = opened(store).await;
        let of = |id: i64| json!({"where": {"id": id}}).to_string();
        let query = format!("/api/users?filter={}", encoded(of(2)));
        app.get(&query).token(&token).header("filter", of(1)).await.is(200, &format!("[{SECOND}]"));
        let body = format!(r#"{{"filter":{}}}"#, of(3));
        app.get(&query).token(&token).header("filter", of(1)).json(body).await.is(200, &format!("[{THIRD}]"));
        // An empty one is one.
        app.get("/api/users?filter=").token(&token).header("filter", of(1)).await.is(200, &format!("[{FOO},{SECOND},{THIRD}]"));
        // `filter` of another name is none.
        for path in ["/api/users?Filter=zz", "/api/users?where[id]=1", "/api/users?limit=1"] {
            app.get(path).token(&token).await.is(200, &format!("[{FOO},{SECOND},{THIRD}]"));
        }
    }

    async fn find_one_answers_the_first_or_404(store) {
        let (app, token) = opened(store).await;
        let none = r#"{"error":{"statusCode":404,"name":"Error","message":"Unknown \"User\" id \"undefined\".","code":"MODEL_NOT_FOUND"}}"#;
        for (filter, status, answer) in [
            (json!(null), 200, FOO),
            (json!({"where": {"id": 2}}), 200, SECOND),
            (json!({"order": "id DESC"}), 200, THIRD),
            (json!({"limit": 5, "skip": 1}), 200, SECOND),
            (json!({"fields": "email", "where": {"id": 2}}), 200, r#"{"email":"second@bar.com"}"#),
            (json!({"fields": ["nothing"]}), 200, "{}"),
            (json!({"where": {"id": 99}}), 404, none),
            (json!({"skip": 3}), 404, none),
        ] {
            let path = format!("/api/users/findOne?filter={}", encoded(&filter));
            app.get(&path).token(&token).await.is(status, answer);
            let request = app.get("/api/users/findOne").token(&token);
            request.header("filter", filter.to_string()).await.is(status, answer);
        }
    }

    async fn count_counts_those_a_condition_holds_for(store) {
        let (app, token) = opened(store).await;
        for (condition, count) in [
            (json!(null), 3),
            (json!({}), 3),
            (json!({"id": 1}), 1),
            (json!({"id": {"neq": 1}}), 2),
            (json!({"email": {"like": "%@bar.com"}}), 2),
            (json!({"email": "zz"}), 0),
            (json!({"nothing": null}), 3),
            (json!({"nothing": 1}), 0),
        ] {
            let answer = json!({"count": count}).to_string();
            app.get(&format!("/api/users/count?where={}", encoded(&condition))).token(&token).await.is(200, &answer);
            app.get("/api/users/count").token(&token).header("where", condition.to_string()).await.is(200, &answer);
            app.get("/api/users/count").token(&token).json(json!({"where": condition})).await.is(200, &answer);
        }
        app.get("/api/users/count?where[id][gt]=1").token(&token).await.is(200, r#"{"count":2}"#);
        // A filter is not what it asks for.
        app.get("/api/users/count?filter[where][id]=1&filter[limit]=1").token(&token).await.is(200, r#"{"count":3}"#);
    }

    async fn every_operator_finds_whom_it_says(store) {
        let (app, token) = opened(store).await;
        for (condition, ids) in [
            (json!({"id": {"eq": 2}}), vec![2]),
            (json!({"id": {"neq": 2}}), vec![1, 3]),
            (json!({"id": {"gt": 2}}), vec![3]),
            (json!({"id": {"gte": 2}}), vec![2, 3]),
            (json!({"id": {"lt": 2}}), vec![1]),
            (json!({"id": {"lte": 2}}), vec![1, 2]),
            (json!({"id": {"between": [2, 3]}}), vec![2, 3]),
            (json!({"id": {"between": [3, 2]}}), vec![]),
            (json!({"id": {"inq": [1, 3, 9]}}), vec![1, 3]),
            (json!({"id": {"inq": []}}), vec![]),
            (json!({"id": {"nin": [1, 3]}}), vec![2]),
            (json!({"id": {"nin": []}}), vec![1, 2, 3]),
            (json!({"id": {"gt": 1, "lt": 3}}), vec![2]),
            (json!({"id": "2"}), vec![2]),
            (json!({"id": "2 or 1=1"}), vec![]),
            (json!({"email": {"like": "%@bar.com"}}), vec![1, 2]),
            (json!({"email": {"nlike": "%@bar.com"}}), vec![3]),
            (json!({"email": {"like": "FOO%"}}), vec![]),
            (json!({"email": {"ilike": "FOO%"}}), vec![1]),
            (json!({"email": {"nilike": "FOO%"}}), vec![2, 3]),
            (json!({"email": {"like": "foo.bar"}}), vec![]),
            (json!({"email": {"like": ".*"}}), vec![]),
            (json!({"username": null}), vec![2]),
            (json!({"username": {"neq": null}}), vec![1, 3]),
            (json!({"realm": {"neq": "r"}}), vec![1, 2]),
            (json!({"username": "foo"}), vec![]),
            (json!({"username": "Foo"}), vec![1]),
            (json!({"and": [{"id": {"gt": 1}}, {"realm": "r"}]}), vec![3]),
            (json!({"or": [{"id": 1}, {"and": [{"id": 2}, {"username": null}]}]}), vec![1, 2]),
            (json!({"or": []}), vec![]),
            (json!({"and": []}), vec![1, 2, 3]),
            (json!({"emailVerified": null}), vec![1, 2, 3]),
            (json!({"email.length": 11}), vec![]),
        ] {
            assert_eq!(found(&app, &token, &condition).await, ids, "{condition}");
        }
    }

    async fn an_order_and_a_part_are_those_that_are_asked_for(store) {
        let (app, token) = opened(store).await;
        for (filter, ids) in [
            (json!({"order": "id DESC"}), vec![3, 2, 1]),
            (json!({"order": ["id asc"]}), vec![1, 2, 3]),
            (json!({"order": "username"}), vec![2, 1, 3]),
            (json!({"order": "username DESC"}), vec![3, 1, 2]),
            (json!({"order": "realm DESC, email DESC"}), vec![3, 2, 1]),
            (json!({"order": "nothing"}), vec![1, 2, 3]),
            (json!({"limit": 0}), vec![1, 2, 3]),
            (json!({"limit": "2"}), vec![1, 2]),
            (json!({"limit": 9_007_199_254_740_993_u64}), vec![1, 2, 3]),
            (json!({"skip": 1, "limit": 1}), vec![2]),
            (json!({"offset": 2}), vec![3]),
            (json!({"skip": 1e300}), vec![]),
        ] {
            let answer = app.get(&format!("/api/users?filter={}", encoded(&filter))).token(&token).await;
            let users = answer.expect_status(200).value();
            let users: Vec<_> = users.as_array().unwrap().iter().filter_map(|user| user["id"].as_i64()).collect();
            assert_eq!(users, ids, "{filter}");
        }
    }

    /// 8.2.3, 15.3.1, the contract's §3: what is hidden is neither sent nor can it be guessed
    /// letter by letter.
    async fn what_is_hidden_can_be_neither_seen_nor_asked_for(store) {
        let (app, token) = opened(store).await;
        app.verification_token(1).await;
        for hidden in ["password", "verificationToken"] {
            for filter in [
                json!({"where": {hidden: "x"}}),
                json!({"where": {hidden: {"like": "$argon%"}}}),
                json!({"where": {hidden: {"gt": "$b"}}}),
                json!({"where": {hidden: null}}),
                json!({"where": {hidden: {"regexp": "."}}}),
                json!({"where": {format!("{hidden}.0"): "x"}}),
                json!({"where": {format!("a.{hidden}"): "x"}}),
                json!({"where": {"or": [{hidden: {"like": "a%"}}, {hidden: {"like": "b%"}}]}}),
                json!({"where": {"and": [{hidden: "x"}]}}),
                json!({"order": format!("{hidden} DESC")}),
                json!({"order": [hidden, "id"]}),
            ] {
                let path = format!("/api/users?filter={}", encoded(&filter));
                app.get(&path).token(&token).await.expect(400, "INVALID_FILTER");
            }
            for filter in [json!({"fields": [hidden]}), json!({"fields": {hidden: true}}), json!({"fields": hidden})] {
                let answer = app.get(&format!("/api/users?filter={}", encoded(&filter))).token(&token).await;
                answer.is(200, "[{},{},{}]");
            }
            let filter = json!({"fields": [hidden, "id", "rev", "namespace", "password_hash"]});
            let path = format!("/api/users?filter={}", encoded(&filter));
            app.get(&path).token(&token).await.is(200, r#"[{"id":1},{"id":2},{"id":3}]"#);
            let path = format!("/api/users/count?where={}", encoded(json!({hidden: {"like": "a%"}})));
            app.get(&path).token(&token).await.expect(400, "INVALID_FILTER");
        }
        // What a store has beside a user is no member of it.
        for inner in ["rev", "namespace", "password_hash", "passwordHash", "email_verified", "profile", "rowid"] {
            assert_eq!(found(&app, &token, &json!({inner: {"neq": null}})).await, [0_i64; 0], "{inner}");
            assert_eq!(found(&app, &token, &json!({inner: {"gte": ""}})).await, [0_i64; 0], "{inner}");
        }
    }

    /// 15.2.2: what a condition may cost is limited, and who asks for more is told so.
    async fn a_filter_has_limits(store) {
        let (app, token) = opened(store).await;
        let nested = |depth: usize| (0..depth).fold(json!({"id": 1}), |inner, _| json!({"and": [inner]}));
        let many = |count: usize| json!({"id": {"inq": vec![1; count]}});
        let clauses = |count: usize| json!({"or": vec![json!({"id": 1}); count]});
        let pattern = |length: usize| json!({"email": {"like": "x".repeat(length)}});
        let name = |length: usize| json!({"x".repeat(length): 1});
        let patterns = |count: usize| json!({"or": vec![json!({"email": {"ilike": "%a%b%"}}); count]});
        let post = async |condition: Value| {
            // In a body, where there is room for it.
            let whole = app.get("/api/users").token(&token).json(json!({"filter": {"where": condition}})).await;
            let count = app.get("/api/users/count").token(&token).json(json!({"where": condition})).await;
            assert_eq!(whole.status, count.status, "{condition}");
            whole
        };
        for sound in [nested(16), many(1000), clauses(200), pattern(256), name(256), patterns(32)] {
            post(sound).await.expect_status(200);
        }
        for (wrong, message) in [
            (many(1001), "The query has too many values: the maximum is 1000"),
            (clauses(201), "The query has too many clauses: the maximum is 200"),
            (pattern(257), "The query has too many characters in a pattern: the maximum is 256"),
            (name(257), "The query has too many characters in a name: the maximum is 256"),
            (patterns(33), "The query has too many patterns: the maximum is 32"),
        ] {
            let error = format!(r#"{{"error":{{"statusCode":400,"name":"Error","message":"{message}"}}}}"#);
            post(wrong).await.is(400, &error);
        }
        post(nested(17)).await.expect(400, "QUERY_OBJECT_TOO_DEEP");
        let filter = json!({"filter": {"order": vec!["id"; 17]}});
        app.get("/api/users").token(&token).json(filter).await.expect_error(400);
        let filter = json!({"filter": {"fields": vec!["id"; 101]}});
        app.get("/api/users").token(&token).json(filter).await.expect_error(400);
        // What is larger than any body is not read, and what is deeper than any JSON neither.
        let huge = json!({"filter": {"where": {"id": {"inq": vec!["x".repeat(100); 1100]}}}});
        app.get("/api/users").token(&token).json(huge).await.expect_error(413);
        let deep = format!(r#"{{"filter":{}1{}}}"#, r#"{"where":"#.repeat(5000), "}".repeat(5000));
        app.get("/api/users").token(&token).json(deep).await.expect_error(400);
        let deep = format!("/api/users?filter{}=1", "[where]".repeat(500));
        let answer = app.get(&deep).token(&token).await;
        assert!(answer.status == 200 || answer.status == 400, "{answer:?}");
    }

    /// Contract §2.3: what is no object is told before it is asked who wants to know, and what is
    /// wrong in it after that.
    async fn a_filter_that_is_no_object_beats_a_missing_token_and_a_wrong_one_does_not(store) {
        let (app, token) = opened(store).await;
        for (path, name) in [("/api/users", "filter"), ("/api/users/findOne", "filter"), ("/api/users/count", "where")] {
            for text in ["zz", "5", "[1]", "true", "%22x%22", "x&NAME=y"] {
                let path = format!("{path}?{name}={}", text.replace("NAME", name));
                app.get(&path).await.is(400, NOT_AN_OBJECT);
                app.get(&path).token(&token).await.is(400, NOT_AN_OBJECT);
            }
            for text in ["[]", "5", "\"x\"", "true"] {
                let body = format!(r#"{{"{name}":{text}}}"#);
                app.get(path).json(body).await.is(400, NOT_AN_OBJECT);
            }
            app.get(path).header(name, "zzz").await.is(400, NOT_AN_OBJECT);
            let broken = r#"{"error":{"statusCode":400,"name":"Error","message":"Cannot parse JSON-encoded object value."}}"#;
            for text in ["{zz}", "{'where':1}", "{\"where\":}"] {
                app.get(&format!("{path}?{name}={}", encoded(text))).await.is(400, broken);
            }
            let wrong = if name == "where" { json!({"id": {"regexp": "."}}) } else { json!({"limit": -1}) };
            let path = format!("{path}?{name}={}", encoded(&wrong));
            app.get(&path).await.is(401, REFUSED);
            app.get(&path).token(&token).await.expect_error(400);
        }
    }

    /// 1.5.2, 16.5.2, FUZZ-9: whatever is asked, it is answered, or it is the client's mistake.
    async fn values_of_every_type_at_every_place_are_a_clients_matter(store) {
        let (app, token) = opened(store).await;
        let values = [
            json!(null), json!(true), json!(0), json!(-1), json!(1.5), json!(1e300), json!(i64::MAX), json!(u64::MAX), json!(""),
            json!("x"), json!("%"), json!("\\"), json!("\u{0}"), json!("'"), json!("\"; DROP TABLE users; --"), json!("🦀"),
            json!("id"), json!("id DESC"), json!("id; DROP TABLE users"), json!([]), json!([1]), json!([[1]]), json!(["id", 5]),
            json!([null]), json!({}), json!({"a": 1}), json!({"id": {}}), json!({"0": "x"}), json!({"gt": null}), json!({"inq": 5}),
            json!({"between": [1]}), json!({"like": 5}), json!({"regexp": "(a+)+$"}), json!({"near": [1, 2]}),
            json!({"$where": "1"}), json!({"neq": {"neq": 1}}), json!({"and": 5}), json!({"or": {"a": 1}}), json!({"__proto__": 1}),
        ];
        let mut filters = Vec::new();
        for value in &values {
            for member in ["where", "order", "fields", "limit", "skip", "offset", "include", "__proto__", "x"] {
                filters.push(json!({member: value}));
            }
            for property in ["id", "email", "username", "realm", "emailVerified", "nothing", "a.b", ".", "", "and", "or", "\u{0}", "'", "id--"] {
                filters.push(json!({"where": {property: value}}));
                filters.push(json!({"where": {property: value}, "order": property, "limit": 1, "skip": 1}));
            }
        }
        for filter in filters {
            let answer = app.get("/api/users").token(&token).json(json!({"filter": filter})).await;
            match answer.status.as_u16() {
                200 => assert!(answer.value().is_array(), "{filter}"),
                _ => drop(answer.expect_error(400)),
            }
            let answer = app.get(&format!("/api/users/findOne?filter={}", encoded(&filter))).token(&token).await;
            assert!([200, 400, 404].contains(&answer.status.as_u16()), "{filter}: {answer:?}");
            let condition = filter.get("where").cloned().unwrap_or_default();
            let answer = app.get("/api/users/count").token(&token).json(json!({"where": condition})).await;
            assert!([200, 400].contains(&answer.status.as_u16()), "{filter}: {answer:?}");
        }
        app.get("/api/users/count").token(&token).await.is(200, r#"{"count":3}"#);
    }

    /// 1.2.4, V-13: a name and a value are no SQL.
    async fn nothing_in_a_filter_becomes_sql(store) {
        let (app, token) = opened(store).await;
        for text in ["1 OR 1=1", "' OR '1'='1", "\" OR \"\"=\"", "1; DELETE FROM gatekit_users", "x' UNION SELECT * FROM gatekit_users --"] {
            for condition in [
                json!({"email": text}),
                json!({"id": text}),
                json!({text: text}),
                json!({text: {"gt": 0}}),
                json!({"email": {"like": text}}),
                json!({"id": {"inq": [text]}}),
                json!({"id": {"between": [text, text]}}),
            ] {
                assert_eq!(found(&app, &token, &condition).await, [0_i64; 0], "{condition}");
            }
            let filter = json!({"filter": {"order": [format!("{} ASC", text.replace(' ', "/**/")), "id DESC"], "fields": [text, "id"]}});
            app.get("/api/users").token(&token).json(filter).await.is(200, r#"[{"id":3},{"id":2},{"id":1}]"#);
        }
        // What a pattern may have is not what SQL has.
        for pattern in ["[a-z]%", "*", "foo?bar.com", "%\\", "\\%"] {
            let condition = json!({"email": {"like": pattern}});
            assert_eq!(found(&app, &token, &condition).await, [0_i64; 0], "{condition}");
        }
    }

    /// LoopBack's `caseSensitiveEmail: false`, for which a condition finds an address however it is
    /// written.
    async fn addresses_in_any_case_are_found_where_case_does_not_matter(store) {
        let (app, token) = opened_with(Policy::default(), store).await;
        for (condition, ids) in [
            (json!({"email": "FOO@Bar.COM"}), vec![1]),
            (json!({"email": {"eq": "FOO@Bar.COM"}}), vec![1]),
            (json!({"email": {"neq": "FOO@Bar.COM"}}), vec![2, 3]),
            (json!({"email": {"inq": ["FOO@BAR.com", "Third@baz.org"]}}), vec![1, 3]),
            (json!({"email": {"nin": ["FOO@BAR.com", "Third@baz.org"]}}), vec![2]),
            (json!({"or": [{"and": [{"email": "FOO@bar.com"}]}, {"id": 2}]}), vec![1, 2]),
            (json!({"username": "foo"}), vec![]),
        ] {
            assert_eq!(found(&app, &token, &condition).await, ids, "{condition}");
        }
        let filter = encoded(json!({"where": {"email": "FOO@bar.com"}}));
        app.get(&format!("/api/users/findOne?filter={filter}")).token(&token).await.is(200, FOO);
        let (app, token) = opened(store).await;
        assert_eq!(found(&app, &token, &json!({"email": "FOO@Bar.COM"})).await, [0_i64; 0]);
    }

    /// LoopBack's SQL connectors have `null` for what is not set (contract §3).
    async fn with_null_members_what_is_not_set_is_null(store) {
        let rules = answering(Policy::loopback(), |answers| answers.null_members = true);
        let (app, token) = opened_with(rules, store).await;
        let second = r#"{"realm":null,"username":null,"email":"second@bar.com","emailVerified":null,"id":2}"#;
        app.get("/api/users?filter[where][id]=2").token(&token).await.is(200, &format!("[{second}]"));
        app.get("/api/users/findOne?filter[where][id]=2").token(&token).await.is(200, second);
        let path = "/api/users?filter[where][id]=2&filter[fields][0]=realm&filter[fields][1]=id";
        app.get(path).token(&token).await.is(200, r#"[{"realm":null,"id":2}]"#);
    }

    /// 16.5.3
    async fn a_store_that_fails_is_no_empty_list(store) {
        let (app, token) = opened(store).await;
        for (path, call) in [
            ("/api/users", "find_users"),
            ("/api/users/findOne", "find_users"),
            ("/api/users/count", "count_users"),
            ("/api/users", "find_token_owner"),
            ("/api/users/2", "find_user"),
            ("/api/users/2/exists", "find_user"),
        ] {
            app.faults.every_call_of(call, Fault::Fail);
            app.get(path).token(&token).await.expect_unavailable();
            app.faults.reset();
            app.get(path).token(&token).await.expect_status(200);
        }
    }

    /// The list asks the store once for the token and once for the users, however many there are.
    async fn a_list_costs_two_calls(store) {
        let (app, token) = opened(store).await;
        for (path, calls) in [
            ("/api/users", ["find_token_owner", "find_users"]),
            ("/api/users/findOne", ["find_token_owner", "find_users"]),
            ("/api/users/count", ["find_token_owner", "count_users"]),
            ("/api/users/2", ["find_token_owner", "find_user"]),
            ("/api/users/2/exists", ["find_token_owner", "find_user"]),
        ] {
            app.faults.reset();
            app.get(path).token(&token).await.expect_status(200);
            assert_eq!(app.faults.calls(), calls, "{path}");
        }
        // A filter that is wrong costs no search.
        app.faults.reset();
        app.get("/api/users?filter[limit]=-1").token(&token).await.expect_error(400);
        assert_eq!(app.faults.calls(), ["find_token_owner"]);
    }

    /// With everybody let in, nobody need be known.
    async fn a_list_that_is_open_to_everybody_asks_for_no_token(store) {
        let acl = Acl::user().allow("$everyone", "count");
        let app = App::with(Policy::default()).configure(|builder| builder.acl(acl)).start(store).await;
        let token = app.signed_up().await;
        app.faults.reset();
        app.get("/api/users/count").await.is(200, r#"{"count":1}"#);
        app.get("/api/users/count").token("bogus").await.is(200, r#"{"count":1}"#);
        app.get("/api/users/count").token(&token).await.is(200, r#"{"count":1}"#);
        assert_eq!(app.faults.calls(), ["count_users"; 3]);
        app.get("/api/users").token(&token).await.is(401, REFUSED);
    }

    /// LoopBack's event stream is not there. Who may have it is told so, the others only that they
    /// may not.
    async fn there_are_no_change_streams(store) {
        let (app, token) = opened(store).await;
        for request in [app.get("/api/users/change-stream"), app.post("/api/users/change-stream")] {
            request.token(&token).await.expect(404, "CHANGE_STREAM_NOT_SUPPORTED");
        }
        app.get("/api/users/change-stream").await.is(401, REFUSED);
    }

    /// Relations there are none of; `accessTokens` may be named and is not sent (LoopBack's
    /// `disableInclude`).
    async fn no_tokens_come_with_users(store) {
        let (app, token) = opened(store).await;
        for include in [json!("accessTokens"), json!(["accessTokens"]), json!({"relation": "accessTokens"}), json!([{"accessTokens": "user"}])] {
            let filter = encoded(json!({"where": {"id": 1}, "include": include}));
            app.get(&format!("/api/users?filter={filter}")).token(&token).await.is(200, &format!("[{FOO}]"));
            app.get(&format!("/api/users/1?filter={filter}")).token(&token).await.is(200, FOO);
        }
        for include in [json!("roles"), json!(["accessTokens", "x"]), json!({"relation": "user"})] {
            let filter = encoded(json!({"include": include}));
            for path in ["/api/users", "/api/users/findOne", "/api/users/1"] {
                // LoopBack: 500.
                app.get(&format!("{path}?filter={filter}")).token(&token).await.expect_error(400);
            }
        }
    }
}
