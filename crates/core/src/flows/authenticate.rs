//! Who a token belongs to.

use std::sync::Arc;

use async_trait::async_trait;

use crate::audit::short;
use crate::auth::Inner;
use crate::bounded::bounded;
use crate::{
    AccessRequest, Account, Auth, AuthenticateError, Authenticated, Authenticator, Client, CrossOriginRequest,
    DeniedAccess, Event, Method, PublicUrl, Recheck, StoreError, Timestamp, TokenChanges, TokenDigest, TokenEnd,
    TokenForm, TokenOwner, TokenRecord, TokenSecret, TokenState, TokenWatch, UserId,
};

/// Longer texts are no token of anybody's; LoopBack lets an app choose the length, and nobody chose
/// more than this.
const MAX_BYTES: usize = 512;

impl<U: Account> Auth<U> {
    /// Finds the user `token` belongs to, with one query.
    ///
    /// The token is alive if it is stored, has not expired, and was issued under the user's present
    /// `rev`. An expired one is removed on the way, as in LoopBack.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use gatekit_core::{Auth, AuthenticateError, MemoryStore};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// assert!(matches!(auth.authenticate("never issued").await, Err(AuthenticateError::Invalid)));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`]; a store that fails is [`AuthenticateError::Unavailable`].
    pub async fn authenticate(&self, token: &str) -> Result<Authenticated<U>, AuthenticateError> {
        if token.is_empty() || token.len() > MAX_BYTES {
            return Err(AuthenticateError::Invalid);
        }
        self.authenticate_digest(&TokenDigest::of(token)).await
    }

    /// As [`authenticate`](Self::authenticate), for whoever keeps digests and not secrets, as a
    /// server-side session does.
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`].
    pub async fn authenticate_digest(&self, digest: &TokenDigest) -> Result<Authenticated<U>, AuthenticateError> {
        let auth = &*self.0;
        let found = bounded(auth.policy.store.timeout, auth.users.find_token_owner(&*auth.tokens, digest)).await?;
        let now = auth.clock.now();
        let Some(mut owner) = found else { return Err(AuthenticateError::Invalid) };
        // What is done for few requests is boxed: the future of every request stays small.
        match auth.standing(&owner, now) {
            Standing::Valid => {}
            Standing::Revoked => return Err(AuthenticateError::Invalid),
            Standing::Expired => {
                Box::pin(self.remove_expired(&owner.token)).await;
                return Err(AuthenticateError::Expired);
            }
        }
        if let Some(touched) = self.touched(&owner.token, now) {
            Box::pin(self.touch(&mut owner.token, touched)).await;
        }
        Ok(self.caller(owner))
    }

    fn caller(&self, owner: TokenOwner<U>) -> Authenticated<U> {
        let watch: Arc<dyn TokenWatch> = Arc::clone(&self.0) as _;
        let TokenOwner { token, user, roles, .. } = owner;
        let mut caller = Authenticated::with_token(user, token).watched_by(watch);
        caller.roles = roles;
        caller
    }

    async fn remove_expired(&self, token: &TokenRecord) {
        if let Err(error) = self.bounded(self.0.tokens.delete_token(&token.digest)).await {
            tracing::warn!(%error, "an expired token was refused but could not be removed");
        }
        self.0.waiting.recheck(&token.user_id);
    }

    /// Notes that a token is used, and begins its lifetime anew: one write for both. If that fails
    /// it is logged, and the token is as good as it was.
    async fn touch(&self, token: &mut TokenRecord, touched: TokenRecord) {
        match self.bounded(self.0.tokens.update_token(token, &touched)).await {
            Ok(true) => *token = touched,
            // Another request with this token did it.
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "a token was used but that could not be noted"),
        }
    }

    /// The token as it is to be after a use at `now`; `None` if the policy changes nothing now.
    fn touched(&self, token: &TokenRecord, now: Timestamp) -> Option<TokenRecord> {
        let (renewed, last_used) = (self.renewed(token, now), self.last_used(token, now));
        let is_as_it_was = renewed == token.renewed && last_used == token.last_used;
        (!is_as_it_was).then(|| TokenRecord { renewed, last_used, ..token.clone() })
    }

    /// Sliding expiry: when the lifetime of a token that is used now begins.
    fn renewed(&self, token: &TokenRecord, now: Timestamp) -> Option<Timestamp> {
        let policy = &self.0.policy;
        let Some(after) = policy.tokens.renew_after.filter(|_| token.ttl > 0) else { return token.renewed };
        let begun = token.renewed.unwrap_or(token.created);
        let latest = token.created.plus_seconds(policy.tokens.max_ttl.saturating_sub(token.ttl));
        let renewed = now.min(latest);
        if now < begun.plus_seconds(after.into()) || renewed <= begun { token.renewed } else { Some(renewed) }
    }

    /// When a token that is used now was last used: not more precise than the policy says.
    fn last_used(&self, token: &TokenRecord, now: Timestamp) -> Option<Timestamp> {
        let precision = self.0.policy.tokens.last_used_precision.filter(|_| token.client.is_some());
        let noted = token.last_used.unwrap_or(token.created);
        match precision {
            Some(seconds) if now >= noted.plus_seconds(seconds.into()) => Some(now),
            _ => token.last_used,
        }
    }
}

/// What a stored token is worth now.
enum Standing {
    Valid,
    Expired,
    Revoked,
}

impl<U: Account> Inner<U> {
    fn standing(&self, owner: &TokenOwner<U>, now: Timestamp) -> Standing {
        // A token of another kind of user that shares the store: the user with the same id is
        // somebody else.
        if owner.token.user_type != U::model_name() {
            return Standing::Revoked;
        }
        let eternal = owner.token.ttl < 0 && !self.policy.tokens.allow_eternal;
        if eternal || owner.token.is_expired(now) {
            Standing::Expired
        } else if owner.token.rev != owner.rev {
            Standing::Revoked
        } else {
            Standing::Valid
        }
    }
}

/// A check does not count as a use of the token: it neither renews it nor is noted.
#[async_trait]
impl<U: Account> TokenWatch for Inner<U> {
    async fn check(&self, token: Option<&TokenRecord>) -> Result<TokenState, StoreError> {
        let Some(token) = token else { return Ok(TokenState::Ended(TokenEnd::Revoked)) };
        let asked = self.users.find_token_owner(&*self.tokens, &token.digest);
        let found = bounded(self.policy.store.timeout, asked).await?;
        let now = self.clock.now();
        let standing = found.as_ref().map_or(Standing::Revoked, |owner| self.standing(owner, now));
        Ok(match (standing, found) {
            (Standing::Valid, Some(owner)) => TokenState::Valid(owner.token.expires()),
            (Standing::Expired, _) => TokenState::Ended(TokenEnd::Expired),
            // The purge may have taken a token that expired.
            _ if token.is_expired(now) => TokenState::Ended(TokenEnd::Expired),
            _ => TokenState::Ended(TokenEnd::Revoked),
        })
    }

    fn changes(&self, token: Option<&TokenRecord>) -> Option<TokenChanges> {
        token.map(|token| self.waiting.of_token(token))
    }

    fn recheck(&self) -> Recheck {
        Recheck { every: self.policy.tokens.recheck, grace: self.policy.tokens.recheck_grace }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl<U: Account> Auth<U> {
    /// What this process does to the tokens of a user from now on, for an authenticator of another
    /// crate whose tokens end with those of an `Auth`.
    #[must_use]
    pub fn token_changes(&self, user: &UserId) -> TokenChanges {
        self.0.waiting.of_user(user)
    }
}

#[async_trait]
impl<U: Account> Authenticator for Auth<U> {
    type Principal = U;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<U>, AuthenticateError> {
        Auth::authenticate(self, token).await
    }

    async fn authenticate_digest(&self, digest: &TokenDigest) -> Result<Authenticated<U>, AuthenticateError> {
        Auth::authenticate_digest(self, digest).await
    }

    /// Its own tokens have 64 characters of base62. Tokens that an app has carried over from
    /// LoopBack may have other lengths, and are letters, digits and `_`, `-`, `$` at most.
    fn token_form(&self, token: &str) -> TokenForm {
        let is_of_an_id = |byte: u8| byte.is_ascii_alphanumeric() || b"_-$".contains(&byte);
        if TokenSecret::is_well_formed(token) {
            TokenForm::Own
        } else if token.is_empty() || token.len() > MAX_BYTES || !token.bytes().all(is_of_an_id) {
            TokenForm::Foreign
        } else {
            TokenForm::Possible
        }
    }

    fn on_cross_origin(&self, request: &CrossOriginRequest<'_>) {
        let mut client = Client::default();
        (client.user_agent, client.ip) = (request.user_agent.map(str::to_owned), request.ip);
        let origin = request.origin.map(short);
        self.for_client(client).raise(Event::CrossOriginRefused { origin });
    }

    fn on_access_denied(&self, caller: &Authenticated<U>, denied: &DeniedAccess<'_>) {
        let mut client = Client::default();
        (client.user_agent, client.ip) = (denied.user_agent.map(str::to_owned), denied.ip);
        self.for_client(client).report_denied(&caller.principal.id(), denied.required, None);
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn public_url(&self) -> Option<&PublicUrl> {
        Auth::public_url(self)
    }

    async fn is_in_role(&self, caller: &Authenticated<U>, role: &str) -> Result<bool, StoreError> {
        let access = AccessRequest { method: Method::ANY, caller: Some(caller), target: None };
        Auth::is_in_role(self, role, &access).await
    }
}
