//! Handlers that are run to their end, whether or not the client waits for the response.

use gatekit_core::{Account, Auth, Unavailable};
use gatekit_layer::ErrorResponse;

use crate::errors::IntoError;

/// Runs a handler of several steps on a task of its own: see [`Auth::change`]. A logout ends the
/// token and then the browser's session; a client that hangs up in between must not leave the
/// session behind.
pub(crate) async fn complete<U: Account, T: Send + 'static>(
    auth: &Auth<U>,
    handler: impl Future<Output = Result<T, ErrorResponse>> + Send + 'static,
) -> Result<T, ErrorResponse> {
    let done: Result<T, Failed> = auth.change(|_| async move { handler.await.map_err(Failed) }).await;
    done.map_err(|Failed(error)| error)
}

struct Failed(ErrorResponse);

impl From<Unavailable> for Failed {
    fn from(error: Unavailable) -> Self {
        Self(error.into_error(""))
    }
}
