//! Sorts users by fields that only their JSON has.

use std::collections::VecDeque;

use gatekit_core::{StoreError, UserQuery};
use serde_json::Value;

/// More than this are sorted on a thread for blocking work.
const MANY: usize = 10_000;
/// How many more than needed are kept before the rest is dropped.
const SPARE: usize = 500;

/// Ids with what an order looks at: no more of them than can be part of the answer.
pub(crate) struct Sorter {
    query: UserQuery,
    found: Vec<(Value, i64)>,
    skip: usize,
    /// `skip` and `limit` together.
    wanted: usize,
}

impl Sorter {
    pub(crate) fn new(query: &UserQuery) -> Self {
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let skip = size(query.skip);
        let wanted = skip.saturating_add(query.limit.map_or(usize::MAX, size));
        Self { query: query.clone(), found: Vec::new(), skip, wanted }
    }

    pub(crate) async fn add(&mut self, key: Value, id: i64) -> Result<(), StoreError> {
        self.found.push((key, id));
        if self.found.len() >= self.wanted.saturating_mul(2).saturating_add(SPARE) {
            self.sort().await?;
        }
        Ok(())
    }

    /// The ids in their order.
    pub(crate) async fn finish(mut self) -> Result<VecDeque<i64>, StoreError> {
        self.sort().await?;
        Ok(self.found.into_iter().skip(self.skip).map(|(_, id)| id).collect())
    }

    async fn sort(&mut self) -> Result<(), StoreError> {
        let mut found = std::mem::take(&mut self.found);
        if found.len() < MANY {
            sort(&self.query, &mut found);
        } else {
            let query = self.query.clone();
            let sorted = tokio::task::spawn_blocking(move || {
                sort(&query, &mut found);
                found
            });
            found = sorted.await.map_err(StoreError::failed)?;
        }
        found.truncate(self.wanted);
        self.found = found;
        Ok(())
    }
}

fn sort(query: &UserQuery, found: &mut [(Value, i64)]) {
    found.sort_by(|(a, first), (b, second)| query.compare(a, b).then_with(|| first.cmp(second)));
}
