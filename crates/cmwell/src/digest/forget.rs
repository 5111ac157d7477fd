//! Deletes a credential when the password of its user changes, or when the user is deleted.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gatekit_core::{Account, DigestStore, Event, EventContext, Hooks, StoreError, async_trait};
use tokio::time::timeout;

/// How long the change of a password waits for it: the default of `policy.store.timeout`.
const PATIENCE: Duration = Duration::from_secs(5);

/// A hook that removes a user's Digest credentials with its password:
/// [`Builder::hooks`](gatekit_core::Builder::hooks).
///
/// They are worthless by then in any case, since each is bound to the password it was made of. This
/// is so that none is kept longer than it must be. If the store fails, the change of the password
/// has happened all the same, and a log line says what is left over.
///
/// ```
/// use gatekit_cmwell::ForgetDigests;
/// use gatekit_core::{Auth, MemoryStore};
///
/// let store = MemoryStore::new();
/// let auth: Auth = Auth::builder(store.clone()).hooks(ForgetDigests::new(store)).build()?;
/// # Ok::<_, gatekit_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct ForgetDigests(Arc<dyn DigestStore>);

impl ForgetDigests {
    /// Out of this store: the one that `CmWellBuilder::digest` is given.
    pub fn new(store: impl DigestStore) -> Self {
        Self(Arc::new(store))
    }
}

impl fmt::Debug for ForgetDigests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForgetDigests")
    }
}

#[async_trait]
impl<U: Account> Hooks<U> for ForgetDigests {
    async fn on_event(&self, event: &Event<U>, _: &EventContext) {
        let (Event::PasswordChanged { user_id, .. } | Event::UserDeleted { user_id }) = event else { return };
        let forgotten = timeout(PATIENCE, self.0.delete_digests_of(U::model_name(), user_id)).await;
        if let Err(error) = forgotten.unwrap_or(Err(StoreError::Timeout)) {
            tracing::warn!(%error, user = %user_id, "Digest credentials of an old password are left over; nobody can use them");
        }
    }
}
