//! What the endpoints of the SDK have to be told: which clients there are, in pages of which
//! origins, and where they are themselves.

use std::time::Duration;

use gatekit_core::{InvalidOrigin, InvalidPublicUrl, Origin, PublicUrl, redirect};
use url::Url;

use super::RefreshReuse;
use super::family::Rules;

/// The longest grace in which a renewal is repeated, and the one unless another is set. Okta has
/// the same range with this default ("grace period for token rotation", 0 to 60 seconds, 30),
/// Auth0's "reuse interval" is as long by default. A client that renews twice does so within
/// seconds.
const MAX_GRACE: Duration = Duration::from_secs(60);
pub(super) const GRACE: Duration = Duration::from_secs(30);

/// As the app has said it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) public_url: Option<String>,
    pub(crate) origins: Vec<String>,
    pub(crate) reuse: RefreshReuse,
    pub(crate) grace: Option<Duration>,
}

/// What is wrong with them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientConfigError {
    /// The address of the app is none that browsers could be sent to.
    #[error(transparent)]
    PublicUrl(#[from] InvalidPublicUrl),
    /// The address of the app, or an origin, is not over TLS: anybody on the way could speak for it
    /// (RFC 9700 §2.6).
    #[error("{0:?} must begin with https://; http:// is for this machine")]
    NotSecure(String),
    /// A client's id is empty, or longer than 128 characters, or not of ASCII that can be seen.
    #[error("{0:?} is no client id: 1 to 128 characters of ASCII without blanks")]
    ClientId(String),
    /// A refresh token that was used would be good for too long.
    #[error("`refresh_grace` must be at most 60 seconds, in whole milliseconds")]
    RefreshGrace,
    /// An origin is none that a browser sends.
    #[error(transparent)]
    Origin(#[from] InvalidOrigin),
}

impl Settings {
    /// Whether they can be followed.
    pub(crate) fn check(&self, client_id: &str) -> Result<(), ClientConfigError> {
        if let Some(url) = &self.public_url {
            secure(url.parse::<PublicUrl>()?.origin())?;
        }
        let is_id = |id: &str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_id(client_id) {
            return Err(ClientConfigError::ClientId(client_id.to_owned()));
        }
        if self.grace.is_some_and(|grace| grace > MAX_GRACE || grace.subsec_nanos() % 1_000_000 != 0) {
            return Err(ClientConfigError::RefreshGrace);
        }
        self.origins.iter().try_for_each(|origin| secure(&origin.parse()?))
    }

    fn refresh_rules(&self) -> Rules {
        let grace = self.grace.unwrap_or(GRACE).as_millis();
        Rules { reuse: self.reuse, grace: i64::try_from(grace).unwrap_or(0) }
    }

    /// What the endpoints work with, if all that they need is there. The accounts' public URL
    /// stands in for an own one.
    pub(crate) fn complete(&self, client_id: &str, of_accounts: Option<&PublicUrl>) -> Option<Clients> {
        let public_url = match &self.public_url {
            Some(url) => url.parse().ok()?,
            None => of_accounts.filter(|url| secure(url.origin()).is_ok())?.clone(),
        };
        let listed = self.origins.iter().filter_map(|origin| origin.parse::<Origin>().ok());
        let mut origins: Vec<String> = listed.map(|origin| origin.as_str().to_owned()).collect();
        // Pages of the app itself.
        let own = public_url.origin().as_str();
        if !origins.iter().any(|origin| origin == own) {
            origins.push(own.to_owned());
        }
        Some(Clients { public_url, client_id: client_id.to_owned(), origins, refresh: self.refresh_rules() })
    }
}

/// Over TLS, or on this machine.
fn secure(origin: &Origin) -> Result<(), ClientConfigError> {
    if origin.is_https() || origin.is_loopback() {
        Ok(())
    } else {
        Err(ClientConfigError::NotSecure(origin.as_str().to_owned()))
    }
}

/// Who may use the endpoints.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    /// Where browsers reach the app.
    pub(crate) public_url: PublicUrl,
    pub(crate) client_id: String,
    /// The app's own among them.
    pub(crate) origins: Vec<String>,
    pub(crate) refresh: Rules,
}

impl Clients {
    pub(crate) fn knows(&self, client_id: &str) -> bool {
        self.client_id == client_id
    }

    pub(crate) fn allows_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| allowed == origin)
    }

    /// Whether a browser may be sent there: below a listed origin, or a path of the app.
    pub(crate) fn may_lead_to(&self, target: &str) -> bool {
        target.is_ascii() && redirect::is_allowed(target, &self.origins)
    }

    /// Whether a client may be told its code there: below a listed origin, with no mark for the
    /// answer yet.
    pub(crate) fn may_answer_at(&self, uri: &str) -> bool {
        self.may_lead_to(uri) && Url::parse(uri).is_ok_and(|url| url.fragment().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients() -> Clients {
        let settings = Settings {
            public_url: Some("https://www.example.com".into()),
            origins: vec!["https://app.example.com".into()],
            ..Settings::default()
        };
        settings.check("c").unwrap();
        settings.complete("c", None).unwrap()
    }

    /// 3.7.2, O-1
    #[test]
    fn nobody_is_led_to_another_site() {
        let clients = clients();
        for sound in ["https://app.example.com/a?b#c", "https://app.example.com", "https://www.example.com/", "/a?b"] {
            assert!(clients.may_lead_to(sound), "{sound}");
        }
        for wrong in [
            "",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "https:evil.example",
            "https://app.example.com.evil.example",
            "https://app.example.com@evil.example",
            "https://app.example.com:8443/",
            "http://app.example.com/",
            "HTTPS://evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://app.example.com/\r\nX: y",
            "https://app.example.com\u{2044}x",
            "null",
        ] {
            assert!(!clients.may_lead_to(wrong), "{wrong:?}");
        }
        assert!(clients.may_answer_at("https://app.example.com/callback?a=1"));
        for wrong in ["/callback", "https://app.example.com/callback#x", "https://evil.example/"] {
            assert!(!clients.may_answer_at(wrong), "{wrong}");
        }
    }

    /// O-9
    #[test]
    fn origins_are_over_tls_or_here_and_as_browsers_write_them() {
        let allow = |origin: &str| {
            let settings = Settings { origins: vec![origin.into()], ..Settings::default() };
            settings.check("c").map(|()| settings)
        };
        for sound in ["https://a.example", "https://a.example:8443", "http://localhost:3000", "http://127.0.0.1:1"] {
            assert!(allow(sound).is_ok(), "{sound}");
        }
        for (written, sent) in [
            ("https://a.example/", "https://a.example"),
            ("https://a.example:443", "https://a.example"),
            ("HTTPS://A.example", "https://a.example"),
        ] {
            let mut settings = allow(written).unwrap();
            settings.public_url = Some("https://www.example.com/shop/".into());
            let clients = settings.complete("c", None).unwrap();
            assert!(clients.allows_origin(sent) && clients.allows_origin("https://www.example.com"), "{written}");
            assert_eq!(clients.public_url.as_str(), "https://www.example.com/shop");
        }
        for wrong in [
            "http://a.example",
            "http://0.0.0.0:3000",
            "https://a.example/b",
            "https://u@a.example",
            "https://*.example",
            "a.example",
            "*",
            "null",
            "",
            "ftp://a.example",
            "https://a.example; script-src *",
        ] {
            assert!(allow(wrong).is_err(), "{wrong}");
        }
    }

    /// The accounts' public URL is enough, where it may be one.
    #[test]
    fn the_public_url_of_the_accounts_stands_in() {
        let (safe, unsafe_one) =
            ("https://www.example.com".parse().unwrap(), "http://www.example.com".parse().unwrap());
        let settings = Settings::default();
        assert_eq!(settings.complete("c", Some(&safe)).unwrap().public_url, safe);
        assert!(settings.complete("c", Some(&unsafe_one)).is_none());
        let http = Settings { public_url: Some("http://www.example.com".into()), ..Settings::default() };
        assert_eq!(http.check("c"), Err(ClientConfigError::NotSecure("http://www.example.com".into())));
    }

    #[test]
    fn a_grace_has_a_minute_at_most() {
        let with = |grace| Settings { grace: Some(grace), ..Settings::default() }.check("c");
        for sound in [Duration::ZERO, Duration::from_millis(1), GRACE, MAX_GRACE] {
            assert_eq!(with(sound), Ok(()));
        }
        for wrong in [MAX_GRACE + Duration::from_millis(1), Duration::from_nanos(1), Duration::MAX] {
            assert_eq!(with(wrong), Err(ClientConfigError::RefreshGrace));
        }
        let default = Settings { public_url: Some("https://www.example.com".into()), ..Settings::default() };
        assert_eq!(default.complete("c", None).unwrap().refresh.grace, 30_000);
    }

    #[test]
    fn what_is_missing_is_named() {
        let url = Settings { public_url: Some("www.example.com".into()), ..Settings::default() };
        assert!(matches!(url.check("c"), Err(ClientConfigError::PublicUrl(_))));
        for id in ["", "a b", "ä", &"a".repeat(129)] {
            assert_eq!(Settings::default().check(id).unwrap_err(), ClientConfigError::ClientId(id.into()));
        }
        assert!(Settings::default().complete("c", None).is_none());
        assert!(clients().knows("c") && !clients().knows("C") && !clients().knows(""));
    }
}
