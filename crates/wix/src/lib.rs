//! Wix members login over Gatekit's accounts: signed session tokens that are applied later, member
//! states, and the endpoints that its SDK calls.
//!
//! An app depends on the `gatekit` crate, which re-exports this one as `gatekit::wix`.
//!
//! # Two steps
//!
//! 1. [`WixMembers::login`] checks a password and answers with a [`SessionToken`]: signed, good
//!    once, for two minutes. It logs nobody in.
//! 2. [`WixMembers::apply_session_token`], or `POST /apply-session-token`, makes a session of it,
//!    which the [`AuthLayer`](gatekit_layer::AuthLayer) finds like that of any other login.
//!
//! # Map
//!
//! | you look for | it is in |
//! | --- | --- |
//! | Wix' backend functions | [`WixMembers`] |
//! | routes for pages of the app's own | [`WixMembers::router`] |
//! | the endpoints that `@wix/sdk` calls | [`WixMembers::iam_router`] |
//! | the account of a member | [`MemberUser`], a [`User`](gatekit_core::User) with a [`MemberProfile`] |
//! | a member as clients see it | [`Member`] |
//! | what tokens say, and who signs them | [`SessionClaims`], [`ApprovalClaims`], [`TokenKeys`] |
//! | what goes wrong | [`WixError`], which is an answer too |

mod error;
mod iam;
mod jws;
mod member;
mod member_id;
mod members;
mod routes;
mod session_token;
mod table;

pub use {
    error::{FieldViolation, WixError},
    iam::{ClientConfigError, RefreshReuse, Visitor},
    jws::{TokenError, TokenKeyError, TokenKeys},
    member::{
        ActivityStatus, ContactInfo, Fieldset, Member, MemberProfile, MemberStatus, MemberUser, PrivacyStatus,
        PublicProfile,
    },
    member_id::{InvalidSiteId, MemberId, SiteId},
    members::{
        Applied, ApprovalPolicy, GenerateOptions, Registration, RegistrationOptions, RegistrationStatus,
        SetPasswordEmailOptions, SignedIn, Taken, TakenEmail, WixConfigError, WixMembers, WixMembersBuilder,
    },
    session_token::{ApprovalClaims, ApprovalToken, SessionClaims, SessionToken},
    table::route_table,
};
