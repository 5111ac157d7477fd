//! Whether a record of the app's is the caller's own.

use gatekit_core::{AUDIT_TARGET, AclErrorStatus, UserId};

use crate::AuthRejection;

/// A record of the app's that belongs to a user. See [`require_owner`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whose it is",
    label = "implement `gatekit::Owned` for it"
)]
pub trait Owned {
    /// Whose it is. `None` is nobody's, and nobody passes for its owner.
    fn owner(&self) -> Option<UserId>;

    /// What a caller is answered whose it is not. Where ids can be guessed,
    /// [`AclErrorStatus::NotFound`] does not tell which ones exist (ASVS 8.2.2), if a record that
    /// does not exist is answered the same way.
    const DENIED: AclErrorStatus = AclErrorStatus::Forbidden;
}

/// Passes the owner of a record, and nobody else: LoopBack's `$owner` for models other than User.
///
/// ```
/// use gatekit_core::{AclErrorStatus, UserId};
/// use gatekit_layer::{AuthRejection, AuthUser, Owned, require_owner};
///
/// struct Note {
///     text: String,
///     user_id: i64,
/// }
///
/// impl Owned for Note {
///     fn owner(&self) -> Option<UserId> {
///         Some(self.user_id.into())
///     }
///
///     const DENIED: AclErrorStatus = AclErrorStatus::NotFound;
/// }
///
/// # async fn find(id: i64) -> Option<Note> { None }
/// async fn read(AuthUser(user): AuthUser, id: i64) -> Result<String, AuthRejection> {
///     let note = find(id).await.ok_or(AuthRejection::NotFound)?;
///     require_owner(&user.id, &note)?;
///     Ok(note.text)
/// }
/// ```
///
/// A refusal is a line of the [audit log](gatekit_core::AUDIT_TARGET) (ASVS 16.3.2). It is no event
/// for hooks, since the function knows neither the `Auth` nor the request.
///
/// # Errors
///
/// The rejection that [`Owned::DENIED`] chooses; 403 unless it is set.
pub fn require_owner<T: Owned + ?Sized>(user: &UserId, record: &T) -> Result<(), AuthRejection> {
    if record.owner().as_ref() == Some(user) {
        return Ok(());
    }
    let (event, required) = ("authz_fail", "owner");
    let user = user.to_string();
    tracing::warn!(target: AUDIT_TARGET, event, user, required, record = std::any::type_name::<T>());
    Err(T::DENIED.into())
}
