//! Verifies the response to a challenge: the steps of the module's list, in its order.

use std::fmt;

use axum::http::HeaderValue;
use gatekit_core::{Account, Auth, DigestCredential, KnownAccount, LoginError, TokenDigest, Unavailable, UserId};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::algorithm::{Algorithm, Asked};
use super::challenge::quoted;
use super::nonce;
use super::response::{Quality, Response};
use super::seal::{self, Binding};
use super::target::Target;
use super::{Digest, NONCE_TTL};
use crate::LoginNames;

/// What came of an answer.
pub(crate) enum DigestOutcome<U> {
    /// The secret is proven. Whether the account may log in is for [`Auth::accept_login`] to say.
    Accepted {
        /// Who, as read before the proof was checked.
        account: Box<KnownAccount<U>>,
        /// `Authentication-Info`: that the server knows the secret as well (RFC 7616 §3.5). RFC
        /// 2069's clients know none.
        info: Option<HeaderValue>,
    },
    /// 401 with new challenges.
    Refused {
        /// Whether all was right but the nonce.
        stale: bool,
    },
    /// 400. The header is not repeated in it.
    Malformed,
}

impl<U> fmt::Debug for DigestOutcome<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { account, .. } => f.debug_tuple("Accepted").field(account).finish(),
            Self::Refused { stale } => f.debug_struct("Refused").field("stale", stale).finish(),
            Self::Malformed => f.write_str("Malformed"),
        }
    }
}

/// A user and its credential, as far as there are any.
struct Found<U> {
    account: Option<KnownAccount<U>>,
    sealed: Option<Vec<u8>>,
}

impl Digest {
    /// Checks the whole value of an `Authorization` header against the request it came with.
    ///
    /// # Errors
    ///
    /// [`LoginError::Unavailable`] if a store fails: nothing is decided then, and nothing used up;
    /// [`LoginError::Refused`] by a hook.
    pub(crate) async fn verify<U: Account>(
        &self,
        auth: &Auth<U>,
        names: LoginNames,
        header: &[u8],
        method: &str,
        target: &Target<'_>,
    ) -> Result<DigestOutcome<U>, LoginError> {
        // 1
        let Some(answer) = Response::parse(header).filter(|answer| target.is(&answer.uri)) else {
            return Ok(DigestOutcome::Malformed);
        };
        // 2
        let Some(algorithm) = self.offered(&answer) else { return Ok(DigestOutcome::Refused { stale: false }) };
        // 3
        let Some(made) = nonce::read(&self.keys, &self.realm, algorithm, &answer.nonce) else {
            return Ok(DigestOutcome::Refused { stale: false });
        };
        // 4
        let named = names.account_name(&answer.name);
        auth.begin_login(&named).await?;
        // A userhash names nobody in a log.
        let named = Some(named).filter(|_| !answer.userhash);
        let Found { account, sealed } = self.find(auth, names, &answer, algorithm).await?;
        let ha1 = self.open(auth, names, account.as_ref(), sealed, algorithm);
        // 5
        let (ha1, is_known) = match ha1 {
            Some(ha1) => (ha1, true),
            None => (algorithm.hash(&[]), false),
        };
        let asked = answer.asked();
        let wanted = asked.response(algorithm, &ha1, method);
        let is_right = bool::from(wanted.as_bytes().ct_eq(answer.response.as_bytes()));
        let account = match account {
            Some(account) if is_right && is_known => account,
            other => {
                auth.reject_login(other.map(|account| account.user.id()).as_ref(), named.as_ref()).await;
                return Ok(DigestOutcome::Refused { stale: false });
            }
        };
        // 6
        let (ttl, now) = (NONCE_TTL, auth.now());
        // Without a count, a nonce is good for once and nothing after.
        let count = answer.quality.as_ref().map_or(u32::MAX, |quality| quality.count);
        let used = TokenDigest::of(&answer.nonce);
        if made.is_expired(now, ttl) || !auth.bounded(self.store.use_nonce(&used, count, made.expires(ttl))).await? {
            return Ok(DigestOutcome::Refused { stale: true });
        }
        let info = answer.quality.as_ref().and_then(|quality| authentication_info(algorithm, &ha1, &asked, quality));
        Ok(DigestOutcome::Accepted { account: Box::new(account), info })
    }

    /// The algorithm, if this answers a challenge of ours.
    fn offered(&self, answer: &Response) -> Option<Algorithm> {
        let named = Algorithm::named(answer.algorithm.as_deref())?;
        let algorithm = self.algorithms().find(|offered| *offered == named)?;
        // Old clients leave it out. The nonce is signed, so it says already that the challenge was
        // ours.
        let is_opaque_known = match answer.opaque.as_deref() {
            Some(opaque) => self.keys.iter().any(|key| self.opaque(key) == opaque),
            None => algorithm == Algorithm::Md5,
        };
        let is_quality_offered = match &answer.quality {
            Some(quality) => quality.qop.eq_ignore_ascii_case("auth"),
            None => self.rfc2069 && algorithm == Algorithm::Md5,
        };
        let is_offered =
            answer.realm == self.realm && is_opaque_known && is_quality_offered && (self.userhash || !answer.userhash);
        is_offered.then_some(algorithm)
    }

    /// The user that is meant and its credential: two queries, also where the first finds nobody.
    async fn find<U: Account>(
        &self,
        auth: &Auth<U>,
        names: LoginNames,
        answer: &Response,
        algorithm: Algorithm,
    ) -> Result<Found<U>, Unavailable> {
        let (store, user_type, realm, name) = (&self.store, U::model_name(), &self.realm, algorithm.name());
        let nobody = UserId::Int(0);
        let sealed_of = |found: Option<DigestCredential>| found.map(|credential| credential.sealed);
        if answer.userhash {
            let found = auth.bounded(store.find_digest_by_userhash(user_type, realm, name, &answer.name)).await?;
            let id = found.as_ref().map_or(&nobody, |credential| &credential.user_id);
            let account = auth.find_account_by_id(id).await?;
            // The name may have become another user's since.
            let is_named = |account: &KnownAccount<U>| {
                let current = names.full_name_of(auth, &account.user);
                current.is_some_and(|current| algorithm.userhash(&current, realm) == answer.name)
            };
            let account = account.filter(|account| found.is_some() && is_named(account));
            return Ok(Found { account, sealed: sealed_of(found) });
        }
        let account = auth.find_account(&names.account_name(&answer.name)).await?;
        // The hash was made of the stored name, letter by letter: another spelling, which finds the
        // account too, proves nothing.
        let is_spelled = |account: &KnownAccount<U>| {
            names.full_name_of(auth, &account.user).is_some_and(|stored| stored == answer.name)
        };
        let account = account.filter(is_spelled);
        let id = account.as_ref().map_or(nobody, |account| account.user.id());
        let found = auth.bounded(store.find_digest(user_type, &id, realm, name)).await?;
        Ok(Found { account, sealed: sealed_of(found) })
    }

    /// What is sealed for this user and this password. Without a user, a credential or a password:
    /// `None`, after as much work.
    fn open<U: Account>(
        &self,
        auth: &Auth<U>,
        names: LoginNames,
        account: Option<&KnownAccount<U>>,
        sealed: Option<Vec<u8>>,
        algorithm: Algorithm,
    ) -> Option<Zeroizing<String>> {
        let user = account.map_or(UserId::Int(0), |account| account.user.id());
        let name = account.and_then(|account| names.full_name_of(auth, &account.user));
        let mark = account.and_then(|account| account.password_mark);
        let is_complete = name.is_some() && mark.is_some() && sealed.is_some();
        let decoy = || self.keys.first().map(|key| seal::decoy(key, algorithm)).unwrap_or_default();
        let sealed = sealed.unwrap_or_else(decoy);
        let name = name.unwrap_or_default();
        let password = mark.unwrap_or_else(|| TokenDigest::from_bytes([0; 32]));
        let binding = Binding {
            user_type: U::model_name(),
            user: &user,
            name: &name,
            realm: &self.realm,
            algorithm,
            password: &password,
        };
        seal::open(&self.keys, &binding, &sealed).filter(|_| is_complete)
    }
}

/// RFC 7616 §3.5. `None` if the client's own words cannot be repeated in a header.
fn authentication_info(algorithm: Algorithm, ha1: &str, asked: &Asked<'_>, quality: &Quality) -> Option<HeaderValue> {
    // As the response, but without a method.
    let rspauth = asked.response(algorithm, ha1, "");
    let Quality { qop, cnonce, nc, .. } = quality;
    let cnonce = quoted(cnonce);
    HeaderValue::from_str(&format!(r#"rspauth="{}", qop={qop}, cnonce={cnonce}, nc={nc}"#, *rspauth)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DG-12
    #[test]
    fn the_server_proves_that_it_knows_the_secret() {
        let ha1 = Algorithm::Sha256.ha1("myUser", "cmwell", "myPassword");
        let nonce = "00112233445566778899aabbccddeeff";
        let asked = Asked { nonce, quality: Some(("00000001", "0a4f113b", "auth")), uri: "/_login" };
        let quality = Quality { qop: "auth".into(), cnonce: "0a4f113b".into(), nc: "00000001".into(), count: 1 };
        let info = authentication_info(Algorithm::Sha256, &ha1, &asked, &quality).unwrap();
        let ha2 = Algorithm::Sha256.hash(&["", "/_login"]);
        let rspauth = Algorithm::Sha256.hash(&[&ha1, nonce, "00000001", "0a4f113b", "auth", &ha2]);
        let expected = format!(r#"rspauth="{}", qop=auth, cnonce="0a4f113b", nc=00000001"#, *rspauth);
        assert_eq!(info, expected.as_str());
    }
}
