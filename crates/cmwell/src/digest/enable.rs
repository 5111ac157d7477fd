//! How does a user come to a Digest credential? By asking for it, with the password.

use std::borrow::Cow;

use gatekit_core::{Account, Auth, DigestCredential, Login, LoginError, Password, StoreError, Unavailable, UserId};

use super::Digest;
use super::seal::{self, Binding};
use crate::LoginNames;

/// Why Digest was not turned on.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnableDigestError {
    /// The app has not set up Digest: `CmWell::builder(..).digest(store, key)`.
    #[error("Digest is not set up: give the builder a store and a key for it")]
    NotSetUp,
    /// There is no such user.
    #[error("there is no such user")]
    UserNotFound,
    /// The user has no name that it could log in with here.
    #[error("the user has no name to log in with")]
    NoName,
    /// The password is wrong, or its user may not log in.
    #[error(transparent)]
    Login(LoginError),
    /// It cannot be done now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<StoreError> for EnableDigestError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<LoginError> for EnableDigestError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Unavailable(error) => Self::Unavailable(error),
            other => Self::Login(other),
        }
    }
}

impl Digest {
    /// Makes a credential for each algorithm on offer, given the password. It is checked, or another one could log in from then on.
    pub(crate) async fn enable<U: Account>(
        &self,
        auth: &Auth<U>,
        names: LoginNames,
        id: &UserId,
        password: Password,
    ) -> Result<(), EnableDigestError> {
        let account = auth.find_account_by_id(id).await?.ok_or(EnableDigestError::UserNotFound)?;
        let name = digest_name(auth, names, &account.user).ok_or(EnableDigestError::NoName)?;
        let account =
            auth.verify_login(login_of(&account.user, password.clone()).ok_or(EnableDigestError::NoName)?).await?;
        let mark = account.password_mark.filter(|_| account.user.id() == *id).ok_or(EnableDigestError::UserNotFound)?;
        let key = self.keys.first().ok_or(EnableDigestError::NotSetUp)?;
        for algorithm in self.algorithms() {
            let ha1 = algorithm.ha1(&name, &self.realm, password.expose());
            let (user_type, realm) = (U::model_name(), &self.realm);
            let binding = Binding { user_type, user: id, realm, algorithm, password: &mark };
            let mut nonce = [0; 12];
            auth.fill_random(&mut nonce)?;
            let sealed = seal::seal(key, nonce, &binding, &ha1)
                .ok_or_else(|| StoreError::failed("a Digest credential could not be sealed"))?;
            let credential = DigestCredential {
                user_type: Cow::Borrowed(user_type),
                user_id: id.clone(),
                realm: realm.clone(),
                algorithm: algorithm.name().to_owned(),
                sealed,
                userhash: algorithm.userhash(&name, realm),
                updated: auth.now(),
            };
            auth.bounded(self.store.put_digest(&credential)).await?;
        }
        Ok(())
    }

    /// Removes all credentials of a user.
    pub(crate) async fn disable<U: Account>(&self, auth: &Auth<U>, id: &UserId) -> Result<(), Unavailable> {
        auth.bounded(self.store.delete_digests_of(U::model_name(), id)).await?;
        Ok(())
    }
}

/// The name a user logs in with by Digest, letter by letter: it is hashed with the password. Where a realm is part of names, with it.
pub(super) fn digest_name<U: Account>(auth: &Auth<U>, names: LoginNames, user: &U) -> Option<String> {
    let name = names.name_of(user)?;
    Some(match (auth.policy().realm_delimiter, user.realm()) {
        (Some(delimiter), Some(realm)) => format!("{realm}{delimiter}{name}"),
        _ => name,
    })
}

/// A login of this user, for the check of its password.
fn login_of<U: Account>(user: &U, password: Password) -> Option<Login> {
    let login = match (user.username(), user.email()) {
        (Some(name), _) => Login::username(name, password),
        (None, Some(email)) => Login::email(email, password),
        (None, None) => return None,
    };
    Some(match user.realm() {
        Some(realm) => login.realm(realm),
        None => login,
    })
}
