//! HTTP Digest (RFC 7616) for `_login`, in place of CM-Well's.
//!
//! Digest exists for clients that cannot send a password over a connection. Over TLS, Basic is the
//! better choice: the server then keeps nothing but an argon2id hash. So Digest is off unless the
//! app gives a store and a key for it, and even then nobody can log in by it who did not ask for it
//! ([`CmWell::enable_digest`](crate::CmWell::enable_digest)).
//!
//! An answer is right if all of this holds, looked at in this order:
//!
//! 1. It is well-formed, and its `uri` is the request's target (RFC 7616 §3.4, §3.4.6), in one of
//!    the forms that `target` lists. Otherwise 400.
//! 2. `realm`, `opaque`, `algorithm` and `qop` are those of a challenge of ours, and a name is
//!    hashed only where that is offered. With MD5, which only a flag offers, `opaque` may be left
//!    out: `@mhoc/axios-digest-auth` does not return it.
//! 3. The nonce is ours, for this realm and this algorithm.
//! 4. There is such a user, who has turned Digest on and has the same password since.
//! 5. `response` is what the credential, the method and the rest make it. Compared in constant
//!    time; for users without a credential the work is the same, and the answer never right (what
//!    CM-Well took for right: its empty HA1).
//! 6. The nonce is young, and its count is above every count it was used with: one atomic step of
//!    the store.
//!
//! Who fails 2 to 5 gets 401 and new challenges; who fails only 6 gets the same with `stale=true`,
//! on which a client tries again without asking for the password.
//!
//! | part | answers |
//! | --- | --- |
//! | `params`, `response` | what a client says |
//! | `target` | whether it says so about this request |
//! | `challenge`, `nonce` | what it is asked |
//! | `algorithm` | what both hash |
//! | `keys`, `seal` | how the credential is kept |
//! | `verify` | whether the answer is right |
//! | `enable`, `forget` | who has a credential, and until when |

mod algorithm;
mod challenge;
mod enable;
mod forget;
mod keys;
mod nonce;
mod params;
mod response;
mod seal;
mod target;
mod verify;

use std::fmt;
use std::sync::Arc;

use axum::http::HeaderValue;
use gatekit_core::{Account, Auth, DigestStore, Unavailable};

use crate::keys::KeyMark;
use algorithm::{Algorithm, hex};
use challenge::Challenge;

pub use enable::EnableDigestError;
pub use forget::ForgetDigests;
pub use keys::{SealingKey, SealingKeyError};
pub(crate) use target::Target;
pub(crate) use verify::DigestOutcome;

/// Seconds in which a challenge must be answered. A client answers at once; what is longer only
/// helps who recorded an answer.
const NONCE_TTL: i64 = 120;

/// Digest as an app has set it up.
#[derive(Clone)]
pub(crate) struct Digest {
    store: Arc<dyn DigestStore>,
    /// The first seals and signs; all of them open and verify.
    keys: Vec<SealingKey>,
    realm: String,
    md5: bool,
    rfc2069: bool,
    userhash: bool,
}

impl Digest {
    /// With SHA-256 alone, in the realm `cmwell`.
    pub(crate) fn new(store: Arc<dyn DigestStore>, key: SealingKey) -> Self {
        Self { store, keys: vec![key], realm: "cmwell".to_owned(), md5: false, rfc2069: false, userhash: false }
    }

    /// In this realm, which is part of every credential: those made in another one are of no use in
    /// it.
    pub(crate) fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self
    }

    /// Whether MD5 is offered too, before SHA-256: see [`Legacy::md5`](crate::Legacy::md5). Broken
    /// since 2004, and a recorded answer is guessed at twice as fast.
    pub(crate) fn md5(mut self, md5: bool) -> Self {
        self.md5 = md5;
        self
    }

    /// Whether answers without `qop` are taken too, as RFC 2069 had them, to a challenge for MD5,
    /// which this offers: nothing of the client's own is in them, so that a server in between can
    /// have prepared for its nonce. Each nonce is good for one of them.
    pub(crate) fn rfc2069(mut self, rfc2069: bool) -> Self {
        self.rfc2069 = rfc2069;
        self
    }

    /// Whether names may be sent hashed. Clients that do hide them from who reads the header, not
    /// from who can guess names; curl before 7.81 does it wrongly.
    pub(crate) fn userhash(mut self, userhash: bool) -> Self {
        self.userhash = userhash;
        self
    }

    /// A key that opens and never seals: the one from before.
    pub(crate) fn additional_key(mut self, key: SealingKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Whether one of its keys is this one.
    pub(crate) fn has_key(&self, mark: KeyMark) -> bool {
        self.keys.iter().any(|key| key.mark == mark)
    }

    /// The challenges of one 401, in the order of `algorithms`, each a header of its own and with a
    /// nonce of its own.
    pub(crate) fn challenges<U: Account>(&self, auth: &Auth<U>, stale: bool) -> Result<Vec<HeaderValue>, Unavailable> {
        let Some(key) = self.keys.first() else { return Ok(Vec::new()) };
        let opaque = self.opaque(key);
        let mut challenges = Vec::new();
        for algorithm in self.algorithms() {
            let mut random = [0; nonce::RANDOM];
            auth.fill_random(&mut random)?;
            let nonce = nonce::make(key, &self.realm, algorithm, auth.now(), random);
            let (realm, nonce, opaque, userhash) = (&*self.realm, &*nonce, &*opaque, self.userhash);
            challenges.push(Challenge { realm, algorithm, nonce, opaque, userhash, stale }.header());
        }
        Ok(challenges)
    }

    /// What is offered, in the order of the headers. SHA-256 alone unless a flag of
    /// [`Legacy`](crate::Legacy) adds MD5.
    ///
    /// RFC 7616 §3.7 asks for the strongest first. A client that knows only MD5 looks at the first
    /// header alone and gives up if it names another algorithm. The flag is for such clients, so
    /// MD5 comes first where it is on.
    fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        let md5 = (self.md5 || self.rfc2069).then_some(Algorithm::Md5);
        md5.into_iter().chain([Algorithm::Sha256])
    }

    /// What a client sends back as it is: that it answers this server.
    fn opaque(&self, key: &SealingKey) -> String {
        let mac = keys::mac(&*key.opaque, &[self.realm.as_bytes()]);
        hex(mac.split_at(16).0).to_string()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest")
            .field("realm", &self.realm)
            .field("md5", &self.md5)
            .field("rfc2069", &self.rfc2069)
            .field("userhash", &self.userhash)
            .finish_non_exhaustive()
    }
}
