//! What a client gets for a session token: a code, which it exchanges for tokens once, within a
//! minute, and only if it is the client that asked (RFC 6749 §4.1, RFC 9700 §2.1).
//!
//! A code that is brought again was seen by somebody else: the tokens that it gave end, and so does
//! what they were renewed to (RFC 6749 §4.1.2, §10.5). For this the record of a code stays as long
//! as its tokens can live. It is compared and set, from one state to the next:
//!
//! 1. `Asked`: it is good, for a minute.
//! 2. `Spent`: it has given the family of this name, or nothing.
//! 3. `Replayed`: it was brought again. Whoever exchanges it looks for this once its tokens are
//!    made, so a second use at the same moment ends them too.

use gatekit_core::{
    Account, AccountStatus, Auth, Client, KnownAccount, NewOneTime, OneTimePurpose, OneTimeRecord, Proofs, TokenSecret,
    Unavailable,
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::family::{self, FAMILY_TTL, GrantError, MemberTokens};
use super::pkce::Challenge;

pub(crate) const CODE: OneTimePurpose = OneTimePurpose::Other("wix_code");

/// How long a code is good, in milliseconds: the SDK changes it at once.
pub(crate) const CODE_TTL_MS: i64 = 60_000;
/// Longer texts are no code of ours.
const MAX_BYTES: usize = 128;

/// How a code gets to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResponseMode {
    /// As a message from a hidden frame to the page around it.
    WebMessage,
    /// Behind `#` in the address that the browser is sent to.
    Fragment,
    /// In the query of that address.
    Query,
}

impl ResponseMode {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "web_message" => Self::WebMessage,
            "fragment" => Self::Fragment,
            "query" => Self::Query,
            _ => return None,
        })
    }
}

/// What a client has asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CodeRequest {
    pub(crate) client: String,
    pub(crate) challenge: Challenge,
    pub(crate) mode: ResponseMode,
    pub(crate) redirect_uri: Option<String>,
    /// What the client knows its answer by.
    pub(crate) state: String,
    /// The page that asked, if its browser has said so.
    pub(crate) origin: Option<String>,
    /// Which factors were verified for the session token, and when.
    pub(crate) proofs: Proofs,
}

impl CodeRequest {
    /// Where the browser is sent with these.
    pub(crate) fn location(&self, answer: &[(&str, &str)]) -> Option<String> {
        let mut url = Url::parse(self.redirect_uri.as_deref()?).ok()?;
        match self.mode {
            ResponseMode::Query => {
                url.query_pairs_mut().extend_pairs(answer);
            }
            _ => {
                let fragment = form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish();
                url.set_fragment(Some(&fragment));
            }
        }
        Some(url.into())
    }
}

/// What a store keeps of a code.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Asked(CodeRequest),
    /// The name of the family that it has given. A code that was brought wrongly has given none.
    Spent(Option<String>),
    Replayed,
}

impl State {
    fn read(record: &OneTimeRecord) -> Option<Self> {
        serde_json::from_str(record.data.as_deref()?).ok()
    }

    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Makes a code for an account whose session token was just taken.
pub(crate) async fn issue<U: Account>(
    auth: &Auth<U>,
    account: &KnownAccount<U>,
    request: CodeRequest,
) -> Result<TokenSecret, Unavailable> {
    let data = State::Asked(request).to_json();
    auth.issue_one_time(NewOneTime::new(CODE, &account.user.id(), account.rev, CODE_TTL_MS).data(data)).await
}

/// What was asked for, of a code that can still be used. It stays: a browser may load a page twice.
pub(crate) async fn find<U: Account>(auth: &Auth<U>, code: &str) -> Result<Option<CodeRequest>, Unavailable> {
    if code.len() > MAX_BYTES {
        return Ok(None);
    }
    let found = auth.find_one_time(CODE, code).await?;
    Ok(match found.as_ref().and_then(State::read) {
        Some(State::Asked(request)) => Some(request),
        _ => None,
    })
}

/// What a client brings with a code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brought<'a> {
    pub(crate) client: &'a str,
    pub(crate) verifier: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
}

/// Exchanges a code for the tokens of a new family, if this client may have them. What is wrong
/// with it ends the code all the same. To be run on a task of its own: a client that hangs up must
/// neither lose a code for nothing nor keep its misuse out of the log (ASVS 16.3.3).
pub(crate) async fn exchange<U: Account>(
    auth: &Auth<U>,
    code: &str,
    brought: Brought<'_>,
    device: Client,
) -> Result<(MemberTokens, KnownAccount<U>), GrantError> {
    let name = auth.new_secret()?;
    let (record, request) = take(auth, code, brought, &name).await?.ok_or(GrantError::Invalid)?;
    let user = record.user_id.ok_or(GrantError::Invalid)?;
    let account = auth.find_account_by_id(&user).await?;
    let alive = |account: &KnownAccount<U>| account.rev == record.rev && account.status == AccountStatus::Active;
    let account = account.filter(alive).ok_or(GrantError::Invalid)?;
    let tokens = family::begin(auth, &account, &name, brought.client, request.proofs, device).await?;
    let now = auth.find_one_time(CODE, code).await;
    if matches!(now.as_ref().map(|now| now.as_ref().and_then(State::read)), Ok(Some(State::Spent(_)))) {
        return Ok((tokens, account));
    }
    // Brought again in between; or nobody can tell, and then nobody gets the tokens.
    family::end(auth, name.expose()).await?;
    Err(now.err().map_or(GrantError::Invalid, GrantError::from))
}

/// Takes a code for the family of this name. What was asked for, if this client may have it.
async fn take<U: Account>(
    auth: &Auth<U>,
    code: &str,
    brought: Brought<'_>,
    name: &TokenSecret,
) -> Result<Option<(OneTimeRecord, CodeRequest)>, GrantError> {
    if code.len() > MAX_BYTES {
        return Ok(None);
    }
    // Whoever loses against another request finds the code spent at the second look.
    for _ in 0..2 {
        let Some(record) = auth.find_one_time(CODE, code).await? else { return Ok(None) };
        match State::read(&record) {
            Some(State::Asked(request)) => {
                let is_for = request.client == brought.client
                    && request.challenge.is_of(brought.verifier)
                    && request.redirect_uri.as_deref() == brought.redirect_uri;
                let spent = State::Spent(is_for.then(|| name.expose().to_owned()));
                let expires = auth.now().plus_seconds(FAMILY_TTL);
                if !auth.replace_one_time(&record, spent.to_json(), expires).await? {
                    continue;
                }
                if !is_for {
                    tracing::warn!("a code was brought by a client that did not ask for it");
                }
                return Ok(is_for.then_some((record, request)));
            }
            Some(State::Spent(given)) => {
                if auth.replace_one_time(&record, State::Replayed.to_json(), record.expires).await?
                    && let Some(name) = given
                {
                    tracing::warn!(user = ?record.user_id, "a code was used again: the tokens that it gave end");
                    family::end(auth, &name).await?;
                }
                return Ok(None);
            }
            Some(State::Replayed) | None => return Ok(None),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(mode: ResponseMode, uri: &str) -> CodeRequest {
        CodeRequest {
            client: "c".into(),
            challenge: Challenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S256").unwrap(),
            mode,
            redirect_uri: Some(uri.into()),
            state: "s".into(),
            origin: None,
            proofs: Proofs::default(),
        }
    }

    #[test]
    fn an_answer_goes_behind_the_mark_that_was_asked_for() {
        let answer = [("code", "a b"), ("state", "x&y")];
        let location = |mode, uri| request(mode, uri).location(&answer).unwrap();
        assert_eq!(
            location(ResponseMode::Fragment, "https://app.example.com/back?a=1"),
            "https://app.example.com/back?a=1#code=a+b&state=x%26y"
        );
        assert_eq!(
            location(ResponseMode::Query, "https://app.example.com/back?a=1#top"),
            "https://app.example.com/back?a=1&code=a+b&state=x%26y#top"
        );
    }
}
