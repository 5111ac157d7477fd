//! The rules of `UserStore::find_users_like`, and of `list_users` for stores that have it.

use gatekit_core::{
    Account, Identifier, IdentifierKind, ListedUser, NewUser, StoreError, StoredUser, UserId, UserOperation, UserStore,
};

use super::rules::{Identifiers, ok, rules};

/// A row as another program may have stored it, and its key.
const ANN: &str = "Ann.Lee@Example.com";
const ANN_KEY: &str = "ann.lee@example.com";
/// Spellings with one key: composed, decomposed, in capitals, with the domain as a U-label.
const JOSE: [&str; 4] = [
    "jos\u{e9}@xn--bcher-kva.example",
    "jose\u{301}@xn--bcher-kva.example",
    "JOS\u{c9}@XN--BCHER-KVA.example",
    " jos\u{e9}@b\u{fc}cher.example",
];

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
    rules!(make;
        a_user_is_found_by_the_exact_spelling_beside_the_canonical_one(new),
        who_is_unknown_is_found_in_no_spelling(new),
    );
    if identifiers.namespaces {
        rules!(make; a_spelling_is_found_in_its_namespace_only(new));
    }
    let store = make().await;
    if store.supports(UserOperation::AnySpelling) {
        rules!(make;
            a_user_is_found_whatever_the_spelling_that_is_stored(new),
            all_users_with_one_address_in_different_spellings_are_found(new),
        );
        if identifiers.usernames {
            rules!(make; a_name_is_found_whatever_its_spelling_and_case_counts(new));
        }
        if store.supports(UserOperation::Update) {
            rules!(make; a_new_address_is_found_in_every_spelling_and_the_old_one_in_none(new));
        }
        if store.supports(UserOperation::Delete) {
            rules!(make; a_removed_user_is_found_in_no_spelling(new));
        }
    }
    if store.supports(UserOperation::List) {
        rules!(make; users_are_listed_page_by_page_in_the_order_of_ids(new));
    } else {
        rules!(make; a_store_that_cannot_list_says_so());
    }
}

fn email(value: &str) -> Identifier {
    Identifier { namespace: String::new(), kind: IdentifierKind::Email, value: value.to_owned() }
}

/// The ids of those that are found, in their order.
async fn ids<U: Account>(store: &impl UserStore<U>, wanted: &Identifier, typed: &str) -> Vec<UserId> {
    let mut ids: Vec<UserId> =
        ok(store.find_users_like(wanted, typed).await).iter().map(|found| found.user.id()).collect();
    ids.sort();
    ids.dedup();
    ids
}

async fn create<U: Account>(
    store: &impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
    email: &str,
) -> StoredUser<U> {
    ok(store.create_user(new(email)).await)
}

async fn a_user_is_found_by_the_exact_spelling_beside_the_canonical_one<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let typed = create(&store, new, ANN).await.user.id();
    assert_eq!(ids(&store, &email(ANN_KEY), ANN).await, std::slice::from_ref(&typed), "the spelling that was typed");
    let canonical = create(&store, new, ANN_KEY).await.user.id();
    let mut both = [typed, canonical];
    both.sort();
    assert_eq!(ids(&store, &email(ANN_KEY), ANN).await, both, "both spellings");
}

async fn who_is_unknown_is_found_in_no_spelling<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    create(&store, new, ANN).await;
    for (value, typed) in [("eve@example.com", "Eve@Example.com"), ("", ""), ("%", "%"), ("ann.lee@example.co", "ann")]
    {
        assert_eq!(ids(&store, &email(value), typed).await, [], "{value:?}");
    }
}

async fn a_spelling_is_found_in_its_namespace_only<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut other = new(ANN);
    other.namespace = "other".into();
    let other = ok(store.create_user(other).await).user.id();
    assert_eq!(ids(&store, &email(ANN_KEY), ANN).await, [], "in no namespace");
    let wanted = Identifier { namespace: "other".into(), ..email(ANN_KEY) };
    assert_eq!(ids(&store, &wanted, ANN).await, [other], "in its own");
}

async fn a_user_is_found_whatever_the_spelling_that_is_stored<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ann = create(&store, new, ANN).await.user.id();
    for typed in [ANN_KEY, "ANN.LEE@EXAMPLE.COM", " ann.lee@example.com"] {
        assert_eq!(ids(&store, &email(ANN_KEY), typed).await, std::slice::from_ref(&ann), "{typed:?}");
    }
    let jose = create(&store, new, JOSE[3]).await.user.id();
    assert_eq!(ids(&store, &email(JOSE[0]), JOSE[0]).await, [jose]);
}

async fn all_users_with_one_address_in_different_spellings_are_found<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut all = Vec::new();
    for spelling in JOSE {
        all.push(create(&store, new, spelling).await.user.id());
    }
    all.sort();
    for typed in JOSE {
        assert_eq!(ids(&store, &email(JOSE[0]), typed).await, all, "{typed:?}");
    }
}

async fn a_name_is_found_whatever_its_spelling_and_case_counts<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut named = new(ANN);
    named.username = Some("Zoe\u{301}\u{a0}X".into());
    let named = ok(store.create_user(named).await).user.id();
    let name = |value: &str| Identifier { kind: IdentifierKind::Username, ..email(value) };
    assert_eq!(ids(&store, &name("Zo\u{e9} X"), "Zo\u{e9} X").await, [named]);
    assert_eq!(ids(&store, &name("zo\u{e9} x"), "zo\u{e9} x").await, []);
}

async fn a_new_address_is_found_in_every_spelling_and_the_old_one_in_none<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let old = create(&store, new, ANN).await;
    let mut change = gatekit_core::UserChange::default();
    change.email = Some(Some(JOSE[1].to_owned()));
    ok(store.update_user(&old, change).await);
    assert_eq!(ids(&store, &email(JOSE[0]), JOSE[0]).await, [old.user.id()]);
    assert_eq!(ids(&store, &email(ANN_KEY), ANN).await, []);
}

async fn a_removed_user_is_found_in_no_spelling<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ann = create(&store, new, ANN).await;
    ok(store.delete_user(&ann.user.id()).await);
    assert_eq!(ids(&store, &email(ANN_KEY), ANN).await, []);
    create(&store, new, ANN).await;
}

async fn users_are_listed_page_by_page_in_the_order_of_ids<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut created = Vec::new();
    for n in 0..5 {
        created.push(create(&store, new, &format!("{n}@example.com")).await.user.id());
    }
    created.sort();
    let mut listed = Vec::new();
    loop {
        let page = ok(store.list_users(listed.last(), 2).await);
        assert!(page.len() <= 2, "no more than asked for");
        if page.is_empty() {
            break;
        }
        for user in page {
            match user {
                ListedUser::Readable { namespace, user } => {
                    assert_eq!(namespace, "", "the namespace is told");
                    listed.push(user.user.id());
                }
                _ => panic!("a row that can be read is read"),
            }
        }
        assert!(listed.len() <= created.len(), "each user once");
    }
    assert_eq!(listed, created, "all users, in the order of ids");
}

async fn a_store_that_cannot_list_says_so<U: Account>(store: impl UserStore<U>) {
    let answer = store.list_users(None, 2).await;
    assert!(matches!(answer, Err(StoreError::Unsupported(_))), "what a store does not support it refuses");
}
