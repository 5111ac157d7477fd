//! Reads the parameters of an `Authorization` header, by the grammar of RFC 9110 §11.4 and §5.6.

/// Longer headers are nobody's: names, nonce, uri and two hashes have room in a quarter of it.
const MAX_BYTES: usize = 8 * 1024;
/// Digest knows twelve parameters.
const MAX_PARAMS: usize = 32;

/// The parameters of one header, each there once.
pub(super) struct Params(Vec<(String, Vec<u8>)>);

impl Params {
    /// Reads `Digest name=value, ..`. `None` if it is another scheme, breaks the grammar, or has a
    /// parameter twice.
    ///
    /// Names are compared without regard to case. A value may be a token or a quoted string
    /// whatever the parameter: clients differ, and it makes no difference to what is said. It takes
    /// one pass.
    pub(super) fn parse(header: &[u8]) -> Option<Self> {
        if header.len() > MAX_BYTES {
            return None;
        }
        let mut rest = Cursor(after_scheme(header)?);
        let mut params: Vec<(String, Vec<u8>)> = Vec::new();
        loop {
            // A list may have empty elements (RFC 9110 §5.6.1.2).
            rest.skip(|byte| is_blank(byte) || byte == b',');
            if rest.0.is_empty() {
                return Some(Self(params));
            }
            let name = rest.take_token()?.to_ascii_lowercase();
            rest.skip(is_blank);
            rest.take_byte(b'=')?;
            rest.skip(is_blank);
            let value = if rest.0.first() == Some(&b'"') { rest.take_quoted()? } else { rest.take_token()?.into() };
            rest.skip(is_blank);
            if !rest.0.is_empty() {
                rest.take_byte(b',')?;
            }
            let name = String::from_utf8(name).ok()?;
            if params.len() == MAX_PARAMS || params.iter().any(|(known, _)| *known == name) {
                return None;
            }
            params.push((name, value));
        }
    }

    /// The value of a parameter, as it was before it was quoted.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// The value as text. Bytes that are not UTF-8 are ISO 8859-1: what Python's clients send.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| match std::str::from_utf8(value) {
            Ok(text) => text.to_owned(),
            Err(_) => value.iter().copied().map(char::from).collect(),
        })
    }
}

/// What follows `Digest` and at least one blank.
fn after_scheme(header: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = header.split_at_checked("Digest".len())?;
    (scheme.eq_ignore_ascii_case(b"Digest") && rest.first().copied().is_some_and(is_blank)).then_some(rest)
}

/// What is not read yet.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        self.0 = self.take_while(skipped).1;
    }

    fn take_byte(&mut self, wanted: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        (*first == wanted).then_some(())
    }

    /// RFC 9110 §5.6.2.
    fn take_token(&mut self) -> Option<&'a [u8]> {
        let (token, rest) = self.take_while(is_token_char);
        self.0 = rest;
        (!token.is_empty()).then_some(token)
    }

    /// RFC 9110 §5.6.4, with `\"` and the like made plain.
    fn take_quoted(&mut self) -> Option<Vec<u8>> {
        self.take_byte(b'"')?;
        let mut value = Vec::new();
        loop {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            match *first {
                b'"' => return Some(value),
                b'\\' => {
                    let (escaped, rest) = self.0.split_first()?;
                    self.0 = rest;
                    value.push(printable(*escaped)?);
                }
                byte => value.push(printable(byte)?),
            }
        }
    }

    fn take_while(&self, taken: impl Fn(u8) -> bool) -> (&'a [u8], &'a [u8]) {
        let end = self.0.iter().position(|byte| !taken(*byte)).unwrap_or(self.0.len());
        self.0.split_at_checked(end).unwrap_or((self.0, &[]))
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn printable(byte: u8) -> Option<u8> {
    (byte == b'\t' || !byte.is_ascii_control()).then_some(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Option<Vec<(String, String)>> {
        let text = |value: Vec<u8>| String::from_utf8(value).unwrap();
        Params::parse(header.as_bytes()).map(|p| p.0.into_iter().map(|(name, value)| (name, text(value))).collect())
    }

    fn pairs(expected: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// DG-4
    #[test]
    fn names_have_no_case_and_values_may_be_quoted_or_not() {
        assert_eq!(read(r#"Digest a=1, B="2""#), pairs(&[("a", "1"), ("b", "2")]));
        assert_eq!(read(r#"dIGEST   a = 1 ,, ,B	=	"2,=" ,"#), pairs(&[("a", "1"), ("b", "2,=")]));
        assert_eq!(read("Digest \t"), pairs(&[]));
        assert_eq!(read(r#"Digest username*=UTF-8''a%20b"#), pairs(&[("username*", "UTF-8''a%20b")]));
    }

    /// DG-4
    #[test]
    fn a_quoted_pair_is_what_it_stands_for() {
        assert_eq!(read(r#"Digest a="us\"er", b="\\\x""#), pairs(&[("a", "us\"er"), ("b", "\\x")]));
    }

    /// DG-4, DG-5, FUZZ-4
    #[test]
    fn what_breaks_the_grammar_is_nothing_at_all() {
        let broken = [
            "",
            "Digest",
            "Digesta=1",
            "Basic a=1",
            " Digest a=1",
            "Digest a",
            "Digest a=",
            "Digest =1",
            "Digest a=1 b=2",
            "Digest a=1; b=2",
            r#"Digest a="1"b=2"#,
            r#"Digest a="1"#,
            r#"Digest a="1\"#,
            r#"Digest a="1\""#,
            "Digest a=\"1\u{0}\"",
            "Digest a=\"1\\\u{7f}\"",
            "Digest a=1, a=1",
            "Digest a=1, A=2",
            r#"Digest a=é"#,
            r#"Digest é=1"#,
        ];
        for header in broken {
            assert_eq!(read(header), None, "{header}");
        }
    }

    #[test]
    fn no_header_is_too_long_or_too_full() {
        let long = format!("Digest a=\"{}\"", "x".repeat(MAX_BYTES));
        assert_eq!(read(&long), None);
        let many = |count: usize| format!("Digest {}", (0..count).map(|i| format!("p{i}=1,")).collect::<String>());
        assert_eq!(read(&many(MAX_PARAMS)).map(|params| params.len()), Some(MAX_PARAMS));
        assert_eq!(read(&many(MAX_PARAMS + 1)), None);
    }

    #[test]
    fn text_is_utf_8_or_else_latin_1() {
        let params = Params::parse("Digest a=\"é\"".as_bytes()).unwrap();
        assert_eq!(params.text("a").as_deref(), Some("é"));
        let params = Params::parse(b"Digest a=\"\xe9\"").unwrap();
        assert_eq!(params.text("a").as_deref(), Some("é"));
    }
}
