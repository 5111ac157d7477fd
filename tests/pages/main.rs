//! The pages as a browser meets them: forms, cookies, redirects.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod account;
mod ask_to_log_in;
mod change_email;
mod change_password;
mod cross_origin;
mod delete_account;
mod failures;
mod hang_up;
mod headers;
mod hostile;
mod inputs;
mod languages;
mod login;
mod logout;
mod mounts;
mod names;
mod paths;
mod planted;
mod prefix;
mod profile_fields;
mod register;
mod reset_password;
mod return_to;
mod sessions;
mod site;
mod templates;
mod verify_email;
