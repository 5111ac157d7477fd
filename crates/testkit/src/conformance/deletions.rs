//! The rules of `UserStore::delete_user`, for stores that have it.

use std::collections::HashSet;
use std::sync::Arc;

use gatekit_core::{Account, NewUser, StoreError, UserId, UserOperation, UserStore};

use super::rules::{Identifiers, ROUNDS, ok, rules, twenty};
use super::users::{ADA, assert_same, email, hash, named, username, with_password};

pub(super) async fn run<U, S, Made>(
    identifiers: Identifiers,
    make: impl Fn() -> Made,
    new_user: impl Fn(&str) -> NewUser<U::Profile>,
) where
    U: Account,
    S: UserStore<U>,
    Made: Future<Output = S>,
{
    let new = &new_user;
    if !make().await.supports(UserOperation::Delete) {
        rules!(make; a_store_that_cannot_remove_users_says_so(new));
        return;
    }
    rules!(make;
        a_removed_user_is_gone_and_another_stays(new),
        an_unknown_id_removes_nobody(new),
        an_id_of_the_other_kind_removes_nobody(new),
        the_address_of_a_removed_user_becomes_free_and_its_id_does_not(new),
        of_twenty_removals_of_a_user_one_removes(new),
    );
    if identifiers.usernames {
        rules!(make; the_name_of_a_removed_user_becomes_free(new));
    }
}

async fn a_store_that_cannot_remove_users_says_so<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(new(ADA)).await);
    let refused = store.delete_user(&ada.user.id()).await;
    let says_so = matches!(refused, Err(StoreError::Unsupported(_)));
    assert!(says_so, "what a store does not support is refused as such, and never taken for done");
}

async fn a_removed_user_is_gone_and_another_stays<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(with_password(new(ADA), "hash")).await);
    let bob = ok(store.create_user(with_password(new("bob@example.com"), "hash")).await);
    let id = ada.user.id();
    assert!(ok(store.delete_user(&id).await), "a user that was there was removed");
    let rule = "a removed user is gone";
    assert!(ok(store.find_user(&id).await).is_none(), "{rule}");
    assert!(ok(store.find_user_by(&email("", ADA)).await).is_none(), "{rule}");
    assert_eq!(ok(store.set_password(&id, 0, &hash("x")).await), None, "{rule}");
    assert!(!ok(store.rehash_password(&id, &hash("hash"), &hash("x")).await), "{rule}");
    assert_eq!(ok(store.bump_rev(&id).await), None, "{rule}");
    assert!(!ok(store.delete_user(&id).await), "a user is removed once");
    assert_same(ok(store.find_user(&bob.user.id()).await), &bob, "one user's removal leaves another alone");
}

async fn an_unknown_id_removes_nobody<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(new(ADA)).await);
    for id in [UserId::Int(-1), UserId::Int(i64::MAX), UserId::from("nobody"), UserId::from("")] {
        assert!(!ok(store.delete_user(&id).await), "an unknown id removes nobody");
    }
    assert_same(ok(store.find_user(&ada.user.id()).await), &ada, "an unknown id removes nobody");
}

async fn an_id_of_the_other_kind_removes_nobody<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(new(ADA)).await);
    let other = match ada.user.id() {
        UserId::Int(id) => UserId::Text(id.to_string()),
        UserId::Text(id) => match id.parse() {
            Ok(number) => UserId::Int(number),
            Err(_) => return,
        },
    };
    assert!(!ok(store.delete_user(&other).await), "the integer 7 and the text 7 are different ids");
    assert_same(ok(store.find_user(&ada.user.id()).await), &ada, "the integer 7 and the text 7 are different ids");
}

/// 7.4.2: who comes after a removed user inherits nothing that is kept under its id.
async fn the_address_of_a_removed_user_becomes_free_and_its_id_does_not<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut ids = HashSet::new();
    for _ in 0..5 {
        let ada = ok(store.create_user(new(ADA)).await);
        assert_eq!(ada.rev, 0, "who comes after a removed user begins anew");
        assert!(ids.insert(ada.user.id()), "the id of a removed user is never given to another");
        assert!(ok(store.delete_user(&ada.user.id()).await), "a user that was there was removed");
    }
}

async fn the_name_of_a_removed_user_becomes_free<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(named(new(ADA), "ada")).await);
    ok(store.delete_user(&ada.user.id()).await);
    assert!(ok(store.find_user_by(&username("", "ada")).await).is_none(), "a removed user's name finds nobody");
    let next = ok(store.create_user(named(new("eve@example.com"), "ada")).await);
    assert_same(ok(store.find_user_by(&username("", "ada")).await), &next, "a removed user's name becomes free");
}

async fn of_twenty_removals_of_a_user_one_removes<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    for _ in 0..ROUNDS {
        let id = ok(store.create_user(new(ADA)).await).user.id();
        let answers = twenty(|_| {
            let (store, id) = (Arc::clone(&store), id.clone());
            async move { store.delete_user(&id).await }
        })
        .await;
        let removed = answers.into_iter().map(ok).filter(|removed| *removed).count();
        assert_eq!(removed, 1, "of twenty removals at once exactly one removes");
    }
}
