//! The mails around an account that waits for approval: to whoever decides, and to its owner once
//! it is approved of.

use crate::mails::{Ask, OwnWords};
use crate::{Account, Auth, CounterLimit, MailKind, MailOptions, TokenDigest, Unavailable, UserId};

/// How many mails one approver gets in an hour, however many sign up: strangers cause them. Whoever
/// waits is in the list all the same ([`Auth::users_with_status`]).
const PER_HOUR: CounterLimit = CounterLimit { events: 20, window_ms: 3_600_000 };

impl<U: Account> Auth<U> {
    /// Tells the person at `approver` that a user has signed up and waits. `link` leads to where
    /// that is decided; without one the mail says who waits. One approver gets at most 20 of these
    /// mails an hour. Returns whether this one is sent.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn notify_approver(
        &self,
        approver: &str,
        user: &U,
        link: Option<String>,
        mails: &MailOptions,
    ) -> Result<bool, Unavailable> {
        let words = ["approval mails", U::model_name(), approver].map(|word| format!("{}:{word}", word.len()));
        let key = TokenDigest::of(&words.concat());
        if !self.bounded(self.counters()?.add_event(&key, PER_HOUR, self.now())).await? {
            tracing::warn!(user = %user.id(), "an approver has got as many mails as may be sent in an hour; who waits is in the list");
            return Ok(false);
        }
        let ask = link.map_or(Ask::Nothing, Ask::Link);
        let values = [("account", user.email().or(user.username()).unwrap_or_default())];
        self.post(self.compose(MailKind::ApprovalRequested, approver, mails, ask, &values, &OwnWords::default()), None);
        Ok(true)
    }

    /// Tells a user by mail that the account was approved of. A user without an address gets none.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn notify_approved(&self, user: &UserId, mails: &MailOptions) -> Result<(), Unavailable> {
        let found = self.bounded(self.0.users.find_user(user)).await?;
        if let Some(to) = found.as_ref().and_then(|found| found.user.email()) {
            let own = OwnWords::default();
            self.post(self.compose(MailKind::AccountApproved, to, mails, Ask::Nothing, &[], &own), None);
        }
        Ok(())
    }
}
