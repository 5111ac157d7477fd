//! Users by a condition on their members, a page at a time.
//!
//! 1. What is asked of the built-in members, and compares there exactly as [`Where::matches`] says,
//!    is asked of the database (`condition.rs`). The rest is asked of what was read.
//! 2. In the order of ids a page begins behind the last id of the one before. In any other order
//!    the ids are sorted first, all of them, and a page reads the rows of the next ones: an id
//!    takes 8 bytes, and a user as many as its profile has.
//! 3. A page has a bounded number of users and bytes. Between two pages no connection is held.
//! 4. Nobody is found twice. A user that is changed while pages are being read is found as it was
//!    before or as it is after, and not if the condition does not hold for it any more.
//! 5. A row that cannot be read is left out and named in the log.
//! 6. Other tasks get their turn while rows are compared: a condition with many patterns takes its
//!    time with long profiles.
//!
//! A profile must have no members with the names of the built-in ones: their columns are asked,
//! whatever the profile says.

use std::collections::{HashMap, VecDeque};

use gatekit_core::{Model, StoreError, User, UserCursor, UserPage, UserQuery, Where};
use serde_json::Value;

use crate::condition::{Sql, order_by};
use crate::database::Database;
use crate::row::Row;
use crate::sort::Sorter;
use crate::user_row::{TABLE, unwritable, user_from_row};

/// Users of a page, and rows that are read at a time.
const PAGE: usize = 500;
/// Bytes of profiles after which a page ends.
const PAGE_BYTES: usize = 512 * 1024;
/// Rows that are read by their ids at a time: of these the size is not known before.
const BY_IDS: usize = 50;
/// Bytes of profiles that are compared before other tasks get their turn.
const BYTES_AT_ONCE: usize = 64 * 1024;

/// Where the next page begins.
enum Cursor {
    /// Behind this id, in the order of ids. So many users are left of the limit; so many are passed
    /// over before.
    Id { after: Option<i64>, left: u64, skip: u64 },
    /// At the first of these ids.
    Ids(VecDeque<i64>),
}

/// The next page of what a query finds.
pub(crate) async fn page<P: Model>(
    database: &impl Database,
    query: &UserQuery,
    from: Option<UserCursor>,
) -> Result<UserPage<User<P>>, StoreError> {
    let cursor = match from {
        Some(cursor) => cursor.into_inner().ok_or_else(|| StoreError::failed("a cursor of another store"))?,
        None if query.is_by_id() => Cursor::Id { after: None, left: query.limit.unwrap_or(u64::MAX), skip: query.skip },
        None => Cursor::Ids(sorted_ids::<P, _>(database, query).await?),
    };
    match cursor {
        Cursor::Id { after, left, skip } => page_by_id(database, Scan::new(&query.condition, after, left, skip)).await,
        Cursor::Ids(ids) => page_of_ids(database, &query.condition, ids).await,
    }
}

/// All that a query finds.
pub(crate) async fn all<P: Model>(database: &impl Database, query: &UserQuery) -> Result<Vec<User<P>>, StoreError> {
    let mut part = page(database, query, None).await?;
    let mut users = part.users;
    while let Some(next) = part.next {
        part = page(database, query, Some(next)).await?;
        users.append(&mut part.users);
    }
    Ok(users)
}

/// How many users a condition holds for.
pub(crate) async fn count<P: Model>(database: &impl Database, condition: &Where) -> Result<u64, StoreError> {
    if let Some(condition) = Sql::exactly(condition) {
        return condition.count(database, P::NAME).await;
    }
    let mut count = 0;
    let mut scan = Scan::new(condition, None, u64::MAX, 0);
    while let Some(found) = scan.next::<P>(database).await? {
        count += whole(found.len());
    }
    Ok(count)
}

async fn page_by_id<P: Model>(database: &impl Database, mut scan: Scan<'_>) -> Result<UserPage<User<P>>, StoreError> {
    let (mut users, mut bytes) = (Vec::new(), 0);
    while let Some(found) = scan.next(database).await? {
        bytes += found.iter().map(|found| found.bytes).sum::<usize>();
        users.extend(found.into_iter().map(|found| found.user));
        if users.len() >= PAGE || bytes >= PAGE_BYTES {
            let next = Cursor::Id { after: scan.after, left: scan.left, skip: 0 };
            return Ok(UserPage { users, next: (!scan.has_ended).then(|| UserCursor::new(next)) });
        }
    }
    Ok(UserPage { users, next: None })
}

async fn page_of_ids<P: Model>(
    database: &impl Database,
    condition: &Where,
    mut ids: VecDeque<i64>,
) -> Result<UserPage<User<P>>, StoreError> {
    let (sql, is_exact) = in_sql(condition);
    let (mut users, mut bytes, mut turn) = (Vec::new(), 0, Turn(0));
    while users.len() < PAGE && bytes < PAGE_BYTES && !ids.is_empty() {
        let wanted: Vec<i64> = ids.drain(..BY_IDS.min(ids.len())).collect();
        let mut read = Vec::new();
        sql.of_ids(database, P::NAME, &wanted).visit(|row| collect(row, &mut read).map(|_| true)).await?;
        let mut found = HashMap::new();
        for row in read {
            let Some(user) = row.user else { continue };
            bytes += row.bytes;
            if is_exact || condition.matches(&json(&user)?) {
                found.insert(row.id, user);
            }
            turn.took(row.bytes).await;
        }
        users.extend(wanted.iter().filter_map(|id| found.remove(id)));
    }
    let next = (!ids.is_empty()).then(|| UserCursor::new(Cursor::Ids(ids)));
    Ok(UserPage { users, next })
}

/// The ids of what a query finds, in its order.
async fn sorted_ids<P: Model, D: Database>(database: &D, query: &UserQuery) -> Result<VecDeque<i64>, StoreError> {
    if let (Some(condition), Some(order)) = (Sql::exactly(&query.condition), order_by(D::DIALECT, &query.order)) {
        let mut ids = VecDeque::new();
        let select = condition.ids(database, P::NAME, &order, query.limit.unwrap_or(u64::MAX), query.skip);
        let visit = |row: &D::Row| {
            ids.push_back(TABLE.get(row, "id")?);
            Ok(true)
        };
        select.visit(visit).await?;
        return Ok(ids);
    }
    let (mut sorter, fields) = (Sorter::new(query), query.order_fields());
    let mut scan = Scan::new(&query.condition, None, u64::MAX, 0);
    while let Some(found) = scan.next::<P>(database).await? {
        for found in found {
            sorter.add(fields.apply(json(&found.user)?), found.id).await?;
        }
    }
    sorter.finish().await
}

/// A look through all rows for which a condition may hold, in the order of their ids, some hundred
/// at a time.
struct Scan<'a> {
    condition: &'a Where,
    sql: Sql,
    is_exact: bool,
    /// The last id that was looked at.
    after: Option<i64>,
    /// How many users are still wanted, and how many of those that match are passed over before.
    left: u64,
    skip: u64,
    has_ended: bool,
    turn: Turn,
}

/// A user that was found.
struct Found<P> {
    id: i64,
    user: User<P>,
    /// Of its profile.
    bytes: usize,
}

impl<'a> Scan<'a> {
    fn new(condition: &'a Where, after: Option<i64>, left: u64, skip: u64) -> Self {
        let (sql, is_exact) = in_sql(condition);
        Self { condition, sql, is_exact, after, left, skip, has_ended: left == 0, turn: Turn(0) }
    }

    /// Those of the next rows that match, which may be none; `None` at the end.
    async fn next<P: Model>(&mut self, database: &impl Database) -> Result<Option<Vec<Found<P>>>, StoreError> {
        if self.has_ended {
            return Ok(None);
        }
        let (limit, skip) = match self.is_exact {
            true => (self.left.min(whole(PAGE)), std::mem::take(&mut self.skip)),
            false => (whole(PAGE), 0),
        };
        let (mut rows, mut bytes) = (Vec::new(), 0);
        let page = self.sql.page(database, P::NAME, self.after, limit, skip);
        let visited = page.visit(|row| {
            bytes += collect(row, &mut rows)?;
            Ok(bytes < PAGE_BYTES)
        });
        let was_last = visited.await? && whole(rows.len()) < limit;
        let mut found = Vec::new();
        for Read { id, user, bytes } in rows {
            self.after = Some(id);
            let Some(user) = user else { continue };
            if !self.is_exact {
                let holds = self.condition.matches(&json(&user)?);
                self.turn.took(bytes).await;
                if !holds {
                    continue;
                }
            }
            if self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            self.left -= 1;
            found.push(Found { id, user, bytes });
            if self.left == 0 {
                break;
            }
        }
        self.has_ended = was_last || self.left == 0;
        Ok(Some(found))
    }
}

/// The condition as SQL, or as much of it as there is, and whether that is all.
fn in_sql(condition: &Where) -> (Sql, bool) {
    match Sql::exactly(condition) {
        Some(sql) => (sql, true),
        None => (Sql::necessarily(condition, 0).unwrap_or_else(Sql::everybody), false),
    }
}

/// A row that was read.
struct Read<P> {
    id: i64,
    /// `None` if the row holds what this version cannot read.
    user: Option<User<P>>,
    bytes: usize,
}

/// Keeps what was read of a row, and returns how many bytes its profile has.
fn collect<P: Model>(row: &impl Row, rows: &mut Vec<Read<P>>) -> Result<usize, StoreError> {
    let bytes = TABLE.get_nullable::<&str>(row, "profile").ok().flatten().map_or(0, str::len);
    let user = match user_from_row(row) {
        Ok(user) => Some(user),
        Err(error) if error.is_corrupt() => {
            tracing::error!(%error, "a user is left out of a list; mend its row, or remove the user by its id");
            None
        }
        Err(error) => return Err(error),
    };
    rows.push(Read { id: TABLE.get(row, "id")?, user, bytes });
    Ok(bytes)
}

fn json<P: Model>(user: &User<P>) -> Result<Value, StoreError> {
    serde_json::to_value(user).map_err(|_| unwritable())
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Counts what was compared since other tasks had their turn.
struct Turn(usize);

impl Turn {
    async fn took(&mut self, bytes: usize) {
        // A short profile is work, too.
        self.0 += bytes + 256;
        if self.0 >= BYTES_AT_ONCE {
            self.0 = 0;
            tokio::task::yield_now().await;
        }
    }
}
