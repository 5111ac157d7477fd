//! A statement of SQL, written once for all databases.
//!
//! A statement is a `static`. Its text for a database is made at its first use and kept, so that a
//! call makes no text, and the driver finds the statement prepared.

use std::sync::OnceLock;

use crate::dialect::Dialect;

/// A statement, in the words of [`Dialect`]'s marks.
pub(crate) struct Statement {
    template: &'static str,
    sqlite: OnceLock<String>,
    #[cfg(test)]
    postgres: OnceLock<String>,
}

impl Statement {
    pub(crate) const fn new(template: &'static str) -> Self {
        Self {
            template,
            sqlite: OnceLock::new(),
            #[cfg(test)]
            postgres: OnceLock::new(),
        }
    }

    /// Its text for this database.
    pub(crate) fn text(&'static self, dialect: Dialect) -> &'static str {
        let kept = match dialect {
            Dialect::Sqlite => &self.sqlite,
            #[cfg(test)]
            Dialect::Postgres => &self.postgres,
        };
        kept.get_or_init(|| dialect.render(self.template))
    }
}
