//! Who reads a response: a person in front of a browser, htmx in a page, or another program.
//!
//! 1. `HX-Request: true` is htmx, which puts what it gets into the page and obeys `HX-Redirect`.
//! 2. `X-Requested-With: XMLHttpRequest` and a request for a WebSocket are a program's.
//! 3. `Sec-Fetch-Mode: navigate` is a page that is opened, or a form that is sent; any other mode
//!    is a program's (Fetch Metadata).
//! 4. A body in JSON is a program's.
//! 5. Without `Sec-Fetch-Mode`, which browsers send only to HTTPS and to this machine, a person is
//!    who accepts `text/html` and not rather `application/json`. A request without `Accept` takes
//!    anything (RFC 9110 §12.5.1), a page too: some proxies pass the header on to nobody.
//! 6. Everything else is a program: what accepts only `*/*` has not asked for a page.

use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderName, UPGRADE};
use axum::http::{HeaderMap, HeaderValue};

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");
const HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");

/// Who reads the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    Person,
    Htmx,
    Program,
}

impl Asker {
    /// The rules above, in their order.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let is = |name: HeaderName, wanted: &str| {
            headers.get(name).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(wanted.as_bytes()))
        };
        if is(HX_REQUEST, "true") {
            return Self::Htmx;
        }
        if is(X_REQUESTED_WITH, "XMLHttpRequest") || is(UPGRADE, "websocket") {
            return Self::Program;
        }
        let mode = headers.get(SEC_FETCH_MODE).map(HeaderValue::as_bytes).filter(|mode| !mode.is_empty());
        let is_person = mode.map_or_else(|| !sends_json(headers) && accepts_html(headers), |mode| mode == b"navigate");
        if is_person { Self::Person } else { Self::Program }
    }
}

fn sends_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Whether `Accept` is absent, or names HTML and does not prefer JSON to it (RFC 9110 §12.5.1).
fn accepts_html(headers: &HeaderMap) -> bool {
    if !headers.contains_key(ACCEPT) {
        return true;
    }
    let (mut html, mut json) = (0.0_f32, 0.0_f32);
    for header in headers.get_all(ACCEPT) {
        for range in header.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            let quality = quality.map_or(1.0, |quality| quality.trim().parse().unwrap_or(0.0));
            match media_type.as_str() {
                "text/html" | "application/xhtml+xml" => html = html.max(quality),
                "application/json" => json = json.max(quality),
                _ => {}
            }
        }
    }
    html > 0.0 && html >= json
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

    #[test]
    fn who_reads_a_response_is_known_by_its_request() {
        for (headers, wanted) in [
            (&[("sec-fetch-mode", "navigate"), ("accept", BROWSER)][..], Asker::Person),
            (&[("sec-fetch-mode", "navigate")], Asker::Person),
            (&[("accept", BROWSER)], Asker::Person),
            (&[("accept", "application/json;q=0.5, TEXT/HTML")], Asker::Person),
            // Text browsers.
            (&[("accept", "text/html, text/*;q=0.5")], Asker::Person),
            (&[("accept", "*/*")], Asker::Program),
            (&[], Asker::Person),
            (&[("content-type", "application/json; charset=utf-8")], Asker::Program),
            (&[("content-type", "application/x-www-form-urlencoded")], Asker::Person),
            (&[("accept", "application/json, text/plain, */*")], Asker::Program),
            (&[("accept", "application/json, text/html;q=0.9")], Asker::Program),
            (&[("accept", "text/html;q=0, */*")], Asker::Program),
            (&[("accept", "text/html;q=nonsense")], Asker::Program),
            (&[("accept", "text/event-stream")], Asker::Program),
            (&[("sec-fetch-mode", "cors"), ("accept", BROWSER)], Asker::Program),
            (&[("sec-fetch-mode", "same-origin"), ("accept", BROWSER)], Asker::Program),
            (&[("sec-fetch-mode", "no-cors"), ("accept", "image/avif,image/webp,*/*")], Asker::Program),
            (&[("sec-fetch-mode", "websocket"), ("upgrade", "websocket")], Asker::Program),
            (&[("upgrade", "WebSocket"), ("accept", BROWSER)], Asker::Program),
            (&[("x-requested-with", "XMLHttpRequest"), ("accept", "text/html, */*; q=0.01")], Asker::Program),
            (&[("hx-request", "true"), ("sec-fetch-mode", "cors"), ("accept", "text/html, */*")], Asker::Htmx),
            (&[("hx-request", "false"), ("accept", "*/*")], Asker::Program),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            assert_eq!(Asker::of(&map), wanted, "{headers:?}");
        }
    }
}
