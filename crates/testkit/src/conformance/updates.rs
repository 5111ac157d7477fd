//! The rules of `UserStore::update_user`, for stores that have it.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatekit_core::{
    Account, CreateUserError, IdentifierKind, NewUser, PasswordHash, StoreError, StoredUser, UserChange, UserId,
    UserOperation, UserStore,
};
use serde_json::Value;

use super::rules::{Identifiers, ROUNDS, TEXTS, ok, rules, twenty};
use super::users::{ADA, NAMESPACES, assert_same, email, found, hash, inside, named, username, with_password};

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
    if !make().await.supports(UserOperation::Update) {
        rules!(make; a_store_that_cannot_change_users_says_so(new));
        return;
    }
    rules!(make;
        each_field_is_changed_alone_and_nothing_else_is(new, identifiers),
        all_fields_are_changed_together(new, identifiers),
        an_empty_change_changes_nothing(new, identifiers),
        who_has_changed_meanwhile_is_not_changed(new, identifiers),
        a_new_password_or_a_bump_meanwhile_stands_in_the_way(new),
        a_renewed_hash_meanwhile_does_not_stand_in_the_way(new),
        of_twenty_changes_from_one_old_one_is_made(new),
        of_twenty_bumps_from_one_old_one_is_made(new),
        twenty_that_try_again_all_get_their_change(new),
        an_address_in_use_is_refused_and_nothing_is_changed(new),
        ones_own_address_is_not_in_use(new),
        the_old_address_becomes_free(new),
        a_changed_address_is_kept_byte_for_byte(new),
        of_twenty_who_want_one_address_one_gets_it(new),
        one_users_change_leaves_another_alone(new),
    );
    if identifiers.usernames {
        rules!(make;
            fields_are_removed(new, identifiers),
            a_name_in_use_is_refused_and_nothing_is_changed(new),
            a_name_that_is_changed_or_removed_becomes_free(new),
        );
    }
    if identifiers.namespaces {
        rules!(make;
            a_user_moves_to_another_namespace(new),
            an_address_in_use_in_the_other_namespace_is_refused(new),
        );
    }
    if identifiers.namespaces && identifiers.usernames {
        rules!(make; who_has_neither_address_nor_name_stays_in_its_namespace(new));
    }
    if make().await.supports(UserOperation::Delete) {
        rules!(make; who_is_gone_is_not_changed(new));
    }
}

async fn a_store_that_cannot_change_users_says_so<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(new(ADA)).await);
    let refused = store.update_user(&ada, UserChange::default()).await;
    let says_so = matches!(refused, Err(CreateUserError::Store(StoreError::Unsupported(_))));
    assert!(says_so, "what a store does not support is refused as such, and never taken for done");
}

/// What a change may be of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Field {
    Email,
    Username,
    Realm,
    EmailVerified,
    Password,
    Profile,
    Rev,
}

/// A user as far as a store keeps it.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    id: UserId,
    email: Option<String>,
    username: Option<String>,
    realm: Option<String>,
    email_verified: Option<bool>,
    password: Option<PasswordHash>,
    rev: i64,
    /// Those members of the profile that the user has under the same name in JSON.
    profile: BTreeMap<String, Option<Value>>,
}

/// A user with something in each field, and what a change makes of it.
struct Subject<U: Account> {
    created: StoredUser<U>,
    /// The fields that the store keeps.
    fields: Vec<Field>,
    other_profile: U::Profile,
    members: Vec<String>,
    identifiers: Identifiers,
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("users and profiles can be written as JSON")
}

/// What is given to the user number `n`, before a change and after.
fn address(n: usize, changed: bool) -> String {
    if changed { format!("changed{n}@example.com") } else { format!("user{n}@example.com") }
}

fn name(n: usize, changed: bool) -> String {
    if changed { format!("changed {n}") } else { format!("user {n}") }
}

/// The realm, which is the namespace where the store has those.
const REALM: &str = "club";
const OTHER_REALM: &str = "another";

impl<U: Account> Subject<U> {
    async fn new(
        store: &impl UserStore<U>,
        new: &impl Fn(&str) -> NewUser<U::Profile>,
        identifiers: Identifiers,
        n: usize,
    ) -> Self {
        let mut user = with_password(new(&address(n, false)), "hash");
        user.realm = Some(REALM.into());
        if identifiers.namespaces {
            user.namespace = REALM.into();
        }
        user.email_verified = Some(false);
        if identifiers.usernames {
            user.username = Some(name(n, false));
        }
        let (profile, other_profile) = (user.profile.clone(), new(&address(n, true)).profile);
        let created = ok(store.create_user(user).await);

        let in_user = json(&created.user);
        let before = json(&profile);
        let members = before.as_object().into_iter().flatten();
        let members = members.filter(|(member, value)| in_user.get(member) == Some(value));
        let members: Vec<String> = members.map(|(member, _)| member.clone()).collect();

        // What the store does not keep is no field of its own to change.
        let user = &created.user;
        let kept = [
            (Field::Email, true),
            (Field::Username, user.username().is_some()),
            (Field::Realm, user.realm() == Some(REALM)),
            (Field::EmailVerified, user.email_verified() == Some(false)),
            (Field::Password, true),
            (Field::Profile, before != json(&other_profile)),
            (Field::Rev, true),
        ];
        let fields = kept.into_iter().filter_map(|(field, kept)| kept.then_some(field)).collect();
        Self { created, fields, other_profile, members, identifiers }
    }

    /// The change of these fields.
    fn change(&self, n: usize, fields: &[Field]) -> UserChange<U::Profile> {
        let mut change = UserChange::default();
        for field in fields {
            match field {
                Field::Email => change.email = Some(Some(address(n, true))),
                Field::Username => change.username = Some(Some(name(n, true))),
                Field::Realm => {
                    change.realm = Some(Some(OTHER_REALM.into()));
                    change.namespace = self.identifiers.namespaces.then(|| OTHER_REALM.into());
                }
                Field::EmailVerified => change.email_verified = Some(Some(true)),
                Field::Password => change.password = Some(hash("changed")),
                Field::Profile => change.profile = Some(self.other_profile.clone()),
                Field::Rev => change.bump_rev = true,
            }
        }
        change
    }

    fn seen(&self, stored: &StoredUser<U>) -> Seen {
        let in_user = json(&stored.user);
        Seen {
            id: stored.user.id(),
            email: stored.user.email().map(str::to_owned),
            username: stored.user.username().map(str::to_owned),
            realm: stored.user.realm().map(str::to_owned),
            email_verified: stored.user.email_verified(),
            password: stored.password.clone(),
            rev: stored.rev,
            profile: self.members.iter().map(|member| (member.clone(), in_user.get(member).cloned())).collect(),
        }
    }

    /// What the user is once these fields are changed.
    fn expected(&self, n: usize, fields: &[Field]) -> Seen {
        let mut seen = self.seen(&self.created);
        for field in fields {
            match field {
                Field::Email => seen.email = Some(address(n, true)),
                Field::Username => seen.username = Some(name(n, true)),
                Field::Realm => seen.realm = Some(OTHER_REALM.into()),
                Field::EmailVerified => seen.email_verified = Some(true),
                Field::Password => seen.password = Some(hash("changed")),
                Field::Profile => {
                    let other = json(&self.other_profile);
                    seen.profile.iter_mut().for_each(|(member, value)| *value = other.get(member).cloned());
                }
                Field::Rev => seen.rev += 1,
            }
        }
        seen
    }
}

/// Makes a change that nothing stands in the way of, and sees that what is returned is what is
/// stored.
async fn changed<U: Account>(
    store: &impl UserStore<U>,
    old: &StoredUser<U>,
    change: UserChange<U::Profile>,
) -> StoredUser<U> {
    let changed = ok(store.update_user(old, change).await).expect("a change is made if nobody else has made one");
    let rule = "a change returns the user as it is then";
    assert_same(ok(store.find_user(&old.user.id()).await), &changed, rule);
    assert_eq!(found(store, &old.user.id()).await.user.email_verified(), changed.user.email_verified(), "{rule}");
    changed
}

fn to_address<P>(address: &str) -> UserChange<P> {
    let mut change = UserChange::default();
    change.email = Some(Some(address.to_owned()));
    change
}

fn to_name<P>(name: &str) -> UserChange<P> {
    let mut change = UserChange::default();
    change.username = Some(Some(name.to_owned()));
    change
}

fn bump<P>() -> UserChange<P> {
    let mut change = UserChange::default();
    change.bump_rev = true;
    change
}

async fn each_field_is_changed_alone_and_nothing_else_is<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
    identifiers: Identifiers,
) {
    let fields = Subject::new(&store, new, identifiers, 100).await.fields;
    for (n, field) in fields.into_iter().enumerate() {
        let subject = Subject::new(&store, new, identifiers, n).await;
        let changed = changed(&store, &subject.created, subject.change(n, &[field])).await;
        let rule = format!("a change of {field:?} changes that and nothing else");
        assert_eq!(subject.seen(&changed), subject.expected(n, &[field]), "{rule}");
    }
}

async fn all_fields_are_changed_together<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
    identifiers: Identifiers,
) {
    let subject = Subject::new(&store, new, identifiers, 0).await;
    let changed = changed(&store, &subject.created, subject.change(0, &subject.fields)).await;
    assert_eq!(subject.seen(&changed), subject.expected(0, &subject.fields), "one change may be of every field");
    let namespace = match identifiers.namespaces {
        true if subject.fields.contains(&Field::Realm) => OTHER_REALM,
        true => REALM,
        false => "",
    };
    let by_address = ok(store.find_user_by(&email(namespace, &address(0, true))).await);
    assert_same(by_address, &changed, "a user is found by its new address");
    if identifiers.usernames {
        let by_name = ok(store.find_user_by(&username(namespace, &name(0, true))).await);
        assert_same(by_name, &changed, "a user is found by its new name");
    }
}

async fn an_empty_change_changes_nothing<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
    identifiers: Identifiers,
) {
    let subject = Subject::new(&store, new, identifiers, 0).await;
    let unchanged = changed(&store, &subject.created, UserChange::default()).await;
    assert_eq!(subject.seen(&unchanged), subject.seen(&subject.created), "an empty change changes nothing");
}

async fn fields_are_removed<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
    identifiers: Identifiers,
) {
    for (n, field) in [Field::Username, Field::Realm, Field::EmailVerified, Field::Email].into_iter().enumerate() {
        let subject = Subject::new(&store, new, identifiers, n).await;
        let mut expected = subject.seen(&subject.created);
        if !subject.fields.contains(&field) {
            continue;
        }
        let mut change = UserChange::default();
        match field {
            Field::Username => (change.username, expected.username) = (Some(None), None),
            Field::Realm => {
                change.namespace = identifiers.namespaces.then(String::new);
                (change.realm, expected.realm) = (Some(None), None);
            }
            Field::Email => (change.email, expected.email) = (Some(None), None),
            _ => (change.email_verified, expected.email_verified) = (Some(None), None),
        }
        let changed = changed(&store, &subject.created, change).await;
        assert_eq!(subject.seen(&changed), expected, "a change may remove {field:?}, and removes nothing else");
    }
    let subject = Subject::new(&store, new, identifiers, 10).await;
    let mut remove = UserChange::default();
    (remove.username, remove.email_verified) = (Some(None), Some(None));
    let bare = changed(&store, &subject.created, remove).await;
    assert_eq!((bare.user.username(), bare.user.email_verified()), (None, None), "a change may remove several");
    let again = changed(&store, &bare, subject.change(10, &subject.fields)).await;
    assert_eq!(
        subject.seen(&again),
        subject.expected(10, &subject.fields),
        "what a user does not have is compared too, and may be given to it"
    );
}

async fn who_has_changed_meanwhile_is_not_changed<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
    identifiers: Identifiers,
) {
    let fields = Subject::new(&store, new, identifiers, 100).await.fields;
    // The hash of the password is not compared: it may be renewed at any time.
    for (n, field) in fields.into_iter().filter(|field| *field != Field::Password).enumerate() {
        let subject = Subject::new(&store, new, identifiers, n).await;
        let meanwhile = changed(&store, &subject.created, subject.change(n, &[field])).await;
        let rule = format!("who is not as `old` has it is not changed: {field:?} is another");
        for late in [vec![Field::Password], vec![field], vec![]] {
            let answer = ok(store.update_user(&subject.created, subject.change(n, &late)).await);
            assert!(answer.is_none(), "{rule}");
        }
        assert_same(ok(store.find_user(&subject.created.user.id()).await), &meanwhile, &rule);
    }
}

/// RACE-1: a change of something else never undoes a new password.
async fn a_new_password_or_a_bump_meanwhile_stands_in_the_way<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let old = ok(store.create_user(with_password(new(ADA), "old")).await);
    let id = old.user.id();
    ok(store.set_password(&id, 0, &hash("new")).await);
    let rule = "a new password stands in the way of a change from before";
    assert!(ok(store.update_user(&old, to_address("eve@example.com")).await).is_none(), "{rule}");
    let after = found(&store, &id).await;
    assert!(after.password == Some(hash("new")) && after.user.email() == Some(ADA), "{rule}");

    ok(store.bump_rev(&id).await);
    let rule = "a bump stands in the way of a change from before";
    assert!(ok(store.update_user(&after, to_address("eve@example.com")).await).is_none(), "{rule}");
    changed(&store, &found(&store, &id).await, to_address("eve@example.com")).await;
}

/// RACE-14
async fn a_renewed_hash_meanwhile_does_not_stand_in_the_way<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let old = ok(store.create_user(with_password(new(ADA), "old")).await);
    ok(store.rehash_password(&old.user.id(), &hash("old"), &hash("renewed")).await);
    let moved = changed(&store, &old, to_address("eve@example.com")).await;
    assert!(moved.password == Some(hash("renewed")), "a change of something else leaves a renewed hash alone");

    ok(store.rehash_password(&old.user.id(), &hash("renewed"), &hash("renewed again")).await);
    let mut change = UserChange::default();
    change.password = Some(hash("changed"));
    let changed = changed(&store, &moved, change).await;
    assert!(changed.password == Some(hash("changed")), "a change of the password replaces a renewed hash");
    assert_eq!(changed.rev, 0, "rev stays unless the change says so");
}

async fn of_twenty_changes_from_one_old_one_is_made<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    let mut old = ok(store.create_user(new(ADA)).await);
    for round in 0..ROUNDS {
        let answers = twenty(|n| {
            let (store, old) = (Arc::clone(&store), old.clone());
            async move { store.update_user(&old, to_address(&format!("{round}.{n}@example.com"))).await }
        })
        .await;
        let mut winners: Vec<_> = answers.into_iter().filter_map(ok).collect();
        assert_eq!(winners.len(), 1, "of twenty changes from one `old` exactly one is made");
        old = winners.remove(0);
        let stored = ok(store.find_user(&old.user.id()).await);
        assert_same(stored, &old, "the change that is stored is the one acknowledged");
    }
}

/// The bump is part of the step that compares.
async fn of_twenty_bumps_from_one_old_one_is_made<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    let mut old = ok(store.create_user(new(ADA)).await);
    for round in 1..=ROUNDS {
        let answers = twenty(|_| {
            let (store, old) = (Arc::clone(&store), old.clone());
            async move { store.update_user(&old, bump()).await }
        })
        .await;
        let mut winners: Vec<_> = answers.into_iter().filter_map(ok).collect();
        assert_eq!(winners.len(), 1, "of twenty bumps from one `old` exactly one is made");
        old = winners.remove(0);
        assert_eq!((old.rev, found(&*store, &old.user.id()).await.rev), (round, round), "a bump adds one");
    }
}

async fn twenty_that_try_again_all_get_their_change<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    let id = ok(store.create_user(new(ADA)).await).user.id();
    let revs = twenty(|n| {
        let (store, id) = (Arc::clone(&store), id.clone());
        async move {
            if n % 2 == 0 {
                return ok(store.bump_rev(&id).await);
            }
            // Each try that fails is another's success, of which there are nineteen.
            for _ in 0..20 {
                let old = found(&*store, &id).await;
                if let Some(changed) = ok(store.update_user(&old, bump()).await) {
                    return Some(changed.rev);
                }
            }
            None
        }
    })
    .await;
    let mut revs: Vec<_> = revs.into_iter().flatten().collect();
    revs.sort_unstable();
    assert_eq!(revs, (1..=20).collect::<Vec<i64>>(), "no change is lost, and each rev is given out once");
}

async fn an_address_in_use_is_refused_and_nothing_is_changed<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(with_password(new(ADA), "hash")).await);
    let bob = ok(store.create_user(with_password(new("bob@example.com"), "hash")).await);
    let mut change = to_address(ADA);
    change.email_verified = Some(Some(true));
    change.password = Some(hash("changed"));
    change.profile = Some(new("eve@example.com").profile);
    change.bump_rev = true;
    assert_taken(store.update_user(&bob, change).await, IdentifierKind::Email);
    assert_same(ok(store.find_user(&bob.user.id()).await), &bob, "a refused change changes nothing");
    assert_same(ok(store.find_user_by(&email("", ADA)).await), &ada, "who has the address keeps it");
    assert_same(ok(store.find_user_by(&email("", "bob@example.com")).await), &bob, "who was refused keeps the old one");
}

async fn a_name_in_use_is_refused_and_nothing_is_changed<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(named(new(ADA), "ada")).await);
    let bob = ok(store.create_user(named(new("bob@example.com"), "bob")).await);
    let mut change = to_name("ada");
    change.email = Some(Some("free@example.com".into()));
    change.bump_rev = true;
    assert_taken(store.update_user(&bob, change).await, IdentifierKind::Username);
    assert_same(ok(store.find_user(&bob.user.id()).await), &bob, "a refused change changes nothing");
    assert_same(ok(store.find_user_by(&username("", "ada")).await), &ada, "who has the name keeps it");
    let free = ok(store.find_user_by(&email("", "free@example.com")).await);
    assert!(free.is_none(), "an address of a refused change is nobody's");
    changed(&store, &bob, to_name(ADA)).await;
}

async fn ones_own_address_is_not_in_use<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(new(ADA)).await);
    let same = changed(&store, &ada, to_address(ADA)).await;
    assert_same(Some(same), &ada, "one's own address is not in use by another");
    assert_same(ok(store.find_user_by(&email("", ADA)).await), &ada, "one's own address stays one's own");
}

async fn the_old_address_becomes_free<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(new(ADA)).await);
    let moved = changed(&store, &ada, to_address("eve@example.com")).await;
    assert!(ok(store.find_user_by(&email("", ADA)).await).is_none(), "the old address finds nobody");
    assert_same(ok(store.find_user_by(&email("", "eve@example.com")).await), &moved, "the new address finds its user");
    let next = ok(store.create_user(new(ADA)).await);
    assert_ne!(next.user.id(), ada.user.id(), "the old address may be somebody else's");
    assert_taken(store.update_user(&moved, to_address(ADA)).await, IdentifierKind::Email);
}

async fn a_name_that_is_changed_or_removed_becomes_free<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(named(new(ADA), "ada")).await);
    let renamed = changed(&store, &ada, to_name("countess")).await;
    assert!(ok(store.find_user_by(&username("", "ada")).await).is_none(), "the old name finds nobody");
    assert_same(ok(store.find_user_by(&username("", "countess")).await), &renamed, "the new name finds its user");
    let bob = ok(store.create_user(named(new("bob@example.com"), "ada")).await);

    let mut change = UserChange::default();
    change.username = Some(None);
    changed(&store, &renamed, change).await;
    assert!(ok(store.find_user_by(&username("", "countess")).await).is_none(), "a removed name finds nobody");
    changed(&store, &bob, to_name("countess")).await;
    let by_email = ok(store.find_user_by(&email("", ADA)).await).map(|found| found.user.id());
    assert_eq!(by_email, Some(ada.user.id()), "who has no name any more is found by its address");
}

async fn a_changed_address_is_kept_byte_for_byte<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut user = ok(store.create_user(new("first@example.com")).await);
    for text in TEXTS {
        user = changed(&store, &user, to_address(text)).await;
        assert_eq!(user.user.email(), Some(text), "a changed address is kept byte for byte");
        assert_same(ok(store.find_user_by(&email("", text)).await), &user, "a changed address finds its user");
    }
}

/// RACE-2
async fn of_twenty_who_want_one_address_one_gets_it<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let store = Arc::new(store);
    let mut users = Vec::new();
    for n in 0..20 {
        users.push(ok(store.create_user(new(&address(n, false))).await));
    }
    let answers = twenty(|n| {
        let (store, old) = (Arc::clone(&store), users.get(n).cloned());
        async move { store.update_user(&old.expect("there are twenty"), to_address(ADA)).await }
    })
    .await;
    let mut winners = Vec::new();
    for answer in answers {
        match answer {
            Ok(changed) => winners.extend(changed),
            refused => assert_taken(refused, IdentifierKind::Email),
        }
    }
    assert_eq!(winners.len(), 1, "of twenty who want one address exactly one gets it");
    assert_same(ok(store.find_user_by(&email("", ADA)).await), &winners.remove(0), "it is the one acknowledged");
}

async fn one_users_change_leaves_another_alone<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let ada = ok(store.create_user(with_password(new(ADA), "hash")).await);
    let bob = ok(store.create_user(with_password(new("bob@example.com"), "hash")).await);
    let mut change = to_address("eve@example.com");
    change.password = Some(hash("changed"));
    change.profile = Some(new("eve@example.com").profile);
    change.bump_rev = true;
    changed(&store, &ada, change).await;
    assert_same(ok(store.find_user(&bob.user.id()).await), &bob, "one user's change leaves another alone");
}

async fn a_user_moves_to_another_namespace<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut user = ok(store.create_user(new(ADA)).await);
    let mut from = "";
    for to in NAMESPACES.into_iter().filter(|namespace| !namespace.is_empty()) {
        let mut change = UserChange::default();
        change.namespace = Some(to.to_owned());
        change.realm = Some(Some(to.to_owned()));
        user = changed(&store, &user, change).await;
        assert_same(ok(store.find_user_by(&email(to, ADA)).await), &user, "a user is found in its new namespace");
        assert!(ok(store.find_user_by(&email(from, ADA)).await).is_none(), "and no longer in the old one");
        from = to;
    }
    ok(store.create_user(new(ADA)).await);
    user = changed(&store, &user, to_address("eve@example.com")).await;
    let by_email = ok(store.find_user_by(&email(from, "eve@example.com")).await);
    assert_same(by_email, &user, "a change that does not name the namespace leaves the user in it");
}

async fn an_address_in_use_in_the_other_namespace_is_refused<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let there = ok(store.create_user(inside(new(ADA), "admins")).await);
    let here = ok(store.create_user(new(ADA)).await);
    let mut change = UserChange::default();
    change.namespace = Some("admins".into());
    assert_taken(store.update_user(&here, change.clone()).await, IdentifierKind::Email);
    assert_same(ok(store.find_user_by(&email("", ADA)).await), &here, "who was refused stays where it was");
    assert_same(ok(store.find_user_by(&email("admins", ADA)).await), &there, "who was there is untouched");
    // The same address is in use there, and another may come.
    change.email = Some(Some("eve@example.com".into()));
    changed(&store, &here, change).await;
}

async fn who_has_neither_address_nor_name_stays_in_its_namespace<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut change = UserChange::default();
    change.email = Some(None);
    let ada = ok(store.create_user(inside(new(ADA), "admins")).await);
    let bare = changed(&store, &ada, change).await;
    let back = changed(&store, &bare, to_address(ADA)).await;
    let found = ok(store.find_user_by(&email("admins", ADA)).await);
    assert_same(found, &back, "who has neither address nor name stays in its namespace");
}

async fn who_is_gone_is_not_changed<U: Account>(store: impl UserStore<U>, new: &impl Fn(&str) -> NewUser<U::Profile>) {
    let ada = ok(store.create_user(new(ADA)).await);
    ok(store.delete_user(&ada.user.id()).await);
    let rule = "who is gone is not changed, and does not come back";
    assert!(ok(store.update_user(&ada, to_address("eve@example.com")).await).is_none(), "{rule}");
    assert!(ok(store.find_user(&ada.user.id()).await).is_none(), "{rule}");
    assert!(ok(store.find_user_by(&email("", "eve@example.com")).await).is_none(), "{rule}");
}

#[track_caller]
fn assert_taken<U>(answer: Result<Option<StoredUser<U>>, CreateUserError>, kind: IdentifierKind) {
    match answer {
        Ok(_) => panic!("a change to the {kind} in use must be refused"),
        Err(CreateUserError::Taken(named)) => assert_eq!(named, kind, "the error names the identifier that is in use"),
        Err(error) => panic!("a change to the {kind} in use must be refused as taken, but: {error}"),
    }
}
