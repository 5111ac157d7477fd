//! What a file still holds after a restart, a crash, or in the company of another process.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]
#![allow(dead_code, reason = "not every test needs all of `common`")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use gatekit_core::{
    Auth, AuthenticateError, ChangePassword, DeviceSeen, DeviceStore, Hasher, Identifier, IdentifierKind, Login,
    NewUser, NoProfile, OneTimePurpose, OneTimeRecord, OneTimeStore, Proofs, Register, RequestPasswordReset, Timestamp,
    TokenDigest, TokenRecord, TokenStore, User, UserId, UserStore,
};
use gatekit_sql::SqliteStore;
use sqlx::Row;

use common::Folder;

async fn auth(folder: &Folder) -> Auth {
    let store = SqliteStore::open(folder.file()).await.unwrap();
    Auth::builder(store).hasher(Hasher::builder().build().unwrap()).build().unwrap()
}

#[tokio::test]
async fn a_restart_logs_nobody_out() {
    let folder = Folder::new();
    let (kept, ended) = {
        let auth = auth(&folder).await;
        auth.register(Register::email("ada@example.com", "correct horse battery").username("ada")).await.unwrap();
        let kept = auth.login(Login::email("ada@example.com", "correct horse battery")).await.unwrap();
        let ended = auth.login(Login::email("ada@example.com", "correct horse battery")).await.unwrap();
        auth.logout(&ended.token.record.digest).await.unwrap();
        (kept.token, ended.token)
    };
    let auth = auth(&folder).await;
    let caller = auth.authenticate(kept.secret.expose()).await.unwrap();
    assert_eq!(caller.principal.username.as_deref(), Some("ada"));
    assert_eq!(caller.token, Some(kept.record));
    assert!(matches!(auth.authenticate(ended.secret.expose()).await, Err(AuthenticateError::Invalid)));
    auth.login(Login::email("ada@example.com", "correct horse battery")).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_and_its_log_are_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let _store = SqliteStore::open(folder.file()).await.unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        seen += 1;
    }
    assert!(seen >= 2, "the file and its log");
}

#[tokio::test]
async fn what_is_no_file_is_refused_with_what_to_do() {
    let folder = Folder::new();
    for path in ["", ":memory:", "file:app.db?mode=memory"] {
        let error = SqliteStore::open(path).await.unwrap_err();
        assert!(error.to_string().contains("SqliteStore::in_memory()"), "{error}");
    }
    let error = SqliteStore::open(folder.path().join("no/such/folder/app.db")).await.unwrap_err();
    assert!(error.to_string().contains("no/such/folder/app.db"), "{error}");
    std::fs::write(folder.file(), vec![b'x'; 8192]).unwrap();
    let error = SqliteStore::open(folder.file()).await.unwrap_err().to_string();
    assert!(error.contains("app.db` cannot be opened") && error.contains("file is not a database"), "{error}");
    assert_eq!(std::fs::read(folder.file()).unwrap(), vec![b'x'; 8192]);
}

#[tokio::test]
async fn a_file_is_opened_with_a_log_full_sync_and_foreign_keys() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let mut seen = Vec::new();
    for pragma in ["PRAGMA journal_mode", "PRAGMA synchronous", "PRAGMA foreign_keys", "PRAGMA busy_timeout"] {
        let mut each = Vec::new();
        for mut connection in [store.writer().await.unwrap(), store.reader().await.unwrap()] {
            let row = sqlx::query(pragma).fetch_one(&mut *connection).await.unwrap();
            each.push(row.try_get::<String, _>(0).unwrap_or_else(|_| row.get::<i64, _>(0).to_string()));
        }
        let row = sqlx::query(pragma).fetch_one(store.pool()).await.unwrap();
        each.push(row.try_get::<String, _>(0).unwrap_or_else(|_| row.get::<i64, _>(0).to_string()));
        seen.push(each);
    }
    // 2 is FULL.
    assert_eq!(seen, [["wal"; 3], ["2"; 3], ["1"; 3], ["5000"; 3]]);
}

/// LEAK-5, 6.5.2, 11.4.2: passwords and secrets of tokens are in no file of the database.
#[tokio::test]
async fn no_secret_is_in_the_files_in_clear() {
    let folder = Folder::new();
    let reset = std::sync::Arc::new(std::sync::Mutex::new(None));
    struct Keep(std::sync::Arc<std::sync::Mutex<Option<String>>>);
    #[gatekit_core::async_trait]
    impl gatekit_core::Hooks<User> for Keep {
        async fn on_event(&self, event: &gatekit_core::Event<User>, _: &gatekit_core::EventContext) {
            if let gatekit_core::Event::PasswordResetRequested { token, .. } = event {
                *self.0.lock().unwrap() = Some(token.expose().to_owned());
            }
        }
    }
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let auth: Auth = Auth::builder(store.clone()).hooks(Keep(reset.clone())).build().unwrap();
    let user = auth.register(Register::email("ada@example.com", "sentinel-password-1")).await.unwrap();
    let session = auth.login(Login::email("ada@example.com", "sentinel-password-1")).await.unwrap();
    auth.change_password(ChangePassword::new(user.id.clone(), "sentinel-password-1", "sentinel-password-2"))
        .await
        .unwrap();
    let second = auth.login(Login::email("ada@example.com", "sentinel-password-2")).await.unwrap();
    auth.request_password_reset(RequestPasswordReset::email("ada@example.com")).await.unwrap();
    let reset = reset.lock().unwrap().clone().unwrap();

    let secrets = [
        "sentinel-password".to_owned(),
        session.token.secret.expose().to_owned(),
        second.token.secret.expose().to_owned(),
        reset,
    ];
    let everything = all_bytes(&folder);
    assert!(contains(&everything, b"ada@example.com"), "the search finds what is there");
    assert!(contains(&everything, second.token.record.digest.as_bytes()), "the search finds what is there");
    for secret in secrets {
        assert!(!contains(&everything, secret.as_bytes()), "a secret is in the files in clear");
    }
    // Nor in what an app may print.
    let printed = format!("{store:?} {auth:?} {session:?}");
    assert!(!printed.contains(second.token.secret.expose()) && !printed.contains("sentinel"), "{printed}");
}

fn all_bytes(folder: &Folder) -> Vec<u8> {
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.collect();
    assert!(files.iter().any(|file| file.to_string_lossy().ends_with("-wal")), "the log is among them");
    files.iter().flat_map(|file| std::fs::read(file).unwrap()).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// CRASH-1: a process that is killed in the middle of writing has lost nothing that it
/// acknowledged, and nothing comes back that it had removed.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_nothing_it_acknowledged() {
    let folder = Folder::new();
    let mut users = 0;
    for (round, lines) in [(0, 5), (1, 80), (2, 201)] {
        let mut child = child("burst", &folder.file(), round);
        let mut acknowledged = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            acknowledged.push(line.unwrap());
            if acknowledged.len() == lines {
                // SIGKILL. What the child says until it is dead is read, too.
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(acknowledged.len() >= lines, "the child said too little: {acknowledged:?}");

        let store = SqliteStore::open(folder.file()).await.unwrap();
        for line in &acknowledged {
            let Some((what, name)) = line.split_once(' ') else { continue };
            match what {
                "user" => {
                    users += 1;
                    assert!(find(&store, name).await, "an acknowledged user is lost: {name}");
                }
                "token" => {
                    let gone = acknowledged.contains(&format!("logout {name}"));
                    let found = store.find_token(&TokenDigest::of(name)).await.unwrap().is_some();
                    assert!(found || gone || maybe_gone(&acknowledged, line), "an acknowledged token is lost: {name}");
                }
                "logout" => {
                    let found = store.find_token(&TokenDigest::of(name)).await.unwrap();
                    assert!(found.is_none(), "an acknowledged logout was undone: {name}");
                }
                #[cfg(feature = "tower-sessions")]
                "session" | "saved" | "ended" => {
                    let found = sessions::find(&store, name).await;
                    let ended = acknowledged.contains(&format!("ended {name}"));
                    let saved = acknowledged.contains(&format!("saved {name}"));
                    match found {
                        Some(_) if ended => panic!("an acknowledged end of a session was undone: {name}"),
                        Some(before) if saved => assert!(before, "an acknowledged save was undone: {name}"),
                        Some(_) => {}
                        // The end that follows may have happened without having been acknowledged.
                        None => {
                            assert!(ended || acknowledged.last() == Some(&format!("saved {name}")), "{name} is lost")
                        }
                    }
                }
                "device" => {
                    let user = UserId::Text(name.into());
                    let seen =
                        store.remember_device("User", &user, &TokenDigest::of(name), Timestamp(9)).await.unwrap();
                    assert_eq!(seen, DeviceSeen::Known, "an acknowledged device is lost: {name}");
                }
                "reset" => {
                    let found =
                        store.find_one_time(OneTimePurpose::ResetPassword, &TokenDigest::of(name)).await.unwrap();
                    assert!(found.is_none(), "a consumed secret is back: {name}");
                }
                _ => {}
            }
        }
        let check: String = sqlx::query("PRAGMA integrity_check").fetch_one(store.pool()).await.unwrap().get(0);
        assert_eq!(check, "ok");
    }
    assert!(users > 20, "the burst was one: {users}");
}

/// The logout that follows a token's line may have happened without having been acknowledged.
fn maybe_gone(acknowledged: &[String], token: &str) -> bool {
    let (_, name) = token.split_once(' ').unwrap();
    let last = acknowledged.last().unwrap();
    // What is said between the two, with nothing about this token.
    let between = ["device", "session", "saved", "ended"];
    last == token || (last.ends_with(name) || !last.contains('@')) && between.iter().any(|what| last.starts_with(what))
}

async fn find(store: &SqliteStore, email: &str) -> bool {
    let identifier = Identifier { namespace: String::new(), kind: IdentifierKind::Email, value: email.into() };
    UserStore::<User>::find_user_by(store, &identifier).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_open_a_new_file_at_once_and_write_to_it_together() {
    let folder = Folder::new();
    let children: Vec<_> = (0..3).map(|n| child("share", &folder.file(), n)).collect();
    for child in children {
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    }
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let count = async |query| sqlx::query(query).fetch_one(store.pool()).await.unwrap().get::<i64, _>(0);
    assert_eq!(count("SELECT count(*) = max(number) FROM gatekit_migrations").await, 1, "each migration was made once");
    assert_eq!(
        count("SELECT count(*) FROM gatekit_users").await,
        3 * 20 + 1,
        "20 each, and one of the three who wanted it"
    );
}

/// Runs `child_process` below in a process of its own.
fn child(role: &str, file: &Path, number: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_process", "--nocapture", "--test-threads=1"])
        .env("GATEKIT_CHILD", format!("{role} {number}"))
        .env("GATEKIT_CHILD_FILE", file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Not a test but what the tests above run: without the variable it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn child_process() {
    let Ok(role) = std::env::var("GATEKIT_CHILD") else { return };
    let file = std::env::var("GATEKIT_CHILD_FILE").unwrap();
    let store = SqliteStore::open(file).await.unwrap();
    match role.split_once(' ').unwrap() {
        ("burst", round) => burst(&store, round).await,
        ("share", number) => share(&store, number).await,
        _ => unreachable!(),
    }
}

/// Writes until it is killed, and says what is done, once it is done.
async fn burst(store: &SqliteStore, round: &str) {
    fn say(line: String) {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}").unwrap();
        out.flush().unwrap();
    }
    say("ready".into());
    for n in 0.. {
        let name = format!("{round}-{n}@example.com");
        let user = UserStore::<User>::create_user(store, NewUser::new(&name, NoProfile {})).await.unwrap().user;
        say(format!("user {name}"));
        let digest = TokenDigest::of(&name);
        let token = TokenRecord {
            digest,
            user_type: "User".into(),
            user_id: user.id,
            rev: 0,
            ttl: -1,
            created: Timestamp(0),
            renewed: None,
            scopes: None,
            proofs: Proofs::default(),
            client: None,
            last_used: None,
        };
        store.insert_token(&token).await.unwrap();
        say(format!("token {name}"));
        store.remember_device("User", &UserId::Text(name.clone()), &digest, Timestamp(0)).await.unwrap();
        say(format!("device {name}"));
        #[cfg(feature = "tower-sessions")]
        sessions::burst(store, &format!("{round}{n:09}"), n % 2 == 0, say).await;
        if n % 2 == 0 {
            assert!(store.delete_token(&digest).await.unwrap());
            say(format!("logout {name}"));
            let purpose = OneTimePurpose::ResetPassword;
            let record = OneTimeRecord {
                purpose,
                digest,
                user_type: "User".into(),
                user_id: None,
                rev: 0,
                expires: Timestamp(i64::MAX),
                email: None,
                data: None,
            };
            store.insert_one_time(&record).await.unwrap();
            assert!(store.take_one_time(purpose, &digest).await.unwrap().is_some());
            say(format!("reset {name}"));
        }
    }
}

async fn share(store: &SqliteStore, number: &str) {
    for n in 0..20 {
        let new = NewUser::new(format!("{number}-{n}@example.com"), NoProfile {});
        UserStore::<User>::create_user(store, new).await.unwrap();
    }
    UserStore::<User>::create_user(store, NewUser::new("wanted@example.com", NoProfile {})).await.ok();
}

/// Sessions of tower-sessions, as a part of the burst.
#[cfg(feature = "tower-sessions")]
mod sessions {
    use gatekit_sql::SqliteStore;
    use tower_sessions::SessionStore;
    use tower_sessions::session::{Id, Record};

    fn id(name: &str) -> Id {
        Id(name.parse().unwrap())
    }

    /// Whether the session was saved once more since it was made; `None` if there is none.
    pub(super) async fn find(store: &SqliteStore, name: &str) -> Option<bool> {
        let found = store.session_store().load(&id(name)).await.unwrap();
        found.map(|record| record.data.contains_key("saved"))
    }

    pub(super) async fn burst(store: &SqliteStore, name: &str, end: bool, say: impl Fn(String)) {
        let sessions = store.session_store();
        let expiry_date = time::OffsetDateTime::now_utc() + std::time::Duration::from_secs(3600);
        let mut record = Record { id: id(name), data: Default::default(), expiry_date };
        sessions.create(&mut record).await.unwrap();
        say(format!("session {name}"));
        record.data.insert("saved".into(), true.into());
        sessions.save(&record).await.unwrap();
        say(format!("saved {name}"));
        if end {
            sessions.delete(&record.id).await.unwrap();
            say(format!("ended {name}"));
        }
    }
}
