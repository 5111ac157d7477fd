//! The roles that Gatekit itself decides, and LoopBack's name for all methods.

/// The role of every caller, anonymous or not.
pub(crate) const EVERYONE: &str = "$everyone";
/// The role of a caller that is logged in.
pub(crate) const AUTHENTICATED: &str = "$authenticated";
/// The role of an anonymous caller.
pub(crate) const UNAUTHENTICATED: &str = "$unauthenticated";
/// The role of the user that the request is about.
pub(crate) const OWNER: &str = "$owner";
/// A role that LoopBack names and assigns to no one.
pub(crate) const RELATED: &str = "$related";

/// LoopBack's name for all methods.
pub(super) const ALL: &str = "*";

/// Whether Gatekit itself decides which callers are in a role, so that no resolver of an app may.
pub(crate) fn is_built_in(role: &str) -> bool {
    [EVERYONE, AUTHENTICATED, UNAUTHENTICATED, OWNER, RELATED].contains(&role)
}
