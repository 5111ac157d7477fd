//! `POST /api/users` with an array.

use gatekit::{Event, Policy};
use gatekit_testkit::Fault::{Fail, FailAfter};
use gatekit_tests::{App, EMAIL, PASSWORD, answering, at_once, count, on_every_store};
use serde_json::{Value, json};

const USERS: &str = "/api/users";

on_every_store! {
    /// Transcript 03: [41] to [43], and 05: [38].
    async fn several_users_are_made_as_loopback_makes_them(store) {
        let app = App::loopback(store).await;
        app.post(USERS).json("[]").await.is(200, "[]");
        // In LoopBack `emailVerified` is taken as it comes.
        app.post(USERS)
            .json(r#"[{"email":"b22@x.com","password":"p"},{"email":"b23@x.com","password":"p","emailVerified":true}]"#)
            .await
            .is(200, r#"[{"email":"b22@x.com","id":1},{"email":"b23@x.com","emailVerified":false,"id":2}]"#)
            .expect_header("content-type", "application/json; charset=utf-8");
        // The sound ones stay. LoopBack answers 500.
        app.post(USERS)
            .json(r#"[{"email":"b24@x.com","password":"p"},{"email":"b22@x.com","password":"p"}]"#)
            .await
            .is(422, r#"{"error":{"statusCode":422,"message":"Failed with multiple errors, see `details` for more information.","details":[null,{"statusCode":422,"name":"ValidationError","message":"The `User` instance is not valid. Details: `email` Email already exists (value: \"b22@x.com\").","details":{"context":"User","codes":{"email":["uniqueness"]},"messages":{"email":["Email already exists"]}}}]}}"#);
        for email in ["b22@x.com", "b23@x.com", "b24@x.com"] {
            app.login(email, "p").await.expect_status(200);
        }
        assert_eq!(app.events.events().iter().filter(|event| matches!(event, Event::Registered { .. })).count(), 3);
    }

    async fn each_error_stands_in_its_place(store) {
        let app = App::with(answering(Policy::default(), |answers| answers.max_batch = 10)).start(store).await;
        let sound = json!({"email": "a@x.com", "password": PASSWORD});
        let users = json!([
            {},
            sound,
            {"email": "b@x.com", "password": "short"},
            {"email": "c@x.com", "password": PASSWORD, "id": 7},
            sound,
            {"email": 5, "password": PASSWORD},
        ]);
        let errors = app.post(USERS).json(users).await.expect_error(422).value()["error"]["details"].clone();
        let code = |at: usize, path: &str| errors[at].pointer(path).cloned().unwrap_or_default();
        assert_eq!(errors.as_array().unwrap().len(), 6);
        assert_eq!(code(0, "/details/codes"), json!({"password": ["presence"], "email": ["presence"]}));
        assert_eq!(errors[1], Value::Null);
        assert_eq!(code(2, "/code"), "PASSWORD_TOO_SHORT");
        assert_eq!(code(3, "/details/codes"), json!({"id": ["absence"]}));
        assert_eq!(code(4, "/details/codes"), json!({"email": ["uniqueness"]}));
        assert_eq!(code(5, "/details/codes"), json!({"email": ["custom.string"]}));
        assert!(errors.as_array().unwrap().iter().all(|error| error.is_null() || error["statusCode"] == 422));
        assert!(!errors.to_string().contains(PASSWORD));
        app.login("a@x.com", PASSWORD).await.expect_status(200);
    }

    /// 8.2.3, V-79
    async fn nobody_in_an_array_chooses_what_is_not_its_to_choose(store) {
        let app = App::loopback(store).await;
        for claim in [json!(true), json!("true"), json!(1), json!({})] {
            let user = json!({
                "email": format!("{}@x.com", claim.to_string().len()), "password": "p", "emailVerified": claim,
                "verificationToken": "x", "rev": 7, "namespace": "n", "scopes": [],
            });
            let users = app.post(USERS).json(json!([user])).await.expect_status(200).value();
            let members: Vec<&String> = users[0].as_object().unwrap().keys().collect();
            assert_eq!(members, ["email", "emailVerified", "id"]);
            assert_eq!(users[0]["emailVerified"], false, "{claim}");
        }
        // What looks like a hash is hashed.
        let hash = "$2a$04$DMgwOWgxWYMmNVTC8BSbZ.7RbbtsxomIZ1.pVGs3L7ow/AyG5vuhW";
        app.post(USERS).json(json!([{"email": EMAIL, "password": hash}])).await.expect_status(200);
        app.login(EMAIL, "bar").await.expect(401, "LOGIN_FAILED");
    }

    /// 2.4.1, LOAD-8: a request costs no more than 100 hashes, and none if it is too long.
    async fn an_array_has_an_end(store) {
        let app = App::loopback(store).await;
        let users = |count: usize| -> Value {
            (0..count).map(|n| json!({"email": format!("u{n}@x.com"), "password": "p"})).collect()
        };
        let before = app.auth.hasher().hashes();
        app.post(USERS).json(users(101)).await.expect(400, "TOO_MANY_USERS");
        assert_eq!(app.auth.hasher().hashes(), before);
        assert!(app.faults.calls().is_empty());
        let made = app.post(USERS).json(users(100)).await.expect_status(200).value();
        assert_eq!(made.as_array().unwrap().len(), 100);
        assert_eq!(app.auth.hasher().hashes() - before, 100);
        // By default one request is one user, so that a limit on requests is one on hashes, mails
        // and guesses.
        let app = App::new(store).await;
        app.post(USERS).json(users(2)).await.expect(400, "TOO_MANY_USERS");
    }

    /// 1.5.2, FUZZ-9: one that is no object spoils all, before any is made.
    async fn what_is_no_array_of_objects_is_told_before_anything_is_done(store) {
        let app = App::loopback(store).await;
        let sound = r#"{"email":"a@x.com","password":"p"}"#;
        for other in ["null", "5", "true", r#""x""#, "[]", "[{}]"] {
            app.post(USERS)
                .json(format!("[{sound},{other}]"))
                .await
                .is(400, r#"{"error":{"statusCode":400,"name":"Error","message":"Value is not an object."}}"#);
        }
        assert!(app.faults.calls().is_empty());
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        app.post(USERS).json(deep).await.expect_error(400);
    }

    /// A store that fails is not an error of one of them.
    async fn a_store_that_fails_in_the_middle_is_503_and_can_be_asked_again(store) {
        for (call, nth, fault) in
            [("find_user_by", 2, Fail), ("create_user", 2, Fail), ("create_user", 2, FailAfter), ("create_user", 1, Fail)]
        {
            let app = App::loopback(store).await;
            let users = json!([
                {"email": "a@x.com", "password": "p"}, {"email": "b@x.com", "password": "p"}, {"email": "c@x.com", "password": "p"},
            ]);
            app.faults.nth_call_of(call, nth, fault);
            let answer = app.post(USERS).json(&users).await;
            app.faults.reset();
            // A user who is stored although the store failed to say so is found.
            match fault {
                FailAfter => drop(answer.expect_status(200)),
                _ => drop(answer.expect_unavailable()),
            }
            let again = app.post(USERS).json(&users).await;
            assert!([200, 422].contains(&again.status.as_u16()), "{again:?}");
            for email in ["a@x.com", "b@x.com", "c@x.com"] {
                app.login(email, "p").await.expect_status(200);
            }
        }
    }

    /// RACE-2
    async fn of_20_arrays_with_one_address_at_once_one_has_it(store) {
        let app = App::with(Policy::loopback()).start(store).await;
        let calls = (0..20).map(|n| {
            app.post(USERS).json(json!([{"email": format!("u{n}@x.com"), "password": "p"}, {"email": EMAIL, "password": "p"}]))
        });
        let answers = at_once(calls).await;
        assert_eq!((count(&answers, 200), count(&answers, 422)), (1, 19), "{answers:?}");
        for n in 0..20 {
            app.login(&format!("u{n}@x.com"), "p").await.expect_status(200);
        }
    }
}
