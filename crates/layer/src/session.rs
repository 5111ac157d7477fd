//! How is a token kept in a server-side session of tower-sessions?
//!
//! By its digest: whoever reads the session store finds nothing to sign in with. Beside it stands
//! whose it is, so that a session is not handed on from one user to the next.

use gatekit_core::{StoreError, TokenDigest, TokenRecord};
use http::Extensions;
use tower_sessions_core::Session;

use crate::AuthRejection;

/// Where the digest stands: 64 hex digits.
const TOKEN: &str = "gatekit.token";
/// Where it stands whose token it is.
const USER: &str = "gatekit.user";

/// The session of this request.
pub(crate) fn session(extensions: &Extensions) -> Result<Session, AuthRejection> {
    extensions.get().cloned().ok_or_else(|| {
        AuthRejection::Misconfigured(
            "the AuthLayer on this route looks for a session, and no SessionManagerLayer of tower-sessions 0.15 is mounted. Add \
             `.layer(SessionManagerLayer::new(store))` to the router, after (below) the AuthLayer"
                .into(),
        )
    })
}

/// The digest of the session's token, if it has one. A request without a session's cookie asks no
/// store.
pub(crate) async fn digest(session: &Session) -> Result<Option<TokenDigest>, AuthRejection> {
    if session.id().is_none() && !session.is_modified() {
        return Ok(None);
    }
    let value = session.get_value(TOKEN).await.map_err(unavailable)?;
    Ok(value.as_ref().and_then(|value| TokenDigest::from_hex(value.as_str()?)))
}

/// Makes it the session of `token`. The id changes, so that one that was planted before is worth
/// nothing (ASVS 7.2.4). The values of another user's session are removed; those of an anonymous
/// session stay.
pub(crate) async fn sign_in(session: &Session, token: &TokenRecord) -> Result<(), AuthRejection> {
    let user = format!("{} {}", token.user_type, token.user_id);
    let before = session.get_value(USER).await.map_err(unavailable)?;
    if before.is_some_and(|before| before.as_str() != Some(&user)) {
        session.clear().await;
    }
    session.cycle_id().await.map_err(unavailable)?;
    session.insert(TOKEN, token.digest.to_hex()).await.map_err(unavailable)?;
    session.insert(USER, user).await.map_err(unavailable)?;
    // Now and not with the answer, so that a store that fails is known before anything is promised.
    session.save().await.map_err(unavailable)
}

/// Ends the session and all that it held.
pub(crate) async fn sign_out(session: &Session) -> Result<(), AuthRejection> {
    let had_one = session.id().is_some();
    session.flush().await.map_err(unavailable)?;
    if had_one {
        // What is written into it from here on must not bring the old id back.
        session.cycle_id().await.map_err(unavailable)?;
    }
    Ok(())
}

fn unavailable(error: tower_sessions_core::session::Error) -> AuthRejection {
    AuthRejection::Unavailable(StoreError::failed(error))
}
