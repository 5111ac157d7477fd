//! The store itself: a handle to contents that all its clones share.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::clock::StoreClock;
use super::contents::Contents;
use crate::{NoProfile, Profile, StoreIdentity};

/// A store that forgets everything when the process ends.
///
/// Clones share their contents. It keeps users of the built-in type, with the profile `P`;
/// [`with_profile`](Self::with_profile) is for an app with several user types.
///
/// ```
/// use gatekit_core::{Auth, MemoryStore};
///
/// let auth = Auth::new(MemoryStore::new());
/// ```
pub struct MemoryStore<P = NoProfile> {
    inner: Arc<RwLock<Contents>>,
    pub(super) identity: StoreIdentity,
    profile: PhantomData<fn() -> P>,
    pub(super) clock: StoreClock,
}

impl<P: Profile> MemoryStore<P> {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self {
            inner: Arc::default(),
            identity: StoreIdentity::new(),
            profile: PhantomData,
            clock: StoreClock::default(),
        }
    }

    /// A handle to the same store, for the users of another type. The two types need different
    /// names: see [`Model`](crate::Model), which has an example.
    #[must_use]
    pub fn with_profile<Q: Profile>(&self) -> MemoryStore<Q> {
        MemoryStore {
            inner: Arc::clone(&self.inner),
            identity: self.identity.clone(),
            profile: PhantomData,
            clock: self.clock.clone(),
        }
    }

    // No step below can panic half-way through a change, so what a poisoned lock guards is whole.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Contents> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Contents> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Profile> Default for MemoryStore<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> Clone for MemoryStore<P> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            identity: self.identity.clone(),
            profile: PhantomData,
            clock: self.clock.clone(),
        }
    }
}

impl<P> fmt::Debug for MemoryStore<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}
