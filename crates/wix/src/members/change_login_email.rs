//! `changeLoginEmail`: another address for a member.

use gatekit_core::UpdateUser;
use serde_json::{Map, Value};

use super::WixMembers;
use crate::{Member, MemberId, WixError};

impl WixMembers {
    /// Gives a member another address to log in with, which is not proven yet. Its sessions end,
    /// and the old address is told. For trusted callers: a member itself proves the new address
    /// first (`Auth::request_email_change`).
    ///
    /// # Errors
    ///
    /// [`WixError::UnknownMember`], [`WixError::EmailTaken`], [`WixError::EmailMissing`],
    /// [`WixError::Invalid`], [`WixError::Unavailable`].
    pub async fn change_login_email(&self, member: &MemberId, new: &str) -> Result<Member, WixError> {
        let user = member.user_id(&self.0.site).ok_or(WixError::UnknownMember)?;
        let changes = Map::from_iter([
            ("email".to_owned(), Value::from(new)),
            ("updatedDate".to_owned(), Value::from(self.auth().now().0)),
        ]);
        let user = self.auth().update_user(UpdateUser::patch(user, changes).trusted()).await?;
        let account = self.account_of(&user).await?;
        Ok(self.member(&account))
    }
}
