//! Wix members login as its clients meet it, and as an app calls it.
//!
//! Ids in the comments are rows of the security checklist: ASVS 5.0 by number, other lists by their
//! prefix.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod apply;
mod approval;
mod config;
mod ended;
mod faults;
mod generate;
mod hang_up;
mod iam;
mod login;
mod meanwhile;
mod mounts;
mod register;
mod secrets;
mod session_tokens;
mod set_password;
mod site;
mod verification;
