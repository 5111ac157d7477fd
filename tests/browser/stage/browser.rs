//! What can a test do in a browser? What a person can: go to a page, fill in fields, press buttons,
//! look.

use gatekit_tests::Folder;
use serde_json::{Value, json};
use thirtyfour::error::{WebDriverErrorInner, WebDriverResult};
use thirtyfour::{
    By, CapabilitiesHelper, ChromeCapabilities, ChromiumLikeCapabilities, Cookie, DesiredCapabilities, Key, WebDriver,
    WebElement,
};

use super::chromedriver::ChromeDriver;
use super::{eventually, folder};

/// Whether pages may run JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scripts {
    On,
    Off,
}

/// A Chromium with an empty profile. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Browser {
    // In this order: who drives it and ends it, what it wrote.
    driver: WebDriver,
    _process: ChromeDriver,
    _profile: Folder,
    scripts: Scripts,
}

/// As root Chromium starts only without its sandbox. The rest keeps it from calling home.
const FLAGS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // In containers /dev/shm is often too small for it.
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--window-size=1200,900",
    "--lang=en-US",
];

impl Browser {
    /// Starts one.
    pub(crate) async fn start(scripts: Scripts) -> Self {
        Self::start_wanting(scripts, |_| ()).await
    }

    /// Starts one that speaks WebDriver BiDi too, at the address that is returned.
    pub(crate) async fn start_with_bidi(scripts: Scripts) -> (Self, String) {
        let browser = Self::start_wanting(scripts, |wanted| wanted.enable_bidi().unwrap()).await;
        let url = browser.driver.capabilities().get("webSocketUrl").and_then(Value::as_str).map(str::to_owned);
        (browser, url.expect("chromedriver speaks BiDi"))
    }

    async fn start_wanting(scripts: Scripts, more: impl FnOnce(&mut ChromeCapabilities)) -> Self {
        let process = ChromeDriver::start();
        let profile = Folder::new();
        let mut wanted = DesiredCapabilities::chrome();
        for flag in FLAGS {
            wanted.add_arg(flag).unwrap();
        }
        wanted.add_arg(&format!("--user-data-dir={}", profile.path().display())).unwrap();
        // 1: allowed, 2: blocked.
        let javascript = if scripts == Scripts::On { 1 } else { 2 };
        let preferences = json!({
            "profile.managed_default_content_settings.javascript": javascript,
            "intl.accept_languages": "en-US,en",
            "credentials_enable_service": false,
        });
        wanted.add_experimental_option("prefs", preferences).unwrap();
        more(&mut wanted);
        let driver = WebDriver::new(process.url(), wanted).await.expect("Chromium starts");
        // Its own way to end the session when it is dropped can block the thread for minutes.
        // Chromedriver ends it.
        driver.clone().leak().expect("it has just begun");
        driver.set_script_timeout(super::PATIENCE).await.unwrap();
        driver.set_page_load_timeout(super::PATIENCE).await.unwrap();
        Self { driver, _process: process, _profile: profile, scripts }
    }

    /// Another one of the same kind, which shares nothing with this one.
    pub(crate) async fn another(&self) -> Self {
        Self::start(self.scripts).await
    }

    /// Whether its pages may run JavaScript.
    pub(crate) fn scripts(&self) -> Scripts {
        self.scripts
    }

    /// What drives it, for what is not here.
    pub(crate) fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// Goes to a page, as if its address were typed in.
    pub(crate) async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap_or_else(|e| panic!("{url}: {e}"));
    }

    /// Presses the back button.
    pub(crate) async fn back(&self) {
        self.driver.back().await.unwrap();
    }

    /// Where it is.
    pub(crate) async fn url(&self) -> String {
        self.driver.current_url().await.unwrap().to_string()
    }

    /// Where it is: path and query.
    pub(crate) async fn path(&self) -> String {
        let url = self.driver.current_url().await.unwrap();
        url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
    }

    /// The page's title.
    pub(crate) async fn title(&self) -> String {
        self.driver.title().await.unwrap()
    }

    /// The one element that this selector finds; waits for it.
    pub(crate) async fn element(&self, css: &str) -> WebElement {
        eventually(&format!("the element `{css}`"), || async {
            self.driver.find_all(By::Css(css)).await.ok()?.into_iter().next()
        })
        .await
    }

    /// All elements that this selector finds now.
    pub(crate) async fn elements(&self, css: &str) -> Vec<WebElement> {
        self.driver.find_all(By::Css(css)).await.unwrap_or_else(|e| panic!("{css}: {e}"))
    }

    /// Whether there is such an element now.
    pub(crate) async fn has(&self, css: &str) -> bool {
        !self.elements(css).await.is_empty()
    }

    /// The text that a person sees in the element.
    pub(crate) async fn text(&self, css: &str) -> String {
        self.element(css).await.text().await.unwrap_or_else(|e| panic!("{css}: {e}"))
    }

    /// The text of the element, if the page is one to ask now.
    pub(crate) async fn try_text(&self, css: &str) -> Option<String> {
        self.driver.find(By::Css(css)).await.ok()?.text().await.ok()
    }

    /// An attribute of the element.
    pub(crate) async fn attribute(&self, css: &str, name: &str) -> Option<String> {
        self.element(css).await.attr(name).await.unwrap_or_else(|e| panic!("{css}: {e}"))
    }

    /// Types into the field of this name, in place of what was there.
    pub(crate) async fn fill(&self, name: &str, text: &str) {
        let field = self.element(&format!("[name='{name}']")).await;
        field.clear().await.unwrap_or_else(|e| panic!("{name}: {e}"));
        field.send_keys(text).await.unwrap_or_else(|e| panic!("{name}: {e}"));
    }

    /// What is in the field of this name.
    pub(crate) async fn value(&self, name: &str) -> String {
        self.element(&format!("[name='{name}']")).await.value().await.unwrap().unwrap_or_default()
    }

    /// The id of the element that the keyboard is at.
    pub(crate) async fn focused(&self) -> Option<String> {
        self.driver.active_element().await.unwrap().id().await.unwrap()
    }

    /// Clicks on an element that does not lead away.
    pub(crate) async fn click(&self, css: &str) {
        self.element(css).await.click().await.unwrap_or_else(|e| panic!("{css}: {e}"));
    }

    /// Clicks on a link or button that leads to another page, and waits for that.
    pub(crate) async fn follow(&self, css: &str) {
        let old = self.element("html").await;
        self.click(css).await;
        self.leave(old, css).await;
    }

    /// Presses a key that leads to another page, and waits for that.
    pub(crate) async fn follow_by_key(&self, key: Key) {
        let old = self.element("html").await;
        self.press(key).await;
        self.leave(old, "a key").await;
    }

    /// Waits until another page is shown than that of this element.
    async fn leave(&self, old: WebElement, by: &str) {
        eventually(&format!("another page after `{by}`"), || async { is_gone(old.tag_name().await) }).await;
        let script = "return document.readyState";
        let state = async || self.driver.execute(script, Vec::new()).await.map(|state| state.json().clone());
        eventually("a page that is loaded", || async { state().await.ok().filter(|state| state == "complete") }).await;
    }

    /// Presses a key where the keyboard is.
    pub(crate) async fn press(&self, key: Key) {
        self.driver.active_element().await.unwrap().send_keys(key).await.unwrap();
    }

    /// Presses the button of the form that is sent to this path, and waits for the answer.
    pub(crate) async fn submit(&self, path: &str) {
        self.follow(&format!("form[action='{path}'] button[type=submit]")).await;
    }

    /// Runs a script in the page, whether or not pages may. It ends with `return`, and finds its
    /// arguments in `arguments`.
    pub(crate) async fn execute(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.driver.execute(script, arguments).await.unwrap_or_else(|e| panic!("{script}: {e}")).json().clone()
    }

    /// Runs a script that ends when it calls the last of its `arguments`.
    pub(crate) async fn execute_async(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.driver.execute_async(script, arguments).await.unwrap_or_else(|e| panic!("{script}: {e}")).json().clone()
    }

    /// The status of the answer that the page is.
    pub(crate) async fn status(&self) -> u64 {
        let status = "return performance.getEntriesByType('navigation')[0].responseStatus";
        self.execute(status, Vec::new()).await.as_u64().expect("a status")
    }

    /// A cookie of the page.
    pub(crate) async fn cookie(&self, name: &str) -> Option<Cookie> {
        self.cookies().await.into_iter().find(|cookie| cookie.name == name)
    }

    /// All cookies of the page.
    pub(crate) async fn cookies(&self) -> Vec<Cookie> {
        self.driver.get_all_cookies().await.unwrap()
    }

    /// Opens a tab and goes there.
    pub(crate) async fn new_tab(&self, url: &str) {
        let tab = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(tab).await.unwrap();
        self.open(url).await;
    }

    /// Goes to the tab that was opened as the `number`th, from 0.
    pub(crate) async fn tab(&self, number: usize) {
        let tabs = self.driver.windows().await.unwrap();
        self.driver.switch_to_window(tabs[number].clone()).await.unwrap();
    }

    /// A command of the DevTools protocol.
    pub(crate) async fn devtools(&self, method: &str, parameters: Value) -> Value {
        self.driver.cdp().send_raw(method, parameters).await.unwrap_or_else(|e| panic!("{method}: {e}"))
    }

    /// Says what it shows, and keeps a picture of it.
    pub(crate) async fn explain(&self, name: &str) {
        let (url, title) = (self.driver.current_url().await, self.driver.title().await);
        eprintln!("{name} failed at {url:?}, {title:?}");
        if let Ok(body) = self.driver.find(By::Tag("body")).await {
            eprintln!("{}", body.text().await.unwrap_or_default());
        }
        let failed = folder().join("failed");
        let _ = std::fs::create_dir_all(&failed);
        let _ = self.driver.screenshot(&failed.join(format!("{name}.png"))).await;
    }
}

/// Whether an element that was asked is one of a page that is no longer shown. While pages change,
/// chromedriver answers all kinds of errors; they say nothing, and it is asked again.
fn is_gone(answer: WebDriverResult<String>) -> Option<()> {
    match answer.map_err(|e| e.into_inner()) {
        Err(WebDriverErrorInner::StaleElementReference(_) | WebDriverErrorInner::NoSuchElement(_)) => Some(()),
        _ => None,
    }
}
