//! The rules of `RoleStore`.

use std::sync::Arc;

use gatekit_core::{RoleStore, UserId};

use super::rules::{ROUNDS, TEXTS, ids, ok, rules, twenty};

pub(super) async fn run<S: RoleStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    rules!(make;
        a_role_is_assigned_once_and_taken_once(),
        nobody_is_in_a_role_at_first(),
        roles_come_in_the_order_of_their_bytes(),
        roles_are_compared_byte_for_byte(),
        users_of_a_role_come_in_the_order_of_their_ids(),
        ids_of_the_two_kinds_are_different_users(),
        users_of_two_types_are_different_users(),
        of_twenty_assignments_one_is_new(),
        of_twenty_removals_from_a_role_one_removes(),
        twenty_roles_at_once_are_all_assigned(),
    );
}

const ADA: UserId = UserId::Int(1);
const BOB: UserId = UserId::Int(2);

async fn a_role_is_assigned_once_and_taken_once(store: impl RoleStore) {
    assert!(ok(store.assign_role("User", &ADA, "editor").await), "who was not in a role is put into it");
    assert!(!ok(store.assign_role("User", &ADA, "editor").await), "who is in a role is not put into it again");
    assert!(ok(store.assign_role("User", &ADA, "author").await), "a user may be in several roles");
    assert!(ok(store.assign_role("User", &BOB, "editor").await), "several users may be in a role");
    assert_eq!(ok(store.roles_of("User", &ADA).await), ["author", "editor"], "each role is listed once");
    assert_eq!(ok(store.users_in_role("User", "editor").await), [ADA, BOB], "each user is listed once");

    assert!(ok(store.unassign_role("User", &ADA, "editor").await), "who was in a role is taken out of it");
    assert!(!ok(store.unassign_role("User", &ADA, "editor").await), "who is not in a role is not taken out of it");
    assert_eq!(ok(store.roles_of("User", &ADA).await), ["author"], "the user's other roles stay");
    assert_eq!(ok(store.roles_of("User", &BOB).await), ["editor"], "the role's other users stay");
    assert_eq!(ok(store.users_in_role("User", "editor").await), [BOB], "the role's other users stay");
    assert!(
        ok(store.assign_role("User", &ADA, "editor").await),
        "who was taken out of a role can be put into it again"
    );
}

async fn nobody_is_in_a_role_at_first(store: impl RoleStore) {
    ok(store.assign_role("User", &ADA, "editor").await);
    assert!(ok(store.roles_of("User", &BOB).await).is_empty(), "who was put into no role is in none");
    assert!(ok(store.users_in_role("User", "author").await).is_empty(), "nobody is in a role at first");
    assert!(!ok(store.unassign_role("User", &BOB, "editor").await), "who is in no role is taken out of none");
    assert!(!ok(store.unassign_role("User", &ADA, "author").await), "who is not in a role is not taken out of it");
    assert_eq!(ok(store.roles_of("User", &ADA).await), ["editor"], "and nothing else is changed");
}

async fn roles_come_in_the_order_of_their_bytes(store: impl RoleStore) {
    let roles = ["b", "a", "B", "ab", "\u{e9}", "z", "_", "10", "9"];
    for role in roles {
        ok(store.assign_role("User", &ADA, role).await);
    }
    let mut sorted = roles;
    sorted.sort_unstable();
    assert_eq!(ok(store.roles_of("User", &ADA).await), sorted, "roles come in the order of their bytes");
}

async fn roles_are_compared_byte_for_byte(store: impl RoleStore) {
    for role in TEXTS {
        assert!(ok(store.assign_role("User", &ADA, role).await), "a role is no other one: {role:?}");
    }
    let mut sorted = TEXTS;
    sorted.sort_unstable();
    assert_eq!(ok(store.roles_of("User", &ADA).await), sorted, "a role's name is kept byte for byte");
    for role in TEXTS {
        assert_eq!(ok(store.users_in_role("User", role).await), [ADA], "a role's name finds its users");
        assert!(ok(store.unassign_role("User", &ADA, role).await), "a role is no other one: {role:?}");
    }
}

async fn users_of_a_role_come_in_the_order_of_their_ids(store: impl RoleStore) {
    let mut users: Vec<UserId> = ids().into_iter().chain([UserId::Int(10), UserId::from("10")]).collect();
    for user in &users {
        ok(store.assign_role("User", user, "editor").await);
    }
    users.sort();
    assert_eq!(ok(store.users_in_role("User", "editor").await), users, "users come in the order of their ids");
}

async fn ids_of_the_two_kinds_are_different_users(store: impl RoleStore) {
    let rule = "the integer 7 and the text 7 are different ids";
    let (number, text) = (UserId::Int(7), UserId::from("7"));
    assert!(ok(store.assign_role("User", &number, "editor").await), "{rule}");
    assert!(ok(store.roles_of("User", &text).await).is_empty(), "{rule}");
    assert!(!ok(store.unassign_role("User", &text, "editor").await), "{rule}");
    assert!(ok(store.assign_role("User", &text, "editor").await), "{rule}");
    assert!(ok(store.unassign_role("User", &number, "editor").await), "{rule}");
    assert_eq!(ok(store.users_in_role("User", "editor").await), [text], "{rule}");
}

/// 8.4.1, V-132
async fn users_of_two_types_are_different_users(store: impl RoleStore) {
    let rule = "member 1 is not user 1";
    assert!(ok(store.assign_role("User", &ADA, "editor").await), "{rule}");
    assert!(ok(store.roles_of("Member", &ADA).await).is_empty(), "{rule}");
    assert!(ok(store.users_in_role("Member", "editor").await).is_empty(), "{rule}");
    assert!(!ok(store.unassign_role("Member", &ADA, "editor").await), "{rule}");
    assert!(ok(store.assign_role("Member", &ADA, "editor").await), "{rule}");
    assert_eq!(ok(store.users_in_role("User", "editor").await), [ADA], "{rule}");
    assert!(ok(store.unassign_role("Member", &ADA, "editor").await), "{rule}");
    assert_eq!(ok(store.roles_of("User", &ADA).await), ["editor"], "{rule}");
}

async fn of_twenty_assignments_one_is_new(store: impl RoleStore) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let answers = twenty(|_| {
            let (store, role) = (Arc::clone(&store), format!("role {round}"));
            async move { store.assign_role("User", &ADA, &role).await }
        })
        .await;
        let new = answers.into_iter().map(ok).filter(|new| *new).count();
        assert_eq!(new, 1, "of twenty assignments at once exactly one is new");
    }
}

async fn of_twenty_removals_from_a_role_one_removes(store: impl RoleStore) {
    let store = Arc::new(store);
    for _ in 0..ROUNDS {
        ok(store.assign_role("User", &ADA, "editor").await);
        let answers = twenty(|_| {
            let store = Arc::clone(&store);
            async move { store.unassign_role("User", &ADA, "editor").await }
        })
        .await;
        let removed = answers.into_iter().map(ok).filter(|removed| *removed).count();
        assert_eq!(removed, 1, "of twenty removals at once exactly one removes");
    }
}

async fn twenty_roles_at_once_are_all_assigned(store: impl RoleStore) {
    let store = Arc::new(store);
    let answers = twenty(|n| {
        let store = Arc::clone(&store);
        async move { store.assign_role("User", &ADA, &format!("role {n:02}")).await }
    })
    .await;
    assert!(answers.into_iter().all(ok), "each of twenty roles at once is new");
    let roles: Vec<String> = (0..20).map(|n| format!("role {n:02}")).collect();
    assert_eq!(ok(store.roles_of("User", &ADA).await), roles, "all of twenty roles at once are assigned");
}
