//! Wix members login over Gatekit's accounts: signed session tokens that are applied later, member states, and the endpoints that
//! its SDK calls.

mod jws;
mod member_id;
mod session_token;

pub use {
    jws::{Jws, TokenError, TokenKeyError, TokenKeys},
    member_id::{InvalidSiteId, MemberId, SiteId},
    session_token::{ApprovalClaims, ApprovalToken, SessionClaims, SessionToken},
};
