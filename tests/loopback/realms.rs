//! `policy.identifiers.realm_required` and `policy.identifiers.realm_delimiter`: transcript 05,
//! [54] to [81].

use gatekit::{Policy, Register, UpdateUser};
use gatekit_tests::{App, PASSWORD, Store, answering, at_once, count, on_every_store};
use serde_json::{Map, Value, json};

const USERS: &str = "/api/users";
const LOGIN: &str = "/api/users/login";
const RESET: &str = "/api/users/reset";
const EMAIL: &str = "foo@bar.com";
const TAKEN: &str = r#"{"error":{"statusCode":422,"name":"ValidationError","message":"The `User` instance is not valid. Details: `email` Email already exists (value: \"foo@bar.com\"); `username` User already exists (value: \"foo\").","details":{"context":"User","codes":{"email":["uniqueness"],"username":["uniqueness"]},"messages":{"email":["Email already exists"],"username":["User already exists"]}}}}"#;
const REALM_REQUIRED: &str =
    r#"{"error":{"statusCode":400,"name":"Error","message":"realm is required","code":"REALM_REQUIRED"}}"#;
const INVALID_REALM: &str =
    r#"{"error":{"statusCode":400,"name":"Error","message":"Invalid realm","code":"INVALID_REALM"}}"#;
const NAME_REQUIRED: &str = r#"{"error":{"statusCode":400,"name":"Error","message":"username or email is required","code":"USERNAME_EMAIL_REQUIRED"}}"#;
const FAILED: &str = r#"{"error":{"statusCode":401,"name":"Error","message":"login failed","code":"LOGIN_FAILED"}}"#;
const NOT_FOUND: &str =
    r#"{"error":{"statusCode":404,"name":"Error","message":"Email not found","code":"EMAIL_NOT_FOUND"}}"#;

async fn app(store: Store, required: bool, delimiter: Option<char>) -> App {
    let mut policy = Policy::loopback();
    (policy.identifiers.realm_required, policy.identifiers.realm_delimiter) = (required, delimiter);
    App::with(policy).start(store).await
}

/// An app where realms have addresses and names of their own, with `foo` in `r1` and in `r2`.
async fn scoped(store: Store) -> App {
    let app = app(store, true, Some(':')).await;
    for (realm, password) in [("r1", "one"), ("r2", "two")] {
        let body = json!({"realm": realm, "username": "foo", "email": EMAIL, "password": password});
        app.post(USERS).json(body).await.expect_status(200);
    }
    app
}

async fn token(app: &App, realm: &str, password: &str) -> String {
    let body = json!({"realm": realm, "email": EMAIL, "password": password});
    app.post(LOGIN).json(body).await.expect_status(200).text("id")
}

on_every_store! {
    /// [54] to [69]
    async fn where_a_realm_is_required_without_a_delimiter_names_are_unique_among_all(store) {
        let app = app(store, true, None).await;
        let create = async |body: Value, status: u16, answer: &str| {
            app.post(USERS).json(body).await.is(status, answer);
        };
        create(
            json!({"realm": "r1", "username": "foo", "email": EMAIL, "password": "one"}),
            200,
            r#"{"realm":"r1","username":"foo","email":"foo@bar.com","id":1}"#,
        )
        .await;
        create(json!({"realm": "r2", "username": "foo", "email": EMAIL, "password": "two"}), 422, TAKEN).await;
        create(
            json!({"realm": "r2", "username": "foo2", "email": "foo2@bar.com", "password": "two"}),
            200,
            r#"{"realm":"r2","username":"foo2","email":"foo2@bar.com","id":2}"#,
        )
        .await;
        create(
            json!({"username": "foo3", "email": "foo3@bar.com", "password": "two"}),
            200,
            r#"{"username":"foo3","email":"foo3@bar.com","id":3}"#,
        )
        .await;
        for (body, answer) in [
            (json!({"email": EMAIL, "password": "one"}), Some((400, REALM_REQUIRED))),
            (json!({"realm": "r1", "email": EMAIL, "password": "one"}), None),
            (json!({"realm": "r1", "username": "foo", "password": "one"}), None),
            (json!({"realm": "r2", "email": EMAIL, "password": "one"}), Some((401, FAILED))),
            (json!({"realm": {"neq": "x"}, "email": EMAIL, "password": "one"}), Some((400, INVALID_REALM))),
            (json!({"realm": 1, "email": EMAIL, "password": "one"}), Some((400, INVALID_REALM))),
            (json!({"realm": "r1", "password": "one"}), Some((400, NAME_REQUIRED))),
            (json!({}), Some((400, REALM_REQUIRED))),
            (json!({"username": "r1:foo", "password": "one"}), Some((400, REALM_REQUIRED))),
            (json!({"realm": "", "email": EMAIL, "password": "one"}), Some((400, REALM_REQUIRED))),
            (json!({"realm": "r1", "email": "foo3@bar.com", "password": "two"}), Some((401, FAILED))),
        ] {
            let response = app.post(LOGIN).json(&body).await;
            match answer {
                Some((status, text)) => response.is(status, text),
                None => response.expect_status(200),
            };
        }
        app.post(RESET).json(json!({"realm": "r1", "email": EMAIL})).await.expect_no_content();
        app.post(RESET).json(json!({"realm": "r2", "email": EMAIL})).await.is(404, NOT_FOUND);
        app.post(RESET).json(json!({"email": EMAIL})).await.expect_no_content();
    }

    /// [70] to [81]. Where LoopBack answers 500, the type is told.
    async fn with_a_delimiter_too_each_realm_has_names_of_its_own(store) {
        let app = scoped(store).await;
        let body = json!({"realm": "r1", "username": "foo", "email": EMAIL, "password": "two"});
        app.post(USERS).json(body).await.is(422, TAKEN);
        let invalid = |what: &str| {
            format!(r#"{{"error":{{"statusCode":400,"name":"Error","message":"Invalid {what}","code":"INVALID_{}"}}}}"#, what.to_uppercase())
        };
        for (body, user) in [
            (json!({"username": "r1:foo", "password": "one"}), 1),
            (json!({"email": "r2:foo@bar.com", "password": "two"}), 2),
            (json!({"realm": "r1", "username": "foo", "password": "one"}), 1),
            (json!({"realm": "r1", "username": "r2:foo", "password": "two"}), 2),
        ] {
            assert_eq!(app.post(LOGIN).json(&body).await.expect_status(200).value()["userId"], user, "{body}");
        }
        for (body, status, answer) in [
            (json!({"username": ":foo", "password": "one"}), 400, REALM_REQUIRED),
            (json!({"username": "r1:", "password": "one"}), 400, NAME_REQUIRED),
            (json!({"username": 5, "password": "one"}), 400, &invalid("username")),
            (json!({"realm": "r1", "username": 5, "password": "one"}), 400, &invalid("username")),
            (json!({"realm": "r1", "email": {"a": 1}, "password": "one"}), 400, &invalid("email")),
            (json!({"realm": "r1", "username": "foo", "password": "two"}), 401, FAILED),
            (json!({"realm": "r3", "username": "foo", "password": "one"}), 401, FAILED),
            (json!({"username": "r1:r2:foo", "password": "one"}), 401, FAILED),
        ] {
            app.post(LOGIN).json(&body).await.is(status, answer);
        }
    }

    /// Measured on LoopBack 3.28.0: a reset without a realm is for the first user with the address,
    /// whatever its realm.
    async fn a_reset_without_a_realm_is_for_the_first_user_with_the_address(store) {
        let app = scoped(store).await;
        for (number, realm) in [json!(null), json!("")].into_iter().enumerate() {
            app.post(RESET).json(json!({"realm": realm, "email": EMAIL})).await.expect_no_content();
            app.mails.wait_for(number + 1).await;
        }
        app.post(RESET).json(json!({"email": EMAIL})).await.expect_no_content();
        app.mails.wait_for(3).await;
        let secret = app.mails.last_token().await;
        let reset = app.post("/api/users/reset-password").token(&secret).json(json!({"newPassword": "new"}));
        reset.await.expect_no_content();
        token(&app, "r1", "new").await;
        token(&app, "r2", "two").await;
        // A client that names one gets the user of that one.
        app.post(RESET).json(json!({"realm": "r2", "email": EMAIL})).await.expect_no_content();
        app.mails.wait_for(4).await;
        let secret = app.mails.last_token().await;
        let reset = app.post("/api/users/reset-password").token(&secret).json(json!({"newPassword": "newer"}));
        reset.await.expect_no_content();
        token(&app, "r1", "new").await;
        token(&app, "r2", "newer").await;
        for body in [
            json!({"email": "r1:foo@bar.com"}),
            json!({"email": "nobody@bar.com"}),
            json!({"email": EMAIL, "realm": "r3"}),
            json!({"email": ""}),
            json!({"email": "foo\0@bar.com"}),
        ] {
            app.post(RESET).json(body).await.is(404, NOT_FOUND);
        }
    }

    /// A delimiter alone asks for a realm, and leaves names unique among all.
    async fn a_delimiter_alone_asks_for_a_realm(store) {
        let app = app(store, false, Some('/')).await;
        app.post(USERS).json(json!({"realm": "r1", "username": "foo", "email": EMAIL, "password": "one"})).await.expect_status(200);
        let body = json!({"realm": "r2", "username": "foo", "email": EMAIL, "password": "two"});
        app.post(USERS).json(body).await.is(422, TAKEN);
        app.post(LOGIN).json(json!({"username": "foo", "password": "one"})).await.is(400, REALM_REQUIRED);
        app.post(LOGIN).json(json!({"username": "r1/foo", "password": "one"})).await.expect_status(200);
        app.post(LOGIN).json(json!({"username": "r1:foo", "password": "one"})).await.is(400, REALM_REQUIRED);
    }

    /// Where an app has no realms, the field is one like any other.
    async fn without_realms_the_field_is_kept_and_not_looked_at(store) {
        let app = app(store, false, None).await;
        app.post(USERS).json(json!({"realm": "r1", "email": EMAIL, "password": "one"})).await.expect_status(200);
        for realm in [json!("r1"), json!("r2"), json!({"neq": "x"}), json!(5), json!(null)] {
            app.post(LOGIN).json(json!({"realm": realm, "email": EMAIL, "password": "one"})).await.expect_status(200);
        }
        app.post(LOGIN).json(json!({"username": "r1:foo", "password": "one"})).await.is(401, FAILED);
    }

    /// 8.2.3, 15.3.3: where an app has no realms, a realm is for the app's own code: no sign-up,
    /// change or upsert of a client sets, changes or removes one.
    async fn without_realms_no_client_chooses_or_changes_one(store) {
        let mut policy = Policy::default();
        policy.passwords.reject_changes_via_patch_or_replace = false;
        let upserts = ["patchOrCreate", "replaceOrCreate", "upsertWithWhere", "updateAll"];
        let acl = gatekit::Acl::user().row(gatekit::AclRow::allow("$everyone").methods(upserts));
        let app = App::with(answering(policy, |answers| answers.max_batch = 2)).configure(|auth| auth.acl(acl)).start(store).await;
        let sign_up = |email: &str| json!({"email": email, "password": PASSWORD, "realm": "admins"});

        // Of every kind of sign-up, and whatever type the realm has.
        assert!(app.post(USERS).json(sign_up(EMAIL)).await.expect_status(200).value().get("realm").is_none());
        app.post(USERS).json(json!([sign_up("b@x.com"), sign_up("c@x.com")])).await.expect_status(200);
        let form = "email=d%40x.com&password=correct+horse+battery&realm=admins";
        app.post(USERS).form(form).await.expect_status(200);
        app.patch(USERS).json(sign_up("e@x.com")).await.expect_status(200);
        app.put(USERS).json(sign_up("f@x.com")).await.expect_status(200);
        app.post("/api/users/replaceOrCreate").json(sign_up("g@x.com")).await.expect_status(200);
        app.post("/api/users/upsertWithWhere?where[email]=h@x.com").json(sign_up("h@x.com")).await.expect_status(200);
        let odd = json!({"email": "i@x.com", "password": PASSWORD, "realm": {"a": 1}});
        app.post(USERS).json(odd).await.expect_status(200);
        let everybody = app.auth.find_users(&gatekit::UserQuery::default()).await.unwrap();
        assert_eq!(everybody.len(), 9);
        assert!(everybody.iter().all(|user| user.realm.is_none()), "{everybody:?}");

        // The app's own code puts the first one into a realm; from there no client moves it.
        let club = Map::from_iter([("realm".to_owned(), json!("club"))]);
        app.auth.update_user(UpdateUser::patch(1, club).trusted()).await.unwrap();
        let realm = async || app.auth.find_user(&1.into()).await.unwrap().unwrap().realm;
        let token = app.token_of(EMAIL).await;
        let whole = |realm: Option<&str>| {
            let mut body = json!({"email": EMAIL, "password": PASSWORD});
            if let Some(realm) = realm {
                body["realm"] = json!(realm);
            }
            body
        };
        for (method, path, body) in [
            ("PATCH", "/api/users/1", json!({"realm": "admins"})),
            ("PATCH", "/api/users/1", json!({"realm": null})),
            ("PATCH", "/api/users/1", json!({"realm": {"neq": "x"}})),
            ("PATCH", USERS, json!({"id": 1, "realm": "admins"})),
            ("POST", "/api/users/update?where[id]=1", json!({"realm": "admins"})),
        ] {
            app.call(method, path).token(&token).json(body).await.expect_status(200);
            assert_eq!(realm().await.as_deref(), Some("club"), "{method} {path}");
        }
        for (method, path) in [
            ("PUT", "/api/users/1"),
            ("POST", "/api/users/1/replace"),
            ("POST", "/api/users/upsertWithWhere?where[id]=1"),
        ] {
            for sent in [Some("admins"), None] {
                app.call(method, path).token(&token).json(whole(sent)).await.expect_status(200);
                assert_eq!(realm().await.as_deref(), Some("club"), "{method} {path} {sent:?}");
            }
        }
        for sent in [Some("admins"), None] {
            let mut body = whole(sent);
            body["id"] = json!(1);
            app.put(USERS).json(body).await.expect_status(200);
            assert_eq!(realm().await.as_deref(), Some("club"), "{sent:?}");
        }

        // A trusted sign-up, and a trusted replacement, which takes away what is not in it.
        let register = Register::email("j@x.com", PASSWORD).realm("club");
        assert_eq!(app.auth.register(register).await.unwrap().realm.as_deref(), Some("club"));
        let Value::Object(fields) = whole(None) else { unreachable!() };
        let replaced = app.auth.update_user(UpdateUser::replace(1, fields).trusted()).await.unwrap();
        assert_eq!(replaced.realm, None);
    }

    /// 8.4.1: what belongs to one realm does nothing in another.
    async fn secrets_of_one_realm_do_nothing_in_another(store) {
        let app = scoped(store).await;
        let (one, two) = (token(&app, "r1", "one").await, token(&app, "r2", "two").await);
        for (own, other) in [(("1", &one), ("2", &two)), (("2", &two), ("1", &one))] {
            app.get(&format!("/api/users/{}", own.0)).token(own.1).await.expect_status(200);
            app.get(&format!("/api/users/{}", own.0)).token(other.1).await.expect_status(401);
            app.patch(&format!("/api/users/{}", own.0)).token(other.1).json("{}").await.expect_status(401);
        }
        app.post(RESET).json(json!({"realm": "r2", "email": EMAIL})).await.expect_no_content();
        app.mails.wait_for(1).await;
        let secret = app.mails.last_token().await;
        app.reset_password(&secret, "new").await.expect_no_content();
        app.me(&one).await.expect_status(200);
        app.me(&two).await.expect_status(401);
        token(&app, "r1", "one").await;
        token(&app, "r2", "new").await;
        app.post(RESET).json(json!({"realm": {"neq": "zz"}, "email": EMAIL})).await.is(400, INVALID_REALM);
        app.post(RESET).json(json!({"realm": "r3", "email": EMAIL})).await.is(404, NOT_FOUND);
    }

    async fn addresses_are_proven_and_changed_within_a_realm(store) {
        let app = scoped(store).await;
        let (one, two) = (token(&app, "r1", "one").await, token(&app, "r2", "two").await);
        app.post("/api/users/resend-verification").json(json!({"email": EMAIL, "realm": "r2"})).await.expect_no_content();
        app.mails.wait_for(1).await;
        let secret = app.mails.last_token().await;
        app.confirm(1, &secret).await.expect(400, "INVALID_TOKEN");
        app.confirm(2, &secret).await.expect_no_content();
        assert_eq!(app.me(&two).await.value()["emailVerified"], true);
        assert!(app.me(&one).await.value().get("emailVerified").is_none());

        // Of the other realm it may have the address, of its own not.
        let body = json!({"realm": "r2", "username": "bar", "email": "bar@bar.com", "password": "x"});
        app.post(USERS).json(body).await.expect_status(200);
        let change = |token: &str, password: &str| {
            app.post("/api/users/change-email").token(token).json(json!({"password": password, "email": "bar@bar.com"}))
        };
        change(&two, "two").await.expect_no_content();
        change(&one, "one").await.expect_no_content();
        app.mails.wait_for(2).await;
        let secret = app.mails.last_token().await;
        assert_eq!(app.confirm_email_change(&secret).token(&one).await.expect_status(200).value()["id"], 1);
        assert_eq!(app.mails.wait_for(3).await.len(), 3, "one to the new address, a notice, and none for who may not");
        app.patch("/api/users/2").token(&two).json(json!({"email": "bar@bar.com"})).await.expect_error(422);
        app.patch("/api/users/2").token(&two).json(json!({"username": "bar"})).await.expect_error(422);
        app.patch("/api/users/1").token(&one).json(json!({"username": "bar"})).await.expect_status(200);
    }

    /// A user that changes its realm has to have a name that is free there.
    async fn a_name_must_be_free_in_the_realm_a_user_moves_to(store) {
        let app = scoped(store).await;
        let two = token(&app, "r2", "two").await;
        app.patch("/api/users/2").token(&two).json(json!({"realm": "r1"})).await.is(422, TAKEN);
        app.me(&two).await.is(200, r#"{"realm":"r2","username":"foo","email":"foo@bar.com","id":2}"#);
        app.patch("/api/users/2").token(&two).json(json!({"realm": "r3"})).await.expect_status(200);
        let body = json!({"realm": "r3", "username": "foo", "password": "two"});
        app.post(LOGIN).json(&body).await.expect_status(200);
        app.post(LOGIN).json(json!({"realm": "r2", "username": "foo", "password": "two"})).await.is(401, FAILED);
        // Its old place is free.
        let body = json!({"realm": "r2", "username": "foo", "email": EMAIL, "password": "new"});
        app.post(USERS).json(body).await.expect_status(200);
        app.patch("/api/users/2").token(&two).json(json!({"realm": "r2"})).await.expect_error(422);
    }

    /// RACE-2
    async fn of_20_who_move_to_one_realm_at_once_one_is_there(store) {
        let app = app(store, true, Some(':')).await;
        let mut tokens = Vec::new();
        for n in 0..20 {
            let body = json!({"realm": format!("r{n}"), "username": "foo", "email": EMAIL, "password": "p"});
            app.post(USERS).json(body).await.expect_status(200);
            tokens.push(token(&app, &format!("r{n}"), "p").await);
        }
        let calls = tokens.iter().zip(1..).map(|(token, id)| {
            app.patch(&format!("/api/users/{id}")).token(token).json(json!({"realm": "wanted"}))
        });
        let answers = at_once(calls).await;
        assert_eq!((count(&answers, 200), count(&answers, 422)), (1, 19), "{answers:?}");
    }
}
