//! Refresh tokens: another each time, and what happens if one comes back.

use std::future::IntoFuture;
use std::time::Duration;

use gatekit::core::{AccountName, TokenDigest};
use gatekit::{ChangePassword, Proofs};
use gatekit_testkit::Fault;
use gatekit_tests::{at_once, count, on_every_store};
use serde_json::json;

use super::{GrantAnswer, NEW_PASSWORD, Tokens};
use crate::site::{EMAIL, PASSWORD, Site, WixAnswer};

const FOUR_HOURS: Duration = Duration::from_secs(4 * 3600);

on_every_store! {
    /// 10.4.5, O-6
    async fn every_renewal_gives_another_token_and_ends_the_access_token_before(store) {
        let site = Site::iam(store).await;
        let mut tokens = site.tokens().await;
        for _ in 0..5 {
            let next = Tokens::of(&site.refresh(&tokens.refresh).await.expect_status(200));
            assert_ne!((&next.access, &next.refresh), (&tokens.access, &tokens.refresh));
            assert_eq!((site.me(&tokens.access).await, site.me(&next.access).await), (401, 200));
            tokens = next;
        }
    }

    /// 10.4.5, O-6, V-110
    async fn a_token_that_was_used_ends_all_that_came_of_it(store) {
        let site = Site::iam(store).await;
        let first = site.tokens().await;
        let other = site.tokens().await;
        let second = Tokens::of(&site.refresh(&first.refresh).await.expect_status(200));
        let third = Tokens::of(&site.refresh(&second.refresh).await.expect_status(200));
        site.refresh(&first.refresh).await.refuses_grant(400, "invalid_grant");
        assert_eq!(site.me(&third.access).await, 401);
        for token in [&first, &second, &third] {
            site.refresh(&token.refresh).await.refuses_grant(400, "invalid_grant");
        }
        // The member's other login is another family.
        assert_eq!(site.me(&other.access).await, 200);
        site.refresh(&other.refresh).await.expect_status(200);
    }

    /// RACE-6: the family has one line of tokens however many renew at once. Within the grace they
    /// all get it.
    async fn of_20_at_once_all_get_the_same_tokens(store) {
        let site = Site::iam(store).await;
        let tokens = site.tokens().await;
        let answers = at_once((0..20).map(|_| site.refresh(&tokens.refresh))).await;
        assert_eq!(count(&answers, 200), 20, "{answers:?}");
        let got: Vec<Tokens> = answers.iter().map(Tokens::of).collect();
        assert!(got.iter().all(|one| (&one.access, &one.refresh) == (&got[0].access, &got[0].refresh)));
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        assert_eq!(site.auth.list_tokens(&user.id).await.unwrap().len(), 1);
        assert_eq!((site.me(&tokens.access).await, site.me(&got[0].access).await), (401, 200));
        site.refresh(&got[0].refresh).await.expect_status(200);
    }

    /// RACE-6, 10.4.5: without a grace one of twenty renews, and the others end the family.
    async fn without_a_grace_of_20_at_once_one_renews_and_no_second_family_lives(store) {
        let site = Site::iam_with_grace(store, Duration::ZERO).await;
        let tokens = site.tokens().await;
        let answers = at_once((0..20).map(|_| site.refresh(&tokens.refresh))).await;
        assert!(count(&answers, 200) <= 1 && count(&answers, 200) + count(&answers, 400) == 20, "{answers:?}");
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        assert!(site.auth.list_tokens(&user.id).await.unwrap().is_empty());
    }

    /// RACE-6, in the worst order: a renewal that read the family stores its tokens after another
    /// one has stored its own.
    async fn a_renewal_that_comes_between_reading_and_storing_gets_the_same_tokens(store) {
        let site = Site::iam(store).await;
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        for (call, nth) in [("find_one_time", 1), ("find_user", 1), ("insert_token", 1), ("insert_one_time", 1)] {
            let tokens = site.tokens().await;
            let held = site.faults.hold_nth_call_of(call, nth);
            let slow = tokio::spawn(site.refresh(&tokens.refresh).into_future());
            held.reached().await;
            let fast = Tokens::of(&site.refresh(&tokens.refresh).await.expect_status(200));
            held.release();
            let slow = Tokens::of(&slow.await.unwrap().expect_status(200));
            assert_eq!((&slow.access, &slow.refresh), (&fast.access, &fast.refresh), "{call}");
            assert_eq!(site.me(&fast.access).await, 200);
            assert_eq!(site.auth.list_tokens(&user.id).await.unwrap().len(), 1, "{call}");
            site.auth.logout_everywhere(&user.id, None).await.unwrap();
        }
    }

    /// RACE-6, 10.4.5: without a grace a token that was used by two ends the family.
    async fn without_a_grace_a_renewal_that_comes_in_between_ends_the_family(store) {
        let site = Site::iam_with_grace(store, Duration::ZERO).await;
        let tokens = site.tokens().await;
        let held = site.faults.hold_nth_call_of("find_one_time", 1);
        let slow = tokio::spawn(site.refresh(&tokens.refresh).into_future());
        held.reached().await;
        let fast = Tokens::of(&site.refresh(&tokens.refresh).await.expect_status(200));
        held.release();
        slow.await.unwrap().refuses_grant(400, "invalid_grant");
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        assert_eq!(site.me(&fast.access).await, 401);
        assert!(site.auth.list_tokens(&user.id).await.unwrap().is_empty());
        site.refresh(&fast.refresh).await.refuses_grant(400, "invalid_grant");
    }

    /// Within 30 seconds a renewal is repeated: same tokens, and what is left of the four hours.
    /// After that it is reuse.
    async fn a_renewal_is_repeated_for_half_a_minute_and_ends_the_family_after_it(store) {
        let site = Site::iam(store).await;
        let first = site.tokens().await;
        let second = Tokens::of(&site.refresh(&first.refresh).await.expect_status(200));
        for (milliseconds, left) in [(0, 14_400), (15_000, 14_385), (14_999, 14_370)] {
            site.clock.advance(Duration::from_millis(milliseconds));
            let again = site.refresh(&first.refresh).await.expect_status(200);
            assert_eq!(again.value()["expires_in"], left);
            let again = Tokens::of(&again);
            assert_eq!((&again.access, &again.refresh), (&second.access, &second.refresh));
            assert_eq!(site.me(&second.access).await, 200);
        }
        // Repeating has prolonged nothing.
        site.clock.advance(Duration::from_millis(1));
        site.refresh(&first.refresh).await.refuses_grant(400, "invalid_grant");
        assert_eq!(site.me(&second.access).await, 401);
        site.refresh(&second.refresh).await.refuses_grant(400, "invalid_grant");
    }

    async fn the_grace_is_what_the_app_says(store) {
        let site = Site::iam_with_grace(store, Duration::from_secs(60)).await;
        let first = site.tokens().await;
        site.refresh(&first.refresh).await.expect_status(200);
        site.clock.advance(Duration::from_millis(59_999));
        site.refresh(&first.refresh).await.expect_status(200);
        site.clock.advance(Duration::from_millis(1));
        site.refresh(&first.refresh).await.refuses_grant(400, "invalid_grant");
    }

    /// 10.4.5: a thief and the member who both have the tokens of one renewal are found out when
    /// they renew them.
    async fn once_the_next_token_was_used_the_grace_is_over(store) {
        let site = Site::iam(store).await;
        let first = site.tokens().await;
        let member = Tokens::of(&site.refresh(&first.refresh).await.expect_status(200));
        let thief = Tokens::of(&site.refresh(&first.refresh).await.expect_status(200));
        let next = Tokens::of(&site.refresh(&member.refresh).await.expect_status(200));
        // Within the grace of the second renewal, the thief's is the same.
        let same = Tokens::of(&site.refresh(&thief.refresh).await.expect_status(200));
        assert_eq!(same.access, next.access);
        // The very first one is not the one before any more.
        site.refresh(&first.refresh).await.refuses_grant(400, "invalid_grant");
        assert_eq!(site.me(&next.access).await, 401);
        site.refresh(&next.refresh).await.refuses_grant(400, "invalid_grant");
    }

    /// 7.4.1, 7.4.2: the grace brings nothing back that was ended in it.
    async fn what_was_logged_out_is_not_repeated(store) {
        let site = Site::iam(store).await;
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        for end in 0..4 {
            let first = site.tokens().await;
            let second = Tokens::of(&site.refresh(&first.refresh).await.expect_status(200));
            match end {
                0 => site.log_out(&second.access).await,
                1 => site.auth.logout(&TokenDigest::of(&second.access)).await.unwrap(),
                2 => drop(site.auth.logout_everywhere(&user.id, None).await.unwrap()),
                _ => site.members.block_by_email(EMAIL).await.unwrap(),
            }
            site.refresh(&first.refresh).await.refuses_grant(400, "invalid_grant");
            site.refresh(&second.refresh).await.refuses_grant(400, "invalid_grant");
            assert!(site.auth.list_tokens(&user.id).await.unwrap().is_empty(), "{end}");
        }
    }

    /// 14.2.1: whoever reads the store finds no token, and can make none of what is there.
    async fn a_renewal_leaves_no_token_in_the_store(store) {
        let site = Site::iam(store).await;
        let first = site.tokens().await;
        let second = Tokens::of(&site.refresh(&first.refresh).await.expect_status(200));
        let Some(folder) = &site.folder else { return };
        let bytes = folder.all_bytes();
        for secret in [&*first.access, &*second.access, first.refresh.split_once('.').unwrap().1, second.refresh.split_once('.').unwrap().1] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
        }
    }

    /// 10.4.8, 7.3.2
    async fn a_family_ends_after_two_weeks_however_often_it_is_used(store) {
        let site = Site::iam(store).await;
        let mut tokens = site.tokens().await;
        for _ in 0..83 {
            site.clock.advance(FOUR_HOURS);
            tokens = Tokens::of(&site.refresh(&tokens.refresh).await.expect_status(200));
        }
        site.clock.advance(FOUR_HOURS - Duration::from_millis(1));
        tokens = Tokens::of(&site.refresh(&tokens.refresh).await.expect_status(200));
        site.clock.advance(Duration::from_millis(1));
        site.refresh(&tokens.refresh).await.refuses_grant(400, "invalid_grant");
    }

    /// 7.4.2, 7.4.3, RACE-9, RACE-10
    async fn a_family_ends_with_the_password_or_a_block(store) {
        let site = Site::iam(store).await;
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        let tokens = site.tokens().await;
        site.auth.change_password(ChangePassword::new(user.id.clone(), PASSWORD, NEW_PASSWORD)).await.unwrap();
        assert_eq!(site.me(&tokens.access).await, 401);
        site.refresh(&tokens.refresh).await.refuses_grant(400, "invalid_grant");
        site.auth.change_password(ChangePassword::new(user.id.clone(), NEW_PASSWORD, PASSWORD)).await.unwrap();

        let tokens = site.tokens().await;
        site.members.block_by_email(EMAIL).await.unwrap();
        assert_eq!(site.me(&tokens.access).await, 401);
        site.members.approve_by_email(EMAIL).await.unwrap();
        site.refresh(&tokens.refresh).await.refuses_grant(400, "invalid_grant");
    }

    /// 7.4.1: wherever the access token was ended, its refresh token is good for nothing any more.
    async fn a_family_ends_with_a_logout_anywhere(store) {
        let site = Site::iam(store).await;
        let tokens = site.tokens().await;
        site.post("/wix/logout").token(&tokens.access).await.expect_status(204);
        site.refresh(&tokens.refresh).await.refuses_grant(400, "invalid_grant");
        site.refresh(&tokens.refresh).await.refuses_grant(400, "invalid_grant");
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        assert!(site.auth.list_tokens(&user.id).await.unwrap().is_empty());
    }

    /// V-110
    async fn a_token_is_for_the_client_that_got_it(store) {
        let site = Site::iam(store).await;
        let tokens = site.tokens().await;
        let asked = json!({"grantType": "refresh_token", "refreshToken": tokens.refresh, "clientId": "another"});
        site.token(asked).await.refuses_grant(401, "invalid_client");
        site.refresh(&tokens.refresh).await.expect_status(200);
    }

    /// N-54: somebody is there who has a token, and not who knows the password.
    async fn a_renewed_token_is_not_fresh(store) {
        let site = Site::iam(store).await;
        let tokens = Tokens::of(&site.refresh(&site.tokens().await.refresh).await.expect_status(200));
        let caller = site.auth.authenticate(&tokens.access).await.unwrap();
        assert_eq!(caller.token.unwrap().proofs, Proofs::default());
    }

    async fn what_is_no_refresh_token_is_refused(store) {
        let site = Site::iam(store).await;
        let Tokens { access, refresh } = site.tokens().await;
        let (name, secret) = refresh.split_once('.').unwrap();
        let wrong = [
            String::new(), ".".into(), name.into(), secret.into(), format!("{secret}.{name}"), format!("{name}{secret}"), access,
            "x".repeat(100_000), "\u{0}.\u{0}".into(), format!("x{name}.{secret}"),
        ];
        for wrong in &wrong {
            site.refresh(wrong).await.refuses_grant(400, "invalid_grant");
        }
        // Nobody has guessed anything of the family.
        site.refresh(&refresh).await.expect_status(200);
        // Whoever knows its name and no secret of it has seen a token of it.
        let tokens = site.tokens().await;
        let (name, secret) = tokens.refresh.split_once('.').unwrap();
        site.refresh(&format!("{name}.x{secret}")).await.refuses_grant(400, "invalid_grant");
        assert_eq!(site.me(&tokens.access).await, 401);
    }

    /// REL-6: a store that fails, at whatever call, gives nobody two families, and never says that
    /// all is well.
    async fn a_store_that_fails_leaves_one_family_or_none(store) {
        let site = Site::iam(store).await;
        let mut calls = 0;
        for n in 1.. {
            for fault in [Fault::Fail, Fault::FailAfter] {
                let tokens = site.tokens().await;
                site.faults.reset();
                site.faults.nth(n, fault);
                let answer = site.refresh(&tokens.refresh).await;
                calls = site.faults.calls().len();
                site.faults.reset();
                if answer.status == 200 {
                    // A change whose acknowledgement is lost is found to be made.
                    assert!(calls < n || fault == Fault::FailAfter, "the call {n} of {calls} failed and nobody has noticed");
                    continue;
                }
                answer.tells_to_try_later();
                let again = site.refresh(&tokens.refresh).await;
                let Some(next) = (again.status == 200).then(|| Tokens::of(&again)) else { continue };
                assert_eq!(site.me(&next.access).await, 200);
                site.refresh(&next.refresh).await.expect_status(200);
            }
            if n > calls {
                break;
            }
        }
        assert!(calls > 5, "{calls}");
    }

    /// What `@wix/sdk` does, which never takes the new refresh token.
    async fn the_sdk_goes_on_with_its_first_token(store) {
        let site = Site::iam_for_sdk(store).await;
        let first = site.tokens().await;
        for _ in 0..83 {
            site.clock.advance(FOUR_HOURS);
            let renewed = Tokens::of(&site.refresh(&first.refresh).await.expect_status(200));
            assert_eq!(site.me(&renewed.access).await, 200);
        }
        site.clock.advance(FOUR_HOURS);
        site.refresh(&first.refresh).await.refuses_grant(400, "invalid_grant");
    }

    async fn without_the_setting_the_sdk_does_not(store) {
        let site = Site::iam(store).await;
        let first = site.tokens().await;
        site.clock.advance(FOUR_HOURS);
        site.refresh(&first.refresh).await.expect_status(200);
        site.clock.advance(FOUR_HOURS);
        site.refresh(&first.refresh).await.refuses_grant(400, "invalid_grant");
    }

    /// With the setting: of two who have the same token, the second within four hours ends it for
    /// both.
    async fn two_who_have_the_token_of_an_sdk_are_found_out(store) {
        let site = Site::iam_for_sdk(store).await;
        let first = site.tokens().await;
        site.clock.advance(FOUR_HOURS);
        let theirs = Tokens::of(&site.refresh(&first.refresh).await.expect_status(200));
        site.clock.advance(FOUR_HOURS - Duration::from_millis(1));
        site.refresh(&first.refresh).await.refuses_grant(400, "invalid_grant");
        assert_eq!(site.me(&theirs.access).await, 401);
        site.refresh(&theirs.refresh).await.refuses_grant(400, "invalid_grant");
    }

    /// With the setting: a client that takes the new token has given up the old one.
    async fn who_uses_the_new_token_has_given_up_the_old_one(store) {
        let site = Site::iam_for_sdk(store).await;
        let first = site.tokens().await;
        site.clock.advance(FOUR_HOURS);
        let second = Tokens::of(&site.refresh(&first.refresh).await.expect_status(200));
        site.clock.advance(FOUR_HOURS);
        let third = Tokens::of(&site.refresh(&second.refresh).await.expect_status(200));
        site.clock.advance(FOUR_HOURS);
        site.refresh(&first.refresh).await.refuses_grant(400, "invalid_grant");
        site.refresh(&third.refresh).await.refuses_grant(400, "invalid_grant");
    }

    /// The SDK does not wait for its own renewal: two of its calls after four hours renew with its
    /// first token.
    async fn two_calls_of_an_sdk_renew_once(store) {
        let site = Site::iam_for_sdk(store).await;
        let first = site.tokens().await;
        for _ in 0..3 {
            site.clock.advance(FOUR_HOURS);
            let answers = at_once((0..5).map(|_| site.refresh(&first.refresh))).await;
            assert_eq!(count(&answers, 200), 5, "{answers:?}");
            let got: Vec<Tokens> = answers.iter().map(Tokens::of).collect();
            assert!(got.iter().all(|one| one.access == got[0].access));
            assert_eq!(site.me(&got[0].access).await, 200);
        }
    }
}
