//! How long tokens live, and what ends them.

use std::time::Duration;

use gatekit_core::{
    Auth, AuthenticateError, ChangePassword, ChangePasswordError, Clock, CreateUserError, Identifier, IssueToken,
    IssueTokenError, IssuedToken, Login, LoginError, MemoryStore, NewUser, NoProfile, PasswordError, PasswordHash,
    PasswordReset, Policy, Register, RequestPasswordReset, ResetPasswordError, StoreError, StoredUser, Timestamp,
    TokenDigest, TokenOwner, TokenRecord, TokenStore, User, UserId, UserStore, async_trait,
};
use gatekit_testkit::{fast_hasher, login_as};

use crate::{EMAIL, NEW, OLD, World};

async fn check(world: &World, token: &IssuedToken) -> Result<(), AuthenticateError> {
    world.auth.authenticate(token.secret.expose()).await.map(|_| ())
}

async fn is_stored(world: &World, token: &IssuedToken) -> bool {
    world.store.find_token(&token.record.digest).await.unwrap().is_some()
}

#[tokio::test]
async fn a_token_is_valid_strictly_before_its_end_and_removed_after_it() {
    let world = World::new();
    let ada = world.ada().await;
    let token = world.auth.issue_token(&ada.id, IssueToken::default().ttl(60)).await.unwrap();
    world.clock.advance(Duration::from_millis(59_999));
    check(&world, &token).await.unwrap();
    world.clock.advance(Duration::from_millis(1));
    assert!(matches!(check(&world, &token).await, Err(AuthenticateError::Expired)));
    assert!(!is_stored(&world, &token).await);
    assert!(matches!(check(&world, &token).await, Err(AuthenticateError::Invalid)));
}

/// CLK-2, CLK-3: what has ended stays ended when the clock goes back.
#[tokio::test]
async fn a_clock_that_goes_back_revives_nothing() {
    let world = World::new();
    let ada = world.ada().await;
    let start = Clock::now(&world.clock);
    let (expired, ended) = (login_as(&world.auth, &ada).await, login_as(&world.auth, &ada).await);
    world.auth.logout(&ended.record.digest).await.unwrap();
    world.clock.advance(Duration::from_secs(1_209_600));
    assert!(check(&world, &expired).await.is_err());
    world.clock.set(Timestamp(start.0 - 3_600_000));
    assert!(check(&world, &expired).await.is_err());
    assert!(check(&world, &ended).await.is_err());
}

/// CLK-4
#[tokio::test]
async fn times_at_the_edge_of_the_calendar_do_no_harm() {
    let world = World::new();
    let ada = world.ada().await;
    for now in [i64::MAX, i64::MIN, 0, -1, 4_294_967_296_000, 253_402_300_800_000] {
        world.clock.set(Timestamp(now));
        let token = login_as(&world.auth, &ada).await;
        let json = format!("{:?}", token.record);
        assert!(!json.is_empty());
        // At the end of time a token has no time left; it must not live for ever.
        assert_eq!(check(&world, &token).await.is_ok(), now != i64::MAX, "{now}");
        world.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
    }
}

#[tokio::test]
async fn a_lifetime_is_what_was_asked_for_within_the_policy() {
    let world = World::new();
    let policy = world.auth.policy().clone();
    world.ada().await;
    for (asked, given) in [
        (None, policy.tokens.ttl),
        (Some(0), policy.tokens.ttl),
        (Some(1), 1),
        (Some(policy.tokens.max_ttl), policy.tokens.max_ttl),
        (Some(policy.tokens.max_ttl + 1), policy.tokens.max_ttl),
        (Some(i64::MAX), policy.tokens.max_ttl),
    ] {
        let mut login = Login::email(EMAIL, OLD);
        login.ttl = asked;
        let token = world.auth.login(login).await.unwrap().token;
        assert_eq!(token.record.ttl, given, "{asked:?}");
        check(&world, &token).await.unwrap();
    }
    assert_eq!((policy.tokens.ttl, policy.tokens.max_ttl), (1_209_600, 31_556_926), "LoopBack's");
}

#[tokio::test]
async fn a_token_that_never_ends_is_given_only_where_the_policy_allows_it() {
    let refusing = World::new();
    let ada = refusing.ada().await;
    for ttl in [-1, -2, i64::MIN] {
        let login = refusing.auth.login(Login::email(EMAIL, OLD).ttl(ttl)).await;
        assert!(matches!(login, Err(LoginError::InvalidTtl)), "{ttl}");
        let issue = refusing.auth.issue_token(&ada.id, IssueToken::default().ttl(ttl)).await;
        assert!(matches!(issue, Err(IssueTokenError::InvalidTtl)), "{ttl}");
    }

    let mut policy = Policy::default();
    policy.tokens.allow_eternal = true;
    let allowing = World::with(policy);
    allowing.ada().await;
    let token = allowing.auth.login(Login::email(EMAIL, OLD).ttl(-1)).await.unwrap().token;
    allowing.clock.advance(Duration::from_secs(1 << 40));
    check(&allowing, &token).await.unwrap();
    assert!(matches!(allowing.auth.login(Login::email(EMAIL, OLD).ttl(-2)).await, Err(LoginError::InvalidTtl)));
}

#[tokio::test]
async fn only_the_scopes_and_the_user_asked_for_are_in_a_token() {
    let world = World::new();
    let ada = world.ada().await;
    let token = world.auth.issue_token(&ada.id, IssueToken::default().scopes(["read"])).await.unwrap();
    let caller = world.auth.authenticate(token.secret.expose()).await.unwrap();
    let record = caller.token.unwrap();
    assert!(record.has_scope("read") && !record.has_scope("DEFAULT"));
    assert_eq!(caller.principal.id, ada.id);
    let nobody = world.auth.issue_token(&UserId::from(99), IssueToken::default()).await;
    assert!(matches!(nobody, Err(IssueTokenError::UserNotFound)));
}

#[tokio::test]
async fn a_logout_ends_one_token() {
    let world = World::new();
    let ada = world.ada().await;
    let (ended, other) = (login_as(&world.auth, &ada).await, login_as(&world.auth, &ada).await);
    world.auth.logout(&ended.record.digest).await.unwrap();
    assert!(matches!(check(&world, &ended).await, Err(AuthenticateError::Invalid)));
    check(&world, &other).await.unwrap();
}

/// 7.4.3
#[tokio::test]
async fn a_new_password_ends_all_tokens_but_the_one_to_keep() {
    let world = World::new();
    let ada = world.ada().await;
    let (kept, other) = (login_as(&world.auth, &ada).await, login_as(&world.auth, &ada).await);
    let change = ChangePassword::new(ada.id.clone(), OLD, NEW).keep(kept.record.clone());
    world.auth.change_password(change).await.unwrap();
    check(&world, &kept).await.unwrap();
    assert!(matches!(check(&world, &other).await, Err(AuthenticateError::Invalid)));
    assert!(!is_stored(&world, &other).await, "and clears them away");

    world.auth.change_password(ChangePassword::new(ada.id, NEW, OLD)).await.unwrap();
    assert!(check(&world, &kept).await.is_err(), "none was to be kept");
}

#[tokio::test]
async fn a_password_that_is_not_changed_ends_nothing() {
    let world = World::new();
    let ada = world.ada().await;
    let session = login_as(&world.auth, &ada).await;
    let wrong = world.auth.change_password(ChangePassword::new(ada.id.clone(), "wrong", NEW)).await;
    assert!(matches!(wrong, Err(ChangePasswordError::WrongPassword)));
    let short = world.auth.change_password(ChangePassword::new(ada.id.clone(), OLD, "short")).await;
    assert!(matches!(short, Err(ChangePasswordError::Password(PasswordError::TooShort { .. }))));
    let nobody = world.auth.change_password(ChangePassword::new(99, OLD, NEW)).await;
    assert!(matches!(nobody, Err(ChangePasswordError::UserNotFound(_))));
    check(&world, &session).await.unwrap();
    assert!(world.logs_in_with(OLD).await);
}

/// RACE-10: a token that something else has ended while the change was under way is not brought
/// back to life by being kept.
#[tokio::test]
async fn a_dead_token_cannot_be_kept() {
    let world = World::new();
    let ada = world.ada().await;
    let dead = login_as(&world.auth, &ada).await;
    UserStore::bump_rev(&world.store, &ada.id).await.unwrap();
    assert!(check(&world, &dead).await.is_err());
    let change = ChangePassword::new(ada.id.clone(), OLD, NEW).keep(dead.record.clone());
    world.auth.change_password(change).await.unwrap();
    assert!(check(&world, &dead).await.is_err());
}

/// Nor is a token of somebody else touched.
#[tokio::test]
async fn a_token_of_another_user_cannot_be_kept() {
    let world = World::new();
    let ada = world.ada().await;
    let bob = world.auth.register(gatekit_core::Register::email("bob@example.com", OLD)).await.unwrap();
    let bobs = login_as(&world.auth, &bob).await;
    let change = ChangePassword::new(ada.id, OLD, NEW).keep(bobs.record.clone());
    world.auth.change_password(change).await.unwrap();
    check(&world, &bobs).await.unwrap();
}

async fn reset_secret(world: &World) -> String {
    let before = world.mails.mails().len();
    world.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
    world.mails.wait_for(before + 1).await;
    world.mails.last_token().await
}

#[tokio::test]
async fn a_reset_ends_all_tokens_and_logs_nobody_in() {
    let world = World::new();
    let ada = world.ada().await;
    let sessions = [login_as(&world.auth, &ada).await, login_as(&world.auth, &ada).await];
    let secret = reset_secret(&world).await;
    world.auth.reset_password(PasswordReset::new(secret.as_str(), NEW)).await.unwrap();
    for session in &sessions {
        assert!(check(&world, session).await.is_err());
    }
    assert!(world.logs_in_with(NEW).await && !world.logs_in_with(OLD).await);
    assert!(world.auth.authenticate(&secret).await.is_err(), "the secret of a reset is no access token");
}

/// 6.4.1, 6.5.1, 6.5.5
#[tokio::test]
async fn a_reset_secret_works_once_within_fifteen_minutes() {
    let world = World::new();
    world.ada().await;
    let invalid = async |secret: &str| {
        let reset = world.auth.reset_password(PasswordReset::new(secret, NEW)).await;
        assert!(matches!(reset, Err(ResetPasswordError::InvalidToken)), "{reset:?}");
        assert!(!world.auth.is_reset_token(secret).await.unwrap());
    };

    let secret = reset_secret(&world).await;
    world.clock.advance(Duration::from_millis(900_000));
    invalid(&secret).await;

    let secret = reset_secret(&world).await;
    world.clock.advance(Duration::from_millis(899_999));
    assert!(world.auth.is_reset_token(&secret).await.unwrap());
    world.auth.reset_password(PasswordReset::new(secret.as_str(), NEW)).await.unwrap();
    invalid(&secret).await;
    invalid("never issued").await;
    invalid("").await;
}

#[tokio::test]
async fn a_reset_secret_survives_a_password_that_is_refused() {
    let world = World::new();
    world.ada().await;
    let secret = reset_secret(&world).await;
    let short = world.auth.reset_password(PasswordReset::new(secret.as_str(), "short")).await;
    assert!(matches!(short, Err(ResetPasswordError::Password(_))));
    world.auth.reset_password(PasswordReset::new(secret.as_str(), NEW)).await.unwrap();
}

#[tokio::test]
async fn whatever_changes_the_account_ends_the_resets_that_are_under_way() {
    let world = World::new();
    let ada = world.ada().await;
    let (first, second) = (reset_secret(&world).await, reset_secret(&world).await);
    world.auth.reset_password(PasswordReset::new(second.as_str(), NEW)).await.unwrap();
    let other = world.auth.reset_password(PasswordReset::new(first.as_str(), OLD)).await;
    assert!(matches!(other, Err(ResetPasswordError::InvalidToken)));

    let before_change = reset_secret(&world).await;
    world.auth.change_password(ChangePassword::new(ada.id, NEW, OLD)).await.unwrap();
    let late = world.auth.reset_password(PasswordReset::new(before_change.as_str(), NEW)).await;
    assert!(matches!(late, Err(ResetPasswordError::InvalidToken)));
    assert!(world.logs_in_with(OLD).await);
}

#[tokio::test]
async fn an_access_token_resets_no_password() {
    let world = World::new();
    let session = login_as(&world.auth, &world.ada().await).await;
    let reset = world.auth.reset_password(PasswordReset::new(session.secret.expose(), NEW)).await;
    assert!(matches!(reset, Err(ResetPasswordError::InvalidToken)));
}

/// T-7: who probes tokens learns nothing from the work they cost.
#[tokio::test]
async fn an_unknown_and_an_ended_token_cost_the_same_calls() {
    let world = World::new();
    let ada = world.ada().await;
    let ended = login_as(&world.auth, &ada).await;
    UserStore::bump_rev(&world.store, &ada.id).await.unwrap();
    for token in ["never issued", ended.secret.expose()] {
        world.calls.reset();
        assert!(matches!(world.auth.authenticate(token).await, Err(AuthenticateError::Invalid)));
        assert_eq!(world.calls.calls(), ["find_token_owner"]);
    }
}

/// LOAD-5: what cannot be a token is not looked up.
#[tokio::test]
async fn what_cannot_be_a_token_costs_no_call() {
    let world = World::new();
    for text in ["", &"x".repeat(513)] {
        assert!(matches!(world.auth.authenticate(text).await, Err(AuthenticateError::Invalid)));
    }
    assert!(world.calls.calls().is_empty());
}

/// A store of an app's own whose query for the owner of a token looks at the user's id alone.
struct Careless(MemoryStore);

#[async_trait]
impl UserStore<User> for Careless {
    async fn create_user(&self, new: NewUser<NoProfile>) -> Result<StoredUser<User>, CreateUserError> {
        self.0.create_user(new).await
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<User>>, StoreError> {
        self.0.find_user(id).await
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<User>>, StoreError> {
        self.0.find_user_by(identifier).await
    }

    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError> {
        UserStore::<User>::set_password(&self.0, id, rev, hash).await
    }

    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError> {
        UserStore::<User>::rehash_password(&self.0, id, old, new).await
    }

    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError> {
        UserStore::<User>::bump_rev(&self.0, id).await
    }

    async fn find_token_owner(
        &self,
        tokens: &dyn TokenStore,
        digest: &TokenDigest,
    ) -> Result<Option<TokenOwner<User>>, StoreError> {
        let Some(token) = tokens.find_token(digest).await? else { return Ok(None) };
        let found: Option<StoredUser<User>> = self.0.find_user(&token.user_id).await?;
        Ok(found.map(|found| TokenOwner { token, user: found.user, rev: found.rev, roles: None }))
    }
}

/// Of two user types each may have a user 1.
#[tokio::test]
async fn a_token_of_another_user_type_is_refused_whatever_the_store_says_of_its_owner() {
    let store = MemoryStore::new();
    let auth: Auth =
        Auth::builder_with_users(Careless(store.clone())).store(store.clone()).hasher(fast_hasher()).build().unwrap();
    let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await.unwrap();
    let own = login_as(&auth, &ada).await;
    let others = auth.new_secret().unwrap();
    let record = TokenRecord { digest: others.digest(), user_type: "Seller".into(), ..own.record.clone() };
    store.insert_token(&record).await.unwrap();
    auth.authenticate(own.secret.expose()).await.unwrap();
    assert!(matches!(auth.authenticate(others.expose()).await, Err(AuthenticateError::Invalid)));
}
