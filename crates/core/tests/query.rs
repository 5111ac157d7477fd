//! How a client's filter is read, and for whom its condition holds.
//!
//! The tables were measured: LoopBack 3.28.0 with its memory connector has answered each of these
//! filters over the same five users.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::cmp::Ordering;

use gatekit_core::{Fields, Filter, FilterError, FlowError, Order, Test, UserQuery, Where};
use serde_json::{Map, Value, json};

fn people() -> Vec<Value> {
    vec![
        json!({
            "realm": "a", "username": "Ada", "email": "ada@example.com", "emailVerified": true, "id": 1,
            "age": 36, "city": "London", "tags": ["math", "poet"], "address": { "city": "London", "zip": "1" },
        }),
        json!({
            "realm": "b", "username": "bob", "email": "Bob@Example.com", "emailVerified": false, "id": 2,
            "age": "36", "city": "Ulm", "tags": [], "address": { "city": "Ulm" },
        }),
        json!({ "email": "carl@example.com", "id": 3, "age": 7, "active": true, "city": null }),
        json!({
            "realm": "a", "username": "10", "email": "dora_x@example.com", "id": 4,
            "age": "070", "active": "true", "tags": ["poet"], "score": 1.5,
        }),
        json!({
            "username": "9", "email": "e%f@example.org", "emailVerified": true, "id": 5,
            "city": "ulm", "friends": [{ "name": "ada", "age": 1 }, { "name": "bob" }], "score": -2,
        }),
    ]
}

fn found(filter: &Value) -> Vec<i64> {
    let filter = Filter::from_json(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    filter.query.select(people()).iter().map(|user| user["id"].as_i64().unwrap()).collect()
}

/// A filter and the ids it finds, or whatever stands behind the arrow.
fn lines(table: &str) -> impl Iterator<Item = (Value, &str)> {
    table.lines().filter(|line| !line.is_empty()).map(|line| {
        let (filter, behind) = line.split_once(" ->").unwrap();
        (serde_json::from_str(filter).unwrap(), behind.trim())
    })
}

fn ids(text: &str) -> Vec<i64> {
    text.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

const SAME: &str = r#"
{} -> 1 2 3 4 5
{"where":{"id":"2"}} -> 2
{"where":{"id":2}} -> 2
{"where":{"id":"02"}} -> 2
{"where":{"id":"abc"}} ->
{"where":{"id":{"neq":"abc"}}} -> 1 2 3 4 5
{"where":{"id":true}} -> 1
{"where":{"id":null}} ->
{"where":{"id":""}} ->
{"where":{"id":{"inq":["1","3",9]}}} -> 1 3
{"where":{"id":{"inq":[]}}} ->
{"where":{"id":{"nin":[]}}} -> 1 2 3 4 5
{"where":{"id":{"nin":["1"]}}} -> 2 3 4 5
{"where":{"id":{"inq":{"0":"1","1":2}}}} -> 1 2
{"where":{"id":{"between":[2,4]}}} -> 2 3 4
{"where":{"id":{"between":["2","3"]}}} -> 2 3
{"where":{"emailVerified":"true"}} -> 1 5
{"where":{"emailVerified":"false"}} -> 2
{"where":{"emailVerified":"1"}} -> 1 5
{"where":{"emailVerified":1}} -> 1 5
{"where":{"emailVerified":"yes"}} -> 1 5
{"where":{"emailVerified":null}} -> 3 4
{"where":{"emailVerified":{"neq":true}}} -> 2 3 4
{"where":{"emailVerified":{"neq":null}}} -> 1 2 5
{"where":{"emailVerified":{"gte":null}}} -> 3 4
{"where":{"emailVerified":{"gt":false}}} -> 1 5
{"where":{"username":10}} -> 4
{"where":{"username":{"gt":"9"}}} -> 1 2
{"where":{"username":{"gt":9}}} -> 1 2
{"where":{"username":{"lt":"b"}}} -> 1 4 5
{"where":{"username":{"nin":["bob",null]}}} -> 1 4 5
{"where":{"username":{"inq":["bob",null]}}} -> 2 3
{"where":{"username":{"nin":["bob"]}}} -> 1 3 4 5
{"where":{"username":{"between":[null,null]}}} -> 3
{"where":{"username":{"between":["A",null]}}} ->
{"where":{"age":36}} -> 1 2
{"where":{"age":"36"}} -> 1 2
{"where":{"age":"070"}} -> 4
{"where":{"age":{"gt":"20"}}} -> 1 2
{"where":{"active":1}} -> 3
{"where":{"age":{"neq":36}}} -> 3 4 5
{"where":{"tags":"poet"}} -> 1 4
{"where":{"tags":{"neq":"poet"}}} -> 1 2 3 5
{"where":{"tags":{"inq":["math"]}}} -> 1
{"where":{"tags":{"nin":["math"]}}} -> 1 3 4 5
{"where":{"tags":{"like":"mat"}}} -> 1
{"where":{"address.city":"Ulm"}} -> 2
{"where":{"address.zip":null}} -> 2 3 4 5
{"where":{"address.zip":{"neq":"1"}}} -> 2 3 4 5
{"where":{"friends.name":"bob"}} -> 5
{"where":{"friends.age":{"gt":0}}} -> 5
{"where":{"friends.1.name":"bob"}} -> 5
{"where":{"friends.age":null}} -> 1 2 3 4 5
{"where":{"friends.name":{"neq":"ada"}}} -> 1 2 3 4 5
{"where":{"city":{"like":"L%"}}} -> 1
{"where":{"city":{"nlike":"L%"}}} -> 2 3 4 5
{"where":{"city":{"ilike":"ulm"}}} -> 2 5
{"where":{"city":{"nilike":"ulm"}}} -> 1 3 4
{"where":{"age":{"like":"6"}}} -> 1 2
{"where":{"email":{"like":"a_x"}}} -> 4
{"where":{"email":{"like":""}}} ->
{"where":{"email":{"like":"("}}} ->
{"where":{"email":{"eq":"ada@example.com"}}} -> 1
{"where":{"and":[{"id":1},{"username":"Ada"}]}} -> 1
{"where":{"or":[{"id":1},{"id":"2"}]}} -> 1 2
{"where":{"or":[]}} ->
{"where":{"and":[]}} -> 1 2 3 4 5
{"where":{"and":{"0":{"id":1}}}} -> 1
{"where":{"or":[{}]}} -> 1 2 3 4 5
{"where":{"or":[{"id":1},{"id":2}],"username":"bob"}} -> 2
{"where":{"city":null}} -> 3 4
{"where":{"city":{"neq":null}}} -> 1 2 5
{"where":{"nothing":null}} -> 1 2 3 4 5
{"where":{"nothing":{"neq":1}}} -> 1 2 3 4 5
{"where":{"nothing":{"lt":5}}} ->
{"where":{"nothing":{"nin":[1]}}} -> 1 2 3 4 5
{"order":"id DESC"} -> 5 4 3 2 1
{"order":"id desc"} -> 5 4 3 2 1
{"order":"username"} -> 3 4 5 1 2
{"order":"username DESC"} -> 2 1 5 4 3
{"order":["realm ASC","id DESC"]} -> 5 3 4 1 2
{"order":"realm , id DESC"} -> 5 3 4 1 2
{"order":""} -> 1 2 3 4 5
{"order":"age"} -> 5 3 1 4 2
{"order":"emailVerified"} -> 3 4 2 1 5
{"order":"address.city"} -> 3 4 5 1 2
{"order":"score"} -> 1 2 3 5 4
{"order":["score","id DESC"]} -> 3 2 1 5 4
{"order":"nothing DESC"} -> 1 2 3 4 5
{"limit":2} -> 1 2
{"limit":"2"} -> 1 2
{"limit":0} -> 1 2 3 4 5
{"limit":null} -> 1 2 3 4 5
{"limit":1e+300} -> 1 2 3 4 5
{"skip":3} -> 4 5
{"offset":3} -> 4 5
{"skip":1,"offset":3} -> 2 3 4 5
{"skip":0,"limit":1} -> 1
{"limit":2,"skip":1} -> 2 3
{"skip":99} ->
{"limit":" 2 "} -> 1 2
{"limit":""} -> 1 2 3 4 5
{"fields":"","limit":1} -> 1
{"include":"accessTokens"} -> 1 2 3 4 5
{"include":["accessTokens"]} -> 1 2 3 4 5
{"include":{"relation":"accessTokens"}} -> 1 2 3 4 5
{"include":{"accessTokens":"user"}} -> 1 2 3 4 5
{"include":{"relation":"accessTokens","scope":{"where":{"ttl":1}}}} -> 1 2 3 4 5
{"include":""} -> 1 2 3 4 5
{"include":[]} -> 1 2 3 4 5
{"include":null} -> 1 2 3 4 5
{"include":{}} -> 1 2 3 4 5
"#;

#[test]
fn a_filter_finds_whom_loopbacks_memory_connector_finds() {
    assert_eq!(lines(SAME).count(), 112);
    for (filter, expected) in lines(SAME) {
        assert_eq!(found(&filter), ids(expected), "{filter}");
    }
}

/// Behind the arrow LoopBack's ids, then ours.
const OTHERWISE: &str = r#"
{"where":{"id":{"gt":2,"lt":4}}} -> 3 4 5 | 3
{"where":{"age":{"gt":2,"lt":8}}} -> 1 2 3 4 | 2 3
{"where":{"age":70}} -> 4 |
{"where":{"age":{"gt":20}}} -> 1 2 4 | 1 2
{"where":{"active":true}} -> 3 | 3 4
{"where":{"active":"true"}} -> 4 | 3 4
{"where":{"active":{"neq":true}}} -> 1 2 4 5 | 1 2 5
{"where":{"city":{"like":"l"}}} -> 2 3 5 | 2 5
{"where":{"city":{"like":"%l_"}}} -> 2 3 5 | 2 5
{"where":{"city":{"like":"%"}}} -> 1 2 3 4 5 | 1 2 5
{"where":{"city":{"like":"undef"}}} -> 4 |
{"where":{"email":{"like":"ada.example"}}} -> 1 |
{"where":{"city":{"eq":"Ulm"}}} -> | 2
{"order":"city"} -> 4 1 2 3 5 | 3 4 1 2 5
{"order":"city DESC"} -> 2 1 3 5 4 | 5 2 1 3 4
"#;

/// Several operators all count, every member is compared as what it is (as LoopBack does for
/// declared properties only), what is not set matches no pattern, a pattern is no regular
/// expression, `eq` is known for every member, and `null` comes where absent members come.
#[test]
fn where_a_filter_finds_others_than_in_loopback_it_is_on_purpose() {
    for (filter, expected) in lines(OTHERWISE) {
        let (loopback, ours) = expected.split_once('|').unwrap();
        assert_ne!(loopback.trim(), ours.trim(), "{filter}");
        assert_eq!(found(&filter), ids(ours), "{filter}");
    }
}

const WRONG: &str = r#"
"x" -> The query filter "x" is not an object
[] -> The query filter [] is not an object
5 -> The query filter 5 is not an object
{"where":"x"} -> The where clause "x" is not an object
{"where":""} -> The where clause "" is not an object
{"where":"{}"} -> The where clause "{}" is not an object
{"where":[]} -> The where clause [] is not an object
{"where":5} -> The where clause 5 is not an object
{"where":{"or":["x"]}} -> The where clause "x" is not an object
{"where":{"or":[null]}} -> The where clause null is not an object
{"where":{"and":{}}} -> The and operator has invalid clauses {}: Value is not an array or object with sequential numeric indices
{"where":{"and":{"id":1}}} -> The and operator has invalid clauses {"id":1}: Value is not an array or object with sequential numeric indices
{"where":{"and":"x"}} -> The and operator has invalid clauses "x": Value is not an array or object with sequential numeric indices
{"where":{"or":null}} -> The or operator has invalid clauses null: Value is not an array or object with sequential numeric indices
{"where":{"or":{"1":{"id":1}}}} -> The or operator has invalid clauses {"1":{"id":1}}: Value is not an array or object with sequential numeric indices
{"where":{"id":{"inq":"1"}}} -> The id property has invalid clause {"inq":"1"}: Value is not an array or object with sequential numeric indices
{"where":{"id":{"inq":null}}} -> The id property has invalid clause {"inq":null}: Value is not an array or object with sequential numeric indices
{"where":{"id":{"nin":{"1":2}}}} -> The id property has invalid clause {"nin":{"1":2}}: Value is not an array or object with sequential numeric indices
{"where":{"id":{"inq":[[1]]}}} -> The id property has invalid clause {"inq":[[1]]}: Expected a list of texts, numbers, true, false or null
{"where":{"id":{"between":[2]}}} -> The id property has invalid clause {"between":[2]}: Expected precisely 2 values
{"where":{"id":{"between":[2,3,4]}}} -> The id property has invalid clause {"between":[2,3,4]}: Expected precisely 2 values
{"where":{"id":{"gt":[2]}}} -> The id property has invalid clause {"gt":[2]}: Expected one value; several are for inq, nin and between
{"where":{"id":[1,2]}} -> The id property has invalid clause [1,2]: Expected one value; several are for inq, nin and between
{"where":{"nor":[{"id":1}]}} -> The nor property has invalid clause [{"id":1}]: Expected one value; several are for inq, nin and between
{"where":{"id":{}}} -> The id property has invalid clause {}: Expected an operator
{"where":{"email":{"like":5}}} -> The email property has invalid clause {"like":5}: Expected a string
{"limit":"x"} -> The limit parameter "x" is not valid
{"limit":"0"} -> The limit parameter "0" is not valid
{"limit":-1} -> The limit parameter -1 is not valid
{"limit":1.5} -> The limit parameter 1.5 is not valid
{"limit":true} -> The limit parameter true is not valid
{"limit":{"a":1}} -> The limit parameter {"a":1} is not valid
{"limit":"1e"} -> The limit parameter "1e" is not valid
{"limit":"Infinity"} -> The limit parameter "Infinity" is not valid
{"limit":"inf"} -> The limit parameter "inf" is not valid
{"skip":-1} -> The offset/skip parameter -1 is not valid
{"skip":"x"} -> The offset/skip parameter "x" is not valid
{"offset":[]} -> The offset/skip parameter [] is not valid
{"order":"id foo"} -> The order "id foo" has invalid direction
{"order":["id","realm up"]} -> The order "realm up" has invalid direction
{"order":5} -> The order 5 is not valid
{"order":[5]} -> The order 5 is not valid
{"order":{"0":"id DESC"}} -> The order {"0":"id DESC"} is not valid
{"order":"id DESC foo"} -> The order "id DESC foo" has invalid direction
{"include":5} -> Relation 5 is not defined
{"include":[5]} -> Relation 5 is not defined
"#;

#[test]
fn what_cannot_be_read_is_an_error_that_says_what() {
    for (filter, message) in lines(WRONG) {
        match Filter::from_json(&filter) {
            Err(error) => {
                assert_eq!((error.to_string().as_str(), error.code()), (message, "MALFORMED_FILTER"), "{filter}")
            }
            Ok(read) => panic!("{filter} was read as {read:?}"),
        }
    }
}

#[test]
fn an_operator_that_is_not_offered_is_refused_and_never_ignored() {
    for operator in ["regexp", "near", "$gt", "$where", "exists", "options", "password", "EQ", ""] {
        for property in ["email", "id", "city", "a.b"] {
            let error = Filter::from_json(&json!({ "where": { property: { operator: "x" } } })).unwrap_err();
            assert_eq!(error.code(), "OPERATOR_NOT_ALLOWED_IN_QUERY");
            let expected = FilterError::Operator { property: property.into(), operator: operator.into() };
            assert_eq!(error, expected);
            assert!(Filter::from_json(&json!({ "where": { property: { "eq": 1, operator: "x" } } })).is_err());
        }
    }
}

#[test]
fn an_error_repeats_no_more_than_a_hundred_characters_of_the_client() {
    let long = "\u{e9}".repeat(10_000);
    for filter in [
        json!({ "where": { "id": [long.clone()] } }),
        json!({ "where": { "id": { long.clone(): 1 } } }),
        json!({ "where": long.clone() }),
        json!({ "limit": long.clone() }),
        json!({ "order": format!("id {long}") }),
        json!(long.clone()),
    ] {
        let message = Filter::from_json(&filter).unwrap_err().to_string();
        assert!(message.chars().count() < 400, "{message}");
    }
}

#[test]
fn an_empty_filter_is_everything() {
    for filter in [
        json!(null),
        json!({}),
        json!({ "where": null, "order": null, "fields": null, "include": null }),
        json!({ "order": "", "fields": [], "limit": 0, "skip": 0, "offset": null, "include": [] }),
    ] {
        assert_eq!(Filter::from_json(&filter).unwrap(), Filter::default(), "{filter}");
    }
    assert_eq!(found(&json!({ "where": null })), [1, 2, 3, 4, 5]);
}

/// V-51, 15.3.3: a condition on what is never sent would tell it letter by letter, and one that is
/// dropped would make a request about everybody of one about somebody. There is one reader of
/// conditions, so however a name is wrapped it is found.
#[test]
fn a_hidden_name_is_refused_however_it_is_nested() {
    let tests = [json!("x"), json!(null), json!([]), json!({}), json!({ "like": "$2a%" }), json!({ "regexp": "." })];
    let wraps: [fn(Value) -> Value; 9] = [
        |inner| inner,
        |inner| json!({ "and": [inner] }),
        |inner| json!({ "or": [inner] }),
        |inner| json!({ "and": { "0": inner } }),
        |inner| json!({ "or": { "0": { "id": 1 }, "1": inner } }),
        |inner| json!({ "and": [{ "id": 1 }, inner, { "id": 2 }] }),
        |inner| json!({ "id": 1, "or": [{ "id": 1 }, inner] }),
        |inner| json!({ "or": [{ "and": {} }], "and": { "0": inner } }),
        |inner| json!({ "and": [{ "or": { "0": { "and": [inner] } } }] }),
    ];
    for name in ["password", "verificationToken"] {
        for path in
            [name.to_owned(), format!("a.{name}"), format!("{name}.x"), format!("a.0.{name}.b"), format!(".{name}")]
        {
            for test in &tests {
                for outer in wraps {
                    for inner in wraps {
                        let condition = outer(inner(json!({ path.clone(): test })));
                        let error = Where::from_json(&condition).map(|_| ()).unwrap_err();
                        assert!(
                            matches!(error, FilterError::Hidden(_) | FilterError::Clauses { .. }),
                            "{condition}: {error}"
                        );
                        assert!(Filter::from_json(&json!({ "where": condition })).is_err());
                    }
                }
            }
            for order in [json!(path), json!([path, "id"]), json!(format!("id, {path} DESC"))] {
                let error = Filter::from_json(&json!({ "order": order })).unwrap_err();
                assert_eq!((error.clone(), error.code()), (FilterError::Hidden(path.clone()), "INVALID_FILTER"));
            }
        }
        let shown = json!({ "password": "x", "verificationToken": "y", "id": 1 });
        for fields in [json!(name), json!([name]), json!({ name: true }), json!([name, "password"])] {
            assert_eq!(Fields::from_json(&fields).unwrap().apply(shown.clone()), json!({}), "{fields}");
        }
    }
}

/// 15.2.2: a filter with a misspelled member would be one for everybody.
#[test]
fn a_member_that_no_filter_has_is_refused() {
    for name in ["were", "Where", "x", "password", "", "$where"] {
        let error = Filter::from_json(&json!({ name: { "id": 1 }, "limit": 1 })).unwrap_err();
        assert_eq!(error.code(), "INVALID_FILTER", "{error}");
    }
}

/// LOAD-7: each pattern reads the whole of a member.
#[test]
fn a_condition_has_no_more_patterns_than_are_answered() {
    let patterns = |count: usize| json!({ "or": [{ "bio": { "like": "a", "nilike": "b" } }, { "and": vec![json!({ "bio": { "ilike": "%x%" } }); count - 2] }] });
    assert!(Where::from_json(&patterns(Where::MAX_PATTERNS)).is_ok());
    let error = Where::from_json(&patterns(Where::MAX_PATTERNS + 1)).unwrap_err();
    assert_eq!(error, FilterError::TooMany { what: "patterns", max: Where::MAX_PATTERNS });
}

const FIELDS: &str = r#"
"email" -> {"email":"a"}
["id","email"] -> {"email":"a","id":1}
[] -> {"username":"u","email":"a","id":1,"city":null}
{} -> {"username":"u","email":"a","id":1,"city":null}
null -> {"username":"u","email":"a","id":1,"city":null}
"" -> {"username":"u","email":"a","id":1,"city":null}
"nothing" -> {}
"email,id" -> {}
{"email":true} -> {"email":"a"}
{"email":1,"id":"x"} -> {"email":"a","id":1}
{"email":true,"id":false} -> {"email":"a"}
{"email":false} -> {"username":"u","id":1,"city":null}
{"email":0,"city":"","id":null} -> {"username":"u"}
{"email":"false"} -> {"username":"u","id":1,"city":null}
{"email":"0","id":"true"} -> {"id":1}
{"password":false} -> {"username":"u","email":"a","id":1,"city":null}
"#;

#[test]
fn fields_choose_members_and_keep_their_order() {
    for (fields, expected) in lines(FIELDS) {
        let user = json!({ "username": "u", "email": "a", "id": 1, "city": null });
        let sent = Fields::from_json(&fields).unwrap().apply(user);
        assert_eq!(sent.to_string(), expected, "{fields}");
    }
    assert_eq!(Fields::from_json(&json!("id")).unwrap().apply(json!([1])), json!([1]), "what is no object stays");
    for wrong in [json!(5), json!(true), json!([5]), json!(["id", 5, null]), json!([["id"]])] {
        let error = Fields::from_json(&wrong).unwrap_err();
        assert_eq!((error.to_string(), error.code()), (format!("The fields {wrong} are not valid"), "INVALID_FILTER"));
    }
}

#[test]
fn who_skips_and_sets_no_limit_gets_a_hundred() {
    let part = |filter: Value| {
        let query = Filter::from_json(&filter).unwrap().query;
        (query.limit, query.skip)
    };
    assert_eq!(part(json!({ "skip": 3 })), (Some(100), 3));
    assert_eq!(part(json!({ "offset": "3" })), (Some(100), 3));
    assert_eq!(part(json!({ "skip": 1, "offset": 3, "limit": 7 })), (Some(7), 1));
    assert_eq!(part(json!({ "skip": 0, "offset": 0, "limit": 0 })), (None, 0));
    assert_eq!(part(json!({ "limit": 1e300, "skip": "1e300" })), (Some(u64::MAX), u64::MAX));
    assert_eq!(part(json!({ "limit": " 2 " })), (Some(2), 0));
    assert_eq!(part(json!({ "limit": 2.0, "skip": "0x10" })), (Some(2), 16));
}

#[test]
fn an_order_is_read_in_every_form_clients_send() {
    let order = |order: Value| -> Vec<(String, bool)> {
        let query = Filter::from_json(&json!({ "order": order })).unwrap().query;
        query.order.into_iter().map(|Order { property, descending }| (property, descending)).collect()
    };
    let (id, realm) = (("id".to_owned(), true), ("realm".to_owned(), false));
    for both in [
        json!("realm,id DESC"),
        json!("realm ASC , id desc"),
        json!(["realm", "id DESC"]),
        json!([",realm, ,", "id  DESC"]),
    ] {
        assert_eq!(order(both), [realm.clone(), id.clone()]);
    }
    assert_eq!(order(json!(" id DESC")), [id]);
    assert_eq!(order(json!(false)), []);
    assert_eq!(order(json!("")), []);
}

#[test]
fn include_names_relations_in_every_form_clients_send() {
    for (include, names) in [
        (json!("accessTokens"), vec!["accessTokens"]),
        (json!(["accessTokens", "roles"]), vec!["accessTokens", "roles"]),
        (json!({ "relation": "accessTokens", "scope": { "where": { "ttl": 1 } } }), vec!["accessTokens"]),
        (json!({ "rel": "accessTokens" }), vec!["accessTokens"]),
        (json!({ "accessTokens": "user" }), vec!["accessTokens"]),
        (json!([{ "accessTokens": ["user"] }, "roles"]), vec!["accessTokens", "roles"]),
        (json!(""), vec![]),
        (json!(null), vec![]),
        (json!({}), vec![]),
        (json!([null, "", [], {}]), vec![]),
    ] {
        assert_eq!(Filter::from_json(&json!({ "include": include })).unwrap().include, names, "{include}");
    }
    let filter = Filter::from_json(&json!({ "include": ["accessTokens", "bogus"] })).unwrap();
    assert_eq!(filter.check_include(&["accessTokens", "bogus"]), Ok(()));
    let error = filter.check_include(&["accessTokens"]).unwrap_err();
    assert_eq!(error.to_string(), r#"Relation "bogus" is not defined"#);
}

#[test]
fn what_a_query_may_cost_is_limited() {
    fn nested(depth: usize) -> Value {
        (0..depth).fold(json!({ "id": 1 }), |inner, n| {
            if n % 2 == 0 { json!({ "and": [inner] }) } else { json!({ "or": [inner] }) }
        })
    }
    fn numbers(count: usize) -> Value {
        (0..count).collect()
    }
    fn many(name: &str, count: usize, item: &Value) -> Value {
        json!({ name: vec![item.clone(); count] })
    }
    let members =
        |count: usize| -> Value { (0..count).map(|n| (format!("m{n}"), json!(n))).collect::<Map<_, _>>().into() };
    let is_fine = |condition: Value| assert!(Where::from_json(&condition).is_ok());
    let is_too_many = |condition: Value, what: &str| match Where::from_json(&condition) {
        Err(FilterError::TooMany { what: of, .. }) => assert_eq!(of, what),
        other => panic!("{what}: {other:?}"),
    };

    is_fine(nested(Where::MAX_DEPTH));
    let error = Where::from_json(&nested(Where::MAX_DEPTH + 1)).unwrap_err();
    assert_eq!(error.code(), "QUERY_OBJECT_TOO_DEEP");

    is_fine(many("or", Where::MAX_TESTS, &json!({ "id": 1 })));
    is_fine(members(Where::MAX_TESTS));
    is_too_many(members(Where::MAX_TESTS + 1), "conditions");
    is_too_many(many("or", 2, &members(Where::MAX_TESTS / 2 + 1)), "conditions");
    is_too_many(many("or", Where::MAX_TESTS + 1, &json!({})), "clauses");
    is_too_many(many("and", 2, &many("or", Where::MAX_TESTS / 2, &json!({}))), "clauses");

    is_fine(json!({ "id": { "inq": numbers(Where::MAX_VALUES) } }));
    is_too_many(json!({ "id": { "inq": numbers(Where::MAX_VALUES + 1) } }), "values");
    is_too_many(json!({ "id": { "inq": numbers(600) }, "age": { "nin": numbers(600) } }), "values");
    is_too_many(json!({ "id": { "inq": numbers(Where::MAX_VALUES) }, "age": 1 }), "values");

    is_fine(json!({ "email": { "like": "x".repeat(Where::MAX_PATTERN) } }));
    is_too_many(json!({ "email": { "nilike": "x".repeat(Where::MAX_PATTERN + 1) } }), "characters in a pattern");
    is_fine(json!({ "x".repeat(Where::MAX_NAME): 1 }));
    is_too_many(json!({ "x".repeat(Where::MAX_NAME + 1): 1 }), "characters in a name");

    for filter in [
        json!({ "order": "id,".repeat(Filter::MAX_ORDER + 1) }),
        json!({ "order": vec!["id"; Filter::MAX_ORDER + 1] }),
        json!({ "order": "x".repeat(Where::MAX_NAME + 1) }),
        json!({ "fields": vec!["id"; Fields::MAX_NAMES + 1] }),
    ] {
        assert!(matches!(Filter::from_json(&filter), Err(FilterError::TooMany { .. })), "{filter}");
    }
    assert!(Filter::from_json(&json!({ "order": "id,".repeat(Filter::MAX_ORDER) })).is_ok());
    assert!(Filter::from_json(&json!({ "fields": vec!["id"; Fields::MAX_NAMES] })).is_ok());
}

#[test]
fn a_pattern_matches_the_text_or_a_part_of_it() {
    let like = |pattern: &str, text: &str| {
        let user = json!({ "t": text });
        let is = |test: Test| Where::Is { property: "t".into(), test }.matches(&user);
        let like = is(Test::Like(pattern.into()));
        assert_eq!(is(Test::Nlike(pattern.into())), !like, "{pattern} {text}");
        assert_eq!(is(Test::Nilike(pattern.into())), !is(Test::Ilike(pattern.into())), "{pattern} {text}");
        (like, is(Test::Ilike(pattern.into())))
    };
    for (pattern, text, expected, in_any_case) in [
        ("da", "Ada", true, true),
        ("DA", "Ada", false, true),
        ("A%a", "Ada", true, true),
        ("A_a", "Ada", true, true),
        ("A__a", "Ada", false, false),
        ("a%b%c", "xaxbxbxcx", true, true),
        ("a%c%b", "abc", false, false),
        ("%%", "", true, true),
        ("_", "", false, false),
        ("", "Ada", false, false),
        ("", "", false, false),
        ("%aab", "aaaaaaaaab", true, true),
        ("a_c", "a\n c", false, false),
        ("a__c", "a\n c", true, true),
        ("a.c", "abc", false, false),
        ("a.*", "abc", false, false),
        ("(", "f(x)", true, true),
        ("50\\%", "50%", true, true),
        ("50\\%", "500", false, false),
        ("a\\_b", "a_b", true, true),
        ("a\\_b", "axb", false, false),
        ("\\\\", "a\\b", true, true),
        ("\\", "a\\b", true, true),
        ("\u{c4}_", "\u{e4}\u{1f600}", false, true),
    ] {
        assert_eq!(like(pattern, text), (expected, in_any_case), "{pattern:?} {text:?}");
    }
}

/// The pattern that makes a backtracking matcher take exponential time.
#[test]
fn a_pattern_cannot_be_made_expensive() {
    let condition =
        Where::from_json(&json!({ "t": { "like": "%a".repeat(Where::MAX_PATTERN / 2 - 1) + "b" } })).unwrap();
    assert!(!condition.matches(&json!({ "t": "a".repeat(20_000) })));
}

#[test]
fn numbers_are_not_rounded() {
    let user = json!({ "id": 9_007_199_254_740_993_i64, "max": u64::MAX });
    for (condition, expected) in [
        (json!({ "id": 9_007_199_254_740_993_i64 }), true),
        (json!({ "id": "9007199254740993" }), true),
        (json!({ "id": 9_007_199_254_740_992_i64 }), false),
        (json!({ "id": "9007199254740992" }), false),
        (json!({ "id": { "gt": 9_007_199_254_740_992_i64 } }), true),
        (json!({ "id": { "gt": 9_007_199_254_740_992.0 } }), true),
        (json!({ "max": u64::MAX }), true),
        (json!({ "max": u64::MAX - 1 }), false),
        (json!({ "max": { "lt": 1e300 } }), true),
        (json!({ "max": { "lt": "Infinity" } }), true),
        (json!({ "max": { "gt": "-Infinity" } }), true),
        (json!({ "max": { "neq": "NaN" } }), true),
        (json!({ "max": { "gt": "inf" } }), false),
    ] {
        assert_eq!(Where::from_json(&condition).unwrap().matches(&user), expected, "{condition}");
    }
}

/// An id may be a text, as in MongoDB: one that looks like a number is still compared whole.
#[test]
fn a_text_that_looks_like_a_number_is_compared_as_text() {
    let user = json!({ "id": "123456789012345678901234", "n": "02" });
    for (condition, expected) in [
        (json!({ "id": "123456789012345678901234" }), true),
        (json!({ "id": "123456789012345678901235" }), false),
        (json!({ "id": 123_456_789_012_345_678_901_234.0 }), false),
        (json!({ "n": 2 }), false),
        (json!({ "n": "2" }), false),
        (json!({ "n": "02" }), true),
    ] {
        assert_eq!(Where::from_json(&condition).unwrap().matches(&user), expected, "{condition}");
    }
    assert!(Where::from_json(&json!({ "n": 1.5 })).unwrap().matches(&json!({ "n": "1.5" })));
    assert!(Where::from_json(&json!({ "n": 36.0 })).unwrap().matches(&json!({ "n": "36" })), "as JavaScript writes it");
}

#[test]
fn conditions_from_code_can_compare_whole_arrays_and_objects() {
    let is = |test: Test| Where::Is { property: "m".into(), test };
    let (array, object) = (json!({ "m": [1, 2] }), json!({ "m": { "a": 1 } }));
    assert!(is(Test::Eq(json!([1, 2]))).matches(&array));
    assert!(!is(Test::Eq(json!([1]))).matches(&array));
    assert!(is(Test::Neq(json!([1]))).matches(&array));
    assert!(is(Test::Eq(json!({ "a": 1 }))).matches(&object));
    assert!(!is(Test::Eq(json!({ "a": 2 }))).matches(&object));
    assert!(!is(Test::Gte(json!({ "a": 0 }))).matches(&object));
    assert!(!is(Test::Eq(json!("x"))).matches(&object), "an object is equal to no text");
    assert!(is(Test::Neq(json!("x"))).matches(&object));
    for nothing in [json!(null), json!(5), json!("text"), json!([])] {
        assert!(is(Test::Eq(json!(null))).matches(&nothing), "what is no object has no members");
    }
}

#[test]
fn addresses_are_changed_where_they_are_compared_for_being_equal() {
    let condition = json!({
        "or": [
            { "email": "A@B" },
            { "and": [{ "email": { "neq": "A@B" } }, { "username": "A@B" }] },
            { "email": { "inq": ["A@B", null] } },
            { "email": { "nin": ["A@B"] } },
            { "email": { "like": "A@B" } },
            { "email": { "gt": "A@B" } },
            { "work.email": "A@B" },
        ]
    });
    let expected = json!({
        "or": [
            { "email": "a@b" },
            { "and": [{ "email": { "neq": "a@b" } }, { "username": "A@B" }] },
            { "email": { "inq": ["a@b", null] } },
            { "email": { "nin": ["a@b"] } },
            { "email": { "like": "A@B" } },
            { "email": { "gt": "A@B" } },
            { "work.email": "A@B" },
        ]
    });
    let changed = Where::from_json(&condition).unwrap().map_texts("email", &str::to_lowercase);
    assert_eq!(changed, Where::from_json(&expected).unwrap());
}

/// A sort that is given anything else may panic.
#[test]
fn the_order_is_total_whatever_the_values_are() {
    let values = [
        json!(null),
        json!(false),
        json!(true),
        json!(-1),
        json!(0),
        json!(-0.0),
        json!(1.5),
        json!(9_007_199_254_740_992_i64),
        json!(9_007_199_254_740_993_i64),
        json!(9_007_199_254_740_992.0),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("1"),
        json!("10"),
        json!("9"),
        json!("A"),
        json!("a"),
        json!("\u{ffff}"),
        json!("\u{1f600}"),
        json!([]),
        json!([1]),
        json!({}),
    ];
    let mut users: Vec<Value> = values.iter().map(|value| json!({ "m": value })).collect();
    users.push(json!({}));
    for descending in [false, true] {
        let mut query = UserQuery::default();
        query.order = vec![Order { property: "m".into(), descending }];
        for a in &users {
            assert_eq!(query.compare(a, a), Ordering::Equal);
            for b in &users {
                assert_eq!(query.compare(a, b), query.compare(b, a).reverse(), "{a} {b}");
                for c in &users {
                    if query.compare(a, b).is_le() && query.compare(b, c).is_le() {
                        assert!(query.compare(a, c).is_le(), "{a} {b} {c}");
                    }
                }
            }
        }
    }
}
