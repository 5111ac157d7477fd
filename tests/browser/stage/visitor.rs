//! What do visitors of the site do again and again?

use std::sync::Arc;

use gatekit_tests::PASSWORD;

use super::Stage;

/// Whose account it is unless a test says otherwise.
pub(crate) const ADA: &str = "ada@example.com";
/// The name of the token's cookie over plain http.
pub(crate) const TOKEN: &str = "access_token";

impl Stage {
    /// The same site in another browser, as on another device.
    pub(crate) async fn elsewhere(&self) -> Self {
        Self { site: Arc::clone(&self.site), browser: Arc::new(self.browser.another().await) }
    }

    /// Goes to a page of the site.
    pub(crate) async fn open(&self, path: &str) {
        self.browser.open(&self.site.at(path)).await;
    }

    /// Signs up as [`ADA`] by the form, and is logged in.
    pub(crate) async fn sign_up(&self) {
        self.open("/register").await;
        self.send_registration(ADA, PASSWORD).await;
        self.expect_at("/account").await;
    }

    /// Fills in the form of `/register` and sends it.
    pub(crate) async fn send_registration(&self, email: &str, password: &str) {
        self.browser.fill("email", email).await;
        self.browser.fill("password", password).await;
        self.browser.submit("/register").await;
    }

    /// Logs in as [`ADA`].
    pub(crate) async fn log_in(&self) {
        self.open("/login").await;
        self.send_login(ADA, PASSWORD).await;
        self.expect_at("/account").await;
    }

    /// Fills in the form of `/login` and sends it.
    pub(crate) async fn send_login(&self, email: &str, password: &str) {
        self.browser.fill("email", email).await;
        self.browser.fill("password", password).await;
        self.browser.submit("/login").await;
    }

    /// Logs out.
    pub(crate) async fn log_out(&self) {
        self.open("/logout").await;
        self.browser.submit("/logout").await;
        self.expect_at("/login?notice=logged-out").await;
    }

    /// Where the browser is: path and query.
    pub(crate) async fn expect_at(&self, path: &str) {
        assert_eq!(self.browser.path().await, path);
    }

    /// Somebody is logged in, and it is this user.
    pub(crate) async fn expect_logged_in_as(&self, email: &str) {
        self.open("/").await;
        assert_eq!(self.browser.text("#user").await, email);
    }

    /// Nobody is logged in.
    pub(crate) async fn expect_logged_out(&self) {
        self.open("/").await;
        assert!(!self.browser.has("#user").await, "somebody is logged in");
    }

    /// The page is of this status and says that these fields are wrong, in this order.
    pub(crate) async fn expect_mistakes(&self, status: u64, fields: &[&str]) {
        assert_eq!(self.browser.status().await, status);
        assert!(self.browser.title().await.starts_with("Error: "), "{}", self.browser.title().await);
        let mut found = Vec::new();
        for link in self.browser.elements("#error-summary[role=alert] a").await {
            found.push(link.attr("href").await.unwrap().unwrap_or_default());
        }
        let wanted: Vec<String> = fields.iter().map(|field| format!("#{field}")).collect();
        assert_eq!(found, wanted);
        for field in fields {
            let invalid = format!("#{field}[aria-invalid=true][aria-describedby~='{field}-error']");
            assert!(self.browser.has(&invalid).await, "the field {field} is not marked");
            assert!(!self.browser.text(&format!("#{field}-error")).await.is_empty());
        }
    }

    /// The page says that this has happened.
    pub(crate) async fn expect_notice(&self, path: &str) {
        self.expect_at(path).await;
        assert!(!self.browser.text("#notice[role=status]").await.is_empty());
    }
}
