//! What a route needs of a store.

use gatekit_core::{Account, Auth, UserOperation};

/// Refuses to mount a route over a store that cannot carry it, rather than to answer 500 later.
///
/// # Panics
///
/// So it does, naming the method that is missing.
#[expect(clippy::panic, reason = "the app's author meets it at the first start, and never again")]
pub(crate) fn require<U: Account>(auth: &Auth<U>, route: &str, operation: UserOperation) {
    if !auth.supports(operation) {
        panic!(
            "routes::{route} needs a store of users that implements {}. Implement it and say so in `UserStore::supports`, or leave \
             this route out",
            operation.as_str()
        );
    }
}
