//! A code of six digits proves an address: `POST /wix/verify`, `POST /wix/resend-verification`, and
//! what logins and sign-ups say of it.

use std::time::Duration;

use gatekit::core::{AccountName, MailKind};
use gatekit::wix::{ApprovalPolicy, RegistrationOptions, TakenEmail, WixError};
use gatekit_testkit::Faults;
use gatekit_tests::{Answer, Call, Store, at_once, count, on_every_store, same_time, timed};
use serde_json::{Value, json};

use crate::site::{EMAIL, PASSWORD, Setup, Site, WixAnswer};

async fn verifying(store: Store) -> Site {
    Setup::new(Site::verifying()).start(store).await
}

/// Where nobody learns whose addresses are members'.
async fn hiding(store: Store) -> Site {
    Setup::new(Site::verifying()).members(|members| members.taken_email(TakenEmail::AlwaysVerify)).start(store).await
}

fn register(site: &Site, email: &str, password: &str) -> Call {
    site.post("/wix/register").json(json!({"email": email, "password": password}))
}

/// Signs [`EMAIL`] up: the state token, and the code from the first mail.
async fn signed_up(site: &Site) -> (String, String) {
    let state = register(site, EMAIL, PASSWORD).await.expect_status(200).text("stateToken");
    (state, site.code(1).await)
}

fn verify(site: &Site, state: &str, code: &str) -> Call {
    site.post("/wix/verify").json(json!({"code": code, "stateToken": state}))
}

fn resend(site: &Site, state: &str) -> Call {
    site.post("/wix/resend-verification").json(json!({"stateToken": state}))
}

fn state_in(refused: &Answer) -> String {
    match &refused.value()["details"]["applicationError"]["data"]["stateToken"] {
        Value::String(state) => state.clone(),
        _ => panic!("no state in {refused:?}"),
    }
}

/// Another code than this.
fn another(code: &str) -> &'static str {
    if code == "123456" { "654321" } else { "123456" }
}

on_every_store! {
    /// 6.6.2
    async fn the_code_logs_in_who_has_signed_up(store) {
        let site = verifying(store).await;
        let answer = register(&site, EMAIL, PASSWORD).await.expect_status(200);
        assert_eq!(answer.text("status"), "PENDING");
        assert!(answer.value().get("sessionToken").is_none());
        let code = site.code(1).await;
        assert!(code.len() == 6 && !code.starts_with('0'));
        let verified = verify(&site, &answer.text("stateToken"), &code).await.expect_status(200);
        assert_eq!(verified.value()["member"]["loginEmail"], EMAIL);
        site.apply(&verified.text("sessionToken")).await.expect_status(200);
        let token = site.access_token().await;
        assert_eq!(site.get("/me").header("authorization", token).await.value()["emailVerified"], true);
    }

    /// 6.5.1
    async fn a_code_works_once(store) {
        let site = verifying(store).await;
        let (state, code) = signed_up(&site).await;
        let answers = at_once((0..5).map(|_| verify(&site, &state, &code))).await;
        assert_eq!(count(&answers, 200), 1, "{answers:?}");
        verify(&site, &state, &code).await.refuses(400, "VERIFICATION_FAILED");
    }

    /// 6.6.2, V-2: of wrong, unknown, ended and strange the answer is the same.
    async fn a_code_is_good_with_its_state_alone(store) {
        let site = verifying(store).await;
        let (state, code) = signed_up(&site).await;
        let other = register(&site, "bob@example.com", PASSWORD).await.text("stateToken");
        let refused = verify(&site, &state, another(&code)).await.refuses(400, "VERIFICATION_FAILED");
        for (state, code) in [(other.as_str(), code.as_str()), ("nonsense", &code), (&code, &state)] {
            assert_eq!(verify(&site, state, code).await.as_sent(), refused.as_sent());
        }
        for body in [
            json!({"code": code}),
            json!({"stateToken": state}),
            json!({"code": 123_456, "stateToken": state}),
            json!({"code": [code], "stateToken": state}),
            json!({"code": code, "stateToken": {"a": state}}),
            json!({"code": "", "stateToken": ""}),
        ] {
            site.post("/wix/verify").json(body).await.refuses(400, "-19988");
        }
        verify(&site, &state, &code).await.expect_status(200);
    }

    /// 6.5.5
    async fn a_code_is_good_for_ten_minutes(store) {
        let site = verifying(store).await;
        let (state, code) = signed_up(&site).await;
        site.clock.advance(Duration::from_secs(600));
        verify(&site, &state, &code).await.refuses(400, "VERIFICATION_FAILED");
        let refused = site.login(EMAIL, PASSWORD).await.refuses(428, "EMAIL_VERIFICATION_REQUIRED");
        let code = site.code(2).await;
        site.clock.advance(Duration::from_millis(599_999));
        verify(&site, &state_in(&refused), &code).await.expect_status(200);
    }

    /// 6.6.3: whoever guesses five times is not told that the sixth was right, and another mail
    /// brings no more guesses.
    async fn five_codes_can_be_tried(store) {
        let site = verifying(store).await;
        let (state, code) = signed_up(&site).await;
        for _ in 0..5 {
            verify(&site, &state, another(&code)).await.refuses(400, "VERIFICATION_FAILED");
        }
        verify(&site, &state, &code).await.refuses(400, "VERIFICATION_FAILED");
        resend(&site, &state).await.refuses(429, "-19959");
        site.login(EMAIL, PASSWORD).await.refuses(429, "-19959");
        site.login(EMAIL, "a wrong one").await.refuses(401, "-19976");
    }

    async fn only_the_right_password_asks_for_a_code(store) {
        let site = verifying(store).await;
        signed_up(&site).await;
        site.login(EMAIL, "a wrong one").await.refuses(401, "-19976");
        let refused = site.login(EMAIL, PASSWORD).await.refuses(428, "EMAIL_VERIFICATION_REQUIRED");
        let code = site.code(2).await;
        verify(&site, &state_in(&refused), &code).await.expect_status(200);
        site.login(EMAIL, PASSWORD).await.expect_status(200);
        let error = site.members.login(EMAIL, PASSWORD).await;
        assert!(error.is_ok(), "{error:?}");
    }

    async fn another_code_takes_the_place_of_the_first(store) {
        let site = verifying(store).await;
        let (first, old) = signed_up(&site).await;
        let answer = resend(&site, &first).await.expect_status(200).expect_header("cache-control", "no-store");
        let (second, code) = (answer.text("stateToken"), site.code(2).await);
        assert_ne!(first, second);
        verify(&site, &first, &old).await.refuses(400, "VERIFICATION_FAILED");
        verify(&site, &second, &code).await.expect_status(200);
        resend(&site, &second).await.expect_status(200);
        site.auth.settled().await;
        assert_eq!(site.codes().len(), 2, "nobody has asked for it");
        for body in [json!({}), json!({"stateToken": 5}), json!({"stateToken": ""})] {
            site.post("/wix/resend-verification").json(body).await.refuses(400, "-19988");
        }
    }

    /// 2.4.1: who signs up with somebody else's address cannot fill that mailbox.
    async fn three_codes_are_mailed_within_ten_minutes(store) {
        let site = verifying(store).await;
        let (mut state, _) = signed_up(&site).await;
        for _ in 0..2 {
            state = resend(&site, &state).await.expect_status(200).text("stateToken");
        }
        resend(&site, &state).await.refuses(429, "-19959");
        site.login(EMAIL, PASSWORD).await.refuses(429, "-19959");
        let code = site.code(3).await;
        verify(&site, &state, &code).await.expect_status(200);
    }

    /// 6.3.8: beyond the limit a state is returned as it came, so that the code in the mailbox
    /// stays good, and a taken address shows the same.
    async fn where_taken_addresses_are_hidden_the_limit_on_mails_does_not_show_them(store) {
        let site = hiding(store).await;
        let (state, code) = signed_up(&site).await;
        verify(&site, &state, &code).await.expect_status(200);
        for (email, mails) in [("new@example.com", 4), (EMAIL, 4)] {
            let mut state = register(&site, email, "another password").await.text("stateToken");
            for n in 0..5 {
                let next = resend(&site, &state).await.expect_status(200).text("stateToken");
                assert_eq!(next == state, n >= 2, "{email}, {n}");
                state = next;
            }
            site.auth.settled().await;
            assert_eq!(site.codes().len(), mails, "{email}");
            if email != EMAIL {
                let code = site.code(mails).await;
                verify(&site, &state, &code).await.expect_status(200);
            }
        }
    }

    /// 16.3.3
    async fn a_state_that_is_forged_is_an_event(store) {
        let site = verifying(store).await;
        let (state, _) = signed_up(&site).await;
        let _ = site.events.take();
        resend(&site, "nonsense").await.expect_status(200);
        verify(&site, "nonsense", "123456").await.expect_status(400);
        resend(&site, &state).await.expect_status(200);
        let names: Vec<_> = site.events.take().iter().map(|event| event.name()).collect();
        assert_eq!(names, ["authn_secret_fail", "authn_secret_fail", "email_code_requested"]);
    }

    /// What is not there is asked for with the same answer.
    async fn a_state_of_nothing_looks_like_any_other(store) {
        let site = verifying(store).await;
        let (state, _) = signed_up(&site).await;
        let known = resend(&site, &state).await.expect_status(200);
        let unknown = resend(&site, "nonsense").await.expect_status(200);
        assert_eq!((known.headers.clone(), known.text("stateToken").len()), (unknown.headers.clone(), unknown.text("stateToken").len()));
    }

    async fn approval_follows_verification(store) {
        let setup = Setup::new(Site::verifying()).members(|members| members.approval(ApprovalPolicy::Manual));
        let site = setup.start(store).await;
        let new = site.members.register(EMAIL, PASSWORD, RegistrationOptions::default()).await.unwrap();
        let (state, approval) = (new.state_token.unwrap(), new.approval_token.unwrap());
        let code = site.code(1).await;
        verify(&site, state.expose(), &code).await.refuses(403, "-19958");
        site.login(EMAIL, PASSWORD).await.refuses(403, "-19958");
        let session = site.members.approve_by_token(&approval).await.unwrap();
        site.apply(session.expose()).await.expect_status(200);
    }

    /// Approved first, proven second: the session token of the approval is not enough.
    async fn verification_follows_approval(store) {
        let setup = Setup::new(Site::verifying()).members(|members| members.approval(ApprovalPolicy::Manual));
        let site = setup.start(store).await;
        site.members.register(EMAIL, PASSWORD, RegistrationOptions::default()).await.unwrap();
        let session = site.members.approve_by_email(EMAIL).await.unwrap();
        site.apply(session.expose()).await.refuses(428, "EMAIL_VERIFICATION_REQUIRED");
        let refused = site.login(EMAIL, PASSWORD).await.refuses(428, "EMAIL_VERIFICATION_REQUIRED");
        verify(&site, &state_in(&refused), &site.code(2).await).await.expect_status(200);
    }

    /// 7.4.2
    async fn a_blocked_member_is_not_let_in_by_a_code(store) {
        let site = verifying(store).await;
        let (state, code) = signed_up(&site).await;
        site.members.block_by_email(EMAIL).await.unwrap();
        let refused = verify(&site, &state, &code).await;
        assert!(refused.status == 403 || refused.status == 400, "{refused:?}");
        site.login(EMAIL, PASSWORD).await.refuses(403, "-19956");
    }

    /// 6.3.8, V-21, V-24: with a member's address the sign-up looks and hashes like any other, and
    /// nothing that follows tells it.
    async fn a_taken_address_can_be_hidden(store) {
        let site = hiding(store).await;
        let (state, code) = signed_up(&site).await;
        verify(&site, &state, &code).await.expect_status(200);

        let new = site.cost(register(&site, "new@example.com", PASSWORD)).await;
        let taken = site.cost(register(&site, EMAIL, "another password")).await;
        let members = |answer: &Answer| answer.value().as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(members(&new.0), ["status", "stateToken"]);
        assert_eq!(members(&taken.0), members(&new.0));
        assert_eq!((new.0.status, &new.0.headers, new.0.body.len()), (taken.0.status, &taken.0.headers, taken.0.body.len()));
        assert_eq!((new.1, taken.1), (1, 1), "hashes");
        site.code(2).await;
        let (new, taken) = (new.0.text("stateToken"), taken.0.text("stateToken"));
        assert_eq!(new.len(), taken.len());

        // As many guesses as one likes: the same bytes.
        let refused = verify(&site, &new, "000000").await.refuses(400, "VERIFICATION_FAILED");
        for _ in 0..6 {
            assert_eq!(verify(&site, &new, "000000").await.as_sent(), refused.as_sent());
            assert_eq!(verify(&site, &taken, "000000").await.as_sent(), refused.as_sent());
        }
        for state in [&new, &taken] {
            assert_eq!(members(&resend(&site, state).await.expect_status(200)), ["stateToken"]);
        }
        site.auth.settled().await;
        let to: Vec<String> = site.codes().into_iter().map(|mail| mail.to).collect();
        assert_eq!(to, [EMAIL, "new@example.com"], "no mail for what is taken");
        // Nothing has happened to the member.
        site.login(EMAIL, PASSWORD).await.expect_status(200);
        site.login(EMAIL, "another password").await.refuses(401, "-19976");
        // What is wrong with the password is told of both.
        for email in [EMAIL, "newer@example.com"] {
            register(&site, email, "short").await.refuses(400, "-19988");
        }
    }

    /// The owner of the address learns that somebody has signed up with it, a few times within an
    /// hour.
    async fn the_owner_of_a_taken_address_is_told(store) {
        let site = hiding(store).await;
        let (state, code) = signed_up(&site).await;
        verify(&site, &state, &code).await.expect_status(200);
        for _ in 0..5 {
            register(&site, EMAIL, "another password").await.expect_status(200);
        }
        site.auth.settled().await;
        let told: Vec<_> = site.mails.mails().into_iter().filter(|mail| mail.kind == MailKind::AccountExists).collect();
        assert!(told.len() == 3 && told.iter().all(|mail| mail.to == EMAIL), "{told:?}");
    }

    /// 6.3.8, T-3: what follows a hidden sign-up asks as much of the store, whether or not the
    /// address was taken: a wrong code is counted and compared, and another code is asked for.
    async fn what_follows_a_hidden_registration_costs_the_same(store) {
        let site = hiding(store).await;
        let (state, code) = signed_up(&site).await;
        verify(&site, &state, &code).await.expect_status(200);
        let mut costs = Vec::new();
        for email in ["new@example.com", EMAIL] {
            let mut cost = Vec::new();
            let calls = |faults: &Faults| -> Vec<&'static str> {
                let calls = faults.calls();
                faults.reset();
                calls
            };
            site.faults.reset();
            let mut state = register(&site, email, "another password").await.text("stateToken");
            let writes = calls(&site.faults).into_iter().filter(|call| !call.starts_with("find")).count();
            for try_ in 0..7 {
                verify(&site, &state, "000000").await.refuses(400, "VERIFICATION_FAILED");
                cost.push(calls(&site.faults));
                if try_ == 2 {
                    state = resend(&site, &state).await.expect_status(200).text("stateToken");
                    cost.push(calls(&site.faults));
                }
            }
            cost.push(vec![if writes == 4 { "four writes" } else { "another number of writes" }]);
            costs.push(cost);
        }
        assert_eq!(costs[0], costs[1]);
    }

    /// 6.3.8: a wrong code after a sign-up with a free address, and after one with a taken address.
    async fn a_wrong_code_does_not_tell_by_its_time(store) {
        let site = hiding(store).await;
        let (state, code) = signed_up(&site).await;
        verify(&site, &state, &code).await.expect_status(200);
        let wrong = async |email: String| {
            let state = register(&site, &email, PASSWORD).await.text("stateToken");
            timed(verify(&site, &state, "000000"), 400).await
        };
        same_time(
            "wrong code, free and taken",
            async |n| wrong(format!("free{n}@example.com")).await,
            async |_| wrong(EMAIL.to_owned()).await,
        )
        .await;
        // The store in memory looks through all codes for those of one member, and this site has
        // hundreds.
        if store == Store::Memory {
            return;
        }
        same_time(
            "registration, free and taken",
            async |n| timed(register(&site, &format!("new{n}@example.com"), PASSWORD), 200).await,
            async |_| timed(register(&site, EMAIL, PASSWORD), 200).await,
        )
        .await;
    }

    /// RACE-2: of twenty at once one is made, and nobody learns which.
    async fn of_20_hidden_registrations_at_once_one_is_made(store) {
        let site = hiding(store).await;
        let body = |number: usize| format!("{PASSWORD} {number}");
        let answers = at_once((0..20).map(|number| register(&site, EMAIL, &body(number)))).await;
        assert_eq!(count(&answers, 200), 20, "{answers:?}");
        let code = site.code(1).await;
        let mut verified = 0;
        for answer in &answers {
            verified += usize::from(verify(&site, &answer.text("stateToken"), &code).await.status == 200);
        }
        assert_eq!(verified, 1);
        site.auth.settled().await;
        assert_eq!(site.codes().len(), 1);
    }

    async fn a_code_is_good_for_the_address_it_was_mailed_to(store) {
        let site = verifying(store).await;
        let (state, code) = signed_up(&site).await;
        let account = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap();
        let id = site.members.member_id(&account.user);
        site.members.change_login_email(&id, "other@example.com").await.unwrap();
        verify(&site, &state, &code).await.refuses(400, "VERIFICATION_FAILED");
        let refused = site.members.login("other@example.com", PASSWORD).await;
        assert!(matches!(refused, Err(WixError::EmailVerificationRequired { state_token: Some(_) })));
    }
}

#[tokio::test]
async fn the_mail_is_in_the_language_of_the_client() {
    let site = verifying(Store::Memory).await;
    register(&site, EMAIL, PASSWORD).header("accept-language", "de").await.expect_status(200);
    register(&site, "bob@example.com", PASSWORD).await.expect_status(200);
    let mails = site.mails.wait_for_kind(MailKind::EmailCode, 2).await;
    let subject = |to: &str| mails.iter().find(|mail| mail.to == to).unwrap().subject.clone();
    assert_ne!(subject(EMAIL), subject("bob@example.com"));
}
