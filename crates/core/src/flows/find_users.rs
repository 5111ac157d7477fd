//! Users by id, by what they have, and how many there are.

use crate::{Account, Auth, Unavailable, UserCursor, UserId, UserPage, UserQuery, Where};

impl<U: Account> Auth<U> {
    /// The user with this id.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn find_user(&self, id: &UserId) -> Result<Option<U>, Unavailable> {
        Ok(self.bounded(self.0.users.find_user(id)).await?.map(|found| found.user))
    }

    /// The user whose id `text` names, such as a segment of a path: an integer is tried first where
    /// it is written as one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn find_user_named(&self, text: &str) -> Result<Option<U>, Unavailable> {
        // `01`, `+1` and `1.0` are not how an id is written, so they are nobody's.
        let number = text.parse().ok().map(UserId::Int).filter(|id| id.is_named(text));
        if let Some(id) = number
            && let Some(found) = self.find_user(&id).await?
        {
            return Ok(Some(found));
        }
        self.find_user(&UserId::from(text)).await
    }

    /// A condition with its addresses and names as they are stored: in the one spelling of
    /// [`normalize`](crate::normalize), and in lower case where the policy says so (LoopBack's
    /// `caseSensitiveEmail`).
    #[must_use]
    pub fn canonical_where(&self, condition: Where) -> Where {
        let policy = &self.0.policy;
        let condition = match policy.identifiers.case_sensitive_email && !policy.identifiers.normalize {
            true => condition,
            false => condition.map_texts("email", &|email| policy.canonical_email(email)),
        };
        match policy.identifiers.normalize {
            true => condition.map_texts("username", &|name| policy.canonical_username(name)),
            false => condition,
        }
    }

    /// The users a query asks for.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails or does not do this
    /// ([`UserOperation::Find`](crate::UserOperation::Find)).
    pub async fn find_users(&self, query: &UserQuery) -> Result<Vec<U>, Unavailable> {
        Ok(self.bounded(self.0.users.find_users(query)).await?)
    }

    /// A part of the users a query asks for: the first one, or the one that begins where another
    /// has ended. For many users, which together would take a lot of memory.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, MemoryStore, Register, UserQuery};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    ///
    /// let (query, mut count) = (UserQuery::default(), 0);
    /// let mut page = auth.find_users_page(&query, None).await?;
    /// loop {
    ///     count += page.users.len();
    ///     let Some(next) = page.next else { break };
    ///     page = auth.find_users_page(&query, Some(next)).await?;
    /// }
    /// assert_eq!(count, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`find_users`](Self::find_users). `policy.store.timeout` is for each part.
    pub async fn find_users_page(
        &self,
        query: &UserQuery,
        from: Option<UserCursor>,
    ) -> Result<UserPage<U>, Unavailable> {
        Ok(self.bounded(self.0.users.find_users_page(query, from)).await?)
    }

    /// How many users a condition holds for.
    ///
    /// # Errors
    ///
    /// As [`find_users`](Self::find_users).
    pub async fn count_users(&self, condition: &Where) -> Result<u64, Unavailable> {
        Ok(self.bounded(self.0.users.count_users(condition)).await?)
    }
}
