//! The endpoints of Wix's SDK. What the SDK itself makes of them is in `tests/clients/wix`.

mod codes;
mod family;
mod frames;
mod inputs;
mod kinds;
mod login;
mod logout;
mod password;
mod visitors;

use std::time::Duration;

use gatekit::Policy;
use gatekit::wix::{RefreshReuse, WixMembersBuilder};
use gatekit_tests::{Answer, Call, Store};
use serde_json::{Value, json};

use crate::site::{EMAIL, ORIGIN, PASSWORD, Setup, Site};

/// What the SDK is told.
pub(crate) const CLIENT: &str = "7f0c1d3e-5a1b-4c1e-9a53-0d7f2f6f1a11";
/// Another origin whose pages may use it.
pub(crate) const SHOP: &str = "https://shop.example.com";
/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const NEW_PASSWORD: &str = "wrong giraffe charger paperclip";

pub(crate) const LOGIN: &str = "/_api/iam/authentication/v2/login";
pub(crate) const REGISTER: &str = "/_api/iam/authentication/v2/register";
pub(crate) const CHANGE_PASSWORD: &str = "/_api/iam/authentication/v2/change-password";
pub(crate) const VERIFY: &str = "/_api/iam/verification/v1/auth/verify";
pub(crate) const SEND_EMAIL: &str = "/_api/iam/recovery/v1/send-email";
pub(crate) const RECOVER: &str = "/_api/iam/recovery/v1/recover";
pub(crate) const REDIRECT_SESSION: &str = "/_api/redirects-api/v1/redirect-session";
pub(crate) const TOKEN: &str = "/oauth2/token";

/// What a client gets for a member.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn of(answer: &Answer) -> Self {
        Self { access: answer.text("access_token"), refresh: answer.text("refresh_token") }
    }
}

/// As an app with the SDK puts its members together.
pub(crate) fn with_sdk(members: WixMembersBuilder) -> WixMembersBuilder {
    members.public_url(ORIGIN).client_id(CLIENT).allowed_origin(SHOP)
}

impl Site {
    /// With the endpoints and a member.
    pub(crate) async fn iam(store: Store) -> Self {
        Self::iam_with(Setup::new(Policy::default()).members(with_sdk), store).await
    }

    /// The same, where the SDK may go on with its first refresh token.
    pub(crate) async fn iam_for_sdk(store: Store) -> Self {
        let members = |members| with_sdk(members).refresh_reuse(RefreshReuse::AllowedToSdk);
        Self::iam_with(Setup::new(Policy::default()).members(members), store).await
    }

    /// The same, where a renewal is repeated for so long.
    pub(crate) async fn iam_with_grace(store: Store, grace: Duration) -> Self {
        let members = move |members| with_sdk(members).refresh_grace(grace);
        Self::iam_with(Setup::new(Policy::default()).members(members), store).await
    }

    /// Logs out as the SDK does.
    pub(crate) async fn log_out(&self, access: &str) {
        let asked = json!({"logout": {"clientId": CLIENT}});
        self.post(REDIRECT_SESSION).header("authorization", access).json(asked).await.expect_status(200);
    }

    pub(crate) async fn iam_with(setup: Setup, store: Store) -> Self {
        let mut site = setup.start(store).await;
        site.router = site.router.clone().merge(site.members.iam_router());
        site.sign_up(EMAIL).await;
        site
    }

    pub(crate) fn iam_login(&self, email: &str, password: &str) -> Call {
        self.post(LOGIN).json(json!({"loginId": {"email": email}, "password": password}))
    }

    /// A session token of [`EMAIL`], by the SDK's login.
    pub(crate) async fn iam_session(&self) -> String {
        self.iam_login(EMAIL, PASSWORD).await.expect_status(200).text("sessionToken")
    }

    /// Asks for a code with this session token; `change` makes the request another one.
    pub(crate) fn ask_with(&self, session: &str, change: impl FnOnce(&mut Value)) -> Call {
        let mut asked = json!({
            "clientId": CLIENT, "codeChallenge": CHALLENGE, "codeChallengeMethod": "S256", "responseMode": "web_message",
            "responseType": "code", "scope": "offline_access", "state": "the state", "sessionToken": session,
        });
        change(&mut asked);
        self.post(REDIRECT_SESSION).json(json!({"auth": {"authRequest": asked, "prompt": "none"}}))
    }

    /// A code for [`EMAIL`], as a client learns it.
    pub(crate) async fn oauth_code(&self) -> String {
        let session = self.iam_session().await;
        let answer = self.ask_with(&session, |_| {}).await.expect_status(200);
        code_in(&full_url(&answer))
    }

    /// Changes a code for tokens.
    pub(crate) fn exchange(&self, code: &str, verifier: &str) -> Call {
        self.token(json!({"grantType": "authorization_code", "code": code, "codeVerifier": verifier}))
    }

    /// Tokens of [`EMAIL`].
    pub(crate) async fn tokens(&self) -> Tokens {
        let code = self.oauth_code().await;
        Tokens::of(&self.exchange(&code, VERIFIER).await.expect_status(200))
    }

    pub(crate) fn refresh(&self, token: &str) -> Call {
        self.token(json!({"grantType": "refresh_token", "refreshToken": token}))
    }

    /// Asks for tokens as the known client, unless the body names another.
    pub(crate) fn token(&self, mut body: Value) -> Call {
        if body.get("clientId").is_none() {
            body["clientId"] = CLIENT.into();
        }
        self.post(TOKEN).json(body)
    }

    /// The status of `/me` for this token.
    pub(crate) async fn me(&self, token: &str) -> u16 {
        self.get("/me").token(token).await.status.as_u16()
    }
}

/// Where a client is told to send the browser.
pub(crate) fn full_url(answer: &Answer) -> String {
    let body = answer.value();
    let url = body["redirectSession"]["fullUrl"].as_str().expect("an address").to_owned();
    let endpoint = body["redirectSession"]["urlDetails"]["endpoint"].as_str().expect("an endpoint");
    assert!(url.starts_with(endpoint) && endpoint.starts_with(ORIGIN), "{body}");
    url
}

/// The path and query of an address of the site.
pub(crate) fn path_of(url: &str) -> &str {
    url.strip_prefix(ORIGIN).expect("an address of the site")
}

/// The code in an address.
pub(crate) fn code_in(url: &str) -> String {
    url.split_once("code=").expect("a code").1.to_owned()
}

/// What is asked of the answers of `/oauth2/token`.
pub(crate) trait GrantAnswer {
    /// Panics unless it is an error of RFC 6749 §5.2, in Wix's envelope too.
    fn refuses_grant(self, status: u16, error: &str) -> Self;
}

impl GrantAnswer for Answer {
    #[track_caller]
    fn refuses_grant(self, status: u16, error: &str) -> Self {
        let answer = self.expect_status(status).expect_header("cache-control", "no-store");
        let body = answer.value();
        assert_eq!(body["error"], error, "{body}");
        assert!(body["error_description"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        assert_eq!(body["details"]["applicationError"]["code"], error, "{body}");
        answer
    }
}
