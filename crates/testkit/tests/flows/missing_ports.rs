//! Stores that an app leaves out: what works without them, and how the rest is refused.

use gatekit_core::{
    Acl, AssignRoleError, Auth, Builder, ChangeEmailError, ConfigError, Login, MailOptions, MemoryStore, Need,
    NoProfile, Password, PasswordReset, Policy, Register, RequestEmailChange, RequestEmailCode, RequestEmailCodeError,
    RequestPasswordReset, StoreError, Unavailable, User,
};
use gatekit_testkit::{EventLog, MailSink, fast_hasher};

use crate::configuration::Six;
use crate::{EMAIL, NEW, OLD};

/// Users with the six required methods, tokens and one-time records.
fn users_and_tokens() -> Builder<User> {
    let store = MemoryStore::new();
    Auth::builder_with_users(Six(store.clone())).tokens(store).hasher(fast_hasher())
}

fn names(error: &Unavailable, need: Need) -> bool {
    matches!(error, Unavailable::Store(StoreError::Missing(missing)) if *missing == need) && error.is_fault()
}

#[tokio::test]
async fn a_store_of_users_and_tokens_is_enough_for_login_logout_and_reset() {
    let (mails, events) = (MailSink::new(), EventLog::new());
    let auth = users_and_tokens().mailer(mails.clone()).hooks(events).build().unwrap();
    let ada = auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    let session = auth.login(Login::email(EMAIL, OLD)).await.unwrap();
    auth.authenticate(session.token.secret.expose()).await.unwrap();
    auth.logout(&session.token.record.digest).await.unwrap();
    assert!(auth.authenticate(session.token.secret.expose()).await.is_err());

    auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
    auth.settled().await;
    let mail = mails.mails().pop().unwrap();
    let secret = mail.text.split_whitespace().find(|word| word.len() == 64).unwrap().to_owned();
    auth.reset_password(PasswordReset::new(secret, NEW)).await.unwrap();
    auth.login(Login::email(EMAIL, NEW)).await.unwrap();
    assert_eq!(auth.find_user(&ada.id).await.unwrap().unwrap().id, ada.id);
}

#[tokio::test]
async fn the_limit_on_reset_mails_holds_without_a_store_of_counters() {
    let mails = MailSink::new();
    let auth = users_and_tokens().mailer(mails.clone()).build().unwrap();
    auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    for _ in 0..5 {
        auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
    }
    auth.settled().await;
    assert_eq!(mails.mails().len(), 3);
}

#[test]
fn missing_names_the_first_need_that_no_store_covers() {
    let auth = users_and_tokens().build().unwrap();
    for need in [Need::Roles, Need::Devices, Need::Counters] {
        assert_eq!(auth.missing(&[need]), Some(need));
    }
    assert_eq!(auth.missing(&[Need::Counters, Need::Roles]), Some(Need::Counters));
    assert_eq!(auth.missing(&[]), None);
    let store: MemoryStore = MemoryStore::new();
    let all: Auth = users_and_tokens().roles(store.clone()).devices(store.clone()).counters(store).build().unwrap();
    assert_eq!(all.missing(&[Need::Roles, Need::Devices, Need::Counters]), None);
}

#[tokio::test]
async fn a_flow_without_its_store_fails_with_an_error_that_names_it() {
    let store = MemoryStore::new();
    let auth: Auth = Auth::builder_with_users(store.clone()).tokens(store).hasher(fast_hasher()).build().unwrap();
    let ada = auth.register(Register::email(EMAIL, OLD)).await.unwrap();

    let assigned = auth.assign_role(&ada.id, "admin").await;
    assert!(matches!(&assigned, Err(AssignRoleError::Unavailable(error)) if names(error, Need::Roles)), "{assigned:?}");
    assert!(names(&auth.roles_of(&ada.id).await.unwrap_err(), Need::Roles));
    assert!(names(&auth.unassign_role(&ada.id, "admin").await.unwrap_err(), Need::Roles));
    assert!(names(&auth.users_in_role("admin").await.unwrap_err(), Need::Roles));

    let code = auth.request_email_code(RequestEmailCode::new(ada.id.clone())).await;
    assert!(
        matches!(&code, Err(RequestEmailCodeError::Unavailable(error)) if names(error, Need::Counters)),
        "{code:?}"
    );
    let change = RequestEmailChange::new(ada.id.clone(), Password::from(OLD), "ada@example.org");
    let changed = auth.request_email_change(change).await;
    assert!(
        matches!(&changed, Err(ChangeEmailError::Unavailable(error)) if names(error, Need::Counters)),
        "{changed:?}"
    );
    let told = auth.notify_approver("boss@example.com", &ada, None, &MailOptions::default()).await;
    assert!(names(&told.unwrap_err(), Need::Counters));
    let error = auth.roles_of(&ada.id).await.unwrap_err().to_string();
    assert!(error.contains("`RoleStore`") && error.contains("`.roles(store)`"), "{error}");
}

/// What belongs to a user elsewhere is cleared away only where it is kept.
#[tokio::test]
async fn a_user_is_removed_without_stores_of_roles_and_devices() {
    let store = MemoryStore::new();
    let auth: Auth = Auth::builder_with_users(store.clone()).tokens(store).hasher(fast_hasher()).build().unwrap();
    let ada = auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    assert!(auth.delete_user(&ada.id).await.unwrap());
    assert!(auth.find_user(&ada.id).await.unwrap().is_none());
}

#[test]
fn a_setting_whose_store_is_missing_is_refused_by_name() {
    let mut policy = Policy::default();
    policy.mail.notify_unknown_device = true;
    let error = users_and_tokens().policy(policy.clone()).build().unwrap_err();
    assert!(matches!(error, ConfigError::Missing { need: Need::Devices, .. }), "{error:?}");
    for part in ["mail.notify_unknown_device", "`DeviceStore`", "`.devices(store)`"] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    users_and_tokens().policy(policy).devices(MemoryStore::<NoProfile>::new()).build().unwrap();
}

/// A row that denies something to a role must not be overheard because no store knows the role.
#[test]
fn a_list_that_names_an_assigned_role_needs_a_store_of_roles() {
    let acl = || Acl::user().deny("banned", "login");
    let error = users_and_tokens().acl(acl()).build().unwrap_err();
    assert!(matches!(error, ConfigError::Missing { need: Need::Roles, .. }), "{error:?}");
    assert!(error.to_string().contains("`banned`") && error.to_string().contains("`.roles(store)`"), "{error}");
    users_and_tokens().acl(acl()).roles(MemoryStore::<NoProfile>::new()).build().unwrap();
    users_and_tokens().acl(Acl::user().allow("$owner", "find")).build().unwrap();
}
