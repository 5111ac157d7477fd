//! Reads a client's response to a challenge. Every parameter gets its type before any of them
//! counts.

use percent_encoding::percent_decode_str;

use super::algorithm::Asked;
use super::params::Params;

/// RFC 7616 §5.9 leaves it open. Clients send 8 to 64 characters.
const MAX_CNONCE: usize = 256;

/// A well-formed answer.
pub(super) struct Response {
    pub(super) name: String,
    /// Whether `name` is the hash of one.
    pub(super) userhash: bool,
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) uri: String,
    pub(super) response: String,
    /// As sent; `None` means MD5.
    pub(super) algorithm: Option<String>,
    pub(super) opaque: Option<String>,
    /// `None`: the shape of RFC 2069, older than `qop`.
    pub(super) quality: Option<Quality>,
}

/// What `qop` brings along.
pub(super) struct Quality {
    pub(super) qop: String,
    pub(super) cnonce: String,
    /// As it is hashed: eight hex digits.
    pub(super) nc: String,
    pub(super) count: u32,
}

impl Response {
    /// `None` if a parameter is missing, twice, or not what it can be: RFC 7616 §3.4 wants 400
    /// then.
    pub(super) fn parse(header: &[u8]) -> Option<Self> {
        let params = Params::parse(header)?;
        let userhash = match params.text("userhash") {
            None => false,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(_) => return None,
        };
        let name = match (params.text("username"), params.text("username*")) {
            (Some(name), None) => name,
            // A hash needs no encoding.
            (None, Some(encoded)) if !userhash => decode(&encoded)?,
            _ => return None,
        };
        Some(Self {
            name: Some(name).filter(|name| !name.is_empty())?,
            userhash,
            realm: params.text("realm")?,
            nonce: params.text("nonce")?,
            uri: params.text("uri")?,
            response: params.text("response")?,
            algorithm: params.text("algorithm"),
            opaque: params.text("opaque"),
            quality: Quality::read(&params)?,
        })
    }

    /// What was hashed beside the secret.
    pub(super) fn asked(&self) -> Asked<'_> {
        let quality = self.quality.as_ref();
        Asked {
            nonce: &self.nonce,
            quality: quality.map(|quality| (quality.nc.as_str(), quality.cnonce.as_str(), quality.qop.as_str())),
            uri: &self.uri,
        }
    }
}

impl Quality {
    /// `Some(None)` without `qop`, `cnonce` and `nc`; `None` unless all three are there.
    fn read(params: &Params) -> Option<Option<Self>> {
        match (params.text("qop"), params.text("cnonce"), params.text("nc")) {
            (None, None, None) => Some(None),
            (Some(qop), Some(cnonce), Some(nc)) => {
                let is_count = nc.len() == 8 && nc.bytes().all(|byte| byte.is_ascii_hexdigit());
                let is_cnonce = cnonce.is_ascii() && (1..=MAX_CNONCE).contains(&cnonce.len());
                if !is_count || !is_cnonce {
                    return None;
                }
                let count = u32::from_str_radix(&nc, 16).ok().filter(|count| *count > 0)?;
                Some(Some(Self { qop, cnonce, nc, count }))
            }
            _ => None,
        }
    }
}

/// `UTF-8''J%C3%A4s%C3%B8n`, RFC 8187. The language, which may stand between the quotes, says
/// nothing about a name.
fn decode(encoded: &str) -> Option<String> {
    let (charset, rest) = encoded.split_once('\'')?;
    let (_, value) = rest.split_once('\'')?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte);
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        let is_escape = byte == b'%'
            && bytes.next().is_some_and(|b| b.is_ascii_hexdigit())
            && bytes.next().is_some_and(|b| b.is_ascii_hexdigit());
        if !is_escape && !is_plain(byte) {
            return None;
        }
    }
    let name = percent_decode_str(value).decode_utf8().ok()?;
    (charset.eq_ignore_ascii_case("UTF-8") && !name.contains(char::is_control)).then(|| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 9] = [
        ("username", r#""myUser""#),
        ("realm", r#""cmwell""#),
        ("nonce", r#""n""#),
        ("uri", r#""/_login""#),
        ("response", r#""r""#),
        ("algorithm", "SHA-256"),
        ("qop", "auth"),
        ("nc", "00000001"),
        ("cnonce", r#""c""#),
    ];

    /// A sound answer, with some parameters replaced, removed (an empty value) or added.
    fn with(changes: &[(&str, &str)]) -> Option<Response> {
        let mut params: Vec<(&str, &str)> = GOOD.to_vec();
        for change in changes {
            params.retain(|(name, _)| name != &change.0);
            params.push(*change);
        }
        let params = params.iter().filter(|(_, value)| !value.is_empty());
        let params: Vec<String> = params.map(|(name, value)| format!("{name}={value}")).collect();
        Response::parse(format!("Digest {}", params.join(", ")).as_bytes())
    }

    #[test]
    fn a_sound_answer_is_read() {
        let response = with(&[]).unwrap();
        assert_eq!((response.name.as_str(), response.userhash), ("myUser", false));
        assert_eq!(response.quality.unwrap().count, 1);
        assert!(with(&[("qop", r#""auth""#), ("nc", r#""0000000A""#), ("algorithm", r#""SHA-256""#)]).is_some());
        assert!(with(&[("qop", ""), ("nc", ""), ("cnonce", "")]).unwrap().quality.is_none());
    }

    /// DG-2, DG-5
    #[test]
    fn what_must_be_there_must_be_there() {
        for name in ["username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce"] {
            assert!(with(&[(name, "")]).is_none(), "{name}");
        }
        assert!(with(&[("username", r#""""#)]).is_none());
    }

    /// DG-7, DG-17
    #[test]
    fn counts_have_eight_digits_and_cnonces_an_end() {
        for nc in ["0000001", "000000001", "0000000g", "+0000001", "00000000", "00000001é"] {
            assert!(with(&[("nc", &format!("\"{nc}\""))]).is_none(), "{nc}");
        }
        assert_eq!(with(&[("nc", "ffffffff")]).unwrap().quality.unwrap().count, u32::MAX);
        let cnonce = |count: usize| format!("\"{}\"", "c".repeat(count));
        assert!(with(&[("cnonce", &cnonce(MAX_CNONCE))]).is_some());
        assert!(with(&[("cnonce", &cnonce(MAX_CNONCE + 1))]).is_none());
        assert!(with(&[("cnonce", r#""""#)]).is_none());
        assert!(with(&[("cnonce", r#""é""#)]).is_none());
    }

    /// DG-5
    #[test]
    fn a_name_is_given_in_one_way() {
        assert!(with(&[("username*", "UTF-8''myUser")]).is_none());
        assert!(with(&[("username", ""), ("username*", "UTF-8''my"), ("userhash", "true")]).is_none());
        assert!(with(&[("userhash", "maybe")]).is_none());
        assert!(with(&[("userhash", "TRUE")]).unwrap().userhash);
        assert!(!with(&[("userhash", "false")]).unwrap().userhash);
    }

    #[test]
    fn a_name_may_be_percent_encoded() {
        let name = |encoded: &str| with(&[("username", ""), ("username*", encoded)]).map(|response| response.name);
        assert_eq!(name("UTF-8''J%C3%A4s%C3%B8n%20Doe").as_deref(), Some("Jäsøn Doe"));
        assert_eq!(name("utf-8'en'a.b%40x").as_deref(), Some("a.b@x"));
        for wrong in ["a", "UTF-8'a", "ISO-8859-1''a", "UTF-8''%C3", "UTF-8''%4", "UTF-8''%zz", "UTF-8''%00", "UTF-8''"]
        {
            assert_eq!(name(wrong), None, "{wrong}");
        }
        assert_eq!(name("\"UTF-8''a b\""), None);
    }
}
