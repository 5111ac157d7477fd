//! `POST /register`: a new member.

use axum::extract::Request;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::call::{Call, Fields, Members, answer};
use crate::member::{ContactInfo, PrivacyStatus};
use crate::{RegistrationOptions, WixError};

pub(super) async fn handler(Members(members): Members, request: Request) -> Result<Response, WixError> {
    let mut call = Call::begin(&members, request).await?;
    let (email, password) = (call.body().email()?, call.body().password()?);
    let mut options = read(call.body())?;
    options.mails = call.mails(&members);
    let new = members.register(&email, password, options).await?;
    let mut body = Map::from_iter([("status".to_owned(), json!(new.status))]);
    // Not the approval token: who has it approves of itself.
    let tokens = [
        ("sessionToken", new.session_token.as_ref().map(|token| token.expose())),
        ("stateToken", new.state_token.as_ref().map(|token| token.expose())),
    ];
    body.extend(tokens.into_iter().filter_map(|(name, token)| Some((name.to_owned(), json!(token?)))));
    body.extend(new.member.map(|member| ("member".to_owned(), json!(member))));
    Ok(answer(&Value::Object(body)))
}

/// What a client may say of a new member.
pub(crate) fn read(body: &mut Fields) -> Result<RegistrationOptions, WixError> {
    let mut options = RegistrationOptions::default();
    if let Some(contact_info) = body.object("contactInfo")? {
        let read = serde_json::from_value::<ContactInfo>(contact_info.into_value());
        options.contact_info = read.map_err(|_| WixError::invalid("contactInfo", "is invalid"))?;
    }
    if !options.contact_info.labels.is_empty() {
        return Err(WixError::invalid("contactInfo.labels", "cannot be set"));
    }
    options.privacy_status = match body.text("privacyStatus")?.as_deref() {
        None | Some("PRIVATE") => PrivacyStatus::Private,
        Some("PUBLIC") => PrivacyStatus::Public,
        Some(_) => return Err(WixError::invalid("privacyStatus", "must be PUBLIC or PRIVATE")),
    };
    if let Some(mut profile) = body.object("profile")? {
        (options.nickname, options.slug) = (profile.text("nickname")?, profile.text("slug")?);
    }
    Ok(options)
}
