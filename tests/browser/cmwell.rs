//! Does a browser get in? Chromium asks its person for name and password when `_login` asks for
//! them, and answers by Digest or Basic.

use serde_json::{Value, json};
use tokio::sync::SemaphorePermit;

use crate::stage::{Bidi, Browser, Example, Scripts, eventually, permit};

const NAME: &str = "myUser";
const PASSWORD: &str = "myPassword";

/// A server and a browser.
struct Scene {
    server: Example,
    browser: Browser,
    bidi: Bidi,
    tab: Value,
    _permit: SemaphorePermit<'static>,
}

impl Scene {
    /// With a browser whose login dialog is ours to answer.
    async fn start(digest: &'static str) -> Self {
        let permit = permit().await;
        let server = Example::start("cmwell", &[("DIGEST", digest)]);
        let (browser, url) = Browser::start_with_bidi(Scripts::On).await;
        let mut bidi = Bidi::connect(&url).await;
        let tab = bidi.command("browsingContext.getTree", json!({})).await["contexts"][0]["context"].clone();
        let events = json!({"events": ["network.authRequired"]});
        bidi.command("session.subscribe", events).await;
        bidi.command("network.addIntercept", json!({"phases": ["authRequired"]})).await;
        Self { server, browser, bidi, tab, _permit: permit }
    }

    /// Goes there, and leaves the page to load.
    async fn go(&mut self, path: &str) {
        let url = self.server.at(path);
        self.bidi.send("browsingContext.navigate", json!({"context": self.tab, "url": url, "wait": "none"})).await;
    }

    /// The dialog opens. Returns the request that it is about.
    async fn dialog(&mut self) -> Value {
        self.bidi.event("network.authRequired").await["request"]["request"].clone()
    }

    /// Fills the dialog in.
    async fn answer(&mut self, request: Value, name: &str, password: &str) {
        let credentials = json!({"type": "password", "username": name, "password": password});
        let answer = json!({"request": request, "action": "provideCredentials", "credentials": credentials});
        self.bidi.command("network.continueWithAuth", answer).await;
    }

    /// Closes the dialog.
    async fn cancel(&mut self, request: Value) {
        self.bidi.command("network.continueWithAuth", json!({"request": request, "action": "cancel"})).await;
    }

    /// What the page shows, once it has this in it.
    async fn shows(&self, part: &str) -> String {
        eventually(&format!("a page with {part}"), || async {
            let text = self.browser.try_text("body").await?;
            text.contains(part).then_some(text)
        })
        .await
    }

    /// The token that the page is, and whose it is.
    async fn expect_token(&self) {
        let text = self.shows("\"token\"").await;
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}"));
        let token = json["token"].as_str().expect("a token").to_owned();
        let fetch = "const [url, token, done] = arguments;
            fetch(url, {headers: {'X-CM-WELL-TOKEN': token}}).then(r => r.json()).then(me => done(me.username));";
        let me = self.browser.execute_async(fetch, vec![json!(self.server.at("/me")), json!(token)]).await;
        assert_eq!(me, NAME);
    }

    /// Logs in with the dialog, and with a wrong password first.
    async fn log_in_with_the_dialog(mut self, scheme: &str) {
        self.go("/_login?exp=3d%205h").await;
        let request = self.dialog().await;
        self.answer(request, NAME, "a wrong one").await;
        // A wrong password opens it again.
        let request = self.dialog().await;
        self.answer(request, NAME, PASSWORD).await;
        self.expect_token().await;
        assert_eq!(scheme_of(&self.browser).await, scheme);
    }
}

/// By which scheme the browser answers from now on, without asking anybody: only an answer to a
/// Digest is proven by the server in turn.
async fn scheme_of(browser: &Browser) -> &'static str {
    let fetch = "const [done] = arguments;
        fetch('/_login').then(r => done([r.status, r.headers.get('authentication-info')]));";
    let answer = browser.execute_async(fetch, Vec::new()).await;
    assert_eq!(answer[0], 200, "{answer}");
    match answer[1].as_str() {
        Some(info) if info.starts_with("rspauth=") => "Digest",
        Some(info) => panic!("{info}"),
        None => "Basic",
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_login_dialog_gets_a_token_by_digest() {
    Scene::start("1").await.log_in_with_the_dialog("Digest").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_login_dialog_gets_a_token_by_basic() {
    Scene::start("0").await.log_in_with_the_dialog("Basic").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_closes_the_dialog_reads_what_is_missing() {
    let mut scene = Scene::start("1").await;
    scene.go("/_login").await;
    let request = scene.dialog().await;
    scene.cancel(request).await;
    scene.shows("Please provide your credentials.").await;
}

/// What a person types into the address bar: the browser answers the challenge by itself, and keeps
/// to it for the next page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn name_and_password_in_the_url_get_a_token() {
    for (digest, scheme) in [("1", "Digest"), ("0", "Basic")] {
        let _permit = permit().await;
        let server = Example::start("cmwell", &[("DIGEST", digest)]);
        let browser = Browser::start(Scripts::On).await;
        browser.open(&server.at_as(NAME, PASSWORD, "/_login?exp=30d")).await;
        let first = browser.text("body").await;
        assert!(first.contains("\"token\""), "{first}");
        browser.open(&server.at("/_login")).await;
        let second = browser.text("body").await;
        assert!(second.contains("\"token\"") && second != first, "{second}");
        assert_eq!(scheme_of(&browser).await, scheme);
    }
}
