//! The client hangs up: whatever was committed then, all that follows it happens (REL-26, design
//! "The way of a change").

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use gatekit::core::{KnownAccount, MailKind};
use gatekit::{AccountStatus, Event, Policy, Register, UserId};
use gatekit_testkit::Fault;
use gatekit_tests::{App, Call, EMAIL, PASSWORD, Store, on_every_store, whole_or_nothing};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

const NEW: &str = "staple battery horse";
const OTHER: &str = "other@bar.com";
const BOB: &str = "bob@bar.com";

/// Makes the request of a flow.
type MakeCall = fn(&World) -> Call;

/// An app with a user in a role, who is logged in twice and has mails to reset the password and to
/// change the address, and a second user who has a mail to prove the address.
struct World {
    app: App,
    token: String,
    other: String,
    handle: String,
    reset: String,
    change: String,
    verify: String,
    mark: String,
    mails: usize,
}

impl World {
    async fn new(store: Store) -> Self {
        let mut policy = Policy::loopback();
        (policy.mail.notify_password_changed, policy.mail.notify_email_changed) = (true, true);
        (policy.mail.notify_unknown_device, policy.email.verification_required) = (true, true);
        let app = App::with(policy).start(store).await;
        let mut ada = Register::email(EMAIL, PASSWORD).username("Foo");
        ada.email_verified = Some(true);
        app.auth.register(ada).await.unwrap();
        app.auth.register(Register::email(BOB, PASSWORD)).await.unwrap();
        let (token, other) = (app.token_of(EMAIL).await, app.token_of(EMAIL).await);
        let (reset, verify) = (app.reset_token().await, app.verification_token(2).await);
        let change = app.change_email_token(&token, OTHER).await;
        app.auth.assign_role(&UserId::Int(1), "admin").await.unwrap();
        let sessions = app.get("/api/users/sessions").token(&other).await.value();
        let sessions = sessions.as_array().unwrap();
        let current = sessions.iter().find(|session| session["current"] == true).unwrap();
        let handle = current["id"].as_str().unwrap().to_owned();
        app.auth.settled().await;
        let _ = app.events.take();
        let mut world = Self { app, token, other, handle, reset, change, verify, mark: String::new(), mails: 0 };
        (world.mark, world.mails) = (world.mark_of(1).await, world.app.mails.attempts());
        world.app.faults.every(Fault::Yield);
        world
    }

    async fn mark_of(&self, id: i64) -> String {
        let account = self.app.auth.find_account_by_id(&UserId::Int(id)).await.unwrap();
        format!("{:?}", account.and_then(|account| account.password_mark))
    }

    /// What the users are, which rows they have, and who was told.
    async fn outcome(&self) -> String {
        let app = &self.app;
        app.auth.settled().await;
        let mut lines = Vec::new();
        for id in 1..=3 {
            let account = app.auth.find_account_by_id(&UserId::Int(id)).await.unwrap();
            let seen = account.map(|KnownAccount { user, rev, status, .. }| (user, rev, status));
            lines.push(format!("user {id}: {seen:?}, tokens and roles: {:?}", app.rows_of(id).await));
        }
        lines.push(format!("another password: {}", self.mark_of(1).await != self.mark));
        let events = app.events.events();
        let name = |event: &Event<_>| format!("{event:?}").split([' ', '{']).next().unwrap_or_default().to_owned();
        lines.push(format!("events: {:?}", events.iter().map(name).collect::<Vec<_>>()));
        let mut mails: Vec<MailKind> = app.mails.mails().iter().skip(self.mails).map(|mail| mail.kind).collect();
        mails.sort_by_key(|kind| kind.as_str());
        lines.push(format!("mails: {mails:?}"));
        lines.join("\n")
    }

    fn post(&self, path: &str) -> Call {
        self.app.post(&format!("/api/users/{path}"))
    }
}

async fn each(store: Store, flows: &[(&str, MakeCall)]) {
    for (name, call) in flows {
        let world = async || World::new(store).await;
        whole_or_nothing(name, world, async |world: &World| call(world).await, World::outcome).await;
    }
}

on_every_store! {
    /// REL-26
    async fn a_registration_a_login_and_what_ends_them_are_whole(store) {
        each(store, &[
            ("register", |w| w.app.post("/api/users").json(json!({"email": "c@bar.com", "password": PASSWORD}))),
            ("login", |w| w.app.login(EMAIL, PASSWORD).header("user-agent", "Another/1.0")),
            ("logout", |w| w.post("logout").token(&w.token)),
            ("step-up", |w| w.post("step-up").token(&w.token).json(json!({"password": PASSWORD}))),
            ("end session", |w| w.app.delete(&format!("/api/users/sessions/{}", w.handle)).token(&w.token)),
            ("logout everywhere", |w| w.post("logout-everywhere").token(&w.token)),
            ("logout others", |w| w.post("logout-everywhere").token(&w.token).json(json!({"keepCurrent": true}))),
        ])
        .await;
    }

    /// REL-26, REL-5
    async fn a_new_password_is_whole(store) {
        each(store, &[
            ("change password", |w| {
                let body = json!({"oldPassword": PASSWORD, "newPassword": NEW});
                w.post("change-password").token(&w.token).json(body)
            }),
            ("request reset", |w| w.post("reset").json(json!({"email": EMAIL}))),
            ("reset password", |w| w.app.reset_password(&w.reset, NEW)),
            ("reset password with a login token", |w| w.app.reset_password(&w.token, NEW)),
            ("patch password", |w| w.app.patch("/api/users/1").token(&w.token).json(json!({"password": NEW}))),
        ])
        .await;
    }

    /// REL-26
    async fn a_new_or_verified_address_is_whole(store) {
        each(store, &[
            ("request verification", |w| w.post("2/verify")),
            ("resend verification", |w| w.post("resend-verification").json(json!({"email": BOB}))),
            ("confirm", |w| w.app.confirm(2, &w.verify)),
            ("request email change", |w| w.app.change_email(&w.token, "third@bar.com")),
            ("confirm email change", |w| w.app.confirm_email_change(&w.change).token(&w.token)),
            ("patch email", |w| w.app.patch("/api/users/1").token(&w.token).json(json!({"email": OTHER}))),
            ("replace", |w| {
                w.app.put("/api/users/1").token(&w.token).json(json!({"email": OTHER, "password": NEW}))
            }),
        ])
        .await;
    }

    /// REL-26: roles, tokens and the event of a user who is removed.
    async fn a_removal_is_whole(store) {
        each(store, &[
            ("delete account", |w| w.post("delete-account").token(&w.token).json(json!({"password": PASSWORD}))),
            ("delete user", |w| w.app.delete("/api/users/1").token(&w.token).json(json!({"password": PASSWORD}))),
        ])
        .await;
    }

    /// REL-26: what only the app's own code can do.
    async fn a_change_from_code_is_whole(store) {
        let world = async || World::new(store).await;
        let block = async |w: &World| w.app.auth.set_account_status(&UserId::Int(1), AccountStatus::Blocked).await;
        whole_or_nothing("block", world, block, World::outcome).await;
        let unassign = async |w: &World| w.app.auth.unassign_role(&UserId::Int(1), "admin").await;
        whole_or_nothing("unassign a role", world, unassign, World::outcome).await;
        let code = async |w: &World| w.app.auth.request_email_code(gatekit::core::RequestEmailCode::new(2)).await;
        whole_or_nothing("request an email code", world, code, World::outcome).await;
    }

    /// The same over TCP: hyper drops the handler's future when the connection is reset while the
    /// password is being stored.
    async fn a_connection_that_is_reset_after_the_commit_loses_nothing(store) {
        let world = World::new(store).await;
        let (app, gone) = (&world.app, Gone::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = app.router.clone().layer(from_fn_with_state(gone.clone(), tell_when_dropped));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });

        app.faults.reset();
        let held = app.faults.hold_nth_call_of("set_password", 1);
        let body = json!({"oldPassword": PASSWORD, "newPassword": NEW}).to_string();
        let mut client = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /api/users/change-password HTTP/1.1\r\nhost: app.example.com\r\nauthorization: {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            world.token,
            body.len()
        );
        client.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        held.reached().await;
        drop(client);
        gone.wait().await;
        assert!(app.events.events().is_empty(), "the commit is not known yet");
        held.release();

        app.auth.settled().await;
        assert!(matches!(&app.events.take()[..], [Event::PasswordChanged { .. }]));
        let notices = app.mails.mails().iter().filter(|mail| mail.kind == MailKind::PasswordChanged).count();
        assert_eq!(notices, 1);
        app.me(&world.other).await.expect_status(401);
        server.abort();
    }
}

/// That the future of a handler was dropped.
#[derive(Clone, Default)]
struct Gone(std::sync::Arc<tokio::sync::Notify>);

impl Gone {
    async fn wait(&self) {
        tokio::time::timeout(Duration::from_secs(60), self.0.notified()).await.expect("the handler is dropped");
    }
}

async fn tell_when_dropped(State(gone): State<Gone>, request: Request, next: Next) -> Response {
    let _tells = Tells(gone);
    next.run(request).await
}

struct Tells(Gone);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.0.notify_one();
    }
}
