//! What the endpoints of the SDK have to be told: which clients there are, in pages of which origins, and where they are themselves.

use gatekit_core::redirect;
use url::{Host, Url};

use super::RefreshReuse;

/// As the app has said it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) public_url: Option<String>,
    pub(crate) origins: Vec<String>,
    pub(crate) reuse: RefreshReuse,
}

/// What is wrong with them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientConfigError {
    /// The address of the app is no address of the web.
    #[error("{0:?} is no public URL: write https://, host and port alone, such as https://www.example.com")]
    PublicUrl(String),
    /// A client's id is empty, or longer than 128 characters, or not of ASCII that can be seen.
    #[error("{0:?} is no client id: 1 to 128 characters of ASCII without blanks")]
    ClientId(String),
    /// An origin is more or less than one, or one that anybody on the way could speak for (RFC 9700 §2.6).
    #[error(
        "{0:?} is no origin that may be allowed: write scheme, host and port alone, such as https://www.example.com; http:// is for \
         this machine"
    )]
    Origin(String),
}

impl Settings {
    /// Whether they can be followed.
    pub(crate) fn check(&self, client_id: &str) -> Result<(), ClientConfigError> {
        if let Some(url) = self.public_url.as_ref().filter(|url| !is_safe_origin(url)) {
            return Err(ClientConfigError::PublicUrl(url.clone()));
        }
        let is_id = |id: &str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_id(client_id) {
            return Err(ClientConfigError::ClientId(client_id.to_owned()));
        }
        match self.origins.iter().find(|origin| !is_safe_origin(origin)) {
            Some(origin) => Err(ClientConfigError::Origin(origin.clone())),
            None => Ok(()),
        }
    }

    /// What the endpoints work with, if all that they need is there.
    pub(crate) fn complete(&self, client_id: &str) -> Option<Clients> {
        let public_url = self.public_url.clone()?;
        let mut origins = self.origins.clone();
        // Pages of the app itself.
        if !origins.contains(&public_url) {
            origins.push(public_url.clone());
        }
        Some(Clients { public_url, client_id: client_id.to_owned(), origins, reuse: self.reuse })
    }
}

/// Scheme, host and port as a browser writes them, over TLS or on this machine.
fn is_safe_origin(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let here = match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return false,
    };
    url.origin().ascii_serialization() == text && (url.scheme() == "https" || (url.scheme() == "http" && here))
}

/// Who may use the endpoints.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    /// The app's own origin.
    pub(crate) public_url: String,
    pub(crate) client_id: String,
    /// The app's own among them.
    pub(crate) origins: Vec<String>,
    pub(crate) reuse: RefreshReuse,
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

    /// Whether a client may be told its code there: below a listed origin, with no mark for the answer yet.
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
        settings.complete("c").unwrap()
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
    fn origins_are_over_tls_or_here() {
        for sound in ["https://a.example", "https://a.example:8443", "http://localhost:3000", "http://127.0.0.1:1"] {
            assert!(is_safe_origin(sound), "{sound}");
        }
        for wrong in [
            "http://a.example",
            "https://a.example/",
            "https://a.example:443",
            "https://A.example",
            "https://a.example/b",
            "https://u@a.example",
            "a.example",
            "*",
            "null",
            "",
            "ftp://a.example",
            "https://a.example; script-src *",
        ] {
            assert!(!is_safe_origin(wrong), "{wrong}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let url = Settings { public_url: Some("www.example.com".into()), ..Settings::default() };
        assert_eq!(url.check("c").unwrap_err(), ClientConfigError::PublicUrl("www.example.com".into()));
        for id in ["", "a b", "ä", &"a".repeat(129)] {
            assert_eq!(Settings::default().check(id).unwrap_err(), ClientConfigError::ClientId(id.into()));
        }
        assert!(Settings::default().complete("c").is_none());
        assert!(clients().knows("c") && !clients().knows("C") && !clients().knows(""));
    }
}
