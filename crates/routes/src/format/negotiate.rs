//! What a client wants an answer to be: its `Accept`, and `_format` in the query.

use axum::http::Uri;
use axum::http::header::{ACCEPT, HeaderMap, HeaderValue};

use super::error_type::ErrorType;

/// The media types that LoopBack has for a success. All of them are JSON here.
const JSON: [&str; 3] = ["application/json", "application/javascript", "text/javascript"];
/// Those that it has for an error. Of two that are equally welcome the first counts.
const ERRORS: [(&str, ErrorType); 4] = [
    ("application/json", ErrorType::Json),
    ("text/html", ErrorType::Html),
    ("text/xml", ErrorType::Xml),
    ("application/xml", ErrorType::Xml),
];

/// Whether a success may be JSON.
pub(super) fn takes_json(accept: &MediaRanges, format: &Format) -> bool {
    match format {
        Format::Absent => JSON.iter().any(|media_type| accept.weight(media_type).is_some()),
        Format::Named(name) => {
            let name = name.to_ascii_lowercase();
            name == "json" || name == "*/*" || JSON.contains(&&*name)
        }
        Format::Several => false,
    }
}

/// What a client accepts (RFC 9110 §12.5.1).
pub(super) struct MediaRanges(Vec<MediaRange>);

struct MediaRange {
    main: String,
    sub: String,
    /// From 0 to 1.
    quality: f32,
}

/// How welcome a media type is: the quality, how exactly it is named, and where in the header that
/// stands.
#[derive(Clone, Copy)]
struct Weight {
    quality: f32,
    exactness: u8,
    position: usize,
}

impl MediaRanges {
    /// A request without `Accept`, or with an empty one, accepts everything.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let values: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        if values.iter().all(|value| value.trim().is_empty()) {
            return Self(vec![MediaRange { main: "*".into(), sub: "*".into(), quality: 1.0 }]);
        }
        Self(values.iter().flat_map(|value| value.split(',')).filter_map(MediaRange::parse).collect())
    }

    /// How welcome a media type is, if it is: what names it most exactly decides.
    fn weight(&self, media_type: &str) -> Option<Weight> {
        let (main, sub) = media_type.split_once('/')?;
        let weights = self.0.iter().enumerate().filter_map(|(position, range)| {
            let exactness = range.exactness(main, sub)?;
            Some(Weight { quality: range.quality, exactness, position })
        });
        let most_exact = weights.reduce(|best, weight| {
            let better = (weight.exactness, weight.quality) >= (best.exactness, best.quality);
            if better { weight } else { best }
        });
        most_exact.filter(|weight| weight.quality > 0.0)
    }

    /// The form of errors that is most welcome, if one is.
    pub(super) fn error_type(&self) -> Option<ErrorType> {
        let weighed = ERRORS.iter().filter_map(|(media_type, form)| Some((self.weight(media_type)?, *form)));
        let first = weighed.reduce(|best, other| {
            let rank = |weight: Weight| (weight.quality, weight.exactness);
            let better =
                rank(other.0) > rank(best.0) || rank(other.0) == rank(best.0) && other.0.position < best.0.position;
            if better { other } else { best }
        });
        first.map(|(_, form)| form)
    }
}

impl MediaRange {
    /// `None` for what is no media range. Parameters other than `q` are not looked at.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (main, sub) = parts.next()?.split_once('/')?;
        let named = parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then_some(value.trim())
        });
        // A weight that is none is no welcome.
        let quality = named.map_or(1.0, |value| value.parse().unwrap_or(0.0));
        (!main.is_empty() && !sub.is_empty() && (0.0..=1.0).contains(&quality)).then(|| Self {
            main: main.to_ascii_lowercase(),
            sub: sub.to_ascii_lowercase(),
            quality,
        })
    }

    fn exactness(&self, main: &str, sub: &str) -> Option<u8> {
        match (&*self.main, &*self.sub) {
            ("*", "*") => Some(0),
            (range, "*") if range == main => Some(1),
            (range, exact) if range == main && exact == sub => Some(2),
            _ => None,
        }
    }
}

/// `_format` in the query.
pub(super) enum Format {
    /// None, or an empty one.
    Absent,
    Named(String),
    /// More than one, or one with parts (`_format[a]=b`).
    Several,
}

impl Format {
    pub(super) fn of(uri: &Uri) -> Self {
        let Some(query) = uri.query() else { return Self::Absent };
        let mut format = Self::Absent;
        let mut found = false;
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            if key.starts_with("_format[") || key == "_format" && found {
                return Self::Several;
            }
            if key == "_format" {
                found = true;
                if !value.is_empty() {
                    format = Self::Named(value.into_owned());
                }
            }
        }
        format
    }

    /// The form of errors it names.
    pub(super) fn error_type(&self) -> Option<ErrorType> {
        let Self::Named(name) = self else { return None };
        match &**name {
            "json" | "application/json" => Some(ErrorType::Json),
            "html" | "text/html" => Some(ErrorType::Html),
            "xml" | "text/xml" => Some(ErrorType::Xml),
            _ => None,
        }
    }

    /// What to say if it names none: LoopBack's words, the missing blank too.
    pub(super) fn warning(&self, default: ErrorType) -> Option<HeaderValue> {
        let name = match self {
            Self::Absent => return None,
            Self::Named(_) if self.error_type().is_some() => return None,
            Self::Named(name) => name,
            Self::Several => "several",
        };
        let name: String =
            name.chars().take(MAX_QUOTED).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect();
        let used = match default {
            ErrorType::Json => "json",
            ErrorType::Html => "html",
            ErrorType::Xml => "xml",
        };
        HeaderValue::from_str(&format!("Response _format \"{name}\" is not supportedused \"{used}\" instead\"")).ok()
    }
}

/// Characters of a `_format` that are quoted back.
const MAX_QUOTED: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(values: &[&str]) -> MediaRanges {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, value.parse().unwrap());
        }
        MediaRanges::of(&headers)
    }

    fn format(query: &str) -> Format {
        Format::of(&format!("/?{query}").parse().unwrap())
    }

    /// Recorded of LoopBack 3.28.0, but for the last group.
    #[test]
    fn json_is_sent_to_who_accepts_it_under_one_of_its_names() {
        for (value, takes) in [
            ("", true),
            ("*/*", true),
            ("application/json", true),
            ("application/javascript", true),
            ("TEXT/JAVASCRIPT", true),
            ("application/*", true),
            ("text/*", true),
            ("application/json;q=0, */*", true),
            ("text/xml, application/json;q=0.5", true),
            ("text/html,,application/json", true),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", true),
            ("text/html", false),
            ("text/plain", false),
            ("image/png", false),
            ("application/xml", false),
            ("application/problem+json", false),
            ("application/vnd.api+json", false),
            ("text/event-stream", false),
            ("application/json;q=0", false),
            ("*/*;q=0", false),
            ("text/html;q=1, */*;q=0.0", false),
            ("json", false),
            ("garbage", false),
            ("*", false),
            // Ours: what the answer is, and a parameter it has not.
            ("application/json; charset=utf-8", true),
            ("application/json;version=2", true),
        ] {
            assert_eq!(takes_json(&accept(&[value]), &Format::Absent), takes, "{value}");
        }
        assert!(takes_json(&accept(&[]), &Format::Absent));
        assert!(takes_json(&accept(&["text/html", "application/json"]), &Format::Absent));
    }

    /// Recorded of LoopBack 3.28.0, but for XML.
    #[test]
    fn a_format_in_the_query_decides_whatever_the_client_accepts() {
        for (query, takes) in [
            ("_format=json", true),
            ("_format=JSON", true),
            ("_format=application/json", true),
            ("_format=application%2Fjavascript", true),
            ("_format=text/javascript", true),
            ("_format=*/*", true),
            ("_format=", false),
            ("format=json", false),
            ("_FORMAT=json", false),
            ("_format=html", false),
            ("_format=jsonp", false),
            ("_format=bogus", false),
            ("_format=application/vnd.api%2Bjson", false),
            ("_format=json&_format=json", false),
            ("_format=&_format=json", false),
            ("_format[a]=json", false),
            // Ours: LoopBack has XML here.
            ("_format=xml", false),
        ] {
            assert_eq!(takes_json(&accept(&["text/html"]), &format(query)), takes, "{query}");
        }
        assert!(takes_json(&accept(&[]), &format("_format=")), "an empty one is none");
        for query in ["_format=json&_format=json", "_format[a]=json", "_format=xml", "_format=bogus"] {
            assert!(!takes_json(&accept(&[]), &format(query)), "{query}");
        }
    }

    /// Recorded of strong-error-handler 3.5.0, but for the last one.
    #[test]
    fn an_error_has_the_form_that_is_most_welcome() {
        use ErrorType::{Html, Json, Xml};
        for (value, form) in [
            ("", Some(Json)),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("application/json", Some(Json)),
            ("text/html", Some(Html)),
            ("text/*", Some(Html)),
            ("text/html,application/json", Some(Html)),
            ("text/html,*/*", Some(Html)),
            ("*/*,text/html", Some(Html)),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(Html)),
            ("application/json;q=0.1,text/html;q=0.5", Some(Html)),
            ("text/xml,text/html", Some(Xml)),
            ("application/xml", Some(Xml)),
            ("application/xml,text/xml;q=0.1", Some(Xml)),
            ("application/xhtml+xml", None),
            ("image/png", None),
            ("html", None),
            ("application/json;q=0", None),
            ("*/*;q=0", None),
            ("text/html;q=abc", None),
            // Ours: a parameter changes nothing.
            ("text/html;level=1", Some(Html)),
        ] {
            assert_eq!(accept(&[value]).error_type(), form, "{value}");
        }
    }

    #[test]
    fn a_format_that_errors_do_not_have_is_named_in_a_warning() {
        let warning = |query: &str| format(query).warning(ErrorType::Json);
        let of = |name: &str| format!("Response _format \"{name}\" is not supportedused \"json\" instead\"");
        for query in ["", "_format=", "_format=json", "_format=text/html", "_format=xml"] {
            assert_eq!(warning(query), None, "{query}");
        }
        for (query, name) in [
            ("_format=bogus", "bogus"),
            ("_format=JSON", "JSON"),
            ("_format=application/xml", "application/xml"),
            ("_format=%22%0d%0ax", "\"??x"),
            ("_format=%E2%82%AC", "?"),
            ("_format=a&_format=b", "several"),
        ] {
            assert_eq!(warning(query).unwrap(), of(name), "{query}");
        }
        assert_eq!(warning(&format!("_format={}", "x".repeat(9999))).unwrap(), of(&"x".repeat(40)));
    }
}
