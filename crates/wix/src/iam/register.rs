//! `POST /_api/iam/authentication/v2/register`: a new member.

use axum::extract::Request;
use axum::response::Response;
use serde_json::{Map, Value};

use super::context::IamContext;
use super::login::login_email;
use super::reply::{self, Refusal, required};
use super::state::State;
use crate::{ContactInfo, PrivacyStatus, RegistrationOptions, SignedIn, WixError};

pub(super) async fn register(iam: IamContext, request: Request) -> Result<Response, Refusal> {
    let (_, body) = reply::read(&iam, request).await?;
    let email = login_email(&body)?;
    let password = required(&body, "password")?;
    let options = match body.get("profile") {
        None | Some(Value::Null) => RegistrationOptions::default(),
        Some(Value::Object(profile)) => options(profile)?,
        Some(_) => return Err(wrong("profile")),
    };
    let registered = iam.members.register(email, password, options).await?;
    let state = match (registered.session_token, registered.state_token, registered.member) {
        (Some(session_token), _, Some(member)) => State::Success(Box::new(SignedIn { session_token, member })),
        (_, Some(state_token), _) => State::EmailVerification(state_token),
        (_, None, member) => State::OwnerApproval(member.map(Box::new)),
    };
    Ok(state.into_response())
}

/// What the SDK calls `profile`. What members here do not have, such as postal addresses, is passed
/// over; labels are the app's.
fn options(profile: &Map<String, Value>) -> Result<RegistrationOptions, Refusal> {
    let text = |name: &'static str| match profile.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(name)),
    };
    let contact = ContactInfo {
        first_name: text("firstName")?,
        last_name: text("lastName")?,
        picture: text("picture")?,
        language: text("language")?,
        emails: texts(profile, "emails", "secondaryEmails", "email")?,
        phones: texts(profile, "phones", "phonesV2", "phone")?,
        custom: custom(profile)?,
        ..ContactInfo::default()
    };
    let mut options = RegistrationOptions::default().contact_info(contact);
    options.nickname = text("nickname")?;
    options.slug = text("slug")?;
    options.privacy_status = match text("privacyStatus")?.as_deref() {
        None | Some("PRIVATE" | "UNDEFINED") => PrivacyStatus::Private,
        Some("PUBLIC") => PrivacyStatus::Public,
        Some(_) => return Err(wrong("privacyStatus")),
    };
    Ok(options)
}

/// A list of texts, and what the newer list of objects has in their `member`.
fn texts(
    profile: &Map<String, Value>,
    old: &'static str,
    new: &'static str,
    member: &str,
) -> Result<Vec<String>, Refusal> {
    let list = |name: &'static str| match profile.get(name) {
        None | Some(Value::Null) => Ok(&[][..]),
        Some(Value::Array(list)) => Ok(list.as_slice()),
        Some(_) => Err(wrong(name)),
    };
    let old = list(old)?.iter().map(|item| item.as_str().ok_or_else(|| wrong(old)));
    let new = list(new)?.iter().map(|item| item.get(member).and_then(Value::as_str).ok_or_else(|| wrong(new)));
    old.chain(new).map(|text| text.map(str::to_owned)).collect()
}

/// `[{"name": …, "value": {"strValue": …}}]`. The names must be the app's; that is looked at later.
fn custom(profile: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    const NAME: &str = "customFields";
    let fields = match profile.get(NAME) {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Array(fields)) => fields,
        Some(_) => return Err(wrong(NAME)),
    };
    let read = |field: &Value| {
        let name = field.get("name")?.as_str()?.to_owned();
        let value = field.get("value")?.as_object()?;
        let kinds = ["strValue", "numValue", "boolValue", "dateValue"];
        let value = kinds.into_iter().find_map(|kind| value.get(kind)).filter(|value| !value.is_object())?;
        Some((name, value.clone()))
    };
    fields.iter().map(|field| read(field).ok_or_else(|| wrong(NAME))).collect()
}

fn wrong(field: &'static str) -> Refusal {
    WixError::invalid(field, "is invalid").into()
}
