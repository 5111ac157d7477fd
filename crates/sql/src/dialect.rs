//! What differs between databases in the text of a statement.
//!
//! A statement is written once, with `?` for its parameters and a mark in braces where the
//! databases need different words:
//!
//! | mark | meaning |
//! | --- | --- |
//! | `a {same} b` | `a` and `b` are equal, or both are NULL |
//! | `{json_array(role)}` | the values of a column in all rows, as text with a JSON array; `[]` for none |
//! | `{on_conflict(a, b)} c = ...` | an INSERT whose unique key over `a` and `b` is in use changes `c` of that row instead |
//! | `{ignore_conflict(a, b)}` | an INSERT whose unique key over `a` and `b` is in use does nothing |
//! | `{new(c)}` | in such a change: the value that the INSERT has for `c` |
//! | `{greatest(a, b)}` | the greater one of two numbers |
//! | `{bytes(c)}` | the bytes of a text column, which need not be UTF-8 |
//! | `{unindexed(c)}` | a column that must not choose the index |
//! | `{by_index(name)}` | after a table: the index to use |
//! | `{skip_locked}` | at the end of a `SELECT`: without the rows that another transaction is changing |
//!
//! Everything else is written so that all databases understand it: `TRUE` and `FALSE`, `CASE` in
//! place of `iif`, `CAST(? AS INTEGER)` where a function takes no 64-bit integers, no `IN ()`.
//!
//! A condition under which an upsert changes the row (`WHERE` after `{on_conflict(..)}`) and
//! `RETURNING` are understood by SQLite and PostgreSQL.

/// A kind of database. Each difference in words is a `match` over it, so that the compiler names
/// what a new one has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite, from 3.35 on.
    Sqlite,
    /// PostgreSQL, from 12 on. There is no store over it yet. Its words are here for the tests,
    /// which hold that every statement is written for more than one database.
    #[cfg(test)]
    Postgres,
}

impl Dialect {
    /// The text of a statement for this database.
    pub(crate) fn render(self, template: &str) -> String {
        let mut text = String::with_capacity(template.len() + 32);
        let (mut rest, mut parameters) = (template, 0);
        while let Some(at) = rest.find(['?', '{']) {
            let (before, from) = rest.split_at(at);
            text.push_str(before);
            if let Some(after) = from.strip_prefix('?') {
                parameters += 1;
                text.push_str(&self.parameter(parameters));
                rest = after;
            } else {
                let (mark, after) = from.split_once('}').unwrap_or((from, ""));
                text.push_str(&self.words(mark.trim_start_matches('{')));
                rest = after;
            }
        }
        text.push_str(rest);
        text
    }

    /// The place of the parameter with this number, counted from 1.
    fn parameter(self, number: usize) -> String {
        let _ = number;
        match self {
            Self::Sqlite => "?".to_owned(),
            #[cfg(test)]
            Self::Postgres => format!("${number}"),
        }
    }

    /// What stands in place of a mark.
    fn words(self, mark: &str) -> String {
        let (name, inside) = mark.strip_suffix(')').and_then(|mark| mark.split_once('(')).unwrap_or((mark, ""));
        match name {
            "same" => self.null_safe_equality().to_owned(),
            "json_array" => self.json_array(inside),
            "on_conflict" => format!("ON CONFLICT ({inside}) DO UPDATE SET"),
            "ignore_conflict" => format!("ON CONFLICT ({inside}) DO NOTHING"),
            "new" => format!("excluded.{inside}"),
            "greatest" => self.greatest(inside),
            "bytes" => self.bytes(inside),
            "unindexed" => self.unindexed(inside),
            "by_index" => self.by_index(inside),
            "skip_locked" => self.skip_locked().to_owned(),
            // The database refuses such a statement and names the place.
            _ => format!("{{{mark}}}"),
        }
    }

    fn null_safe_equality(self) -> &'static str {
        match self {
            Self::Sqlite => "IS",
            #[cfg(test)]
            Self::Postgres => "IS NOT DISTINCT FROM",
        }
    }

    fn json_array(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("json_group_array({column})"),
            #[cfg(test)]
            Self::Postgres => format!("coalesce(json_agg({column})::text, '[]')"),
        }
    }

    fn greatest(self, numbers: &str) -> String {
        match self {
            Self::Sqlite => format!("max({numbers})"),
            #[cfg(test)]
            Self::Postgres => format!("greatest({numbers})"),
        }
    }

    fn bytes(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("CAST({column} AS BLOB)"),
            #[cfg(test)]
            Self::Postgres => format!("convert_to({column}, 'UTF8')"),
        }
    }

    /// The plus keeps SQLite from an index that begins with the column.
    fn unindexed(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("+{column}"),
            #[cfg(test)]
            Self::Postgres => column.to_owned(),
        }
    }

    /// SQLite has one writer, so no row is being changed by another.
    fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            #[cfg(test)]
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    fn by_index(self, name: &str) -> String {
        match self {
            Self::Sqlite => format!("INDEXED BY {name}"),
            #[cfg(test)]
            Self::Postgres => String::new(),
        }
    }

    /// What follows a column in `ORDER BY`, so that NULL counts as less than every value.
    pub(crate) fn null_is_least(self, descending: bool) -> &'static str {
        match (self, descending) {
            (Self::Sqlite, false) => "",
            (Self::Sqlite, true) => " DESC",
            #[cfg(test)]
            (Self::Postgres, false) => " NULLS FIRST",
            #[cfg(test)]
            (Self::Postgres, true) => " DESC NULLS LAST",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_written_in_the_words_of_each_database() {
        for (template, sqlite, postgres) in [
            (
                "SELECT a FROM t WHERE b = ? AND c > ?",
                "SELECT a FROM t WHERE b = ? AND c > ?",
                "SELECT a FROM t WHERE b = $1 AND c > $2",
            ),
            ("a {same} ?", "a IS ?", "a IS NOT DISTINCT FROM $1"),
            ("{json_array(role)}", "json_group_array(role)", "coalesce(json_agg(role)::text, '[]')"),
            (
                "{on_conflict(a, b)} c = {new(c)}",
                "ON CONFLICT (a, b) DO UPDATE SET c = excluded.c",
                "ON CONFLICT (a, b) DO UPDATE SET c = excluded.c",
            ),
            (
                "{ignore_conflict(a)} RETURNING a",
                "ON CONFLICT (a) DO NOTHING RETURNING a",
                "ON CONFLICT (a) DO NOTHING RETURNING a",
            ),
            ("{greatest(t.a, b)}", "max(t.a, b)", "greatest(t.a, b)"),
            ("{bytes(a)} = ?", "CAST(a AS BLOB) = ?", "convert_to(a, 'UTF8') = $1"),
            ("{unindexed(a)} = ?", "+a = ?", "a = $1"),
            ("LIMIT ?{skip_locked}", "LIMIT ?", "LIMIT $1 FOR UPDATE SKIP LOCKED"),
        ] {
            assert_eq!(Dialect::Sqlite.render(template), sqlite);
            assert_eq!(Dialect::Postgres.render(template), postgres);
        }
    }

    #[test]
    fn an_unknown_mark_stays_for_the_database_to_refuse() {
        assert_eq!(Dialect::Sqlite.render("SELECT {nothing(a)} WHERE {"), "SELECT {nothing(a)} WHERE {}");
    }
}
