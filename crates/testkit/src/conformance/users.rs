//! The rules of `UserStore` about who is stored, and by what it is found.

use std::collections::HashSet;
use std::sync::Arc;

use gatekit_core::{
    Account, CreateUserError, Identifier, IdentifierKind, NewUser, PasswordHash, StoredUser, UserId, UserOperation,
    UserStore,
};

use super::rules::{Identifiers, ROUNDS, TEXTS, ok, rules, twenty};

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
        a_new_user_has_rev_0_and_is_found_as_it_was_returned(new),
        who_is_unknown_is_found_by_nothing(new),
        a_user_without_a_password_has_none(new),
        every_user_gets_an_id_of_its_own(new),
        an_id_of_the_other_kind_names_nobody(new),
        an_address_in_use_is_refused_and_its_user_untouched(new),
        addresses_are_compared_byte_for_byte(new),
        a_long_address_is_kept_whole(new),
        of_twenty_users_with_one_address_one_is_stored(new),
        twenty_users_at_once_are_all_stored(new),
    );
    if make().await.supports(UserOperation::GivenId) {
        rules!(make;
            a_given_id_is_kept_and_given_out_to_no_other(new),
            a_given_id_in_use_is_refused_and_its_user_untouched(new),
            an_id_that_no_user_can_have_is_refused(new),
            of_twenty_users_with_one_given_id_one_is_stored(new),
        );
    }
    if identifiers.usernames {
        rules!(make;
            a_user_is_found_by_name(new),
            a_name_in_use_is_refused_and_its_user_untouched(new),
            names_are_compared_byte_for_byte(new),
            names_and_addresses_do_not_collide(new),
            many_users_have_no_name_and_many_no_address(new),
            of_twenty_users_with_one_name_one_is_stored(new),
        );
    }
    if identifiers.namespaces {
        rules!(make; each_namespace_has_its_own_addresses(new));
    }
    if identifiers.namespaces && identifiers.usernames {
        rules!(make; each_namespace_has_its_own_names(new));
    }
}

pub(super) const ADA: &str = "ada@example.com";

async fn a_new_user_has_rev_0_and_is_found_as_it_was_returned<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let created = ok(store.create_user(with_password(new(ADA), "hash")).await);
    assert_eq!(created.rev, 0, "a new user's rev is 0");
    assert_eq!(created.user.email(), Some(ADA), "the address is kept");
    assert!(created.password == Some(hash("hash")), "the hash is kept");

    let by_id = ok(store.find_user(&created.user.id()).await);
    assert_same(by_id, &created, "a user is found by its id as it was returned when created");
    let by_email = ok(store.find_user_by(&email("", ADA)).await);
    assert_same(by_email, &created, "a user is found by its address as it was returned when created");
}

async fn who_is_unknown_is_found_by_nothing<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    ok(store.create_user(new(ADA)).await);
    assert!(ok(store.find_user_by(&email("", "bob@example.com")).await).is_none(), "an unknown address finds nobody");
    assert!(ok(store.find_user_by(&email("", "")).await).is_none(), "the empty address finds nobody");
    for id in [UserId::Int(-1), UserId::Int(i64::MAX), UserId::from("nobody"), UserId::from("")] {
        assert!(ok(store.find_user(&id).await).is_none(), "an unknown id finds nobody");
        assert_eq!(ok(store.set_password(&id, 0, &hash("x")).await), None, "nobody gets a password");
        assert!(!ok(store.rehash_password(&id, &hash("x"), &hash("y")).await), "nobody's hash is renewed");
        assert_eq!(ok(store.bump_rev(&id).await), None, "nobody's rev is bumped");
    }
}

async fn a_user_without_a_password_has_none<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut without = new(ADA);
    without.password = None;
    let created = ok(store.create_user(without).await);
    let id = created.user.id();
    assert!(found(&store, &id).await.password.is_none(), "a user without a password has none, not an empty one");
    assert!(!ok(store.rehash_password(&id, &hash(""), &hash("new")).await), "no hash is not the empty hash");
    assert_eq!(ok(store.set_password(&id, 0, &hash("new")).await), Some(1), "who has no password can get one");
    assert!(found(&store, &id).await.password == Some(hash("new")), "who has no password can get one");
}

async fn every_user_gets_an_id_of_its_own<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut ids = HashSet::new();
    for n in 0..10 {
        let address = format!("user{n}@example.com");
        let created = ok(store.create_user(new(&address)).await);
        assert!(ids.insert(created.user.id()), "no two users have the same id");
        assert!(store.create_user(new(&address)).await.is_err(), "an address is given once");
    }
}

async fn a_given_id_is_kept_and_given_out_to_no_other<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut ids = HashSet::from([ok(store.create_user(new("first@example.com")).await).user.id()]);
    // An importer keeps no order.
    for given in [4_711, 47] {
        let created = ok(store.create_user(with_id(new(&format!("{given}@example.com")), given)).await);
        assert_eq!(created.user.id(), UserId::Int(given), "an id that is given is kept");
        assert_same(ok(store.find_user(&given.into()).await), &created, "a user is found by an id that was given");
        ids.insert(created.user.id());
    }
    if store.supports(UserOperation::Delete) {
        assert!(ok(store.delete_user(&UserId::Int(4_711)).await), "a user with an id that was given is removed");
    }
    for n in 0..3 {
        let created = ok(store.create_user(new(&format!("later{n}@example.com"))).await);
        assert!(
            ids.insert(created.user.id()),
            "an id that was given is never given out, also once its user is removed"
        );
    }
}

async fn a_given_id_in_use_is_refused_and_its_user_untouched<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(with_password(new(ADA), "hash")).await);
    let UserId::Int(id) = ada.user.id() else { return };
    let refused = store.create_user(with_id(new("bob@example.com"), id)).await;
    assert!(
        matches!(&refused, Err(CreateUserError::IdTaken(taken)) if *taken == ada.user.id()),
        "an id in use is refused by its name, but: {:?}",
        refused.map(|created| created.user.id())
    );
    assert_same(ok(store.find_user(&ada.user.id()).await), &ada, "the user that has the id is untouched");
    assert!(ok(store.find_user_by(&email("", "bob@example.com")).await).is_none(), "no part of the other is stored");
}

async fn an_id_that_no_user_can_have_is_refused<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    // Whether numbers or strings are ids is the store's choice; it must not change one into
    // another.
    for id in [UserId::Int(0), UserId::Int(-1), UserId::Int(i64::MAX), UserId::from(""), UserId::from("7")] {
        let mut wanted = new(&format!("{id}@example.com"));
        wanted.id = Some(id.clone());
        match store.create_user(wanted).await {
            Ok(created) => assert_eq!(created.user.id(), id, "an id is kept as it is given"),
            Err(CreateUserError::InvalidId(named)) => assert_eq!(named, id, "the error names the id"),
            Err(error) => panic!("an id that no user can have is refused as invalid, but: {error}"),
        }
    }
    ok(store.create_user(new("later@example.com")).await);
}

async fn of_twenty_users_with_one_given_id_one_is_stored<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    let answers = twenty(|n| {
        let (store, user) = (Arc::clone(&store), with_id(new(&format!("user{n}@example.com")), 4_711));
        async move { store.create_user(user).await }
    })
    .await;
    let mut stored = 0;
    for answer in answers {
        match answer {
            Ok(created) => {
                assert_eq!(created.user.id(), UserId::Int(4_711), "an id that is given is kept");
                stored += 1;
            }
            Err(CreateUserError::IdTaken(_)) => {}
            Err(error) => panic!("an id in use must be refused as taken, but: {error}"),
        }
    }
    assert_eq!(stored, 1, "of twenty users with one id one is stored");
}

async fn an_id_of_the_other_kind_names_nobody<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let other = match ok(store.create_user(with_password(new(ADA), "old")).await).user.id() {
        UserId::Int(id) => UserId::Text(id.to_string()),
        UserId::Text(id) => match id.parse() {
            Ok(number) => UserId::Int(number),
            Err(_) => return,
        },
    };
    let rule = "the integer 7 and the text 7 are different ids";
    assert!(ok(store.find_user(&other).await).is_none(), "{rule}");
    assert_eq!(ok(store.set_password(&other, 0, &hash("x")).await), None, "{rule}");
    assert!(!ok(store.rehash_password(&other, &hash("old"), &hash("x")).await), "{rule}");
    assert_eq!(ok(store.bump_rev(&other).await), None, "{rule}");
}

async fn an_address_in_use_is_refused_and_its_user_untouched<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(with_password(new(ADA), "first")).await);
    let again = store.create_user(with_password(new(ADA), "second")).await;
    assert_taken(again, IdentifierKind::Email);
    assert_same(ok(store.find_user_by(&email("", ADA)).await), &ada, "who was first is untouched");
    ok(store.create_user(new("bob@example.com")).await);
}

async fn addresses_are_compared_byte_for_byte<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut ids = Vec::new();
    for text in TEXTS {
        ids.push(ok(store.create_user(new(text)).await).user.id());
    }
    for (text, id) in TEXTS.iter().zip(ids) {
        let found = ok(store.find_user_by(&email("", text)).await).expect("every address finds its user");
        assert_eq!(found.user.id(), id, "an address finds no user with another one: {text:?}");
        assert_eq!(found.user.email(), Some(*text), "an address is kept byte for byte");
    }
    let spelled_otherwise = ok(store.find_user_by(&email("", "ADA@EXAMPLE.COM")).await);
    assert!(spelled_otherwise.is_none(), "addresses are compared byte for byte: case is the policy's business");
}

async fn a_long_address_is_kept_whole<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    // The longest an address can be, and one that differs in its last byte.
    let (long, other) = (format!("{}@b.de", "a".repeat(249)), format!("{}@b.dd", "a".repeat(249)));
    let created = ok(store.create_user(new(&long)).await);
    assert_eq!(found(&store, &created.user.id()).await.user.email(), Some(long.as_str()), "254 bytes are kept");
    assert!(ok(store.find_user_by(&email("", &other)).await).is_none(), "254 bytes are compared");
}

/// RACE-2, 2.3.3, 15.4.2
async fn of_twenty_users_with_one_address_one_is_stored<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let address = format!("user{round}@example.com");
        let answers = twenty(|n| {
            let (store, new) = (Arc::clone(&store), with_password(new(&address), &format!("hash {n}")));
            async move { store.create_user(new).await }
        })
        .await;
        let winner = only_one_created(answers, IdentifierKind::Email);
        assert_same(ok(store.find_user_by(&email("", &address)).await), &winner, "the one stored is the one returned");
    }
}

async fn twenty_users_at_once_are_all_stored<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    let answers = twenty(|n| {
        let (store, new) = (Arc::clone(&store), new(&format!("user{n}@example.com")));
        async move { store.create_user(new).await }
    })
    .await;
    let mut ids = HashSet::new();
    for created in answers.into_iter().map(ok) {
        assert_same(ok(store.find_user(&created.user.id()).await), &created, "all of twenty at once are stored");
        assert!(ids.insert(created.user.id()), "no two users have the same id");
    }
}

async fn a_user_is_found_by_name<U: Account>(store: impl UserStore<U>, new: &impl Fn(&str) -> NewUser<U::Profile>) {
    let ada = ok(store.create_user(named(new(ADA), "ada")).await);
    assert_eq!(ada.user.username(), Some("ada"), "the name is kept");
    assert_same(ok(store.find_user_by(&username("", "ada")).await), &ada, "a user is found by its name");
    assert!(ok(store.find_user_by(&username("", "bob")).await).is_none(), "an unknown name finds nobody");
    assert!(ok(store.find_user_by(&username("", "")).await).is_none(), "the empty name finds nobody");
}

async fn a_name_in_use_is_refused_and_its_user_untouched<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(named(new(ADA), "ada")).await);
    let again = store.create_user(named(new("other@example.com"), "ada")).await;
    assert_taken(again, IdentifierKind::Username);
    assert_same(ok(store.find_user_by(&username("", "ada")).await), &ada, "who was first is untouched");
    let refused = ok(store.find_user_by(&email("", "other@example.com")).await);
    assert!(refused.is_none(), "who was refused is not stored");
    assert_taken(store.create_user(named(new(ADA), "other")).await, IdentifierKind::Email);
}

async fn names_are_compared_byte_for_byte<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut ids = Vec::new();
    for (n, text) in TEXTS.iter().enumerate() {
        let user = named(new(&format!("user{n}@example.com")), text);
        ids.push(ok(store.create_user(user).await).user.id());
    }
    for (text, id) in TEXTS.iter().zip(ids) {
        let found = ok(store.find_user_by(&username("", text)).await).expect("every name finds its user");
        assert_eq!(found.user.id(), id, "a name finds no user with another one: {text:?}");
        assert_eq!(found.user.username(), Some(*text), "a name is kept byte for byte");
    }
}

async fn names_and_addresses_do_not_collide<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(new(ADA)).await).user.id();
    let eve = ok(store.create_user(named(new("eve@example.com"), ADA)).await).user.id();
    let by_email = ok(store.find_user_by(&email("", ADA)).await).map(|found| found.user.id());
    let by_name = ok(store.find_user_by(&username("", ADA)).await).map(|found| found.user.id());
    assert_eq!((by_email, by_name), (Some(ada), Some(eve)), "somebody's name may be somebody else's address");
}

async fn many_users_have_no_name_and_many_no_address<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    for n in 0..3 {
        let mut nameless = new(&format!("user{n}@example.com"));
        nameless.username = None;
        let created = ok(store.create_user(nameless).await);
        assert_eq!(found(&store, &created.user.id()).await.user.username(), None, "no name stays none");
        let mut addressless = named(new(""), &format!("user{n}"));
        addressless.email = None;
        let created = ok(store.create_user(addressless).await);
        assert_eq!(found(&store, &created.user.id()).await.user.email(), None, "no address stays none");
    }
}

/// RACE-2
async fn of_twenty_users_with_one_name_one_is_stored<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let name = format!("user {round}");
        let answers = twenty(|n| {
            let (store, new) = (Arc::clone(&store), named(new(&format!("{round}.{n}@example.com")), &name));
            async move { store.create_user(new).await }
        })
        .await;
        let winner = only_one_created(answers, IdentifierKind::Username);
        assert_same(ok(store.find_user_by(&username("", &name)).await), &winner, "the one stored is the one returned");
    }
}

async fn each_namespace_has_its_own_addresses<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut ids = Vec::new();
    for namespace in NAMESPACES {
        ids.push(ok(store.create_user(inside(new(ADA), namespace)).await).user.id());
        assert_taken(store.create_user(inside(new(ADA), namespace)).await, IdentifierKind::Email);
    }
    for (namespace, id) in NAMESPACES.iter().zip(ids) {
        let found = ok(store.find_user_by(&email(namespace, ADA)).await).map(|found| found.user.id());
        assert_eq!(found, Some(id), "an address is looked up in one namespace only");
    }
    let elsewhere = ok(store.find_user_by(&email("elsewhere", ADA)).await);
    assert!(elsewhere.is_none(), "an address of one namespace is unknown in another");
}

async fn each_namespace_has_its_own_names<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut ids = Vec::new();
    for namespace in NAMESPACES {
        let (ada, eve) = (named(new(ADA), "ada"), named(new("eve@example.com"), "ada"));
        ids.push(ok(store.create_user(inside(ada, namespace)).await).user.id());
        assert_taken(store.create_user(inside(eve, namespace)).await, IdentifierKind::Username);
    }
    for (namespace, id) in NAMESPACES.iter().zip(ids) {
        let found = ok(store.find_user_by(&username(namespace, "ada")).await).map(|found| found.user.id());
        assert_eq!(found, Some(id), "a name is looked up in one namespace only");
    }
}

pub(super) const NAMESPACES: [&str; 4] = ["", "admins", "Admins", "admins "];

pub(super) fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_stored(text)
}

fn with_id<P>(mut new: NewUser<P>, id: i64) -> NewUser<P> {
    new.id = Some(id.into());
    new
}

pub(super) fn with_password<P>(mut user: NewUser<P>, text: &str) -> NewUser<P> {
    user.password = Some(hash(text));
    user
}

pub(super) fn named<P>(mut user: NewUser<P>, name: &str) -> NewUser<P> {
    user.username = Some(name.to_owned());
    user
}

pub(super) fn inside<P>(mut user: NewUser<P>, namespace: &str) -> NewUser<P> {
    namespace.clone_into(&mut user.namespace);
    user.realm = Some(namespace.to_owned()).filter(|realm| !realm.is_empty());
    user
}

pub(super) fn email(namespace: &str, value: &str) -> Identifier {
    Identifier { namespace: namespace.to_owned(), kind: IdentifierKind::Email, value: value.to_owned() }
}

pub(super) fn username(namespace: &str, value: &str) -> Identifier {
    Identifier { namespace: namespace.to_owned(), kind: IdentifierKind::Username, value: value.to_owned() }
}

pub(super) async fn found<U: Account>(store: &impl UserStore<U>, id: &UserId) -> StoredUser<U> {
    ok(store.find_user(id).await).expect("a stored user is found by its id")
}

/// By JSON, which holds the profile, and by what flows see beside it.
#[track_caller]
pub(super) fn assert_same<U: Account>(found: Option<StoredUser<U>>, expected: &StoredUser<U>, rule: &str) {
    let Some(found) = found else { panic!("{rule}: nobody was found") };
    let json = |user: &U| serde_json::to_value(user).expect("a user can be written as JSON");
    assert_eq!(json(&found.user), json(&expected.user), "{rule}");
    assert_eq!(found.user.id(), expected.user.id(), "{rule}");
    assert_eq!(found.user.email(), expected.user.email(), "{rule}");
    assert_eq!(found.user.username(), expected.user.username(), "{rule}");
    assert_eq!(found.user.realm(), expected.user.realm(), "{rule}");
    assert_eq!(found.rev, expected.rev, "{rule}");
    assert_eq!(found.status, expected.status, "{rule}");
    assert!(found.password == expected.password, "{rule}: the password's hash differs");
}

#[track_caller]
fn assert_taken<U>(answer: Result<StoredUser<U>, CreateUserError>, kind: IdentifierKind) {
    match answer {
        Ok(_) => panic!("the {kind} in use must be refused"),
        Err(CreateUserError::Taken(named)) => assert_eq!(named, kind, "the error names the identifier that is in use"),
        Err(error) => panic!("the {kind} in use must be refused as taken, but: {error}"),
    }
}

#[track_caller]
fn only_one_created<U>(answers: Vec<Result<StoredUser<U>, CreateUserError>>, kind: IdentifierKind) -> StoredUser<U> {
    let mut winners = Vec::new();
    for answer in answers {
        match answer {
            Ok(created) => winners.push(created),
            refused => assert_taken(refused, kind),
        }
    }
    assert_eq!(winners.len(), 1, "of twenty users with one {kind} exactly one is stored");
    winners.remove(0)
}
