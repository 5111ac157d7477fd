//! Who logs in by Digest? Everything that a client can get right or wrong, and all that can happen
//! to a credential.

mod answers;
mod client;
mod credentials;
mod names;
mod nonces;
pub(crate) mod site;
