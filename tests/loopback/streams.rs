//! Responses that last: a WebSocket is open no longer than the token it was opened with.

use std::time::Duration;

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use axum::routing::get;
use gatekit::{
    AccountStatus, Auth, AuthLayer, AuthUser, Caller, IssueToken, MemoryStore, Policy, SqliteStore, TokenEnd,
};
use gatekit_testkit::{Fault, FrozenClock, fast_hasher};
use gatekit_tests::{Answer, App, EMAIL, Folder, PASSWORD, Store, on_every_store};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

/// Answers what it gets, and closes with the reason when the caller's token ends.
async fn echo(upgrade: WebSocketUpgrade, _: AuthUser, Caller(caller): Caller) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        let end = tokio::select! {
            end = caller.ended() => end,
            () = answer(&mut socket) => return,
        };
        let reason = format!("{end:?}").into();
        let _ = socket.send(Message::Close(Some(CloseFrame { code: close_code::POLICY, reason }))).await;
    })
}

async fn answer(socket: &mut WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if let Message::Text(_) = message
            && socket.send(message).await.is_err()
        {
            return;
        }
    }
}

/// A client of WebSockets, as small as it can be (RFC 6455).
struct Socket(TcpStream);

impl Socket {
    /// Opens one with these headers, or gives the status that was answered.
    async fn try_open(auth: &Auth, headers: &str) -> Result<Self, u16> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let app = Router::new().route("/ws", get(echo)).layer(AuthLayer::new(auth.clone()));
        tokio::spawn(async { axum::serve(listener, app).await });
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: app.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(within(stream.read_u8()).await.unwrap());
        }
        let status = String::from_utf8(head).unwrap()["HTTP/1.1 ".len()..][..3].parse().unwrap();
        if status == 101 { Ok(Self(stream)) } else { Err(status) }
    }

    async fn open(auth: &Auth, token: &str) -> Self {
        let mut socket = Self::try_open(auth, &format!("Authorization: {token}\r\n")).await.unwrap();
        socket.expect_open().await;
        socket
    }

    /// Sends a text and gets it back.
    async fn expect_open(&mut self) {
        // Final, text, masked with zeros.
        self.0.write_all(&[0x81, 0x84, 0, 0, 0, 0]).await.unwrap();
        self.0.write_all(b"ping").await.unwrap();
        assert_eq!(self.frame().await, (0x81, b"ping".to_vec()));
    }

    /// Waits until it is closed: the reason.
    async fn closed(mut self) -> String {
        let (kind, payload) = self.frame().await;
        assert_eq!(kind, 0x88, "a frame that closes");
        assert_eq!(payload[..2], 1008_u16.to_be_bytes());
        String::from_utf8(payload[2..].to_vec()).unwrap()
    }

    async fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        within(self.0.read_exact(&mut head)).await.unwrap();
        let mut payload = vec![0; head[1].into()];
        within(self.0.read_exact(&mut payload)).await.unwrap();
        (head[0], payload)
    }
}

async fn within<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, wait).await.expect("it comes in time")
}

#[track_caller]
fn done(answer: Answer) {
    assert!(answer.status.is_success(), "{answer:?}");
}

/// Streams are checked so rarely that a test would fail that waits for it.
async fn start(store: Store) -> App {
    let mut policy = Policy::default();
    policy.tokens.recheck = Duration::from_secs(3600);
    let app = App::with(policy).start(store).await;
    app.sign_up().await;
    app
}

on_every_store! {
    /// 7.4.1, 7.4.2, 7.4.3: what ends a token ends its streams at once, and no others.
    async fn a_socket_closes_at_once_when_its_token_ends(store) {
        for end in [
            "logout", "sessions", "access-tokens", "logout-everywhere", "change-password", "reset-password",
            "change-email", "step-up", "blocked", "delete-account", "delete-user",
        ] {
            let app = start(store).await;
            app.sign_up_as("other@bar.com").await;
            let (token, current) = (app.token_of(EMAIL).await, app.token_of(EMAIL).await);
            let digest = gatekit::TokenSecret::from(token.as_str()).digest();
            let mut others = vec![Socket::open(&app.auth, &app.token_of("other@bar.com").await).await];
            let socket = Socket::open(&app.auth, &token).await;
            let user = app.me(&token).await.value()["id"].as_i64().unwrap();
            match end {
                "logout" => done(app.post("/api/users/logout").token(&token).await),
                "sessions" => {
                    others.push(Socket::open(&app.auth, &current).await);
                    let path = format!("/api/users/sessions/{}", digest.handle());
                    done(app.delete(&path).token(&current).await);
                }
                "access-tokens" => {
                    others.push(Socket::open(&app.auth, &current).await);
                    let ended = app.auth.revoke_token(&user.into(), &token).await.unwrap();
                    assert!(ended);
                }
                "logout-everywhere" => {
                    done(app.post("/api/users/logout-everywhere").token(&current).await);
                }
                "change-password" => {
                    // Its own session is kept, and so is its stream.
                    others.push(Socket::open(&app.auth, &current).await);
                    let body = json!({"oldPassword": PASSWORD, "newPassword": "another correct horse"});
                    done(app.post("/api/users/change-password").token(&current).json(body).await);
                    app.me(&current).await.expect_status(200);
                }
                "reset-password" => {
                    let secret = app.reset_token().await;
                    done(app.reset_password(&secret, "another correct horse").await);
                }
                "change-email" => {
                    let secret = app.change_email_token(&current, "new@bar.com").await;
                    done(app.confirm_email_change(&secret).await);
                }
                "step-up" => {
                    others.push(Socket::open(&app.auth, &current).await);
                    let body = json!({"password": PASSWORD});
                    done(app.post("/api/users/step-up").token(&token).json(body).await);
                }
                "blocked" => {
                    app.auth.set_account_status(&user.into(), AccountStatus::Blocked).await.unwrap();
                }
                "delete-account" => {
                    let body = json!({"password": PASSWORD});
                    done(app.post("/api/users/delete-account").token(&current).json(body).await);
                }
                _ => assert!(app.auth.delete_user(&user.into()).await.unwrap()),
            }
            assert_eq!(socket.closed().await, "Revoked", "{end}");
            for mut other in others {
                other.expect_open().await;
            }
        }
    }

    /// What ended the token between the check of the request and the first wait is not missed.
    async fn a_token_that_has_ended_already_ends_the_wait_at_once(store) {
        let app = start(store).await;
        let token = app.token_of(EMAIL).await;
        let caller = app.auth.authenticate(&token).await.unwrap();
        let early = caller.ended();
        app.auth.logout(&caller.token.as_ref().unwrap().digest).await.unwrap();
        assert_eq!(within(early).await, TokenEnd::Revoked);
        assert_eq!(within(caller.ended()).await, TokenEnd::Revoked);
    }

    /// 7.3.1, 7.3.2: by the clock of the `Auth`, unless the token was renewed meanwhile.
    async fn a_socket_closes_when_its_token_expires(store) {
        let mut policy = Policy::default();
        policy.tokens.recheck = Duration::from_millis(20);
        policy.tokens.renew_after = Some(10);
        let app = App::with(policy).start(store).await;
        app.sign_up().await;
        let token = app.auth.issue_token(&1.into(), IssueToken::default().ttl(60)).await.unwrap().secret;
        let mut socket = Socket::open(&app.auth, token.expose()).await;
        app.clock.advance(Duration::from_secs(50));
        app.me(token.expose()).await.expect_status(200);
        // Checks do not renew it: they are no use.
        app.clock.advance(Duration::from_secs(59));
        app.faults.reset();
        while app.faults.calls().len() < 3 {
            socket.expect_open().await;
        }
        assert!(app.faults.calls().iter().all(|call| *call == "find_token_owner"));
        app.clock.advance(Duration::from_secs(1));
        assert_eq!(socket.closed().await, "Expired");
        app.me(token.expose()).await.expect(401, "INVALID_TOKEN");
    }

    /// One query when the caller is found, one when the wait begins, and none after that.
    async fn an_open_socket_costs_one_query_more_than_a_request(store) {
        let app = start(store).await;
        let token = app.token_of(EMAIL).await;
        app.faults.reset();
        let mut socket = Socket::open(&app.auth, &token).await;
        socket.expect_open().await;
        assert_eq!(app.faults.calls(), ["find_token_owner", "find_token_owner"]);
    }

    /// REL-4: a store that fails for a while ends no stream; one that fails for longer does, since
    /// nobody knows whether the token counts.
    async fn a_store_that_fails_ends_a_socket_after_a_while_and_not_at_once(store) {
        let mut policy = Policy::default();
        policy.tokens.recheck = Duration::from_millis(50);
        policy.tokens.recheck_grace = Duration::from_millis(500);
        let app = App::with(policy).start(store).await;
        app.sign_up().await;
        let token = app.token_of(EMAIL).await;
        let mut socket = Socket::open(&app.auth, &token).await;
        // A check that fails is repeated, and a good one begins the time anew.
        for fault in [Fault::Fail, Fault::FailAfter] {
            app.faults.reset();
            app.faults.nth_call_of("find_token_owner", 1, fault);
            while app.faults.calls().len() < 3 {
                socket.expect_open().await;
            }
        }
        app.faults.every(Fault::Fail);
        let begun = std::time::Instant::now();
        assert_eq!(socket.closed().await, "Unavailable");
        assert!(begun.elapsed() >= Duration::from_millis(400), "{:?}", begun.elapsed());
    }

    /// What another process does is found by the next check.
    async fn a_socket_closes_when_another_process_ends_its_token(store) {
        let (here, there, _folder) = two_processes(store).await;
        let user = here.register(gatekit::Register::email(EMAIL, PASSWORD)).await.unwrap();
        let issue = || here.issue_token(&user.id, IssueToken::default());
        let token = issue().await.unwrap();
        let socket = Socket::open(&here, token.secret.expose()).await;
        there.logout(&token.record.digest).await.unwrap();
        assert_eq!(socket.closed().await, "Revoked");
        let token = issue().await.unwrap();
        let socket = Socket::open(&here, token.secret.expose()).await;
        there.set_account_status(&user.id, AccountStatus::Blocked).await.unwrap();
        assert_eq!(socket.closed().await, "Revoked");
        there.set_account_status(&user.id, AccountStatus::Active).await.unwrap();
        let token = issue().await.unwrap();
        let socket = Socket::open(&here, token.secret.expose()).await;
        assert!(there.delete_user(&user.id).await.unwrap());
        assert_eq!(socket.closed().await, "Revoked");
    }

    /// 4.4.2, by a real handshake: the browser's cookie opens no socket for a page of another
    /// origin.
    async fn a_handshake_by_cookie_is_refused_unless_an_own_page_makes_it(store) {
        let app = start(store).await;
        let token = app.token_of(EMAIL).await;
        let cookie = format!("Cookie: __Host-access_token={token}\r\n");
        for (origin, status) in [
            ("Origin: https://evil.test\r\n", Some(403)),
            ("Origin: https://shop.example.com\r\n", Some(403)),
            ("Origin: null\r\n", Some(403)),
            ("User-Agent: Mozilla/5.0\r\n", Some(403)),
            ("Origin: https://app.example.com\r\n", None),
            ("", None),
        ] {
            let opened = Socket::try_open(&app.auth, &format!("{cookie}{origin}")).await;
            assert_eq!(opened.err(), status, "{origin}");
        }
        assert_eq!(Socket::try_open(&app.auth, "Origin: https://app.example.com\r\n").await.err(), Some(401));
        let by_header = format!("Authorization: {token}\r\nOrigin: https://evil.test\r\n");
        Socket::try_open(&app.auth, &by_header).await.unwrap().expect_open().await;
    }
}

/// Two `Auth`s over one store that know nothing of each other.
async fn two_processes(store: Store) -> (Auth, Auth, Option<Folder>) {
    let mut policy = Policy::default();
    policy.tokens.recheck = Duration::from_millis(20);
    let clock = FrozenClock::now();
    macro_rules! auth {
        ($store:expr) => {
            Auth::builder($store).policy(policy.clone()).hasher(fast_hasher()).clock(clock.clone()).build().unwrap()
        };
    }
    match store {
        Store::Memory => {
            let store = MemoryStore::new();
            (auth!(store.clone()), auth!(store), None)
        }
        Store::Sqlite => {
            let folder = Folder::new();
            let open = || SqliteStore::open(folder.database());
            (auth!(open().await.unwrap()), auth!(open().await.unwrap()), Some(folder))
        }
    }
}
