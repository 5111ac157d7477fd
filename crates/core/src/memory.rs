//! Users and tokens in memory: the reference for every other store, for tests and for apps that
//! start afresh each time.
//!
//! [`MemoryStore`] is in `store`, and what it keeps in `contents`. Each port has a file of the name
//! that it has in `ports`.

mod clock;
mod contents;
mod counters;
mod devices;
mod digests;
mod find;
mod key_map;
mod one_time;
mod permissions;
mod purge;
mod roles;
mod store;
mod tokens;
mod user_table;
mod users;

pub use store::MemoryStore;
