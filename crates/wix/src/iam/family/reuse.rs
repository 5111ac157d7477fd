//! The setting for a refresh token that comes back after it was used.

/// When a refresh token that was used already is taken once more, beyond the grace in which a
/// renewal is repeated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshReuse {
    /// Never: it ends the family (RFC 9700 §2.2.2, §4.14.2).
    #[default]
    EndsFamily,
    /// Where its successor was never used, and the access token that came with it has ended by
    /// itself. `@wix/sdk` needs this: it never takes the new refresh token, but asks with its first
    /// one every four hours. Without it the SDK's member is a visitor again after eight.
    ///
    /// It costs this: whoever copies the refresh token of such a client is found out only if both
    /// use it within the same four hours. Then, and in every other case of reuse, the family ends
    /// as it does otherwise.
    AllowedToSdk,
}
