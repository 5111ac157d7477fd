//! The rules of `PermissionStore`.

use std::sync::Arc;

use gatekit_core::{PathLevels, PathPermission, PermissionHolder, PermissionStore, Permissions, RoleStore, UserId};

use super::rules::{ROUNDS, TEXTS, ids, ok, rules, twenty};

pub(super) async fn run<S, Made>(make: impl Fn() -> Made)
where
    S: PermissionStore + RoleStore,
    Made: Future<Output = S>,
{
    rules!(make;
        permissions_are_kept_as_they_are(),
        newer_permissions_replace_older_ones(),
        permissions_are_taken_away(),
        holders_are_told_apart(),
        types_of_users_have_permissions_of_their_own(),
        a_user_has_its_own_and_then_those_of_its_roles(),
        roles_come_in_the_order_of_their_bytes(),
        who_is_not_logged_in_has_those_of_nobody_else(),
        twenty_changes_at_once_leave_one_whole(),
    );
}

const ADA: UserId = UserId::Int(1);
const BOB: UserId = UserId::Int(2);

fn user(id: UserId) -> PermissionHolder {
    PermissionHolder::User(id)
}

fn role(name: &str) -> PermissionHolder {
    PermissionHolder::Role(name.into())
}

/// Permissions that no other name gives.
fn named(name: &str) -> Permissions {
    Permissions::paths([PathPermission::allow(name, PathLevels::READ)]).operation(name)
}

async fn set(store: &impl PermissionStore, holder: &PermissionHolder, permissions: &Permissions) {
    ok(store.set_permissions("User", holder, Some(permissions)).await);
}

async fn get(store: &impl PermissionStore, holder: &PermissionHolder) -> Option<Permissions> {
    ok(store.get_permissions("User", holder).await)
}

async fn of(store: &impl PermissionStore, user: Option<&UserId>) -> Vec<(PermissionHolder, Permissions)> {
    ok(store.permissions_of("User", user).await)
}

async fn permissions_are_kept_as_they_are(store: impl PermissionStore + RoleStore) {
    let mut all = Permissions::default();
    for text in TEXTS.into_iter().chain(["/", "/b", "/a", "/a"]) {
        for levels in [PathLevels::NONE, PathLevels::READ, PathLevels::WRITE, PathLevels::READ_WRITE] {
            all.paths.push(PathPermission::allow(text, levels).recursive(true));
            all.paths.push(PathPermission::deny(text, levels));
        }
        all.operations.push(text.into());
    }
    for (holder, permissions) in [(user(ADA), all), (user(BOB), Permissions::default())] {
        set(&store, &holder, &permissions).await;
        assert_eq!(get(&store, &holder).await.as_ref(), Some(&permissions), "permissions are kept as they are");
        let PermissionHolder::User(id) = &holder else { continue };
        assert_eq!(of(&store, Some(id)).await, [(holder.clone(), permissions)], "permissions are kept as they are");
    }
}

async fn newer_permissions_replace_older_ones(store: impl PermissionStore + RoleStore) {
    for holder in [user(ADA), role("editor"), PermissionHolder::Anonymous] {
        assert_eq!(get(&store, &holder).await, None, "who has none has none");
        for name in ["/a", "/b"] {
            set(&store, &holder, &named(name)).await;
            assert_eq!(get(&store, &holder).await, Some(named(name)), "the newer ones take the place of the older");
        }
    }
}

async fn permissions_are_taken_away(store: impl PermissionStore + RoleStore) {
    ok(store.assign_role("User", &ADA, "editor").await);
    for holder in [user(ADA), role("editor"), PermissionHolder::Anonymous] {
        ok(store.set_permissions("User", &holder, None).await);
        set(&store, &holder, &named("/a")).await;
        ok(store.set_permissions("User", &holder, None).await);
        assert_eq!(get(&store, &holder).await, None, "what is taken away is gone");
    }
    assert_eq!(of(&store, Some(&ADA)).await, [], "what is taken away is gone");
    assert_eq!(of(&store, None).await, [], "what is taken away is gone");
    for holder in [user(ADA), user(BOB)] {
        set(&store, &holder, &named("/a")).await;
    }
    ok(store.set_permissions("User", &user(ADA), None).await);
    assert_eq!(get(&store, &user(BOB)).await, Some(named("/a")), "nobody else's are taken away");
}

async fn holders_are_told_apart(store: impl PermissionStore + RoleStore) {
    let rule = "a holder is told from others that look alike";
    let names = TEXTS.into_iter().chain(["", "user", "role", "anonymous", "7", "07"]);
    let roles = names.clone().map(role);
    let texts = names.filter(|name| *name != "7" && *name != "07").map(|name| user(UserId::from(name)));
    let holders: Vec<_> = roles.chain(texts).chain(ids().map(user)).chain([PermissionHolder::Anonymous]).collect();
    for (n, holder) in holders.iter().enumerate() {
        assert_eq!(get(&store, holder).await, None, "{rule}: {holder:?}");
        set(&store, holder, &named(&n.to_string())).await;
    }
    for (n, holder) in holders.iter().enumerate() {
        let own = named(&n.to_string());
        assert_eq!(get(&store, holder).await.as_ref(), Some(&own), "{rule}: {holder:?}");
        if let PermissionHolder::User(id) = holder {
            assert_eq!(of(&store, Some(id)).await, [(holder.clone(), own)], "{rule}: {holder:?}");
        }
    }
}

/// 8.4.1, V-132
async fn types_of_users_have_permissions_of_their_own(store: impl PermissionStore + RoleStore) {
    let rule = "what is for users of one type is not for those of another";
    for holder in [user(ADA), role("editor"), PermissionHolder::Anonymous] {
        set(&store, &holder, &named("/a")).await;
        assert_eq!(ok(store.get_permissions("Member", &holder).await), None, "{rule}");
        ok(store.set_permissions("Member", &holder, None).await);
        assert_eq!(get(&store, &holder).await, Some(named("/a")), "{rule}");
    }
    ok(store.assign_role("User", &ADA, "editor").await);
    ok(store.assign_role("Member", &BOB, "editor").await);
    for id in [Some(&ADA), Some(&BOB), None] {
        assert_eq!(ok(store.permissions_of("Member", id).await), [], "{rule}");
    }
    assert_eq!(of(&store, Some(&BOB)).await, [], "{rule}");
    assert_eq!(of(&store, Some(&ADA)).await.len(), 2, "{rule}");
}

async fn a_user_has_its_own_and_then_those_of_its_roles(store: impl PermissionStore + RoleStore) {
    let own = (user(ADA), named("/own"));
    let admin = (role("admin"), named("/admin"));
    let editor = (role("editor"), named("/editor"));
    for (holder, permissions) in [&own, &admin, &editor, &(role("other"), named("/other"))] {
        set(&store, holder, permissions).await;
    }
    for name in ["editor", "admin", "without permissions"] {
        ok(store.assign_role("User", &ADA, name).await);
    }
    ok(store.assign_role("User", &BOB, "editor").await);
    let found = of(&store, Some(&ADA)).await;
    assert_eq!(found, [own, admin, editor.clone()], "a user has its own, and then those of its roles");
    assert_eq!(
        of(&store, Some(&BOB)).await,
        std::slice::from_ref(&editor),
        "who has none of its own has those of its roles"
    );
    assert_eq!(of(&store, Some(&UserId::Int(3))).await, [], "who has no role has none of any");
    ok(store.unassign_role("User", &ADA, "admin").await);
    ok(store.set_permissions("User", &user(ADA), None).await);
    assert_eq!(of(&store, Some(&ADA)).await, [editor], "who leaves a role has none of it from then on");
}

async fn roles_come_in_the_order_of_their_bytes(store: impl PermissionStore + RoleStore) {
    let mut names: Vec<&str> = TEXTS.into_iter().chain(["user", "zebra", "7"]).collect();
    for name in &names {
        set(&store, &role(name), &named(name)).await;
        ok(store.assign_role("User", &UserId::Int(7), name).await);
    }
    // No role of that name is this user.
    set(&store, &user(UserId::from("7")), &named("another")).await;
    names.sort_unstable();
    let expected: Vec<_> = names.into_iter().map(|name| (role(name), named(name))).collect();
    assert_eq!(of(&store, Some(&UserId::Int(7))).await, expected, "roles come in the order of their bytes");
}

async fn who_is_not_logged_in_has_those_of_nobody_else(store: impl PermissionStore + RoleStore) {
    for holder in [user(ADA), role(""), role("anonymous"), user(UserId::from("")), user(UserId::from("anonymous"))] {
        set(&store, &holder, &named("/a")).await;
    }
    assert_eq!(of(&store, None).await, [], "what others have is not for who is not logged in");
    set(&store, &PermissionHolder::Anonymous, &named("/public")).await;
    let public = (PermissionHolder::Anonymous, named("/public"));
    assert_eq!(of(&store, None).await, [public], "who is not logged in has what is for that");
    assert_eq!(of(&store, Some(&ADA)).await, [(user(ADA), named("/a"))], "a user does not have it too");
    assert_eq!(of(&store, Some(&BOB)).await, [], "a user does not have it too");
}

async fn twenty_changes_at_once_leave_one_whole(store: impl PermissionStore + RoleStore) {
    let store = Arc::new(store);
    for _ in 0..ROUNDS {
        let answers = twenty(|n| {
            let store = Arc::clone(&store);
            async move { store.set_permissions("User", &user(ADA), Some(&named(&n.to_string()))).await }
        })
        .await;
        answers.into_iter().for_each(ok);
        let left = get(&*store, &user(ADA)).await;
        assert!((0..20).any(|n| left == Some(named(&n.to_string()))), "what is left is whole: {left:?}");
    }
}
