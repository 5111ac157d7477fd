//! Where the links in mails lead. Every link of every mail is made here.
//!
//! 1. A page that the request names ([`MailOptions::page`]) on the app's own site.
//! 2. The page that the app has configured for this kind of mail: `reset_link`,
//!    `change_email_link`, `verify_href`.
//! 3. The page that Gatekit's routes have for it, below the prefix that they are mounted under
//!    ([`MailOptions::mount`]).
//! 4. No link: the mail holds the bare secret. So no link leads to a page that does not exist.
//!
//! A secret is in the query of the built-in pages and not behind a `#`: mail gateways rewrite
//! links, and some of them lose what is behind a `#`, or make `%23` of it.

use crate::{ConfigError, InvalidPublicUrl, MailOptions, PublicUrl, TokenSecret, VerifyOptions, web_origin};

/// Where a secret goes in a link of the app's own.
const TOKEN: &str = "{token}";

/// What the app has said, unchecked.
#[derive(Default)]
pub(crate) struct LinkSettings {
    pub(crate) public_url: Option<String>,
    pub(crate) reset: Option<String>,
    pub(crate) change_email: Option<String>,
    pub(crate) forgot_password: Option<String>,
}

/// Where the links in mails lead, checked.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) public_url: Option<PublicUrl>,
    reset: Option<String>,
    change_email: Option<String>,
    forgot_password: Option<String>,
    verify_href: Option<String>,
    verify_redirect: String,
}

impl LinkSettings {
    /// Brings the settings into the form that browsers use, or says which one nobody could open.
    pub(crate) fn check(self, verify: &VerifyOptions) -> Result<Links, ConfigError> {
        let public_url = self.public_url.map(|url| url.parse()).transpose();
        Ok(Links {
            public_url: public_url.map_err(|error: InvalidPublicUrl| ConfigError::PublicUrl(error))?,
            reset: link("reset_link", self.reset, true)?,
            change_email: link("change_email_link", self.change_email, true)?,
            forgot_password: link("forgot_password_link", self.forgot_password, false)?,
            verify_href: link("verify_options.verify_href", verify.verify_href.clone(), false)?,
            verify_redirect: verify.redirect.clone(),
        })
    }
}

fn link(setting: &'static str, link: Option<String>, with_token: bool) -> Result<Option<String>, ConfigError> {
    let Some(link) = link else { return Ok(None) };
    if with_token && !link.contains(TOKEN) {
        return Err(ConfigError::Link(setting, "it must contain `{token}` where the secret goes"));
    }
    web_origin::web_link(&link).map(Some).map_err(|why| ConfigError::Link(setting, why))
}

impl Links {
    /// To the page where a user chooses a new password.
    pub(crate) fn reset(&self, mails: &MailOptions, secret: &TokenSecret) -> Option<String> {
        let page = self.page(mails).or_else(|| self.reset.clone());
        let page = page.or_else(|| self.route(mails, "/reset-password/form?token={token}"));
        page.map(|page| page.replace(TOKEN, secret.expose()))
    }

    /// To the page where a user confirms a new address.
    pub(crate) fn change_email(&self, mails: &MailOptions, secret: &TokenSecret) -> Option<String> {
        let page = self.page(mails).or_else(|| self.change_email.clone());
        let page = page.or_else(|| self.route(mails, "/confirm-email-change/form?token={token}"));
        page.map(|page| page.replace(TOKEN, secret.expose()))
    }

    /// To the page that verifies the address of the user with this id.
    pub(crate) fn verify(&self, mails: &MailOptions, id: &str, secret: &TokenSecret) -> Option<String> {
        if let Some(page) = self.page(mails) {
            return Some(page.replace(TOKEN, secret.expose()));
        }
        let href = self.verify_href.clone().or_else(|| self.route(mails, "/confirm"))?;
        let separator = if href.contains('?') { '&' } else { '?' };
        let redirect = self.public_url.as_ref().map(|url| url.outside(&self.verify_redirect));
        let redirect = encode(redirect.as_ref().unwrap_or(&self.verify_redirect));
        Some(format!("{href}{separator}uid={}&redirect={redirect}&token={}", encode(id), secret.expose()))
    }

    /// To the page where a user that has no secret asks for a new password.
    pub(crate) fn forgot_password(&self, mails: &MailOptions) -> Option<String> {
        self.page(mails).filter(|page| !page.contains(TOKEN)).or_else(|| self.forgot_password.clone())
    }

    /// The page that the request names, on the own site and nowhere else.
    fn page(&self, mails: &MailOptions) -> Option<String> {
        let (url, page) = (self.public_url.as_ref()?, mails.page.as_deref()?);
        // What does not begin with a slash would go on with the host's name.
        if !page.starts_with('/') || page.contains(|c: char| c.is_whitespace() || c.is_control()) {
            tracing::error!("the page of a mail is no path of the own site, so the mail's usual link is used");
            return None;
        }
        Some(format!("{}{}", url.origin(), url.outside(page)))
    }

    /// A page of Gatekit's routes, below their prefix; `None` if the prefix is not known.
    fn route(&self, mails: &MailOptions, path: &str) -> Option<String> {
        let (url, mount) = (self.public_url.as_ref()?, mails.mount.as_deref()?);
        let mount = mount.trim_matches('/');
        let slash = if mount.is_empty() { "" } else { "/" };
        Some(format!("{}{}", url.origin(), url.outside(&format!("{slash}{mount}{path}"))))
    }
}

/// A value of a query, percent-encoded but for what RFC 3986 §2.3 leaves alone.
fn encode(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(public_url: Option<&str>) -> Links {
        let settings = LinkSettings { public_url: public_url.map(str::to_owned), ..LinkSettings::default() };
        let mut verify = VerifyOptions::default();
        verify.redirect = "/welcome".into();
        settings.check(&verify).unwrap()
    }

    #[test]
    fn every_link_begins_with_the_public_url_and_its_prefix() {
        let links = links(Some("https://Example.com:443/app/"));
        let (mails, secret) = (MailOptions::mount("/api/users/"), TokenSecret::from("s"));
        let base = "https://example.com/app/api/users";
        assert_eq!(links.reset(&mails, &secret), Some(format!("{base}/reset-password/form?token=s")));
        assert_eq!(links.change_email(&mails, &secret), Some(format!("{base}/confirm-email-change/form?token=s")));
        let verify = format!("{base}/confirm?uid=7&redirect=%2Fapp%2Fwelcome&token=s");
        assert_eq!(links.verify(&mails, "7", &secret), Some(verify));
        let page = mails.page("/new?token={token}");
        assert_eq!(links.reset(&page, &secret), Some("https://example.com/app/new?token=s".into()));
        assert_eq!(links.verify(&page, "7", &secret), Some("https://example.com/app/new?token=s".into()));
    }

    /// The prefix of the routes is never a part of the host.
    #[test]
    fn a_prefix_without_a_slash_is_still_a_path() {
        let mails = MailOptions::mount(".evil.example/x");
        let link = links(Some("https://app.example.com")).reset(&mails, &TokenSecret::from("s")).unwrap();
        assert!(link.starts_with("https://app.example.com/.evil.example/x/"), "{link}");
    }

    #[test]
    fn where_no_page_is_known_there_is_no_link() {
        let secret = TokenSecret::from("s");
        for (links, mails) in [
            (links(None), MailOptions::mount("/api/users")),
            (links(Some("https://app.example.com")), MailOptions::default()),
        ] {
            assert_eq!(links.reset(&mails, &secret), None);
            assert_eq!(links.change_email(&mails, &secret), None);
            assert_eq!(links.verify(&mails, "7", &secret), None);
            assert_eq!(links.forgot_password(&mails), None);
        }
    }
}
