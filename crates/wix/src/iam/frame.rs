//! The hidden frame of a direct login: it sends the code to the page around it, and to no page of
//! another site.
//!
//! The browser compares the origin that a message is for with that of the page around the frame,
//! and drops it unless they are the same. So each message is for one listed origin (OAuth 2.0 Web
//! Message Response Mode; RFC 9700 §4.1). It also shows the frame only in a page of those
//! (`frame-ancestors`).

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::secret_response::secret_response;

/// A page that tells `answer` to the page around it, if that is of one of these origins.
pub(crate) fn tell(answer: &[(&str, &str)], origins: &[String]) -> Response {
    let members = answer.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    let (answer, targets) = (Value::Object(members.collect::<Map<_, _>>()), Value::from(origins));
    let script = format!(
        "for (const origin of {}) parent.postMessage({}, origin);",
        in_script(&targets.to_string()),
        in_script(&answer.to_string())
    );
    // This script and no other runs.
    let hash = STANDARD.encode(Sha256::digest(script.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors {}",
        if origins.is_empty() { "'none'".to_owned() } else { origins.join(" ") }
    );
    let body = format!("<!doctype html><html lang=en><title>Login</title><script>{script}</script></html>\n");
    // Origins are checked when the router is made, so that each of them can stand in a header.
    let Ok(policy) = HeaderValue::try_from(policy) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    secret_response(([(CONTENT_TYPE, html), (CONTENT_SECURITY_POLICY, policy)], body))
}

/// JSON as a part of a script in a page: nothing in it ends the script or begins a comment.
fn in_script(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut text, c| {
        match c {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            c => text.push(c),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_an_answer_ends_the_script() {
        let shown = in_script(&Value::from("</script><!--\u{2028}&").to_string());
        assert_eq!(shown, "\"\\u003c/script\\u003e\\u003c!--\\u2028\\u0026\"");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), "</script><!--\u{2028}&");
    }

    #[test]
    fn the_policy_names_the_script_and_the_origins() {
        let page = tell(&[("code", "c"), ("state", "s")], &["https://a.example".into(), "https://b.example".into()]);
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("script-src 'sha256-"), "{policy}");
        assert!(policy.ends_with("frame-ancestors https://a.example https://b.example"), "{policy}");
        assert_eq!(page.headers()["cache-control"], "no-store");
        let nowhere = tell(&[], &[]);
        let policy = nowhere.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    }
}
