//! Builds a [`CmWell`] from accounts, keys and settings, and refuses settings that cannot work.

use std::sync::Arc;
use std::time::Duration;

use gatekit_core::{Account, Auth, DigestStore, PermissionStore};

use crate::cmwell::Inner;
use crate::digest::Digest;
use crate::permission_cache::PermissionCache;
use crate::{CmWell, Legacy, LoginNames, SealingKey, SigningKey};

/// Days a token may live: CM-Well's `authorization.token.expiry.maxDays`.
const MAX_DAYS: u32 = 60;
/// How long permissions are remembered.
const PERMISSION_CACHE: Duration = Duration::from_secs(60);

/// Builds a [`CmWell`]. See [`CmWell::builder`].
#[must_use = "nothing exists until `build` is called"]
pub struct CmWellBuilder<U: Account> {
    auth: Auth<U>,
    signing: SigningKey,
    additional: Vec<SigningKey>,
    realm: String,
    max_days: u32,
    names: LoginNames,
    basic: bool,
    digest: Option<Digest>,
    additional_sealing: Vec<SealingKey>,
    userhash: bool,
    legacy: Legacy,
    permissions: Option<Arc<dyn PermissionStore>>,
    permission_cache: Duration,
}

/// What is wrong with how a [`CmWell`] was put together. The message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CmWellConfigError {
    /// The realm cannot stand in a header.
    #[error("`realm` must be a few printable ASCII characters without quotes and backslashes, such as cmwell")]
    Realm,
    /// No token could be made.
    #[error("`max_days` must be at least 1")]
    MaxDays,
    /// Nothing to log in with is left.
    #[error(
        "neither Basic nor Digest is left to log in with: give the builder a store and a key for Digest, or leave `basic` on"
    )]
    NoScheme,
    /// Settings of Digest where there is no Digest.
    #[error(
        "`md5`, `rfc2069`, `digest_userhash` and `additional_sealing_key` are settings of Digest: give the builder a store and a key for it (`digest`), or leave them out"
    )]
    NoDigest,
    /// Accounts have realms, and a name cannot say which.
    #[error(
        "accounts have realms, so `policy.identifiers.realm_delimiter` must be set, to another character than `:`, for names such as acme/ada"
    )]
    Realms,
    /// Names that Basic cannot carry (RFC 7617 §2).
    #[error(
        "users may have names with a `:`, where Basic divides name and password: set `policy.identifiers.colon_in_names = false`, take addresses as names (`LoginNames::Email`), or turn `basic` off"
    )]
    ColonInNames,
    /// One secret for two purposes (ASVS 11.1.1): who gets one of them would have both.
    #[error(
        "the key that seals Digest's credentials is also one that signs tokens: take another from `openssl rand -base64 48`"
    )]
    SameKey,
}

impl<U: Account> std::fmt::Debug for CmWellBuilder<U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CmWellBuilder")
            .field("realm", &self.realm)
            .field("legacy", &self.legacy)
            .finish_non_exhaustive()
    }
}

impl<U: Account> CmWell<U> {
    /// Starts with the accounts and the key that signs tokens. The rest has defaults.
    pub fn builder(auth: Auth<U>, key: SigningKey) -> CmWellBuilder<U> {
        CmWellBuilder::new(auth, key)
    }
}

impl<U: Account> CmWellBuilder<U> {
    pub(crate) fn new(auth: Auth<U>, signing: SigningKey) -> Self {
        Self {
            auth,
            signing,
            additional: Vec::new(),
            realm: "cmwell".to_owned(),
            max_days: MAX_DAYS,
            names: LoginNames::default(),
            basic: true,
            digest: None,
            additional_sealing: Vec::new(),
            userhash: false,
            legacy: Legacy::default(),
            permissions: None,
            permission_cache: PERMISSION_CACHE,
        }
    }

    /// Also takes tokens that this key has signed, and never signs with it. For the key that was
    /// replaced, until its last token has ended (`max_days`); CM-Well's `additionalSecret.key`. May
    /// be said several times.
    pub fn additional_key(mut self, key: SigningKey) -> Self {
        self.additional.push(key);
        self
    }

    /// Where path permissions are kept. Without one there are none: nobody is `Admin`, and neither
    /// [`CmWell::filter`] nor [`CmWell::permission_layer`] can be mounted.
    pub fn permissions(mut self, store: impl PermissionStore) -> Self {
        self.permissions = Some(Arc::new(store));
        self
    }

    /// How long permissions are remembered; 60 seconds unless set, zero for not at all.
    ///
    /// Those that are changed with [`CmWell::set_permissions`] count at once in this process. The
    /// users themselves are never remembered: a token ends at once, whatever ends it.
    pub fn permission_cache(mut self, duration: Duration) -> Self {
        self.permission_cache = duration;
        self
    }

    /// What a browser says one logs in to. `cmwell` unless set. Digest credentials are bound to it.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self
    }

    /// How many days a token may live at most; 60 unless set, as in CM-Well. A request for more is
    /// answered 400.
    pub fn max_days(mut self, days: u32) -> Self {
        self.max_days = days;
        self
    }

    /// Which of a user's names are taken. [`LoginNames::Username`] unless set.
    pub fn login_names(mut self, names: LoginNames) -> Self {
        self.names = names;
        self
    }

    /// Whether Basic is taken; it is unless set. Where Digest is on too, a client that was told so
    /// may still send its password with Basic to an attacker who pretends to be the server (RFC
    /// 7616 §5.6). TLS prevents that. Without TLS turn Basic off.
    pub fn basic(mut self, basic: bool) -> Self {
        self.basic = basic;
        self
    }

    /// Turns Digest on (RFC 7616, SHA-256), for users who turn it on for themselves:
    /// [`CmWell::enable_digest`]. Without this Basic alone is offered.
    ///
    /// `store` keeps what Digest needs of a password, `key` seals it. Over TLS, Basic is the better
    /// choice: then nothing is kept but a hash that is slow to guess. Browsers prefer Digest where
    /// both are offered, so that a user who has not turned it on cannot log in with a browser's
    /// dialog.
    ///
    /// Give [`ForgetDigests`](crate::ForgetDigests) to the `Auth` as well.
    pub fn digest(mut self, store: impl DigestStore, key: SealingKey) -> Self {
        self.digest = Some(Digest::new(Arc::new(store), key));
        self
    }

    /// Also opens what this key has sealed, and never seals with it: for the key that was replaced,
    /// see [`SealingKey`]. May be said several times.
    pub fn additional_sealing_key(mut self, key: SealingKey) -> Self {
        self.additional_sealing.push(key);
        self
    }

    /// Whether a Digest client may send the hash of a name in place of the name (RFC 7616 §3.4.4);
    /// not unless set. It hides the name from who reads the header, but not from who can guess it;
    /// and curl before 7.81 then hashes something else than the name with the password.
    pub fn digest_userhash(mut self, userhash: bool) -> Self {
        self.userhash = userhash;
        self
    }

    /// Whether `exp` is read as CM-Well reads it: [`Legacy::lenient_exp`] by itself.
    pub fn lenient_exp(mut self, lenient: bool) -> Self {
        self.legacy.lenient_exp = lenient;
        self
    }

    /// The old ways that are offered. None unless set. It replaces what was said before, also by
    /// `lenient_exp`. Those of Digest need [`digest`](Self::digest).
    pub fn legacy(mut self, legacy: Legacy) -> Self {
        self.legacy = legacy;
        self
    }

    /// Puts it together.
    ///
    /// # Errors
    ///
    /// [`CmWellConfigError`] says what contradicts itself.
    pub fn build(self) -> Result<CmWell<U>, CmWellConfigError> {
        let is_plain = |c: char| c == ' ' || (c.is_ascii_graphic() && c != '"' && c != '\\');
        if self.realm.trim().is_empty() || self.realm.len() > 128 || !self.realm.chars().all(is_plain) {
            return Err(CmWellConfigError::Realm);
        }
        if self.max_days == 0 {
            return Err(CmWellConfigError::MaxDays);
        }
        if !self.basic && self.digest.is_none() {
            return Err(CmWellConfigError::NoScheme);
        }
        let wants_digest =
            self.legacy.md5 || self.legacy.rfc2069 || self.userhash || !self.additional_sealing.is_empty();
        if wants_digest && self.digest.is_none() {
            return Err(CmWellConfigError::NoDigest);
        }
        let policy = self.auth.policy();
        if policy.has_realms() && policy.identifiers.realm_delimiter.is_none_or(|delimiter| delimiter == ':') {
            return Err(CmWellConfigError::Realms);
        }
        if self.basic && policy.identifiers.colon_in_names && self.names != LoginNames::Email {
            return Err(CmWellConfigError::ColonInNames);
        }
        let digest = self.digest.map(|digest| {
            let Legacy { md5, rfc2069, .. } = self.legacy;
            let digest = digest.realm(&self.realm).md5(md5).rfc2069(rfc2069).userhash(self.userhash);
            self.additional_sealing.into_iter().fold(digest, Digest::additional_key)
        });
        let mut signing = std::iter::once(&self.signing).chain(&self.additional);
        if signing.any(|key| digest.as_ref().is_some_and(|digest| digest.has_key(key.mark()))) {
            return Err(CmWellConfigError::SameKey);
        }
        let permissions = self.permissions.map(|store| PermissionCache::new(store, self.permission_cache));
        Ok(CmWell(Arc::new(Inner {
            auth: self.auth,
            signing: self.signing,
            additional: self.additional,
            realm: self.realm,
            max_days: self.max_days,
            names: self.names,
            basic: self.basic,
            digest,
            legacy: self.legacy,
            permissions,
        })))
    }
}
