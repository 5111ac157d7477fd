//! A user of the built-in type as a row of `gatekit_users`.

use gatekit_core::{
    AccountStatus, Model, PasswordHash, ProfileError, StoreError, StoredUser, User, UserId, profile_to_json,
};

use crate::row::{Row, Table};

pub(crate) const TABLE: Table = Table("gatekit_users");

pub(crate) fn stored_from_row<P: Model>(row: &impl Row) -> Result<StoredUser<User<P>>, StoreError> {
    let password: Option<String> = TABLE.get_nullable(row, "password")?;
    let status: &str = TABLE.get(row, "status")?;
    Ok(StoredUser {
        user: user_from_row(row)?,
        rev: TABLE.get(row, "rev")?,
        password: password.map(PasswordHash::from_stored),
        status: match AccountStatus::from_stored(status) {
            Some(status) => status,
            None => return Err(corrupt("status", TABLE.get(row, "id")?)),
        },
    })
}

pub(crate) fn user_from_row<P: Model>(row: &impl Row) -> Result<User<P>, StoreError> {
    let id: i64 = TABLE.get(row, "id")?;
    let profile = profile_from_text(TABLE.get_nullable(row, "profile")?).map_err(|_| corrupt("profile", id))?;
    let mut user = User::new(UserId::Int(id), profile);
    user.realm = TABLE.get_nullable(row, "realm")?;
    user.username = TABLE.get_nullable(row, "username")?;
    user.email = TABLE.get_nullable(row, "email")?;
    user.email_verified = TABLE.get_nullable(row, "email_verified")?;
    Ok(user)
}

fn profile_from_text<P: Model>(text: Option<&str>) -> Result<P, StoreError> {
    serde_json::from_str(text.unwrap_or("{}")).map_err(|_| TABLE.corrupt("profile"))
}

/// Whether `text` is how this profile, or one equal to it, was written.
pub(crate) fn is_written_as<P: Model>(profile: &P, text: Option<&str>) -> Result<bool, StoreError> {
    if profile_to_text(profile)?.as_deref() == text {
        return Ok(true);
    }
    let json = |profile: &P| serde_json::to_value(profile).map_err(|_| unwritable());
    Ok(json(profile)? == json(&profile_from_text(text)?)?)
}

pub(crate) fn unwritable() -> StoreError {
    StoreError::failed("the profile cannot be written as JSON")
}

/// Whoever reads the log has to find the row.
fn corrupt(column: &str, id: i64) -> StoreError {
    StoreError::corrupt(format_args!("{}.{column} of the row with id {id}", TABLE.0))
}

/// Deeper profiles are not written, whatever the policy says: serde_json reads 128 levels at most,
/// and what it cannot read is lost.
const MAX_DEPTH: usize = 100;

/// `None` for the empty object, so that a user without fields of the app's own has none in the row.
pub(crate) fn profile_to_text(profile: &impl Model) -> Result<Option<String>, StoreError> {
    let text = profile_to_json(profile, usize::MAX, MAX_DEPTH).map_err(|error| match error {
        ProfileError::Unwritable => unwritable(),
        error => StoreError::failed(format!("the profile {error}")),
    })?;
    match text.as_str() {
        "{}" => Ok(None),
        object if object.starts_with('{') => Ok(Some(text)),
        _ => {
            Err(StoreError::failed("the profile is not a JSON object: it must be a struct with named fields or a map"))
        }
    }
}
