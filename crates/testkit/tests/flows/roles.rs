//! Roles: what they cost, when they count, and what happens when nobody can tell who is in them.

use std::time::Duration;

use gatekit_core::{
    AccessRequest, Acl, AclRow, AssignRoleError, Auth, Authenticated, Authenticator, Decision, FlowError, MemoryStore,
    Method, NoProfile, RoleResolver, StoreError, Unavailable, User, UserId, async_trait,
};
use gatekit_testkit::{Fault, Faults, FaultyStore, FrozenClock, LogCapture, fast_hasher, login_as};

use crate::World;

fn find<'a>(caller: Option<&'a Authenticated<User>>) -> AccessRequest<'a, User> {
    AccessRequest { method: Method::FIND, caller, target: None }
}

async fn caller(auth: &Auth, user: &User) -> Authenticated<User> {
    let token = login_as(auth, user).await;
    auth.authenticate(token.secret.expose()).await.unwrap()
}

impl World {
    /// Users in one store and tokens and roles in another, so that no query brings both.
    fn apart() -> Self {
        let mut world = Self::new();
        let (users, tokens) = (world.store.clone(), MemoryStore::<NoProfile>::new());
        let calls = Faults::new();
        world.auth = Auth::builder_with_users(FaultyStore::with(users, calls.clone()))
            .store(FaultyStore::with(tokens, calls.clone()))
            .clock(FrozenClock::now())
            .hasher(fast_hasher())
            .build()
            .unwrap();
        world.calls = calls;
        world
    }
}

/// 8.3.2
#[tokio::test]
async fn a_role_counts_from_the_next_request_on_and_no_longer_than_it_is_given() {
    for world in [World::new(), World::apart()] {
        let ada = world.ada().await;
        let token = login_as(&world.auth, &ada).await;
        let is_admin = async || {
            let caller = world.auth.authenticate(token.secret.expose()).await.unwrap();
            Authenticator::is_in_role(&world.auth, &caller, "admin").await.unwrap()
        };
        assert!(!is_admin().await);
        assert!(world.auth.assign_role(&ada.id, "admin").await.unwrap());
        assert!(!world.auth.assign_role(&ada.id, "admin").await.unwrap(), "already");
        assert!(is_admin().await);
        assert_eq!(world.auth.roles_of(&ada.id).await.unwrap(), ["admin"]);
        assert_eq!(world.auth.users_in_role("admin").await.unwrap(), std::slice::from_ref(&ada.id));
        assert!(world.auth.unassign_role(&ada.id, "admin").await.unwrap());
        assert!(!world.auth.unassign_role(&ada.id, "admin").await.unwrap(), "already");
        assert!(!is_admin().await);
    }
}

#[tokio::test]
async fn a_question_about_roles_costs_no_query_if_the_tokens_query_brought_them() {
    let world = World::new();
    let ada = world.ada().await;
    world.auth.assign_role(&ada.id, "admin").await.unwrap();
    world.auth.replace_acl(Acl::user().allow("admin", "find").allow("editor", "find"));
    let token = login_as(&world.auth, &ada).await;
    world.calls.reset();
    let caller = world.auth.authenticate(token.secret.expose()).await.unwrap();
    assert!(world.auth.authorize(&find(Some(&caller))).await.unwrap().is_allowed());
    assert!(Authenticator::is_in_role(&world.auth, &caller, "admin").await.unwrap());
    assert!(!Authenticator::is_in_role(&world.auth, &caller, "editor").await.unwrap());
    assert_eq!(world.calls.calls(), ["find_token_owner"]);
}

/// However many rows name however many roles.
#[tokio::test]
async fn otherwise_one_query_tells_all_roles_and_only_if_a_row_that_could_decide_names_one() {
    let world = World::apart();
    let ada = world.ada().await;
    let caller = caller(&world.auth, &ada).await;
    assert_eq!(caller.roles, None);
    let cost = async |acl: Acl, access: AccessRequest<'_, User>| {
        world.auth.replace_acl(acl);
        world.calls.reset();
        let _ = world.auth.authorize(&access).await.unwrap();
        world.calls.calls()
    };
    let roles = Acl::user().allow("admin", "find").allow("editor", "find").allow("author", "*");
    assert_eq!(cost(roles.clone(), find(Some(&caller))).await, ["roles_of"]);
    assert_eq!(cost(roles.clone(), find(None)).await, [] as [&str; 0], "nobody is in no role");
    let decided_above = roles.clone().row(AclRow::deny(ada.id.clone()).methods(["find"]).access(Method::FIND.access));
    assert_eq!(cost(decided_above, find(Some(&caller))).await, [] as [&str; 0]);
    let about_others = AccessRequest { method: Method::LOGIN, ..find(Some(&caller)) };
    assert_eq!(cost(Acl::user().allow("admin", "find"), about_others).await, [] as [&str; 0]);
    assert_eq!(cost(Acl::user().allow("admin", "*"), about_others).await, [] as [&str; 0], "`$everyone` decides first");
    for role in ["$everyone", "$authenticated", "$unauthenticated", "$owner", "$related", "$other"] {
        assert_eq!(cost(Acl::empty().deny(role, "find"), find(Some(&caller))).await, [] as [&str; 0], "{role}");
    }
}

/// REL-1
#[tokio::test(start_paused = true)]
async fn who_is_in_a_role_is_neither_yes_nor_no_if_the_store_cannot_tell() {
    let world = World::apart();
    let ada = world.ada().await;
    world.auth.assign_role(&ada.id, "admin").await.unwrap();
    let caller = caller(&world.auth, &ada).await;
    for fault in [Fault::Fail, Fault::Hang] {
        world.calls.reset();
        world.calls.every_call_of("roles_of", fault);
        // Also where the default is yes: the row that was asked about might say no.
        for acl in [Acl::user().allow("admin", "find"), Acl::empty().deny("admin", "find")] {
            world.auth.replace_acl(acl);
            assert!(world.auth.authorize(&find(Some(&caller))).await.is_err());
            assert!(world.auth.explain(&find(Some(&caller))).await.is_err());
        }
        assert!(Authenticator::is_in_role(&world.auth, &caller, "admin").await.is_err());
        assert!(matches!(world.auth.roles_of(&ada.id).await, Err(Unavailable::Store(_))));
    }
    for call in ["find_user", "assign_role"] {
        world.calls.reset();
        world.calls.every_call_of(call, Fault::Fail);
        let answer = world.auth.assign_role(&ada.id, "editor").await;
        assert!(matches!(answer, Err(AssignRoleError::Unavailable(_))), "{call}");
    }
    world.calls.every(Fault::Fail);
    assert!(world.auth.unassign_role(&ada.id, "admin").await.is_err());
    assert!(world.auth.users_in_role("admin").await.is_err());
}

#[derive(Clone)]
struct Team(Faults);

#[async_trait]
impl RoleResolver<User> for Team {
    async fn is_in_role(&self, role: &str, access: &AccessRequest<'_, User>) -> Result<bool, StoreError> {
        let known = access.caller.is_some();
        self.0.call(if role == "team" { "team" } else { "other" }, async { Ok::<_, StoreError>(known) }).await
    }
}

fn with_teams(world: &World) -> (Auth, Faults) {
    let calls = Faults::new();
    let auth = Auth::builder(world.store.clone())
        .hasher(fast_hasher())
        .role_resolver("team", Team(calls.clone()))
        .role_resolver("$mine", Team(calls.clone()))
        .build()
        .unwrap();
    (auth, calls)
}

#[tokio::test(start_paused = true)]
async fn a_resolver_is_asked_once_an_access_and_its_failure_is_no_answer() {
    let world = World::new();
    let (auth, calls) = with_teams(&world);
    let ada = world.ada().await;
    let caller = caller(&auth, &ada).await;
    auth.replace_acl(Acl::empty().allow("team", "find").row(AclRow::audit("team")).deny("$mine", "*"));
    assert_eq!(auth.authorize(&find(Some(&caller))).await.unwrap(), Decision::Allowed);
    assert_eq!(calls.calls(), ["team"]);
    calls.reset();
    // Not in the team: the same role is not asked about twice.
    assert_eq!(auth.authorize(&find(None)).await.unwrap(), Decision::Allowed);
    assert_eq!(calls.calls(), ["team", "other"]);
    assert!(Authenticator::is_in_role(&auth, &caller, "$mine").await.unwrap());
    for fault in [Fault::Fail, Fault::Hang] {
        calls.every(fault);
        let access = find(Some(&caller));
        let answer = tokio::time::timeout(Duration::from_secs(60), auth.authorize(&access)).await;
        assert!(answer.unwrap().is_err(), "policy.store.timeout ends it");
    }
}

/// What is granted to an id that nobody has, somebody may have tomorrow.
#[tokio::test]
async fn roles_are_given_to_users_only_and_only_roles_that_can_be_given() {
    let world = World::new();
    let (auth, _) = with_teams(&world);
    let ada = world.ada().await;
    for stranger in [UserId::from(99), UserId::from(ada.id.to_string())] {
        let answer = auth.assign_role(&stranger, "admin").await;
        assert!(matches!(answer, Err(AssignRoleError::UserNotFound(id)) if id == stranger));
    }
    for role in ["", "$owner", "$mine", "a\nb", " a", "team"] {
        let error = auth.assign_role(&ada.id, role).await.unwrap_err();
        assert!(matches!(error, AssignRoleError::InvalidName(_)), "{role:?}");
        assert_eq!(error.code(), "INVALID_ROLE");
    }
    assert_eq!(auth.roles_of(&ada.id).await.unwrap(), [] as [&str; 0]);
    assert!(!auth.unassign_role(&ada.id, "$owner").await.unwrap());
}

/// 16.3.2
#[tokio::test]
async fn what_is_denied_or_audited_is_logged_with_its_caller_and_what_is_allowed_is_not() {
    let world = World::new();
    let ada = world.ada().await;
    let caller = caller(&world.auth, &ada).await;
    let logged = async |acl: Acl| {
        world.auth.replace_acl(acl);
        let logs = LogCapture::new();
        let guard = logs.start();
        let _ = world.auth.authorize(&find(Some(&caller))).await.unwrap();
        drop(guard);
        logs.text()
    };
    assert_eq!(logged(Acl::empty()).await, "");
    let denied = logged(Acl::user()).await;
    assert!(denied.contains("WARN") && denied.contains(r#"event="authz_fail""#), "{denied}");
    assert!(denied.contains(r#"required="method find""#) && denied.contains(r#"user="1""#), "{denied}");
    let audited = logged(Acl::empty().row(AclRow::audit("$authenticated"))).await;
    assert!(audited.contains("INFO") && audited.contains("an audited access is allowed"), "{audited}");
    assert!(audited.contains("row=$authenticated") && audited.contains("caller=Some(Int(1))"), "{audited}");
    let alarming = logged(Acl::empty().row(AclRow::alarm("$authenticated"))).await;
    assert!(alarming.contains("WARN") && alarming.contains("caller=Some(Int(1))"), "{alarming}");
}

#[tokio::test]
async fn an_alias_in_a_list_is_warned_of_because_it_guards_nothing() {
    let world = World::new();
    let logs = LogCapture::new();
    let guard = logs.start();
    world.auth.replace_acl(Acl::user().deny("$everyone", "create"));
    assert_eq!(logs.text(), "");
    world.auth.replace_acl(Acl::user().deny("$everyone", "updateAttributes"));
    drop(guard);
    let text = logs.text();
    assert!(text.contains("WARN") && text.contains("updateAttributes") && text.contains("patchAttributes"), "{text}");
}
