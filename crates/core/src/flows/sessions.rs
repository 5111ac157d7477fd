//! A user's tokens: which there are, and how they are ended.

use crate::flows::commits::NewRev;
use crate::flows::compare_and_set::{ATTEMPTS, changes_too_often};
use crate::{Account, Auth, Event, IssueToken, IssueTokenError, TokenDigest, TokenRecord, Unavailable, UserId};

impl<U: Account> Auth<U> {
    /// The tokens of a user that are alive, the oldest first. They are named by
    /// [`TokenRecord::handle`]: the secrets are nowhere.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, Login, MemoryStore, Register};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    /// auth.login(Login::email("ada@example.com", "correct horse battery")).await?;
    ///
    /// let sessions = auth.list_tokens(&ada.id).await?;
    /// assert_eq!(sessions.len(), 1);
    /// assert!(auth.revoke_token(&ada.id, &sessions[0].handle()).await?);
    /// assert!(auth.list_tokens(&ada.id).await?.is_empty());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn list_tokens(&self, user: &UserId) -> Result<Vec<TokenRecord>, Unavailable> {
        let auth = &*self.0;
        let Some(found) = self.bounded(auth.users.find_user(user)).await? else { return Ok(Vec::new()) };
        let mut tokens = self.bounded(auth.tokens.list_tokens_of(U::model_name(), user)).await?;
        let now = auth.clock.now();
        tokens.retain(|token| {
            token.rev == found.rev && !token.is_expired(now) && (token.ttl >= 0 || auth.policy.tokens.allow_eternal)
        });
        Ok(tokens)
    }

    /// The living token of a user with this name: its handle, or its secret, which only its holder
    /// can know.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn find_token(&self, user: &UserId, name: &str) -> Result<Option<TokenRecord>, Unavailable> {
        let digest = TokenDigest::of(name);
        let mut tokens = self.list_tokens(user).await?.into_iter();
        Ok(tokens.find(|token| token.digest == digest || token.handle() == name))
    }

    /// Ends one token of a user, named by its handle or its secret. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails; the token is alive.
    pub async fn revoke_token(&self, user: &UserId, name: &str) -> Result<bool, Unavailable> {
        let Some(token) = self.find_token(user, name).await? else { return Ok(false) };
        let auth = self.clone();
        self.change(|mut change| async move {
            let ended = auth.commit_token_end(&mut change, &token.digest).await?;
            if ended {
                auth.0.waiting.token_ended(&token.user_id, &token.digest);
                auth.emit(Event::LoggedOut { user_id: token.user_id }).await;
            }
            Ok(ended)
        })
        .await
    }

    /// Changes lifetime and scopes of a living token; what is `None` stays. Returns the token as it
    /// is then, or `None` if there is none of this name.
    ///
    /// # Errors
    ///
    /// [`IssueTokenError::InvalidTtl`], or [`IssueTokenError::Unavailable`] if the store fails.
    pub async fn update_token(
        &self,
        user: &UserId,
        name: &str,
        options: IssueToken,
    ) -> Result<Option<TokenRecord>, IssueTokenError> {
        let ttl = self.effective_ttl(options.ttl).ok_or(IssueTokenError::InvalidTtl)?;
        for _ in 0..ATTEMPTS {
            let Some(old) = self.find_token(user, name).await? else { return Ok(None) };
            // A token that was renewed has lived for a while: in the end it lives no longer than
            // one that was not.
            let lived = old.renewed.map_or(0, |renewed| renewed.0.saturating_sub(old.created.0));
            let lived = lived.saturating_add(999).div_euclid(1000);
            let left = self.0.policy.tokens.max_ttl.saturating_sub(lived).max(old.ttl);
            let new = TokenRecord {
                ttl: if options.ttl.is_some() { ttl.min(left) } else { old.ttl },
                scopes: options.scopes.clone().or_else(|| old.scopes.clone()),
                ..old.clone()
            };
            if self.bounded(self.0.tokens.update_token(&old, &new)).await? {
                // Its end may be another one.
                self.0.waiting.recheck(user);
                return Ok(Some(new));
            }
        }
        Err(changes_too_often().into())
    }

    /// Ends all tokens of a user but the one to keep, in one atomic step (ASVS 7.4.3). Returns
    /// whether there is such a user.
    ///
    /// A store that fails may have ended them all the same. Then this looks whether they have
    /// ended; if so, they count as ended, and the one to keep ends too, since another request may
    /// be what has ended them.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn logout_everywhere(&self, user: &UserId, keep: Option<&TokenRecord>) -> Result<bool, Unavailable> {
        let (auth, user, keep) = (self.clone(), user.clone(), keep.cloned());
        let before = match &keep {
            Some(keep) => keep.rev,
            None => match self.bounded(self.0.users.find_user(&user)).await? {
                Some(found) => found.rev,
                None => return Ok(false),
            },
        };
        self.change(|mut change| async move {
            let ended = auth.commit_new_rev(&mut change, &user, before).await?;
            let Some(NewRev { rev, acknowledged }) = ended else { return Ok(false) };
            let keep = keep.filter(|_| acknowledged);
            auth.after_new_rev(&user, keep.as_ref(), rev).await;
            auth.emit(Event::LoggedOutEverywhere { user_id: user }).await;
            Ok(true)
        })
        .await
    }
}
