//! Which tokens let in, and which do not (any more).

use axum::Router;
use axum::routing::get;
use gatekit::cmwell::{CmWell, CmWellToken, IssueCmWellTokenError, Leniency, SigningKey, TokenLifetime};
use gatekit::core::{AccountName, AccountStatus, UpdateUser};
use gatekit::{
    Account, AuthLayer, Authenticator, ChangePassword, DeleteAccount, HasRole, NoProfile, Role, Timestamp, UserId,
};
use gatekit_tests::{Answer, Call, Store, on_every_store};
use serde::Serialize;
use serde_json::json;

use crate::site::{KEY, NAME, OTHER_KEY, PASSWORD, Site, forged};

const T_VALID: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJUZXN0VXNlciIsImV4cCI6NDYwNDk0MDAwMDAwMCwicmV2Ijo1fQ.hdN5rAVITX2cDKln-xywlNPTyVhTgm2_KGRkDWulbIg";
const T_EXPIRED: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJUZXN0VXNlciIsImV4cCI6MTQyMjgyODAwMDAwMCwicmV2Ijo1fQ.GDAcTA5d1PDtH8yL-mTg5I5pfxAILd43N_6Ik8QznDQ";
const T_OLDREV: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJUZXN0VXNlciIsImV4cCI6NDYwNDk0MDAwMDAwMCwicmV2IjozfQ.d_sClJom8lmwJbyUHGhmW2Cz8WRGmsjSXRIU1H2iUpQ";
const T_SECONDS: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJUZXN0VXNlciIsImV4cCI6NDYwNDk0MDAwMCwicmV2Ijo1fQ.8KE85dJs0qMXnOZAvuc3GKWtAK5jUcUFXKnrRaHk_nw";
const T_NOREV: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJUZXN0VXNlciIsImV4cCI6NDYwNDk0MDAwMDAwMH0.m13JHFZM0dK8JVTchPGuWI-2vRZiYsacU0IY1elanTA";
const T_NOUSER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJOb1N1Y2hVc2VyIiwiZXhwIjo0NjA0OTQwMDAwMDAwLCJyZXYiOjF9._0IhFP6H-H0yPGwncGiJ4WYq2gRdfMsjc-GMC1TVPto";

/// The site of the vectors: `TestUser` with `rev` 5.
async fn vectors(store: Store) -> Site {
    let site = Site::with().start(store).await;
    site.register("TestUser").await;
    for _ in 0..5 {
        assert!(site.auth.logout_everywhere(&1.into(), None).await.unwrap());
    }
    assert_eq!(rev(&site, "TestUser").await, 5);
    site
}

async fn rev(site: &Site, name: &str) -> i64 {
    site.auth.find_account(&AccountName::username(name)).await.unwrap().unwrap().rev
}

#[track_caller]
fn refused(answer: Answer) {
    answer.expect(401, "AUTHORIZATION_REQUIRED");
}

on_every_store! {
    /// §1.11
    async fn fixed_vectors(store) {
        let site = vectors(store).await;
        assert_eq!(site.me(T_VALID).await.expect_status(200).text("username"), "TestUser");
        site.me(T_EXPIRED).await.expect(401, "INVALID_TOKEN");
        site.me(T_SECONDS).await.expect(401, "INVALID_TOKEN");
        for token in [T_OLDREV, T_NOREV, T_NOUSER] {
            refused(site.me(token).await);
        }
        // In milliseconds it ends, to the millisecond.
        site.clock.set(Timestamp(4_604_940_000_000 - 1));
        site.me(T_VALID).await.expect_status(200);
        site.clock.set(Timestamp(4_604_940_000_000));
        site.me(T_VALID).await.expect(401, "INVALID_TOKEN");
    }

    /// U6: `rev` is equal or the token is dead; a higher one is no better than a lower one.
    async fn rev_must_be_equal(store) {
        let site = vectors(store).await;
        let end = site.now().plus_seconds(60);
        for rev in [i64::MIN, -1, 0, 4, 6, 99, i64::MAX] {
            refused(site.me(forged(KEY, &CmWellToken::new("TestUser", end, rev)).expose()).await);
        }
        site.me(forged(KEY, &CmWellToken::new("TestUser", end, 5)).expose()).await.expect_status(200);
    }

    /// A token without `rev` is one with `rev` 0, as in CM-Well: good for who never had a reason to
    /// have a higher one.
    async fn no_rev_is_rev_0(store) {
        let site = Site::with().start(store).await;
        site.register("TestUser").await;
        site.me(T_NOREV).await.expect_status(200);
        site.auth.logout_everywhere(&1.into(), None).await.unwrap();
        refused(site.me(T_NOREV).await);
    }

    /// U6: in CM-Well `root` could not be locked out.
    async fn nobody_is_immune(store) {
        let site = Site::with().start(store).await;
        for (id, name) in [(1_i64, "root"), (2, "pUser")] {
            site.register(name).await;
            let token = site.token_of(name).await;
            site.me(&token).await.expect_status(200);
            site.auth.logout_everywhere(&id.into(), None).await.unwrap();
            refused(site.me(&token).await);
        }
        // And nobody is there whom nobody has made.
        refused(site.me(forged(KEY, &CmWellToken::new("dca", site.now().plus_seconds(60), 0)).expose()).await);
    }

    /// U7, 7.4.2, 7.4.3: every way that ends a user's tokens ends these, in that very moment.
    async fn what_ends_tokens_ends_these(store) {
        let site = Site::new(store).await;
        let (id, auth) = (UserId::from(1), &site.auth);

        let token = site.token().await;
        auth.logout_everywhere(&id, None).await.unwrap();
        refused(site.me(&token).await);

        let token = site.token().await;
        auth.change_password(ChangePassword::new(id.clone(), PASSWORD, "another horse battery")).await.unwrap();
        refused(site.me(&token).await);
        auth.change_password(ChangePassword::new(id.clone(), "another horse battery", PASSWORD)).await.unwrap();

        let token = site.token().await;
        auth.set_account_status(&id, AccountStatus::Blocked).await.unwrap();
        refused(site.me(&token).await);
        auth.set_account_status(&id, AccountStatus::Active).await.unwrap();
        refused(site.me(&token).await);

        let token = site.token().await;
        auth.delete_account(DeleteAccount::new(id, PASSWORD)).await.unwrap();
        refused(site.me(&token).await);
    }

    /// 7.4.2: the account of the same name that comes after is another one, also with the same
    /// `rev`.
    async fn a_token_does_not_come_back_with_the_name(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        site.auth.delete_account(DeleteAccount::new(1, PASSWORD)).await.unwrap();
        site.register(NAME).await;
        assert_eq!(rev(&site, NAME).await, 0);
        refused(site.me(&token).await);
        site.me(&site.token().await).await.expect_status(200);
    }

    async fn a_token_does_not_go_to_who_takes_over_the_name(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        let renamed = json!({"username": "renamed"}).as_object().unwrap().clone();
        site.auth.update_user(UpdateUser::patch(1, renamed)).await.unwrap();
        refused(site.me(&token).await);
        site.register(NAME).await;
        refused(site.me(&token).await);
    }

    /// RACE-13: both keys verify, only the first signs.
    async fn a_replaced_key_verifies_until_it_is_taken_away(store) {
        let end = |site: &Site| site.now().plus_seconds(60);
        let plain = Site::new(store).await;
        let rotated = Site::with()
            .cmwell(|cmwell| cmwell.additional_key(SigningKey::new(OTHER_KEY).unwrap()))
            .start(store)
            .await
            .registered()
            .await;
        let old = forged(OTHER_KEY, &CmWellToken::new(NAME, end(&rotated), 0));
        rotated.me(old.expose()).await.expect_status(200);
        refused(plain.me(forged(OTHER_KEY, &CmWellToken::new(NAME, end(&plain), 0)).expose()).await);
        // What is signed now is signed with the first key.
        let new = rotated.token().await;
        CmWellToken::verify(&new, [&SigningKey::new(KEY).unwrap()], rotated.now()).unwrap();
    }

    /// J-1, J-14, J-15, U-6: no other form of a token lets in.
    async fn forged_tokens_let_nobody_in(store) {
        let site = vectors(store).await;
        let (message, signature) = T_VALID.rsplit_once('.').unwrap();
        let (header, payload) = message.split_once('.').unwrap();
        // {"typ":"JWT","alg":"none"} and {"alg":"none"}
        let none = ["eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0", "eyJhbGciOiJub25lIn0"];
        // {"typ":"JWT","alg":"HS512"}, {"typ":"JWT","alg":"HS384"}
        let others = ["eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9", "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzM4NCJ9"];
        // {"sub":"TestUser","exp":4604940000000,"rev":6}
        let promoted = "eyJzdWIiOiJUZXN0VXNlciIsImV4cCI6NDYwNDk0MDAwMDAwMCwicmV2Ijo2fQ";
        let mut forged = vec![
            String::from("bogus"),
            message.to_owned(),
            format!("{message}."),
            format!("{message}.{signature}x"),
            format!("{message}.{signature}."),
            format!("{message}.{signature}.{signature}"),
            format!("{header}.{promoted}.{signature}"),
            format!("{header}..{signature}"),
            format!("{payload}.{header}.{signature}"),
            T_VALID.to_lowercase(),
            "x".repeat(30_000),
            ".".repeat(10_000),
        ];
        for header in none.iter().chain(&others) {
            forged.push(format!("{header}.{payload}."));
            forged.push(format!("{header}.{payload}"));
            forged.push(format!("{header}.{payload}.{signature}"));
        }
        for token in forged {
            site.faults.reset();
            refused(site.me(&token).await);
            site.get("/maybe").header("x-cm-well-token", &token).await.is(200, "anonymous");
            assert!(site.faults.calls().is_empty(), "nobody is looked up for a token that nobody has signed");
        }
        // Two headers: the first counts, as everywhere.
        let twice = site.get("/me").header("x-cm-well-token", "bogus").header("x-cm-well-token", T_VALID);
        refused(twice.await);
    }

    /// Two kinds of users over one key: an id, a name and a `rev` may occur in both.
    async fn a_token_of_another_kind_of_user_lets_nobody_in(store) {
        #[derive(Clone, Serialize)]
        struct Member(UserId);
        impl Account for Member {
            type Profile = NoProfile;
            fn model_name() -> &'static str {
                "Member"
            }
            fn id(&self) -> UserId {
                self.0.clone()
            }
            fn email(&self) -> Option<&str> {
                None
            }
        }
        let site = Site::new(store).await;
        let token = CmWellToken::new(NAME, site.now().plus_seconds(60), 0);
        refused(site.me(forged(KEY, &token.clone().for_user(&Member(1.into()))).expose()).await);
        site.me(forged(KEY, &token).expose()).await.expect_status(200);
        let user = site.auth.find_account_by_id(&1.into()).await.unwrap().unwrap().user;
        site.me(forged(KEY, &token.clone().for_user(&user)).expose()).await.expect_status(200);
        let mut other = token.for_user(&user);
        for id in [UserId::from(2), UserId::from("1")] {
            other.user_id = Some(id);
            refused(site.me(forged(KEY, &other).expose()).await);
        }
    }

    async fn roles_are_those_of_the_account(store) {
        struct Editor;
        impl Role for Editor {
            const NAME: &'static str = "editor";
        }
        let site = Site::new(store).await;
        let router: Router = Router::new()
            .route("/edit", get(|_: HasRole<Editor>| async { "an editor" }))
            .layer(AuthLayer::new(site.cmwell.authenticator()).sources(site.cmwell.token_sources()));
        let token = site.token().await;
        let edit = || Call::new(&router, "GET", "/edit").header("x-cm-well-token", &token);
        edit().await.expect(403, "ACCESS_DENIED");
        site.auth.assign_role(&1.into(), "editor").await.unwrap();
        edit().await.is(200, "an editor");
    }

    async fn a_token_from_code_is_as_one_from_a_login(store) {
        let site = Site::new(store).await;
        let account = site.auth.find_account_by_id(&1.into()).await.unwrap().unwrap();
        let lifetime = |exp| TokenLifetime::parse(exp, Leniency::Strict).unwrap();
        let token = site.cmwell.issue_token(&account, lifetime("8h")).unwrap();
        site.me(token.expose()).await.expect_status(200);
        assert!(matches!(site.cmwell.issue_token(&account, lifetime("61d")), Err(IssueCmWellTokenError::Exp(_))));
        site.auth.set_account_status(&1.into(), AccountStatus::Blocked).await.unwrap();
        // The account as it was known before: the token is made, and dead.
        let token = site.cmwell.issue_token(&account, lifetime("8h")).unwrap();
        refused(site.me(token.expose()).await);
        let account = site.auth.find_account_by_id(&1.into()).await.unwrap().unwrap();
        assert!(matches!(site.cmwell.issue_token(&account, lifetime("8h")), Err(IssueCmWellTokenError::NotActive)));
    }
}

/// Nothing but the clock of the accounts says what time it is.
#[tokio::test]
async fn a_token_ends_when_it_says() {
    let site = Site::new(Store::Memory).await;
    let token = site.login_at("/_login?exp=5m", NAME, PASSWORD).await.text("token");
    site.advance(299);
    site.me(&token).await.expect_status(200);
    site.advance(1);
    site.me(&token).await.expect(401, "INVALID_TOKEN");
    // A clock that is put back brings it back: it is a statement about time, not about having been
    // seen.
    assert!(Authenticator::authenticate(&site.cmwell, &token).await.is_err());
}

#[tokio::test]
async fn nothing_that_is_printed_holds_a_key() {
    let site = Site::new(Store::Memory).await;
    let builder = CmWell::builder(site.auth.clone(), SigningKey::new(KEY).unwrap());
    for shown in [format!("{:?}", site.cmwell), format!("{builder:?}"), format!("{:?}", SigningKey::new(KEY).unwrap())]
    {
        assert!(!shown.contains("conformance"), "{shown}");
    }
}
