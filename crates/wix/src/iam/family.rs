//! How does a member stay logged in for longer than an access token lasts? By a refresh token, which is another one each time it was
//! used. If one comes back that was used before, somebody has copied it: it and all that came of it end (RFC 9700 §4.14.2).
//!
//! A refresh token is the name of its family and a secret. The family is one record, which is taken to be changed: of many at the same
//! time one gets it, and no two refresh tokens of a family are ever good at once.

use gatekit_core::{
    Account, AccountStatus, Auth, Client, IssueToken, IssueTokenError, IssuedToken, KnownAccount, LogoutError,
    NewOneTime, OneTimePurpose, OneTimeRecord, TokenDigest, Unavailable, UserId,
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// What is known of a family, by its name.
pub(crate) const FAMILY: OneTimePurpose = OneTimePurpose::Other("wix_refresh");
/// Which family an access token is of.
const MEMBER: OneTimePurpose = OneTimePurpose::Other("wix_access");

/// How long an access token lasts, in seconds: the four hours that Wix's last.
pub(crate) const ACCESS_TTL: i64 = 4 * 60 * 60;
/// How long a family lasts, in seconds, however often its token is used (ASVS 10.4.8): the two weeks that a session of Wix lasts.
pub(crate) const FAMILY_TTL: i64 = 14 * 24 * 60 * 60;
/// Longer texts are no refresh token of ours.
const MAX_BYTES: usize = 256;

/// When a refresh token that was used already is taken once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshReuse {
    /// Never: it ends the family (RFC 9700 §2.2.2, §4.14.2).
    #[default]
    EndsFamily,
    /// Where its successor was never used, and the access token that came with it has ended by itself. `@wix/sdk` needs this: it never takes
    /// the new refresh token, but asks with its first one every four hours. Without it the SDK's member is a visitor again after
    /// eight.
    ///
    /// It costs this: whoever copies the refresh token of such a client is found out only if both use it within the same four hours. Then,
    /// and in every other case of reuse, the family ends as it does otherwise.
    AllowedToSdk,
}

/// What a client gets for a member.
#[derive(Debug)]
pub(crate) struct MemberTokens {
    pub(crate) access: IssuedToken,
    /// The whole text. Never logged: see `Debug` of the secret it is made with.
    pub(crate) refresh: gatekit_core::TokenSecret,
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GrantError {
    /// What was brought is unknown, used, too old, or another client's; or its user may not log in any more.
    #[error("what was brought is not good, or not any more")]
    Invalid,
    /// It cannot be done now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What is remembered of a family. Of its secrets only digests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Family {
    client: String,
    /// Digest of the one refresh token that is good.
    current: Digest,
    /// Digest of the one before.
    previous: Option<Digest>,
    /// Digest of the access token that came with the current one.
    access: Digest,
    /// When that ends by itself: milliseconds.
    access_ends: i64,
}

/// SHA-256 of a secret, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Digest(String);

impl Digest {
    fn of(digest: &TokenDigest) -> Self {
        use std::fmt::Write;
        Self(digest.as_bytes().iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }

    fn is_of(&self, secret: &str) -> bool {
        Self::of(&TokenDigest::of(secret)).0.as_bytes().ct_eq(self.0.as_bytes()).into()
    }

    fn read(&self) -> Option<TokenDigest> {
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(self.0.get(at * 2..at * 2 + 2)?, 16).ok()?;
        }
        Some(TokenDigest::from_bytes(bytes))
    }
}

/// Tokens for a member who has just logged in with this client.
pub(crate) async fn begin<U: Account>(
    auth: &Auth<U>,
    account: &KnownAccount<U>,
    client_id: &str,
    proven: bool,
    device: Client,
) -> Result<MemberTokens, GrantError> {
    let (user, name) = (account.user.id(), auth.new_secret()?);
    let access = issue(auth, &user, account.rev, proven, device).await?;
    let begun = Begun { name: name.expose(), client: client_id, previous: None, ttl_ms: FAMILY_TTL * 1000 };
    store(auth, &user, access, begun).await
}

/// The next tokens for who brings a refresh token.
pub(crate) async fn renew<U: Account>(
    auth: &Auth<U>,
    token: &str,
    client_id: &str,
    reuse: RefreshReuse,
    device: Client,
) -> Result<MemberTokens, GrantError> {
    let (auth, token, client_id) = (auth.clone(), token.to_owned(), client_id.to_owned());
    // Between taking the family and storing it again nobody may hang up: it would be gone.
    let whole = auth.clone();
    whole.change(|_| async move { rotate(&auth, &token, &client_id, reuse, device).await }).await
}

async fn rotate<U: Account>(
    auth: &Auth<U>,
    token: &str,
    client_id: &str,
    reuse: RefreshReuse,
    device: Client,
) -> Result<MemberTokens, GrantError> {
    let (name, secret) = token.split_once('.').filter(|_| token.len() <= MAX_BYTES).ok_or(GrantError::Invalid)?;
    let record = auth.find_one_time(FAMILY, name).await?.ok_or(GrantError::Invalid)?;
    let (user, family) = read(&record).ok_or(GrantError::Invalid)?;
    // Another client's: refused, and nothing follows for the one whose it is.
    if family.client != client_id {
        return Err(GrantError::Invalid);
    }
    let now = auth.now();
    let kept_by_sdk = reuse == RefreshReuse::AllowedToSdk && now.0 >= family.access_ends;
    let again = kept_by_sdk && family.previous.as_ref().is_some_and(|previous| previous.is_of(secret));
    if !family.current.is_of(secret) && !again {
        // ASVS 16.3.3: who reads the log must learn of it.
        tracing::warn!(user = %user, "a refresh token was used again: its family ends");
        end(auth, name).await?;
        return Err(GrantError::Invalid);
    }
    let account = auth.find_account_by_id(&user).await?;
    if account.is_none_or(|account| account.rev != record.rev || account.status != AccountStatus::Active) {
        end(auth, name).await?;
        return Err(GrantError::Invalid);
    }
    // From here on it is this request's or nobody's.
    let taken = auth.take_one_time(FAMILY, name).await?.ok_or(GrantError::Invalid)?;
    if taken.data != record.data {
        // Another request with the same token was faster.
        end_access(auth, read(&taken).map(|(_, family)| family)).await?;
        return Err(GrantError::Invalid);
    }
    let access = match issue(auth, &user, record.rev, false, device).await {
        Ok(access) => access,
        Err(GrantError::Unavailable(error)) => {
            // The client asks again, with the same token.
            put_back(auth, name, &user, &record).await;
            return Err(error.into());
        }
        Err(refused) => return Err(refused),
    };
    let ttl_ms = record.expires.0.saturating_sub(now.0);
    let previous = Some(Digest::of(&TokenDigest::of(secret)));
    let tokens = store(auth, &user, access, Begun { name, client: client_id, previous, ttl_ms }).await?;
    // One access token of a family is alive, so that a logout has one to end. If this one should live and does not, it was logged out,
    // wherever that was; then the family ends with it.
    let alive_until = family.access_ends;
    if !end_access(auth, Some(family)).await? && now.0 < alive_until {
        end(auth, name).await?;
        return Err(GrantError::Invalid);
    }
    Ok(tokens)
}

/// Ends the access token that a member asks with, which is alive, and the refresh token that came with it.
pub(crate) async fn log_out<U: Account>(auth: &Auth<U>, access: &str) -> Result<(), Unavailable> {
    let (whole, access) = (auth.clone(), access.to_owned());
    auth.change(|_| async move {
        // First what lasts longer: if the next step fails, the client asks again with what is still alive.
        end_of(&whole, &access).await?;
        end_token(&whole, &TokenDigest::of(&access)).await?;
        whole.take_one_time(MEMBER, &access).await?;
        Ok(())
    })
    .await
}

/// Ends the family that an access token is of, if it is of one: also what a renewal has made of it a moment ago.
pub(crate) async fn end_of<U: Account>(auth: &Auth<U>, access: &str) -> Result<(), Unavailable> {
    match auth.find_one_time(MEMBER, access).await?.and_then(|record| record.data) {
        Some(name) => end(auth, &name).await,
        None => Ok(()),
    }
}

/// Ends a family: its refresh token and the access token that came with it.
async fn end<U: Account>(auth: &Auth<U>, name: &str) -> Result<(), Unavailable> {
    let taken = auth.take_one_time(FAMILY, name).await?;
    end_access(auth, taken.as_ref().and_then(read).map(|(_, family)| family)).await?;
    Ok(())
}

/// Whether it was there.
async fn end_access<U: Account>(auth: &Auth<U>, family: Option<Family>) -> Result<bool, Unavailable> {
    match family.and_then(|family| family.access.read()) {
        Some(digest) => end_token(auth, &digest).await,
        None => Ok(false),
    }
}

/// Whether it was there.
async fn end_token<U: Account>(auth: &Auth<U>, digest: &TokenDigest) -> Result<bool, Unavailable> {
    match auth.logout(digest).await {
        Ok(()) => Ok(true),
        Err(LogoutError::Unavailable(error)) => Err(error),
        // It has ended by itself, or the user has ended it.
        Err(_) => Ok(false),
    }
}

/// An access token for who still has this `rev`.
async fn issue<U: Account>(
    auth: &Auth<U>,
    user: &UserId,
    rev: i64,
    proven: bool,
    device: Client,
) -> Result<IssuedToken, GrantError> {
    let wanted = IssueToken::default().ttl(ACCESS_TTL).proven(proven).client(device);
    let access = match auth.issue_token(user, wanted).await {
        Ok(access) => access,
        Err(IssueTokenError::Unavailable(error)) => return Err(error.into()),
        Err(_) => return Err(GrantError::Invalid),
    };
    // The password was changed a moment ago: what was proven before that counts for nothing now.
    if access.record.rev != rev {
        end_token(auth, &access.record.digest).await?;
        return Err(GrantError::Invalid);
    }
    Ok(access)
}

struct Begun<'a> {
    name: &'a str,
    client: &'a str,
    previous: Option<Digest>,
    ttl_ms: i64,
}

/// Stores a family with a new refresh token, whose access token this is. If it cannot, the access token ends too.
async fn store<U: Account>(
    auth: &Auth<U>,
    user: &UserId,
    access: IssuedToken,
    begun: Begun<'_>,
) -> Result<MemberTokens, GrantError> {
    let done = try_store(auth, user, &access, begun).await;
    match done {
        Ok(refresh) => Ok(MemberTokens { access, refresh }),
        Err(error) => {
            if let Err(also) = end_token(auth, &access.record.digest).await {
                tracing::warn!(error = %also, "a token that nobody has got could not be removed");
            }
            Err(error.into())
        }
    }
}

async fn try_store<U: Account>(
    auth: &Auth<U>,
    user: &UserId,
    access: &IssuedToken,
    begun: Begun<'_>,
) -> Result<gatekit_core::TokenSecret, Unavailable> {
    let secret = auth.new_secret()?;
    let access_ends = access.record.expires().unwrap_or(access.record.created.plus_seconds(ACCESS_TTL));
    let family = Family {
        client: begun.client.to_owned(),
        current: Digest::of(&secret.digest()),
        previous: begun.previous,
        access: Digest::of(&access.record.digest),
        access_ends: access_ends.0,
    };
    let member = NewOneTime::new(MEMBER, user, access.record.rev, ACCESS_TTL * 1000).data(begun.name);
    auth.record_one_time(member, access.secret.expose()).await?;
    let data = serde_json::to_string(&family).unwrap_or_default();
    let record = NewOneTime::new(FAMILY, user, access.record.rev, begun.ttl_ms).data(data);
    auth.record_one_time(record, begun.name).await?;
    Ok(gatekit_core::TokenSecret::from(format!("{}.{}", begun.name, secret.expose())))
}

/// Makes a family what it was. That it fails is logged: its member logs in again.
async fn put_back<U: Account>(auth: &Auth<U>, name: &str, user: &UserId, record: &OneTimeRecord) {
    let ttl_ms = record.expires.0.saturating_sub(auth.now().0);
    let again = NewOneTime::new(FAMILY, user, record.rev, ttl_ms).data(record.data.clone().unwrap_or_default());
    if let Err(error) = auth.record_one_time(again, name).await {
        tracing::warn!(%error, "a refresh token was taken but could not be put back");
    }
}

fn read(record: &OneTimeRecord) -> Option<(UserId, Family)> {
    let family = serde_json::from_str(record.data.as_deref()?).ok()?;
    Some((record.user_id.clone()?, family))
}
