//! What holds of codes of six digits, over any store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use gatekit_core::{
    Auth, ChangeEmail, Clock, ConfirmEmailCodeError, CounterStore, DeviceStore, Event, MailKind, MailOptions,
    OneTimePurpose, OneTimeStore, Policy, Register, RequestEmailChange, RequestEmailCode, RequestEmailCodeError,
    RoleStore, Timestamp, TokenDigest, TokenStore, User, UserStore,
};
use gatekit_testkit::{EventLog, Fault, Faults, FaultyStore, FrozenClock, MailSink, fast_hasher};
use tokio::sync::Barrier;

/// Makes a test of each rule, over a store that the expression makes.
macro_rules! every_rule {
    ($make:expr) => {
        rules::every_rule!($make;
            the_right_code_proves_the_address_once,
            the_mail_has_the_code_and_nothing_to_open,
            a_code_is_worth_nothing_without_the_state_it_was_made_with,
            after_five_wrong_codes_not_even_the_right_one_is_looked_at,
            a_wrong_code_costs_one_counting_call,
            a_new_code_brings_no_new_tries,
            the_right_code_ends_the_count,
            tries_count_as_long_as_a_code_does,
            of_twenty_tries_while_the_count_goes_on_no_more_than_five_are_looked_at,
            a_code_ends_after_ten_minutes,
            a_newer_code_takes_the_place_of_the_older_one,
            a_code_is_for_the_address_it_was_mailed_to,
            of_twenty_right_codes_at_once_one_proves_the_address,
            of_twenty_wrong_codes_at_once_five_are_looked_at,
            twenty_tries_at_once_with_a_new_code_each_are_no_more_than_five,
            what_is_stored_is_neither_state_nor_code,
            a_store_that_fails_is_no_wrong_code_and_costs_no_more_than_a_try,
            a_store_that_fails_sends_no_code,
            who_is_not_there_gets_no_code,
            three_codes_are_mailed_within_the_life_of_one_and_the_last_stays_good,
            a_state_of_nobody_is_renewed_as_often_as_one_of_a_user,
        );
    };
    ($make:expr; $($rule:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $rule() {
            rules::$rule($make).await;
        }
    )*};
}
pub(crate) use every_rule;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";
const MINUTE: Duration = Duration::from_secs(60);

/// A store of everything.
pub(crate) trait Store:
    UserStore<User> + TokenStore + OneTimeStore + RoleStore + DeviceStore + CounterStore + Clone
{
}
impl<S: UserStore<User> + TokenStore + OneTimeStore + RoleStore + DeviceStore + CounterStore + Clone> Store for S {}

struct App {
    auth: Auth,
    faults: Faults,
    clock: FrozenClock,
    mails: MailSink,
    events: EventLog,
    ada: User,
}

impl App {
    /// With as many mails as anybody asks for.
    async fn new(store: impl Store) -> Self {
        let mut policy = Policy::default();
        policy.mail.per_hour = u32::MAX;
        policy.mail.per_day = u32::MAX;
        Self::with(policy, store).await
    }

    async fn with(policy: Policy, store: impl Store) -> Self {
        let (clock, mails, events) = (FrozenClock::now(), MailSink::new(), EventLog::new());
        let store = FaultyStore::new(store);
        let faults = store.faults();
        let auth: Auth = Auth::builder(store)
            .clock(clock.clone())
            .mailer(mails.clone())
            .hooks(events.clone())
            .hasher(fast_hasher())
            .policy(policy)
            .build()
            .unwrap();
        let ada = auth.register(Register::email(EMAIL, PASSWORD)).await.unwrap();
        faults.reset();
        Self { auth, faults, clock, mails, events, ada }
    }

    /// Asks for a code. Returns the state and, from its mail, the code.
    async fn ask(&self, user: &User) -> (String, String) {
        let before = self.mails.wait_for_kind(MailKind::EmailCode, 0).await.len();
        let state = self.auth.request_email_code(RequestEmailCode::new(user.id.clone())).await.unwrap();
        // Each is waited for before the next is asked for.
        let mail = self.mails.wait_for_kind(MailKind::EmailCode, before + 1).await.pop().unwrap();
        assert_eq!(Some(mail.to.as_str()), user.email.as_deref());
        (state.expose().to_owned(), MailSink::code_in(&mail).unwrap())
    }

    async fn is_verified(&self) -> bool {
        self.auth.find_user(&self.ada.id).await.unwrap().unwrap().email_verified == Some(true)
    }

    fn verified_events(&self) -> usize {
        self.events.events().iter().filter(|event| matches!(event, Event::EmailVerified { .. })).count()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Proven,
    InvalidState,
    WrongCode,
    TooMany,
    Unavailable,
}
use Outcome::{InvalidState, Proven, TooMany, Unavailable, WrongCode};

async fn enter(auth: &Auth, state: &str, code: &str) -> Outcome {
    match auth.confirm_email_code(state, code).await {
        Ok(user) => {
            assert_eq!(user.email_verified, Some(true));
            Proven
        }
        Err(ConfirmEmailCodeError::InvalidState) => InvalidState,
        Err(ConfirmEmailCodeError::WrongCode) => WrongCode,
        Err(ConfirmEmailCodeError::TooManyAttempts) => TooMany,
        Err(ConfirmEmailCodeError::Unavailable(_)) => Unavailable,
        Err(error) => panic!("{error:?}"),
    }
}

/// A code that is another one.
fn wrong(code: &str) -> &'static str {
    if code == "314159" { "271828" } else { "314159" }
}

async fn twenty(auth: &Auth, one: impl Fn(usize) -> (String, String)) -> Vec<Outcome> {
    let start = Arc::new(Barrier::new(20));
    let spawn = |n| {
        let (auth, (state, code), start) = (auth.clone(), one(n), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            enter(&auth, &state, &code).await
        })
    };
    let mut outcomes = Vec::new();
    for task in (0..20).map(spawn).collect::<Vec<_>>() {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

fn count(outcomes: &[Outcome], of: Outcome) -> usize {
    outcomes.iter().filter(|outcome| **outcome == of).count()
}

/// 6.5.1
pub(crate) async fn the_right_code_proves_the_address_once(store: impl Store) {
    let app = App::new(store).await;
    let (state, code) = app.ask(&app.ada).await;
    assert!(!app.is_verified().await);
    let typed = format!(" {}\u{a0}{}\n", &code[..3], &code[3..]);
    assert_eq!(enter(&app.auth, &state, &typed).await, Proven, "blanks do not count");
    assert!(app.is_verified().await);
    assert_eq!(enter(&app.auth, &state, &code).await, InvalidState, "a code works once");
    assert_eq!(app.verified_events(), 1);
}

pub(crate) async fn the_mail_has_the_code_and_nothing_to_open(store: impl Store) {
    let app = App::new(store).await;
    let (_, code) = app.ask(&app.ada).await;
    let german = MailOptions::default().language("de");
    app.auth.request_email_code(RequestEmailCode::new(app.ada.id.clone()).mails(german)).await.unwrap();
    let mails = app.mails.wait_for_kind(MailKind::EmailCode, 2).await;
    let english = mails.iter().find(|mail| mail.subject == "Your code").unwrap();
    let german = mails.iter().find(|mail| mail.subject == "Ihr Code").unwrap();
    assert!(english.text.contains(&format!("within 10 minutes:\n\n{code}\n\n")), "{}", english.text);
    assert!(german.text.contains("innerhalb von 10 Minuten"), "{}", german.text);
    for mail in [english, german] {
        let code = MailSink::code_in(mail).unwrap();
        assert!((100_000..1_000_000).contains(&code.parse::<u32>().unwrap()), "N-23: six digits");
        assert!(mail.html.as_deref().unwrap().contains(&code) && mail.text.contains(EMAIL));
        assert!(mail.link.is_none() && !mail.text.contains("://") && !mail.text.contains('{'), "{}", mail.text);
    }
    let asked: Vec<_> =
        app.events.events().into_iter().filter(|event| matches!(event, Event::EmailCodeRequested { .. })).collect();
    assert_eq!(asked.len(), 2);
    let Event::EmailCodeRequested { code: told, .. } = &asked[0] else { panic!("{asked:?}") };
    assert_eq!(told.expose(), code, "an app that sends its own mails is told the code");
    assert!(!format!("{asked:?}").contains(&code), "and no log is");
}

/// 6.6.2
pub(crate) async fn a_code_is_worth_nothing_without_the_state_it_was_made_with(store: impl Store) {
    let app = App::new(store).await;
    let bob = app.auth.register(Register::email("bob@example.com", PASSWORD)).await.unwrap();
    let (adas, code) = app.ask(&app.ada).await;
    let (bobs, bobs_code) = app.ask(&bob).await;
    for state in ["", "unknown", code.as_str(), &adas[1..]] {
        assert_eq!(enter(&app.auth, state, &code).await, InvalidState, "{state:?}");
    }
    if code != bobs_code {
        assert_eq!(enter(&app.auth, &bobs, &code).await, WrongCode, "another user's state");
    }
    for purpose in [OneTimePurpose::VerifyEmail, OneTimePurpose::ResetPassword, OneTimePurpose::ChangeEmail] {
        assert!(app.auth.take_one_time(purpose, &adas).await.unwrap().is_none(), "the state is for nothing else");
    }
    assert_eq!(enter(&app.auth, &adas, &code).await, Proven, "unknown states cost no tries");
}

/// 6.6.3
pub(crate) async fn after_five_wrong_codes_not_even_the_right_one_is_looked_at(store: impl Store) {
    let app = App::new(store).await;
    let (state, code) = app.ask(&app.ada).await;
    for typed in [wrong(&code), "", "not a code", "1234567890123456789012345678901234567890", "\u{0}"] {
        assert_eq!(enter(&app.auth, &state, typed).await, WrongCode, "{typed:?}");
    }
    for _ in 0..3 {
        assert_eq!(enter(&app.auth, &state, &code).await, TooMany);
    }
    assert!(!app.is_verified().await);
    let asked = app.auth.request_email_code(RequestEmailCode::new(app.ada.id.clone())).await;
    assert!(matches!(asked, Err(RequestEmailCodeError::TooManyAttempts)), "{asked:?}");
    app.auth.settled().await;
    assert_eq!(
        app.mails.wait_for_kind(MailKind::EmailCode, 0).await.len(),
        1,
        "no code that cannot be tried is mailed"
    );
    // Nobody else is kept from anything.
    let bob = app.auth.register(Register::email("bob@example.com", PASSWORD)).await.unwrap();
    let (bobs, bobs_code) = app.ask(&bob).await;
    assert_eq!(enter(&app.auth, &bobs, &bobs_code).await, Proven);
    app.clock.advance(10 * MINUTE);
    let (state, code) = app.ask(&app.ada).await;
    assert_eq!(enter(&app.auth, &state, &code).await, Proven, "and nobody for longer than a code lives");
}

/// N-20
pub(crate) async fn a_new_code_brings_no_new_tries(store: impl Store) {
    let app = App::new(store).await;
    let (state, code) = app.ask(&app.ada).await;
    for _ in 0..3 {
        assert_eq!(enter(&app.auth, &state, wrong(&code)).await, WrongCode);
    }
    let (state, code) = app.ask(&app.ada).await;
    for _ in 0..2 {
        assert_eq!(enter(&app.auth, &state, wrong(&code)).await, WrongCode);
    }
    assert_eq!(enter(&app.auth, &state, &code).await, TooMany);
}

/// Whether the first code or the last: what is looked up, and one call that counts.
pub(crate) async fn a_wrong_code_costs_one_counting_call(store: impl Store) {
    let app = App::new(store).await;
    let (state, code) = app.ask(&app.ada).await;
    for n in 0..7 {
        app.faults.reset();
        let expected = if n < 5 { WrongCode } else { TooMany };
        assert_eq!(enter(&app.auth, &state, wrong(&code)).await, expected);
        assert_eq!(app.faults.calls(), ["find_one_time", "add_event"], "code {n}");
    }
}

/// N-21
pub(crate) async fn the_right_code_ends_the_count(store: impl Store) {
    let app = App::new(store).await;
    for round in 0..3 {
        let (state, code) = app.ask(&app.ada).await;
        for _ in 0..4 {
            assert_eq!(enter(&app.auth, &state, wrong(&code)).await, WrongCode, "round {round}");
        }
        assert_eq!(enter(&app.auth, &state, &code).await, Proven, "round {round}");
    }
}

/// Wherever in time the tries are made: there is no moment at which they are all forgotten.
pub(crate) async fn tries_count_as_long_as_a_code_does(store: impl Store) {
    let app = App::new(store).await;
    let mut tries: Vec<Duration> = Vec::new();
    let mut now = Duration::ZERO;
    for step in 0..60 {
        let in_the_last_ten = tries.iter().filter(|made| now < **made + 10 * MINUTE).count();
        match app.auth.request_email_code(RequestEmailCode::new(app.ada.id.clone())).await {
            Ok(state) => {
                assert!(in_the_last_ten < 5, "step {step}");
                // No code is this.
                assert_eq!(enter(&app.auth, state.expose(), "000000").await, WrongCode, "step {step}");
                tries.push(now);
            }
            Err(RequestEmailCodeError::TooManyAttempts) => assert_eq!(in_the_last_ten, 5, "step {step}"),
            Err(error) => panic!("{error:?}"),
        }
        let wait = [1, 45, 70, 13, 199][step % 5] * Duration::from_secs(1);
        app.clock.advance(wait);
        now += wait;
    }
    assert!((20..60).contains(&tries.len()), "{} say something", tries.len());
}

/// Stands at a time until it was asked so often, and then is a millisecond later.
#[derive(Clone)]
struct Turning {
    time: FrozenClock,
    left: Arc<AtomicUsize>,
}

impl Clock for Turning {
    fn now(&self) -> Timestamp {
        let turns = self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) == Ok(1);
        if turns {
            self.time.advance(Duration::from_millis(1));
        }
        self.time.now()
    }
}

/// 6.6.3: whatever the moment is at which it does.
pub(crate) async fn of_twenty_tries_while_the_count_goes_on_no_more_than_five_are_looked_at(store: impl Store) {
    // The count goes on at a multiple of ten minutes.
    let before = Timestamp(3_000_000 * 600_000 - 1);
    let time = FrozenClock::at(before);
    let left = Arc::new(AtomicUsize::new(0));
    let clock = Turning { time: time.clone(), left: Arc::clone(&left) };
    let auth: Auth = Auth::builder(store).clock(clock).hasher(fast_hasher()).build().unwrap();
    for reads in 1..60 {
        left.store(0, SeqCst);
        time.set(before);
        let user = auth.register(Register::email(format!("{reads}@example.com"), PASSWORD)).await.unwrap();
        let state = auth.request_email_code(RequestEmailCode::new(user.id)).await.unwrap();
        left.store(reads, SeqCst);
        let outcomes = twenty(&auth, |_| (state.expose().to_owned(), "000000".to_owned())).await;
        assert!(count(&outcomes, WrongCode) <= 5, "time turns at read {reads}: {outcomes:?}");
        assert_eq!(count(&outcomes, WrongCode) + count(&outcomes, TooMany), 20, "{outcomes:?}");
    }
}

/// 6.5.5
pub(crate) async fn a_code_ends_after_ten_minutes(store: impl Store) {
    let app = App::new(store).await;
    let (state, code) = app.ask(&app.ada).await;
    app.clock.advance(10 * MINUTE);
    assert_eq!(enter(&app.auth, &state, &code).await, InvalidState);
    let (state, code) = app.ask(&app.ada).await;
    app.clock.advance(10 * MINUTE - Duration::from_millis(1));
    assert_eq!(enter(&app.auth, &state, &code).await, Proven);
}

pub(crate) async fn a_newer_code_takes_the_place_of_the_older_one(store: impl Store) {
    let app = App::new(store).await;
    let (older, older_code) = app.ask(&app.ada).await;
    let (newer, newer_code) = app.ask(&app.ada).await;
    assert_eq!(enter(&app.auth, &older, &older_code).await, InvalidState);
    assert_eq!(enter(&app.auth, &older, &newer_code).await, InvalidState);
    assert_eq!(enter(&app.auth, &newer, &newer_code).await, Proven);
}

pub(crate) async fn a_code_is_for_the_address_it_was_mailed_to(store: impl Store) {
    let app = App::new(store).await;
    let (state, code) = app.ask(&app.ada).await;
    let change = RequestEmailChange::new(app.ada.id.clone(), PASSWORD, "ada@example.org");
    app.auth.request_email_change(change).await.unwrap();
    let mail = app.mails.wait_for_kind(MailKind::ChangeEmail, 1).await.pop().unwrap();
    app.auth.change_email(ChangeEmail::new(MailSink::token_in(&mail).unwrap())).await.unwrap();
    assert_eq!(enter(&app.auth, &state, &code).await, InvalidState, "it proves nothing of another address");
    assert_eq!(app.verified_events(), 0);
}

/// 6.5.1, RACE-1
pub(crate) async fn of_twenty_right_codes_at_once_one_proves_the_address(store: impl Store) {
    let app = App::new(store).await;
    for round in 1..=5 {
        let (state, code) = app.ask(&app.ada).await;
        let outcomes = twenty(&app.auth, |_| (state.clone(), code.clone())).await;
        assert_eq!(count(&outcomes, Proven), 1, "{outcomes:?}");
        assert_eq!(count(&outcomes, Proven) + count(&outcomes, InvalidState) + count(&outcomes, TooMany), 20);
        assert_eq!(app.verified_events(), round);
        // Those that were counted while the first was at work are still counted, at most until they
        // end.
        app.clock.advance(10 * MINUTE);
    }
}

/// 6.6.3
pub(crate) async fn of_twenty_wrong_codes_at_once_five_are_looked_at(store: impl Store) {
    let app = App::new(store).await;
    for _ in 0..5 {
        let (state, code) = app.ask(&app.ada).await;
        let outcomes = twenty(&app.auth, |_| (state.clone(), wrong(&code).to_owned())).await;
        assert_eq!((count(&outcomes, WrongCode), count(&outcomes, TooMany)), (5, 15), "{outcomes:?}");
        assert_eq!(enter(&app.auth, &state, &code).await, TooMany);
        app.clock.advance(10 * MINUTE);
    }
}

/// 6.6.3, N-20
pub(crate) async fn twenty_tries_at_once_with_a_new_code_each_are_no_more_than_five(store: impl Store) {
    let app = App::new(store).await;
    let start = Arc::new(Barrier::new(20));
    let spawn = |_| {
        let (auth, id, start) = (app.auth.clone(), app.ada.id.clone(), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            match auth.request_email_code(RequestEmailCode::new(id)).await {
                Ok(state) => enter(&auth, state.expose(), "000000").await,
                Err(RequestEmailCodeError::TooManyAttempts) => TooMany,
                Err(error) => panic!("{error:?}"),
            }
        })
    };
    let mut outcomes = Vec::new();
    for task in (0..20).map(spawn).collect::<Vec<_>>() {
        outcomes.push(task.await.unwrap());
    }
    assert!(count(&outcomes, WrongCode) <= 5, "{outcomes:?}");
    let fine = [WrongCode, InvalidState, TooMany].map(|outcome| count(&outcomes, outcome));
    assert_eq!(fine.iter().sum::<usize>(), 20, "{outcomes:?}");
}

/// 6.5.2: whoever reads the store cannot try all codes on it.
pub(crate) async fn what_is_stored_is_neither_state_nor_code(store: impl Store) {
    let app = App::new(store.clone()).await;
    let (state, code) = app.ask(&app.ada).await;
    let purpose = OneTimePurpose::Other("email_code");
    let record = OneTimeStore::find_one_time(&store, purpose, &TokenDigest::of(&state)).await.unwrap().unwrap();
    let data = record.data.unwrap();
    assert!(data.len() == 64 && data.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let hex = |text: &str| TokenDigest::of(text).to_hex();
    assert!(data != hex(&code) && data != hex(&format!("email_code {code}")), "the state is needed to try a code");
}

pub(crate) async fn a_store_that_fails_is_no_wrong_code_and_costs_no_more_than_a_try(store: impl Store) {
    let app = App::new(store).await;
    let (mut failed, mut passed) = (0, 0);
    for fault in [Fault::Fail, Fault::FailAfter] {
        for n in 1.. {
            let email = format!("{fault:?}{n}@example.com").to_lowercase();
            let user = app.auth.register(Register::email(email, PASSWORD)).await.unwrap();
            let (state, code) = app.ask(&user).await;
            app.faults.reset();
            app.faults.nth(n, fault);
            let outcome = enter(&app.auth, &state, &code).await;
            let all = app.faults.calls().len();
            app.faults.reset();
            match outcome {
                Unavailable => {
                    failed += 1;
                    let is_verified = app.auth.find_user(&user.id).await.unwrap().unwrap().email_verified == Some(true);
                    let again = enter(&app.auth, &state, &code).await;
                    assert!(again == Proven || is_verified, "{fault:?} in call {n}: {again:?}");
                }
                Proven => passed += 1,
                other => panic!("{fault:?} in call {n} is told as {other:?}"),
            }
            if n > all {
                break;
            }
        }
    }
    assert!(failed >= 8 && passed >= 4, "{failed} and {passed} say something");
}

pub(crate) async fn a_store_that_fails_sends_no_code(store: impl Store) {
    let app = App::new(store).await;
    let mut failed = 0;
    for n in 1.. {
        app.faults.reset();
        app.faults.nth(n, Fault::Fail);
        match app.auth.request_email_code(RequestEmailCode::new(app.ada.id.clone())).await {
            Ok(_) => break,
            Err(RequestEmailCodeError::Unavailable(_)) => failed += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(failed > 3, "{failed} say something");
    app.faults.reset();
    app.auth.settled().await;
    assert_eq!(app.mails.wait_for_kind(MailKind::EmailCode, 0).await.len(), 1, "only that of the request that worked");
    let (state, code) = app.ask(&app.ada).await;
    assert_eq!(enter(&app.auth, &state, &code).await, Proven);
}

pub(crate) async fn who_is_not_there_gets_no_code(store: impl Store) {
    let app = App::new(store).await;
    let asked = app.auth.request_email_code(RequestEmailCode::new(99)).await;
    assert!(matches!(asked, Err(RequestEmailCodeError::UserNotFound(id)) if id == 99.into()));
    let (state, code) = app.ask(&app.ada).await;
    app.auth.delete_user(&app.ada.id).await.unwrap();
    assert_eq!(enter(&app.auth, &state, &code).await, InvalidState);
}

/// 2.4.1: whoever holds a state or the password cannot fill a mailbox.
pub(crate) async fn three_codes_are_mailed_within_the_life_of_one_and_the_last_stays_good(store: impl Store) {
    let app = App::with(Policy::default(), store).await;
    app.ask(&app.ada).await;
    app.ask(&app.ada).await;
    app.clock.advance(5 * MINUTE);
    let (state, code) = app.ask(&app.ada).await;
    for _ in 0..5 {
        let asked = app.auth.request_email_code(RequestEmailCode::new(app.ada.id.clone())).await;
        assert!(matches!(asked, Err(RequestEmailCodeError::TooManyMails)), "{asked:?}");
    }
    app.auth.settled().await;
    assert_eq!(app.mails.wait_for_kind(MailKind::EmailCode, 0).await.len(), 3);
    // Nobody else is kept from anything.
    let bob = app.auth.register(Register::email("bob@example.com", PASSWORD)).await.unwrap();
    app.ask(&bob).await;
    assert_eq!(enter(&app.auth, &state, &code).await, Proven, "what is in the mailbox is good");
    app.clock.advance(5 * MINUTE);
    app.ask(&app.ada).await;
    app.ask(&app.ada).await;
    let asked = app.auth.request_email_code(RequestEmailCode::new(app.ada.id.clone())).await;
    assert!(matches!(asked, Err(RequestEmailCodeError::TooManyMails)), "the third is five minutes old: {asked:?}");
}

/// 6.3.8
pub(crate) async fn a_state_of_nobody_is_renewed_as_often_as_one_of_a_user(store: impl Store) {
    let app = App::with(Policy::default(), store).await;
    let mails = MailOptions::default();
    let first = app.auth.pretend_email_code(None, &mails).await.unwrap();
    let record = app.auth.find_one_time(OneTimePurpose::EMAIL_CODE, first.expose()).await.unwrap().unwrap();
    let nobody = record.user_id.unwrap();
    for _ in 0..2 {
        app.auth.pretend_email_code(Some(&nobody), &mails).await.unwrap();
    }
    let asked = app.auth.pretend_email_code(Some(&nobody), &mails).await;
    assert!(matches!(asked, Err(RequestEmailCodeError::TooManyMails)), "{asked:?}");
}
