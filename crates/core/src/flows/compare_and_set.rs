//! Changes that are stored only if the user is still what it was when it was read. A change that
//! meets another one is made again on what is stored then.

use crate::StoreError;

/// How often a change is made again that has met another change of the same user.
pub(crate) const ATTEMPTS: usize = 16;

/// The error of a change that has met another one each time.
pub(crate) fn changes_too_often() -> StoreError {
    StoreError::failed("the account was changed at the same time, again and again")
}
