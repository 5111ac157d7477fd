//! The suite sees a store that finds the wrong users.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use gatekit_core::{
    CreateUserError, Identifier, MemoryStore, NewUser, NoProfile, PasswordHash, StoreError, StoredUser, Test, User,
    UserCursor, UserId, UserOperation, UserPage, UserQuery, UserStore, Where, async_trait,
};
use gatekit_testkit::conformance::{self, Identifiers};
use serde_json::{Map, Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_store_finds_as_it_should() {
    let make = || async { MemoryStore::new() };
    conformance::user_store::<User, _, _>(Identifiers::ALL, make, |email| NewUser::new(email, NoProfile {})).await;
    conformance::user_store::<User, _, _>(Identifiers::EMAIL_ONLY, make, |email| NewUser::new(email, NoProfile {}))
        .await;
    let make = || async { MemoryStore::new() };
    conformance::user_store::<User<Map<String, Value>>, _, _>(Identifiers::ALL, make, with_profile).await;
}

/// Members of every type, some of which a user has and others do not.
fn with_profile(email: &str) -> NewUser<Map<String, Value>> {
    let profile = match email.len() % 5 {
        0 => json!({ "age": 36, "city": "Ulm", "tags": ["a", "b"], "address": { "city": "Ulm", "zip": "07" } }),
        1 => json!({ "age": "36", "city": "ulm", "tags": [], "active": true }),
        2 => {
            json!({ "age": "036", "city": null, "active": "true", "friends": [{ "name": "a" }, { "name": "b", "age": 1.5 }] })
        }
        3 => json!({ "age": 1e300, "max": u64::MAX, "tags": [1, null, "1"], "deep": [[1], []] }),
        _ => json!({}),
    };
    let Value::Object(profile) = profile else { unreachable!() };
    NewUser::new(email, profile)
}

/// What a careless implementation gets wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    OrderIsIgnored,
    DescendingIsIgnored,
    SecondOrderIsIgnored,
    LimitIsIgnored,
    LimitOfNoneIsAll,
    SkipIsIgnored,
    SkipBeforeTheCondition,
    EverybodyIsFound,
    NullIsNotUnset,
    NotEqualLeavesOutTheUnset,
    CaseIsIgnored,
    TextIdsAreUnknown,
    EmptyListIsIgnored,
    OrIsAnd,
    EmptyOrIsEverybody,
    LongListsAreCut,
    PatternsAreWhole,
    CountIsThatOfAll,
    CountCountsTwice,
    LaterPagesAreLost,
    PagesOverlap,
}
use Fault::*;

const FAULTS: [Fault; 21] = [
    OrderIsIgnored,
    DescendingIsIgnored,
    SecondOrderIsIgnored,
    LimitIsIgnored,
    LimitOfNoneIsAll,
    SkipIsIgnored,
    SkipBeforeTheCondition,
    EverybodyIsFound,
    NullIsNotUnset,
    NotEqualLeavesOutTheUnset,
    CaseIsIgnored,
    TextIdsAreUnknown,
    EmptyListIsIgnored,
    OrIsAnd,
    EmptyOrIsEverybody,
    LongListsAreCut,
    PatternsAreWhole,
    CountIsThatOfAll,
    CountCountsTwice,
    LaterPagesAreLost,
    PagesOverlap,
];

#[test]
fn a_store_that_finds_the_wrong_users_breaks_a_rule() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let passes = |fault: Option<Fault>| {
        let make = || async move { Faulty { store: MemoryStore::new(), fault } };
        let suite =
            conformance::user_store::<User, _, _>(Identifiers::ALL, make, |email| NewUser::new(email, NoProfile {}));
        catch_unwind(AssertUnwindSafe(|| runtime.block_on(suite))).is_ok()
    };
    assert!(passes(None));
    let passed: Vec<_> = FAULTS.into_iter().filter(|fault| passes(Some(*fault))).collect();
    assert!(passed.is_empty(), "the suite does not see these faults: {passed:?}");
}

struct Faulty {
    store: MemoryStore,
    fault: Option<Fault>,
}

impl Faulty {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn condition(&self, condition: &Where) -> Where {
        let all =
            |conditions: &[Where]| conditions.iter().map(|condition| self.condition(condition)).collect::<Vec<_>>();
        match condition {
            _ if self.has(EverybodyIsFound) => Where::default(),
            Where::And(conditions) => Where::And(all(conditions)),
            Where::Or(conditions) if self.has(OrIsAnd) && conditions.len() > 1 => Where::And(all(conditions)),
            Where::Or(conditions) if self.has(EmptyOrIsEverybody) && conditions.is_empty() => Where::default(),
            Where::Or(conditions) => Where::Or(all(conditions)),
            Where::Is { property, test } => {
                let is = |test: Test| Where::Is { property: property.clone(), test };
                match (self.fault, test) {
                    (Some(NullIsNotUnset), Test::Eq(Value::Null)) => Where::Or(Vec::new()),
                    (Some(NotEqualLeavesOutTheUnset), Test::Neq(Value::String(_))) => {
                        Where::And(vec![is(test.clone()), is(Test::Neq(Value::Null))])
                    }
                    (Some(CaseIsIgnored), Test::Eq(Value::String(text))) if text.contains('@') => {
                        Where::And(vec![is(Test::Ilike(text.clone())), is(Test::Neq(Value::Null))])
                    }
                    (Some(TextIdsAreUnknown), Test::Eq(Value::String(_))) if property == "id" => Where::Or(Vec::new()),
                    (Some(EmptyListIsIgnored), Test::Inq(list)) if list.is_empty() => Where::default(),
                    (Some(LongListsAreCut), Test::Inq(list)) => is(Test::Inq(list.iter().take(999).cloned().collect())),
                    (Some(PatternsAreWhole), Test::Like(pattern)) if !pattern.contains(['%', '_', '\\']) => {
                        is(Test::Eq(pattern.clone().into()))
                    }
                    (_, test) => is(test.clone()),
                }
            }
        }
    }
}

#[async_trait]
impl UserStore<User> for Faulty {
    async fn create_user(&self, new: NewUser<NoProfile>) -> Result<StoredUser<User>, CreateUserError> {
        self.store.create_user(new).await
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<User>>, StoreError> {
        self.store.find_user(id).await
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<User>>, StoreError> {
        self.store.find_user_by(identifier).await
    }

    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError> {
        self.store.set_password(id, rev, hash).await
    }

    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError> {
        self.store.rehash_password(id, old, new).await
    }

    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError> {
        self.store.bump_rev(id).await
    }

    fn supports(&self, operation: UserOperation) -> bool {
        operation == UserOperation::Find
    }

    async fn find_users(&self, query: &UserQuery) -> Result<Vec<User>, StoreError> {
        let mut query = query.clone();
        query.condition = self.condition(&query.condition);
        match self.fault {
            Some(OrderIsIgnored) => query.order.clear(),
            Some(DescendingIsIgnored) => query.order.iter_mut().for_each(|order| order.descending = false),
            Some(SecondOrderIsIgnored) => query.order.truncate(1),
            Some(LimitIsIgnored) => query.limit = None,
            Some(LimitOfNoneIsAll) if query.limit == Some(0) => query.limit = None,
            Some(SkipIsIgnored) => query.skip = 0,
            Some(SkipBeforeTheCondition) => {
                let condition = std::mem::take(&mut query.condition);
                let found = self.store.find_users(&query).await?;
                let holds = |user: &User| condition.matches(&serde_json::to_value(user).unwrap());
                return Ok(found.into_iter().filter(holds).collect());
            }
            _ => {}
        }
        self.store.find_users(&query).await
    }

    /// In pages of two.
    async fn find_users_page(&self, query: &UserQuery, from: Option<UserCursor>) -> Result<UserPage<User>, StoreError> {
        let all = self.find_users(query).await?;
        let from: usize = from.and_then(UserCursor::into_inner).unwrap_or(0);
        let (mut next, mut begin) = (from + 2, from);
        if self.has(PagesOverlap) {
            begin = begin.saturating_sub(1);
        }
        if self.has(LaterPagesAreLost) {
            next = usize::MAX;
        }
        let users = all.iter().skip(begin).take(from + 2 - begin).cloned().collect();
        Ok(UserPage { users, next: (next < all.len()).then(|| UserCursor::new(next)) })
    }

    async fn count_users(&self, condition: &Where) -> Result<u64, StoreError> {
        match self.fault {
            Some(CountIsThatOfAll) => self.store.count_users(&Where::default()).await,
            Some(CountCountsTwice) => Ok(self.store.count_users(condition).await? * 2),
            _ => self.store.count_users(&self.condition(condition)).await,
        }
    }
}
