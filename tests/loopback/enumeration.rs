//! Whether an address has an account, in all six places where a stranger can ask: sign-up, the body
//! of a login, its time, a reset, another verification mail, and a change of address (ASVS 6.3.8).
//! By body, by what is asked of the store, and by time.

use std::time::Duration;

use gatekit::core::MailKind;
use gatekit::{Event, HookVeto, Hooks, NewUser, NoProfile, Policy, User, async_trait};
use gatekit_tests::{Answer, App, Call, EMAIL, PASSWORD, at_once, count, on_every_store, same_time, timed};
use serde_json::json;

const RESEND: &str = "/api/users/resend-verification";

/// Accounts must verify their address.
fn verifying() -> Policy {
    let mut policy = Policy::default();
    policy.email.verification_required = true;
    policy
}

fn sign_up(app: &App, email: &str) -> Call {
    app.post("/api/users").json(json!({"email": email, "password": PASSWORD}))
}

/// Makes an account, and verifies its address if it is to be.
async fn account(app: &App, email: &str, verified: bool) {
    let before = app.mails.mails().len();
    sign_up(app, email).await.expect_status(200);
    let mails = app.mails.wait_for(before + 1).await;
    if verified {
        let link = mails[before].link.clone().unwrap();
        let token = link.rsplit('=').next().unwrap();
        app.post("/api/users/confirm").json(json!({"token": token})).await.expect_no_content();
    }
}

/// What a request costs: hashes, and calls of the store that change something.
async fn cost(app: &App, call: Call) -> (Answer, u64, Vec<&'static str>) {
    app.faults.reset();
    let before = app.auth.hasher().hashes();
    let answer = call.await;
    (answer, app.auth.hasher().hashes() - before, app.faults.calls())
}

fn kinds(app: &App, to: &str) -> Vec<MailKind> {
    app.mails.mails().iter().filter(|mail| mail.to == to).map(|mail| mail.kind).collect()
}

on_every_store! {
    /// V-21, V-24, T-3
    async fn a_sign_up_with_a_taken_address_looks_and_costs_like_any_other_where_addresses_are_verified(store) {
        let app = App::with(verifying()).start(store).await;
        account(&app, "verified@bar.com", true).await;
        account(&app, "waiting@bar.com", false).await;
        let free = cost(&app, sign_up(&app, "free@bar.com")).await;
        free.0.clone().is(200, r#"{"email":"free@bar.com"}"#);
        assert_eq!(free.2, ["find_user_by", "create_user", "insert_one_time_within"]);
        for email in ["verified@bar.com", "waiting@bar.com", "Verified@BAR.com"] {
            let taken = cost(&app, sign_up(&app, email)).await;
            let wanted = free.0.body.replace("free@bar.com", &email.to_lowercase());
            assert_eq!((taken.0.status, &taken.0.body), (free.0.status, &wanted), "{email}");
            let names = |answer: &Answer| answer.headers.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&taken.0), names(&free.0), "{email}");
            assert_eq!(taken.1, free.1, "{email}: as many hashes");
            let writes = |calls: &[&str]| calls.iter().filter(|call| !call.starts_with("find")).count();
            assert_eq!(writes(&taken.2), writes(&free.2), "{email}: {:?}", taken.2);
        }
        // An error of another field is told of both.
        for email in ["verified@bar.com", "other@bar.com"] {
            let answer = app.post("/api/users").json(json!({"email": email, "password": "short"})).await;
            answer.expect(422, "PASSWORD_TOO_SHORT");
        }
    }

    /// The owner of the address learns what happened, and how to get in. Nothing else changes.
    async fn the_owner_of_a_taken_address_gets_a_mail_and_keeps_the_account(store) {
        let app = App::with(verifying())
            .configure(|auth| auth.forgot_password_link("https://app.example.com/forgot"))
            .start(store)
            .await;
        account(&app, EMAIL, true).await;
        account(&app, "waiting@bar.com", false).await;
        let _ = app.events.take();
        for email in [EMAIL, "waiting@bar.com"] {
            let again = json!({"email": email, "password": "a stranger's password"});
            app.post("/api/users").json(again).await.expect_status(200);
        }
        assert_eq!(kinds(&app, EMAIL), [MailKind::VerifyEmail, MailKind::AccountExists]);
        assert_eq!(kinds(&app, "waiting@bar.com"), [MailKind::VerifyEmail, MailKind::AccountUnverified]);
        let mails = app.mails.mails();
        let notice = mails.iter().find(|mail| mail.kind == MailKind::AccountExists).unwrap();
        assert_eq!(notice.link.as_deref(), Some("https://app.example.com/forgot"));
        let repeated = |event: &&Event<User>| matches!(event, Event::SignUpRepeated { .. });
        assert_eq!(app.events.take().iter().filter(repeated).count(), 2);
        app.login(EMAIL, PASSWORD).await.expect_status(200);
        app.login(EMAIL, "a stranger's password").await.expect(401, "LOGIN_FAILED");
        // The link in it verifies the account there is.
        let waiting = mails.iter().find(|mail| mail.kind == MailKind::AccountUnverified).unwrap();
        let token = waiting.link.as_deref().unwrap().rsplit('=').next().unwrap().to_owned();
        app.post("/api/users/confirm").json(json!({"token": token})).await.expect_no_content();
        app.login("waiting@bar.com", PASSWORD).await.expect_status(200);
    }

    /// 2.4.1: strangers who sign up with an address send its owner no more than a few mails.
    async fn the_owner_of_a_taken_address_gets_few_mails(store) {
        let app = App::with(verifying()).start(store).await;
        account(&app, "verified@bar.com", true).await;
        account(&app, "waiting@bar.com", false).await;
        for email in ["verified@bar.com", "waiting@bar.com"] {
            for _ in 0..6 {
                sign_up(&app, email).await.is(200, &format!(r#"{{"email":"{email}"}}"#));
            }
        }
        assert_eq!(kinds(&app, "verified@bar.com").iter().filter(|kind| **kind == MailKind::AccountExists).count(), 3);
        // The one of the sign-up was one of three.
        assert_eq!(kinds(&app, "waiting@bar.com").len(), 3);
    }

    /// A login with the password of the sign-up must not tell whether the sign-up has made the
    /// account.
    async fn a_login_after_the_sign_up_does_not_tell_whether_the_address_was_taken(store) {
        let app = App::with(verifying()).start(store).await;
        account(&app, "taken@bar.com", true).await;
        let mut answers = Vec::new();
        for email in ["taken@bar.com", "free@bar.com"] {
            let password = "the stranger's own";
            app.post("/api/users").json(json!({"email": email, "password": password})).await.expect_status(200);
            let (answer, hashes, calls) = cost(&app, app.login(email, password)).await;
            answers.push((format!("{:?}", answer.as_sent()), hashes, calls));
        }
        assert_eq!(answers[0], answers[1]);
    }

    /// Names are public: that one is taken is told, whatever the address. It does not tell whether
    /// the sign-up before it made an account.
    async fn a_taken_name_is_told_and_tells_nothing_of_the_address(store) {
        let app = App::with(verifying()).start(store).await;
        account(&app, "taken@bar.com", true).await;
        let sign_up = |email: &str, name: &str| {
            app.post("/api/users").json(json!({"email": email, "username": name, "password": PASSWORD}))
        };
        sign_up("ada@bar.com", "ada").await.is(200, r#"{"username":"ada","email":"ada@bar.com"}"#);
        for email in ["taken@bar.com", "free@bar.com"] {
            let answer = sign_up(email, "ada").await.expect_status(422);
            assert!(answer.body.contains(r#""username":["uniqueness"]"#) && !answer.body.contains(r#""email":["#), "{answer:?}");
        }
        let names = [("taken@bar.com", "first"), ("free@bar.com", "second")];
        for (email, name) in names {
            sign_up(email, name).await.expect_status(200);
        }
        // Once more with another address, at once and after a while.
        for after in [0, 3600, 30 * 86_400] {
            app.clock.advance(Duration::from_secs(after));
            let mut answers = Vec::new();
            for (_, name) in names {
                let answer = sign_up("third@bar.com", name).await.expect_status(422);
                answers.push(answer.body.replace(name, "NAME"));
            }
            assert_eq!(answers[0], answers[1]);
        }
    }

    /// LoopBack tells, and so does every app that logs a new user in at once.
    async fn a_taken_address_is_told_where_none_must_be_verified_and_under_loopbacks_policy(store) {
        let mut loopback = Policy::loopback();
        loopback.email.verification_required = true;
        let mut own_mails = verifying();
        own_mails.email.verify_on_register = false;
        for policy in [Policy::default(), Policy::loopback(), loopback, own_mails] {
            let app = App::with(policy).start(store).await;
            let first = sign_up(&app, EMAIL).await.expect_status(200);
            assert_eq!(first.value()["id"], 1);
            let again = sign_up(&app, EMAIL).await.expect_status(422);
            assert!(again.body.contains(r#""email":["uniqueness"]"#), "{again:?}");
        }
    }

    /// RACE-1: of many at once one is stored, and all are answered alike.
    async fn of_20_sign_ups_at_once_all_are_answered_alike(store) {
        let app = App::with(verifying()).start(store).await;
        let answers = at_once((0..20).map(|_| sign_up(&app, EMAIL))).await;
        assert_eq!(count(&answers, 200), 20, "{answers:?}");
        assert!(answers.iter().all(|answer| answer.body == answers[0].body));
        let registered = |event: &&Event<User>| matches!(event, Event::Registered { .. });
        assert_eq!(app.events.take().iter().filter(registered).count(), 1);
    }

    /// A hook that refuses sign-ups refuses a taken address as well.
    async fn a_hook_is_asked_about_a_taken_address_as_about_any_other(store) {
        let app = App::with(verifying()).configure(|auth| auth.hooks(NoEve)).start(store).await;
        account(&app, "ada@bar.com", true).await;
        for email in ["ada@bar.com", "free@bar.com"] {
            let body = json!({"email": email, "username": "eve", "password": PASSWORD});
            app.post("/api/users").json(body).await.expect(403, "NO_EVE");
        }
    }

    /// The second request too: nothing that the first has stored makes it slower or faster.
    async fn no_request_asks_more_of_the_store_for_an_account_than_for_none(store) {
        let app = App::with(verifying()).start(store).await;
        account(&app, "verified@bar.com", true).await;
        account(&app, "waiting@bar.com", false).await;
        let ask = |path: &str, email: &str| app.post(path).json(json!({"email": email}));
        for path in [RESEND, "/api/users/reset"] {
            for round in 0..2 {
                let unknown = cost(&app, ask(path, "nobody@bar.com")).await;
                for email in ["verified@bar.com", "waiting@bar.com"] {
                    let known = cost(&app, ask(path, email)).await;
                    assert_eq!(known.0.as_sent(), unknown.0.as_sent(), "{path} {email} {round}");
                    assert_eq!((known.1, &known.2), (unknown.1, &unknown.2), "{path} {email} {round}");
                }
            }
        }
        for round in 0..2 {
            let unknown = cost(&app, app.post("/api/users/999/verify")).await;
            for id in [1, 2] {
                let known = cost(&app, app.post(&format!("/api/users/{id}/verify"))).await;
                assert_eq!((known.0.as_sent(), &known.2), (unknown.0.as_sent(), &unknown.2), "{id} {round}");
            }
        }
        let token = app.token_of("verified@bar.com").await;
        let mut costs = Vec::new();
        for email in ["waiting@bar.com", "free@bar.com", "waiting@bar.com", "another@bar.com", "waiting@bar.com"] {
            let (answer, hashes, calls) = cost(&app, app.change_email(&token, email)).await;
            costs.push((format!("{:?}", answer.as_sent()), hashes, calls));
        }
        // Three mails are sent, and all others are answered alike without one.
        let (sent, others) = costs.split_at(3);
        for alike in [sent, others] {
            assert!(alike.iter().all(|cost| *cost == alike[0]), "{costs:?}");
        }
        assert_eq!(sent[0].0, others[0].0);
    }
}

struct NoEve;

#[async_trait]
impl Hooks<User> for NoEve {
    async fn before_register(&self, new: &mut NewUser<NoProfile>) -> Result<(), HookVeto> {
        match new.username.as_deref() {
            Some("eve") => Err(HookVeto::new("NO_EVE", "not you")),
            _ => Ok(()),
        }
    }
}

on_every_store! {
    /// T-3, 6.3.8: first and later sign-ups with an address.
    async fn a_sign_up_does_not_tell_by_its_time(store) {
        let app = App::with(verifying()).start(store).await;
        account(&app, "verified@bar.com", true).await;
        // What comes before each is the same, too.
        let free = async |n| {
            account(&app, &format!("other{n}@bar.com"), true).await;
            timed(sign_up(&app, &format!("free{n}@bar.com")), 200).await
        };
        let taken = async |n| {
            let email = format!("taken{n}@bar.com");
            account(&app, &email, true).await;
            timed(sign_up(&app, &email), 200).await
        };
        same_time("sign-up, free and taken", free, taken).await;
        let later = async |n| timed(sign_up(&app, &format!("later{n}@bar.com")), 200).await;
        let no_more = async |_| timed(sign_up(&app, "verified@bar.com"), 200).await;
        same_time("sign-up, free and taken with no more mails", later, no_more).await;
    }

    /// T-1, V-20: a login with an unknown address, and one with a wrong password.
    async fn a_login_does_not_tell_by_its_time(store) {
        let app = App::with(verifying()).start(store).await;
        account(&app, "verified@bar.com", true).await;
        account(&app, "waiting@bar.com", false).await;
        for (what, email, password) in
            [("wrong password", "verified@bar.com", "wrong"), ("unverified", "waiting@bar.com", PASSWORD)]
        {
            same_time(
                &format!("login, {what} and unknown"),
                async |_| timed(app.login(email, password), 401).await,
                async |_| timed(app.login("nobody@bar.com", password), 401).await,
            )
            .await;
        }
    }

    /// T-2: the mail that is sent, and the one that is not because the account has got as many as
    /// it may.
    async fn a_reset_does_not_tell_by_its_time(store) {
        let app = App::with(verifying()).start(store).await;
        let ask = async |email: &str| timed(app.post("/api/users/reset").json(json!({"email": email})), 204).await;
        let known = async |n| {
            let email = format!("known{n}@bar.com");
            account(&app, &email, true).await;
            ask(&email).await
        };
        // What comes before each is the same, too.
        let unknown = async |n| {
            account(&app, &format!("other{n}@bar.com"), true).await;
            ask(&format!("unknown{n}@bar.com")).await
        };
        same_time("reset, known and unknown", known, unknown).await;
        let unknown = async |n| ask(&format!("unknown{n}@bar.com")).await;
        same_time("reset, known and no more mails, and unknown", async |_| ask("known0@bar.com").await, unknown).await;
    }

    /// T-2, V-22
    async fn another_verification_mail_does_not_tell_by_its_time(store) {
        let app = App::with(verifying()).start(store).await;
        account(&app, "verified@bar.com", true).await;
        let ask = async |email: &str| timed(app.post(RESEND).json(json!({"email": email})), 204).await;
        // The first time and the second. What comes before each is the same, too.
        let first = async |n| {
            let email = format!("first{n}@bar.com");
            account(&app, &email, false).await;
            ask(&email).await
        };
        let unknown = async |n| {
            account(&app, &format!("other{n}@bar.com"), false).await;
            ask(&format!("unknown{n}@bar.com")).await
        };
        same_time("resend, waiting and unknown", first, unknown).await;
        let second = async |n| {
            let email = format!("second{n}@bar.com");
            account(&app, &email, false).await;
            ask(&email).await;
            ask(&email).await
        };
        let unknown = async |n| {
            account(&app, &format!("another{n}@bar.com"), false).await;
            ask(&format!("unknown{n}@bar.com")).await;
            ask(&format!("unknown{n}@bar.com")).await
        };
        same_time("resend again, waiting and unknown", second, unknown).await;
        let unknown = async |n| ask(&format!("unknown{n}@bar.com")).await;
        same_time("resend, no more mails and unknown", async |_| ask("second0@bar.com").await, unknown).await;
        same_time("resend, verified and unknown", async |_| ask("verified@bar.com").await, unknown).await;
        let verify = async |id: i64| timed(app.post(&format!("/api/users/{id}/verify")), 204).await;
        same_time("verify, waiting and unknown", async |_| verify(3).await, async |_| verify(999_999).await).await;
    }

    /// V-24: each request ends the one before it, which must take the same time for both as well.
    async fn a_change_of_address_does_not_tell_by_its_time(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        app.sign_up_as("taken@bar.com").await;
        let token = app.token_of(EMAIL).await;
        same_time(
            "change of address, free and taken",
            async |n| timed(app.change_email(&token, &format!("free{n}@bar.com")), 204).await,
            async |_| timed(app.change_email(&token, "taken@bar.com"), 204).await,
        )
        .await;
    }
}
