//! Which `uri` of a Digest answer names the request that it came with (RFC 7616 §3.4, §3.4.6).
//!
//! The client hashes the target as it knows it. What arrives here may be shorter or longer:
//!
//! 1. Path and query as on the request line, byte for byte.
//! 2. The same below the path of the app's public URL: a proxy has cut that path off.
//! 3. One of the two behind a scheme and a host, which is the absolute form of a client that goes
//!    through a proxy (RFC 9112 §3.2.2). The host must be the one that the request names, or the
//!    one of the public URL: an answer for another server is none for this one.

use axum::extract::OriginalUri;
use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use gatekit_core::PublicUrl;

/// The target of a request.
pub(crate) struct Target<'a> {
    /// Path and query, as the client wrote them unless a proxy has cut something off.
    path_and_query: &'a str,
    /// The host of a request line in absolute form.
    authority: Option<&'a str>,
    /// The header `Host`.
    host: Option<&'a str>,
    public_url: Option<&'a PublicUrl>,
}

impl<'a> Target<'a> {
    pub(crate) fn of(parts: &'a Parts, public_url: Option<&'a PublicUrl>) -> Self {
        // Wherever this is mounted.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        Self {
            path_and_query: uri.path_and_query().map_or("/", |target| target.as_str()),
            authority: uri.authority().map(Authority::as_str),
            host: parts.headers.get(HOST).and_then(|host| host.to_str().ok()),
            public_url,
        }
    }

    /// Whether `uri` names it.
    pub(super) fn is(&self, uri: &str) -> bool {
        if uri.starts_with('/') {
            return self.is_path(uri);
        }
        let Some((scheme, rest)) = uri.split_once("://") else { return false };
        let Some((port, host_and_path)) = default_port(scheme).zip(rest.find('/').map(|end| rest.split_at(end))) else {
            return false;
        };
        let (host, path) = host_and_path;
        self.is_host(without_port(host, port), port) && self.is_path(path)
    }

    fn is_path(&self, path: &str) -> bool {
        path == self.path_and_query || self.public_url.is_some_and(|url| url.outside(self.path_and_query) == path)
    }

    fn is_host(&self, host: &str, port: &str) -> bool {
        let public = self.public_url.and_then(|url| url.origin().as_str().split_once("://"));
        let known = [self.authority, self.host, public.map(|(_, host)| host)];
        known.into_iter().flatten().any(|known| without_port(known, port).eq_ignore_ascii_case(host))
    }
}

fn default_port(scheme: &str) -> Option<&'static str> {
    let known = [("http", ":80"), ("https", ":443")];
    known.into_iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name)).map(|(_, port)| port)
}

fn without_port<'h>(host: &'h str, port: &str) -> &'h str {
    host.strip_suffix(port).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(target: &Target<'_>, good: &[&str], bad: &[&str]) {
        for uri in good {
            assert!(target.is(uri), "{uri}");
        }
        for uri in bad {
            assert!(!target.is(uri), "{uri}");
        }
    }

    const LOGIN: &str = "/_login?exp=3d%205h";

    fn target(public_url: Option<&PublicUrl>) -> Target<'_> {
        Target { path_and_query: LOGIN, authority: None, host: Some("cm.example.com:8080"), public_url }
    }

    #[test]
    fn path_and_query_are_those_of_the_request_line() {
        let bad = [
            "",
            "*",
            "/",
            "/_login",
            "/_login?exp=3d 5h",
            "/_login?exp=3d%205h&x",
            "/app/_login?exp=3d%205h",
            "_login",
        ];
        check(&target(None), &[LOGIN], &bad);
    }

    #[test]
    fn a_path_that_a_proxy_has_cut_off_may_stand_before() {
        let url: PublicUrl = "https://www.example.com/app".parse().unwrap();
        let good = [LOGIN, "/app/_login?exp=3d%205h", "https://www.example.com/app/_login?exp=3d%205h"];
        check(
            &target(Some(&url)),
            &good,
            &["/other/_login?exp=3d%205h", "/app/app/_login?exp=3d%205h", "/appx/_login?exp=3d%205h"],
        );
    }

    #[test]
    fn the_absolute_form_names_the_host_of_the_request() {
        let good = ["http://cm.example.com:8080/_login?exp=3d%205h", "HTTPS://CM.example.com:8080/_login?exp=3d%205h"];
        let bad = [
            "http://cm.example.com/_login?exp=3d%205h",
            "http://evil.example:8080/_login?exp=3d%205h",
            "http://u@cm.example.com:8080/_login?exp=3d%205h",
            "http://cm.example.com:8080/_login",
            "http://cm.example.com:8080",
            "ftp://cm.example.com:8080/_login?exp=3d%205h",
            "//cm.example.com:8080/_login?exp=3d%205h",
            "cm.example.com:8080/_login?exp=3d%205h",
        ];
        check(&target(None), &good, &bad);
        let standard = Target { host: Some("cm.example.com"), ..target(None) };
        let good = ["http://cm.example.com:80/_login?exp=3d%205h", "https://cm.example.com:443/_login?exp=3d%205h"];
        check(&standard, &good, &["http://cm.example.com:443/_login?exp=3d%205h"]);
        let by_line = Target { authority: Some("proxied.example"), host: None, ..target(None) };
        check(
            &by_line,
            &["http://proxied.example/_login?exp=3d%205h"],
            &["http://cm.example.com:8080/_login?exp=3d%205h"],
        );
    }
}
