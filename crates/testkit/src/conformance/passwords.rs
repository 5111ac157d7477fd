//! The rules of `UserStore` about passwords and `rev`.

use std::sync::Arc;

use gatekit_core::{Account, NewUser, UserStore};

use super::rules::{ROUNDS, ok, rules, twenty};
use super::users::{ADA, assert_same, found, hash, with_password};

pub(super) async fn run<U, S, Made>(make: impl Fn() -> Made, new_user: impl Fn(&str) -> NewUser<U::Profile>)
where
    U: Account,
    S: UserStore<U>,
    Made: Future<Output = S>,
{
    let new = &new_user;
    rules!(make;
        a_password_is_set_only_under_the_rev_given_and_adds_one(new),
        of_twenty_passwords_under_one_rev_one_is_set(new),
        a_hash_is_renewed_only_if_it_is_the_old_one_and_rev_stays(new),
        a_renewed_hash_never_undoes_a_new_password(new),
        a_bump_adds_one_and_ends_what_the_old_rev_could_do(new),
        twenty_bumps_add_twenty(new),
        one_users_changes_leave_another_alone(new),
    );
}

async fn a_password_is_set_only_under_the_rev_given_and_adds_one<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let id = ok(store.create_user(with_password(new(ADA), "old")).await).user.id();
    for wrong in [-1, 1, i64::MAX] {
        assert_eq!(ok(store.set_password(&id, wrong, &hash("x")).await), None, "no password is set under another rev");
    }
    let unchanged = found(&store, &id).await;
    assert!(unchanged.rev == 0 && unchanged.password == Some(hash("old")), "a refused password changes nothing");

    assert_eq!(ok(store.set_password(&id, 0, &hash("new")).await), Some(1), "a new password adds one to rev");
    let changed = found(&store, &id).await;
    assert_eq!(changed.rev, 1, "a new password adds one to rev");
    assert!(changed.password == Some(hash("new")), "the new hash is stored with the new rev");
    assert_eq!(ok(store.set_password(&id, 0, &hash("x")).await), None, "the old rev is worth nothing afterwards");
    assert_eq!(ok(store.set_password(&id, 1, &hash("newer")).await), Some(2), "each password adds one to rev");
}

/// RACE-1
async fn of_twenty_passwords_under_one_rev_one_is_set<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    let id = ok(store.create_user(with_password(new(ADA), "old")).await).user.id();
    for rev in 0..ROUNDS {
        let answers = twenty(|n| {
            let (store, id) = (Arc::clone(&store), id.clone());
            async move {
                let hash = hash(&format!("hash {rev} {n}"));
                store.set_password(&id, rev, &hash).await.map(|rev| rev.map(|_| hash))
            }
        })
        .await;
        let winners: Vec<_> = answers.into_iter().filter_map(ok).collect();
        assert_eq!(winners.len(), 1, "of twenty passwords under one rev exactly one is set");
        let after = found(&*store, &id).await;
        assert_eq!(after.rev, rev + 1, "of twenty passwords under one rev exactly one adds to it");
        assert!(after.password.as_ref() == winners.first(), "the hash that is stored is the winner's");
    }
}

async fn a_hash_is_renewed_only_if_it_is_the_old_one_and_rev_stays<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let id = ok(store.create_user(with_password(new(ADA), "old")).await).user.id();
    for wrong in ["", "OLD", "old ", "other"] {
        assert!(!ok(store.rehash_password(&id, &hash(wrong), &hash("x")).await), "only the old hash is replaced");
    }
    assert!(found(&store, &id).await.password == Some(hash("old")), "a refused hash changes nothing");
    assert!(ok(store.rehash_password(&id, &hash("old"), &hash("renewed")).await), "the old hash is replaced");
    let after = found(&store, &id).await;
    assert!(after.password == Some(hash("renewed")), "the renewed hash is stored");
    assert_eq!(after.rev, 0, "a renewed hash leaves rev alone");
    assert!(!ok(store.rehash_password(&id, &hash("old"), &hash("x")).await), "a hash is renewed once");
}

/// RACE-14
async fn a_renewed_hash_never_undoes_a_new_password<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    let id = ok(store.create_user(with_password(new(ADA), "old")).await).user.id();
    let answers = twenty(|n| {
        let (store, id) = (Arc::clone(&store), id.clone());
        async move {
            if n == 10 {
                return store.set_password(&id, 0, &hash("changed")).await.map(|rev| rev == Some(1));
            }
            store.rehash_password(&id, &hash("old"), &hash("renewed")).await.map(|_| true)
        }
    })
    .await;
    assert!(answers.into_iter().all(ok), "a renewed hash does not stand in the way of a new password");
    let after = found(&*store, &id).await;
    assert!(after.password == Some(hash("changed")), "a renewed hash never undoes a new password");
}

async fn a_bump_adds_one_and_ends_what_the_old_rev_could_do<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let id = ok(store.create_user(with_password(new(ADA), "old")).await).user.id();
    assert_eq!(ok(store.bump_rev(&id).await), Some(1), "a bump returns the new rev");
    let after = found(&store, &id).await;
    assert_eq!(after.rev, 1, "a bump adds one");
    assert!(after.password == Some(hash("old")), "a bump leaves the password alone");
    assert_eq!(ok(store.set_password(&id, 0, &hash("x")).await), None, "the old rev is worth nothing after a bump");
}

async fn twenty_bumps_add_twenty<U: Account>(store: impl UserStore<U>, new: &impl Fn(&str) -> NewUser<U::Profile>) {
    let store = Arc::new(store);
    let id = ok(store.create_user(new(ADA)).await).user.id();
    let answers = twenty(|_| {
        let (store, id) = (Arc::clone(&store), id.clone());
        async move { store.bump_rev(&id).await }
    })
    .await;
    let mut revs: Vec<_> = answers.into_iter().filter_map(ok).collect();
    revs.sort_unstable();
    assert_eq!(revs, (1..=20).collect::<Vec<i64>>(), "each of twenty bumps at once adds one and returns its own rev");
}

async fn one_users_changes_leave_another_alone<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    // Both have the same hash, which cannot be where hashes have salts, but must not matter.
    let ada = ok(store.create_user(with_password(new(ADA), "hash")).await).user.id();
    let bob = ok(store.create_user(with_password(new("bob@example.com"), "hash")).await);
    ok(store.rehash_password(&ada, &hash("hash"), &hash("renewed")).await);
    ok(store.set_password(&ada, 0, &hash("new")).await);
    ok(store.bump_rev(&ada).await);
    assert_same(ok(store.find_user(&bob.user.id()).await), &bob, "one user's changes leave another alone");
}
