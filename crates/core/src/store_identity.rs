//! Which database a store's handle reaches, and which user types are in use over it.

use std::any::{TypeId, type_name};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::{Account, ConfigError};

/// Tells whether two handles reach the same database. Clones are equal; every new one is different.
///
/// It also knows the user types of every [`Auth`](crate::Auth) over that database in this process,
/// so that two types of one name are refused.
#[derive(Clone)]
pub struct StoreIdentity(Arc<Mutex<Vec<Claim>>>);

/// One `Auth` over the database.
struct Claim {
    name: &'static str,
    user_type: TypeId,
    type_name: &'static str,
    /// Gone when the `Auth` is.
    holder: Weak<()>,
}

impl StoreIdentity {
    /// An identity no other store of this process has.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default that is different each time would surprise")]
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Reserves the name of a user type, until `holder` is dropped. Several may hold it for the
    /// same type.
    pub(crate) fn claim<U: Account>(&self, holder: &Arc<()>) -> Result<(), ConfigError> {
        let (name, user_type) = (U::model_name(), TypeId::of::<U>());
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        claims.retain(|claim| claim.holder.strong_count() > 0);
        if let Some(other) = claims.iter().find(|claim| claim.name == name && claim.user_type != user_type) {
            return Err(ConfigError::ModelNameTaken { name, by: other.type_name, user_type: type_name::<U>() });
        }
        claims.push(Claim { name, user_type, type_name: type_name::<U>(), holder: Arc::downgrade(holder) });
        Ok(())
    }
}

impl fmt::Debug for StoreIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreIdentity").field(&Arc::as_ptr(&self.0)).finish()
    }
}

impl PartialEq for StoreIdentity {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for StoreIdentity {}
