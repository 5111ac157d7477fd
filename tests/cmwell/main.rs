//! CM-Well's login as its clients meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod auth_operations;
mod bad_input;
mod costs;
mod digest;
mod ended;
mod exp;
mod faults;
mod filter;
mod hang_up;
mod login;
mod mounts;
mod permission_layer;
mod rewritten_paths;
mod site;
mod sources;
mod tokens;
mod traps;
