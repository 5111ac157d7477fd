//! A site with pages, and a browser that keeps cookies.
#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;

use axum::Router;
use axum::http::HeaderMap;
use gatekit::pages::Pages;
use gatekit::{AuthLayer, Policy};
use gatekit_tests::{Answer, App, Call, EMAIL, PASSWORD, Setup, Store, settled};

/// Where the site is, for the browser.
const ORIGIN: &str = "https://app.example.com";

/// An app whose pages are mounted below a prefix; `""` is the root.
pub(crate) struct Site {
    pub(crate) app: App,
    pub(crate) prefix: &'static str,
}

impl Site {
    /// With [`Policy::default`], at the root.
    pub(crate) async fn new(store: Store) -> Self {
        Self::with(Policy::default(), store).await
    }

    pub(crate) async fn with(policy: Policy, store: Store) -> Self {
        Self::start(App::with(policy), store, "").await
    }

    pub(crate) async fn start(setup: Setup, store: Store, prefix: &'static str) -> Self {
        let app = setup.start(store).await;
        let pages = Pages::new(app.auth.clone()).site_name("Acme");
        Self { app, prefix }.mount(pages)
    }

    /// With these pages.
    pub(crate) fn mount(mut self, pages: Pages) -> Self {
        let router = match self.prefix {
            "" => pages.router(),
            prefix => Router::new().nest(prefix, pages.router()),
        };
        let router = router.layer(AuthLayer::new(self.app.auth.clone()));
        self.app.router = settled(router, &self.app.auth, &self.app.mails);
        self
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.app.router)
    }

    /// A browser in which [`EMAIL`] has just registered, and so is logged in.
    pub(crate) async fn signed_up(&self) -> Browser {
        let mut browser = self.browser();
        let path = format!("{}/register", self.prefix);
        browser.post(&path, &[("email", EMAIL), ("password", PASSWORD)]).await.expect_status(303);
        browser
    }

    /// Another browser in which [`EMAIL`] is logged in.
    pub(crate) async fn logged_in(&self) -> Browser {
        let mut browser = self.browser();
        browser.log_in(self.prefix, EMAIL, PASSWORD).await.expect_status(303);
        browser
    }

    /// The path and query of the link in the newest of this many mails.
    pub(crate) async fn link(&self, count: usize) -> String {
        self.app.mails.wait_for(count).await;
        let link = self.app.mails.last_link().await;
        link.strip_prefix(ORIGIN).expect("a link to the site").to_owned()
    }
}

/// A browser: it keeps cookies and says where its forms come from.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) router: Router,
    pub(crate) jar: BTreeMap<String, String>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Browser {
    pub(crate) fn new(router: &Router) -> Self {
        Self { router: router.clone(), jar: BTreeMap::new(), headers: Vec::new() }
    }

    /// With a header on each request.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// A request with the cookies, not sent yet.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        let mut call = Call::new(&self.router, method, path);
        for (name, value) in &self.headers {
            call = call.header(name, value);
        }
        let cookies: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if cookies.is_empty() { call } else { call.header("cookie", cookies.join("; ")) }
    }

    /// Opens a page.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.opening("GET", path).await;
        self.keep(&answer.headers);
        answer
    }

    /// A request as browsers make it to open a page, not sent yet.
    pub(crate) fn opening(&self, method: &str, path: &str) -> Call {
        let call = self.call(method, path).header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        call.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document")
    }

    /// Sends a form, from a page of the site itself.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.form(path, fields).await;
        self.keep(&answer.headers);
        answer
    }

    /// A form of a page of the site itself, not sent yet.
    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> Call {
        let call = self.opening("POST", path).header("origin", ORIGIN).header("sec-fetch-site", "same-origin");
        call.form(&encode(fields))
    }

    pub(crate) async fn log_in(&mut self, prefix: &str, email: &str, password: &str) -> Answer {
        self.post(&format!("{prefix}/login"), &[("email", email), ("password", password)]).await
    }

    /// Whether somebody is logged in.
    pub(crate) async fn is_logged_in(&mut self, prefix: &str) -> bool {
        self.get(&format!("{prefix}/account")).await.status == 200
    }

    /// The token in the cookie.
    pub(crate) fn token(&self) -> Option<&str> {
        self.jar.get("__Host-access_token").map(String::as_str)
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for line in headers.get_all("set-cookie") {
            let line = line.to_str().expect("a cookie");
            let (pair, attributes) = line.split_once(';').expect("a cookie with attributes");
            let (name, value) = pair.split_once('=').expect("a cookie");
            if attributes.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// As a browser encodes a form.
pub(crate) fn encode(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}

pub(crate) fn escape(text: &str) -> String {
    let byte = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// What is asked of every page.
pub(crate) trait PageAnswer {
    /// Panics unless it is a page of this status with this heading, and the title says so.
    fn page(self, status: u16, heading: &str) -> Self;
    /// Panics unless it is a redirect there, which nobody keeps.
    fn goes_to(self, target: &str) -> Self;
    /// Panics unless the page says this, HTML and all.
    fn says(self, html: &str) -> Self;
    /// Panics if the page says this.
    fn hides(self, html: &str) -> Self;
}

impl PageAnswer for Answer {
    #[track_caller]
    fn page(self, status: u16, heading: &str) -> Self {
        let answer = self.expect_status(status).expect_header("content-type", "text/html; charset=utf-8");
        let warning = match answer.body.contains("error-summary") {
            true if answer.body.contains("lang=\"de\">\n<head>") => "Fehler: ",
            true => "Error: ",
            false => "",
        };
        answer.says(&format!("<h1>{heading}</h1>")).says(&format!("<title>{warning}{heading} - Acme</title>"))
    }

    #[track_caller]
    fn goes_to(self, target: &str) -> Self {
        self.expect_status(303).expect_header("location", target).expect_header("cache-control", "no-store")
    }

    #[track_caller]
    fn says(self, html: &str) -> Self {
        assert!(self.body.contains(html), "{html} is not in\n{}", self.body);
        self
    }

    #[track_caller]
    fn hides(self, html: &str) -> Self {
        assert!(!self.body.contains(html), "{html} is in\n{}", self.body);
        self
    }
}
