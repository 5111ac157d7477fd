//! The rules of `UserStore::find_users` and `count_users`, for stores that have them.
//!
//! What is expected is what `Where::matches` and `UserQuery::compare` say of every user's JSON. For
//! the built-in user there is also a table of what that must be.

use std::fmt::Debug;

use gatekit_core::{
    Account, Filter, NewUser, Order, StoreError, Test, UserId, UserOperation, UserQuery, UserStore, Where,
};
use serde_json::{Value, json};

use super::rules::{Identifiers, TEXTS, ok, rules};
use super::users::ADA;

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
    if !make().await.supports(UserOperation::Find) {
        rules!(make; a_store_that_cannot_search_says_so(new));
        return;
    }
    rules!(make;
        nobody_is_found_where_nobody_is(),
        everybody_is_found_in_the_order_of_ids(identifiers, new),
        a_condition_finds_those_for_whom_it_holds(identifiers, new),
        an_order_is_kept_and_equals_come_by_id(identifiers, new),
        a_part_is_as_long_as_asked_and_begins_where_asked(identifiers, new),
        any_query_finds_what_its_definition_says(identifiers, new),
        a_condition_may_be_long(identifiers, new),
        names_and_values_are_only_compared(identifiers, new),
        addresses_are_found_byte_for_byte(new),
        who_is_removed_is_not_found(new),
    );
}

async fn a_store_that_cannot_search_says_so<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    ok(store.create_user(new(ADA)).await);
    let rule = "what a store does not support is refused as such, and never taken for nobody";
    assert!(matches!(store.find_users(&UserQuery::default()).await, Err(StoreError::Unsupported(_))), "{rule}");
    assert!(matches!(store.count_users(&Where::default()).await, Err(StoreError::Unsupported(_))), "{rule}");
}

/// A user as it was stored, and as JSON.
struct Known<U> {
    user: U,
    json: Value,
}

/// Email, username, realm, whether the address is verified.
type Person = (Option<&'static str>, Option<&'static str>, Option<&'static str>, Option<bool>);

const PEOPLE: [Person; 14] = [
    (Some("ada@example.com"), Some("ada"), Some("a"), Some(true)),
    (Some("Ada@example.com"), Some("Ada"), Some("a"), Some(false)),
    (Some("bob@example.com"), Some("10"), None, None),
    (Some("carl%x@example.com"), Some("9"), Some("b"), Some(true)),
    (Some("carl_x@example.com"), None, Some(""), None),
    (Some("carl-x@example.com"), Some("carl"), Some("A"), None),
    (Some("\u{e9}va@example.com"), Some("\u{c9}va"), Some("b"), Some(false)),
    (Some("e\u{301}va@example.com"), Some("\u{ffff}"), None, Some(true)),
    (Some("zo\u{eb}@example.com"), Some("\u{1f600}"), Some("c"), None),
    (None, Some("nomail"), Some("a"), None),
    (Some("o'brien\"; DROP TABLE users; --@example.com"), Some("' OR '1'='1"), Some("null"), None),
    (Some("x@example.com"), Some("true"), Some("1"), Some(false)),
    (Some("y@example.com"), Some("010"), Some("%"), None),
    (Some("zed@example.com"), None, None, Some(true)),
];

/// Stores the people, as far as the store has what they have.
async fn populate<U: Account>(
    store: &impl UserStore<U>,
    identifiers: Identifiers,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) -> Vec<Known<U>> {
    let mut known = Vec::new();
    for (n, (email, username, realm, verified)) in PEOPLE.into_iter().enumerate() {
        let mut user = new(email.unwrap_or(&format!("nobody{n}@example.com")));
        if identifiers.usernames {
            user.username = username.map(str::to_owned);
            if email.is_none() {
                user.email = None;
            }
        }
        user.realm = realm.map(str::to_owned);
        user.email_verified = verified;
        let user = ok(store.create_user(user).await).user;
        let json = serde_json::to_value(&user).expect("a user is written as JSON");
        known.push(Known { user, json });
    }
    known
}

fn query(condition: Where) -> UserQuery {
    let mut query = UserQuery::default();
    query.condition = condition;
    query
}

fn read(filter: &Value) -> UserQuery {
    Filter::from_json(filter).unwrap_or_else(|error| panic!("{filter}: {error}")).query
}

/// Asks the store and compares with what the definition says.
async fn check<U: Account>(store: &impl UserStore<U>, known: &[Known<U>], query: &UserQuery, what: impl Debug) {
    let mut expected: Vec<&Known<U>> = known.iter().filter(|known| query.condition.matches(&known.json)).collect();
    let count = ok(store.count_users(&query.condition).await);
    assert_eq!(count, expected.len() as u64, "a condition counts those for whom it holds: {what:?}");

    expected.sort_by(|a, b| query.compare(&a.json, &b.json).then_with(|| a.user.id().cmp(&b.user.id())));
    let skip = usize::try_from(query.skip).unwrap_or(usize::MAX);
    let limit = query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let expected: Vec<&Value> = expected.into_iter().skip(skip).take(limit).map(|known| &known.json).collect();
    let json = |users: Vec<U>| -> Vec<Value> {
        users.iter().map(|user| serde_json::to_value(user).expect("a user is written as JSON")).collect()
    };
    let found = json(ok(store.find_users(query).await));
    assert_eq!(found.iter().collect::<Vec<_>>(), expected, "a query finds what its definition says: {what:?}");
    assert_eq!(json(in_pages(store, query).await), found, "the pages together are what the query finds: {what:?}");
}

/// What a query finds, a page at a time.
async fn in_pages<U: Account>(store: &impl UserStore<U>, query: &UserQuery) -> Vec<U> {
    let mut page = ok(store.find_users_page(query, None).await);
    let mut users = page.users;
    while let Some(next) = page.next {
        page = ok(store.find_users_page(query, Some(next)).await);
        users.append(&mut page.users);
    }
    users
}

async fn nobody_is_found_where_nobody_is<U: Account>(store: impl UserStore<U>) {
    assert_eq!(ok(store.count_users(&Where::default()).await), 0, "there is nobody");
    assert!(ok(store.find_users(&UserQuery::default()).await).is_empty(), "there is nobody");
}

async fn everybody_is_found_in_the_order_of_ids<U: Account>(
    store: impl UserStore<U>,
    identifiers: Identifiers,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let known = populate(&store, identifiers, new).await;
    let mut ids: Vec<UserId> = known.iter().map(|known| known.user.id()).collect();
    ids.sort();
    let found = ok(store.find_users(&UserQuery::default()).await);
    assert_eq!(found.iter().map(Account::id).collect::<Vec<_>>(), ids, "the empty query finds everybody, by id");
    check(&store, &known, &UserQuery::default(), "everybody").await;
}

/// Filters, and the places in `PEOPLE` of those they find, if users have the members of the
/// built-in type.
fn table() -> Vec<(Value, Vec<usize>)> {
    let all = || (0..PEOPLE.len()).collect::<Vec<_>>();
    let but = |places: &[usize]| all().into_iter().filter(|place| !places.contains(place)).collect::<Vec<_>>();
    let cases = [
        (json!({ "email": "ada@example.com" }), vec![0]),
        (json!({ "email": "ADA@EXAMPLE.COM" }), vec![]),
        (json!({ "email": "\u{e9}va@example.com" }), vec![6]),
        (json!({ "email": "" }), vec![]),
        (json!({ "email": null }), vec![9]),
        (json!({ "email": { "neq": null } }), but(&[9])),
        (json!({ "email": { "neq": "ada@example.com" } }), but(&[0])),
        (json!({ "email": { "gt": "y" } }), vec![6, 8, 12, 13]),
        (json!({ "email": { "lt": "a" } }), vec![1]),
        (json!({ "email": { "lte": "Ada@example.com" } }), vec![1]),
        (json!({ "email": { "between": ["x@example.com", "zed@example.com"] } }), vec![11, 12, 13]),
        (json!({ "email": { "inq": ["ada@example.com", "x@example.com", "no", null] } }), vec![0, 9, 11]),
        (json!({ "email": { "inq": [] } }), vec![]),
        (json!({ "email": { "nin": [] } }), all()),
        (json!({ "email": { "nin": ["ada@example.com"] } }), but(&[0])),
        (json!({ "email": { "nin": ["ada@example.com", null] } }), but(&[0, 9])),
        (json!({ "email": { "inq": [null] } }), vec![9]),
        (json!({ "email": { "nin": [null] } }), but(&[9])),
        (json!({ "email": { "gte": null } }), vec![9]),
        (json!({ "email": { "gt": null } }), vec![]),
        (json!({ "email": { "between": [null, null] } }), vec![9]),
        (json!({ "email": { "between": ["a", null] } }), vec![]),
        (json!({ "email": { "like": "carl\\%x" } }), vec![3]),
        (json!({ "email": { "like": "carl_x" } }), vec![3, 4, 5]),
        (json!({ "email": { "like": "l\\_x@" } }), vec![4]),
        (json!({ "email": { "ilike": "ADA@%COM" } }), vec![0, 1]),
        (json!({ "email": { "like": "%" } }), but(&[9])),
        (json!({ "email": { "nlike": "example" } }), vec![9]),
        (json!({ "email": { "nilike": "EXAMPLE" } }), vec![9]),
        (json!({ "username": { "ilike": "\u{e9}VA" } }), vec![6]),
        (json!({ "username": 10 }), vec![2]),
        (json!({ "username": "10" }), vec![2]),
        (json!({ "username": 10.0 }), vec![2]),
        (json!({ "username": { "gt": 9 } }), vec![0, 1, 5, 6, 7, 8, 9, 11]),
        (json!({ "username": true }), vec![11]),
        (json!({ "username": { "gte": "\u{ffff}" } }), vec![7, 8]),
        (json!({ "username": { "gt": "\u{ffff}" } }), vec![8]),
        (json!({ "username": null }), vec![4, 13]),
        (json!({ "username": { "inq": [9, "ada", null] } }), vec![0, 3, 4, 13]),
        (json!({ "realm": "" }), vec![4]),
        (json!({ "realm": "null" }), vec![10]),
        (json!({ "realm": null }), vec![2, 7, 13]),
        (json!({ "realm": "a" }), vec![0, 1, 9]),
        (json!({ "realm": 1 }), vec![11]),
        (json!({ "realm": { "lt": "a" } }), vec![4, 5, 11, 12]),
        (json!({ "emailVerified": true }), vec![0, 3, 7, 13]),
        (json!({ "emailVerified": "true" }), vec![0, 3, 7, 13]),
        (json!({ "emailVerified": "1" }), vec![0, 3, 7, 13]),
        (json!({ "emailVerified": 1 }), vec![0, 3, 7, 13]),
        (json!({ "emailVerified": "yes" }), vec![0, 3, 7, 13]),
        (json!({ "emailVerified": "false" }), vec![1, 6, 11]),
        (json!({ "emailVerified": 0 }), vec![1, 6, 11]),
        (json!({ "emailVerified": "" }), vec![1, 6, 11]),
        (json!({ "emailVerified": null }), vec![2, 4, 5, 8, 9, 10, 12]),
        (json!({ "emailVerified": { "neq": true } }), but(&[0, 3, 7, 13])),
        (json!({ "emailVerified": { "gt": false } }), vec![0, 3, 7, 13]),
        (json!({ "emailVerified": { "nin": [false, null] } }), vec![0, 3, 7, 13]),
        (json!({ "nothing": null }), all()),
        (json!({ "nothing": { "neq": 1 } }), all()),
        (json!({ "nothing": 1 }), vec![]),
        (json!({ "nothing": { "nlike": "x" } }), all()),
        (json!({ "email.x": null }), all()),
        (json!({ "or": [] }), vec![]),
        (json!({ "and": [] }), all()),
        (json!({ "or": [{}] }), all()),
        (json!({ "or": [{ "realm": "a" }, { "realm": "b" }] }), vec![0, 1, 3, 6, 9]),
        (json!({ "or": [{ "realm": "a" }, { "nothing": 1 }] }), vec![0, 1, 9]),
        (json!({ "and": [{ "realm": "a" }, { "emailVerified": null }] }), vec![9]),
        (json!({ "realm": "a", "email": { "like": "da" } }), vec![0, 1]),
        (
            json!({ "or": [{ "and": [{ "realm": "a" }, { "username": "Ada" }] }, { "email": "x@example.com" }] }),
            vec![1, 11],
        ),
        (
            json!({ "and": [{ "or": [{ "realm": "a" }, { "realm": null }] }, { "emailVerified": true }] }),
            vec![0, 7, 13],
        ),
        (json!({ "username": { "gt": "a", "lt": "b" } }), vec![0]),
    ];
    cases.into_iter().collect()
}

async fn a_condition_finds_those_for_whom_it_holds<U: Account>(
    store: impl UserStore<U>,
    identifiers: Identifiers,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let known = populate(&store, identifiers, new).await;
    for (condition, places) in table() {
        let asked = query(read(&json!({ "where": condition })).condition);
        check(&store, &known, &asked, &condition).await;
        if is_built_in(&known) {
            let holds = |place: &usize| known.get(*place).is_some_and(|known| asked.condition.matches(&known.json));
            let expected: Vec<usize> = (0..known.len()).filter(holds).collect();
            assert_eq!(expected, places, "a condition holds for those it should: {condition}");
        }
    }
    for (n, one) in known.iter().enumerate() {
        let id = serde_json::to_value(one.user.id()).expect("an id is written as JSON");
        let text = Value::from(one.user.id().to_string());
        for test in [json!(id), json!(text), json!({ "inq": [text, "x"] }), json!({ "neq": id }), json!({ "gt": text })]
        {
            let asked = query(read(&json!({ "where": { "id": test } })).condition);
            check(&store, &known, &asked, (n, &test)).await;
        }
    }
    for odd in [json!("01"), json!(1.5), json!(""), json!(u64::MAX), json!("1e0"), json!(true), json!("9".repeat(40))] {
        for test in [json!(odd), json!({ "gt": odd }), json!({ "neq": odd }), json!({ "nin": [odd, 2] })] {
            check(&store, &known, &query(read(&json!({ "where": { "id": test } })).condition), &test).await;
        }
    }
}

/// Whether users have the members of the built-in type, with what was given for them.
fn is_built_in<U>(known: &[Known<U>]) -> bool {
    known.iter().zip(PEOPLE).all(|(Known { json, .. }, (email, username, realm, verified))| {
        let text = |name: &str, expected: Option<&str>| json.get(name).and_then(Value::as_str) == expected;
        text("email", email)
            && text("username", username)
            && text("realm", realm)
            && json.get("emailVerified").and_then(Value::as_bool) == verified
            && json.get("nothing").is_none()
    })
}

async fn an_order_is_kept_and_equals_come_by_id<U: Account>(
    store: impl UserStore<U>,
    identifiers: Identifiers,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let known = populate(&store, identifiers, new).await;
    let mut names = vec!["nothing".to_owned(), "email.x".to_owned()];
    names.extend(known.iter().flat_map(|known| paths(&known.json)).map(|(path, _)| path));
    names.sort();
    names.dedup();
    for first in &names {
        for order in [json!([first]), json!([format!("{first} DESC")]), json!([first, "id DESC"])] {
            check(&store, &known, &read(&json!({ "order": order })), &order).await;
        }
        for second in ["realm", "emailVerified DESC", "nothing"] {
            let filter = json!({ "order": [second, first], "where": { "email": { "neq": "x" } }, "limit": 5 });
            check(&store, &known, &read(&filter), &filter).await;
        }
    }
    if is_built_in(&known) {
        let username = |place: Option<&U>| place.and_then(Account::username).map(str::to_owned);
        let found = ok(store.find_users(&read(&json!({ "order": "username DESC", "limit": 3 }))).await);
        assert_eq!(username(found.first()).as_deref(), Some("\u{1f600}"), "texts come by their characters");
        assert_eq!(username(found.get(2)).as_deref(), Some("\u{c9}va"), "texts come by their characters");
        let found = ok(store.find_users(&read(&json!({ "order": "username", "limit": 3 }))).await);
        let names: Vec<_> = found.iter().map(Account::username).collect();
        assert_eq!(names, [None, None, Some("' OR '1'='1")], "what is not set comes first");
    }
}

async fn a_part_is_as_long_as_asked_and_begins_where_asked<U: Account>(
    store: impl UserStore<U>,
    identifiers: Identifiers,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let known = populate(&store, identifiers, new).await;
    let conditions = [json!({}), json!({ "email": { "like": "e" } })];
    let orders = [json!([]), json!("id DESC"), json!("email"), json!("nothing")];
    for (condition, order) in conditions.iter().flat_map(|condition| orders.iter().map(move |order| (condition, order)))
    {
        let mut query = read(&json!({ "where": condition, "order": order }));
        for limit in [None, Some(0), Some(3), Some(14), Some(u64::MAX)] {
            for skip in [0, 5, 13, 14, u64::MAX] {
                query.limit = limit;
                query.skip = skip;
                check(&store, &known, &query, &query).await;
            }
        }
    }
}

async fn any_query_finds_what_its_definition_says<U: Account>(
    store: impl UserStore<U>,
    identifiers: Identifiers,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let known = populate(&store, identifiers, new).await;
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let members: Vec<(String, Value)> = known.iter().flat_map(|known| paths(&known.json)).collect();
    for n in 0..250 {
        let mut query = query(dice.condition(&members, 0));
        for _ in 0..dice.below(3) {
            query.order.push(Order { property: dice.property(&members), descending: dice.below(2) == 0 });
        }
        query.limit = (dice.below(3) == 0).then(|| dice.below(10) as u64);
        query.skip = if dice.below(4) == 0 { dice.below(6) as u64 } else { 0 };
        check(&store, &known, &query, (n, &query)).await;
    }
}

async fn a_condition_may_be_long<U: Account>(
    store: impl UserStore<U>,
    identifiers: Identifiers,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let known = populate(&store, identifiers, new).await;
    let is = |property: &str, test: Test| Where::Is { property: property.to_owned(), test };
    let texts = |count: usize| (0..count).map(|n| json!(format!("{n}@example.com"))).chain([json!("x@example.com")]);
    let each = texts(1500).map(|text| is("email", Test::Eq(text)));
    let nested = (0..200).fold(is("realm", Test::Eq(json!("a"))), |inner, n| {
        if n % 2 == 0 { Where::And(vec![inner, is("email", Test::Neq(json!("x")))]) } else { Where::Or(vec![inner]) }
    });
    for (what, condition) in [
        ("a list", is("email", Test::Inq(texts(33_000).collect()))),
        ("a list of others", is("email", Test::Nin(texts(2000).collect()))),
        ("several lists", Where::And(vec![is("email", Test::Inq(texts(700).collect())); 3])),
        ("any of many", Where::Or(each.collect())),
        ("all of many", Where::And(texts(1500).map(|text| is("realm", Test::Neq(text))).collect())),
        ("nested", nested),
    ] {
        check(&store, &known, &query(condition), what).await;
    }
}

async fn names_and_values_are_only_compared<U: Account>(
    store: impl UserStore<U>,
    identifiers: Identifiers,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let known = populate(&store, identifiers, new).await;
    let texts = [
        "1=1; --",
        "email",
        "' OR '1'='1",
        "\"; DROP TABLE users; --",
        "email) OR (1=1",
        "id DESC",
        "id`",
        "$.city",
        "profile",
        "rev",
        "namespace",
        "created",
        "?",
        ":1",
        "NULL",
        "\0",
        "email\0",
        "{\"$gt\":\"\"}",
        "..",
        "",
    ];
    for text in texts {
        for condition in [
            json!({ text: { "neq": "x" } }),
            json!({ text: null }),
            json!({ text: "1" }),
            json!({ "email": text }),
            json!({ "email": { "neq": text } }),
            json!({ "realm": { "inq": [text, "a"] } }),
            json!({ "username": { "nin": [text] } }),
            json!({ "email": { "nilike": text } }),
            json!({ "id": { "neq": text } }),
        ] {
            check(&store, &known, &query(read(&json!({ "where": condition })).condition), &condition).await;
        }
        let mut ordered = UserQuery::default();
        ordered.order = vec![Order { property: text.to_owned(), descending: true }];
        check(&store, &known, &ordered, text).await;
    }
}

async fn addresses_are_found_byte_for_byte<U: Account>(
    store: impl UserStore<U>,
    new: &impl Fn(&str) -> NewUser<U::Profile>,
) {
    let mut known = Vec::new();
    for text in TEXTS {
        let user = ok(store.create_user(new(text)).await).user;
        let json = serde_json::to_value(&user).expect("a user is written as JSON");
        known.push(Known { user, json });
    }
    for text in TEXTS {
        for test in [
            json!(text),
            json!({ "gt": text }),
            json!({ "lte": text }),
            json!({ "like": text }),
            json!({ "nin": [text] }),
        ] {
            check(&store, &known, &query(read(&json!({ "where": { "email": test } })).condition), &test).await;
        }
    }
    check(&store, &known, &read(&json!({ "order": "email DESC" })), "ordered").await;
}

async fn who_is_removed_is_not_found<U: Account>(store: impl UserStore<U>, new: &impl Fn(&str) -> NewUser<U::Profile>) {
    let ada = ok(store.create_user(new("ada@example.com")).await).user;
    let bob = ok(store.create_user(new("bob@example.com")).await).user;
    if !store.supports(UserOperation::Delete) {
        return;
    }
    assert!(ok(store.delete_user(&ada.id()).await), "a user is removed");
    let found = ok(store.find_users(&UserQuery::default()).await);
    assert_eq!(found.iter().map(Account::id).collect::<Vec<_>>(), [bob.id()], "who is removed is not found");
    assert_eq!(ok(store.count_users(&Where::default()).await), 1, "who is removed is not counted");
}

/// The members of an object with their values, and those of members and elements.
fn paths(object: &Value) -> Vec<(String, Value)> {
    let inner: Vec<(String, &Value)> = match object {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(elements) => elements.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
        _ => return Vec::new(),
    };
    let mut all = Vec::new();
    for (name, value) in inner {
        all.extend(paths(value).into_iter().map(|(path, value)| (format!("{name}.{path}"), value)));
        all.push((name, value.clone()));
    }
    all
}

/// Xorshift: the same throws in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % end.max(1)
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }

    fn property(&mut self, members: &[(String, Value)]) -> String {
        match self.below(12) {
            0 => "nothing".to_owned(),
            1 => "email.nothing".to_owned(),
            2 => "rev".to_owned(),
            _ => self.one(members).map(|(path, _)| path.clone()).unwrap_or_default(),
        }
    }

    fn value(&mut self, members: &[(String, Value)]) -> Value {
        let others = [
            json!(null),
            json!(true),
            json!(0),
            json!(2),
            json!("2"),
            json!(-1.5),
            json!("a"),
            json!(""),
            json!("true"),
        ];
        match (self.below(4), self.one(members)) {
            (0, Some((_, Value::Number(number)))) => Value::from(number.to_string()),
            (0, Some((_, Value::String(text)))) => Value::from(text.to_uppercase()),
            (1, _) | (_, None) => self.one(&others).cloned().unwrap_or_default(),
            (_, Some((_, value))) => value.clone(),
        }
    }

    fn values(&mut self, members: &[(String, Value)]) -> Vec<Value> {
        (0..self.below(5)).map(|_| self.value(members)).collect()
    }

    fn pattern(&mut self, members: &[(String, Value)]) -> String {
        let text = self.value(members).as_str().unwrap_or("1").to_owned();
        let wild = self.below(4);
        text.chars()
            .map(|char| if self.below(6) < wild { *self.one(&['%', '_', 'A']).unwrap_or(&'%') } else { char })
            .collect()
    }

    fn condition(&mut self, members: &[(String, Value)], depth: usize) -> Where {
        let several = |dice: &mut Self| (0..dice.below(4)).map(|_| dice.condition(members, depth + 1)).collect();
        match self.below(8) {
            0 | 1 if depth < 3 => Where::And(several(self)),
            2 | 3 if depth < 3 => Where::Or(several(self)),
            _ => {
                let (property, value) = match self.below(3) {
                    // A value that the member has somewhere.
                    0 | 1 => self.one(members).cloned().unwrap_or_default(),
                    _ => (self.property(members), self.value(members)),
                };
                Where::Is { property, test: self.test(value, members) }
            }
        }
    }

    fn test(&mut self, value: Value, members: &[(String, Value)]) -> Test {
        match self.below(14) {
            0 | 1 => Test::Eq(value),
            2 => Test::Neq(value),
            3 => Test::Gt(value),
            4 => Test::Gte(value),
            5 => Test::Lt(value),
            6 => Test::Lte(value),
            7 => Test::Between(value, self.value(members)),
            8 => Test::Inq(self.values(members).into_iter().chain([value]).collect()),
            9 => Test::Nin(self.values(members)),
            10 => Test::Like(self.pattern(members)),
            11 => Test::Nlike(self.pattern(members)),
            12 => Test::Ilike(self.pattern(members)),
            _ => Test::Nilike(self.pattern(members)),
        }
    }
}
