//! Refresh tokens: another each time, and what happens if one comes back.

use std::future::IntoFuture;
use std::time::Duration;

use gatekit::ChangePassword;
use gatekit::core::AccountName;
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

    /// RACE-6
    async fn of_20_at_once_one_gets_tokens_and_no_second_family_lives(store) {
        let site = Site::iam(store).await;
        let tokens = site.tokens().await;
        let answers = at_once((0..20).map(|_| site.refresh(&tokens.refresh))).await;
        assert_eq!((count(&answers, 200), count(&answers, 400)), (1, 19));
        let won = answers.iter().find(|answer| answer.status == 200).unwrap();
        // Nothing lives but what the one got, and that only if nobody came after it.
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        let alive = site.auth.list_tokens(&user.id).await.unwrap().len();
        assert_eq!(alive, usize::from(site.me(&won.text("access_token")).await == 200));
    }

    /// RACE-6, 10.4.5: a renewal that read the family, and takes it after another one has stored its new token, gets nothing. Its token was
    /// used by two, so the family ends.
    async fn a_renewal_that_comes_between_reading_and_taking_ends_the_family(store) {
        let site = Site::iam(store).await;
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
        assert_eq!(caller.token.unwrap().proven, None);
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

    /// REL-6: a store that fails, at whatever call, gives nobody two families, and never says that all is well.
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

    /// With the setting: of two who have the same token, the second within four hours ends it for both.
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
}
