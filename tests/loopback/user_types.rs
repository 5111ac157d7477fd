//! Two user types over one store: each has its own users, and the tokens of one are worth nothing
//! to the other, except where a user belongs to one of the other type.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use gatekit::routes::{Answers, UserApi};
use gatekit::{
    Acl, AclRow, Auth, AuthLayer, AuthUser, CounterStore, DeviceStore, IssueToken, MemoryStore, Model, OneTimeStore,
    Policy, RoleStore, SqliteStore, TokenStore, User, UserId, UserStore, routes,
};
use gatekit_testkit::{Fault, Faults, FaultyStore, FrozenClock, MailSink, fast_hasher};
use gatekit_tests::{Call, EMAIL, Folder, PASSWORD, Store, on_every_store};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const NEW: &str = "staple battery horse";
/// LoopBack's, which has no code.
const DENIED: &str = r#"{"error":{"statusCode":403,"name":"Error","message":"Access Denied"}}"#;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Customer {
    #[serde(default)]
    city: String,
    #[serde(rename = "sellerId", default, skip_serializing_if = "Option::is_none")]
    seller_id: Option<UserId>,
}

impl Model for Customer {
    const NAME: &'static str = "Customer";
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Seller {
    #[serde(default)]
    shop: String,
}

impl Model for Seller {
    const NAME: &'static str = "Seller";
}

/// Customers at `/api/customers`, sellers at `/api/sellers`, and a page for each, over one store.
struct Market {
    customers: Auth<User<Customer>>,
    sellers: Auth<User<Seller>>,
    clock: FrozenClock,
    mails: MailSink,
    faults: Faults,
    router: Router,
    _folder: Option<Folder>,
}

fn mounted(customers: &Auth<User<Customer>>, sellers: &Auth<User<Seller>>, answers: Answers) -> Router {
    Router::new()
        .route("/customer", get(|AuthUser(user): AuthUser<User<Customer>>| async move { user.profile.city }))
        .route("/seller", get(|AuthUser(user): AuthUser<User<Seller>>| async move { user.profile.shop }))
        .nest("/api/customers", routes::all(UserApi::new(customers).answers(answers.clone())))
        .nest("/api/sellers", routes::all(UserApi::new(sellers).answers(answers)))
        .layer(AuthLayer::new(customers.clone()))
        .layer(AuthLayer::new(sellers.clone()))
}

impl Market {
    async fn new(store: Store) -> Self {
        Self::with(store, Policy::default(), true).await
    }

    /// `related`: a customer belongs to the seller whom it names.
    async fn with(store: Store, policy: Policy, related: bool) -> Self {
        match store {
            Store::Memory => {
                let store = MemoryStore::<Customer>::new();
                Self::over(store.clone(), store.with_profile::<Seller>(), policy, related, None)
            }
            Store::Sqlite => {
                let folder = Folder::new();
                let store = SqliteStore::open(folder.database()).await.unwrap();
                Self::over(store.clone(), store, policy, related, Some(folder))
            }
        }
    }

    fn over<C, S>(customers: C, sellers: S, policy: Policy, related: bool, folder: Option<Folder>) -> Self
    where
        C: UserStore<User<Customer>> + TokenStore + OneTimeStore + RoleStore + DeviceStore + CounterStore + Clone,
        S: UserStore<User<Seller>> + TokenStore + OneTimeStore + RoleStore + DeviceStore + CounterStore + Clone,
    {
        let (clock, mails) = (FrozenClock::now(), MailSink::new());
        let customers = FaultyStore::new(customers);
        let faults = customers.faults();
        let sellers = FaultyStore::with(sellers, faults.clone());
        let admins = || Acl::user().row(AclRow::allow("admin"));
        let sellers: Auth<User<Seller>> = Auth::builder(sellers)
            .acl(admins())
            .policy(policy.clone())
            .hasher(fast_hasher())
            .clock(clock.clone())
            .mailer(mails.clone())
            .public_url("https://app.example.com")
            .build()
            .unwrap();
        let mut builder = Auth::builder(customers)
            .acl(admins())
            .policy(policy)
            .hasher(fast_hasher())
            .clock(clock.clone())
            .mailer(mails.clone())
            .public_url("https://app.example.com");
        if related {
            builder = builder.belongs_to(&sellers, |customer: &User<Customer>| customer.profile.seller_id.clone());
        }
        let customers: Auth<User<Customer>> = builder.build().unwrap();
        let router = mounted(&customers, &sellers, Answers::default());
        Self { customers, sellers, clock, mails, faults, router, _folder: folder }
    }

    /// Mounts the routes anew, with these answers.
    fn answer(&mut self, answers: Answers) {
        self.router = mounted(&self.customers, &self.sellers, answers);
    }

    fn call(&self, method: &str, path: &str) -> Call {
        Call::new(&self.router, method, path)
    }

    /// Signs up: the id.
    async fn sign_up(&self, at: &str, email: &str, more: Value) -> i64 {
        let mut body = json!({"email": email, "password": PASSWORD});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.call("POST", &format!("/api/{at}")).json(body).await.expect_status(200);
        answer.value()["id"].as_i64().unwrap()
    }

    /// Logs in: the token.
    async fn token(&self, at: &str, email: &str, password: &str) -> String {
        let body = json!({"email": email, "password": password});
        self.call("POST", &format!("/api/{at}/login")).json(body).await.expect_status(200).text("id")
    }

    async fn login_fails(&self, at: &str, email: &str, password: &str) {
        let body = json!({"email": email, "password": password});
        self.call("POST", &format!("/api/{at}/login")).json(body).await.expect(401, "LOGIN_FAILED");
    }
}

on_every_store! {
    /// 8.4.1, V-80: the same address, two accounts.
    async fn an_address_has_an_account_of_each_type(store) {
        let market = Market::new(store).await;
        let customer = market.sign_up("customers", EMAIL, json!({"city": "Ulm"})).await;
        market.login_fails("sellers", EMAIL, PASSWORD).await;
        let body = json!({"email": EMAIL, "password": NEW, "shop": "Fish"});
        let seller = market.call("POST", "/api/sellers").json(body).await.expect_status(200).value()["id"].as_i64().unwrap();
        assert_ne!(customer, seller, "an id is given once in a store");

        market.login_fails("customers", EMAIL, NEW).await;
        market.login_fails("sellers", EMAIL, PASSWORD).await;
        let (customers, sellers) = (market.token("customers", EMAIL, PASSWORD).await, market.token("sellers", EMAIL, NEW).await);
        assert_eq!(market.call("GET", "/customer").token(&customers).await.expect_status(200).body, "Ulm");
        assert_eq!(market.call("GET", "/seller").token(&sellers).await.expect_status(200).body, "Fish");
        market.call("GET", "/seller").token(&customers).await.expect_status(401);
        market.call("GET", "/customer").token(&sellers).await.expect_status(401);

        // Within a type it is taken, and the answer names the type.
        for (at, name) in [("customers", "Customer"), ("sellers", "Seller")] {
            let again = market.call("POST", &format!("/api/{at}")).json(json!({"email": EMAIL, "password": PASSWORD})).await;
            again.expect_error(422);
            let again = market.call("POST", &format!("/api/{at}")).json(json!({"email": EMAIL, "password": PASSWORD})).await;
            assert!(again.body.contains(&format!(r#""context":"{name}""#)), "{}", again.body);
        }

        // A reset is of one type.
        market.call("POST", "/api/sellers/reset").json(json!({"email": EMAIL})).await.expect_no_content();
        market.mails.wait_for(1).await;
        let secret = market.mails.last_token().await;
        let reset = |at: &str| market.call("POST", &format!("/api/{at}/reset-password")).token(&secret).json(json!({"newPassword": "horse staple battery"}));
        reset("customers").await.is(403, DENIED);
        reset("sellers").await.expect_no_content();
        market.token("customers", EMAIL, PASSWORD).await;
        market.token("sellers", EMAIL, "horse staple battery").await;
        market.call("GET", "/customer").token(&customers).await.expect_status(200);
        market.call("GET", "/seller").token(&sellers).await.expect_status(401);
    }

    /// Measured on LoopBack 3.28.0 with two user models: a token tells whose `userId` it names.
    async fn a_token_names_its_type_where_the_policy_says_so(store) {
        let mut market = Market::with(store, Policy::loopback(), false).await;
        let mut answers = Answers::loopback();
        answers.show_principal_type = true;
        market.answer(answers);
        for (at, name) in [("customers", "Customer"), ("sellers", "Seller")] {
            let id = market.sign_up(at, EMAIL, json!({})).await;
            let body = json!({"email": EMAIL, "password": PASSWORD});
            let login = |query: &str| market.call("POST", &format!("/api/{at}/login{query}")).json(&body);
            let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            let plain = login("").await.expect_status(200).value();
            assert_eq!(members(&plain), ["id", "ttl", "created", "userId", "principalType"]);
            assert_eq!((&plain["userId"], &plain["principalType"]), (&json!(id), &json!(name)));
            let with_user = login("?include=user").await.expect_status(200).value();
            assert_eq!(members(&with_user), ["id", "ttl", "created", "userId", "principalType", "user"]);

            let admin = market.sign_up(at, "admin@bar.com", json!({})).await;
            let assigned = match at {
                "customers" => market.customers.assign_role(&admin.into(), "admin").await,
                _ => market.sellers.assign_role(&admin.into(), "admin").await,
            };
            assert!(assigned.unwrap());
            let token = market.token(at, "admin@bar.com", PASSWORD).await;
            let tokens = format!("/api/{at}/{id}/accessTokens");
            let made = market.call("POST", &tokens).token(&token).json(json!({"ttl": 5, "scopes": ["x"]})).await;
            let made = made.expect_status(200).value();
            assert_eq!(members(&made), ["id", "ttl", "scopes", "created", "userId", "principalType"]);
            let listed = market.call("GET", &tokens).token(&token).await.expect_status(200).value();
            let listed = listed.as_array().unwrap();
            assert_eq!(listed.len(), 3);
            assert!(listed.iter().chain([&made]).all(|token| token["principalType"] == name), "{listed:?}");
        }
    }

    /// 8.2.2, V-80: no route of one type reaches a user of the other, whoever asks.
    async fn no_route_reaches_a_user_of_the_other_type(store) {
        let market = Market::new(store).await;
        let customer = market.sign_up("customers", EMAIL, json!({"city": "Ulm"})).await;
        market.sign_up("sellers", "seller@bar.com", json!({"shop": "Fish"})).await;
        let admin = market.sign_up("sellers", "admin@bar.com", json!({})).await;
        market.sellers.assign_role(&admin.into(), "admin").await.unwrap();
        let token = market.token("sellers", "admin@bar.com", PASSWORD).await;
        let call = |method: &str, path: &str| market.call(method, path).token(&token);

        let found = call("GET", "/api/sellers").await.expect_status(200).value();
        let emails: Vec<_> = found.as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap()).collect();
        assert_eq!(emails, ["seller@bar.com", "admin@bar.com"]);
        assert_eq!(call("GET", "/api/sellers/count").await.expect_status(200).value()["count"], 2);
        call("GET", "/api/sellers/findOne?filter[where][email]=foo@bar.com").await.expect_error(404);
        call("GET", &format!("/api/sellers/{customer}")).await.expect_error(404);
        assert_eq!(call("GET", &format!("/api/sellers/{customer}/exists")).await.expect_status(200).value()["exists"], false);
        call("PATCH", &format!("/api/sellers/{customer}")).json(json!({"shop": "mine"})).await.expect_error(404);
        call("POST", "/api/sellers/upsertWithWhere?where[email]=foo@bar.com").json(json!({"shop": "mine"})).await.expect_error(422);
        let updated = call("POST", "/api/sellers/update").json(json!({"shop": "all"})).await.expect_status(200).value();
        assert_eq!(updated["count"], 2);
        call("GET", &format!("/api/sellers/{customer}/accessTokens")).await.expect_error(404);
        let removed = call("DELETE", &format!("/api/sellers/{customer}")).json(json!({"password": PASSWORD})).await;
        assert_ne!(removed.value()["count"], 1, "{removed:?}");

        // Nor does the administrator of sellers count for anything among customers.
        for (method, path) in [
            ("GET", "/api/customers".to_owned()),
            ("GET", "/api/customers/count".to_owned()),
            ("GET", format!("/api/customers/{customer}")),
            ("PATCH", format!("/api/customers/{customer}")),
            ("PUT", format!("/api/customers/{customer}")),
            ("DELETE", format!("/api/customers/{customer}")),
            ("GET", format!("/api/customers/{customer}/accessTokens")),
            ("POST", "/api/customers/logout-everywhere".to_owned()),
            ("GET", "/api/customers/sessions".to_owned()),
        ] {
            call(method, &path).json(json!({"city": "Bonn"})).await.expect_error(401);
        }
        let token = market.token("customers", EMAIL, PASSWORD).await;
        assert_eq!(market.call("GET", "/customer").token(&token).await.expect_status(200).body, "Ulm");
    }

    /// LoopBack's tests of `AnotherUsers/change-password` and `AnotherUsers/reset-password` with a
    /// token of `OneUser`.
    async fn a_token_of_another_type_is_told_403_where_a_password_is_changed(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let market = Market::with(store, policy, false).await;
            market.sign_up("customers", EMAIL, json!({})).await;
            let seller = market.sign_up("sellers", EMAIL, json!({})).await;
            let token = market.token("sellers", EMAIL, PASSWORD).await;
            let change = json!({"oldPassword": PASSWORD, "newPassword": NEW});
            for path in ["/api/customers/change-password", "/api/customers/reset-password"] {
                market.call("POST", path).token(&token).json(&change).await.is(403, DENIED);
                // One that nobody has gets 401, as anywhere.
                market.call("POST", path).token(&"x".repeat(64)).json(&change).await.expect_error(401);
                market.call("POST", path).json(&change).await.expect_error(401);
            }
            market.call("GET", "/customer").token(&token).await.expect_status(401);
            market.call("GET", &format!("/api/customers/{seller}")).token(&token).await.expect_error(401);
            market.token("customers", EMAIL, PASSWORD).await;
            market.token("sellers", EMAIL, PASSWORD).await;

            market.clock.advance(Duration::from_secs(1_209_600));
            market.call("POST", "/api/customers/change-password").token(&token).json(&change).await.expect_error(401);
        }
    }

    /// LoopBack's `$owner` with a principal of another model: a seller may read and change its
    /// customers, and nobody else's.
    async fn a_customer_may_be_changed_by_the_seller_it_belongs_to(store) {
        let market = Market::new(store).await;
        let fish = market.sign_up("sellers", "fish@bar.com", json!({"shop": "Fish"})).await;
        market.sign_up("sellers", "meat@bar.com", json!({"shop": "Meat"})).await;
        let own = market.sign_up("customers", EMAIL, json!({"city": "Ulm", "sellerId": fish})).await;
        let by_text = market.sign_up("customers", "text@bar.com", json!({"sellerId": fish.to_string()})).await;
        let nobodys = market.sign_up("customers", "free@bar.com", json!({})).await;
        let (of_fish, of_meat) =
            (market.token("sellers", "fish@bar.com", PASSWORD).await, market.token("sellers", "meat@bar.com", PASSWORD).await);
        let at = |method: &str, id: i64, token: &str| {
            market.call(method, &format!("/api/customers/{id}")).token(token).json(json!({"city": "Bonn"}))
        };

        let changed = at("PATCH", own, &of_fish).await.expect_status(200).value();
        assert_eq!((&changed["id"], &changed["city"]), (&json!(own), &json!("Bonn")));
        at("GET", own, &of_fish).await.expect_status(200);
        at("PATCH", by_text, &of_fish).await.expect_status(200);
        for (id, token) in [(own, &of_meat), (nobodys, &of_fish), (nobodys, &of_meat), (999, &of_fish)] {
            for method in ["GET", "PATCH"] {
                at(method, id, token).await.expect(401, "AUTHORIZATION_REQUIRED");
            }
        }
        // The customer itself goes on as before, and is nobody among sellers.
        let customer = market.token("customers", EMAIL, PASSWORD).await;
        at("PATCH", own, &customer).await.expect_status(200);
        market.call("PATCH", &format!("/api/sellers/{fish}")).token(&customer).json(json!({"shop": "x"})).await.expect_error(401);

        // What only the customer may do stays its own.
        let change = json!({"oldPassword": PASSWORD, "newPassword": NEW});
        market.call("POST", "/api/customers/change-password").token(&of_fish).json(change).await.is(403, DENIED);
        market.call("GET", &format!("/api/customers/{own}/accessTokens")).token(&of_fish).await.expect_error(401);
        market.call("GET", "/customer").token(&of_fish).await.expect_status(401);

        // A token that is confined, ended or expired owns nothing.
        let confined = IssueToken::default().scopes(["reports"]);
        let confined = market.sellers.issue_token(&fish.into(), confined).await.unwrap().secret;
        at("PATCH", own, confined.expose()).await.expect_error(401);
        market.call("POST", "/api/sellers/logout").token(&of_fish).await.expect_no_content();
        at("PATCH", own, &of_fish).await.expect_error(401);
        let late = market.token("sellers", "fish@bar.com", PASSWORD).await;
        market.clock.advance(Duration::from_secs(1_209_600));
        at("PATCH", own, &late).await.expect_error(401);
    }

    /// Without the relation a `sellerId` is a field like any other.
    async fn without_a_relation_a_seller_owns_no_customer(store) {
        let market = Market::with(store, Policy::default(), false).await;
        let fish = market.sign_up("sellers", "fish@bar.com", json!({})).await;
        let own = market.sign_up("customers", EMAIL, json!({"sellerId": fish})).await;
        let token = market.token("sellers", "fish@bar.com", PASSWORD).await;
        market.call("GET", &format!("/api/customers/{own}")).token(&token).await.expect_error(401);
    }

    /// V-133: a store that fails while it is found out whether a seller owns a customer is 503,
    /// neither yes nor no.
    async fn an_owner_that_cannot_be_found_out_is_503(store) {
        let market = Market::new(store).await;
        let fish = market.sign_up("sellers", "fish@bar.com", json!({})).await;
        let own = market.sign_up("customers", EMAIL, json!({"sellerId": fish})).await;
        let token = market.token("sellers", "fish@bar.com", PASSWORD).await;
        let get = || market.call("GET", &format!("/api/customers/{own}")).token(&token);
        market.faults.reset();
        get().await.expect_status(200);
        let calls = market.faults.calls();
        for n in 1..=calls.len() {
            market.faults.nth(n, Fault::Fail);
            let answer = get().await;
            assert_eq!(answer.status, 503, "call {n} of {calls:?}: {answer:?}");
            market.faults.reset();
        }
        get().await.expect_status(200);
    }

    /// A protected request costs one query, whatever types there are.
    async fn a_request_with_a_token_of_its_own_type_costs_one_query(store) {
        let market = Market::new(store).await;
        let own = market.sign_up("customers", EMAIL, json!({})).await;
        let token = market.token("customers", EMAIL, PASSWORD).await;
        market.faults.reset();
        market.call("GET", &format!("/api/customers/{own}")).token(&token).await.expect_status(200);
        assert_eq!(market.faults.calls(), ["find_token_owner"]);
        market.customers.find_user(&own.into()).await.unwrap();
    }
}
