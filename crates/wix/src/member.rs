//! What is known of a member: the fields kept with its account, and what clients are shown of them.

use gatekit_core::{AccountStatus, Model, Timestamp, User};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{MemberId, SiteId};

/// A member's account: the built-in user with a member's fields.
pub type MemberUser = User<MemberProfile>;

/// Members have the name `User`: an app with `User` accounts of another profile over the same store
/// gives those a name of its own.
impl Model for MemberProfile {}

/// A member's own fields, the profile of a [`User`]. `Auth<User<MemberProfile>>` keeps members.
///
/// Whoever mounts other routes that let users change their profile lets them change all of this,
/// times included: nothing is decided by it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MemberProfile {
    /// Whether other members may see the profile. The app asks it; nothing here shows one member to
    /// another.
    pub privacy_status: PrivacyStatus,
    /// The name that other members see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The end of the URL of the member's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// How to reach the member.
    pub contact_details: ContactInfo,
    /// When the member signed up, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_date: Option<i64>,
    /// When the member last logged in, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_login_date: Option<i64>,
    /// When something of the profile was last changed, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_date: Option<i64>,
}

/// Who sees a member's profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum PrivacyStatus {
    /// Every member.
    Public,
    /// Nobody else.
    #[default]
    Private,
    /// The caller is not to know. Nobody has this stored.
    Unknown,
}

/// How to reach a member: Wix' `contactInfo`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContactInfo {
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// Addresses. None of them is proven, and none of them logs in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// Telephone numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<String>,
    /// The app's own marks. The routes of this crate take none from a client; see [`MemberProfile`]
    /// for others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The language the member wants to be written to in, as a tag of RFC 5646.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The app's own fields: those that it named with
    /// [`WixMembersBuilder::contact_fields`](crate::WixMembersBuilder::contact_fields).
    #[serde(flatten)]
    pub custom: Map<String, Value>,
}

/// Longer texts in contact details are refused, in bytes.
const MAX_TEXT: usize = 1024;
/// More of a kind are refused.
const MAX_ITEMS: usize = 50;
/// Longer contact details are refused altogether, in bytes of JSON.
const MAX_BYTES: usize = 16 * 1024;

impl ContactInfo {
    /// Which field is not as it should be, by its name on the wire. `custom` are the app's own.
    pub(crate) fn mistake(&self, custom: &[String]) -> Option<String> {
        let is_text = |text: &str| text.len() <= MAX_TEXT && !text.contains(char::is_control);
        let texts = [
            ("firstName", &self.first_name),
            ("lastName", &self.last_name),
            ("picture", &self.picture),
            ("language", &self.language),
        ];
        let lists = [("emails", &self.emails), ("phones", &self.phones), ("labels", &self.labels)];
        let text = texts.iter().find(|(_, text)| text.as_deref().is_some_and(|text| !is_text(text)));
        let list = lists.iter().find(|(_, list)| list.len() > MAX_ITEMS || !list.iter().all(|text| is_text(text)));
        let unknown = self.custom.keys().find(|key| !custom.contains(key));
        let email = self.emails.iter().any(|email| !gatekit_core::email::is_valid(email));
        let too_long = serde_json::to_string(self).map_or(true, |json| json.len() > MAX_BYTES);
        let field = text.map(|(field, _)| *field).or(list.map(|(field, _)| *field));
        let field = field.or(unknown.map(String::as_str)).or(email.then_some("emails"));
        Some(match field {
            Some(field) => format!("contactInfo.{field}"),
            None if too_long => "contactInfo".to_owned(),
            None => return None,
        })
    }
}

/// Whether a member may log in, in Wix' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum MemberStatus {
    /// Waits to be approved.
    Pending,
    /// May log in.
    Approved,
    /// May not.
    Blocked,
    /// The caller is not to know.
    Unknown,
}

impl From<AccountStatus> for MemberStatus {
    fn from(status: AccountStatus) -> Self {
        match status {
            // Whoever must choose a new password is a member all the same.
            AccountStatus::Active | AccountStatus::PasswordReset => Self::Approved,
            AccountStatus::Pending => Self::Pending,
            AccountStatus::Blocked => Self::Blocked,
            // What may be added is not known to be better.
            _ => Self::Unknown,
        }
    }
}

/// Whether a member may write to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum ActivityStatus {
    /// It may.
    Active,
    /// The caller is not to know.
    Unknown,
}

/// How much of a member is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fieldset {
    /// What every visitor may see.
    #[default]
    Public,
    /// What the member itself and the app may see.
    Full,
}

/// A member as Wix' clients know it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Member {
    /// The id: a GUID.
    #[serde(rename = "_id")]
    pub id: MemberId,
    /// The address that logs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_email: Option<String>,
    /// Whether the member may log in.
    pub status: MemberStatus,
    /// The id of the member as a contact: another GUID.
    pub contact_id: String,
    /// Who sees the profile.
    pub privacy_status: PrivacyStatus,
    /// Whether the member may write to others.
    pub activity_status: ActivityStatus,
    /// When the member signed up.
    #[serde(rename = "_createdDate", skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When something of the profile was last changed.
    #[serde(rename = "_updatedDate", skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// When the member last logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_login_date: Option<Timestamp>,
    /// How to reach the member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_details: Option<ContactInfo>,
    /// What other members see.
    pub profile: PublicProfile,
}

/// The part of a member that others see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicProfile {
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The end of the URL of the member's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

impl Member {
    /// All of it.
    pub(crate) fn new(site: &SiteId, user: &MemberUser, status: AccountStatus) -> Self {
        let profile = user.profile.clone();
        let id = MemberId::of(site, &user.id);
        Self {
            login_email: user.email.clone(),
            status: status.into(),
            contact_id: site.derive(&format!("contact {id}")),
            privacy_status: profile.privacy_status,
            activity_status: ActivityStatus::Active,
            created: profile.created_date.map(Timestamp),
            updated: profile.updated_date.or(profile.created_date).map(Timestamp),
            last_login_date: profile.last_login_date.map(Timestamp),
            contact_details: Some(profile.contact_details),
            profile: PublicProfile { nickname: profile.nickname, slug: profile.slug },
            id,
        }
    }

    /// As much of it as this. Of the public part the statuses are unknown, as in Wix.
    #[must_use]
    pub fn fieldset(self, fieldset: Fieldset) -> Self {
        match fieldset {
            Fieldset::Full => self,
            Fieldset::Public => Self {
                login_email: None,
                status: MemberStatus::Unknown,
                privacy_status: PrivacyStatus::Unknown,
                activity_status: ActivityStatus::Unknown,
                last_login_date: None,
                contact_details: None,
                ..self
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ada() -> MemberUser {
        let mut profile = MemberProfile { created_date: Some(1_622_415_113_266), ..MemberProfile::default() };
        profile.nickname = Some("Ada".into());
        profile.contact_details.phones = vec!["1".into()];
        profile.contact_details.custom.insert("team".into(), json!(7));
        let mut user = User::new(1.into(), profile);
        user.email = Some("ada@example.com".into());
        user
    }

    fn site() -> SiteId {
        SiteId::new("1ff46a96-dea6-49da-83ba-5164fb62d839").unwrap()
    }

    #[test]
    fn a_profile_is_stored_and_read_again() {
        let profile = ada().profile;
        let stored = serde_json::to_value(&profile).unwrap();
        assert_eq!(stored["privacyStatus"], "PRIVATE");
        assert_eq!(serde_json::from_value::<MemberProfile>(stored).unwrap(), profile);
        // Of an account from before it was a member's.
        assert_eq!(serde_json::from_value::<MemberProfile>(json!({})).unwrap(), MemberProfile::default());
    }

    #[test]
    fn a_member_is_written_as_wix_writes_it() {
        let member = Member::new(&site(), &ada(), AccountStatus::Active);
        let (id, contact) = (member.id.clone(), member.contact_id.clone());
        assert_ne!(id.as_str(), contact);
        assert_eq!(
            serde_json::to_value(&member).unwrap(),
            json!({
                "_id": id, "loginEmail": "ada@example.com", "status": "APPROVED", "contactId": contact,
                "privacyStatus": "PRIVATE", "activityStatus": "ACTIVE",
                "_createdDate": "2021-05-30T22:51:53.266Z", "_updatedDate": "2021-05-30T22:51:53.266Z",
                "contactDetails": {"phones": ["1"], "team": 7}, "profile": {"nickname": "Ada"},
            })
        );
        assert_eq!(
            serde_json::to_value(member.fieldset(Fieldset::Public)).unwrap(),
            json!({
                "_id": id, "status": "UNKNOWN", "contactId": contact,
                "privacyStatus": "UNKNOWN", "activityStatus": "UNKNOWN",
                "_createdDate": "2021-05-30T22:51:53.266Z", "_updatedDate": "2021-05-30T22:51:53.266Z",
                "profile": {"nickname": "Ada"},
            })
        );
    }

    #[test]
    fn every_status_has_a_word() {
        for (status, word) in [
            (AccountStatus::Active, "APPROVED"),
            (AccountStatus::Pending, "PENDING"),
            (AccountStatus::Blocked, "BLOCKED"),
            (AccountStatus::PasswordReset, "APPROVED"),
        ] {
            assert_eq!(serde_json::to_value(MemberStatus::from(status)).unwrap(), word);
        }
    }

    #[test]
    fn contact_details_are_measured() {
        let read = |json: Value| serde_json::from_value::<ContactInfo>(json).unwrap();
        let own = ["team".to_owned()];
        for sound in
            [json!({}), json!({"firstName": "Ada", "emails": ["a@x.com"], "phones": ["+49 1"], "team": {"a": 1}})]
        {
            assert_eq!(read(sound).mistake(&own), None);
        }
        for (json, field) in [
            (json!({"firstName": "a\0b"}), "contactInfo.firstName"),
            (json!({"lastName": "x".repeat(1025)}), "contactInfo.lastName"),
            (json!({"emails": ["nope"]}), "contactInfo.emails"),
            (json!({"phones": vec!["1"; 51]}), "contactInfo.phones"),
            (json!({"other": 1}), "contactInfo.other"),
            (json!({"team": "x".repeat(20_000)}), "contactInfo"),
        ] {
            assert_eq!(read(json).mistake(&own).as_deref(), Some(field));
        }
    }
}
