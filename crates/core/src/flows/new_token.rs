//! A token that is about to be issued, while it has no secret yet.

use std::borrow::Cow;

use crate::{Account, Client, Proofs, StoredUser, Timestamp, TokenClient, TokenDigest, TokenRecord, UserId};

/// What a token will be. Secret and time of issue come with its commit.
pub(crate) struct NewToken {
    pub(crate) user_type: Cow<'static, str>,
    pub(crate) user_id: UserId,
    pub(crate) rev: i64,
    pub(crate) ttl: i64,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) proofs: Proofs,
    pub(crate) client: Option<TokenClient>,
}

impl NewToken {
    /// A token of this user, without scopes and proofs. It ends with the `rev` that the user had
    /// when it was read.
    pub(crate) fn of<U: Account>(user: &StoredUser<U>, ttl: i64, client: &Client) -> Self {
        Self {
            user_type: U::model_name().into(),
            user_id: user.user.id(),
            rev: user.rev,
            ttl,
            scopes: None,
            proofs: Proofs::default(),
            client: TokenClient::new(client.user_agent.as_deref(), client.ip),
        }
    }

    /// A token that takes the place of this one.
    pub(crate) fn like(token: TokenRecord) -> Self {
        let TokenRecord { user_type, user_id, rev, ttl, scopes, proofs, client, .. } = token;
        Self { user_type, user_id, rev, ttl, scopes, proofs, client }
    }

    /// The record for a store, issued at this time.
    pub(crate) fn issued(self, digest: TokenDigest, created: Timestamp) -> TokenRecord {
        let Self { user_type, user_id, rev, ttl, scopes, proofs, client } = self;
        TokenRecord {
            digest,
            user_type,
            user_id,
            rev,
            ttl,
            created,
            renewed: None,
            scopes,
            proofs,
            client,
            last_used: None,
        }
    }
}
