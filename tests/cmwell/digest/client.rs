//! What would a Digest client send? A client of its own, so that server and test do not share a
//! mistake.

use gatekit_tests::{Answer, Call};
use md5::Md5;
use sha2::{Digest, Sha256};

use super::site::Site;

/// A challenge, parameter by parameter.
#[derive(Clone, Debug)]
pub(crate) struct Challenge(Vec<(String, String)>);

impl Challenge {
    /// All Digest challenges of a 401, in their order.
    pub(crate) fn all(answer: &Answer) -> Vec<Self> {
        let headers = answer.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap());
        let params = |list: &str| list.split(", ").map(pair).collect();
        headers.filter_map(|header| header.strip_prefix("Digest ")).map(|list| Self(params(list))).collect()
    }

    /// A new one for this algorithm.
    pub(crate) async fn new(site: &Site, algorithm: &str) -> Self {
        let answer = site.get("/_login").await.expect_status(401);
        let found = Self::all(&answer).into_iter().find(|challenge| challenge.get("algorithm") == algorithm);
        found.unwrap_or_else(|| panic!("no challenge for {algorithm} in {:?}", answer.headers))
    }

    /// A parameter; empty if it is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The answer of who knows this name and password.
    pub(crate) fn answer(&self, name: &str, password: &str) -> Reply {
        Reply {
            secret: format!("{name}:{}:{password}", self.get("realm")),
            hash: self.get("algorithm").to_owned(),
            method: "GET".into(),
            set: Vec::new(),
            params: [
                ("username", name),
                ("realm", self.get("realm")),
                ("nonce", self.get("nonce")),
                ("uri", "/_login"),
                ("algorithm", self.get("algorithm")),
                ("qop", "auth"),
                ("nc", "00000001"),
                ("cnonce", "0a4f113b"),
                ("opaque", self.get("opaque")),
            ]
            .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
            .into(),
            ha1: None,
        }
    }
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').expect("name=value");
    (name.to_owned(), value.trim_matches('"').to_owned())
}

/// An answer to a challenge.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    secret: String,
    ha1: Option<String>,
    hash: String,
    method: String,
    params: Vec<(String, Option<String>)>,
    set: Vec<(String, Option<String>)>,
}

impl Reply {
    /// With another parameter, hashed as sent. `None` leaves it out.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Option<&'static str>>) -> Self {
        put(&mut self.params, name, value.into().map(str::to_owned));
        self
    }

    /// For this path and query.
    pub(crate) fn uri(mut self, uri: &str) -> Self {
        put(&mut self.params, "uri", Some(uri.to_owned()));
        self
    }

    /// The so-many-eth with its nonce.
    pub(crate) fn count(mut self, count: u32) -> Self {
        put(&mut self.params, "nc", Some(format!("{count:08x}")));
        self
    }

    /// For a request of this method.
    pub(crate) fn method(mut self, method: &str) -> Self {
        self.method = method.into();
        self
    }

    /// Changes a parameter after the response was made. `None` takes it out.
    pub(crate) fn tampered(mut self, name: &str, value: Option<&str>) -> Self {
        put(&mut self.set, name, value.map(str::to_owned));
        self
    }

    /// Hashed by another algorithm than the parameter says.
    pub(crate) fn hashed_by(mut self, hash: &str) -> Self {
        self.hash = hash.into();
        self
    }

    /// With this in place of the hash of name, realm and password.
    pub(crate) fn ha1(mut self, ha1: &str) -> Self {
        self.ha1 = Some(ha1.into());
        self
    }

    /// As RFC 2069 had it.
    pub(crate) fn rfc2069(self) -> Self {
        self.with("qop", None).with("nc", None).with("cnonce", None)
    }

    /// With the hash of name and realm in place of the name.
    pub(crate) fn userhash(mut self, name: &str) -> Self {
        let realm = self.get("realm").unwrap_or_default().to_owned();
        let userhash = self.h(&format!("{name}:{realm}"));
        put(&mut self.params, "username", Some(userhash));
        self.with("userhash", "true")
    }

    /// With the name percent-encoded.
    pub(crate) fn encoded_name(self, encoded: &'static str) -> Self {
        self.with("username", None).with("username*", encoded)
    }

    /// What was hashed of all this.
    pub(crate) fn response(&self) -> String {
        let get = |name: &str| self.get(name).unwrap_or_default();
        let ha1 = self.ha1.clone().unwrap_or_else(|| self.h(&self.secret));
        let ha2 = self.h(&format!("{}:{}", self.method, get("uri")));
        match self.get("qop") {
            Some(qop) => self.h(&format!("{ha1}:{}:{}:{}:{qop}:{ha2}", get("nonce"), get("nc"), get("cnonce"))),
            None => self.h(&format!("{ha1}:{}:{ha2}", get("nonce"))),
        }
    }

    /// The value of the `Authorization` header.
    pub(crate) fn header(&self) -> String {
        let mut params = self.params.clone();
        put(&mut params, "response", Some(self.response()));
        for (name, value) in &self.set {
            put(&mut params, name, value.clone());
        }
        let shown = params.iter().filter_map(|(name, value)| {
            let value = value.as_ref()?;
            Some(match name.as_str() {
                "algorithm" | "qop" | "nc" | "userhash" | "username*" => format!("{name}={value}"),
                _ => format!(r#"{name}="{}""#, value.replace('\\', r"\\").replace('"', r#"\""#)),
            })
        });
        format!("Digest {}", shown.collect::<Vec<_>>().join(", "))
    }

    /// Sends it to the path it is for.
    pub(crate) fn send(&self, site: &Site) -> Call {
        self.send_to(site, self.get("uri").unwrap_or("/_login"))
    }

    /// Sends it there.
    pub(crate) fn send_to(&self, site: &Site, path: &str) -> Call {
        Call::new(&site.router, &self.method, path).header("authorization", self.header())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_deref())
    }

    fn h(&self, text: &str) -> String {
        let bytes: Vec<u8> = match self.hash.as_str() {
            "MD5" => Md5::digest(text).to_vec(),
            _ => Sha256::digest(text).to_vec(),
        };
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn put(params: &mut Vec<(String, Option<String>)>, name: &str, value: Option<String>) {
    match params.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => *old = value,
        None => params.push((name.to_owned(), value)),
    }
}
