//! `policy.tokens.renew_after`: a token that is used lives on. And tokens that never end.

use std::time::Duration;

use gatekit::{IssueToken, Policy, UserId};
use gatekit_testkit::Fault::{Fail, FailAfter};
use gatekit_tests::{App, EMAIL, PASSWORD, Store, at_once, count, on_every_store};
use serde_json::json;

const HOUR: u64 = 3600;

/// Tokens of an hour, renewed after ten minutes, for three hours at most.
fn sliding() -> Policy {
    let mut policy = Policy::default();
    (policy.tokens.ttl, policy.tokens.max_ttl, policy.tokens.renew_after) = (3600, 3 * 3600, Some(600));
    policy
}

async fn app(store: Store) -> (App, String) {
    let app = App::with(sliding()).start(store).await;
    let token = app.signed_up().await;
    app.faults.reset();
    (app, token)
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

on_every_store! {
    async fn a_token_that_is_used_lives_on(store) {
        let (app, token) = app(store).await;
        for _ in 0..4 {
            app.clock.advance(minutes(30));
            app.me(&token).await.expect_status(200);
        }
        // An hour after the last use, and not before.
        app.clock.advance(Duration::from_millis(HOUR * 1000 - 1));
        app.get("/open").token(&token).await.expect_status(200);
        app.clock.advance(Duration::from_millis(1));
        app.me(&token).await.expect(401, "INVALID_TOKEN");
        app.me(&token).await.expect(401, "AUTHORIZATION_REQUIRED");
    }

    async fn without_it_a_token_ends_however_much_it_is_used(store) {
        let mut policy = sliding();
        policy.tokens.renew_after = None;
        let app = App::with(policy).start(store).await;
        let token = app.signed_up().await;
        app.clock.advance(minutes(59));
        app.me(&token).await.expect_status(200);
        app.clock.advance(minutes(1));
        app.me(&token).await.expect(401, "INVALID_TOKEN");
    }

    /// Nothing is written before it is due, nor when nothing more can be won.
    async fn a_token_is_written_once_in_a_while(store) {
        let (app, token) = app(store).await;
        let cost = async || {
            app.faults.reset();
            app.me(&token).await.expect_status(200);
            app.faults.calls()
        };
        let (read, renewed) = (vec!["find_token_owner"], vec!["find_token_owner", "update_token"]);
        assert_eq!(cost().await, read);
        app.clock.advance(Duration::from_millis(600_000 - 1));
        assert_eq!(cost().await, read);
        app.clock.advance(Duration::from_millis(1));
        assert_eq!(cost().await, renewed);
        assert_eq!(cost().await, read, "not twice");
        app.clock.advance(minutes(9));
        assert_eq!(cost().await, read, "counted from the last time");
        app.clock.advance(minutes(1));
        assert_eq!(cost().await, renewed);
        // Renewed for the last time: it has been issued two hours ago, and lives for one more.
        for _ in 0..4 {
            app.clock.advance(minutes(30));
            cost().await;
        }
        for _ in 0..3 {
            app.clock.advance(minutes(10));
            assert_eq!(cost().await, read);
        }
    }

    /// 7.3.2: an absolute end.
    async fn no_token_outlives_the_longest_lifetime(store) {
        let (app, token) = app(store).await;
        for _ in 0..179 {
            app.clock.advance(minutes(1));
            app.me(&token).await.expect_status(200);
        }
        app.clock.advance(Duration::from_millis(59_999));
        app.me(&token).await.expect_status(200);
        app.clock.advance(Duration::from_millis(1));
        app.me(&token).await.expect(401, "INVALID_TOKEN");
    }

    /// What a client asked for is what begins anew, within the same end.
    async fn a_short_token_stays_short_and_a_long_one_is_not_made_longer(store) {
        let (app, _) = app(store).await;
        let login = async |ttl: i64| {
            let body = json!({"email": EMAIL, "password": PASSWORD, "ttl": ttl});
            app.post("/api/users/login").json(body).await.expect_status(200).text("id")
        };
        let (short, long) = (login(900).await, login(3 * 3600).await);
        app.clock.advance(minutes(14));
        for token in [&short, &long] {
            app.me(token).await.expect_status(200);
        }
        app.clock.advance(minutes(14));
        app.me(&short).await.expect_status(200);
        app.clock.advance(minutes(15));
        app.me(&short).await.expect(401, "INVALID_TOKEN");
        app.clock.advance(minutes(180 - 43) - Duration::from_millis(1));
        app.me(&long).await.expect_status(200);
        app.clock.advance(Duration::from_millis(1));
        app.me(&long).await.expect(401, "INVALID_TOKEN");
        // Shorter than the time after which one is renewed: it just ends.
        let tiny = login(300).await;
        app.clock.advance(minutes(5));
        app.me(&tiny).await.expect(401, "INVALID_TOKEN");
    }

    async fn requests_at_the_same_moment_renew_once_and_all_succeed(store) {
        let (app, token) = app(store).await;
        app.clock.advance(minutes(30));
        let answers = at_once((0..20).map(|_| app.get("/me").token(&token))).await;
        assert_eq!(count(&answers, 200), 20);
        app.clock.advance(minutes(59));
        app.me(&token).await.expect_status(200);
    }

    /// RACE-8: what is over stays over, also if it is renewed at the same moment.
    async fn a_token_that_ends_while_it_is_used_stays_dead(store) {
        for round in 0..10 {
            let (app, token) = app(store).await;
            app.clock.advance(minutes(30));
            let mut calls: Vec<_> = (0..6).map(|_| app.get("/me").token(&token)).collect();
            calls.push(match round % 2 {
                0 => app.post("/api/users/logout").token(&token),
                _ => app.post("/api/users/logout-everywhere").token(&token),
            });
            let answers = at_once(calls).await;
            assert_eq!(count(&answers, 200) + count(&answers, 401) + count(&answers, 204), 7, "{answers:?}");
            assert_eq!(answers[6].status, 204);
            app.me(&token).await.expect(401, "AUTHORIZATION_REQUIRED");
        }
    }

    /// A token that could not be renewed is as good as it was.
    async fn a_store_that_cannot_write_does_not_keep_anybody_out(store) {
        let (app, token) = app(store).await;
        app.clock.advance(minutes(30));
        for fault in [Fail, FailAfter] {
            app.faults.every_call_of("update_token", fault);
            app.me(&token).await.expect_status(200);
        }
        app.faults.reset();
    }

    /// RACE-16
    async fn at_the_moment_it_ends_it_is_over(store) {
        let (app, token) = app(store).await;
        app.clock.advance(minutes(60));
        let answers = at_once((0..10).map(|_| app.get("/me").token(&token))).await;
        assert_eq!(count(&answers, 401), 10);
        app.me(&token).await.expect(401, "AUTHORIZATION_REQUIRED");
    }

    /// A renewed token is the same: it is kept where one is kept, and listed with the time it was
    /// issued.
    async fn a_renewed_token_is_kept_and_listed_like_any_other(store) {
        let (app, token) = app(store).await;
        let before = app.get("/api/users/sessions").token(&token).await.value();
        app.clock.advance(minutes(30));
        let body = json!({"oldPassword": PASSWORD, "newPassword": "staple battery horse"});
        app.post("/api/users/change-password").token(&token).json(body).await.expect_no_content();
        app.clock.advance(minutes(45));
        let after = app.get("/api/users/sessions").token(&token).await.value();
        assert_eq!(before, after);
        app.clock.advance(minutes(10));
        app.post("/api/users/logout-everywhere").token(&token).json(json!({"keepCurrent": true})).await.expect_no_content();
        app.me(&token).await.expect_status(200);
    }

    /// 7.3.2: also not by asking for more time after it was renewed.
    async fn a_renewed_token_that_is_given_more_time_ends_where_it_would_have(store) {
        let (app, token) = app(store).await;
        for _ in 0..17 {
            app.clock.advance(minutes(10));
            app.me(&token).await.expect_status(200);
        }
        let longer = IssueToken::default().ttl(3 * 3600);
        app.auth.update_token(&UserId::from(1), &token, longer).await.unwrap().unwrap();
        app.clock.advance(minutes(10) - Duration::from_millis(1));
        app.me(&token).await.expect_status(200);
        app.clock.advance(Duration::from_millis(1));
        app.me(&token).await.expect(401, "INVALID_TOKEN");
    }

    /// LoopBack's `allowEternalTokens`.
    async fn a_token_that_never_ends_is_served_only_where_the_policy_allows_it(store) {
        let mut policy = sliding();
        policy.tokens.allow_eternal = true;
        let app = App::with(policy).start(store).await;
        app.sign_up().await;
        let eternal = json!({"email": EMAIL, "password": PASSWORD, "ttl": -1});
        let answer = app.post("/api/users/login").json(&eternal).await.expect_status(200);
        assert_eq!(answer.value()["ttl"], -1);
        let token = answer.text("id");
        app.clock.advance(Duration::from_secs(HOUR * 24 * 366 * 50));
        app.faults.reset();
        app.me(&token).await.expect_status(200);
        assert_eq!(app.faults.calls(), ["find_token_owner"], "there is nothing to renew");
        assert_eq!(app.get("/api/users/sessions").token(&token).await.value()[0]["ttl"], -1);
        app.post("/api/users/logout-everywhere").token(&token).await.expect_no_content();
        app.me(&token).await.expect(401, "AUTHORIZATION_REQUIRED");
        for ttl in [-2, i64::MIN] {
            let body = json!({"email": EMAIL, "password": PASSWORD, "ttl": ttl});
            app.post("/api/users/login").json(body).await.expect(400, "INVALID_TTL");
        }

        let (app, _) = self::app(store).await;
        app.post("/api/users/login").json(&eternal).await.expect(400, "INVALID_TTL");
    }

    /// Transcript 07: [62].
    async fn tokens_may_never_end_by_default_where_the_policy_says_so(store) {
        let mut policy = Policy::loopback();
        (policy.tokens.allow_eternal, policy.tokens.ttl) = (true, -1);
        let app = App::with(policy).start(store).await;
        app.sign_up().await;
        for body in [json!({"email": EMAIL, "password": PASSWORD}), json!({"email": EMAIL, "password": PASSWORD, "ttl": 0})] {
            assert_eq!(app.post("/api/users/login").json(body).await.expect_status(200).value()["ttl"], -1);
        }
        let body = json!({"email": EMAIL, "password": PASSWORD, "ttl": 60});
        assert_eq!(app.post("/api/users/login").json(body).await.value()["ttl"], 60);
    }
}

/// A row from before the policy forbade it, or from an import: it is not served, and removed on the
/// way, as in LoopBack.
#[tokio::test]
async fn a_stored_token_that_never_ends_is_refused_where_the_policy_does_not_allow_it() {
    use gatekit::core::{TokenRecord, TokenSecret};
    use gatekit::{Auth, AuthLayer, Login, MemoryStore, Register, TokenStore};
    use gatekit_tests::{Call, routes_of};

    let store = MemoryStore::new();
    let auth: Auth = Auth::builder(store.clone()).hasher(gatekit_testkit::fast_hasher()).build().unwrap();
    let user = auth.register(Register::email(EMAIL, PASSWORD)).await.unwrap();
    let issued = auth.issue_token(&UserId::from(1), IssueToken::default()).await.unwrap();
    let secret = TokenSecret::from("eternal-token-from-an-import");
    let record = TokenRecord { digest: secret.digest(), ttl: -1, ..issued.record };
    store.insert_token(&record).await.unwrap();
    assert_eq!(auth.list_tokens(&user.id).await.unwrap().len(), 1, "it is not listed");
    let router = routes_of("/api/users", &auth).layer(AuthLayer::new(auth.clone()));
    Call::new(&router, "GET", "/me").token(secret.expose()).await.expect(401, "INVALID_TOKEN");
    Call::new(&router, "GET", "/me").token(secret.expose()).await.expect(401, "AUTHORIZATION_REQUIRED");
    auth.login(Login::email(EMAIL, PASSWORD)).await.unwrap();
}
