//! Decodes the pairs of a form or a query string without loss.

/// The pairs of `application/x-www-form-urlencoded` text, in their order. A pair that is not UTF-8
/// is `None`.
///
/// A decoder that writes U+FFFD for a byte that it cannot read makes different values equal: two
/// passwords in Latin-1 would open the same account. For that reason a pair that cannot be read is
/// `None` here, and the caller decides whether to refuse the request.
///
/// ```
/// let pairs: Vec<_> = gatekit_web::form_pairs(b"a=1+2%C3%BC&b&&c=%ff").collect();
/// assert_eq!(pairs[0], Some(("a".to_owned(), "1 2ü".to_owned())));
/// assert_eq!(pairs[1], Some(("b".to_owned(), String::new())));
/// assert_eq!(pairs[2], None, "not UTF-8");
/// ```
pub fn form_pairs(bytes: &[u8]) -> impl Iterator<Item = Option<(String, String)>> {
    let pairs = bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        Some((decode(halves.next()?)?, decode(halves.next().unwrap_or_default())?))
    })
}

/// Whether all escapes of a form (`%c3%bc`) are UTF-8.
///
/// ```
/// assert!(gatekit_web::is_form_utf8("a=%c3%bc"));
/// assert!(!gatekit_web::is_form_utf8("a=%fc"));
/// ```
#[must_use]
pub fn is_form_utf8(text: &str) -> bool {
    std::str::from_utf8(&unescape(text.as_bytes())).is_ok()
}

fn decode(bytes: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    String::from_utf8(unescape(&spaced)).ok()
}

/// `%41` as `A`. A percent sign without two hexadecimal digits stays as it is (URL Standard,
/// percent-decode).
fn unescape(mut text: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    while let [first, rest @ ..] = text {
        let escaped = match (first, rest) {
            (b'%', [high, low, behind @ ..]) => {
                digit(high).zip(digit(low)).map(|(high, low)| (high << 4 | low, behind))
            }
            _ => None,
        };
        let (byte, behind) = escaped.unwrap_or((*first, rest));
        bytes.push(byte);
        text = behind;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_as_browsers_encode_them() {
        let pairs: Vec<_> = form_pairs("a=1+2%2B%C3%BC&b&=c&&d=%ff&e=x=y&f=100%&g=%zz".as_bytes()).collect();
        let pair = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
        let expected = [
            pair("a", "1 2+ü"),
            pair("b", ""),
            pair("", "c"),
            None,
            pair("e", "x=y"),
            pair("f", "100%"),
            pair("g", "%zz"),
        ];
        assert_eq!(pairs, expected);
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_no_pair() {
        assert_eq!(form_pairs(b"a=\xe9&\xff=b").collect::<Vec<_>>(), [None, None]);
    }
}
