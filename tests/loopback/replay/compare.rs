//! In what an answer differs from the recorded one.

use gatekit_tests::Answer;
use serde_json::Value;

use super::names::{Names, is_time, is_token};
use super::transcript::{Body, Recorded};

/// The headers that matter, where the recording has all of them or these.
pub(super) const HEADERS: [&str; 3] = ["content-type", "location", "x-warning"];

/// The first difference, in words; `None` if there is none.
///
/// 1. The status is the recorded one.
/// 2. So are the headers that matter; a header that is not there is none here either.
/// 3. So is the body: JSON member by member and in the same order, anything else byte for byte.
///
/// A time is any time. A token that was seen before is that token; one that was not is any token,
/// and is learnt.
pub(super) fn difference(recorded: Option<&Recorded>, answer: &Answer, names: &mut Names) -> Option<String> {
    let Some(recorded) = recorded else {
        return Some("the process did not die".into());
    };
    if recorded.status != answer.status.as_u16() {
        // What is new in it is learnt all the same, for the exchanges that follow.
        let _ = body(recorded, answer, names);
        return Some(format!("status {} and not {}", answer.status.as_u16(), recorded.status));
    }
    for name in HEADERS {
        let wanted = recorded.header(name).map(|value| names.put_into(value));
        let found = answer.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        if wanted.as_deref() != found.as_deref() {
            let _ = body(recorded, answer, names);
            return Some(format!("{name} {found:?} and not {wanted:?}"));
        }
    }
    if let Some(wanted) = recorded.header("etag") {
        match answer.header("etag") {
            "" => return Some("no etag".into()),
            found => names.learn(wanted, found),
        }
    }
    body(recorded, answer, names)
}

fn body(recorded: &Recorded, answer: &Answer, names: &mut Names) -> Option<String> {
    let found = &answer.body;
    match &recorded.body {
        Body::BeginsWith(begin) => {
            let begin = names.put_into(begin);
            (!found.starts_with(&begin)).then(|| "the body begins otherwise".into())
        }
        Body::Whole(wanted) => {
            let json = |text: &str| serde_json::from_str::<Value>(text).ok().filter(|value| !value.is_number());
            match (json(wanted), json(found)) {
                (Some(wanted), Some(found)) => value("", &wanted, &found, names),
                _ => (names.put_into(wanted) != *found).then(|| "another body".into()),
            }
        }
    }
}

/// Compares all of it, also after a difference, so that everything new is learnt.
fn value(at: &str, wanted: &Value, found: &Value, names: &mut Names) -> Option<String> {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            let mut first = None;
            for (name, wanted) in wanted {
                let difference = match found.get(name) {
                    Some(found) => value(&format!("{at}.{name}"), wanted, found, names),
                    None => Some(format!("no {at}.{name}")),
                };
                first = first.or(difference);
            }
            let keys = || format!("members of {at}: {:?}", found.keys().collect::<Vec<_>>());
            first.or_else(|| wanted.keys().ne(found.keys()).then(keys))
        }
        (Value::Array(wanted), Value::Array(found)) => {
            let mut first = (wanted.len() != found.len()).then(|| format!("{} items in {at}", found.len()));
            for (n, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                first = first.or(value(&format!("{at}[{n}]"), wanted, found, names));
            }
            first
        }
        (Value::String(wanted), Value::String(found)) => text(at, wanted, found, names),
        _ => (wanted != found).then(|| format!("{at} is {found} and not {wanted}")),
    }
}

fn text(at: &str, wanted: &str, found: &str, names: &mut Names) -> Option<String> {
    if is_time(wanted) && is_time(found) {
        return None;
    }
    if is_token(wanted) && is_token(found) && !names.knows(wanted) {
        names.learn(wanted, found);
        return None;
    }
    let wanted = names.put_into(wanted);
    (wanted != found).then(|| format!("{at} is {found:?} and not {wanted:?}"))
}

/// Whether a body is as `deviations.toml` has it: `{token}`, `{handle}` (of a token) and `{time}`
/// are any such.
pub(super) fn is_body(wanted: &str, found: &str, names: &Names) -> bool {
    match (serde_json::from_str::<Value>(wanted), serde_json::from_str::<Value>(found)) {
        (Ok(wanted), Ok(found)) => is_value(&wanted, &found, names),
        _ => names.put_into(wanted) == found,
    }
}

fn is_value(wanted: &Value, found: &Value, names: &Names) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.keys().eq(found.keys()) && wanted.values().zip(found.values()).all(|(w, f)| is_value(w, f, names))
        }
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(w, f)| is_value(w, f, names))
        }
        (Value::String(wanted), Value::String(found)) => match wanted.as_str() {
            "{token}" => is_token(found),
            "{handle}" => is_handle(found),
            "{time}" => is_time(found),
            wanted => names.put_into(wanted) == *found,
        },
        _ => wanted == found,
    }
}

fn is_handle(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::http::header::CONTENT_TYPE;
    use axum::routing::get;
    use gatekit_tests::Call;

    const JSON: &str = "application/json; charset=utf-8";

    async fn answer(body: String) -> Answer {
        let router = Router::new().route("/", get(async move || ([(CONTENT_TYPE, JSON)], body)));
        Call::new(&router, "GET", "/").await
    }

    fn recorded(body: &str) -> Recorded {
        Recorded { status: 200, headers: vec![("content-type".into(), JSON.into())], body: Body::Whole(body.into()) }
    }

    #[tokio::test]
    async fn tokens_are_learnt_and_then_asked_for() {
        let (old, new, other) = ("a".repeat(64), "b".repeat(64), "c".repeat(64));
        let mut names = Names::default();
        let body = |token: &str| format!(r#"{{"id":"{token}","created":"2026-11-21T21:49:30.583Z"}}"#);
        let wanted = recorded(&body(&old));
        assert_eq!(difference(Some(&wanted), &answer(body(&new)).await, &mut names), None);
        assert_eq!(names.live(&old), Some(new.as_str()));
        assert!(difference(Some(&wanted), &answer(body(&other)).await, &mut names).is_some());
    }

    #[tokio::test]
    async fn every_other_difference_is_found() {
        let wanted = recorded(r#"{"a":1,"b":[1,"x"]}"#);
        for (found, says) in [
            (r#"{"a":2,"b":[1,"x"]}"#, ".a is 2 and not 1"),
            (r#"{"b":[1,"x"],"a":1}"#, "members of : [\"b\", \"a\"]"),
            (r#"{"a":1,"b":[1,"x"],"c":1}"#, "members of "),
            (r#"{"b":[1,"x"]}"#, "no .a"),
            (r#"{"a":1,"b":[1]}"#, "1 items in .b"),
            (r#"{"a":1,"b":[1,"y"]}"#, ".b[1] is \"y\" and not \"x\""),
            (r#"{"a":"1","b":[1,"x"]}"#, ".a is \"1\" and not 1"),
            ("", "another body"),
        ] {
            let difference = difference(Some(&wanted), &answer(found.into()).await, &mut Names::default()).unwrap();
            assert!(difference.starts_with(says), "{difference}");
        }
        let found = answer(r#"{"a":1,"b":[1,"x"]}"#.into()).await;
        let difference_of = |change: fn(&mut Recorded)| {
            let mut wanted = recorded(r#"{"a":1,"b":[1,"x"]}"#);
            change(&mut wanted);
            difference(Some(&wanted), &found, &mut Names::default())
        };
        assert_eq!(difference_of(|_| {}), None);
        assert!(difference_of(|wanted| wanted.status = 204).is_some());
        assert!(difference_of(|wanted| wanted.headers.clear()).is_some());
        assert!(difference_of(|wanted| wanted.headers.push(("location".into(), "/".into()))).is_some());
        assert!(difference_of(|wanted| wanted.headers.push(("etag".into(), "x".into()))).is_some());
        assert!(difference_of(|wanted| wanted.body = Body::BeginsWith(r#"{"a":2"#.into())).is_some());
        assert_eq!(difference_of(|wanted| wanted.body = Body::BeginsWith(r#"{"a":1"#.into())), None);
    }

    #[test]
    fn a_stated_body_may_leave_values_open() {
        let names = Names::default();
        let found = format!(r#"{{"id":"{}","at":"2026-11-21T21:49:30.583Z","x":1}}"#, "0".repeat(32));
        assert!(is_body(r#"{"id":"{handle}","at":"{time}","x":1}"#, &found, &names));
        assert!(!is_body(r#"{"id":"{token}","at":"{time}","x":1}"#, &found, &names));
        assert!(!is_body(r#"{"id":"{handle}","x":1}"#, &found, &names));
    }
}
