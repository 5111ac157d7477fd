//! How the rules are run, and the values that they share.

use std::sync::Arc;

use gatekit_core::{Proofs, StoreError, Timestamp, TokenDigest, TokenRecord, UserId};
use tokio::sync::Barrier;

/// By what a store of users can look one up, beyond the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identifiers {
    /// Users may have a name to log in with.
    pub usernames: bool,
    /// The same address or name may occur once in each namespace (`Policy` with realms).
    pub namespaces: bool,
}

impl Identifiers {
    /// Address and name, in namespaces.
    pub const ALL: Self = Self { usernames: true, namespaces: true };
    /// The address alone, in one namespace for all.
    pub const EMAIL_ONLY: Self = Self { usernames: false, namespaces: false };
}

/// Runs rules one after the other, each on a store of its own, and names the one that is broken.
macro_rules! rules {
    ($make:expr; $($rule:ident($($argument:expr),*)),* $(,)?) => {
        $({
            let running = $crate::conformance::rules::Running(stringify!($rule));
            $rule($make().await, $($argument),*).await;
            drop(running);
        })*
    };
}
pub(super) use rules;

/// Names the rule beside whatever panicked in it.
pub(super) struct Running(pub(super) &'static str);

impl Drop for Running {
    #[expect(clippy::print_stderr, reason = "a test kit tells by panicking, and this belongs to the panic's message")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the store breaks the rule {}", self.0);
        }
    }
}

/// How often a race is run: one that is lost by luck is not lost five times.
pub(super) const ROUNDS: i64 = 5;

/// Awaits twenty calls that begin at the same moment.
pub(super) async fn twenty<T, Call>(call: impl Fn(usize) -> Call) -> Vec<T>
where
    T: Send + 'static,
    Call: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(20));
    let spawn = |n| {
        let (call, start) = (call(n), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            call.await
        })
    };
    let tasks: Vec<_> = (0..20).map(spawn).collect();
    let mut done = Vec::with_capacity(tasks.len());
    for task in tasks {
        done.push(task.await.expect("a call to the store panicked"));
    }
    done
}

/// What a store that works answers.
#[track_caller]
pub(super) fn ok<T, E: std::fmt::Display>(answer: Result<T, E>) -> T {
    match answer {
        Ok(value) => value,
        Err(error) => panic!("a store that works must answer: {error}"),
    }
}

pub(super) fn digest(secret: impl std::fmt::Display) -> TokenDigest {
    TokenDigest::of(&secret.to_string())
}

pub(super) const T0: Timestamp = Timestamp(1_387_571_420_377);

/// A token of user 1 that was issued at T0 for ten minutes.
pub(super) fn token(secret: impl std::fmt::Display) -> TokenRecord {
    TokenRecord {
        digest: digest(secret),
        user_type: "User".into(),
        user_id: UserId::Int(1),
        rev: 0,
        ttl: 600,
        created: T0,
        renewed: None,
        scopes: None,
        proofs: Proofs::default(),
        client: None,
        last_used: None,
    }
}

/// Texts a store must keep byte for byte, no two of them equal: case, blanks, forms of Unicode,
/// what looks like a number, and characters that mean something in SQL, LIKE, JSON or C.
pub(super) const TEXTS: [&str; 24] = [
    "ada@example.com",
    "Ada@example.com",
    "ada@example.com ",
    " ada@example.com",
    "ada@example.com\t",
    "caf\u{e9}@example.com",
    "cafe\u{301}@example.com",
    "cafe@example.com",
    "stra\u{df}e@example.com",
    "strasse@example.com",
    "\u{131}@example.com",
    "i@example.com",
    "I@example.com",
    "\u{1f468}\u{200d}\u{1f469}@example.com",
    "\u{feff}bom@example.com",
    "%",
    "_",
    "o'brien\"; DROP TABLE users; --",
    "back\\slash\\",
    "1000",
    "1e3",
    "0x3E8",
    "line\nbreak\u{1}",
    "ada@example.com\u{a0}",
];

/// The kinds of ids, and pairs that print the same.
pub(super) fn ids() -> [UserId; 7] {
    [
        UserId::Int(7),
        UserId::Text("7".into()),
        UserId::Text("07".into()),
        UserId::Int(-1),
        UserId::Int(i64::MAX),
        UserId::Text("52b4a2f1e4b0c2a7d1000001".into()),
        UserId::Text("o'brien".into()),
    ]
}

#[track_caller]
pub(super) fn assert_failed<T>(answer: Result<T, StoreError>, rule: &str) {
    assert!(answer.is_err(), "{rule}");
}
