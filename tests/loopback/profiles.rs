//! How large profiles and lists of users may be, and what becomes of a row that cannot be read.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use gatekit::core::NewUser;
use gatekit::{Acl, AclRow, Auth, AuthLayer, MemoryStore, Policy, SqliteStore, User, UserStore, routes};
use gatekit_testkit::{Fault, Faults, FaultyStore, fast_hasher};
use gatekit_tests::{Call, EMAIL, Folder, PASSWORD, Store, on_every_store};
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

type Profile = Map<String, Value>;
type Person = User<Profile>;

/// Users with any fields. Everybody who is logged in may call everything.
struct Site {
    auth: Auth<Person>,
    router: Router,
    faults: Faults,
    /// Of an SQLite file.
    database: Option<SqliteStore>,
    _folder: Option<Folder>,
}

impl Site {
    async fn new(store: Store) -> Self {
        Self::with(Policy::loopback(), store).await
    }

    async fn with(policy: Policy, store: Store) -> Self {
        match store {
            Store::Memory => Self::over(MemoryStore::new(), policy, None, None),
            Store::Sqlite => {
                let folder = Folder::new();
                let store = SqliteStore::open(folder.database()).await.unwrap();
                Self::over(store.clone(), policy, Some(store), Some(folder))
            }
        }
    }

    fn over<S>(store: S, policy: Policy, database: Option<SqliteStore>, folder: Option<Folder>) -> Self
    where
        S: UserStore<Person>
            + gatekit::TokenStore
            + gatekit::OneTimeStore
            + gatekit::RoleStore
            + gatekit::DeviceStore
            + gatekit::CounterStore
            + Clone,
    {
        let store = FaultyStore::new(store);
        let faults = store.faults();
        let auth: Auth<Person> = Auth::builder(store)
            .policy(policy)
            .hasher(fast_hasher())
            .acl(Acl::user().row(AclRow::allow("$authenticated")))
            .build()
            .unwrap();
        let router = Router::new().nest("/api/users", routes::all(&auth)).layer(AuthLayer::new(auth.clone()));
        Self { auth, router, faults, database, _folder: folder }
    }

    fn call(&self, method: &str, path: &str) -> Call {
        Call::new(&self.router, method, path)
    }

    fn login(&self, email: &str) -> Call {
        self.call("POST", "/api/users/login").json(json!({"email": email, "password": PASSWORD}))
    }

    /// Registers the user 1: its token.
    async fn signed_up(&self) -> String {
        let body = json!({"email": EMAIL, "password": PASSWORD, "color": "red"});
        self.call("POST", "/api/users").json(body).await.expect_status(200);
        self.login(EMAIL).await.expect_status(200).text("id")
    }

    /// Stores more users, of whom nobody logs in, through the flow that an importer uses.
    async fn populate(&self, users: impl IntoIterator<Item = (String, Profile)>) {
        for (email, profile) in users {
            let new = NewUser::new(email, profile);
            match &self.database {
                Some(store) => drop(UserStore::<Person>::create_user(store, new).await.unwrap()),
                None => {
                    let mut register = gatekit::Register::with_profile(new.profile);
                    (register.email, register.password) = (new.email, Some(PASSWORD.into()));
                    self.auth.register(register).await.unwrap();
                }
            }
        }
    }

    /// Spoils the row of a user, as a version without limits or a hand has done it.
    async fn spoil(&self, id: i64, profile: &str) -> bool {
        let Some(store) = &self.database else { return false };
        let query = gatekit::sql::sqlx::query("UPDATE gatekit_users SET profile = ? WHERE id = ?");
        store.change(query.bind(profile.to_owned()).bind(id)).await.unwrap();
        true
    }

    /// The chunks that a list comes in, and whether it has come to its end.
    async fn chunks(&self, path: &str, token: &str) -> (Vec<String>, bool) {
        let request = Request::get(path).header("authorization", token).body(Body::empty()).unwrap();
        let mut body = self.router.clone().oneshot(request).await.unwrap().into_body();
        let mut chunks = Vec::new();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => chunks.push(String::from_utf8(frame.into_data().unwrap().into()).unwrap()),
                Err(_) => return (chunks, false),
            }
        }
        (chunks, true)
    }
}

fn nested(levels: usize) -> Value {
    (1..levels).fold(json!({}), |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({"a": inner}) })
}

on_every_store! {
    /// Measured on LoopBack 3.28.0: `accessTokens` is its relation and no property, whatever is
    /// sent, also where users keep every property.
    async fn access_tokens_in_a_body_are_dropped(store) {
        let site = Site::new(store).await;
        let token = site.signed_up().await;
        for (number, tokens) in [json!([{"id": "mine", "ttl": -1}]), json!("text"), json!(null), json!({})].iter().enumerate() {
            let call = |method: &str, path: &str, mut body: Value| {
                body["accessTokens"] = tokens.clone();
                site.call(method, path).token(&token).json(body)
            };
            let email = format!("{number}@bar.com");
            let mut users = vec![
                call("POST", "/api/users", json!({"email": email, "password": PASSWORD, "color": "blue"})).await,
                call("PATCH", "/api/users/1", json!({"color": "blue"})).await,
                call("PUT", "/api/users/1", json!({"email": EMAIL, "password": PASSWORD, "color": "blue"})).await,
                call("PATCH", "/api/users", json!({"id": 1, "color": "blue"})).await,
            ];
            call("POST", "/api/users/update?where[id]=1", json!({"color": "blue"})).await.expect_status(200);
            users.push(site.call("GET", "/api/users/1").token(&token).await);
            for user in users {
                let user = user.expect_status(200).value();
                assert_eq!(user["color"], "blue", "{user}");
                assert!(user.get("accessTokens").is_none(), "{user}");
            }
        }
    }

    /// LOAD-4, FUZZ-9: what is written can be read back, by whatever route it comes.
    async fn a_profile_that_is_too_deep_or_too_large_is_422_on_every_route(store) {
        let mut policy = Policy::loopback();
        policy.limits.profile_max_bytes = 10_000;
        let site = Site::with(policy, store).await;
        let token = site.signed_up().await;
        let before = site.call("GET", "/api/users/1").token(&token).await.expect_status(200).body;
        let wrong = [
            (json!({"x": nested(40)}), "custom.depth"),
            (json!({"x": "y".repeat(5_000), "z": "y".repeat(5_000)}), "custom.size"),
        ];
        for (profile, code) in wrong {
            for (method, path) in [
                ("POST", "/api/users"),
                ("PATCH", "/api/users"),
                ("PUT", "/api/users"),
                ("POST", "/api/users/replaceOrCreate"),
                ("PATCH", "/api/users/1"),
                ("PUT", "/api/users/1"),
                ("POST", "/api/users/1/replace"),
                ("POST", "/api/users/update?where[id]=1"),
                ("POST", "/api/users/upsertWithWhere?where[id]=1"),
                ("POST", "/api/users/upsertWithWhere?where[id]=99"),
            ] {
                let mut body = profile.clone();
                if path != "/api/users/update?where[id]=1" && (method != "PATCH" || path == "/api/users") {
                    (body["email"], body["password"]) = (json!("new@bar.com"), json!(PASSWORD));
                }
                let answer = site.call(method, path).token(&token).json(body).await;
                let answer = answer.expect_status(422).value();
                assert_eq!(answer["error"]["details"]["codes"]["profile"], json!([code]), "{method} {path}");
            }
        }
        site.call("GET", "/api/users/1").token(&token).await.is(200, &before);
        site.login("new@bar.com").await.expect(401, "LOGIN_FAILED");
    }

    /// LOAD-8: 400 changes of 101 KB each were all taken, and made a user of 40 MB that kept
    /// everybody waiting.
    async fn a_user_does_not_grow_with_every_patch(store) {
        let site = Site::new(store).await;
        let token = site.signed_up().await;
        let mut statuses = Vec::new();
        for n in 0..5 {
            let body = json!({format!("field{n}"): "x".repeat(40_000)});
            statuses.push(site.call("PATCH", "/api/users/1").token(&token).json(body).await.status.as_u16());
        }
        assert_eq!(statuses, [200, 200, 422, 422, 422]);
        let form = format!("field9={}", "x".repeat(40_000));
        site.call("PATCH", "/api/users/1").token(&token).form(&form).await.expect_status(422);
        site.call("PATCH", "/api/users/1").token(&token).json(json!({"field0": "", "field9": "x"})).await.expect_status(200);
    }

    /// RACE-9: a row that cannot be read harms nobody else, says in the log which it is, and can be
    /// removed.
    async fn a_row_that_cannot_be_read_is_left_out_of_lists_and_told_by_itself(store) {
        let site = Site::new(store).await;
        let token = site.signed_up().await;
        for email in ["second@bar.com", "third@bar.com"] {
            let body = json!({"email": email, "password": PASSWORD});
            site.call("POST", "/api/users").json(body).await.expect_status(200);
        }
        let second = site.login("second@bar.com").await.expect_status(200).text("id");
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        if !site.spoil(2, &deep).await {
            return;
        }
        let rest = r#"[{"email":"foo@bar.com","id":1,"color":"red"},{"email":"third@bar.com","id":3}]"#;
        for order in ["id", "email DESC", "size", "size, email"] {
            let users = site.call("GET", &format!("/api/users?filter[order]={}", order.replace(' ', "%20"))).token(&token).await;
            let ids: Vec<_> = users.expect_status(200).value().as_array().unwrap().iter().map(|user| user["id"].as_i64()).collect();
            assert!(ids == [Some(1), Some(3)] || (order == "email DESC" && ids == [Some(3), Some(1)]), "{order}: {ids:?}");
        }
        site.call("GET", "/api/users").token(&token).await.is(200, rest);
        let unreadable = r#"{"error":{"statusCode":500,"name":"Error","message":"Internal Server Error"}}"#;
        site.login("second@bar.com").await.is(500, unreadable);
        site.call("POST", "/api/users/reset").json(json!({"email": "second@bar.com"})).await.is(500, unreadable);
        site.call("GET", "/api/users/2").token(&token).await.is(500, unreadable);
        site.call("GET", "/api/users/2").token(&second).await.is(500, unreadable);
        site.login("third@bar.com").await.expect_status(200);
        site.call("DELETE", "/api/users/2").token(&token).await.is(200, r#"{"count":1}"#);
        site.login("second@bar.com").await.expect(401, "LOGIN_FAILED");
    }

    /// LOAD-4: a list is written as it is read, and is what LoopBack's clients ask for: all of it.
    async fn a_long_list_comes_in_pages_and_whole(store) {
        let site = Site::new(store).await;
        let token = site.signed_up().await;
        let many: usize = 1101;
        site.populate((2..=many).map(|n| (format!("{n:04}@bar.com"), Map::from_iter([("n".to_owned(), json!(n % 7))])))).await;
        for (query, expected) in [
            ("", many),
            ("?filter[order]=email%20DESC", many),
            ("?filter[order]=n,id", many),
            ("?filter[fields]=id", many),
            ("?filter[limit]=700", 700),
            ("?filter[limit]=700&filter[skip]=900", many - 900),
            ("?filter[where][n]=3", 157),
            ("?filter[where][n][neq]=3", many - 157),
        ] {
            let (chunks, is_whole) = site.chunks(&format!("/api/users{query}"), &token).await;
            assert!(is_whole, "{query}");
            assert_eq!(chunks.len(), expected.div_ceil(500), "{query}");
            let users: Vec<Value> = serde_json::from_str(&chunks.concat()).unwrap();
            assert_eq!(users.len(), expected, "{query}");
            let mut ids: Vec<i64> = users.iter().map(|user| user["id"].as_i64().unwrap()).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), expected, "nobody comes twice: {query}");
        }
        let answer = site.call("GET", "/api/users?filter[limit]=2").token(&token).await.expect_status(200);
        assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "a short one has a length, as before");
        site.call("POST", "/api/users/update").token(&token).json(json!({"realm": "r"})).await.is(200, r#"{"count":1101}"#);
        site.call("GET", "/api/users/count?where[realm]=r").token(&token).await.is(200, r#"{"count":1101}"#);
    }

    /// REL-1: a store that fails behind the first page breaks the list off. It is never shorter
    /// without a sign.
    async fn a_list_that_cannot_be_read_to_its_end_breaks_off(store) {
        let site = Site::new(store).await;
        let token = site.signed_up().await;
        site.populate((2..=1101).map(|n| (format!("{n}@bar.com"), Map::new()))).await;
        site.faults.reset();
        site.faults.every_call_of("find_users", Fault::Fail);
        site.call("GET", "/api/users").token(&token).await.expect_unavailable();
        site.faults.reset();
        site.faults.nth_call_of("find_users", 2, Fault::Fail);
        let (chunks, is_whole) = site.chunks("/api/users", &token).await;
        assert_eq!((chunks.len(), is_whole), (1, false));
        assert!(serde_json::from_str::<Value>(&chunks.concat()).is_err());
    }
}
