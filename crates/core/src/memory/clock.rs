//! The clock that a store was given, by which it removes what has ended.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::{Clock, Timestamp};

/// The clock that the store was given.
#[derive(Clone, Default)]
pub(super) struct StoreClock(Arc<OnceLock<Arc<dyn Clock>>>);

impl StoreClock {
    /// The first clock counts: a store that two `Auth`s share has one time.
    pub(super) fn set(&self, clock: &Arc<dyn Clock>) {
        let _ = self.0.set(Arc::clone(clock));
    }

    pub(super) fn now(&self) -> Option<Timestamp> {
        self.0.get().map(|clock| clock.now())
    }
}

impl fmt::Debug for StoreClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreClock").field(&self.now()).finish()
    }
}
