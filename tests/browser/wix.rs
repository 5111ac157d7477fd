//! Does the page of `examples/wix` do what pages of Wix do? And does Wix's own SDK let a member in,
//! with its hidden frame, from another origin?

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use gatekit_tests::PASSWORD;
use serde_json::{Value, json};

use crate::stage::{Browser, Example, OtherSite, Scripts, eventually};

const MEMBER: &str = "user@example.com";

/// A running site and a browser.
struct Scene {
    site: Example,
    browser: Browser,
}

impl Scene {
    async fn start(origins: Option<&str>) -> Self {
        // Settings are texts that live as long as the process.
        let origins = origins.map(|origins| ("ORIGINS", &*String::leak(origins.to_owned())));
        let site = Example::start("wix", origins.as_slice());
        Self { site, browser: Browser::start(Scripts::On).await }
    }

    /// Fills in the form and presses the button.
    async fn send_login(&self, email: &str, password: &str) {
        self.browser.element("#login:not([hidden])").await;
        self.browser.fill("email", email).await;
        self.browser.fill("password", password).await;
        self.browser.click("#login button[type=submit]").await;
    }

    /// What the page says, once it says something.
    async fn message(&self) -> String {
        eventually("a message", || async { Some(self.browser.try_text("#message").await?).filter(|it| !it.is_empty()) })
            .await
    }

    /// The status of `/me`, as the page's own script gets it.
    async fn me(&self) -> Value {
        let ask = "const done = arguments[0]; fetch('/me').then(answer => done(answer.status));";
        self.browser.execute_async(ask, Vec::new()).await
    }

    /// A session token, which nobody has applied yet.
    async fn session_token(&self) -> Value {
        let ask = "const [email, password, done] = arguments;
            fetch('/wix/login', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({email, password})})
                .then(answer => answer.json()).then(answer => done(answer.sessionToken));";
        self.browser.execute_async(ask, vec![json!(MEMBER), json!(PASSWORD)]).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_logs_in_and_out_by_the_page() {
    let scene = Scene::start(None).await;
    scene.browser.open(&scene.site.at("/")).await;
    assert_eq!(scene.me().await, 401);
    scene.send_login(MEMBER, PASSWORD).await;
    scene.browser.element("#member:not([hidden])").await;
    assert_eq!(scene.browser.text("#who").await, format!("Welcome, {MEMBER}"));
    assert!(scene.browser.text("#me").await.contains(MEMBER));
    assert_eq!(scene.me().await, 200);
    // No script of the page can read the cookie, and no token is anywhere else.
    let kept = "return [document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage), location.href]";
    let kept = scene.browser.execute(kept, Vec::new()).await;
    assert_eq!(kept, json!(["", "{}", "{}", scene.site.at("/")]));
    let cookie = scene.browser.cookie("access_token").await.expect("logged in").value;

    // It lasts.
    scene.browser.open(&scene.site.at("/")).await;
    scene.browser.element("#member:not([hidden])").await;

    scene.browser.click("#logout").await;
    scene.browser.element("#login:not([hidden])").await;
    assert_eq!(scene.message().await, "You are logged out.");
    assert!(scene.browser.cookie("access_token").await.is_none());
    assert_eq!(scene.me().await, 401);
    // The server has ended it, too.
    let ask = "const [token, done] = arguments; fetch('/me', {headers: {Authorization: token}}).then(answer => done(answer.status));";
    assert_eq!(scene.browser.execute_async(ask, vec![json!(cookie)]).await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let scene = Scene::start(None).await;
    let mut messages = Vec::new();
    for (email, password) in [(MEMBER, "wrong horse battery"), ("nobody@example.com", PASSWORD)] {
        scene.browser.open(&scene.site.at("/")).await;
        scene.send_login(email, password).await;
        messages.push(scene.message().await);
        assert_eq!(scene.me().await, 401);
    }
    assert_eq!(messages[0], messages[1]);
    assert_eq!(messages[0], "You are not logged in: the email or the password is wrong.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_has_no_barriers() {
    let scene = Scene::start(None).await;
    scene.browser.open(&scene.site.at("/")).await;
    scene.browser.element("#login:not([hidden])").await;
    scene.browser.expect_accessible("the form").await;
    scene.send_login(MEMBER, PASSWORD).await;
    scene.browser.element("#member:not([hidden])").await;
    scene.browser.expect_accessible("the member").await;
}

/// Login CSRF: a page of another site signs nobody in, by whatever it can send.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_another_origin_applies_no_session_token() {
    let scene = Scene::start(None).await;
    let other = OtherSite::start().await;
    scene.browser.open(&scene.site.at("/")).await;
    let token = scene.session_token().await;
    let apply = scene.site.at("/wix/apply-session-token");
    for page in [other.cross_site(), other.same_site()] {
        scene.browser.open(&page).await;
        let send = "const [url, sessionToken, done] = arguments;
            const body = JSON.stringify({sessionToken});
            const json = {'Content-Type': 'application/json'};
            const all = [
                {mode: 'no-cors', body},
                {mode: 'no-cors', body: new URLSearchParams({token: sessionToken})},
                {mode: 'cors', body, headers: json},
            ].map(how => fetch(url, {method: 'POST', credentials: 'include', ...how}).then(answer => answer.type, error => error.name));
            Promise.all(all).then(done);";
        let outcome = scene.browser.execute_async(send, vec![json!(apply), token.clone()]).await;
        assert_eq!(outcome, json!(["opaque", "opaque", "TypeError"]), "{page}");
    }
    scene.browser.open(&scene.site.at("/")).await;
    assert_eq!(scene.me().await, 401);
    assert!(scene.browser.cookie("access_token").await.is_none());
    // The token was not spent by it: the site's own page applies it.
    let send = "const [url, sessionToken, done] = arguments;
        fetch(url, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({sessionToken})})
            .then(answer => done(answer.status));";
    assert_eq!(scene.browser.execute_async(send, vec![json!(apply), token]).await, 200);
    assert_eq!(scene.me().await, 200);
}

/// What an app does with the SDK, whose servers are this site: all of the way to the member's
/// tokens, and out again.
const WITH_SDK: &str = "const [site, clientId, email, password, done] = arguments;
    const real = window.fetch;
    window.fetch = (url, init) => real(String(url).replace(/^https:\\/\\/(www|edge)\\.wixapis\\.com/, site), init);
    (async () => {
        const { auth } = wix.createClient({ auth: wix.OAuthStrategy({ clientId }) });
        const { loginState, data } = await auth.login({ email, password });
        // The SDK itself waits for two minutes.
        const late = new Promise((_, refuse) => setTimeout(() => refuse(new Error('nothing was told')), 50_000));
        const tokens = await Promise.race([auth.getMemberTokensForDirectLogin(data.sessionToken), late]);
        auth.setTokens(tokens);
        const { logoutUrl } = await auth.logout(location.href);
        return [loginState, tokens.refreshToken.role, tokens.accessToken.value.length, logoutUrl];
    })().then(done, error => done(String(error.message)));";

const CLIENT: &str = "7f0c1d3e-5a1b-4c1e-9a53-0d7f2f6f1a11";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sdk_gets_tokens_in_a_page_of_a_listed_origin() {
    let other = OtherSite::start().await;
    other.show("An app with the SDK");
    let origin = other.cross_site().trim_end_matches('/').to_owned();
    let scene = Scene::start(Some(&origin)).await;
    scene.browser.open(&other.cross_site()).await;
    let done = with_sdk(&scene).await;
    assert_eq!((&done[0], &done[1], &done[2]), (&json!("SUCCESS"), &json!("member"), &json!(64)), "{done}");
    // The address that a logout gives leads back.
    scene.browser.open(done[3].as_str().unwrap_or_else(|| panic!("{done}"))).await;
    assert_eq!(scene.browser.url().await, other.cross_site());
}

/// The browser shows the frame in no page of another origin, and lets such a page read no answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_another_origin_is_told_no_code() {
    let (listed, other) = (OtherSite::start().await, OtherSite::start().await);
    let scene = Scene::start(Some(listed.cross_site().trim_end_matches('/'))).await;
    let ask = "const [site, clientId, email, password, done] = arguments;
        const post = async (path, body) => {
            const headers = {'Content-Type': 'application/json'};
            return (await fetch(site + path, {method: 'POST', headers, body: JSON.stringify(body)})).json();
        };
        (async () => {
            const { sessionToken } = await post('/_api/iam/authentication/v2/login', {loginId: {email}, password});
            const authRequest = {clientId, codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', codeChallengeMethod: 'S256',
                responseMode: 'web_message', responseType: 'code', state: 'the state', sessionToken};
            const { redirectSession } = await post('/_api/redirects-api/v1/redirect-session', {auth: {authRequest}});
            return redirectSession.fullUrl;
        })().then(done, error => done(String(error.message)));";
    let arguments = vec![json!(scene.site.at("")), json!(CLIENT), json!(MEMBER), json!(PASSWORD)];
    scene.browser.open(&other.cross_site()).await;
    assert_eq!(scene.browser.execute_async(ask, arguments.clone()).await, "Failed to fetch");
    scene.browser.open(&listed.cross_site()).await;
    let url = scene.browser.execute_async(ask, arguments).await;

    // Also not the page that has got hold of the address. A frame that is refused has loaded, too.
    let frame = "const [url, last, done] = arguments;
        addEventListener('message', message => done(message.data));
        const frame = document.createElement('iframe');
        frame.addEventListener('load', () => last && postMessage('nothing', '*'));
        frame.src = url;
        document.body.append(frame);";
    scene.browser.open(&other.cross_site()).await;
    assert_eq!(scene.browser.execute_async(frame, vec![url.clone(), json!(true)]).await, "nothing");
    scene.browser.open(&listed.cross_site()).await;
    let told = scene.browser.execute_async(frame, vec![url, json!(false)]).await;
    assert_eq!(told["state"], "the state", "{told}");
    assert_eq!(told["code"].as_str().map(str::len), Some(64), "{told}");
}

async fn with_sdk(scene: &Scene) -> Value {
    let arguments = vec![json!(scene.site.at("")), json!(CLIENT), json!(MEMBER), json!(PASSWORD)];
    scene.browser.execute_async(&format!("{}\n{WITH_SDK}", sdk()), arguments).await
}

/// Wix's SDK as a script for a browser, as an app's bundler makes it: the variable `wix`.
fn sdk() -> &'static str {
    static SDK: OnceLock<String> = OnceLock::new();
    SDK.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
        let output = Command::new("node")
            .args(["node_modules/esbuild/bin/esbuild", "node_modules/@wix/sdk/build/index.js", "--bundle"])
            .args(["--format=iife", "--global-name=wix", "--platform=browser", "--log-level=error"])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    })
}
