//! The database under a store: how a statement reaches it, and how its answer is read.

use std::fmt;

use gatekit_core::StoreError;
use sqlx::database::HasStatementCache;
use sqlx::error::BoxDynError;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, IntoArguments, SqlSafeStr, SqlStr};

use crate::dialect::Dialect;
use crate::error::store_error;
use crate::row::{Row, sealed};
use crate::statement::Statement;
use crate::value::Value;

/// A database that a [`SqlStore`](crate::SqlStore) can be over: its connections, and what its
/// driver does in its own way.
///
/// It is implemented for [`Sqlite`](crate::Sqlite), and cannot be for other types.
pub trait Database: sealed::Sealed + fmt::Debug + Sized + Send + Sync + 'static {
    /// sqlx's driver.
    type Driver: sqlx::Database<Row = Self::Row, Arguments = Self::Arguments> + HasStatementCache;
    /// A row of a result.
    type Row: Row;
    /// The values of parameters.
    type Arguments: sqlx::Arguments<Database = Self::Driver> + IntoArguments<Self::Driver>;

    /// The words of its statements.
    #[doc(hidden)]
    const DIALECT: Dialect;

    /// Adds the value of the next parameter.
    #[doc(hidden)]
    fn bind(arguments: &mut Self::Arguments, value: Value<'_>) -> Result<(), BoxDynError>;

    /// The first row that a query finds. `None` is an answer, and never a connection that was lost.
    #[doc(hidden)]
    fn find(
        &self,
        query: Query<'_, Self::Driver, Self::Arguments>,
    ) -> impl Future<Output = Result<Option<Self::Row>, StoreError>> + Send;

    /// All rows that a query finds, or an error.
    #[doc(hidden)]
    fn find_all(
        &self,
        query: Query<'_, Self::Driver, Self::Arguments>,
    ) -> impl Future<Output = Result<Vec<Self::Row>, StoreError>> + Send;

    /// Shows rows as they come, until `visit` has seen enough. Returns whether it has seen all.
    #[doc(hidden)]
    fn visit(
        &self,
        query: Query<'_, Self::Driver, Self::Arguments>,
        visit: impl FnMut(&Self::Row) -> Result<bool, StoreError> + Send,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Runs a statement that writes, and returns when it is committed.
    #[doc(hidden)]
    fn change(
        &self,
        query: Query<'_, Self::Driver, Self::Arguments>,
    ) -> impl Future<Output = Result<Changed<Self::Row>, sqlx::Error>> + Send;

    /// Runs a statement that reads rows and writes by what it has read, as if no other such
    /// statement with this name ran at the same time. SQLite has one writer, so all are.
    #[doc(hidden)]
    fn change_alone(
        &self,
        name: &str,
        query: Query<'_, Self::Driver, Self::Arguments>,
    ) -> impl Future<Output = Result<Changed<Self::Row>, sqlx::Error>> + Send;

    /// Runs statements that write in one transaction. Returns how many rows each has changed.
    #[doc(hidden)]
    fn change_all(
        &self,
        queries: Vec<Query<'_, Self::Driver, Self::Arguments>>,
    ) -> impl Future<Output = Result<Vec<u64>, sqlx::Error>> + Send;
}

/// What a statement has changed, once that is committed. See
/// [`SqlStore::change`](crate::SqlStore::change).
#[derive(Debug)]
#[non_exhaustive]
pub struct Changed<R> {
    /// How many rows were inserted, updated or deleted.
    pub count: u64,
    /// What `RETURNING` has returned.
    pub rows: Vec<R>,
}

/// A statement with the values of its parameters, on the way to a database.
#[must_use]
pub(crate) struct Bound<'d, D: Database> {
    database: &'d D,
    text: SqlStr,
    arguments: Result<D::Arguments, BoxDynError>,
    /// Whether it is kept as a prepared statement.
    is_kept: bool,
}

impl Statement {
    /// To be run on this database.
    pub(crate) fn on<'d, D: Database>(&'static self, database: &'d D) -> Bound<'d, D> {
        let text = SqlStr::from_static(self.text(D::DIALECT));
        Bound { database, text, arguments: Ok(D::Arguments::default()), is_kept: true }
    }
}

impl<'d, D: Database> Bound<'d, D> {
    /// A statement that is made for one call out of parts that are ours, and is not kept as a
    /// prepared one: there are too many different ones.
    pub(crate) fn once(database: &'d D, template: &str) -> Self {
        let text = AssertSqlSafe(D::DIALECT.render(template)).into_sql_str();
        Self { database, text, arguments: Ok(D::Arguments::default()), is_kept: false }
    }

    pub(crate) fn bind<'v>(mut self, value: impl Into<Value<'v>>) -> Self {
        self.arguments = self.arguments.and_then(|mut arguments| {
            D::bind(&mut arguments, value.into())?;
            Ok(arguments)
        });
        self
    }

    pub(crate) async fn find(self) -> Result<Option<D::Row>, StoreError> {
        self.database.find(self.into_query().map_err(store_error)?).await
    }

    pub(crate) async fn find_all(self) -> Result<Vec<D::Row>, StoreError> {
        self.database.find_all(self.into_query().map_err(store_error)?).await
    }

    pub(crate) async fn visit<V>(self, visit: V) -> Result<bool, StoreError>
    where
        V: FnMut(&D::Row) -> Result<bool, StoreError> + Send,
    {
        self.database.visit(self.into_query().map_err(store_error)?, visit).await
    }

    pub(crate) async fn change(self) -> Result<Changed<D::Row>, sqlx::Error> {
        self.database.change(self.into_query()?).await
    }

    pub(crate) async fn change_alone(self, name: &str) -> Result<Changed<D::Row>, sqlx::Error> {
        self.database.change_alone(name, self.into_query()?).await
    }

    /// The statement as the driver takes it.
    pub(crate) fn into_query(self) -> Result<Query<'static, D::Driver, D::Arguments>, sqlx::Error> {
        let arguments = self.arguments.map_err(sqlx::Error::Encode)?;
        Ok(sqlx::query_with(self.text, arguments).persistent(self.is_kept))
    }
}
