//! Makes a Digest credential for a user who asks for it with the password.

use std::borrow::Cow;

use gatekit_core::{Account, Auth, DigestCredential, Login, LoginError, Password, StoreError, Unavailable, UserId};

use super::Digest;
use super::seal::{self, Binding};
use crate::{CmWell, LoginNames};

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
    /// The password's stored hash does not see all of it (bcrypt and 72 bytes or more), so it may
    /// not be the user's own. A new password mends that.
    #[error("the stored hash of the password sees only a part of it; choose a new password first")]
    PasswordNotWhole,
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

impl<U: Account> CmWell<U> {
    /// Lets a user log in by Digest, who has asked for it and given the password: what Digest needs
    /// of it is kept from now on, sealed. Again after each change of the password or of the name,
    /// which end it.
    ///
    /// The password is checked as a login's is, with its events and notices. The name is the
    /// username, or the address where that is the name ([`LoginNames`]); only what is typed letter
    /// by letter like it logs in by Digest.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_cmwell::{CmWell, ForgetDigests, SealingKey, SigningKey};
    /// use gatekit_core::{Auth, MemoryStore, Register};
    /// # let secrets = (["conformance-test-key-0123456789abcdef", "another-test-key-fedcba9876543210"]);
    ///
    /// let store = MemoryStore::new();
    /// let auth: Auth =
    ///     Auth::builder(store.clone()).hooks(ForgetDigests::new(store.clone())).build()?;
    /// let cmwell = CmWell::builder(auth.clone(), SigningKey::new(secrets[0])?)
    ///     .digest(store, SealingKey::new(secrets[1])?)
    ///     .build()?;
    ///
    /// let ada = auth.register(Register::email("ada@example.com", "correct horse battery").username("ada")).await?;
    /// cmwell.enable_digest(&ada.id, "correct horse battery").await?;
    /// assert!(cmwell.enable_digest(&ada.id, "a wrong one").await.is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`EnableDigestError`].
    pub async fn enable_digest(&self, user: &UserId, password: impl Into<Password>) -> Result<(), EnableDigestError> {
        let (cmwell, user, password) = (self.clone(), user.clone(), password.into());
        // Several credentials are stored: all of them, or Digest works with one algorithm and not
        // with the other.
        self.0
            .auth
            .change(|_| async move {
                let digest = cmwell.0.digest.as_ref().ok_or(EnableDigestError::NotSetUp)?;
                digest.enable(&cmwell.0.auth, cmwell.0.names, &user, password).await
            })
            .await
    }

    /// Removes what Digest has kept of a user's password. Where Digest is not set up there is
    /// nothing to remove.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn disable_digest(&self, user: &UserId) -> Result<(), Unavailable> {
        match &self.0.digest {
            Some(digest) => digest.disable(&self.0.auth, user).await,
            None => Ok(()),
        }
    }
}

impl Digest {
    /// Makes a credential for each algorithm on offer, given the password. It is checked, or
    /// another one could log in from then on.
    pub(crate) async fn enable<U: Account>(
        &self,
        auth: &Auth<U>,
        names: LoginNames,
        id: &UserId,
        password: Password,
    ) -> Result<(), EnableDigestError> {
        let account = auth.find_account_by_id(id).await?.ok_or(EnableDigestError::UserNotFound)?;
        // Letter by letter what the user types: it is hashed with the password.
        let name = names.full_name_of(auth, &account.user).ok_or(EnableDigestError::NoName)?;
        let mut login = Login::password(password.clone());
        let typed = names.account_name(&name);
        (login.email, login.username) = (typed.email, typed.username);
        let account = auth.verify_login(login).await?;
        if !account.password_is_whole {
            return Err(EnableDigestError::PasswordNotWhole);
        }
        let mark = account.password_mark.filter(|_| account.user.id() == *id).ok_or(EnableDigestError::UserNotFound)?;
        let key = self.keys.first().ok_or(EnableDigestError::NotSetUp)?;
        for algorithm in self.algorithms() {
            let ha1 = algorithm.ha1(&name, &self.realm, password.expose());
            let (user_type, realm) = (U::model_name(), &self.realm);
            let binding = Binding { user_type, user: id, name: &name, realm, algorithm, password: &mark };
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
