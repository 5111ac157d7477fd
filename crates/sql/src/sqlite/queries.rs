//! Answers that can be trusted.
//!
//! A connection of sqlx is a thread. If that thread panics in the middle of a query (out of memory,
//! for one), sqlx's own `fetch_optional` and `execute` answer that there is no row and that none
//! was changed: a failure that looks like an unknown token or a logout. An answer is complete only
//! if its last part has come, so here it is waited for.

use std::future::poll_fn;

use gatekit_core::StoreError;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteQueryResult, SqliteRow};
use sqlx::{Either, Executor, Sqlite};

use super::connections::{Connection, Connections};
use crate::database::Changed;
use crate::error::store_error;

pub(super) async fn find(
    connections: &Connections,
    query: Query<'_, Sqlite, SqliteArguments>,
) -> Result<Option<SqliteRow>, StoreError> {
    let mut connection = connections.reader().await.map_err(store_error)?;
    let mut answer = (&mut *connection).fetch_many(query);
    let first = poll_fn(|cx| answer.as_mut().poll_next(cx)).await;
    drop(answer);
    match first {
        Some(Ok(Either::Right(row))) => Ok(Some(row)),
        Some(Ok(Either::Left(_))) => Ok(None),
        Some(Err(error)) => Err(store_error(failed(&mut connection, error))),
        None => Err(store_error(failed(&mut connection, sqlx::Error::WorkerCrashed))),
    }
}

/// Runs to the end: rows without it are a part of the answer that looks like all of it.
pub(super) async fn find_all(
    connections: &Connections,
    query: Query<'_, Sqlite, SqliteArguments>,
) -> Result<Vec<SqliteRow>, StoreError> {
    let mut connection = connections.reader().await.map_err(store_error)?;
    Ok(run(&mut connection, query).await.map_err(store_error)?.rows)
}

/// Shows rows as they come, until `visit` has seen enough. Returns whether it has seen all: rows
/// without the end are a part of the answer that looks like all of it.
pub(super) async fn visit(
    connections: &Connections,
    query: Query<'_, Sqlite, SqliteArguments>,
    mut visit: impl FnMut(&SqliteRow) -> Result<bool, StoreError> + Send,
) -> Result<bool, StoreError> {
    let mut connection = connections.reader().await.map_err(store_error)?;
    let mut answer = (&mut *connection).fetch_many(query);
    let mut is_done = false;
    let error = loop {
        match poll_fn(|cx| answer.as_mut().poll_next(cx)).await {
            Some(Ok(Either::Right(row))) => {
                if !visit(&row)? {
                    return Ok(false);
                }
            }
            Some(Ok(Either::Left(_))) => is_done = true,
            Some(Err(error)) => break error,
            None if is_done => return Ok(true),
            None => break sqlx::Error::WorkerCrashed,
        }
    };
    drop(answer);
    Err(store_error(failed(&mut connection, error)))
}

/// Runs to the end, where the statement is committed: up to its first row, which is where
/// `fetch_optional` stops, nothing is certain, and if the commit fails nobody is told.
pub(super) async fn change(
    connections: &Connections,
    query: Query<'_, Sqlite, SqliteArguments>,
) -> Result<Changed<SqliteRow>, sqlx::Error> {
    let mut connection = connections.writer().await?;
    run(&mut connection, query).await
}

async fn run(
    connection: &mut Connection<'_>,
    query: Query<'_, Sqlite, SqliteArguments>,
) -> Result<Changed<SqliteRow>, sqlx::Error> {
    let mut rows = Vec::new();
    let mut done: Option<SqliteQueryResult> = None;
    let mut answer = (&mut **connection).fetch_many(query);
    let error = loop {
        match poll_fn(|cx| answer.as_mut().poll_next(cx)).await {
            Some(Ok(Either::Right(row))) => rows.push(row),
            Some(Ok(Either::Left(result))) => done = Some(result),
            Some(Err(error)) => break error,
            None => match done {
                None => break sqlx::Error::WorkerCrashed,
                Some(done) => return Ok(Changed { count: done.rows_affected(), rows }),
            },
        }
    };
    drop(answer);
    Err(failed(connection, error))
}

fn failed(connection: &mut Connection<'_>, error: sqlx::Error) -> sqlx::Error {
    if matches!(error, sqlx::Error::WorkerCrashed) {
        connection.give_up();
    }
    error
}
