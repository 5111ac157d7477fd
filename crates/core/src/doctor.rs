//! What is wrong with the users that are stored: rows that were imported, written by another
//! program, or stored before there was a rule.
//!
//! A rule for new values does not change old rows. [`Auth::doctor`] reads all users once and lists
//! those that break a rule, so that an operator can mend them before their owners notice.

use std::collections::VecDeque;
use std::fmt;

use crate::flows::lookup::spelling;
use crate::{
    Account, Auth, HashProblem, Identifier, IdentifierKind, ListedUser, Need, StoreError, StoredUser, Unavailable,
    UserId, UserOperation,
};

/// How many users are in memory at a time.
const PAGE: u32 = 500;

/// A user that breaks a rule. `Display` is one line for an operator, and holds neither address,
/// name nor hash.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// Which user.
    pub user_id: UserId,
    /// What is wrong.
    pub problem: UserProblem,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user {}: {}", self.user_id, self.problem)
    }
}

/// What is wrong with a user.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserProblem {
    /// The address or name is stored in another spelling than the policy writes. The user is found
    /// nevertheless, if the store overrides
    /// [`UserStore::find_users_like`](crate::UserStore::find_users_like) or the user types what is
    /// stored.
    #[error(
        "the {0} is stored in another spelling than the policy writes (capitals, Unicode form, invisible characters or blanks)"
    )]
    Spelling(IdentifierKind),
    /// Other users have the same address or name in another spelling. Each of them is found only by
    /// its exact spelling.
    #[error("the {kind} is that of other users in another spelling: {}", .others.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Twins {
        /// Address or name.
        kind: IdentifierKind,
        /// The other users.
        others: Vec<UserId>,
    },
    /// No user could get this address today: it is malformed, or no mail can be sent to it.
    #[error("no mail can be sent to the email address")]
    Unmailable,
    /// No user could get this name today: it is too long, or has control, private or unassigned
    /// characters.
    #[error("the username has characters that a name cannot have, or is too long")]
    Name,
    /// The stored hash of the password cannot be verified, or only in part.
    #[error("{0}")]
    Hash(HashProblem),
    /// The row cannot be read. Requests about this user fail.
    #[error("the row cannot be read: {0}")]
    Unreadable(StoreError),
}

/// All users, one after the other, and what is wrong with them. See [`Auth::doctor`].
#[derive(Debug)]
#[must_use = "nothing is read before `next` is awaited"]
pub struct Doctor<U: Account> {
    auth: Auth<U>,
    after: Option<UserId>,
    is_done: bool,
    findings: VecDeque<Finding>,
}

impl<U: Account> Auth<U> {
    /// Lists the users that break a rule of this `Auth`'s policy. It changes nothing, reads 500
    /// users at a time, and may run beside the app.
    ///
    /// It needs a store with [`UserOperation::List`](crate::UserOperation::List): Gatekit's own
    /// have it, and an app's own table gets it with one method.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, MemoryStore, NewUser, NoProfile, User, UserStore};
    ///
    /// let store = MemoryStore::<NoProfile>::new();
    /// // As another program would import it.
    /// store.create_user(NewUser::new("Ann.Lee@Example.com", NoProfile {})).await?;
    ///
    /// let auth: Auth = Auth::new(store);
    /// let mut doctor = auth.doctor();
    /// let mut report = Vec::new();
    /// while let Some(finding) = doctor.next().await? {
    ///     report.push(finding.to_string());
    /// }
    /// assert_eq!(report.len(), 1);
    /// assert!(report[0].starts_with("user 1: the email is stored in another spelling"));
    /// # Ok(()) }
    /// ```
    pub fn doctor(&self) -> Doctor<U> {
        Doctor { auth: self.clone(), after: None, is_done: false, findings: VecDeque::new() }
    }
}

impl<U: Account> Doctor<U> {
    /// The next finding, or `None` when all users were looked at.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails, or cannot list its users. A later call goes on where
    /// this one failed.
    pub async fn next(&mut self) -> Result<Option<Finding>, Unavailable> {
        loop {
            if let Some(finding) = self.findings.pop_front() {
                return Ok(Some(finding));
            }
            if self.is_done {
                return Ok(None);
            }
            self.read_page().await?;
        }
    }

    async fn read_page(&mut self) -> Result<(), Unavailable> {
        let auth = self.auth.clone();
        if !auth.supports(UserOperation::List) {
            return Err(StoreError::Missing(Need::Users(UserOperation::List)).into());
        }
        let page = auth.bounded(auth.0.users.list_users(self.after.as_ref(), PAGE)).await?;
        let mut findings = VecDeque::new();
        let mut last = None;
        for listed in &page {
            let (id, problems) = match listed {
                ListedUser::Readable { namespace, user } => (user.user.id(), problems(&auth, namespace, user).await?),
                ListedUser::Unreadable { id, reason } => (id.clone(), vec![UserProblem::Unreadable(reason.clone())]),
            };
            findings.extend(problems.into_iter().map(|problem| Finding { user_id: id.clone(), problem }));
            last = Some(id);
        }
        self.is_done = last.is_none();
        self.after = last.or(self.after.take());
        self.findings = findings;
        Ok(())
    }
}

async fn problems<U: Account>(
    auth: &Auth<U>,
    namespace: &str,
    stored: &StoredUser<U>,
) -> Result<Vec<UserProblem>, Unavailable> {
    let (policy, user) = (auth.policy(), &stored.user);
    let mut problems = Vec::new();
    for kind in [IdentifierKind::Email, IdentifierKind::Username] {
        let Some(typed) = spelling(user, kind) else { continue };
        let (is_accepted, refused) = match kind {
            IdentifierKind::Email => (auth.accepts_email(typed), UserProblem::Unmailable),
            IdentifierKind::Username => (policy.accepts_username(typed), UserProblem::Name),
        };
        let value = policy.canonical(kind, typed);
        // A row in the canonical spelling is unique by the store's index, so of two twins one at
        // least is in another.
        if value != typed {
            let identifier = Identifier { namespace: namespace.to_owned(), kind, value };
            let others = auth.users_called(&identifier, typed).await?;
            let others: Vec<UserId> =
                others.iter().map(|other| other.user.id()).filter(|other| *other != user.id()).collect();
            problems.push(UserProblem::Spelling(kind));
            if !others.is_empty() {
                problems.push(UserProblem::Twins { kind, others });
            }
        }
        if !is_accepted {
            problems.push(refused);
        }
    }
    problems.extend(stored.password.as_ref().and_then(HashProblem::of).map(UserProblem::Hash));
    Ok(problems)
}
