//! Every call of every route to the store fails, hangs, answers too late, or does what it should
//! and says that it did not: the client gets 503 in the kit's shape and is told to come back, and
//! afterwards either everything has happened or nothing.
//!
//! What hangs runs under paused time, over the store in memory. The time limit is put around any
//! store alike; over SQLite, whose thread knows no paused time, the faults that take no time are
//! tried.

use std::future::IntoFuture;
use std::time::Duration;

use gatekit::{Hasher, Policy};
use gatekit_testkit::Fault::{self, Fail, FailAfter, Hang, Late};
use gatekit_testkit::MailBehavior;
use gatekit_tests::{App, Call, EMAIL, PASSWORD, Store};
use serde_json::json;

const NEW: &str = "staple battery horse";
const NEWCOMER: &str = "second@bar.com";
/// The address that user 1 is to have.
const OTHER: &str = "other@bar.com";

/// Later than `policy.store.timeout`, and sooner.
const TOO_LATE: Fault = Late(Duration::from_secs(10));
const IN_TIME: Fault = Late(Duration::from_secs(1));

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flow {
    Register,
    Login,
    LoginWithToken,
    Logout,
    FindUser,
    ChangePassword,
    RequestReset,
    Reset,
    ResetWithLoginToken,
    Me,
    Maybe,
    Patch,
    PatchEmail,
    PatchPassword,
    Replace,
    Delete,
    DeleteAccount,
    StepUp,
    Verify,
    Resend,
    Confirm,
    RequestEmailChange,
    ConfirmEmailChange,
    Sessions,
    EndSession,
    LogoutEverywhere,
    LogoutOthers,
    Renew,
}

const FLOWS: [Flow; 28] = [
    Flow::Register,
    Flow::Login,
    Flow::LoginWithToken,
    Flow::Logout,
    Flow::FindUser,
    Flow::ChangePassword,
    Flow::RequestReset,
    Flow::Reset,
    Flow::ResetWithLoginToken,
    Flow::Me,
    Flow::Maybe,
    Flow::Patch,
    Flow::PatchEmail,
    Flow::PatchPassword,
    Flow::Replace,
    Flow::Delete,
    Flow::DeleteAccount,
    Flow::StepUp,
    Flow::Verify,
    Flow::Resend,
    Flow::Confirm,
    Flow::RequestEmailChange,
    Flow::ConfirmEmailChange,
    Flow::Sessions,
    Flow::EndSession,
    Flow::LogoutEverywhere,
    Flow::LogoutOthers,
    Flow::Renew,
];

impl Flow {
    /// Whether this call comes after the step that counts: a password is changed whether or not the
    /// rows of dead tokens are gone.
    fn is_clearing_up(self, call: &str) -> bool {
        match self {
            Self::Delete | Self::DeleteAccount => {
                ["delete_tokens_of", "delete_one_time_of", "forget_devices_of", "roles_of"].contains(&call)
            }
            // The change is the same however often it is made: who takes the secret is who made it.
            Self::Confirm => false,
            Self::Renew => call == "update_token",
            _ => ["carry_token_over", "delete_tokens_of", "spend_one_time"].contains(&call),
        }
    }

    /// Whether the step that counts was made, although its answer was lost.
    fn is_done(self, call: &str, fault: Fault) -> bool {
        // It goes on with the token that is found stored.
        if self == Self::StepUp && call == "insert_token" && fault == FailAfter {
            return true;
        }
        let steps = ["create_user", "delete_token", "set_password", "update_user", "delete_user", "bump_rev"];
        (self == Self::Confirm && call == "spend_one_time")
            || (steps.contains(&call) && matches!(fault, FailAfter | Late(_)))
    }

    /// Whether the store is asked again when this call fails: a change that was made is told as
    /// made.
    fn finds_out(self, call: &str) -> bool {
        let found_out =
            ["set_password", "update_user", "delete_user", "create_user", "insert_token", "delete_token", "bump_rev"];
        // Whoever removes the old token gets the new one: that it is gone does not tell who has
        // removed it.
        found_out.contains(&call) && !(self == Self::StepUp && call == "delete_token")
    }

    /// Whether a mail belongs to it.
    fn sends_mail(self) -> bool {
        matches!(
            self,
            Self::RequestReset
                | Self::Verify
                | Self::Resend
                | Self::RequestEmailChange
                | Self::PatchEmail
                | Self::Replace
                | Self::ConfirmEmailChange
        )
    }
}

/// An app with a user, who is logged in twice and has mails to reset the password, to prove the
/// address, and to change it.
struct World {
    app: App,
    token: String,
    other: String,
    /// The handle of the other token.
    handle: String,
    secret: String,
    verify: String,
    change: String,
    /// How many mails there are.
    mails: usize,
}

impl World {
    async fn new(store: Store, flow: Flow) -> Self {
        // LoopBack's policy: there a token is looked at on open routes too.
        let mut policy = Policy::loopback();
        policy.tokens.renew_after = (flow == Flow::Renew).then_some(600);
        let app = App::with(policy).start(store).await;
        let token = app.signed_up().await;
        let (other, secret) = (app.token_of(EMAIL).await, app.reset_token().await);
        let (verify, change) = (app.verification_token(1).await, app.change_email_token(&token, OTHER).await);
        let sessions = app.get("/api/users/sessions").token(&other).await.value();
        let current = sessions.as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
        let handle = current["id"].as_str().unwrap().to_owned();
        if flow == Flow::Renew {
            app.clock.advance(Duration::from_secs(660));
        }
        app.faults.reset();
        let mails = app.mails.attempts();
        Self { app, token, other, handle, secret, verify, change, mails }
    }

    fn call(&self, flow: Flow) -> Call {
        let app = &self.app;
        match flow {
            Flow::Register => {
                app.post("/api/users").json(json!({"email": NEWCOMER, "password": PASSWORD, "username": "Bar"}))
            }
            Flow::Login => app.login(EMAIL, PASSWORD),
            Flow::LoginWithToken => app.login(EMAIL, PASSWORD).token(&self.token),
            Flow::Logout => app.post("/api/users/logout").token(&self.token),
            Flow::FindUser => app.get("/api/users/1").token(&self.token),
            Flow::ChangePassword => {
                let body = json!({"oldPassword": PASSWORD, "newPassword": NEW});
                app.post("/api/users/change-password").token(&self.token).json(body)
            }
            Flow::RequestReset => app.post("/api/users/reset").json(json!({"email": EMAIL})),
            Flow::Reset => app.reset_password(&self.secret, NEW),
            Flow::ResetWithLoginToken => app.reset_password(&self.token, NEW),
            Flow::Me | Flow::Renew => app.get("/me").token(&self.token),
            Flow::Patch => app.patch("/api/users/1").token(&self.token).json(json!({"username": "Bar"})),
            Flow::PatchEmail => app.patch("/api/users/1").token(&self.token).json(json!({"email": OTHER})),
            Flow::PatchPassword => app.patch("/api/users/1").token(&self.token).json(json!({"password": NEW})),
            Flow::Replace => app.put("/api/users/1").token(&self.token).json(json!({"email": OTHER, "password": NEW})),
            Flow::Delete => app.delete("/api/users/1").token(&self.token),
            Flow::DeleteAccount => {
                app.post("/api/users/delete-account").token(&self.token).json(json!({"password": PASSWORD}))
            }
            Flow::StepUp => app.post("/api/users/step-up").token(&self.token).json(json!({"password": PASSWORD})),
            Flow::Verify => app.post("/api/users/1/verify"),
            Flow::Resend => app.post("/api/users/resend-verification").json(json!({"email": EMAIL})),
            Flow::Confirm => app.confirm(1, &self.verify),
            Flow::RequestEmailChange => app.change_email(&self.token, "third@bar.com"),
            Flow::ConfirmEmailChange => app.confirm_email_change(&self.change).token(&self.token),
            Flow::Sessions => app.get("/api/users/sessions").token(&self.token),
            Flow::EndSession => app.delete(&format!("/api/users/sessions/{}", self.handle)).token(&self.token),
            Flow::LogoutEverywhere => app.post("/api/users/logout-everywhere").token(&self.token),
            Flow::LogoutOthers => {
                app.post("/api/users/logout-everywhere").token(&self.token).json(json!({"keepCurrent": true}))
            }
            Flow::Maybe => app.get("/maybe").token(&self.token),
        }
    }

    /// The store is well again. Panics if something is half done.
    async fn assert_whole(&self, flow: Flow, done: bool, context: &str) {
        let app = &self.app;
        app.faults.reset();
        let status = async |request: Call| request.await.status.as_u16();
        let expected = |when_done: u16, when_not: u16| if done { when_done } else { when_not };
        match flow {
            Flow::Register => {
                assert_eq!(status(app.login(NEWCOMER, PASSWORD)).await, expected(200, 401), "{context}");
                assert_eq!(status(self.call(flow)).await, expected(422, 200), "{context}: again");
                assert_eq!(status(app.login(NEWCOMER, PASSWORD)).await, 200, "{context}");
            }
            Flow::Logout => {
                assert_eq!(status(app.get("/me").token(&self.token)).await, expected(401, 200), "{context}");
                assert_eq!(status(self.call(flow)).await, expected(401, 204), "{context}: again");
                assert_eq!(status(app.get("/me").token(&self.token)).await, 401, "{context}");
            }
            Flow::ChangePassword | Flow::Reset | Flow::ResetWithLoginToken | Flow::PatchPassword => {
                assert_eq!(status(app.login(EMAIL, PASSWORD)).await, expected(401, 200), "{context}: the old password");
                assert_eq!(status(app.login(EMAIL, NEW)).await, expected(200, 401), "{context}: the new password");
                assert_eq!(
                    status(app.get("/me").token(&self.other)).await,
                    expected(401, 200),
                    "{context}: the other token"
                );
                assert_eq!(
                    status(app.reset_password(&self.secret, NEW)).await,
                    expected(401, 204),
                    "{context}: the secret"
                );
            }
            Flow::Patch => {
                let name = app.get("/me").token(&self.token).await.text("username");
                assert_eq!(name, if done { "Bar" } else { "Foo" }, "{context}");
                assert_eq!(status(self.call(flow)).await, 200, "{context}: again");
            }
            Flow::PatchEmail | Flow::Replace | Flow::ConfirmEmailChange => {
                let new = if flow == Flow::Replace { NEW } else { PASSWORD };
                assert_eq!(status(app.login(EMAIL, PASSWORD)).await, expected(401, 200), "{context}: the old address");
                assert_eq!(status(app.login(OTHER, new)).await, expected(200, 401), "{context}: the new address");
                assert_eq!(
                    status(app.get("/me").token(&self.other)).await,
                    expected(401, 200),
                    "{context}: the other token"
                );
                if done {
                    assert_eq!(status(app.reset_password(&self.secret, NEW)).await, 401, "{context}: the secret");
                }
                let request = app.confirm_email_change(&self.change);
                // The secret that has changed the address says so again; another change has ended
                // it.
                let again = if flow == Flow::ConfirmEmailChange { 200 } else { 400 };
                assert_eq!(status(request).await, expected(again, 200), "{context}: what was mailed");
            }
            Flow::Delete | Flow::DeleteAccount => {
                assert_eq!(status(app.login(EMAIL, PASSWORD)).await, expected(401, 200), "{context}");
                for token in [&self.token, &self.other] {
                    assert_eq!(status(app.get("/me").token(token)).await, expected(401, 200), "{context}");
                }
                if !done {
                    assert!(self.call(flow).await.status.is_success(), "{context}: again");
                    assert_eq!(status(app.get("/me").token(&self.other)).await, 401, "{context}: again");
                }
            }
            Flow::StepUp => {
                assert_eq!(status(app.get("/me").token(&self.token)).await, expected(401, 200), "{context}");
                assert_eq!(status(app.get("/me").token(&self.other)).await, 200, "{context}");
                assert_eq!(status(self.call(flow)).await, expected(401, 200), "{context}: again");
            }
            Flow::Confirm => {
                let verified = async || app.get("/me").token(&self.token).await.value()["emailVerified"] == true;
                assert_eq!(verified().await, done, "{context}");
                let again = status(self.call(flow)).await;
                assert!(again == 204 || (done && again == 400), "{context}: again {again}");
                assert!(verified().await, "{context}: again");
            }
            Flow::EndSession => {
                assert_eq!(status(app.get("/me").token(&self.other)).await, expected(401, 200), "{context}");
                assert_eq!(status(app.get("/me").token(&self.token)).await, 200, "{context}");
                assert_eq!(status(self.call(flow)).await, expected(404, 204), "{context}: again");
            }
            Flow::LogoutEverywhere | Flow::LogoutOthers => {
                assert_eq!(status(app.get("/me").token(&self.other)).await, expected(401, 200), "{context}");
                let own = status(app.get("/me").token(&self.token)).await;
                if flow == Flow::LogoutEverywhere || !done {
                    assert_eq!(own, expected(401, 200), "{context}");
                }
            }
            Flow::Login
            | Flow::LoginWithToken
            | Flow::FindUser
            | Flow::RequestReset
            | Flow::Me
            | Flow::Maybe
            | Flow::Verify
            | Flow::Resend
            | Flow::RequestEmailChange
            | Flow::Sessions
            | Flow::Renew => {
                assert_eq!(status(app.get("/me").token(&self.token)).await, 200, "{context}: the token lives");
            }
        }
        if !flow.sends_mail() {
            assert_eq!(app.mails.attempts(), self.mails, "{context}: mails");
        }
    }
}

/// Makes each call of each flow go wrong in each of these ways.
async fn try_all(store: Store, faults: &[Fault]) {
    for flow in FLOWS {
        let world = World::new(store, flow).await;
        let well = world.call(flow).await;
        assert!(well.status.is_success(), "{flow:?}: {well:?}");
        let calls = world.app.faults.calls();
        assert!(!calls.is_empty(), "{flow:?}");
        for (number, call) in calls.iter().enumerate() {
            for fault in faults {
                let context = format!("{flow:?}, call {} ({call}), {fault:?}", number + 1);
                let world = World::new(store, flow).await;
                world.app.faults.nth(number + 1, *fault);
                let request = tokio::time::timeout(Duration::from_secs(3600), world.call(flow));
                let answer = request.await.unwrap_or_else(|_| panic!("{context}: no answer"));
                let counts = !flow.is_clearing_up(call);
                if *fault == IN_TIME || !counts || (*fault == FailAfter && flow.finds_out(call)) {
                    assert_eq!(answer.status, well.status, "{context}: {answer:?}");
                } else {
                    assert_eq!(answer.status, 503, "{context}: {answer:?}");
                    answer.expect_unavailable();
                    // Of a change that was made although the answer says 503 the user is told all
                    // the same.
                    if !flow.is_done(call, *fault) {
                        assert_eq!(world.app.mails.attempts(), world.mails, "{context}: a mail was sent");
                    }
                }
                let done = *fault == IN_TIME || !counts || flow.is_done(call, *fault);
                world.assert_whole(flow, done, &context).await;
            }
        }
    }
}

/// REL-1, REL-2, REL-3, REL-4, REL-5, V-48, 16.5.2, 16.5.3
#[tokio::test(start_paused = true)]
async fn each_call_of_each_route_fails_hangs_and_comes_late() {
    try_all(Store::Memory, &[Fail, FailAfter, Hang, TOO_LATE, IN_TIME]).await;
}

/// REL-1, REL-2, REL-3, REL-4, REL-5
#[tokio::test]
async fn each_call_of_each_route_fails_on_sqlite_too() {
    try_all(Store::Sqlite, &[Fail, FailAfter]).await;
}

/// REL-1: a store that is down is never "nobody", whether or not the route insists on a user.
#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_is_503_and_never_anonymous() {
    for fault in [Fail, FailAfter, Hang, TOO_LATE] {
        let world = World::new(Store::Memory, Flow::Me).await;
        world.app.faults.every(fault);
        for token in [world.token.as_str(), "bogus"] {
            for path in ["/me", "/maybe", "/api/users/1", "/api/users/sessions"] {
                world.app.get(path).token(token).await.expect_unavailable();
            }
            let queried = world.app.get(&format!("/maybe?access_token={token}")).await.expect_unavailable();
            assert_eq!(queried.header("cache-control"), "no-store");
            for path in [
                "logout",
                "reset-password",
                "change-password",
                "logout-everywhere",
                "change-email",
                "confirm-email-change",
                "delete-account",
                "step-up",
                "1/verify",
                "1/replace",
            ] {
                world.app.post(&format!("/api/users/{path}")).token(token).json("{}").await.expect_unavailable();
            }
            for method in ["PATCH", "PUT", "DELETE"] {
                world.app.call(method, "/api/users/1").token(token).json("{}").await.expect_unavailable();
            }
            world.app.delete("/api/users/sessions/x").token(token).await.expect_unavailable();
        }
        world.app.confirm(1, &world.verify).await.expect_unavailable();
        world.app.confirm_email_change(&world.change).await.expect_unavailable();
        // Who brings no token asks the store nothing.
        world.app.get("/maybe").await.is(200, "anonymous");
        world.app.get("/open").token(&world.token).await.expect_status(200);
        world.app.me("").await.expect_status(401);
    }
}

/// 6.3.8: also when the store is down, nobody learns whether an address is known.
#[tokio::test]
async fn a_known_and_an_unknown_address_fail_alike() {
    for policy in [Policy::default(), Policy::loopback()] {
        for call in 1..=2 {
            let app = App::with(policy.clone()).start(Store::Memory).await;
            app.sign_up().await;
            let ask = async |path: &str, email: &str| {
                app.faults.reset();
                app.faults.nth(call, Fail);
                app.post(path).json(json!({"email": email, "password": PASSWORD})).await
            };
            let (known, unknown) =
                (ask("/api/users/reset", EMAIL).await, ask("/api/users/reset", "nobody@bar.com").await);
            if call == 1 || !policy.reveal.unknown_email_on_reset {
                assert_eq!(known.expect_unavailable().as_sent(), unknown.expect_unavailable().as_sent());
            }
            let (known, unknown) =
                (ask("/api/users/login", EMAIL).await, ask("/api/users/login", "nobody@bar.com").await);
            if call == 1 {
                assert_eq!(known.expect_unavailable().as_sent(), unknown.expect_unavailable().as_sent());
            }
        }
        for call in 1..=2 {
            let app = App::with(policy.clone()).start(Store::Memory).await;
            app.sign_up().await;
            let ask = async |email: &str| {
                app.faults.reset();
                app.faults.nth(call, Fail);
                app.post("/api/users/resend-verification").json(json!({"email": email})).await.expect_unavailable()
            };
            assert_eq!(ask(EMAIL).await.as_sent(), ask("nobody@bar.com").await.as_sent());
        }
    }
}

/// LOAD-1: one hash runs, one request waits, the rest is told to come back, for a known user as for
/// an unknown one.
#[test]
fn a_full_queue_of_the_hasher_is_503_with_when_to_come_back() {
    // One thread to hash on, which the test keeps busy for as long as it needs.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let hasher =
            Hasher::builder().memory_kib(8).iterations(1).permits(1).queue(1).insecure_below_minimum().build().unwrap();
        let app = App::with(Policy::loopback()).hasher(hasher).start(Store::Memory).await;
        let token = app.signed_up().await;
        let secret = app.reset_token().await;
        // No request waits for what others are doing: two logins are kept waiting until the end.
        app.mails.behave(MailBehavior::Hang);
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || wait.recv());
        let admitted: Vec<_> = (0..2).map(|_| tokio::spawn(app.login(EMAIL, PASSWORD).into_future())).collect();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        let hashes = app.auth.hasher().hashes();
        for request in [
            app.login(EMAIL, PASSWORD),
            app.login(EMAIL, "wrong"),
            app.login("nobody@bar.com", PASSWORD),
            app.post("/api/users").json(json!({"email": NEWCOMER, "password": PASSWORD})),
            app.post("/api/users/change-password")
                .token(&token)
                .json(json!({"oldPassword": PASSWORD, "newPassword": NEW})),
            app.reset_password(&secret, NEW),
            app.patch("/api/users/1").token(&token).json(json!({"password": NEW})),
            app.put("/api/users/1").token(&token).json(json!({"email": EMAIL, "password": NEW})),
            app.post("/api/users").json(json!([{"email": NEWCOMER, "password": PASSWORD}])),
            app.change_email(&token, NEWCOMER),
            app.post("/api/users/delete-account").token(&token).json(json!({"password": PASSWORD})),
            app.post("/api/users/step-up").token(&token).json(json!({"password": PASSWORD})),
        ] {
            request.await.expect_unavailable();
        }
        // Who does not need a hash is not kept waiting.
        app.me(&token).await.expect_status(200);
        assert_eq!(app.auth.hasher().hashes(), hashes);
        go_on.send(()).unwrap();
        busy.await.unwrap().unwrap();
        for login in admitted {
            login.await.unwrap().expect_status(200);
        }
        app.login(NEWCOMER, PASSWORD).await.expect(401, "LOGIN_FAILED");
        app.reset_password(&secret, NEW).await.expect_no_content();
    });
}
