//! One walk through everything, with secrets that can be told apart: none of them is in a log line,
//! in `Debug` output, in an answer that has no business with it, in a URI that other services see,
//! or in the database's bytes.
//!
//! It is a test target of its own because it records what the whole process logs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use gatekit::core::Mail;
use gatekit::{
    ChangeEmail, ChangePassword, ConfirmEmail, DeleteAccount, Login, MailKind, PasswordReset, Policy, Register,
    RequestEmailChange, UpdateUser,
};
use gatekit_testkit::{Fault, LogCapture, MailSink};
use gatekit_tests::{Answer, App, EMAIL, Store};
use serde_json::json;

const PASSWORDS: [&str; 6] = [
    "marker-first-password-7731",
    "marker-second-password-7732",
    "marker-third-password-7733",
    "marker-wrong-password-7734",
    "marker-refused-password-7735",
    "marker-in-a-broken-body-7736",
];

/// All that was seen of one walk.
struct Walk {
    app: App,
    secrets: Vec<String>,
    answers: Vec<Answer>,
    seen: Vec<String>,
}

impl Walk {
    /// Every answer is kept but those that hand a token out, which is what they are for.
    fn keep(&mut self, answer: Answer) {
        self.answers.push(answer);
    }

    async fn login(&mut self, password: &str) -> String {
        let token = self.app.login(EMAIL, password).await.expect_status(200).text("id");
        self.secrets.push(token.clone());
        token
    }

    async fn verification_token(&mut self) -> String {
        let secret = self.app.verification_token(1).await;
        self.secrets.push(secret.clone());
        secret
    }

    async fn change_email_token(&mut self, token: &str) -> String {
        self.change_email_to(token, "other@bar.com").await
    }

    async fn change_email_back(&mut self, token: &str) -> String {
        self.change_email_to(token, EMAIL).await
    }

    async fn change_email_to(&mut self, token: &str, email: &str) -> String {
        let of_kind = |mail: &Mail| mail.kind == MailKind::ChangeEmail;
        let before = self.app.mails.mails().into_iter().filter(of_kind).count();
        let body = json!({"password": PASSWORDS[2], "email": email});
        let answer = self.app.post("/api/users/change-email").token(token).json(body).await.expect_status(204);
        self.keep(answer);
        let mails = self.app.mails.wait_for_kind(MailKind::ChangeEmail, before + 1).await;
        let secret = mails.last().and_then(MailSink::token_in).unwrap();
        self.secrets.push(secret.clone());
        secret
    }

    async fn reset_token(&mut self) -> String {
        let secret = self.app.reset_token().await;
        self.secrets.push(secret.clone());
        secret
    }
}

async fn walk(store: Store) -> Walk {
    let app = App::with(Policy::default()).start(store).await;
    let mut walk = Walk { app, secrets: PASSWORDS.map(str::to_owned).to_vec(), answers: vec![], seen: vec![] };
    let [first, second, third, wrong, refused, broken] = PASSWORDS;
    let login_body = |password: &str| json!({"email": EMAIL, "password": password});

    walk.keep(walk.app.post("/api/users").json(login_body(first)).await.expect_status(200));
    walk.keep(walk.app.post("/api/users").json(login_body(refused)).await.expect_status(422));
    walk.keep(
        walk.app.post("/api/users").json(json!({"email": {"a": 1}, "password": [refused]})).await.expect_status(422),
    );
    walk.keep(walk.app.login(EMAIL, wrong).await.expect_status(401));
    walk.keep(walk.app.login("nobody@bar.com", wrong).await.expect_status(401));
    walk.keep(walk.app.post("/api/users/login").json(format!(r#"{{"password":"{broken}" x"#)).await.expect_status(400));
    walk.keep(walk.app.post("/api/users/login").json(format!(r#"{{"password":"{broken}"#)).await.expect_status(400));
    walk.keep(walk.app.post("/api/users/login").body("text/plain", broken).await.expect_status(415));
    walk.keep(walk.app.post("/api/users/login").form(&format!("password={broken}")).await.expect_status(400));

    let token = walk.login(first).await;
    let queried = format!("access_token={token}");
    for request in [
        walk.app.get("/me").token(&token),
        walk.app.get(&format!("/me?{queried}")),
        walk.app.get(&format!("/maybe?a=1&{queried}&b=2")),
        walk.app.get(&format!("/nothing?{queried}")),
        walk.app.get(&format!("/api/users/1?{queried}")),
        walk.app.get(&format!("/api/users/99?{queried}")),
        walk.app.post(&format!("/api/users/Nothing/There?{queried}")),
        walk.app.get("/me").cookie(&token),
        walk.app.post("/api/users/logout").cookie(&token).header("sec-fetch-site", "cross-site"),
        walk.app.get("/me").header("authorization", format!("Bearer {token}x")),
    ] {
        let answer = request.await;
        walk.keep(answer);
    }
    let change = json!({"oldPassword": wrong, "newPassword": refused});
    walk.keep(walk.app.post("/api/users/change-password").token(&token).json(change).await.expect_status(400));
    let change = json!({"oldPassword": first, "newPassword": second});
    walk.keep(walk.app.post("/api/users/change-password").token(&token).json(change).await.expect_status(204));

    let secret = walk.reset_token().await;
    walk.keep(walk.app.get("/me").token(&secret).await.expect_status(401));
    walk.keep(walk.app.reset_password(&secret, &"marker-refused-password-7735".repeat(50)).await.expect_status(422));
    let path = format!("/api/users/reset-password?access_token={secret}");
    walk.keep(walk.app.post(&path).json(json!({"newPassword": third})).await.expect_status(204));
    walk.keep(walk.app.post(&path).json(json!({"newPassword": refused})).await.expect_status(401));
    walk.reset_token().await;

    // A user is read, changed, and its address proven and changed, with what is right and what is
    // not.
    let token = walk.login(third).await;
    let (old_verify, verify) = (walk.verification_token().await, walk.verification_token().await);
    let change = walk.change_email_token(&token).await;
    let body = |password: &str| json!({"password": password, "email": "other@bar.com", "newPassword": refused});
    for request in [
        walk.app.patch("/api/users/1").token(&token).json(json!({"username": "x"})),
        walk.app.patch("/api/users/1").token(&token).json(body(refused)),
        walk.app.put("/api/users/1").token(&token).json(body(refused)),
        walk.app.patch("/api/users/1").token(&token).json(json!({"email": {"a": 1}, "password": [refused], "id": 9})),
        walk.app.patch("/api/users/2").token(&token).json(body(refused)),
        walk.app.patch("/api/users/1").token(&token).json(format!(r#"{{"password":"{broken}"#)),
        walk.app.post("/api/users").json(
            json!([{"email": 5, "password": refused}, {"email": "nope", "password": wrong}, {"password": third}]),
        ),
        walk.app.post("/api/users/change-email").token(&token).json(body(wrong)),
        walk.app.post("/api/users/change-email").token(&token).json(json!({"password": third, "email": "nope"})),
        walk.app.post("/api/users/delete-account").token(&token).json(body(wrong)),
        walk.app.post("/api/users/step-up").token(&token).json(body(wrong)),
        walk.app.get("/api/users/sessions").token(&token),
        walk.app.delete(&format!("/api/users/sessions/{}", "f".repeat(32))).token(&token),
        walk.app.post("/api/users/confirm-email-change").json(json!({"token": verify})),
        walk.app.post("/api/users/confirm-email-change").json(json!({"token": format!("{change}x")})),
        walk.app.post("/api/users/confirm-email-change").json(json!({"token": [change]})),
        walk.app.post("/api/users/resend-verification").json(json!({"email": "nobody@bar.com"})),
        walk.app.patch("/api/users/1").token(&verify).json("{}"),
        walk.app.get("/me").token(&change),
    ] {
        let answer = request.await;
        assert!(!answer.status.is_server_error(), "{answer:?}");
        walk.keep(answer);
    }
    // The secret of a verification stands in its link, and there alone; one that is not good is not
    // repeated.
    let _ = walk.app.seen();
    for (uid, secret) in [("1", &change), ("2", &verify), ("x", &verify), ("1", &token)] {
        let body = json!({"uid": uid, "token": secret});
        let answer = walk.app.post("/api/users/confirm").json(body).await.expect_status(400);
        walk.keep(answer);
        let link = format!("/api/users/confirm?uid={uid}&token={secret}");
        let answer = walk.app.get(&link).await.expect_status(405);
        walk.keep(answer);
    }
    walk.app.faults.every(Fault::Fail);
    walk.keep(walk.app.confirm(1, &verify).await.expect_status(503));
    walk.keep(walk.app.confirm_email_change(&change).await.expect_status(503));
    walk.app.faults.reset();
    for secret in [&verify, &verify, &old_verify] {
        walk.keep(walk.app.confirm(1, secret).await.expect_status(204));
    }
    walk.keep(walk.app.confirm_email_change(&change).token(&token).await.expect_status(200));
    walk.keep(walk.app.confirm_email_change(&change).token(&token).await.expect_status(200));
    let back = walk.change_email_back(&token).await;
    walk.keep(walk.app.confirm_email_change(&back).token(&token).await.expect_status(200));
    walk.keep(walk.app.post("/api/users/logout-everywhere").token(&token).await.expect_status(204));
    let _ = walk.app.seen();

    // Everything goes wrong in the middle of it.
    let token = walk.login(third).await;
    for fault in [Fault::Fail, Fault::FailAfter] {
        walk.app.faults.every(fault);
        for request in [
            walk.app.get(&format!("/me?access_token={token}")),
            walk.app.login(EMAIL, third),
            walk.app.post("/api/users").json(json!({"email": "b@x.com", "password": third})),
            walk.app.reset_password(&secret, refused),
            walk.app.post("/api/users/reset").json(json!({"email": EMAIL})),
            walk.app.post("/api/users/logout").token(&token),
            walk.app.post("/api/users/1/verify"),
            walk.app.patch("/api/users/1").token(&token).json(json!({"password": refused})),
            walk.app.post("/api/users/delete-account").token(&token).json(json!({"password": third})),
            walk.app.post("/api/users/step-up").token(&token).json(json!({"password": third})),
            walk.app.post("/api/users/change-email").token(&token).json(json!({"password": third, "email": "c@x.com"})),
        ] {
            let answer = request.await.expect_status(503);
            walk.keep(answer);
        }
        walk.app.faults.reset();
    }
    walk.app.mails.behave(gatekit_testkit::MailBehavior::Fail);
    walk.keep(walk.app.post("/api/users/reset").json(json!({"email": EMAIL})).await.expect_status(204));

    // Expired, and removed on the way. The last one stays where it is.
    walk.app.clock.advance(std::time::Duration::from_secs(1_209_600));
    walk.keep(walk.app.me(&token).await.expect_status(401));
    walk.login(third).await;
    walk.seen = walk.app.seen();
    walk
}

fn assert_free_of_secrets(walk: &Walk, what: &str, text: &str) {
    for secret in &walk.secrets {
        assert!(!text.contains(secret.as_str()), "{what} holds {secret}: {text}");
    }
}

/// LEAK-1, LEAK-2, LEAK-5, LEAK-6, LEAK-7, 16.2.5, 14.2.1, RFC B-19
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_anywhere_but_where_it_belongs() {
    let logs = LogCapture::of_the_process();
    for store in [Store::Memory, Store::Sqlite] {
        let walk = walk(store).await;
        assert!(walk.secrets.len() >= 16, "six passwords, four tokens, six of mails");
        assert!(walk.secrets[6..].iter().all(|secret| secret.len() == 64));

        logs.assert_free_of(&walk.secrets);
        for answer in &walk.answers {
            let headers = format!("{:?}", answer.headers);
            assert_free_of_secrets(&walk, "an answer", &format!("{} {headers}", answer.body));
        }
        assert!(walk.seen.len() > 40);
        for uri in &walk.seen {
            assert_free_of_secrets(&walk, "a URI", uri);
        }
        // A mail holds its own link and nothing else: it is for its reader, and `Debug` is not.
        for mail in walk.app.mails.mails() {
            for secret in &walk.secrets[..6] {
                assert!(!mail.text.contains(secret.as_str()));
            }
            assert_free_of_secrets(&walk, "Debug of a mail", &format!("{mail:?}"));
        }
        assert_free_of_secrets(&walk, "Debug of an event", &format!("{:?}", walk.app.events.events()));
        assert_free_of_secrets(&walk, "Debug of the app", &format!("{:?}", walk.app.auth));

        if let Some(folder) = &walk.app.folder {
            let mut files = 0;
            for entry in std::fs::read_dir(folder.path()).unwrap() {
                let bytes = std::fs::read(entry.unwrap().path()).unwrap();
                for secret in &walk.secrets {
                    let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                    assert!(!found, "the database holds {secret}");
                }
                let users = bytes.windows(EMAIL.len()).filter(|window| *window == EMAIL.as_bytes()).count();
                files += usize::from(users > 0);
            }
            assert!(files > 0, "these are the files in which the user is");
        }
    }
    logs.assert_contains("sqlx");
    logs.assert_contains("a request failed");
}

/// LEAK-2
#[tokio::test]
async fn debug_of_what_holds_a_secret_does_not_show_it() {
    let app = App::new(Store::Memory).await;
    let [first, second, ..] = PASSWORDS;
    app.post("/api/users").json(json!({"email": EMAIL, "password": first})).await.expect_status(200);
    let session = app.auth.login(Login::email(EMAIL, first)).await.unwrap();
    let secret = session.token.secret.expose().to_owned();
    let shown = [
        format!("{:?}", Login::email(EMAIL, first)),
        format!("{:?}", Register::<gatekit::NoProfile>::email(EMAIL, first)),
        format!("{:?}", ChangePassword::new(1, first, second)),
        format!("{:?}", PasswordReset::new(secret.as_str(), second)),
        format!("{:?}", ConfirmEmail::new("1", secret.as_str())),
        format!("{:?}", ChangeEmail::new(secret.as_str())),
        format!("{:?}", RequestEmailChange::new(1, first, "x@x.com")),
        format!("{:?}", DeleteAccount::new(1, first)),
        format!("{:?}", UpdateUser::patch(1, json!({"password": first, "x": second}).as_object().unwrap().clone())),
        format!("{:?}", app.auth.list_tokens(&session.user.id).await),
        format!("{session:?} {:?} {:?}", session.token, session.token.secret),
        format!("{:?}", session.token.record),
        format!("{:?}", app.auth.authenticate(&secret).await),
        format!("{:?}", gatekit::PresentedToken(secret.as_str().into())),
        format!("{:?} {:?}", app.auth, app.auth.hasher()),
        format!("{:?}", gatekit::AuthLayer::new(app.auth.clone())),
        format!("{:?}", gatekit::core::Password::from(first)),
        format!("{:?}", gatekit::core::PasswordHash::from_stored(first)),
    ];
    for text in shown {
        for secret in [first, second, &secret] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

/// 16.2.5: a client that puts its token where an id belongs does not put it into the log.
#[tokio::test]
async fn a_token_in_the_place_of_an_id_is_not_logged() {
    let app = App::loopback(Store::Memory).await;
    let token = app.signed_up().await;
    let logs = LogCapture::new();
    let guard = logs.start();
    app.get(&format!("/api/users/{token}")).await.expect_status(401);
    app.get(&format!("/api/users/{}", "7".repeat(5000))).await.expect_status(401);
    app.get("/api/users/2").await.expect_status(401);
    app.get(&format!("/api/users/{token}")).token(&app.token_of(EMAIL).await).await.expect_status(401);
    drop(guard);
    logs.assert_contains("target=Some(\"(withheld)\")");
    logs.assert_contains("target=\"(withheld)\"");
    logs.assert_contains("target=Some(\"2\")");
    logs.assert_free_of(&[&*token, &*"7".repeat(257)]);
}
