//! Failures of what Gatekit stands on. They are never taken for "anonymous", "logged out" or "ok".

use std::fmt;
use std::sync::Arc;

/// A store could not answer. The request that needed it fails with 503.
///
/// The message is for the log. It names the operation and the driver's complaint, and never holds a
/// secret.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store refused or was not reachable.
    #[error("the store failed: {0}")]
    Failed(Arc<dyn std::error::Error + Send + Sync>),
    /// The store did not answer within `policy.store.timeout`. What was asked may or may not have
    /// happened; if a change happens after all, what follows it (notices, events, the end of
    /// tokens) happens too. `SqliteStore` gives a statement up in time, so nothing has happened
    /// there.
    #[error("the store did not answer in time")]
    Timeout,
    /// The store holds something this version cannot read.
    #[error("the store holds a row that cannot be read: {0}")]
    Corrupt(String),
    /// The store does not do this at all.
    #[error("this store does not support {0}")]
    Unsupported(&'static str),
    /// The app gave Gatekit no store that can do this.
    #[cfg(feature = "accounts")]
    #[error("this needs {0}")]
    Missing(crate::Need),
}

impl StoreError {
    /// A failure with the driver's error as its cause.
    ///
    /// ```
    /// use gatekit_core::StoreError;
    ///
    /// let error = StoreError::failed("disk full");
    /// assert_eq!(error.to_string(), "the store failed: disk full");
    /// ```
    pub fn failed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(Arc::from(cause.into()))
    }

    /// Whether to ask again is of no use: the store holds something that cannot be read until
    /// somebody mends or removes it. HTTP status 500, where other failures are 503.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt(_))
    }

    /// A row that cannot be read. `what` names table, column and the user's id, not the value.
    pub fn corrupt(what: impl fmt::Display) -> Self {
        Self::Corrupt(what.to_string())
    }
}

/// The status for a caller who is somebody but has not the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AclErrorStatus {
    /// 401 `AUTHORIZATION_REQUIRED`, LoopBack's default.
    #[default]
    Unauthorized,
    /// 403 `ACCESS_DENIED`.
    Forbidden,
    /// 404 `MODEL_NOT_FOUND`, which does not tell whether there is such a thing.
    NotFound,
}

/// A flow could not be carried out now: nothing was decided about the caller, who may try again.
/// HTTP status 503, or 500 where [`is_fault`](Self::is_fault).
#[cfg(feature = "accounts")]
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// A store failed or timed out.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Password hashing failed or its queue is full.
    #[error(transparent)]
    Hasher(#[from] crate::HasherError),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
    /// A hook of the app panicked or gave no answer in time.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// The task of a change panicked, or was stopped with its runtime.
    #[error("a change was interrupted")]
    Interrupted,
}

#[cfg(feature = "accounts")]
impl Unavailable {
    /// Whether another try is of no use: the cause is a mistake in the app or in Gatekit, a store
    /// that the app did not give, or a row that cannot be read. The HTTP status is 500 then.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        match self {
            Self::Store(StoreError::Missing(_)) => true,
            Self::Store(error) => error.is_corrupt(),
            Self::Hook(HookError::Panicked) | Self::Interrupted => true,
            _ => false,
        }
    }

    /// Seconds after which a client should try again (the `Retry-After` header).
    #[must_use]
    pub fn retry_after(&self) -> u64 {
        match self {
            Self::Hasher(crate::HasherError::Busy { retry_after }) => *retry_after,
            _ => 1,
        }
    }
}

/// Why a hook gave no answer.
#[cfg(feature = "accounts")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// It panicked: a mistake in the app. HTTP status 500.
    #[error("a hook panicked")]
    Panicked,
    /// It took longer than `policy.limits.hook_timeout`. HTTP status 503.
    #[error("a hook did not answer in time")]
    TimedOut,
}
