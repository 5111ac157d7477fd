//! Every call of every flow to a store fails, hangs, answers late, and succeeds without saying so:
//! each time the flow says that it cannot be done now, never "anonymous" or "ok", and afterwards
//! either everything has happened or nothing.
//!
//! Time is paused: what hangs for hours takes no time. It stands still while a password is hashed
//! on a thread of its own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

use std::time::Duration;

use Fault::{Fail, FailAfter, Hang, Late};
use gatekit_core::{
    AccountStatus, Auth, AuthenticateError, ChangePassword, ChangePasswordError, Event, FieldProblem, Identifier,
    IdentifierKind, IssuedToken, Login, LoginError, LogoutError, MemoryStore, NewOneTime, OneTimePurpose, PasswordHash,
    PasswordReset, Random, Register, RegisterError, RequestPasswordReset, RequestPasswordResetError,
    ResetPasswordError, SetAccountStatusError, TokenStore, Unavailable, User, UserStore,
};
use gatekit_testkit::{
    EventLog, Fault, Faults, FaultyStore, FrozenClock, MailBehavior, MailSink, fast_hasher, login_as,
};
use tokio::time::{Instant, timeout};

const EMAIL: &str = "ada@example.com";
const OLD: &str = "correct horse battery";
const NEW: &str = "orbital marzipan 74";

/// Later than `policy.store.timeout`, and sooner.
const TOO_LATE: Fault = Late(Duration::from_secs(10));
const IN_TIME: Fault = Late(Duration::from_secs(1));

/// An app with one user, who is logged in twice and has a reset mail.
struct World {
    auth: Auth,
    store: MemoryStore,
    faults: Faults,
    clock: FrozenClock,
    mails: MailSink,
    events: EventLog,
    ada: User,
    kept: IssuedToken,
    other: IssuedToken,
    reset: String,
}

impl World {
    async fn new() -> Self {
        let (store, clock, mails, events) = (MemoryStore::new(), FrozenClock::now(), MailSink::new(), EventLog::new());
        let faulty = FaultyStore::new(store.clone());
        let faults = faulty.faults();
        let auth: Auth = Auth::builder(faulty)
            .clock(clock.clone())
            .mailer(mails.clone())
            .hooks(events.clone())
            .hasher(fast_hasher())
            .public_url("https://app.example.com")
            .build()
            .unwrap();
        let ada = auth.register(Register::email(EMAIL, OLD)).await.unwrap();
        let (kept, other) = (login_as(&auth, &ada).await, login_as(&auth, &ada).await);
        auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
        let reset = mails.last_token().await;
        faults.reset();
        let _ = events.take();
        Self { auth, store, faults, clock, mails, events, ada, kept, other, reset }
    }

    async fn logs_in_with(&self, password: &str) -> bool {
        match self.auth.login(Login::email(EMAIL, password)).await {
            Ok(session) => self.is_alive(&session.token).await,
            Err(LoginError::InvalidCredentials) => false,
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn is_alive(&self, token: &IssuedToken) -> bool {
        match self.auth.authenticate(token.secret.expose()).await {
            Ok(_) => true,
            Err(AuthenticateError::Invalid) => false,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Which of the two passwords works: exactly one must.
    async fn password(&self) -> &'static str {
        match (self.logs_in_with(OLD).await, self.logs_in_with(NEW).await) {
            (true, false) => OLD,
            (false, true) => NEW,
            both => panic!("old and new password work: {both:?}"),
        }
    }

    async fn hash(&self) -> PasswordHash {
        self.store.find_user(&self.ada.id).await.unwrap().unwrap().password.unwrap()
    }
}

/// What the store is asked about again when it fails.
const FOUND_OUT: [&str; 7] =
    ["set_password", "update_user", "delete_user", "create_user", "insert_token", "delete_token", "set_status"];

#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Done,
    /// HTTP status 503.
    Unavailable,
    /// The client went away while a store hung.
    Dropped,
    Other(String),
}

/// What a flow said, in these terms.
macro_rules! answer {
    ($result:expr, $unavailable:pat) => {
        match $result {
            Ok(_) => Answer::Done,
            Err($unavailable) => Answer::Unavailable,
            Err(other) => Answer::Other(format!("{other:?}")),
        }
    };
}

#[derive(Debug)]
struct Case {
    method: &'static str,
    fault: Fault,
    answer: Answer,
    /// Whether the step that counts was taken.
    committed: bool,
}

/// Runs `flow` in a new world for each of its calls and each fault, and then, with everything well
/// again, `after`.
///
/// `commit` is the call that counts. What goes wrong up to it makes the flow unavailable; what goes
/// wrong after it, or in `optional`, is none of the caller's business.
async fn at_every_call(
    commit: &'static str,
    optional: &[&str],
    flow: impl AsyncFn(&World) -> Answer,
    after: impl AsyncFn(&World, &Case),
) {
    let world = World::new().await;
    assert_eq!(flow(&world).await, Answer::Done, "without faults");
    let calls = world.faults.calls();
    let decisive = calls.iter().position(|call| *call == commit).unwrap();
    for (i, method) in calls.into_iter().enumerate() {
        for fault in [Fail, FailAfter, Hang, TOO_LATE, IN_TIME] {
            for client_leaves in [false, true] {
                if client_leaves && fault != Hang {
                    continue;
                }
                let world = World::new().await;
                world.faults.nth(i + 1, fault);
                let patience = Duration::from_secs(if client_leaves { 2 } else { 3600 });
                let answer = timeout(patience, flow(&world)).await.unwrap_or(Answer::Dropped);
                let done = matches!(fault, FailAfter | Late(_));
                let goes_on = i > decisive || fault == IN_TIME || optional.contains(&method);
                // What was made and not told is found out.
                let goes_on = goes_on || (i == decisive && fault == FailAfter && FOUND_OUT.contains(&method));
                let committed = i > decisive || (i == decisive && done) || (!client_leaves && goes_on);
                let case = Case { method, fault, answer, committed };
                let expected = match (client_leaves, goes_on) {
                    (true, _) => Answer::Dropped,
                    (false, true) => Answer::Done,
                    (false, false) => Answer::Unavailable,
                };
                assert_eq!(case.answer, expected, "{case:?}");
                world.faults.reset();
                after(&world, &case).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn register() {
    const BOB: &str = "bob@example.com";
    let bob = || Register::email(BOB, OLD).username("bob");
    let flow = async |world: &World| answer!(world.auth.register(bob()).await, RegisterError::Unavailable(_));
    at_every_call("create_user", &[], flow, async |world, case| {
        let raised = world.events.take().len();
        assert_eq!(raised, usize::from(case.answer == Answer::Done), "{case:?}");
        match world.auth.register(bob()).await {
            Ok(_) => assert!(!case.committed, "{case:?}"),
            Err(RegisterError::Invalid(errors)) => {
                assert!(case.committed && errors.iter().all(|error| error.problem == FieldProblem::Taken), "{case:?}");
            }
            Err(error) => panic!("{case:?}: {error:?}"),
        }
        world.auth.login(Login::email(BOB, OLD)).await.unwrap();
    })
    .await;
}

/// REL-2, REL-3
#[tokio::test(start_paused = true)]
async fn login() {
    let flow =
        async |world: &World| answer!(world.auth.login(Login::email(EMAIL, OLD)).await, LoginError::Unavailable(_));
    at_every_call("insert_token", &[], flow, async |world, case| {
        let raised = world.events.take().len();
        assert_eq!(raised, usize::from(case.answer == Answer::Done), "neither logged in nor failed to: {case:?}");
        assert!(world.logs_in_with(OLD).await, "{case:?}");
    })
    .await;
}

/// A hash that could not be replaced keeps nobody out.
#[tokio::test(start_paused = true)]
async fn login_with_an_outdated_hash() {
    let outdated = bcrypt::hash_with_salt(OLD, 4, [7; 16]).unwrap().format_for_version(bcrypt::Version::TwoA);
    let outdated = PasswordHash::from_stored(outdated);
    let flow = async |world: &World| {
        let stored = world.hash().await;
        assert!(world.store.rehash_password(&world.ada.id, &stored, &outdated).await.unwrap());
        answer!(world.auth.login(Login::email(EMAIL, OLD)).await, LoginError::Unavailable(_))
    };
    at_every_call("insert_token", &["rehash_password"], flow, async |world, case| {
        assert!(world.logs_in_with(OLD).await, "{case:?}");
        assert_ne!(world.hash().await, outdated, "the next login has replaced it: {case:?}");
    })
    .await;
}

/// REL-2: a store that is down never makes a wrong password of a right one, or an unknown user of a
/// known one.
#[tokio::test(start_paused = true)]
async fn a_login_that_would_be_refused_is_unavailable_too() {
    for fault in [Fail, FailAfter, Hang, TOO_LATE] {
        for (email, password) in [(EMAIL, "wrong"), ("nobody@example.com", OLD)] {
            let world = World::new().await;
            world.faults.every(fault);
            let refused = world.auth.login(Login::email(email, password)).await;
            assert!(matches!(refused, Err(LoginError::Unavailable(_))), "{fault:?}: {refused:?}");
            assert!(world.events.take().is_empty(), "it does not count as a wrong password");
        }
    }
}

/// REL-1, 16.5.3
#[tokio::test(start_paused = true)]
async fn authenticate() {
    let flow = async |world: &World| {
        answer!(world.auth.authenticate(world.kept.secret.expose()).await, AuthenticateError::Unavailable(_))
    };
    at_every_call("find_token_owner", &[], flow, async |world, case| {
        assert!(world.is_alive(&world.kept).await, "{case:?}");
    })
    .await;
}

/// REL-1: nor is a token invalid because the store is down.
#[tokio::test(start_paused = true)]
async fn authenticate_with_a_token_that_is_not_alive() {
    for fault in [Fail, FailAfter, Hang, TOO_LATE] {
        let world = World::new().await;
        world.faults.every_call_of("find_token_owner", fault);
        let unknown = world.auth.authenticate("never issued").await;
        assert!(matches!(unknown, Err(AuthenticateError::Unavailable(_))), "{fault:?}: {unknown:?}");
    }
}

/// An expired token stays expired, whether it could be removed or not.
#[tokio::test(start_paused = true)]
async fn authenticate_with_an_expired_token() {
    for fault in [Fail, FailAfter, Hang, TOO_LATE, IN_TIME] {
        let world = World::new().await;
        world.clock.advance(Duration::from_secs(1_209_600));
        world.faults.every_call_of("delete_token", fault);
        let expired = world.auth.authenticate(world.kept.secret.expose()).await;
        assert!(matches!(expired, Err(AuthenticateError::Expired)), "{fault:?}: {expired:?}");
    }
}

/// REL-4, V-48
#[tokio::test(start_paused = true)]
async fn logout() {
    let flow =
        async |world: &World| answer!(world.auth.logout(&world.kept.record.digest).await, LogoutError::Unavailable(_));
    at_every_call("delete_token", &[], flow, async |world, case| {
        assert_eq!(world.is_alive(&world.kept).await, !case.committed, "{case:?}");
        assert!(world.is_alive(&world.other).await, "{case:?}");
        match world.auth.logout(&world.kept.record.digest).await {
            Ok(()) => assert!(!case.committed, "{case:?}"),
            Err(LogoutError::TokenNotFound) => assert!(case.committed, "{case:?}"),
            Err(error) => panic!("{case:?}: {error:?}"),
        }
    })
    .await;
}

/// 7.4.2: an account is blocked and its tokens are dead, or neither.
#[tokio::test(start_paused = true)]
async fn set_account_status() {
    let flow = async |world: &World| {
        let blocked = world.auth.set_account_status(&world.ada.id, AccountStatus::Blocked).await;
        answer!(blocked, SetAccountStatusError::Unavailable(_))
    };
    at_every_call("set_status", &[], flow, async |world, case| {
        let raised = world.events.take().len();
        assert_eq!(raised, usize::from(case.answer == Answer::Done), "{case:?}");
        let status = world.auth.account_status(&world.ada.id).await.unwrap();
        assert_eq!(status == Some(AccountStatus::Blocked), case.committed, "{case:?}");
        assert_eq!(world.is_alive(&world.kept).await, !case.committed, "{case:?}");
        let reset = world.auth.reset_password(PasswordReset::new(world.reset.as_str(), NEW)).await;
        assert_eq!(reset.is_ok(), !case.committed, "the mail from before: {case:?}: {reset:?}");
        world.auth.set_account_status(&world.ada.id, AccountStatus::Blocked).await.unwrap();
        let login = world.auth.login(Login::email(EMAIL, if case.committed { OLD } else { NEW })).await;
        assert!(matches!(login, Err(LoginError::Blocked)), "{case:?}: {login:?}");
    })
    .await;
}

/// A thing that works once is not lost by a store that fails, and never taken twice.
#[tokio::test(start_paused = true)]
async fn take_one_time() {
    const PURPOSE: OneTimePurpose = OneTimePurpose::Other("club_invitation");
    const SECRET: &str = "a token made elsewhere";
    let flow = async |world: &World| {
        let invitation = NewOneTime::new(PURPOSE, &world.ada.id, 0, 60_000);
        world.auth.discard_one_time_of(PURPOSE, &world.ada.id).await.ok();
        match world.auth.record_one_time(invitation, SECRET).await {
            Ok(()) => answer!(world.auth.take_one_time(PURPOSE, SECRET).await, Unavailable::Store(_)),
            Err(_) => Answer::Unavailable,
        }
    };
    at_every_call("take_one_time", &["delete_one_time_of"], flow, async |world, case| {
        let left = world.auth.take_one_time(PURPOSE, SECRET).await.unwrap();
        let never_made = match case.method {
            "delete_one_time_of" => case.answer == Answer::Dropped,
            "insert_one_time" => matches!(case.fault, Fail | Hang),
            _ => false,
        };
        assert_eq!(left.is_some(), !never_made && !case.committed, "{case:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn change_password() {
    let change = |world: &World| ChangePassword::new(world.ada.id.clone(), OLD, NEW).keep(world.kept.record.clone());
    let flow = async |world: &World| {
        answer!(world.auth.change_password(change(world)).await, ChangePasswordError::Unavailable(_))
    };
    at_every_call("set_password", &[], flow, async |world, case| {
        assert_eq!(world.password().await, if case.committed { NEW } else { OLD }, "{case:?}");
        assert_eq!(world.is_alive(&world.other).await, !case.committed, "{case:?}");
        if !case.committed {
            assert!(world.is_alive(&world.kept).await, "{case:?}");
            world.auth.change_password(change(world)).await.unwrap();
            assert_eq!(world.password().await, NEW);
        }
        // Kept, unless the very step that keeps it did not happen.
        let kept =
            case.answer == Answer::Done && (case.method != "carry_token_over" || !matches!(case.fault, Fail | Hang));
        if case.committed && case.answer != Answer::Dropped {
            assert_eq!(world.is_alive(&world.kept).await, kept, "{case:?}");
        }
        let reset = world.auth.reset_password(PasswordReset::new(world.reset.as_str(), OLD)).await;
        assert!(matches!(reset, Err(ResetPasswordError::InvalidToken)), "the mail from before: {case:?}: {reset:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn request_password_reset() {
    let request = || RequestPasswordReset::email(EMAIL);
    let flow = async |world: &World| {
        answer!(world.auth.request_password_reset(request()).await, RequestPasswordResetError::Unavailable(_))
    };
    at_every_call("insert_one_time_within", &[], flow, async |world, case| {
        let raised = world.events.take().len();
        assert_eq!(raised, usize::from(case.answer == Answer::Done), "{case:?}");
        if case.answer == Answer::Done {
            world.mails.wait_for(2).await;
        }
        world.auth.request_password_reset(request()).await.unwrap();
        let mails = world.mails.wait_for(if case.answer == Answer::Done { 3 } else { 2 }).await;
        assert_eq!(
            mails.len(),
            if case.answer == Answer::Done { 3 } else { 2 },
            "no mail without a secret that works: {case:?}"
        );
        world.auth.reset_password(PasswordReset::new(world.mails.last_token().await, NEW)).await.unwrap();
    })
    .await;
}

/// The answer for an unknown address differs in nothing when the store is down, either.
#[tokio::test(start_paused = true)]
async fn request_password_reset_for_nobody() {
    for method in ["find_user_by", "insert_one_time_within"] {
        for fault in [Fail, FailAfter, Hang, TOO_LATE] {
            let world = World::new().await;
            world.faults.every_call_of(method, fault);
            let answer = world.auth.request_password_reset(RequestPasswordReset::email("nobody@example.com")).await;
            assert!(matches!(answer, Err(RequestPasswordResetError::Unavailable(_))), "{method} {fault:?}: {answer:?}");
        }
    }
}

/// REL-5
#[tokio::test(start_paused = true)]
async fn reset_password() {
    let reset = |world: &World| PasswordReset::new(world.reset.as_str(), NEW);
    let flow = async |world: &World| {
        answer!(world.auth.reset_password(reset(world)).await, ResetPasswordError::Unavailable(_))
    };
    at_every_call("set_password", &[], flow, async |world, case| {
        assert_eq!(world.password().await, if case.committed { NEW } else { OLD }, "{case:?}");
        for token in [&world.kept, &world.other] {
            assert_eq!(world.is_alive(token).await, !case.committed, "{case:?}");
        }
        // The secret is as good as it was if and only if nothing was written.
        match world.auth.reset_password(reset(world)).await {
            Ok(()) => assert!(!case.committed, "{case:?}"),
            Err(ResetPasswordError::InvalidToken) => assert!(case.committed, "{case:?}"),
            Err(error) => panic!("{case:?}: {error:?}"),
        }
        assert_eq!(world.password().await, NEW, "{case:?}");
    })
    .await;
}

/// 13.1.3: a store that never answers at all delays no flow by more than its timeout for each call.
#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_for_good_delays_a_flow_by_one_timeout() {
    let world = World::new().await;
    world.faults.every(Hang);
    let limit = world.auth.policy().store.timeout;
    let start = Instant::now();
    assert!(world.auth.register(Register::email("bob@example.com", OLD)).await.is_err());
    assert!(world.auth.login(Login::email(EMAIL, OLD)).await.is_err());
    assert!(world.auth.authenticate(world.kept.secret.expose()).await.is_err());
    assert!(world.auth.logout(&world.kept.record.digest).await.is_err());
    assert!(world.auth.change_password(ChangePassword::new(world.ada.id.clone(), OLD, NEW)).await.is_err());
    assert!(world.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.is_err());
    assert!(world.auth.reset_password(PasswordReset::new(world.reset.as_str(), NEW)).await.is_err());
    let took = start.elapsed();
    assert!(took >= limit * 7 && took < limit * 7 + Duration::from_secs(1), "{took:?}");
}

/// A store that joins users and tokens still does so behind the faults.
#[tokio::test]
async fn a_token_costs_one_call() {
    let world = World::new().await;
    assert!(world.is_alive(&world.kept).await);
    assert_eq!(world.faults.calls(), ["find_token_owner"]);
}

/// REL-10
#[tokio::test(start_paused = true)]
async fn a_mailer_that_fails_or_hangs_changes_no_answer_and_delays_none() {
    for behavior in [MailBehavior::Fail, MailBehavior::Hang] {
        let world = World::new().await;
        world.mails.behave(behavior);
        let start = Instant::now();
        world.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(1));
        // The event has the secret all the same, for an app that has another way.
        let events = world.events.take();
        let [Event::PasswordResetRequested { token, .. }] = &events[..] else { panic!("{events:?}") };
        world.auth.reset_password(PasswordReset::new(token.clone(), NEW)).await.unwrap();
    }
}

/// REL-14
#[tokio::test]
async fn without_randomness_nothing_is_issued() {
    struct NoRandomness;
    impl Random for NoRandomness {
        fn fill(&self, _: &mut [u8]) -> Result<(), Unavailable> {
            Err(Unavailable::Random)
        }
    }

    let world = World::new().await;
    let store = FaultyStore::new(world.store.clone());
    let faults = store.faults();
    let auth: Auth =
        Auth::builder(store).hasher(fast_hasher()).random(NoRandomness).mailer(world.mails.clone()).build().unwrap();
    let register = auth.register(Register::email("bob@example.com", OLD)).await;
    assert!(matches!(register, Err(RegisterError::Unavailable(Unavailable::Random))), "{register:?}");
    let login = auth.login(Login::email(EMAIL, OLD)).await;
    assert!(matches!(login, Err(LoginError::Unavailable(Unavailable::Random))), "{login:?}");
    let request = auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await;
    assert!(matches!(request, Err(RequestPasswordResetError::Unavailable(Unavailable::Random))), "{request:?}");
    let change = auth.change_password(ChangePassword::new(world.ada.id.clone(), OLD, NEW)).await;
    assert!(matches!(change, Err(ChangePasswordError::Unavailable(Unavailable::Random))), "{change:?}");
    let written = ["create_user", "insert_token", "insert_one_time", "insert_one_time_within", "set_password"];
    assert!(faults.calls().iter().all(|call| !written.contains(call)), "{:?}", faults.calls());
    assert_eq!(world.mails.attempts(), 1, "only the one from before");
    assert_eq!(world.password().await, OLD);
}

/// The conditions that the tests above stand on: the wrapper does what its plan says to a store
/// underneath.
#[tokio::test(start_paused = true)]
async fn the_store_underneath_sees_what_was_done_and_only_that() {
    let ada = Identifier { namespace: String::new(), kind: IdentifierKind::Email, value: EMAIL.to_owned() };
    for (fault, gone) in [(Fail, false), (Hang, false), (FailAfter, true), (TOO_LATE, true), (IN_TIME, true)] {
        let world = World::new().await;
        let store = FaultyStore::with(world.store.clone(), world.faults.clone());
        world.faults.every_call_of("delete_token", fault);
        let _ = timeout(Duration::from_secs(5), store.delete_token(&world.kept.record.digest)).await;
        assert_eq!(store.inner().find_token(&world.kept.record.digest).await.unwrap().is_none(), gone, "{fault:?}");
        assert!(UserStore::<User>::find_user_by(&store, &ada).await.unwrap().is_some());
        assert_eq!(store.identity(), world.store.identity());
        assert_eq!(world.faults.calls(), ["delete_token", "find_user_by"]);
    }
}
