//! How often is an answer good? Once, and not for long.

use std::time::Duration;

use gatekit_testkit::Fault;
use gatekit_tests::{Answer, at_once, count, on_every_store};

use super::client::Challenge;
use super::site::{NAME, PASSWORD, Site};

/// Seconds a challenge is good for.
const TTL: u64 = 120;

/// 401, and whether a client is to try again by itself.
#[track_caller]
fn expect_401(answer: Answer, stale: bool) {
    assert_eq!(answer.status, 401, "{}", answer.body);
    let challenges = Challenge::all(&answer);
    assert!(!challenges.is_empty());
    for challenge in challenges {
        assert_eq!(challenge.get("stale"), if stale { "true" } else { "" });
    }
}

on_every_store! {
    /// DG-7, contract U2
    async fn a_recorded_answer_is_worth_nothing(store) {
        let site = Site::with_digest(store).await;
        let reply = Challenge::new(&site, "SHA-256").await.answer(NAME, PASSWORD);
        reply.send(&site).await.expect_status(200);
        for _ in 0..3 {
            expect_401(reply.send(&site).await, true);
        }
    }

    /// DG-7
    async fn counts_go_up_and_may_leave_some_out(store) {
        let site = Site::with_digest(store).await;
        let reply = Challenge::new(&site, "SHA-256").await.answer(NAME, PASSWORD);
        for (number, status) in [(1, 200), (5, 200), (5, 401), (4, 401), (1, 401), (6, 200), (u32::MAX, 200), (7, 401)] {
            let answer = reply.clone().count(number).send(&site).await.expect_status(status);
            if status == 401 {
                expect_401(answer, true);
            }
        }
    }

    /// DG-7, RACE
    async fn of_twenty_at_once_with_one_count_one_gets_a_token(store) {
        let site = Site::with_digest(store).await;
        for number in [1, 2] {
            let reply = Challenge::new(&site, "SHA-256").await.answer(NAME, PASSWORD).count(number);
            let answers = at_once((0..20).map(|_| reply.send(&site))).await;
            assert_eq!((count(&answers, 200), count(&answers, 401)), (1, 19));
            answers.into_iter().filter(|answer| answer.status == 401).for_each(|answer| expect_401(answer, true));
        }
    }

    /// Contract U2: at CM-Well, two logins at a time broke each other.
    async fn twenty_challenges_are_answered_at_once(store) {
        let site = Site::with_digest(store).await;
        let mut calls = Vec::new();
        for _ in 0..20 {
            calls.push(Challenge::new(&site, "SHA-256").await.answer(NAME, PASSWORD).send(&site));
        }
        assert_eq!(count(&at_once(calls).await, 200), 20);
    }

    /// DG-8
    async fn a_forged_nonce_is_refused_like_a_wrong_password(store) {
        let site = Site::with_digest(store).await;
        let challenge = Challenge::new(&site, "SHA-256").await;
        let nonce = challenge.get("nonce").to_owned();
        let flipped: String =
            nonce.char_indices().map(|(i, c)| if i == 3 { if c == 'A' { 'B' } else { 'A' } } else { c }).collect();
        let foreign = Challenge::new(&Site::with_digest(store).await.behind((site.rekeyed)(&[9])), "SHA-256").await;
        for forged in [&flipped, "00112233445566778899aabbccddeeff", "", &nonce[1..], foreign.get("nonce")] {
            let forged: &'static str = forged.to_owned().leak();
            expect_401(challenge.answer(NAME, PASSWORD).with("nonce", forged).send(&site).await, false);
        }
        challenge.answer(NAME, PASSWORD).send(&site).await.expect_status(200);
    }

    /// DG-8
    async fn an_old_challenge_is_told_from_a_wrong_password(store) {
        let site = Site::with_digest(store).await;
        let challenge = Challenge::new(&site, "SHA-256").await;
        site.clock.advance(Duration::from_secs(TTL) - Duration::from_millis(1));
        challenge.answer(NAME, PASSWORD).send(&site).await.expect_status(200);
        site.clock.advance(Duration::from_millis(1));
        expect_401(challenge.answer(NAME, PASSWORD).count(2).send(&site).await, true);
        expect_401(challenge.answer(NAME, PASSWORD).send(&site).await, true);
        expect_401(challenge.answer(NAME, "a wrong one").count(2).send(&site).await, false);
        expect_401(challenge.answer("noSuchUser", PASSWORD).count(2).send(&site).await, false);
    }

    /// Guessing costs no memory, and does not spoil the challenge for its owner.
    async fn a_wrong_answer_uses_nothing_up(store) {
        let site = Site::with_digest(store).await;
        let challenge = Challenge::new(&site, "SHA-256").await;
        expect_401(challenge.answer(NAME, "a wrong one").count(7).send(&site).await, false);
        assert!(!site.faults.calls().contains(&"use_nonce"), "{:?}", site.faults.calls());
        challenge.answer(NAME, PASSWORD).send(&site).await.expect_status(200);
    }

    /// Failure is not an answer: nobody gets in, and nobody is told that the password is wrong.
    async fn a_store_that_fails_is_503(store) {
        let site = Site::with_digest(store).await;
        for method in ["find_digest", "find_user_by", "use_nonce"] {
            let reply = Challenge::new(&site, "SHA-256").await.answer(NAME, PASSWORD);
            site.faults.every_call_of(method, Fault::Fail);
            let failed = reply.send(&site).await;
            site.faults.reset();
            assert_eq!(failed.status, 503, "{method}: {}", failed.body);
            assert_eq!(failed.header("www-authenticate"), "", "{method}");
            reply.send(&site).await.expect_status(200);
        }
    }
}
