//! What an app hears of: each login, refusal, change and misused secret, once, with its time and
//! its client (16.2.1, 16.3.1, 16.3.3).

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use axum::Extension;
use gatekit::core::{EventContext, LoginFailure, PasswordAttempt, PasswordUse, TriedIdentifier};
use gatekit::{ClientIp, Event, HookVeto, Hooks, Policy, User, async_trait};
use gatekit_tests::{App, Call, EMAIL, PASSWORD, Store, on_every_store};
use serde_json::json;

const AGENT: &str = "Mozilla/5.0 (a test)";
const NEW: &str = "another long password";

/// An app that knows where requests come from.
async fn start(policy: Policy, store: Store) -> App {
    let mut app = App::with(policy).start(store).await;
    app.router = app.router.clone().layer(Extension(ClientIp(IpAddr::from([203, 0, 113, 7]))));
    app
}

fn here(call: Call) -> Call {
    call.header("user-agent", AGENT)
}

/// The names of the events since the last call. Each says when it happened and from where.
#[track_caller]
fn names(app: &App) -> Vec<&'static str> {
    let now = gatekit::core::Clock::now(&app.clock);
    let check = |(event, context): (Event<User>, EventContext)| {
        let client = (context.client.network.as_deref(), context.client.user_agent.as_deref());
        assert_eq!((context.at, client), (now, (Some("203.0.113.0/24"), Some(AGENT))), "{event:?}");
        event.name()
    };
    app.events.take_with_context().into_iter().map(check).collect()
}

on_every_store! {
    async fn each_step_of_an_account_is_one_event_with_its_time_and_client(store) {
        let app = start(Policy::default(), store).await;
        let post = |path: &str| here(app.post(&format!("/api/users{path}")));
        here(app.post("/api/users")).json(json!({"email": EMAIL, "password": PASSWORD, "username": "Foo"})).await.expect_status(200);
        assert_eq!(names(&app), ["user_created"]);
        let log_in = async |password: &str| {
            post("/login").json(json!({"email": EMAIL, "password": password})).await.expect_status(200).text("id")
        };
        let token = log_in(PASSWORD).await;
        assert_eq!(names(&app), ["authn_login_success"]);
        post("/step-up").token(&token).json(json!({"password": "wrong"})).await.expect_status(400);
        let token = post("/step-up").token(&token).json(json!({"password": PASSWORD})).await.expect_status(200).text("id");
        assert_eq!(names(&app), ["authn_password_fail", "authn_step_up_success"]);
        here(app.patch("/api/users/1")).token(&token).json(json!({"username": "Bar"})).await.expect_status(200);
        assert_eq!(names(&app), ["user_updated"]);
        let change = |old: &str| post("/change-password").token(&token).json(json!({"oldPassword": old, "newPassword": NEW}));
        change("wrong").await.expect_status(400);
        assert_eq!(names(&app), ["authn_password_fail"]);
        change(PASSWORD).await.expect_no_content();
        assert_eq!(names(&app), ["authn_password_change"]);
        post("/reset").json(json!({"email": EMAIL})).await.expect_status(204);
        assert_eq!(names(&app), ["authn_password_reset_requested"]);
        post("/change-email").token(&token).json(json!({"password": "wrong", "email": "new@bar.com"})).await.expect_status(400);
        post("/change-email").token(&token).json(json!({"password": NEW, "email": "new@bar.com"})).await.expect_status(204);
        assert_eq!(names(&app), ["authn_password_fail", "email_change_requested"]);
        post("/logout-everywhere").token(&token).await.expect_no_content();
        assert_eq!(names(&app), ["authn_token_revoked_all"]);
        let token = log_in(NEW).await;
        post("/logout").token(&token).await.expect_no_content();
        assert_eq!(names(&app), ["authn_login_success", "authn_token_revoked"]);
        let token = log_in(NEW).await;
        post("/delete-account").token(&token).json(json!({"password": "wrong"})).await.expect_status(400);
        post("/delete-account").token(&token).json(json!({"password": NEW})).await.expect_no_content();
        assert_eq!(names(&app), ["authn_login_success", "authn_password_fail", "user_deleted"]);
    }

    /// A name that no account has may be a password, so it is kept nowhere.
    async fn a_failed_login_says_why_and_what_was_tried(store) {
        let app = start(Policy::default(), store).await;
        app.sign_up().await;
        let _ = app.events.take();
        let email = |address: &str| Some(TriedIdentifier::Email(address.into()));
        let (unknown, wrong) = (LoginFailure::UnknownAccount, LoginFailure::WrongPassword);
        for (who, known, identifier, reason) in [
            (json!({"email": EMAIL}), true, email(EMAIL), wrong),
            (json!({"email": "FOO@bar.com"}), true, email(EMAIL), wrong),
            (json!({"email": "nobody@bar.com"}), false, email("nobody@bar.com"), unknown),
            (json!({"email": "hunter2 hunter2"}), false, Some(TriedIdentifier::Withheld), unknown),
            (json!({"username": "Foo"}), true, Some(TriedIdentifier::Username("Foo".into())), wrong),
            (json!({"username": "correct horse battery"}), false, Some(TriedIdentifier::Withheld), unknown),
            (json!({"username": "x".repeat(5000)}), false, Some(TriedIdentifier::Withheld), unknown),
            (json!({"username": "nul\u{0}"}), false, Some(TriedIdentifier::Withheld), unknown),
        ] {
            let mut body = who.clone();
            body["password"] = "wrong".into();
            here(app.post("/api/users/login")).json(body).await.expect(401, "LOGIN_FAILED");
            let events = app.events.take();
            let [Event::LoginFailed { user_id, identifier: tried, reason: why }] = &events[..] else { panic!("{events:?}") };
            assert_eq!((user_id.is_some(), tried, *why), (known, &identifier, reason), "{who}");
        }
    }

    /// 6.2.11, wherever a password is chosen.
    async fn the_own_address_name_and_site_are_no_passwords(store) {
        let mut policy = Policy::default();
        policy.passwords.reject_changes_via_patch_or_replace = false;
        policy.passwords.context_words = vec!["projectquux".into()];
        let app = App::with(policy).configure(|auth| auth.site_name("Zorbalon Shop")).start(store).await;
        let (address, code) = ("quillfeather@zebrafinch.com", "PASSWORD_TOO_GUESSABLE");
        let sign_up = |password: &str| {
            let body = json!({"email": address, "username": "vorticella", "password": password});
            app.post("/api/users").json(body)
        };
        let expected = [address, "Quillfeather", "quillfeather1815", "vorticella", "Zorbalon2026!", "zorbalon-shop", "PROJECTQUUX2026"];
        for password in expected {
            sign_up(password).await.expect(422, code);
        }
        sign_up("correct zorbalon battery staple horse").await.expect_status(200);
        let login = app.login(address, "correct zorbalon battery staple horse").await.expect_status(200);
        let token = login.text("id");
        let secret = app.auth.request_password_reset(gatekit::RequestPasswordReset::email(address)).await.map(|()| {
            let events = app.events.take();
            let Some(Event::PasswordResetRequested { token, .. }) = events.last() else { panic!("{events:?}") };
            token.expose().to_owned()
        });
        let secret = secret.unwrap();
        for password in ["Quillfeather1815", "vorticella", "zorbalon-shop"] {
            let body = json!({"oldPassword": "correct zorbalon battery staple horse", "newPassword": password});
            app.post("/api/users/change-password").token(&token).json(body).await.expect(422, code);
            app.reset_password(&secret, password).await.expect(422, code);
            app.patch("/api/users/1").token(&token).json(json!({"password": password})).await.expect(422, code);
        }
        // The name that the same change chooses.
        let both = json!({"username": "murgatroyd", "password": "murgatroyd-1906"});
        app.patch("/api/users/1").token(&token).json(both).await.expect(422, code);

        let app = App::loopback(store).await;
        app.post("/api/users").json(json!({"email": address, "password": address})).await.expect_status(200);
    }

    async fn a_secret_that_is_forged_or_used_is_an_event(store) {
        let app = start(Policy::default(), store).await;
        app.sign_up().await;
        let secret = app.reset_token().await;
        app.reset_password(&secret, NEW).await.expect_no_content();
        let _ = app.events.take();
        let forged = "x".repeat(64);
        for secret in [&secret, &forged] {
            here(app.reset_password(secret, PASSWORD)).await.expect_status(401);
            assert_eq!(names(&app), ["authn_secret_fail"]);
            here(app.confirm_email_change(secret)).await.expect_status(400);
            assert_eq!(names(&app), ["authn_secret_fail"]);
            here(app.confirm(1, secret)).await.expect_status(400);
            assert_eq!(names(&app), ["authn_secret_fail"]);
        }
    }

    async fn a_request_of_another_origin_is_an_event(store) {
        let app = start(Policy::default(), store).await;
        let token = app.signed_up().await;
        let _ = app.events.take();
        let origin = "https://evil.example";
        let foreign = |call: Call| here(call).header("sec-fetch-site", "cross-site").header("origin", origin);
        foreign(app.patch("/api/users/1").cookie(&token)).json(json!({"username": "Bar"})).await.expect(403, "CROSS_ORIGIN_REQUEST");
        assert_eq!(names(&app), ["malicious_cors"]);
        foreign(app.post("/api/users/login")).form("email=a&password=b").await.expect(403, "CROSS_ORIGIN_REQUEST");
        let events = app.events.take();
        assert!(matches!(&events[..], [Event::CrossOriginRefused { origin: Some(named) }] if named == origin), "{events:?}");
        let long = format!("https://{}.example", "e".repeat(5000));
        here(app.patch("/api/users/1").cookie(&token)).header("origin", &long).json(json!({})).await.expect_status(403);
        let events = app.events.take();
        assert!(matches!(&events[..], [Event::CrossOriginRefused { origin: Some(named) }] if named.len() == 256), "{events:?}");
    }

    /// A lock that is asked before the password is verified answers the same whether the account
    /// exists and whether the password is right; one that was built on `before_login` told both.
    async fn a_hook_before_verification_tells_nothing_of_account_and_password(store) {
        let lock = Lock::default();
        let locks = lock.clone();
        let app = App::with(Policy::default()).configure(move |auth| auth.hooks(locks)).start(store).await;
        let token = app.signed_up().await;
        let _ = app.events.take();
        lock.close();
        let mut answers = Vec::new();
        for (email, password) in [(EMAIL, PASSWORD), (EMAIL, "wrong"), ("nobody@bar.com", PASSWORD)] {
            let hashes = app.auth.hasher().hashes();
            app.faults.reset();
            let answer = app.login(email, password).await.expect(403, "LOCKED");
            answers.push((answer, app.auth.hasher().hashes() - hashes, app.faults.calls()));
            let events = app.events.take();
            let refused = matches!(&events[..], [Event::LoginFailed { user_id: None, reason: LoginFailure::Refused, .. }]);
            assert!(refused, "{events:?}");
        }
        assert_eq!(answers[0].1, 0);
        assert!(answers[0].2.is_empty(), "{:?}", answers[0].2);
        assert!(answers.iter().all(|(answer, hashes, calls)| {
            (&answer.body, *hashes, calls) == (&answers[0].0.body, answers[0].1, &answers[0].2)
        }));
        // Wherever the password is asked for.
        for (path, body) in [
            ("change-password", json!({"oldPassword": PASSWORD, "newPassword": NEW})),
            ("change-email", json!({"password": PASSWORD, "email": "new@bar.com"})),
            ("delete-account", json!({"password": PASSWORD})),
            ("step-up", json!({"password": PASSWORD})),
        ] {
            let hashes = app.auth.hasher().hashes();
            app.post(&format!("/api/users/{path}")).token(&token).json(body).await.expect(403, "LOCKED");
            assert_eq!(app.auth.hasher().hashes(), hashes, "{path}: the password was not looked at");
            let events = app.events.take();
            assert!(matches!(&events[..], [Event::PasswordRefused { user_id: Some(_), by_hook: true, .. }]), "{events:?}");
        }
        let uses: Vec<PasswordUse> = lock.tried().iter().map(|attempt| attempt.used_for).collect();
        let (login, rest) = uses.split_at(3);
        assert_eq!(login, [PasswordUse::Login; 3]);
        let others = [PasswordUse::ChangePassword, PasswordUse::ChangeEmail, PasswordUse::DeleteAccount, PasswordUse::StepUp];
        assert_eq!(rest, others);
        assert!(lock.tried().iter().all(|attempt| attempt.identifier.is_some() != attempt.user_id.is_some()));
    }
}

/// A hook that refuses every attempt once it is closed.
#[derive(Clone, Default)]
struct Lock(Arc<Mutex<Option<Vec<PasswordAttempt>>>>);

impl Lock {
    fn close(&self) {
        *self.0.lock().unwrap() = Some(Vec::new());
    }

    fn tried(&self) -> Vec<PasswordAttempt> {
        self.0.lock().unwrap().clone().unwrap_or_default()
    }
}

#[async_trait]
impl Hooks<User> for Lock {
    async fn before_verify(&self, attempt: &PasswordAttempt) -> Result<(), HookVeto> {
        match &mut *self.0.lock().unwrap() {
            Some(tried) => {
                tried.push(attempt.clone());
                Err(HookVeto::new("LOCKED", "Try again later"))
            }
            None => Ok(()),
        }
    }
}
