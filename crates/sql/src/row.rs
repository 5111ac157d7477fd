//! A row of a result, whatever the driver, and how its columns are read.

use gatekit_core::{StoreError, UserId};

use crate::error::store_error;
use crate::user_key;

/// A row that a statement has returned: sqlx's row of one of the databases that a store can be
/// over.
///
/// It is implemented for `sqlx::sqlite::SqliteRow`, and cannot be for other types.
pub trait Row: sealed::Sealed + Send + Sync {
    /// Whether there is a column of this name.
    fn has(&self, column: &str) -> bool;

    /// A column of whole numbers; `None` is NULL.
    ///
    /// # Errors
    ///
    /// The driver's: there is no such column, or it holds something else. So with the others.
    fn integer(&self, column: &str) -> Result<Option<i64>, sqlx::Error>;

    /// A column that is true or false; `None` is NULL.
    ///
    /// # Errors
    ///
    /// The driver's.
    fn boolean(&self, column: &str) -> Result<Option<bool>, sqlx::Error>;

    /// A column of text; `None` is NULL.
    ///
    /// # Errors
    ///
    /// The driver's.
    fn text(&self, column: &str) -> Result<Option<&str>, sqlx::Error>;

    /// A column of bytes; `None` is NULL.
    ///
    /// # Errors
    ///
    /// The driver's.
    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, sqlx::Error>;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// A type that a column can be read as.
pub(crate) trait FromColumn<'r>: Sized {
    fn read(row: &'r impl Row, column: &str) -> Result<Option<Self>, sqlx::Error>;
}

macro_rules! from_column {
    ($($type:ty, $method:ident;)+) => {$(
        impl<'r> FromColumn<'r> for $type {
            fn read(row: &'r impl Row, column: &str) -> Result<Option<Self>, sqlx::Error> {
                Ok(row.$method(column)?.map(Into::into))
            }
        }
    )+};
}

from_column! {
    i64, integer;
    bool, boolean;
    &'r str, text;
    String, text;
    &'r [u8], bytes;
    Vec<u8>, bytes;
}

/// Names the table in errors. Values never stand in them.
#[derive(Clone, Copy)]
pub(crate) struct Table(pub(crate) &'static str);

impl Table {
    /// The value of a column that is never NULL.
    pub(crate) fn get<'r, T: FromColumn<'r>>(self, row: &'r impl Row, column: &str) -> Result<T, StoreError> {
        self.get_nullable(row, column)?.ok_or_else(|| self.corrupt(column))
    }

    /// The value of a column; `None` is NULL.
    pub(crate) fn get_nullable<'r, T: FromColumn<'r>>(
        self,
        row: &'r impl Row,
        column: &str,
    ) -> Result<Option<T>, StoreError> {
        T::read(row, column).map_err(|error| match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => self.corrupt(column),
            other => store_error(other),
        })
    }

    /// The id of a user, of the kind it is; `None` is NULL.
    pub(crate) fn get_user_id(self, row: &impl Row, column: &str) -> Result<Option<UserId>, StoreError> {
        let stored: Option<&str> = self.get_nullable(row, column)?;
        stored.map(|stored| user_key::decode(stored).ok_or_else(|| self.corrupt(column))).transpose()
    }

    pub(crate) fn corrupt(self, column: &str) -> StoreError {
        StoreError::corrupt(format_args!("{}.{column}", self.0))
    }
}
