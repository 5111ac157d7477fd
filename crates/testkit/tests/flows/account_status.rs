//! Accounts that are pending or blocked. ASVS 7.4.2.

use std::sync::{Arc, OnceLock};

use gatekit_core::{
    AccountStatus, Auth, AuthenticateError, ChangePassword, Event, FlowError, HookVeto, Hooks, IssueToken,
    IssueTokenError, Login, LoginError, MailKind, MemoryStore, NewUser, NoProfile, PasswordReset, Policy, Register,
    RegisterError, RequestEmailVerification, RequestPasswordReset, ResetPasswordError, SetAccountStatusError, StepUp,
    StepUpError, User, UserId, async_trait,
};
use gatekit_testkit::{fast_hasher, login_as};

use crate::configuration::Six;
use crate::{EMAIL, NEW, OLD, World};

const NOT_ACTIVE: [AccountStatus; 2] = [AccountStatus::Pending, AccountStatus::Blocked];

impl World {
    async fn set(&self, ada: &User, status: AccountStatus) {
        self.auth.set_account_status(&ada.id, status).await.unwrap();
        assert_eq!(self.auth.account_status(&ada.id).await.unwrap(), Some(status));
    }

    async fn login(&self, password: &str) -> Result<(), LoginError> {
        self.auth.login(Login::email(EMAIL, password)).await.map(|_| ())
    }

    async fn is_alive(&self, secret: &str) -> bool {
        match self.auth.authenticate(secret).await {
            Ok(_) => true,
            Err(AuthenticateError::Invalid) => false,
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn is(error: &LoginError, status: AccountStatus) -> bool {
    match status {
        AccountStatus::Pending => matches!(error, LoginError::Pending) && error.code() == "ACCOUNT_PENDING",
        _ => matches!(error, LoginError::Blocked) && error.code() == "ACCOUNT_BLOCKED",
    }
}

/// 6.3.8: who does not have the password learns nothing of the status, and costs the same.
#[tokio::test]
async fn only_who_has_the_password_learns_that_the_account_is_not_active() {
    for status in NOT_ACTIVE {
        let world = World::new();
        let ada = world.ada().await;
        world.set(&ada, status).await;
        let _ = world.events.take();
        let error = world.login(OLD).await.unwrap_err();
        assert!(is(&error, status), "{error:?}");
        assert!(matches!(&world.events.take()[..], [Event::LoginFailed { user_id: Some(id), .. }] if *id == ada.id));
        world.calls.reset();
        assert!(matches!(world.login("a wrong password").await, Err(LoginError::InvalidCredentials)));
        assert_eq!(world.calls.calls(), ["find_user_by"]);
    }
}

#[tokio::test]
async fn the_status_is_told_before_an_address_that_is_not_proven() {
    let mut policy = Policy::default();
    (policy.email.verification_required, policy.reveal.taken_email) = (true, true);
    for status in NOT_ACTIVE {
        let world = World::with(policy.clone());
        let ada = world.ada().await;
        assert!(matches!(world.login(OLD).await, Err(LoginError::EmailNotVerified { .. })));
        world.set(&ada, status).await;
        let error = world.login(OLD).await.unwrap_err();
        assert!(is(&error, status), "{error:?}");
    }
}

/// 7.4.2, V-42: every token and every secret from before is dead, and stays dead when the account
/// is active again.
#[tokio::test]
async fn what_a_user_had_before_ends_with_a_block_and_does_not_come_back() {
    for status in NOT_ACTIVE {
        let world = World::new();
        let ada = world.ada().await;
        let logged_in = world.auth.login(Login::email(EMAIL, OLD)).await.unwrap().token;
        let issued = login_as(&world.auth, &ada).await;
        world.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
        let mail = world.mails.wait_for_kind(MailKind::ResetPassword, 1).await.remove(0);
        let reset = gatekit_testkit::MailSink::token_in(&mail).unwrap();
        world.set(&ada, status).await;
        for last in [status, AccountStatus::Active] {
            world.set(&ada, last).await;
            for token in [&logged_in, &issued] {
                assert!(!world.is_alive(token.secret.expose()).await, "{status} and then {last}");
                let step_up = world.auth.step_up(StepUp::new(token.record.clone(), OLD)).await;
                assert!(matches!(step_up, Err(StepUpError::InvalidToken)), "{status} and then {last}");
            }
            let used = world.auth.reset_password(PasswordReset::new(reset.as_str(), NEW)).await;
            assert!(matches!(used, Err(ResetPasswordError::InvalidToken)), "{status} and then {last}");
            assert!(world.auth.list_tokens(&ada.id).await.unwrap().is_empty(), "{status} and then {last}");
        }
        world.login(OLD).await.unwrap();
    }
}

#[tokio::test]
async fn no_token_is_issued_to_who_is_not_active() {
    for status in NOT_ACTIVE {
        let world = World::new();
        let ada = world.ada().await;
        world.set(&ada, status).await;
        let issued = world.auth.issue_token(&ada.id, IssueToken::default()).await;
        assert!(matches!(issued, Err(IssueTokenError::NotActive)), "{issued:?}");
    }
}

/// The same answer after the same calls, and no mail: who is blocked has nothing of a new password.
#[tokio::test]
async fn a_blocked_user_gets_no_mail_that_anybody_may_ask_for() {
    let world = World::new();
    let ada = world.ada().await;
    let bob = world.auth.register(Register::email("bob@example.com", OLD)).await.unwrap();
    world.set(&ada, AccountStatus::Blocked).await;
    world.set(&bob, AccountStatus::Pending).await;
    let _ = world.events.take();
    let mut calls = Vec::new();
    for email in [EMAIL, "bob@example.com", "nobody@example.com"] {
        world.calls.reset();
        world.auth.request_password_reset(RequestPasswordReset::email(email)).await.unwrap();
        world.auth.request_email_verification(RequestEmailVerification::email(email)).await.unwrap();
        calls.push(world.calls.calls());
    }
    assert_eq!(calls[0], calls[1]);
    assert_eq!(calls[0], calls[2]);
    for kind in [MailKind::ResetPassword, MailKind::VerifyEmail] {
        let mails = world.mails.wait_for_kind(kind, 1).await;
        assert!(mails.iter().all(|mail| mail.to == "bob@example.com"), "who is pending may get ready");
    }
    let whose = |event: &Event<User>| match event {
        Event::PasswordResetRequested { user, .. } | Event::EmailVerificationRequested { user, .. } => user.id.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(world.events.take().iter().map(whose).collect::<Vec<_>>(), [bob.id.clone(), bob.id]);
}

/// 6.4.3: whoever chooses a new password for an account does not open it.
#[tokio::test]
async fn a_new_password_does_not_unblock() {
    for status in NOT_ACTIVE {
        let world = World::new();
        let ada = world.ada().await;
        world.set(&ada, status).await;
        world.auth.set_password(&ada.id, NEW.into(), None).await.unwrap();
        assert!(is(&world.login(NEW).await.unwrap_err(), status));
        world.auth.change_password(ChangePassword::new(ada.id.clone(), NEW, OLD)).await.unwrap();
        assert!(is(&world.login(OLD).await.unwrap_err(), status));
    }
}

#[tokio::test]
async fn an_active_user_made_active_keeps_its_tokens_and_nobody_is_told() {
    let world = World::new();
    let ada = world.ada().await;
    let token = login_as(&world.auth, &ada).await;
    let _ = world.events.take();
    world.set(&ada, AccountStatus::Active).await;
    assert!(world.is_alive(token.secret.expose()).await);
    assert!(world.events.take().is_empty());
}

#[tokio::test]
async fn the_app_is_told_whose_status_is_set_to_what() {
    let world = World::new();
    let ada = world.ada().await;
    let _ = world.events.take();
    for wanted in [AccountStatus::Blocked, AccountStatus::Pending, AccountStatus::Active] {
        world.set(&ada, wanted).await;
        let told = world.events.take();
        assert!(
            matches!(&told[..], [Event::StatusChanged { user, status }] if user.id == ada.id && *status == wanted),
            "{told:?}"
        );
    }
    let nobody = world.auth.set_account_status(&UserId::from(99), AccountStatus::Blocked).await;
    assert!(matches!(nobody, Err(SetAccountStatusError::UserNotFound(_))), "{nobody:?}");
    assert_eq!(world.auth.account_status(&UserId::from(99)).await.unwrap(), None);
    assert!(world.events.take().is_empty());
}

#[tokio::test]
async fn who_is_registered_as_pending_waits_for_approval() {
    let world = World::new();
    let ada = world.auth.register(Register::email(EMAIL, OLD).status(AccountStatus::Pending)).await.unwrap();
    assert!(matches!(world.login(OLD).await, Err(LoginError::Pending)));
    world.set(&ada, AccountStatus::Active).await;
    world.login(OLD).await.unwrap();
}

/// Blocks whoever is about to get a token, and makes each new user wait.
#[derive(Clone, Default)]
struct Strict {
    auth: Arc<OnceLock<Auth>>,
}

#[async_trait]
impl Hooks<User> for Strict {
    async fn before_register(&self, new: &mut NewUser<NoProfile>) -> Result<(), HookVeto> {
        new.status = AccountStatus::Pending;
        Ok(())
    }

    async fn before_login(&self, user: &User) -> Result<(), HookVeto> {
        let auth = self.auth.get().unwrap();
        auth.set_account_status(&user.id, AccountStatus::Blocked).await.unwrap();
        Ok(())
    }
}

/// RACE-10, at the worst moment: the password was right and the account active when the block came.
#[tokio::test]
async fn who_is_blocked_while_logging_in_gets_a_token_that_is_dead() {
    let (store, strict) = (MemoryStore::new(), Strict::default());
    let auth: Auth = Auth::builder(store).hooks(strict.clone()).hasher(fast_hasher()).build().unwrap();
    strict.auth.set(auth.clone()).unwrap();
    let ada = auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    let waits = auth.login(Login::email(EMAIL, OLD)).await;
    assert!(matches!(waits, Err(LoginError::Pending)), "a hook made it wait: {waits:?}");
    auth.set_account_status(&ada.id, AccountStatus::Active).await.unwrap();

    let token = auth.login(Login::email(EMAIL, OLD)).await.unwrap().token;
    assert!(matches!(auth.authenticate(token.secret.expose()).await, Err(AuthenticateError::Invalid)));
    auth.set_account_status(&ada.id, AccountStatus::Active).await.unwrap();
    assert!(matches!(auth.authenticate(token.secret.expose()).await, Err(AuthenticateError::Invalid)));
}

/// Nobody is taken for blocked, or for waiting, who is not.
#[tokio::test]
async fn a_store_that_keeps_no_status_says_so_and_stores_nobody_who_should_wait() {
    let store = MemoryStore::new();
    let auth: Auth =
        Auth::builder_with_users(Six(store.clone())).store(store.clone()).hasher(fast_hasher()).build().unwrap();
    let refused = auth.register(Register::email(EMAIL, OLD).status(AccountStatus::Pending)).await;
    assert!(matches!(refused, Err(RegisterError::Unavailable(_))), "{refused:?}");
    let ada = auth.register(Register::email(EMAIL, OLD)).await.expect("nobody of this address is stored");
    let refused = auth.set_account_status(&ada.id, AccountStatus::Blocked).await;
    assert!(matches!(refused, Err(SetAccountStatusError::Unsupported)), "{refused:?}");
    auth.login(Login::email(EMAIL, OLD)).await.unwrap();
}
