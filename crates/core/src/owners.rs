//! The users of another model that users of a model belong to.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{AuthenticateError, TokenDigest, TokenRecord, UserId};

/// To whom users of a model belong: the users of another model, and which of them a user names.
pub(crate) struct BelongsTo<U> {
    pub(crate) owners: Arc<dyn Owners>,
    pub(crate) owner: Arc<OwnerOf<U>>,
}

/// The id of the user of the other model.
pub(crate) type OwnerOf<U> = dyn Fn(&U) -> Option<UserId> + Send + Sync;

/// The `Auth` of another model, without its type.
#[async_trait]
pub(crate) trait Owners: Send + Sync {
    async fn known(&self, digest: &TokenDigest) -> Result<OtherOwner, AuthenticateError>;
}

impl<U> fmt::Debug for BelongsTo<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BelongsTo").finish_non_exhaustive()
    }
}

/// A caller of another model that owns the user a request is about. See
/// [`Auth::find_other_owner`](crate::Auth::find_other_owner).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OtherOwner {
    /// The name of its model: [`Account::model_name`](crate::Account::model_name).
    pub model: &'static str,
    /// Its id in that model.
    pub id: UserId,
    /// Its token, of that model.
    pub token: TokenRecord,
}
