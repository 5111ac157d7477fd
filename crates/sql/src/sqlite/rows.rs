//! What stands in a row, and how it is read.

use gatekit_core::{StoreError, UserId};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteRow, SqliteTypeInfo};
use sqlx::{Decode, Encode, Row, Sqlite, Type, TypeInfo, ValueRef};

use crate::own::store_error;

/// Names the table in errors. Values never stand in them.
#[derive(Clone, Copy)]
pub(crate) struct Table(pub(crate) &'static str);

impl Table {
    pub(crate) fn get<'r, T>(self, row: &'r SqliteRow, column: &str) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        row.try_get(column).map_err(|error| match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => self.corrupt(column),
            other => store_error(other),
        })
    }

    pub(crate) fn corrupt(self, column: &str) -> StoreError {
        StoreError::corrupt(format_args!("{}.{column}", self.0))
    }
}

/// A user's id as a parameter, of the kind it is.
pub(super) struct Id<'a>(pub(super) &'a UserId);

impl Type<Sqlite> for Id<'_> {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }
}

impl<'q> Encode<'q, Sqlite> for Id<'_> {
    fn encode_by_ref(&self, buf: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        match self.0 {
            UserId::Int(id) => <i64 as Encode<'q, Sqlite>>::encode(*id, buf),
            UserId::Text(id) => <&str as Encode<'_, Sqlite>>::encode(id, buf),
        }
    }
}

/// A user's id from a column, of the kind it is; `None` for NULL.
pub(crate) fn id_from_row(row: &SqliteRow, table: Table, column: &str) -> Result<Option<UserId>, StoreError> {
    let raw = row.try_get_raw(column).map_err(store_error)?;
    if raw.is_null() {
        return Ok(None);
    }
    let kind = raw.type_info();
    match kind.name() {
        "INTEGER" => Ok(Some(UserId::Int(table.get(row, column)?))),
        "TEXT" => Ok(Some(UserId::Text(table.get(row, column)?))),
        _ => Err(table.corrupt(column)),
    }
}
