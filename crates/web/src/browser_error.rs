//! Why a browser was not logged in or out.

use gatekit_core::Unavailable;
use gatekit_layer::AuthRejection;

/// Why a browser was not logged in or out.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// The layer refused: a session could not be loaded or stored.
    #[error(transparent)]
    Rejected(#[from] AuthRejection),
    /// It cannot be done now. HTTP status 503.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
