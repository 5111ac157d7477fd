//! The rules of `gatekit_layer::jwt`, one test each. A test is named after its row in the security
//! checklist (ASVS 5.0, RFC 8725 and its companions as `j`, known vulnerabilities of others as `v`)
//! and the rule.
#![cfg(feature = "jwt")]
#![allow(non_snake_case, reason = "two underscores separate the row from the rule")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

mod claims;
mod config;
mod form;
#[cfg(feature = "jwks-url")]
mod jwks_url;
mod keys;
mod strangers;
mod support;
