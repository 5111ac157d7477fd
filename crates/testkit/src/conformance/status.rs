//! The rules of an account's status: `UserStore::set_status`, and what is stored and read beside
//! the user.

use std::sync::Arc;

use gatekit_core::{
    Account, AccountStatus, NewUser, StoreError, StoredUser, UserChange, UserId, UserOperation, UserStore,
};

use super::rules::{ROUNDS, ok, rules, twenty};
use super::users::{ADA, assert_same, email, found, hash, with_password};

pub(super) async fn run<U, S, Made>(make: impl Fn() -> Made, new_user: impl Fn(&str) -> NewUser<U::Profile>)
where
    U: Account,
    S: UserStore<U>,
    Made: Future<Output = S>,
{
    let new = &new_user;
    rules!(make; who_is_stored_active_is_active(new));
    if !make().await.supports(UserOperation::Status) {
        rules!(make; a_store_without_a_status_says_so(new));
        return;
    }
    rules!(make;
        a_new_user_has_the_status_it_is_stored_with(new),
        a_status_is_set_and_rev_grows_with_it(new),
        an_unknown_id_has_no_status(new),
        one_users_status_leaves_another_alone(new),
        what_was_made_under_the_rev_before_is_worth_nothing(new),
        other_changes_leave_the_status(new),
        each_of_twenty_at_once_adds_one(new),
        a_status_and_a_bump_at_once_both_count(new),
        a_status_and_its_rev_are_seen_together(new),
        a_new_password_ends_a_password_reset(new),
        users_with_a_status_are_listed_in_parts(new),
    );
    if make().await.supports(UserOperation::Update) {
        rules!(make;
            a_change_of_the_user_leaves_the_status(new),
            a_status_set_meanwhile_stands_in_the_way_of_a_change(new),
            a_change_of_the_password_ends_a_password_reset(new),
        );
    }
}

const ALL: [AccountStatus; 3] = [AccountStatus::Active, AccountStatus::Pending, AccountStatus::Blocked];

fn with_status<P>(mut user: NewUser<P>, status: AccountStatus) -> NewUser<P> {
    user.status = status;
    user
}

async fn who_is_stored_active_is_active<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let created = ok(store.create_user(new(ADA)).await);
    assert_eq!(created.status, AccountStatus::Active, "a new user is active unless it is said otherwise");
    assert_eq!(found(&store, &created.user.id()).await.status, AccountStatus::Active, "and is read so");
}

async fn a_store_without_a_status_says_so<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(new(ADA)).await);
    let refused = store.set_status(&ada.user.id(), AccountStatus::Blocked).await;
    let says_so = matches!(refused, Err(StoreError::Unsupported(_)));
    assert!(says_so, "what a store does not support is refused as such, and never taken for done");
    assert_same(ok(store.find_user(&ada.user.id()).await), &ada, "and nothing is changed");
}

/// By id and by address it is the same.
async fn read<U: Account>(store: &impl UserStore<U>, address: &str, id: &UserId) -> StoredUser<U> {
    let stored = found(store, id).await;
    let by_address = ok(store.find_user_by(&email("", address)).await).expect("a stored user is found by its address");
    assert_eq!(by_address.status, stored.status, "the status is the same by whatever the user is found");
    assert_eq!(by_address.rev, stored.rev, "so is rev");
    stored
}

async fn a_new_user_has_the_status_it_is_stored_with<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    for status in ALL {
        let address = format!("{status}@example.com");
        let created = ok(store.create_user(with_status(new(&address), status)).await);
        assert_eq!(created.status, status, "a new user has the status it is stored with");
        let stored = read(&store, &address, &created.user.id()).await;
        assert_eq!((stored.status, stored.rev), (status, 0), "and is read so");
    }
}

async fn a_status_is_set_and_rev_grows_with_it<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let created = ok(store.create_user(with_password(new(ADA), "hash")).await);
    let id = created.user.id();
    let mut rev = 0;
    for from in ALL {
        for to in ALL {
            for status in [from, to] {
                rev += 1;
                assert_eq!(
                    ok(store.set_status(&id, status).await),
                    Some(rev),
                    "{from} to {to}: the new rev is returned"
                );
                let stored = read(&store, ADA, &id).await;
                assert_eq!((stored.status, stored.rev), (status, rev), "{from} to {to}: both are stored");
                let expected = StoredUser { status, rev, ..created.clone() };
                assert_same(Some(stored), &expected, "and nothing else is changed");
            }
        }
    }
}

async fn an_unknown_id_has_no_status<U: Account>(store: impl UserStore<U>, new: &impl Fn(&str) -> NewUser<U::Profile>) {
    let ada = ok(store.create_user(new(ADA)).await);
    let mut unknown = vec![UserId::Int(-1), UserId::Int(i64::MAX), UserId::from("nobody"), UserId::from("")];
    if let UserId::Int(id) = ada.user.id() {
        unknown.push(UserId::Text(id.to_string()));
    }
    for id in unknown {
        assert_eq!(ok(store.set_status(&id, AccountStatus::Blocked).await), None, "an unknown id has no status");
    }
    assert_same(ok(store.find_user(&ada.user.id()).await), &ada, "and nobody is changed");
}

async fn one_users_status_leaves_another_alone<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(new(ADA)).await).user.id();
    let bob = ok(store.create_user(with_status(new("bob@example.com"), AccountStatus::Pending)).await);
    ok(store.set_status(&ada, AccountStatus::Blocked).await);
    assert_same(ok(store.find_user(&bob.user.id()).await), &bob, "one user's status leaves another alone");
}

/// 7.4.2
async fn what_was_made_under_the_rev_before_is_worth_nothing<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let id = ok(store.create_user(with_password(new(ADA), "old")).await).user.id();
    ok(store.set_status(&id, AccountStatus::Blocked).await);
    let set = ok(store.set_password(&id, 0, &hash("new")).await);
    assert_eq!(set, None, "a password reset from before the block is worth nothing");
    let stored = found(&store, &id).await;
    assert!(stored.password == Some(hash("old")), "and the password stays");
}

async fn other_changes_leave_the_status<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    for status in ALL {
        let address = format!("{status}@example.com");
        let stored = ok(store.create_user(with_status(with_password(new(&address), "old"), status)).await);
        let id = stored.user.id();
        assert!(ok(store.rehash_password(&id, &hash("old"), &hash("renewed")).await));
        assert_eq!(ok(store.set_password(&id, 0, &hash("new")).await), Some(1));
        assert_eq!(ok(store.bump_rev(&id).await), Some(2));
        let stored = read(&store, &address, &id).await;
        assert_eq!((stored.status, stored.rev), (status, 2), "a new password and a bump leave the status");
    }
}

async fn a_new_password_ends_a_password_reset<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let id = ok(store.create_user(with_password(new(ADA), "old")).await).user.id();
    ok(store.set_status(&id, AccountStatus::PasswordReset).await);
    assert!(ok(store.rehash_password(&id, &hash("old"), &hash("renewed")).await));
    ok(store.bump_rev(&id).await);
    assert_eq!(ok(store.set_password(&id, 0, &hash("late")).await), None);
    let stored = read(&store, ADA, &id).await;
    assert_eq!(stored.status, AccountStatus::PasswordReset, "it stays until there is a new password");
    assert_eq!(ok(store.set_password(&id, 2, &hash("new")).await), Some(3));
    assert_eq!(read(&store, ADA, &id).await.status, AccountStatus::Active, "a new password makes the account active");
}

async fn a_change_of_the_password_ends_a_password_reset<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let id = ok(store.create_user(with_password(new(ADA), "old")).await).user.id();
    ok(store.set_status(&id, AccountStatus::PasswordReset).await);
    for (password, status) in [(None, AccountStatus::PasswordReset), (Some(hash("new")), AccountStatus::Active)] {
        let mut change = UserChange::default();
        (change.password, change.bump_rev) = (password, true);
        let changed =
            ok(store.update_user(&found(&store, &id).await, change).await).expect("nothing has changed since");
        assert_eq!(
            changed.status, status,
            "a change with a new password makes the account active, and no other change"
        );
        assert_eq!(read(&store, ADA, &id).await.status, status, "and it is stored so");
    }
}

async fn users_with_a_status_are_listed_in_parts<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut expected: Vec<UserId> = Vec::new();
    for n in 0..12 {
        let status = if n % 3 == 0 { AccountStatus::Active } else { AccountStatus::Pending };
        let created = ok(store.create_user(with_status(new(&format!("{n}@example.com")), status)).await);
        if status == AccountStatus::Pending {
            expected.push(created.user.id());
        }
    }
    expected.sort();
    for size in [1, 3, 8, 100] {
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let part = ok(store.users_with_status(AccountStatus::Pending, after.as_ref(), size).await);
            assert!(part.len() <= usize::try_from(size).expect("a number"), "no more than were asked for");
            assert!(part.iter().all(|stored| stored.status == AccountStatus::Pending), "only those with the status");
            let Some(last) = part.last() else { break };
            after = Some(last.user.id());
            listed.extend(part.iter().map(|stored| stored.user.id()));
        }
        assert_eq!(listed, expected, "all of them, in the order of their ids, in parts of {size}");
    }
    assert!(ok(store.users_with_status(AccountStatus::Blocked, None, 9).await).is_empty(), "nobody is blocked");
}

/// No step is lost, and each returns its own `rev`.
async fn each_of_twenty_at_once_adds_one<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    let id = ok(store.create_user(new(ADA)).await).user.id();
    let answers = twenty(|n| {
        let (store, id) = (Arc::clone(&store), id.clone());
        let status = if n % 2 == 0 { AccountStatus::Blocked } else { AccountStatus::Active };
        async move { (ok(store.set_status(&id, status).await), status) }
    })
    .await;
    let mut revs: Vec<_> = answers.iter().filter_map(|(rev, _)| *rev).collect();
    revs.sort_unstable();
    assert_eq!(revs, (1..=20).collect::<Vec<i64>>(), "each of twenty at once adds one and returns its own rev");
    let stored = found(&*store, &id).await;
    let last = answers.iter().find(|(rev, _)| *rev == Some(stored.rev)).map(|(_, status)| *status);
    assert_eq!(Some(stored.status), last, "the status is that of the step with the last rev");
}

async fn a_status_and_a_bump_at_once_both_count<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let address = format!("{round}@example.com");
        let id = ok(store.create_user(new(&address)).await).user.id();
        let answers = twenty(|n| {
            let (store, id) = (Arc::clone(&store), id.clone());
            async move {
                match n {
                    0 => store.set_status(&id, AccountStatus::Blocked).await,
                    _ => store.bump_rev(&id).await,
                }
            }
        })
        .await;
        let mut revs: Vec<_> = answers.into_iter().filter_map(ok).collect();
        revs.sort_unstable();
        assert_eq!(revs, (1..=20).collect::<Vec<i64>>(), "no step is lost");
        let stored = read(&*store, &address, &id).await;
        assert_eq!((stored.status, stored.rev), (AccountStatus::Blocked, 20), "and the status is set");
    }
}

/// Who sees the one without the other could issue a token to who is blocked.
async fn a_status_and_its_rev_are_seen_together<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let id = ok(store.create_user(new(&format!("{round}@example.com"))).await).user.id();
        let seen = twenty(|n| {
            let (store, id) = (Arc::clone(&store), id.clone());
            async move {
                if n == 0 {
                    ok(store.set_status(&id, AccountStatus::Blocked).await);
                }
                loop {
                    let stored = found(&*store, &id).await;
                    if stored.rev > 0 || stored.status != AccountStatus::Active {
                        return (stored.status, stored.rev);
                    }
                    tokio::task::yield_now().await;
                }
            }
        })
        .await;
        for seen in seen {
            assert_eq!(seen, (AccountStatus::Blocked, 1), "a status and its rev are seen together");
        }
    }
}

fn new_address<P>() -> UserChange<P> {
    let mut change = UserChange::default();
    change.email = Some(Some("lovelace@example.com".to_owned()));
    change
}

async fn a_change_of_the_user_leaves_the_status<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let created = ok(store.create_user(with_status(new(ADA), AccountStatus::Pending)).await);
    let changed = ok(store.update_user(&created, new_address()).await).expect("who has not changed is changed");
    assert_eq!(changed.status, AccountStatus::Pending, "a change returns the status");
    let stored = read(&store, "lovelace@example.com", &created.user.id()).await;
    assert_eq!(stored.status, AccountStatus::Pending, "a change leaves the status");
}

async fn a_status_set_meanwhile_stands_in_the_way_of_a_change<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let old = ok(store.create_user(new(ADA)).await);
    ok(store.set_status(&old.user.id(), AccountStatus::Blocked).await);
    let changed = ok(store.update_user(&old, new_address()).await);
    assert!(changed.is_none(), "who was blocked meanwhile is not changed");
    let stored = read(&store, ADA, &old.user.id()).await;
    assert_eq!(stored.status, AccountStatus::Blocked, "and stays blocked");
}
