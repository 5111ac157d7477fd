//! How a member stays logged in for longer than an access token lasts: by a refresh token, which is
//! another one each time it was used. If one comes back that was used before, it was copied: it and
//! all that came of it end (RFC 9700 §4.14.2).
//!
//! A refresh token is the name of its family and a secret. A family is one record, which is
//! compared and set: of many renewals at the same time one changes it, and no two refresh tokens of
//! a family ever renew independently of each other.
//!
//! # Two renewals with one refresh token
//!
//! Two tabs, or two calls of a client that does not wait for its own renewal, bring the same token.
//! It is not a theft.
//!
//! 1. The first renewal makes the next tokens of the token that was brought and of a salt
//!    ([`successor`]), and sets the family to them.
//! 2. The same token within the grace ([`refresh_grace`](crate::WixMembersBuilder::refresh_grace))
//!    of that renewal gets the same answer: the very same access and refresh token. So the family
//!    still has one line of tokens.
//! 3. After the grace, and as soon as the next token was used, the token that was used ends the
//!    family.
//!
//! Whoever has copied a refresh token and uses it within the grace of the member's own renewal thus
//! gets the member's tokens. The copy is found out when both renew them: the second of the two
//! comes after the grace, or with a token whose next one was used.

mod hex;
mod record;
mod reuse;
mod successor;

use gatekit_core::{
    Account, AccountStatus, Auth, AuthenticateError, Client, IssueToken, IssueTokenError, KnownAccount, LogoutError,
    NewOneTime, OneTimePurpose, OneTimeRecord, Proofs, TokenDigest, TokenRecord, TokenSecret, Unavailable, UserId,
};

use hex::hex;
use record::{Digest, Family, Renewal, Use};
use successor::Successor;

pub(crate) use record::Rules;
pub use reuse::RefreshReuse;

/// What is known of a family, by its name.
pub(crate) const FAMILY: OneTimePurpose = OneTimePurpose::Other("wix_refresh");
/// Which family an access token is of.
const MEMBER: OneTimePurpose = OneTimePurpose::Other("wix_access");

/// How long an access token lasts, in seconds: the four hours that Wix's last.
pub(crate) const ACCESS_TTL: i64 = 4 * 60 * 60;
/// How long a family lasts, in seconds, however often its token is used (ASVS 10.4.8): the two
/// weeks that a session of Wix lasts.
pub(crate) const FAMILY_TTL: i64 = 14 * 24 * 60 * 60;
/// Longer texts are no refresh token of ours.
const MAX_BYTES: usize = 256;
/// Whoever loses against another renewal finds its own token used at the second look.
const LOOKS: usize = 3;

/// What a client gets for a member.
#[derive(Debug)]
pub(crate) struct MemberTokens {
    pub(crate) access: TokenSecret,
    /// The whole text: the family's name, a point, a secret.
    pub(crate) refresh: TokenSecret,
    /// Seconds that the access token lasts from now on.
    pub(crate) expires_in: i64,
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GrantError {
    /// What was brought is unknown, used, too old, or another client's; or its user may not log in
    /// any more.
    #[error("what was brought is not good, or not any more")]
    Invalid,
    /// It cannot be done now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Tokens for a member who has just logged in with this client. `name` is the family's: a secret
/// that nobody has yet.
pub(crate) async fn begin<U: Account>(
    auth: &Auth<U>,
    account: &KnownAccount<U>,
    name: &TokenSecret,
    client_id: &str,
    proofs: Proofs,
    device: Client,
) -> Result<MemberTokens, GrantError> {
    let (user, name) = (account.user.id(), name.expose());
    let next = Successor { access: auth.new_secret()?, refresh: auth.new_secret()? };
    let wanted = IssueToken::default().proofs(proofs).client(device);
    let token = issue(auth, &user, account.rev, name, wanted, &next).await?;
    let family = Family {
        client: client_id.to_owned(),
        current: Digest::of(&next.refresh.digest()),
        previous: None,
        renewal: None,
        access: Digest::of(&token.digest),
        access_ends: ends(&token),
    };
    let record = NewOneTime::new(FAMILY, &user, token.rev, FAMILY_TTL * 1000).data(family.to_json());
    if let Err(error) = auth.record_one_time(record, name).await {
        auth.discard_token(&token.digest).await;
        return Err(error.into());
    }
    Ok(tokens(name, next, token.ttl))
}

/// The next tokens for a client that brings a refresh token.
pub(crate) async fn renew<U: Account>(
    auth: &Auth<U>,
    token: &str,
    client_id: &str,
    rules: Rules,
    device: Client,
) -> Result<MemberTokens, GrantError> {
    let (auth, token, client_id) = (auth.clone(), token.to_owned(), client_id.to_owned());
    // Several steps: a client that hangs up must not leave the access token from before alive
    // beside the new one.
    let whole = auth.clone();
    whole.change(|_| async move { rotate(&auth, &token, &client_id, rules, device).await }).await
}

async fn rotate<U: Account>(
    auth: &Auth<U>,
    token: &str,
    client_id: &str,
    rules: Rules,
    device: Client,
) -> Result<MemberTokens, GrantError> {
    let (name, secret) = token.split_once('.').filter(|_| token.len() <= MAX_BYTES).ok_or(GrantError::Invalid)?;
    for _ in 0..LOOKS {
        let record = auth.find_one_time(FAMILY, name).await?.ok_or(GrantError::Invalid)?;
        let (user, family) = Family::read(&record).ok_or(GrantError::Invalid)?;
        // Another client's: refused, and nothing follows for the one whose it is.
        if family.client != client_id {
            return Err(GrantError::Invalid);
        }
        match family.use_of(secret, auth.now(), rules) {
            Use::Renews => {}
            Use::Repeats(salt) => return repeat(auth, (name, secret, &salt), &family).await,
            Use::Reuse => {
                // ASVS 16.3.3: who reads the log must learn of it.
                tracing::warn!(user = %user, "a refresh token was used again: its family ends");
                end(auth, name).await?;
                return Err(GrantError::Invalid);
            }
        }
        let account = auth.find_account_by_id(&user).await?;
        if account.is_none_or(|account| account.rev != record.rev || account.status != AccountStatus::Active) {
            end(auth, name).await?;
            return Err(GrantError::Invalid);
        }
        if let Some(tokens) = advance(auth, (name, secret), (&user, &record, family), device.clone()).await? {
            return Ok(tokens);
        }
        // Another request with the same token was faster. What it has done is seen at the next
        // look.
    }
    Err(GrantError::Invalid)
}

/// Sets the family to its next tokens. `None` if another request has changed it meanwhile.
async fn advance<U: Account>(
    auth: &Auth<U>,
    (name, secret): (&str, &str),
    (user, record, family): (&UserId, &OneTimeRecord, Family),
    device: Client,
) -> Result<Option<MemberTokens>, GrantError> {
    let mut salt = [0; 16];
    auth.fill_random(&mut salt)?;
    let (salt, now) = (hex(&salt), auth.now());
    let next = Successor::of(secret, &salt, name).ok_or(GrantError::Invalid)?;
    let token = issue(auth, user, record.rev, name, IssueToken::default().client(device), &next).await?;
    let changed = Family {
        client: family.client.clone(),
        current: Digest::of(&next.refresh.digest()),
        previous: Some(Digest::of(&TokenDigest::of(secret))),
        renewal: Some(Renewal { salt, at: now.0 }),
        access: Digest::of(&token.digest),
        access_ends: ends(&token),
    };
    match auth.replace_one_time(record, changed.to_json(), record.expires).await {
        Ok(true) => {}
        Ok(false) => {
            auth.discard_token(&token.digest).await;
            return Ok(None);
        }
        Err(error) => {
            auth.discard_token(&token.digest).await;
            return Err(error.into());
        }
    }
    // One access token of a family is alive, so that a logout has one to end. If the one from
    // before should live and does not, it was logged out, wherever that was; then the family ends
    // with it.
    let alive_until = family.access_ends;
    if !end_access(auth, Some(family)).await? && now.0 < alive_until {
        end(auth, name).await?;
        return Err(GrantError::Invalid);
    }
    Ok(Some(tokens(name, next, token.ttl)))
}

/// The answer of the renewal that was made with this secret and salt, once more.
async fn repeat<U: Account>(
    auth: &Auth<U>,
    (name, secret, salt): (&str, &str, &str),
    family: &Family,
) -> Result<MemberTokens, GrantError> {
    let next = Successor::of(secret, salt, name).ok_or(GrantError::Invalid)?;
    if !family.current.is_of(next.refresh.expose()) || !family.access.is_of(next.access.expose()) {
        return Err(GrantError::Invalid);
    }
    match auth.authenticate(next.access.expose()).await {
        Ok(_) => Ok(tokens(name, next, family.access_ends.saturating_sub(auth.now().0) / 1000)),
        Err(AuthenticateError::Unavailable(error)) => Err(Unavailable::from(error).into()),
        // It was logged out, wherever that was, or its member was.
        Err(_) => {
            end(auth, name).await?;
            Err(GrantError::Invalid)
        }
    }
}

/// Ends the access token that a member asks with, which is alive, and the refresh token that came
/// with it.
pub(crate) async fn log_out<U: Account>(auth: &Auth<U>, access: &str) -> Result<(), Unavailable> {
    let (whole, access) = (auth.clone(), access.to_owned());
    auth.change(|_| async move {
        // First what lasts longer: if the next step fails, the client asks again with what is still
        // alive.
        end_of(&whole, &access).await?;
        end_token(&whole, &TokenDigest::of(&access)).await?;
        whole.take_one_time(MEMBER, &access).await?;
        Ok(())
    })
    .await
}

/// Ends the family that an access token is of, if it is of one: also what a renewal has made of it
/// a moment ago.
pub(crate) async fn end_of<U: Account>(auth: &Auth<U>, access: &str) -> Result<(), Unavailable> {
    match auth.find_one_time(MEMBER, access).await?.and_then(|record| record.data) {
        Some(name) => end(auth, &name).await,
        None => Ok(()),
    }
}

/// Ends a family: its refresh token and the access token that came with it.
pub(crate) async fn end<U: Account>(auth: &Auth<U>, name: &str) -> Result<(), Unavailable> {
    let taken = auth.take_one_time(FAMILY, name).await?;
    end_access(auth, taken.as_ref().and_then(Family::read).map(|(_, family)| family)).await?;
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

/// An access token of the family of this name, for a caller that still has this `rev`.
async fn issue<U: Account>(
    auth: &Auth<U>,
    user: &UserId,
    rev: i64,
    name: &str,
    wanted: IssueToken,
    next: &Successor,
) -> Result<TokenRecord, GrantError> {
    let issued = auth.issue_token(user, wanted.ttl(ACCESS_TTL).secret(next.access.clone())).await;
    let token = match issued {
        Ok(issued) => issued.record,
        Err(IssueTokenError::Unavailable(error)) => return Err(error.into()),
        Err(_) => return Err(GrantError::Invalid),
    };
    // The password was changed a moment ago: what was verified before that counts for nothing now.
    if token.rev != rev {
        auth.discard_token(&token.digest).await;
        return Err(GrantError::Invalid);
    }
    let member = NewOneTime::new(MEMBER, user, rev, ACCESS_TTL * 1000).data(name);
    if let Err(error) = auth.record_one_time(member, next.access.expose()).await {
        auth.discard_token(&token.digest).await;
        return Err(error.into());
    }
    Ok(token)
}

/// When a token ends by itself: milliseconds.
fn ends(token: &TokenRecord) -> i64 {
    token.expires().unwrap_or(token.created.plus_seconds(ACCESS_TTL)).0
}

fn tokens(name: &str, next: Successor, expires_in: i64) -> MemberTokens {
    let refresh = TokenSecret::from(format!("{name}.{}", next.refresh.expose()));
    MemberTokens { access: next.access, refresh, expires_in }
}
