//! What does a client get for a session token? A code, which it changes for tokens: once, within a minute, and only if it is the one who
//! asked (RFC 6749 §4.1, RFC 9700 §2.1).

use gatekit_core::{Account, AccountStatus, Auth, KnownAccount, NewOneTime, OneTimePurpose, TokenSecret, Unavailable};
use serde::{Deserialize, Serialize};
use url::Url;

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
    /// Whether the session token was for a password.
    pub(crate) proven: bool,
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

/// Makes a code for an account whose session token was just taken.
pub(crate) async fn issue<U: Account>(
    auth: &Auth<U>,
    account: &KnownAccount<U>,
    request: &CodeRequest,
) -> Result<TokenSecret, Unavailable> {
    let data = serde_json::to_string(request).unwrap_or_default();
    auth.issue_one_time(NewOneTime::new(CODE, &account.user.id(), account.rev, CODE_TTL_MS).data(data)).await
}

/// What was asked for, of a code that can still be used. It stays: a browser may load a page twice.
pub(crate) async fn find<U: Account>(auth: &Auth<U>, code: &str) -> Result<Option<CodeRequest>, Unavailable> {
    if code.len() > MAX_BYTES {
        return Ok(None);
    }
    let found = auth.find_one_time(CODE, code).await?;
    Ok(found.and_then(|record| serde_json::from_str(record.data.as_deref()?).ok()))
}

/// What a client brings with a code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brought<'a> {
    pub(crate) client: &'a str,
    pub(crate) verifier: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
}

/// Takes a code: whose it is, if this client may have it. What is wrong with it ends it all the same.
pub(crate) async fn take<U: Account>(
    auth: &Auth<U>,
    code: &str,
    brought: Brought<'_>,
) -> Result<Option<(KnownAccount<U>, CodeRequest)>, Unavailable> {
    if code.len() > MAX_BYTES {
        return Ok(None);
    }
    let (whole, code) = (auth.clone(), code.to_owned());
    let (client, verifier) = (brought.client.to_owned(), brought.verifier.to_owned());
    let redirect_uri = brought.redirect_uri.map(str::to_owned);
    // A client that hangs up must not keep the misuse of a code out of the log (ASVS 16.3.3).
    let taken = auth.change(|_| async move {
        let Some(record) = whole.take_one_time(CODE, &code).await? else { return Ok(None) };
        let request: Option<CodeRequest> = record.data.as_deref().and_then(|data| serde_json::from_str(data).ok());
        let request = request.filter(|request| {
            request.client == client && request.challenge.is_of(&verifier) && request.redirect_uri == redirect_uri
        });
        if request.is_none() {
            tracing::warn!("a code was brought by who did not ask for it");
        }
        Ok::<_, Unavailable>(request.map(|request| (record, request)))
    });
    let Some((record, request)) = taken.await? else { return Ok(None) };
    let Some(user) = record.user_id else { return Ok(None) };
    let account = auth.find_account_by_id(&user).await?;
    let alive = |account: &KnownAccount<U>| account.rev == record.rev && account.status == AccountStatus::Active;
    Ok(account.filter(alive).map(|account| (account, request)))
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
            proven: true,
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
