//! A proof of an address by a code of six digits: the code is mailed, and entered where it was
//! asked for.

use subtle::ConstantTimeEq;

use crate::flow_error::flow_error;
use crate::mails::Ask;
use crate::{
    Account, Auth, Change, CounterLimit, Event, MailKind, MailOptions, OneTimePurpose, OneTimeRecord, StoreError,
    TokenDigest, TokenSecret, UserId, random,
};

/// Somebody is to prove an address by a code.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestEmailCode {
    /// Whose address.
    pub user_id: UserId,
    /// How the mail is written. It has no link, so its language alone counts.
    pub mails: MailOptions,
}

impl RequestEmailCode {
    /// For the user with this id.
    #[must_use]
    pub fn new(user_id: impl Into<UserId>) -> Self {
        Self { user_id: user_id.into(), mails: MailOptions::default() }
    }

    /// With the mail written like this.
    #[must_use]
    pub fn mails(mut self, options: MailOptions) -> Self {
        self.mails = options;
        self
    }
}

flow_error! {
    /// Why no code was mailed. A route for anonymous callers hides the first two from them.
    pub enum RequestEmailCodeError {
        /// No user has the id.
        #[error("there is no user {0}")]
        UserNotFound(UserId) = NotFound "USER_NOT_FOUND",
        /// The user has no address.
        #[error("the user has no address")]
        NoEmail = NotFound "NO_EMAIL",
        /// The user has tried as many codes as `Policy::email_code_attempts` allows, and gets
        /// another one within `Policy::email_code_ttl`.
        #[error("too many codes were tried")]
        TooManyAttempts = TooMany "TOO_MANY_ATTEMPTS",
        /// The user has got as many codes as `Policy::mails_per_hour` allows within
        /// `Policy::email_code_ttl`. The last one stays good.
        #[error("too many codes were mailed")]
        TooManyMails = TooMany "TOO_MANY_MAILS",
    }
}

flow_error! {
    /// Why an address was not verified. The code stays good where the error is `Unavailable`.
    pub enum ConfirmEmailCodeError {
        /// The state is unknown, used, replaced by a newer one, too old, or for another address
        /// than the user has now.
        #[error("the code was not asked for here, or it has ended")]
        InvalidState = Invalid "INVALID_STATE",
        /// It is another code.
        #[error("the code is wrong")]
        WrongCode = Invalid "WRONG_CODE",
        /// The user has tried too many; this code was not looked at.
        #[error("too many codes were tried")]
        TooManyAttempts = TooMany "TOO_MANY_ATTEMPTS",
    }
}

const PURPOSE: OneTimePurpose = OneTimePurpose::EMAIL_CODE;

impl<U: Account> Auth<U> {
    /// Mails a code of six digits to the user's address. Returns the state: a secret for whoever
    /// has asked, without which the code is worth nothing (ASVS 6.6.2). A code mailed before is
    /// worth nothing from then on. A user gets `policy.mail.per_hour` of these mails within
    /// `policy.email.code_ttl`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, ConfirmEmailCodeError, MemoryStore, Register, RequestEmailCode};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    ///
    /// // To the browser goes the state, and to the mailbox the code.
    /// let state = auth.request_email_code(RequestEmailCode::new(ada.id)).await?;
    /// let typed = "000000";
    /// let error = auth.confirm_email_code(state.expose(), typed).await.unwrap_err();
    /// assert!(matches!(error, ConfirmEmailCodeError::WrongCode));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RequestEmailCodeError`].
    pub async fn request_email_code(&self, request: RequestEmailCode) -> Result<TokenSecret, RequestEmailCodeError> {
        let found = self.bounded(self.0.users.find_user(&request.user_id)).await?;
        let found = found.ok_or_else(|| RequestEmailCodeError::UserNotFound(request.user_id.clone()))?;
        let to = found.user.email().ok_or(RequestEmailCodeError::NoEmail)?.to_owned();
        let auth = self.clone();
        self.change(|mut change| async move {
            let (state, code) = auth.new_code(&mut change, &request.user_id, found.rev, &to).await?;
            let minutes = auth.0.policy.email.code_ttl.div_euclid(60).max(1).to_string();
            let values = [("minutes", minutes.as_str())];
            auth.post_mail(MailKind::EmailCode, &to, &request.mails, Ask::Code(code.clone()), &values);
            auth.emit(Event::EmailCodeRequested { user: found.user, code }).await;
            Ok(state)
        })
        .await
    }

    /// Does the work of [`request_email_code`](Self::request_email_code) for an address that gets
    /// no code, and returns a state that belongs to no user. A code that is tried with it is
    /// counted and compared as any other, and is wrong. `before` is what a state that this has
    /// returned says it belongs to ([`OneTimeRecord::user_id`]): the new state takes its place.
    ///
    /// # Errors
    ///
    /// [`RequestEmailCodeError::TooManyAttempts`], [`RequestEmailCodeError::TooManyMails`],
    /// [`RequestEmailCodeError::Unavailable`].
    pub async fn pretend_email_code(
        &self,
        before: Option<&UserId>,
        mails: &MailOptions,
    ) -> Result<TokenSecret, RequestEmailCodeError> {
        let id = match before.filter(|id| is_nobody(id)) {
            Some(id) => id.clone(),
            None => nobody(&self.new_secret()?),
        };
        let _ = self.bounded(self.0.users.find_user(&id)).await?;
        let (auth, mails) = (self.clone(), mails.clone());
        self.change(|mut change| async move {
            let (state, _) = auth.new_code(&mut change, &id, 0, "").await?;
            auth.post_decoy(MailKind::EmailCode, &mails);
            Ok(state)
        })
        .await
    }

    /// Stores a new code in place of the one before. Returns the state and the code.
    async fn new_code(
        &self,
        change: &mut Change,
        user: &UserId,
        rev: i64,
        email: &str,
    ) -> Result<(TokenSecret, TokenSecret), RequestEmailCodeError> {
        let auth = &*self.0;
        let now = self.now();
        // A code that cannot be tried is not worth a mail.
        let (tries, limit) = (tries_of::<U>(user), self.limit_on_tries());
        if !self.bounded(self.counters()?.has_room(&tries, limit, now)).await? {
            return Err(RequestEmailCodeError::TooManyAttempts);
        }
        // A state that belongs to no user is counted as well: its client must not see a difference.
        if !self.count_mail(PURPOSE, user, auth.policy.email.code_ttl).await? {
            return Err(RequestEmailCodeError::TooManyMails);
        }
        let (state, code) = (self.new_secret()?, random::six_digits(&*auth.random)?);
        let record = OneTimeRecord {
            purpose: PURPOSE,
            digest: state.digest(),
            user_type: U::model_name().into(),
            user_id: Some(user.clone()),
            rev,
            expires: now.plus_seconds(auth.policy.email.code_ttl),
            email: Some(email.to_owned()),
            data: Some(mark(state.expose(), code.expose())),
        };
        self.discard_one_time_of(PURPOSE, user).await?;
        self.commit_secret(change, &record).await?;
        Ok((state, code))
    }

    /// Marks the user's address as verified, given the state and the code from the mail. Blanks in
    /// the code do not count.
    ///
    /// Each call is counted before the code is looked at, whoever makes it and with which state: of
    /// many at the same time no more than `policy.email.code_attempts` are looked at, and a new
    /// code brings no new tries (ASVS 6.6.3, NIST SP 800-63B-4 §3.1.3.2). Of many with the right
    /// code one succeeds. The code is good for the address it was mailed to, and for no later one.
    /// A store that fails leaves it as good as it was.
    ///
    /// # Errors
    ///
    /// [`ConfirmEmailCodeError`].
    pub async fn confirm_email_code(&self, state: &str, code: &str) -> Result<U, ConfirmEmailCodeError> {
        let record = self.find_one_time(PURPOSE, state).await?;
        let user = record.as_ref().and_then(|record| record.user_id.clone());
        let done = self.spend_email_code(record, state, code).await;
        if matches!(&done, Err(error) if !matches!(error, ConfirmEmailCodeError::Unavailable(_))) {
            self.reject_secret(PURPOSE, user.as_ref()).await;
        }
        done
    }

    async fn spend_email_code(
        &self,
        record: Option<OneTimeRecord>,
        state: &str,
        code: &str,
    ) -> Result<U, ConfirmEmailCodeError> {
        let record = record.ok_or(ConfirmEmailCodeError::InvalidState)?;
        let (Some(id), Some(email), Some(expected)) = (record.user_id, record.email, record.data) else {
            return Err(ConfirmEmailCodeError::InvalidState);
        };
        let tries = tries_of::<U>(&id);
        if !self.bounded(self.counters()?.add_event(&tries, self.limit_on_tries(), self.now())).await? {
            return Err(ConfirmEmailCodeError::TooManyAttempts);
        }
        let code: String = code.chars().filter(|c| !c.is_whitespace()).take(16).collect();
        if !bool::from(mark(state, &code).as_bytes().ct_eq(expected.as_bytes())) {
            return Err(ConfirmEmailCodeError::WrongCode);
        }
        let (auth, digest) = (self.clone(), record.digest);
        self.change(|mut change| async move {
            let user = auth.verify_address(&mut change, &id, &email).await?;
            let user = user.ok_or(ConfirmEmailCodeError::InvalidState)?;
            // The change is the same however often it is made; who takes the state is who made it.
            if !auth.commit_use(&mut change, PURPOSE, &digest).await? {
                return Err(ConfirmEmailCodeError::InvalidState);
            }
            if let Err(error) = auth.bounded::<_, StoreError>(auth.counters()?.clear_counter(&tries)).await {
                tracing::warn!(%error, "the codes a user has tried stay counted until they end");
            }
            auth.emit(Event::EmailVerified { user: user.clone() }).await;
            Ok(user)
        })
        .await
    }

    /// Each try counts as long as a code does.
    fn limit_on_tries(&self) -> CounterLimit {
        let policy = &self.0.policy;
        CounterLimit { events: policy.email.code_attempts, window_ms: policy.email.code_ttl.saturating_mul(1000) }
    }
}

/// Under which key the tries of a user are counted: the same for all of its codes.
fn tries_of<U: Account>(user: &UserId) -> TokenDigest {
    let kind = if matches!(user, UserId::Int(_)) { "number" } else { "text" };
    let words = ["email_code_try", U::model_name(), kind, &user.to_string()];
    TokenDigest::of(&words.map(|word| format!("{}:{word}", word.len())).concat())
}

/// Begins the ids under which the codes of no user are kept and counted.
const NOBODY: &str = "nobody:";

/// An id that no user has.
fn nobody(secret: &TokenSecret) -> UserId {
    UserId::Text(format!("{NOBODY}{}", secret.expose()))
}

fn is_nobody(id: &UserId) -> bool {
    matches!(id, UserId::Text(text) if text.starts_with(NOBODY))
}

/// What is kept of a code: without the state, which is kept nowhere, nobody can try all codes on
/// it.
fn mark(state: &str, code: &str) -> String {
    TokenDigest::of(&format!("{} {state} {code}", PURPOSE.as_str())).to_hex()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 6.5.2, 6.6.2: what is stored cannot be tried code by code without the state.
    #[test]
    fn the_same_code_has_another_mark_for_each_state() {
        let marks = ["a", "b", ""].map(|state| mark(state, "314159"));
        assert!(marks[0] != marks[1] && marks[1] != marks[2] && marks[0] != marks[2], "{marks:?}");
        assert_ne!(mark("a", "314159"), mark("a", "314158"));
    }
}
