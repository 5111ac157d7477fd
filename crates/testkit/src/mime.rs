//! What a mail says, out of what goes over the wire: headers unfolded and decoded, the text
//! decoded. For the mails an app sends, not for whatever a stranger might.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Headers in order, decoded, and what they are followed by.
pub(crate) struct Parsed {
    pub(crate) headers: Vec<(String, String)>,
    /// The text; of several parts the first plain one.
    pub(crate) text: String,
    /// The first part that is HTML, if there are several parts.
    pub(crate) html: Option<String>,
}

/// Parts within parts within parts; no app sends more.
const DEEPEST: usize = 5;

pub(crate) fn parse(raw: &str) -> Parsed {
    parse_part(&raw.replace("\r\n", "\n"), DEEPEST)
}

fn parse_part(raw: &str, depth: usize) -> Parsed {
    let (head, body) = match raw.strip_prefix('\n') {
        Some(body) => ("", body),
        None => raw.split_once("\n\n").unwrap_or((raw, "")),
    };
    let headers = parse_headers(head);
    let header = |name: &str| headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| &**value);
    let (text, html) = match header("content-type").and_then(boundary) {
        Some(boundary) if depth > 0 => {
            let parts = parts_of(body, &boundary, depth - 1);
            (parts.iter().find_map(plain_text).unwrap_or_default(), parts.into_iter().find_map(html_text))
        }
        _ => (decode_body(header("content-transfer-encoding").unwrap_or_default(), body), None),
    };
    Parsed { headers, text, html }
}

fn parse_headers(head: &str) -> Vec<(String, String)> {
    let mut unfolded: Vec<String> = Vec::new();
    for line in head.lines() {
        match unfolded.last_mut().filter(|_| line.starts_with([' ', '\t'])) {
            Some(last) => last.push_str(line),
            None => unfolded.push(line.to_owned()),
        }
    }
    let split = |line: String| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), decode_words(value.trim())))
    };
    unfolded.into_iter().filter_map(split).collect()
}

fn boundary(content_type: &str) -> Option<String> {
    if !content_type.to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.trim().split_once('='));
    let (_, boundary) = parameters.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    Some(boundary.trim_matches('"').to_owned())
}

fn parts_of(body: &str, boundary: &str, depth: usize) -> Vec<Parsed> {
    let delimiter = format!("\n--{boundary}");
    let with_start = format!("\n{body}");
    let mut parts = Vec::new();
    for part in with_start.split(&*delimiter).skip(1) {
        // What follows the boundary on its line is white space, or the `--` of the last one.
        let Some((rest, part)) = part.split_once('\n') else { break };
        if rest.starts_with("--") {
            break;
        }
        parts.push(parse_part(part, depth));
    }
    parts
}

impl Parsed {
    fn kind(&self) -> String {
        let kind = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        kind.map_or("text/plain".to_owned(), |(_, value)| value.to_ascii_lowercase())
    }
}

/// The text of a part that is plain or holds one that is.
fn plain_text(part: &Parsed) -> Option<String> {
    let kind = part.kind();
    (kind.starts_with("text/plain") || kind.starts_with("multipart/")).then(|| part.text.clone())
}

fn html_text(part: Parsed) -> Option<String> {
    if part.kind().starts_with("text/html") { Some(part.text) } else { part.html }
}

fn decode_body(encoding: &str, body: &str) -> String {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => decode_base64(body),
        "quoted-printable" => quoted_printable(body),
        _ => body.to_owned(),
    }
    .replace("\r\n", "\n")
}

fn decode_base64(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    match STANDARD.decode(text) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("(no base64: {error})"),
    }
}

/// RFC 2045 §6.7.
fn quoted_printable(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let line = line.trim_end_matches([' ', '\t']);
        let (line, end) = line.strip_suffix('=').map_or((line, end), |line| (line, ""));
        unescape(line, &mut bytes);
        bytes.extend_from_slice(end.as_bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `=C3=A4` to bytes.
fn unescape(text: &str, bytes: &mut Vec<u8>) {
    let mut pieces = text.split('=');
    bytes.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    for piece in pieces {
        let decoded = piece.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match decoded {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(piece.get(2..).unwrap_or_default().as_bytes());
            }
            None => {
                bytes.push(b'=');
                bytes.extend_from_slice(piece.as_bytes());
            }
        }
    }
}

/// RFC 2047: `=?utf-8?q?Gr=C3=BC=C3=9Fe?=`. White space between two encoded words is no part of the
/// text.
fn decode_words(value: &str) -> String {
    let mut decoded = String::new();
    let mut rest = value;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, tail) = rest.split_at(start);
        let Some((word, next)) = decode_word(tail) else { break };
        if !(after_word && before.trim().is_empty()) {
            decoded.push_str(before);
        }
        decoded.push_str(&word);
        (rest, after_word) = (next, true);
    }
    decoded + rest
}

fn decode_word(tail: &str) -> Option<(String, &str)> {
    let mut parts = tail.get(2..)?.splitn(3, '?');
    let (_charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let (text, next) = rest.split_once("?=")?;
    let word = match encoding {
        "b" | "B" => decode_base64(text),
        "q" | "Q" => {
            let mut bytes = Vec::new();
            unescape(&text.replace('_', " "), &mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => return None,
    };
    Some((word, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_printable_is_decoded_across_soft_line_breaks() {
        let raw = "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe, open https://a.example/#acc=\r\ness_token=3Dabc =\r\nnow=\r\n.\r\nA = B  \r\n";
        assert_eq!(parse(raw).text, "Grüße, open https://a.example/#access_token=abc now.\nA = B\n");
    }

    #[test]
    fn base64_and_plain_bodies_are_decoded() {
        assert_eq!(parse("Content-Transfer-Encoding: BASE64\r\n\r\nR3LD\r\nvMOfZQ==\r\n").text, "Grüße");
        assert_eq!(parse("Subject: x\r\n\r\nplain\r\n\r\ntext").text, "plain\n\ntext");
        assert_eq!(parse("\r\nno headers").text, "no headers");
    }

    #[test]
    fn headers_are_unfolded_and_encoded_words_decoded() {
        let raw = "Subject: =?utf-8?b?R3LDvA==?=\r\n =?utf-8?Q?=C3=9Fe_an?= Ada\r\nTo: ada@example.com,\r\n\tbob@example.com\r\n\r\n";
        let headers = parse(raw).headers;
        assert_eq!(headers[0], ("Subject".into(), "Grüße an Ada".into()));
        assert_eq!(headers[1], ("To".into(), "ada@example.com,\tbob@example.com".into()));
    }

    #[test]
    fn of_several_parts_the_plain_text_counts() {
        let raw = "Content-Type: multipart/mixed; boundary=\"out\"\r\n\r\npreamble\r\n--out\r\n\
             Content-Type: multipart/alternative; boundary=in\r\n\r\n--in\r\nContent-Type: text/html\r\n\r\n<p>no</p>\r\n\
             --in\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4 yes\r\n\
             --in--\r\n--out--\r\n";
        let parsed = parse(raw);
        assert_eq!((parsed.text.as_str(), parsed.html.as_deref()), ("ä yes", Some("<p>no</p>")));
    }
}
