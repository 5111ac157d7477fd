//! Access control lists decide as LoopBack's do: against a slow second statement of its rules, and
//! against what was measured.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

mod loopback;
mod measured;
mod random;

use gatekit_core::{
    AccessRequest, Acl, AclRow, Auth, Authenticated, ConfigError, Decision, MemoryStore, Method, NoProfile, Permission,
    Proofs, RoleResolver, StoreError, Timestamp, TokenDigest, TokenRecord, User, UserId, async_trait,
};

fn user(id: i64) -> Authenticated<User> {
    Authenticated::new(User::new(id.into(), NoProfile {})).roles(Vec::<String>::new())
}

fn with_scopes(mut caller: Authenticated<User>, scopes: Option<&[&str]>) -> Authenticated<User> {
    caller.token = Some(TokenRecord {
        digest: TokenDigest::of("secret"),
        user_type: "User".into(),
        user_id: caller.principal.id.clone(),
        rev: 0,
        ttl: 60,
        created: Timestamp(0),
        renewed: None,
        scopes: scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        proofs: Proofs::default(),
        client: None,
        last_used: None,
    });
    caller
}

/// `team` is a role that the app computes: users with an odd id, and nobody.
struct Odd;

#[async_trait]
impl RoleResolver<User> for Odd {
    async fn is_in_role(&self, role: &str, access: &AccessRequest<'_, User>) -> Result<bool, StoreError> {
        assert_eq!(role, "team", "a resolver is asked about its own role only");
        Ok(access.caller.is_none_or(|caller| matches!(caller.principal.id, UserId::Int(id) if id % 2 == 1)))
    }
}

fn auth() -> Auth {
    let store = MemoryStore::new();
    Auth::builder(store).role_resolver("team", Odd).build().unwrap()
}

/// Contract 4.3.1, surprise 6: the scopes of a token count also where everybody is let in. 10.3.2.
#[tokio::test]
async fn a_token_for_something_else_is_refused_whatever_the_rows_say() {
    let auth = auth();
    auth.replace_acl(Acl::empty());
    let ask = async |scopes: Option<&[&str]>| {
        let caller = with_scopes(user(1), scopes);
        let access = AccessRequest { method: Method::LOGIN, caller: Some(&caller), target: None };
        (auth.authorize(&access).await.unwrap(), auth.authorize_in_scope("read", &access).await.unwrap())
    };
    assert_eq!(ask(None).await, (Decision::Allowed, Decision::InsufficientScope));
    assert_eq!(ask(Some(&[])).await, (Decision::InsufficientScope, Decision::InsufficientScope));
    assert_eq!(ask(Some(&["read"])).await, (Decision::InsufficientScope, Decision::Allowed));
    assert_eq!(
        ask(Some(&["reads", "rea", "READ", "default"])).await,
        (Decision::InsufficientScope, Decision::InsufficientScope)
    );
    assert_eq!(ask(Some(&["read", "DEFAULT"])).await, (Decision::Allowed, Decision::Allowed));
}

/// A role in a token or in a claim is not what a name with `$` stands for. 8.3.1.
#[tokio::test]
async fn roles_that_are_computed_cannot_be_brought_along() {
    let auth = auth();
    let caller = user(2).roles(["$owner", "$unauthenticated", "$related", "$mine", "team"]);
    let access = AccessRequest { method: Method::FIND, caller: Some(&caller), target: Some("1") };
    for role in ["$owner", "$unauthenticated", "$related", "$mine", "team"] {
        assert!(!auth.is_in_role(role, &access).await.unwrap(), "{role}");
    }
}

#[test]
fn who_is_in_a_built_in_role_cannot_be_decided_by_a_resolver() {
    for role in ["$everyone", "$authenticated", "$unauthenticated", "$owner", "$related"] {
        let store = MemoryStore::new();
        let built = Auth::<User>::builder(store).role_resolver(role, Odd).build();
        assert!(matches!(built, Err(ConfigError::RoleResolver(name)) if name == role));
    }
}

#[test]
fn a_method_whose_use_is_logged_is_not_open() {
    for (acl, open) in [
        (Acl::empty(), true),
        (Acl::empty().default_permission(Permission::Deny), false),
        (Acl::empty().default_permission(Permission::Audit), false),
        (Acl::empty().allow("$everyone", "find").default_permission(Permission::Deny), true),
        (Acl::empty().row(AclRow::alarm("$everyone")), false),
        (Acl::empty().row(AclRow::audit("admin")), false),
        (Acl::empty().allow("admin", "find"), true),
        (Acl::empty().deny("$owner", "find"), false),
        (Acl::empty().deny("$owner", "count"), true),
        (Acl::empty().deny("$owner", "*").allow("$everyone", "find"), true),
    ] {
        assert_eq!(acl.is_open(Method::FIND), open, "{acl:?}");
    }
}

#[tokio::test]
async fn an_explanation_reads_as_a_table_and_as_json() {
    let auth = auth();
    let caller = user(1);
    let access = AccessRequest { method: Method::FIND_BY_ID, caller: Some(&caller), target: Some("2\n") };
    let why = auth.explain(&access).await.unwrap();
    assert_eq!(
        why.to_string(),
        "DENIED: findById (READ) of user 2\\n, called by user 1\n\
         \n\
         \x20 score permission principal methods                                         access matches\n\
         \x20 8016  ALLOW      $owner    deleteById,findById,patchAttributes,replaceById *      no\n\
         > 7495  DENY       $everyone *                                               *      yes\n"
    );
    assert_eq!(
        serde_json::to_string(&why).unwrap(),
        r#"{"decision":"DENIED","method":"findById","accessType":"READ","caller":1,"target":"2\n","rows":["#.to_owned()
            + r#"{"principalType":"ROLE","principalId":"$owner","permission":"ALLOW","#
            + r#""property":["deleteById","findById","patchAttributes","replaceById"],"accessType":"*","#
            + r#""score":8016,"matches":false,"decides":false},"#
            + r#"{"principalType":"ROLE","principalId":"$everyone","permission":"DENY","property":"*","accessType":"*","#
            + r#""score":7495,"matches":true,"decides":true}],"defaultPermission":"ALLOW"}"#
    );
    auth.replace_acl(Acl::empty().default_permission(Permission::Deny));
    let why = auth.explain(&AccessRequest { method: Method::FIND, caller: None, target: None }).await.unwrap();
    let text = "DENIED: find (READ), called by nobody\nNo row matches: the default permission is DENY.\n";
    assert_eq!(why.to_string(), text);
}
