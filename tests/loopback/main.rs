//! LoopBack's User REST API over HTTP, rule by rule. Answers are compared byte for byte with those
//! recorded of LoopBack 3.28.0; where Gatekit decided otherwise, the rule says so.
//!
//! Ids in the comments are rows of the security checklist: ASVS 5.0 by number, other lists by their
//! prefix.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod access_tokens;
mod account_status;
mod acl;
mod batch;
mod bodies;
mod change_email;
mod change_password;
mod cookie_transport;
mod cookies;
mod costs;
mod cross_origin;
mod delete_account;
mod delete_user;
mod email_verification_required;
mod enumeration;
mod errors;
mod events;
mod faults;
mod find_user;
mod find_users;
mod formats;
mod hang_up;
mod login;
mod logout;
mod mailed_links;
mod mails;
mod mounts;
mod old_rows;
mod paths;
mod process;
mod profiles;
mod query_tokens;
mod realms;
mod register;
mod replay;
mod reset_password;
mod roles;
mod sessions;
mod settings;
mod signed_cookies;
mod sliding;
mod spellings;
mod step_up;
mod streams;
mod tokens;
mod tower_sessions;
mod update_user;
mod upsert_users;
mod user_types;
mod verify_email;
mod wrong_inputs;
