//! A row as LoopBack writes it in a model definition, in `model-config.json` and in its ACL table.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AccessType, AclRow, Decision, Method, Permission, Principal};
use crate::UserId;

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    principal_type: Cow<'static, str>,
    principal_id: UserId,
    permission: Cow<'static, str>,
    #[serde(default)]
    property: Option<Property>,
    #[serde(default)]
    access_type: Option<Cow<'static, str>>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Property {
    One(Cow<'static, str>),
    Many(Vec<Cow<'static, str>>),
}

/// What in an entry of a LoopBack access control list cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an access control list has {member} {value:?}, which is not one of {known}")]
pub struct InvalidAclRow {
    member: &'static str,
    value: String,
    known: &'static str,
}

impl TryFrom<Entry> for AclRow {
    type Error = InvalidAclRow;

    fn try_from(entry: Entry) -> Result<Self, InvalidAclRow> {
        let invalid = |member, value: &str, known| InvalidAclRow { member, value: value.to_owned(), known };
        let principal = match &*entry.principal_type {
            "ROLE" => Principal::Role(entry.principal_id.to_string().into()),
            "USER" => Principal::User(entry.principal_id),
            other => return Err(invalid("principalType", other, "ROLE, USER")),
        };
        let permission = match &*entry.permission {
            "DEFAULT" => Permission::Default,
            "ALLOW" => Permission::Allow,
            "ALARM" => Permission::Alarm,
            "AUDIT" => Permission::Audit,
            "DENY" => Permission::Deny,
            other => return Err(invalid("permission", other, "DEFAULT, ALLOW, ALARM, AUDIT, DENY")),
        };
        let access = match entry.access_type.as_deref() {
            None | Some("*") => None,
            Some("READ") => Some(AccessType::Read),
            Some("WRITE") => Some(AccessType::Write),
            Some("EXECUTE") => Some(AccessType::Execute),
            Some(other) => return Err(invalid("accessType", other, "*, READ, WRITE, EXECUTE")),
        };
        let methods = match entry.property {
            None => None,
            Some(Property::One(name)) => Some(vec![name]),
            Some(Property::Many(names)) => Some(names),
        };
        Ok(Self { principal, permission, methods, access }.normalized())
    }
}

impl From<AclRow> for Entry {
    fn from(row: AclRow) -> Self {
        let (principal_type, principal_id) = match row.principal {
            Principal::Role(role) => ("ROLE", UserId::Text(role.into_owned())),
            Principal::User(id) => ("USER", id),
        };
        Self {
            principal_type: principal_type.into(),
            principal_id,
            permission: row.permission.as_str().into(),
            property: Some(row.methods.map_or(Property::One("*".into()), Property::Many)),
            access_type: Some(row.access.map_or("*", AccessType::as_str).into()),
        }
    }
}

/// As LoopBack's word.
impl Serialize for AccessType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for AclRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Entry::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AclRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Entry::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

/// As LoopBack's word.
impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// As a word.
impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// As its name.
impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_loopback_writes_is_read_and_written_back() {
        for (text, row) in [
            (
                r#"{"principalType":"ROLE","principalId":"$everyone","permission":"DENY","property":"*","accessType":"*"}"#,
                AclRow::deny("$everyone"),
            ),
            (
                r#"{"principalType":"USER","principalId":2,"permission":"AUDIT","property":["find"],"accessType":"READ"}"#,
                AclRow::audit(UserId::from(2)).methods(["find"]).access(AccessType::Read),
            ),
        ] {
            assert_eq!(serde_json::from_str::<AclRow>(text).unwrap(), row);
            assert_eq!(serde_json::to_string(&row).unwrap(), text);
        }
        let default =
            r#"{"principalType":"ROLE","principalId":"x","permission":"DEFAULT","property":"*","accessType":"*"}"#;
        let row: AclRow = serde_json::from_str(default).unwrap();
        assert_eq!(row, AclRow::new(Permission::Default, "x"));
        assert_eq!(serde_json::to_string(&row).unwrap(), default);
        let short = r#"{"principalType":"ROLE","principalId":"$owner","permission":"ALLOW","property":"findById"}"#;
        assert_eq!(serde_json::from_str::<AclRow>(short).unwrap(), AclRow::allow("$owner").methods(["findById"]));
    }

    #[test]
    fn what_cannot_be_followed_is_refused_by_name() {
        let entry = |kind: &str, permission: &str, access: &str| {
            let text = format!(
                r#"{{"principalType":"{kind}","principalId":"x","permission":"{permission}","accessType":"{access}"}}"#
            );
            serde_json::from_str::<AclRow>(&text).map_err(|error| error.to_string())
        };
        assert_eq!(entry("ROLE", "ALLOW", "*"), Ok(AclRow::allow("x".to_owned())));
        assert!(entry("APP", "ALLOW", "*").unwrap_err().contains(r#"principalType "APP""#));
        assert!(entry("ROLE", "allow", "*").unwrap_err().contains(r#"permission "allow""#));
        assert!(entry("ROLE", "ALLOW", "REPLICATE").unwrap_err().contains(r#"accessType "REPLICATE""#));
    }
}
