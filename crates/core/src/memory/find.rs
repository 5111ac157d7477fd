//! Users by a condition on their fields.
//!
//! A condition is asked of 64 users at a time, and other tasks get their turn in between: neither
//! the lock nor the thread is held for as long as there are users. A user that is changed meanwhile
//! is found as it was before or as it is after.

use std::collections::VecDeque;

use super::store::MemoryStore;
use super::user_table::{UserTable, user_as_json};
use crate::{Model, StoreError, User, UserCursor, UserPage, UserQuery, Where};

/// Users that are looked at before other tasks get their turn.
const AT_ONCE: usize = 64;
/// Users in a page.
const PAGE: usize = 500;

impl<P: Model> MemoryStore<P> {
    /// A page of what a query finds. The cursor holds the ids of the rest.
    pub(super) async fn page(
        &self,
        query: &UserQuery,
        from: Option<UserCursor>,
    ) -> Result<UserPage<User<P>>, StoreError> {
        let mut ids = match from {
            None => self.matching(query).await?,
            Some(cursor) => cursor.into_inner().ok_or_else(|| StoreError::failed("a cursor of another store"))?,
        };
        let mut users = Vec::new();
        while users.len() < PAGE && !ids.is_empty() {
            let wanted = AT_ONCE.min(PAGE - users.len()).min(ids.len());
            {
                let contents = self.read();
                let Some(known): Option<&UserTable<P>> = contents.users()? else { break };
                for stored in ids.drain(..wanted).filter_map(|id| known.by_id.get(&id)) {
                    if query.condition.matches(&user_as_json(&stored.user)?) {
                        users.push(stored.user.clone());
                    }
                }
            }
            tokio::task::yield_now().await;
        }
        let next = (!ids.is_empty()).then(|| UserCursor::new(ids));
        Ok(UserPage { users, next })
    }

    /// The ids of what a query finds, in its order.
    async fn matching(&self, query: &UserQuery) -> Result<VecDeque<i64>, StoreError> {
        let skip = usize::try_from(query.skip).unwrap_or(usize::MAX);
        let limit = query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let keys = query.order_fields();
        let mut found = Vec::new();
        for part in self.ids()?.chunks(AT_ONCE) {
            if query.is_by_id() && found.len() >= skip.saturating_add(limit) {
                break;
            }
            {
                let contents = self.read();
                let Some(known): Option<&UserTable<P>> = contents.users()? else { break };
                for (id, stored) in part.iter().filter_map(|id| Some((*id, known.by_id.get(id)?))) {
                    let value = user_as_json(&stored.user)?;
                    if query.condition.matches(&value) {
                        found.push((keys.apply(value), id));
                    }
                }
            }
            tokio::task::yield_now().await;
        }
        if !query.is_by_id() {
            found.sort_by(|(a, first), (b, second)| query.compare(a, b).then_with(|| first.cmp(second)));
        }
        Ok(found.into_iter().skip(skip).take(limit).map(|(_, id)| id).collect())
    }

    pub(super) async fn count(&self, condition: &Where) -> Result<u64, StoreError> {
        let mut count = 0;
        for part in self.ids()?.chunks(AT_ONCE) {
            {
                let contents = self.read();
                let Some(known): Option<&UserTable<P>> = contents.users()? else { break };
                for stored in part.iter().filter_map(|id| known.by_id.get(id)) {
                    count += u64::from(condition.matches(&user_as_json(&stored.user)?));
                }
            }
            tokio::task::yield_now().await;
        }
        Ok(count)
    }

    fn ids(&self) -> Result<Vec<i64>, StoreError> {
        let contents = self.read();
        let users: Option<&UserTable<P>> = contents.users()?;
        let mut ids: Vec<i64> = users.into_iter().flat_map(|users| users.by_id.keys().copied()).collect();
        ids.sort_unstable();
        Ok(ids)
    }
}
