//! The one value an app builds: accounts, keys and settings together.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use gatekit_core::{Account, AccountStatus, Auth, KnownAccount, StoreError, Timestamp, TokenSecret, Unavailable, User};
use gatekit_layer::{TokenSource, TokenSources};

use crate::digest::Digest;
use crate::permission_cache::PermissionCache;
use crate::{CmWellToken, CmWellTokenError, Legacy, Leniency, LoginNames, SigningKey, TokenLifetime};

/// CM-Well's login over the accounts of an [`Auth`]. A clone is another handle to the same.
///
/// ```
/// use axum::{Router, routing::get};
/// use gatekit_cmwell::{CmWell, SigningKey};
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_layer::{AuthLayer, AuthUser};
///
/// # fn secret() -> &'static str { "conformance-test-key-0123456789abcdef" }
/// let auth = Auth::new(MemoryStore::new());
/// let cmwell = CmWell::builder(auth, SigningKey::new(secret())?).build()?;
///
/// let app: Router = Router::new()
///     .route("/me", get(|AuthUser(user): AuthUser| async move { user.username.unwrap_or_default() }))
///     .merge(cmwell.router())
///     .layer(AuthLayer::new(cmwell.authenticator()).sources(cmwell.token_sources()));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct CmWell<U: Account = User>(pub(crate) Arc<Inner<U>>);

pub(crate) struct Inner<U: Account> {
    pub(crate) auth: Auth<U>,
    pub(crate) signing: SigningKey,
    pub(crate) additional: Vec<SigningKey>,
    pub(crate) realm: String,
    pub(crate) max_days: u32,
    pub(crate) names: LoginNames,
    pub(crate) basic: bool,
    pub(crate) digest: Option<Digest>,
    pub(crate) legacy: Legacy,
    pub(crate) permissions: Option<PermissionCache>,
}

impl<U: Account> Clone for CmWell<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<U: Account> fmt::Debug for CmWell<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CmWell").field("realm", &self.0.realm).field("legacy", &self.0.legacy).finish_non_exhaustive()
    }
}

/// Why no token was issued.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueCmWellTokenError {
    /// The account is blocked or not approved yet.
    #[error("the account is not active")]
    NotActive,
    /// The user has none of the names that [`LoginNames`] takes, so that no token could name it.
    #[error("the user has no name to log in with")]
    NoName,
    /// It is longer than tokens may live.
    #[error(transparent)]
    Exp(#[from] crate::ExpError),
    /// The cryptographic library refused.
    #[error("the token could not be signed")]
    Unsigned,
}

/// Why a token is nobody's.
pub(crate) enum NotTheirs {
    Token(CmWellTokenError),
    /// The token is good, and there is nobody of this name.
    Unknown(String),
    /// There is somebody of this name, and it is not, or not any more, that user's token.
    Ended,
    Unavailable(StoreError),
}

impl<U: Account> CmWell<U> {
    /// `/_login` and `/_auth`, to merge into the app at its root.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        self.login_router().merge(self.auth_router())
    }

    /// What the [`AuthLayer`](gatekit_layer::AuthLayer) is built with. Its principal is the user,
    /// as that of the `Auth`.
    #[must_use]
    pub fn authenticator(&self) -> Self {
        self.clone()
    }

    /// Where a token is looked for: the header `X-CM-WELL-TOKEN`, then `Authorization: Bearer`;
    /// with the flags of [`Legacy`] in CM-Well's order `X-CM-WELL-TOKEN2`, `X-CM-WELL-TOKEN`,
    /// `Authorization: Bearer`, `?token=`, and the cookies of the first two names. The first token
    /// of CM-Well's form ends the search; what is none hides no token that comes after it, unlike
    /// in CM-Well.
    #[must_use]
    pub fn token_sources(&self) -> TokenSources {
        let Legacy { token2_header, token_in_query, cookies, .. } = self.0.legacy;
        let places = [
            token2_header.then(|| TokenSource::header("x-cm-well-token2")),
            Some(TokenSource::header("x-cm-well-token")),
            Some(TokenSource::bearer()),
            token_in_query.then(|| TokenSource::query("token")),
            cookies.then(|| TokenSource::cookie("X-CM-WELL-TOKEN2")),
            cookies.then(|| TokenSource::cookie("X-CM-WELL-TOKEN")),
        ];
        TokenSources::new(places.into_iter().flatten())
    }

    /// The accounts.
    #[must_use]
    pub fn auth(&self) -> &Auth<U> {
        &self.0.auth
    }

    /// A token for an account that the app knows by other means. Nothing is asked and no event is
    /// raised.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use gatekit_cmwell::{CmWell, Leniency, SigningKey, TokenLifetime};
    /// # use gatekit_core::{AccountName, Auth, Authenticator, MemoryStore, Register};
    /// # let auth = Auth::new(MemoryStore::new());
    /// # let cmwell = CmWell::builder(auth.clone(), SigningKey::new("conformance-test-key-0123456789abcdef")?).build()?;
    /// auth.register(Register::email("ada@example.com", "correct horse battery").username("ada")).await?;
    /// let ada = auth.find_account(&AccountName::username("ada")).await?.ok_or("nobody")?;
    ///
    /// let token = cmwell.issue_token(&ada, TokenLifetime::parse("8h", Leniency::Strict)?)?;
    /// assert_eq!(cmwell.authenticate(token.expose()).await?.principal, ada.user);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`IssueCmWellTokenError`].
    pub fn issue_token(
        &self,
        account: &KnownAccount<U>,
        lifetime: TokenLifetime,
    ) -> Result<TokenSecret, IssueCmWellTokenError> {
        let Inner { auth, names, max_days, signing, .. } = &*self.0;
        if account.status != AccountStatus::Active {
            return Err(IssueCmWellTokenError::NotActive);
        }
        let name = names.full_name_of(auth, &account.user).ok_or(IssueCmWellTokenError::NoName)?;
        let expires = auth.now().plus_seconds(lifetime.at_most(*max_days)?.as_secs());
        let token = CmWellToken::new(name, expires, account.rev).for_user(&account.user);
        token.sign(signing).ok_or(IssueCmWellTokenError::Unsigned)
    }

    /// How `exp` is read.
    pub(crate) fn leniency(&self) -> Leniency {
        if self.0.legacy.lenient_exp { Leniency::Lenient } else { Leniency::Strict }
    }

    /// Whose token it is and when it ends, with one query, if all about it is right.
    pub(crate) async fn owner_of(&self, token: &str) -> Result<(KnownAccount<U>, Timestamp), NotTheirs> {
        let Inner { auth, names, signing, additional, .. } = &*self.0;
        let keys = std::iter::once(signing).chain(additional);
        let token = CmWellToken::verify(token, keys, auth.now()).map_err(NotTheirs::Token)?;
        let found = auth.find_account(&names.account_name(&token.subject)).await;
        let Some(account) = found.map_err(|error| NotTheirs::Unavailable(store_error(error)))? else {
            return Err(NotTheirs::Unknown(token.subject));
        };
        // Not one that is higher either: it was made for an account that is gone, or by somebody
        // who guesses.
        let is_alive = token.rev == account.rev && account.status == AccountStatus::Active;
        if is_alive && token.is_of(&account.user) { Ok((account, token.expires)) } else { Err(NotTheirs::Ended) }
    }

    /// What a 401 of `_login` offers, Digest before Basic, each for a header of its own.
    pub(crate) fn challenges(&self, stale: bool) -> Result<Vec<HeaderValue>, Unavailable> {
        let mut challenges = match &self.0.digest {
            Some(digest) => digest.challenges(&self.0.auth, stale)?,
            None => Vec::new(),
        };
        let basic = self.0.basic.then(|| format!(r#"Basic realm="{}", charset="UTF-8""#, self.0.realm));
        // The realm was looked at when this was built.
        challenges.extend(basic.and_then(|challenge| HeaderValue::try_from(challenge).ok()));
        Ok(challenges)
    }
}

/// The part of a failure that an authenticator can say.
pub(crate) fn store_error(error: Unavailable) -> StoreError {
    match error {
        Unavailable::Store(error) => error,
        other => StoreError::failed(other),
    }
}
