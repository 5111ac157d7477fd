//! The rules of `UserStore` about two user types over one database: each has its own users.

use std::sync::Arc;

use gatekit_core::{
    Account, AccountStatus, CreateUserError, Filter, IdentifierKind, NewUser, StoredUser, TokenRecord, TokenStore,
    UserId, UserOperation, UserStore,
};
use serde_json::{Value, json};

use super::rules::{Identifiers, ok, rules, twenty};
use super::users::{ADA, assert_same, email, found, hash, named, with_password};

const BOB: &str = "bob@example.com";
const EVE: &str = "eve@example.com";

pub(super) async fn run<A, B, SA, SB, T, Made>(
    identifiers: Identifiers,
    make: impl Fn() -> Made,
    new_a: impl Fn(&str) -> NewUser<A::Profile>,
    new_b: impl Fn(&str) -> NewUser<B::Profile>,
) where
    A: Account,
    B: Account,
    SA: UserStore<A>,
    SB: UserStore<B>,
    T: TokenStore,
    Made: Future<Output = (SA, SB, T)>,
{
    assert_ne!(A::model_name(), B::model_name(), "two user types over one store have two names");
    let (a, b) = (&new_a, &new_b);
    rules!(make;
        an_address_may_have_a_user_of_each_type(a, b),
        of_twenty_users_with_one_address_one_of_each_type_is_stored(a, b),
        an_id_of_one_type_reaches_no_user_of_the_other(a, b),
        a_token_finds_the_user_of_its_type(a, b),
    );
    if identifiers.usernames {
        rules!(make; a_name_may_have_a_user_of_each_type(a, b));
    }
    let (has_a, has_b, _) = make().await;
    if has_a.supports(UserOperation::Find) && has_b.supports(UserOperation::Find) {
        rules!(make; users_are_found_and_counted_within_their_type(a, b));
    }
    if has_a.supports(UserOperation::List) {
        rules!(make; users_are_listed_within_their_type(a, b));
    }
    if has_a.supports(UserOperation::Update) {
        rules!(make; an_address_of_the_other_type_is_free_for_a_change(a, b));
    }
}

async fn an_address_may_have_a_user_of_each_type<A: Account, B: Account>(
    (of_a, of_b, _): (impl UserStore<A>, impl UserStore<B>, impl TokenStore),
    new_a: &impl Fn(&str) -> NewUser<A::Profile>,
    new_b: &impl Fn(&str) -> NewUser<B::Profile>,
) {
    let rule = "an address is unique within its user type";
    let in_a = ok(of_a.create_user(with_password(new_a(ADA), "of a")).await);
    assert!(ok(of_b.find_user_by(&email("", ADA)).await).is_none(), "{rule}");
    let in_b = ok(of_b.create_user(with_password(new_b(ADA), "of b")).await);
    assert_same(ok(of_a.find_user_by(&email("", ADA)).await), &in_a, rule);
    assert_same(ok(of_b.find_user_by(&email("", ADA)).await), &in_b, rule);
    assert_same(ok(of_a.find_user(&in_a.user.id()).await), &in_a, rule);
    assert_same(ok(of_b.find_user(&in_b.user.id()).await), &in_b, rule);
    for again in [of_a.create_user(new_a(ADA)).await.err(), of_b.create_user(new_b(ADA)).await.err()] {
        assert!(matches!(again, Some(CreateUserError::Taken(IdentifierKind::Email))), "{rule}");
    }
}

async fn a_name_may_have_a_user_of_each_type<A: Account, B: Account>(
    (of_a, of_b, _): (impl UserStore<A>, impl UserStore<B>, impl TokenStore),
    new_a: &impl Fn(&str) -> NewUser<A::Profile>,
    new_b: &impl Fn(&str) -> NewUser<B::Profile>,
) {
    let rule = "a name is unique within its user type";
    let in_a = ok(of_a.create_user(named(new_a(ADA), "ada")).await);
    let in_b = ok(of_b.create_user(named(new_b(BOB), "ada")).await);
    let by = super::users::username("", "ada");
    assert_same(ok(of_a.find_user_by(&by).await), &in_a, rule);
    assert_same(ok(of_b.find_user_by(&by).await), &in_b, rule);
    let again = of_b.create_user(named(new_b(EVE), "ada")).await;
    assert!(matches!(again.err(), Some(CreateUserError::Taken(IdentifierKind::Username))), "{rule}");
}

/// RACE-2
async fn of_twenty_users_with_one_address_one_of_each_type_is_stored<A: Account, B: Account>(
    (of_a, of_b, _): (impl UserStore<A>, impl UserStore<B>, impl TokenStore),
    new_a: &impl Fn(&str) -> NewUser<A::Profile>,
    new_b: &impl Fn(&str) -> NewUser<B::Profile>,
) {
    let (of_a, of_b) = (Arc::new(of_a), Arc::new(of_b));
    let stored = twenty(|n| {
        let (of_a, of_b, a, b) = (Arc::clone(&of_a), Arc::clone(&of_b), new_a(ADA), new_b(ADA));
        async move {
            match n % 2 {
                0 => (0, of_a.create_user(a).await.is_ok()),
                _ => (1, of_b.create_user(b).await.is_ok()),
            }
        }
    })
    .await;
    for of in [0, 1] {
        let count = stored.iter().filter(|stored| **stored == (of, true)).count();
        assert_eq!(count, 1, "of twenty users with one address exactly one of each type is stored");
    }
}

async fn an_id_of_one_type_reaches_no_user_of_the_other<A: Account, B: Account>(
    (of_a, of_b, _): (impl UserStore<A>, impl UserStore<B>, impl TokenStore),
    new_a: &impl Fn(&str) -> NewUser<A::Profile>,
    new_b: &impl Fn(&str) -> NewUser<B::Profile>,
) {
    let rule = "an id of one user type reaches no user of another";
    let mut in_b: Vec<StoredUser<B>> = Vec::new();
    for address in [ADA, BOB, EVE] {
        in_b.push(ok(of_b.create_user(with_password(new_b(address), "of b")).await));
    }
    let ids: Vec<UserId> = in_b.iter().map(|stored| stored.user.id()).collect();
    for id in &ids {
        assert!(ok(of_a.find_user(id).await).is_none(), "{rule}");
        assert_eq!(ok(of_a.set_password(id, 0, &hash("of a")).await), None, "{rule}");
        assert!(!ok(of_a.rehash_password(id, &hash("of b"), &hash("of a")).await), "{rule}");
        assert_eq!(ok(of_a.bump_rev(id).await), None, "{rule}");
        if of_a.supports(UserOperation::Status) {
            assert_eq!(ok(of_a.set_status(id, AccountStatus::Blocked).await), None, "{rule}");
            assert!(ok(of_a.users_with_status(AccountStatus::Active, None, 100).await).is_empty(), "{rule}");
        }
        if of_a.supports(UserOperation::Delete) {
            assert!(!ok(of_a.delete_user(id).await), "{rule}");
        }
    }
    for stored in &in_b {
        let address = stored.user.email().expect("an address");
        assert!(ok(of_a.find_user_by(&email("", address)).await).is_none(), "{rule}: {address}");
        assert!(ok(of_a.find_users_like(&email("", address), address).await).is_empty(), "{rule}: {address}");
        let capitals = address.to_uppercase();
        assert!(ok(of_a.find_users_like(&email("", address), &capitals).await).is_empty(), "{rule}: {capitals}");
    }
    // Where the types have tables of their own, these have the same ids.
    for address in [ADA, BOB, EVE] {
        let id = ok(of_a.create_user(with_password(new_a(address), "of a")).await).user.id();
        ok(of_a.set_password(&id, 0, &hash("new")).await);
        ok(of_a.rehash_password(&id, &hash("new"), &hash("newer")).await);
        ok(of_a.bump_rev(&id).await);
        if of_a.supports(UserOperation::Update) {
            let mut change = gatekit_core::UserChange::default();
            change.email = Some(Some(format!("x-{address}")));
            change.bump_rev = true;
            assert!(ok(of_a.update_user(&found(&of_a, &id).await, change).await).is_some(), "a change is made");
        }
        if of_a.supports(UserOperation::Status) {
            ok(of_a.set_status(&id, AccountStatus::Blocked).await);
        }
        if of_a.supports(UserOperation::Delete) {
            assert!(ok(of_a.delete_user(&id).await), "a user is removed");
        }
    }
    for stored in &in_b {
        assert_same(ok(of_b.find_user(&stored.user.id()).await), stored, rule);
        let address = stored.user.email().expect("an address");
        assert_same(ok(of_b.find_user_by(&email("", address)).await), stored, rule);
    }
}

async fn an_address_of_the_other_type_is_free_for_a_change<A: Account, B: Account>(
    (of_a, of_b, _): (impl UserStore<A>, impl UserStore<B>, impl TokenStore),
    new_a: &impl Fn(&str) -> NewUser<A::Profile>,
    new_b: &impl Fn(&str) -> NewUser<B::Profile>,
) {
    let rule = "a user may take an address that a user of another type has";
    let in_b = ok(of_b.create_user(new_b(BOB)).await);
    let old = ok(of_a.create_user(new_a(ADA)).await);
    let mut change = gatekit_core::UserChange::default();
    change.email = Some(Some(BOB.to_owned()));
    let changed = ok(of_a.update_user(&old, change).await).expect(rule);
    assert_same(ok(of_a.find_user_by(&email("", BOB)).await), &changed, rule);
    assert_same(ok(of_b.find_user_by(&email("", BOB)).await), &in_b, rule);
}

async fn a_token_finds_the_user_of_its_type<A: Account, B: Account>(
    (of_a, of_b, tokens): (impl UserStore<A>, impl UserStore<B>, impl TokenStore),
    new_a: &impl Fn(&str) -> NewUser<A::Profile>,
    new_b: &impl Fn(&str) -> NewUser<B::Profile>,
) {
    let in_a = ok(of_a.create_user(new_a(ADA)).await).user.id();
    let in_b = ok(of_b.create_user(new_b(ADA)).await).user.id();
    let mut digests = Vec::new();
    for (n, (name, id)) in
        [(A::model_name(), &in_a), (B::model_name(), &in_b), (A::model_name(), &in_b), (B::model_name(), &in_a)]
            .into_iter()
            .enumerate()
    {
        let token = TokenRecord { user_type: name.into(), user_id: id.clone(), ..super::rules::token(n) };
        ok(tokens.insert_token(&token).await);
        digests.push(token.digest);
    }
    let rule = "a token finds the user of its type";
    for (n, digest) in digests.iter().enumerate() {
        let owner_a = ok(of_a.find_token_owner(&tokens, digest).await);
        let owner_b = ok(of_b.find_token_owner(&tokens, digest).await);
        // The last two name an id of the other type, which is an id of this type too where each
        // type has a table of its own.
        let (is_a, is_b) = (n % 2 == 0 && (n == 0 || in_a == in_b), n % 2 == 1 && (n == 1 || in_a == in_b));
        assert_eq!(owner_a.map(|owner| owner.user.id()), is_a.then(|| in_a.clone()), "{rule}: {n}");
        assert_eq!(owner_b.map(|owner| owner.user.id()), is_b.then(|| in_b.clone()), "{rule}: {n}");
    }
}

async fn users_are_listed_within_their_type<A: Account, B: Account>(
    (of_a, of_b, _): (impl UserStore<A>, impl UserStore<B>, impl TokenStore),
    new_a: &impl Fn(&str) -> NewUser<A::Profile>,
    new_b: &impl Fn(&str) -> NewUser<B::Profile>,
) {
    for address in [ADA, BOB, EVE] {
        ok(of_b.create_user(new_b(address)).await);
    }
    assert!(ok(of_a.list_users(None, 10).await).is_empty(), "users are listed within their type");
    ok(of_a.create_user(new_a(ADA)).await);
    assert_eq!(ok(of_a.list_users(None, 10).await).len(), 1, "users are listed within their type");
}

async fn users_are_found_and_counted_within_their_type<A: Account, B: Account>(
    (of_a, of_b, _): (impl UserStore<A>, impl UserStore<B>, impl TokenStore),
    new_a: &impl Fn(&str) -> NewUser<A::Profile>,
    new_b: &impl Fn(&str) -> NewUser<B::Profile>,
) {
    let mut in_a = Vec::new();
    for address in [ADA, BOB, EVE] {
        ok(of_b.create_user(new_b(address)).await);
        if address != EVE {
            in_a.push(ok(of_a.create_user(new_a(address)).await).user);
        }
    }
    let rule = "users are found and counted within their type";
    // Conditions and orders that a database answers by itself, and others.
    for (condition, expected) in [
        (json!({}), 2),
        (json!({ "email": ADA }), 1),
        (json!({ "email": EVE }), 0),
        (json!({ "or": [{ "email": EVE }, { "email": BOB }, { "id": { "gte": 0 } }] }), 2),
        (json!({ "or": [{ "email": { "like": "e%" } }, { "unknown": null }] }), 2),
        (json!({ "email": { "ilike": "EVE%" } }), 0),
    ] {
        for order in [Value::Null, json!("email DESC"), json!("unknown, id DESC")] {
            let filter = Filter::from_json(&json!({ "where": condition, "order": order })).expect("a sound filter");
            let users = ok(of_a.find_users(&filter.query).await);
            assert_eq!(users.len(), expected, "{rule}: {condition}");
            for user in users {
                let own = in_a.iter().find(|own| own.id() == user.id() && own.email() == user.email());
                assert!(own.is_some(), "{rule}: {condition}");
            }
            let mut page = ok(of_a.find_users_page(&filter.query, None).await);
            let mut in_pages = page.users.len();
            while let Some(next) = page.next {
                page = ok(of_a.find_users_page(&filter.query, Some(next)).await);
                in_pages += page.users.len();
            }
            assert_eq!(in_pages, expected, "{rule}, part by part: {condition}");
            let count = ok(of_a.count_users(&filter.query.condition).await);
            assert_eq!(count, expected as u64, "{rule}: {condition}");
        }
    }
    let third = Filter::from_json(&json!({ "skip": 2, "limit": 1 })).expect("a sound filter");
    assert!(ok(of_a.find_users(&third.query).await).is_empty(), "{rule}");
    assert_eq!(ok(of_b.find_users(&third.query).await).len(), 1, "{rule}");
}
