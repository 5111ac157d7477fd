//! Codes of six digits, over the store in memory. The rules are in a file of their own, which other
//! stores' tests run too.

pub(crate) mod rules;

rules::every_rule!(gatekit_core::MemoryStore::new());
