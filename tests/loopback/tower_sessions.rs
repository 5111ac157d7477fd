//! Is somebody signed in by a session of tower-sessions as safely as by a cookie?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::routing::{get, post};
use gatekit::tower_sessions::session::{Id, Record};
use gatekit::tower_sessions::session_store::{self, Error};
use gatekit::tower_sessions::{Session, SessionManagerLayer, SessionStore};
use gatekit::{Policy, SqliteStore, TokenSource, TokenSources};
use gatekit_tests::{Answer, App, Call, EMAIL, PASSWORD, Store, on_every_store};
use serde_json::json;
use tower_sessions::MemoryStore;

/// A session store that can be made to fail.
#[derive(Clone, Debug)]
struct Sessions {
    store: Arc<dyn SessionStore>,
    broken: Arc<AtomicBool>,
}

impl Sessions {
    fn check(&self) -> session_store::Result<()> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(Error::Backend("the disk is full".into())),
            false => Ok(()),
        }
    }
}

#[async_trait::async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        self.check()?;
        self.store.create(record).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        self.check()?;
        self.store.save(record).await
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.check()?;
        self.store.load(id).await
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.check()?;
        self.store.delete(id).await
    }
}

/// An app whose browsers are signed in by sessions; `/basket` shows what the session holds, a POST
/// to it puts something in.
async fn start(store: Store) -> (App, Sessions) {
    let sources = TokenSources::new([TokenSource::header("authorization"), TokenSource::session()]);
    let mut app = App::with(Policy::default()).sources(sources).start(store).await;
    let kept: Arc<dyn SessionStore> = match &app.folder {
        Some(folder) => Arc::new(SqliteStore::open(folder.database()).await.unwrap().session_store()),
        None => Arc::new(MemoryStore::default()),
    };
    let sessions = Sessions { store: kept, broken: Arc::default() };
    let show =
        get(|session: Session| async move { session.get::<String>("basket").await.unwrap().unwrap_or_default() });
    let fill = post(|session: Session, body: String| async move { session.insert("basket", body).await.unwrap() });
    let basket = Router::new().route("/basket", show.merge(fill));
    app.router = app.router.clone().merge(basket).layer(SessionManagerLayer::new(sessions.clone()));
    app.sign_up().await;
    app.sign_up_as("second@bar.com").await;
    (app, sessions)
}

/// The session's cookie that an answer sets.
fn session_in(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("id=") && cookie.contains("HttpOnly") && cookie.contains("Secure"), "{answer:?}");
    cookie.split(';').next().unwrap().to_owned()
}

fn login(app: &App, email: &str) -> Call {
    app.post("/api/users/login?cookie=true").json(json!({"email": email, "password": PASSWORD}))
}

async fn signed_in(app: &App) -> String {
    session_in(&login(app, EMAIL).await.expect_status(200))
}

async fn basket(app: &App, session: &str) -> String {
    app.get("/basket").header("cookie", session).await.expect_status(200).body
}

on_every_store! {
    /// 7.4.1, V-51
    async fn a_session_signs_in_and_a_logout_flushes_it(store) {
        let (app, sessions) = start(store).await;
        let session = signed_in(&app).await;
        app.get("/me").header("cookie", &session).await.expect_status(200);
        app.post("/basket").header("cookie", &session).bare_body("shoes").await.expect_status(200);
        let answer = app.post("/api/users/logout").header("cookie", &session).await.expect_no_content();
        assert!(answer.header("set-cookie").contains("Max-Age=0"), "{answer:?}");
        app.get("/me").header("cookie", &session).await.expect_status(401);
        assert_eq!(basket(&app, &session).await, "");
        let id: Id = session.trim_start_matches("id=").parse().unwrap();
        assert_eq!(sessions.store.load(&id).await.unwrap(), None);
        assert!(app.auth.list_tokens(&1.into()).await.unwrap().is_empty());
    }

    /// 14.2.4: whoever reads the session store can sign in with nothing of it.
    async fn a_session_holds_the_digest_and_never_the_token(store) {
        let (app, sessions) = start(store).await;
        let body = json!({"email": EMAIL, "password": PASSWORD});
        let answer = app.post("/api/users/login?cookie=both").json(body).await.expect_status(200);
        let secret = answer.text("id");
        let id: Id = session_in(&answer).trim_start_matches("id=").parse().unwrap();
        let record = sessions.store.load(&id).await.unwrap().unwrap();
        assert!(!format!("{record:?}").contains(&secret));
        let digest = record.data["gatekit.token"].as_str().unwrap();
        assert_eq!(&digest[..32], gatekit::TokenSecret::from(secret.as_str()).digest().handle());
        app.me(digest).await.expect_status(401);
        app.me(&secret).await.expect_status(200);
        let answer = login(&app, EMAIL).await;
        assert_eq!(answer.value().get("id"), None);
    }

    /// 7.2.4, C-12, V-31, V-35: session fixation. The id changes, what was there before stays, and
    /// the id from before is worth nothing.
    async fn a_planted_session_is_worth_nothing_after_a_login(store) {
        let (app, _) = start(store).await;
        let planted = session_in(&app.post("/basket").bare_body("shoes").await);
        let mine = session_in(&login(&app, EMAIL).header("cookie", &planted).await.expect_status(200));
        assert_ne!(mine, planted);
        assert_eq!(basket(&app, &mine).await, "shoes");
        app.get("/me").header("cookie", &mine).await.expect_status(200);
        app.get("/me").header("cookie", &planted).await.expect_status(401);
        assert_eq!(basket(&app, &planted).await, "");
        // One that was made up is not taken over as an id either.
        let made_up = format!("id={}", Id::default());
        let mine = session_in(&login(&app, EMAIL).header("cookie", &made_up).await.expect_status(200));
        assert_ne!(mine, made_up);
        app.get("/me").header("cookie", &made_up).await.expect_status(401);
    }

    async fn what_one_users_session_held_is_not_handed_on_to_the_next(store) {
        let (app, _) = start(store).await;
        let first = signed_in(&app).await;
        app.post("/basket").header("cookie", &first).bare_body("private").await.expect_status(200);
        let again = session_in(&login(&app, EMAIL).header("cookie", &first).await.expect_status(200));
        assert_eq!(basket(&app, &again).await, "private", "the same user keeps it");
        app.get("/me").header("cookie", &first).await.expect_status(401);
        let second = session_in(&login(&app, "second@bar.com").header("cookie", &again).await.expect_status(200));
        assert!(second != again && second != first);
        assert_eq!(basket(&app, &second).await, "");
        assert_eq!(app.get("/me").header("cookie", &second).await.text("email"), "second@bar.com");
        app.get("/me").header("cookie", &again).await.expect_status(401);
        assert!(app.auth.list_tokens(&1.into()).await.unwrap().is_empty(), "the first user's token has ended");
        // Also where the first user's token ended by itself.
        let user = gatekit::UserId::from(2);
        app.post("/basket").header("cookie", &second).bare_body("private").await.expect_status(200);
        app.auth.logout_everywhere(&user, None).await.unwrap();
        let third = session_in(&login(&app, EMAIL).header("cookie", &second).await.expect_status(200));
        assert_eq!(basket(&app, &third).await, "");
    }

    async fn a_session_whose_token_has_ended_signs_nobody_in(store) {
        let (app, _) = start(store).await;
        let session = signed_in(&app).await;
        app.auth.logout_everywhere(&1.into(), None).await.unwrap();
        app.get("/me").header("cookie", &session).await.expect_status(401);
        app.get("/maybe").header("cookie", &session).await.is(200, "anonymous");
    }

    /// FM-1: a session is sent without being asked, as a cookie is.
    async fn an_unsafe_method_of_another_origin_is_refused(store) {
        let (app, _) = start(store).await;
        let session = signed_in(&app).await;
        for path in ["logout", "logout-everywhere", "change-password", "delete-account"] {
            let call = app.post(&format!("/api/users/{path}")).header("cookie", &session).json("{}");
            call.header("sec-fetch-site", "cross-site").await.expect(403, "CROSS_ORIGIN_REQUEST");
        }
        app.get("/me").header("cookie", &session).header("sec-fetch-site", "cross-site").await.expect_status(200);
    }

    /// V-48: it never means that nobody is there.
    async fn a_session_store_that_fails_is_503(store) {
        let (app, sessions) = start(store).await;
        let session = signed_in(&app).await;
        let before = app.auth.list_tokens(&1.into()).await.unwrap().len();
        sessions.broken.store(true, Ordering::SeqCst);
        app.get("/me").header("cookie", &session).await.expect_unavailable();
        app.get("/maybe").header("cookie", &session).await.expect_unavailable();
        app.post("/api/users/logout").header("cookie", &session).await.expect_unavailable();
        let answer = login(&app, EMAIL).await.expect_unavailable();
        assert_eq!(answer.header("set-cookie"), "");
        assert_eq!(app.auth.list_tokens(&1.into()).await.unwrap().len(), before, "no token of that login is left");
        // Who needs no session is served: by a bearer token, or as nobody.
        let token = app.token_of(EMAIL).await;
        app.me(&token).await.expect_status(200);
        app.get("/maybe").await.is(200, "anonymous");
        sessions.broken.store(false, Ordering::SeqCst);
        app.get("/me").header("cookie", &session).await.expect_status(200);
    }
}

#[tokio::test]
async fn an_app_without_the_session_layer_is_told_what_to_mount() {
    let sources = TokenSources::new([TokenSource::session()]);
    let app = App::with(Policy::default()).sources(sources).start(Store::Memory).await;
    app.sign_up().await;
    let answer = app.get("/me").await.expect(500, "MISCONFIGURED");
    assert!(answer.body.contains("SessionManagerLayer"));
    login(&app, EMAIL).await.expect(500, "MISCONFIGURED");
    assert!(app.auth.list_tokens(&1.into()).await.unwrap().is_empty());
}
