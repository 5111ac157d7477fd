//! Reads the name and the password of a Basic header.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use gatekit_core::Password;
use zeroize::Zeroizing;

/// With or without padding: both are sent.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Name and password of what stands behind `Basic` (RFC 7617 §2): Base64, divided at the first
/// colon. `None` for what is not that.
///
/// The text is UTF-8, as the challenge asks for. What is no UTF-8 is ISO 8859-1, which Python's
/// requests sends whatever it is asked for.
pub(crate) fn read(credentials: &str) -> Option<(String, Password)> {
    let bytes = Zeroizing::new(BASE64.decode(credentials.trim_matches(' ')).ok()?);
    let text = Zeroizing::new(match std::str::from_utf8(&bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    });
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), Password::from(password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(credentials: &str) -> Option<(String, String)> {
        super::read(credentials).map(|(name, password)| (name, password.expose().to_owned()))
    }

    fn pair(name: &str, password: &str) -> Option<(String, String)> {
        Some((name.to_owned(), password.to_owned()))
    }

    /// The second and third are RFC 7617's own.
    #[test]
    fn the_first_colon_divides_and_the_rest_is_the_password_as_it_is() {
        assert_eq!(read("bXlVc2VyOm15UGFzc3dvcmQ="), pair("myUser", "myPassword"));
        assert_eq!(read("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), pair("Aladdin", "open sesame"));
        assert_eq!(read("dGVzdDoxMjPCow=="), pair("test", "123£"));
        assert_eq!(read("QWxhZGRpbjpvcGVuIHNlc2FtZQ"), pair("Aladdin", "open sesame"));
        let encoded = |text: &str| BASE64.encode(text);
        assert_eq!(read(&encoded("u:p:q")), pair("u", "p:q"));
        assert_eq!(read(&encoded("u:")), pair("u", ""));
        assert_eq!(read(&encoded(":p")), pair("", "p"));
        assert_eq!(read(&encoded(" u : p ")), pair(" u ", " p "));
        assert_eq!(read(&encoded("a.b@x.org:nul\0")), pair("a.b@x.org", "nul\0"));
    }

    /// FUZZ-2
    #[test]
    fn what_is_not_that_is_nothing() {
        for text in [
            "",
            "=",
            "====",
            "*",
            "bXlVc2Vy",
            "bXlVc2VyOm15UGFzc3dvcmQ=x",
            "bXlVc2Vy OnA=",
            "dTpwcA==Zg==",
            "_-_-",
            "é",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_utf_8_is_iso_8859_1() {
        assert_eq!(read(&BASE64.encode(b"Zo\xeb:p\xe4ss")), pair("Zoë", "päss"));
        assert_eq!(read(&BASE64.encode("Zoë:päss")), pair("Zoë", "päss"));
        // Half of a letter, and no more UTF-8 than that.
        assert_eq!(read(&BASE64.encode(b"u:\xc3")), pair("u", "Ã"));
        assert_eq!(read(&BASE64.encode(b"\xff\xfe")), None);
    }
}
