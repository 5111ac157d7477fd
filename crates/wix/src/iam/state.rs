//! The states of a login or a sign-up in the SDK: done, waiting for approval, or waiting for the
//! address to be verified.

use axum::response::Response;
use gatekit_core::TokenSecret;
use serde_json::{Value, json};

use super::reply::{self, Refusal};
use crate::{Member, MemberStatus, SignedIn, WixError};

/// What a login, a registration or a proof comes to.
#[derive(Debug)]
pub(crate) enum State {
    /// In, once the session token is applied.
    Success(Box<SignedIn>),
    /// Somebody has to approve.
    OwnerApproval(Option<Box<Member>>),
    /// The address is to be verified, with the code that was mailed.
    EmailVerification(TokenSecret),
}

impl State {
    /// Of what the members' functions say. Only who has proven a password is told a state; all else
    /// is a refusal.
    pub(crate) fn of(outcome: Result<SignedIn, WixError>) -> Result<Self, Refusal> {
        match outcome {
            Ok(signed_in) => Ok(Self::Success(Box::new(signed_in))),
            Err(WixError::ApprovalRequired) => Ok(Self::OwnerApproval(None)),
            Err(WixError::EmailVerificationRequired { state_token: Some(token) }) => Ok(Self::EmailVerification(token)),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn into_response(self) -> Response {
        reply::json(match self {
            Self::Success(signed_in) => json!({
                "state": "SUCCESS",
                "sessionToken": signed_in.session_token.expose(),
                "identity": identity(&signed_in.member),
            }),
            Self::OwnerApproval(Some(member)) => {
                json!({"state": "REQUIRE_OWNER_APPROVAL", "identity": identity(&member)})
            }
            Self::OwnerApproval(None) => json!({"state": "REQUIRE_OWNER_APPROVAL"}),
            Self::EmailVerification(token) => {
                json!({"state": "REQUIRE_EMAIL_VERIFICATION", "stateToken": token.expose()})
            }
        })
    }
}

/// A member as the SDK's `Identity` is written. Times and what is called `id` get other names in
/// the SDK.
fn identity(member: &Member) -> Value {
    let (name, reasons): (_, &[&str]) = match member.status {
        MemberStatus::Approved => ("ACTIVE", &[]),
        MemberStatus::Pending => ("PENDING", &["PENDING_ADMIN_APPROVAL_REQUIRED"]),
        MemberStatus::Blocked => ("BLOCKED", &[]),
        MemberStatus::Unknown => ("UNKNOWN_STATUS", &[]),
    };
    let mut profile = serde_json::to_value(&member.contact_details).unwrap_or_default();
    if let Value::Object(profile) = &mut profile {
        let own = [("nickname", &member.profile.nickname), ("slug", &member.profile.slug)];
        profile.extend(own.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.clone()?.into()))));
        profile.insert("privacyStatus".into(), serde_json::to_value(member.privacy_status).unwrap_or_default());
    }
    json!({
        "id": member.id,
        "createdDate": member.created,
        "updatedDate": member.updated,
        "email": {"address": member.login_email},
        "identityProfile": profile,
        "status": {"name": name, "reasons": reasons},
    })
}
