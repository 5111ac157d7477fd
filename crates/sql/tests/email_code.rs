//! Codes of six digits, over SQLite: the rules that the store in memory keeps.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

#[path = "../../testkit/tests/flows/email_code/rules.rs"]
mod rules;

rules::every_rule!(gatekit_sql::SqliteStore::in_memory().await.unwrap());
