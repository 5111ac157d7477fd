//! What was found in a place, and which token that is.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
#[cfg(feature = "tower-sessions")]
use gatekit_core::TokenDigest;
use http::HeaderValue;

/// A token as it stands in the request.
pub(crate) enum Found<'a> {
    Query(&'a str),
    Header(&'a HeaderValue),
    Bearer(&'a HeaderValue),
    Cookie(Cow<'a, str>),
    #[cfg(feature = "tower-sessions")]
    Session(TokenDigest),
}

/// What an authenticator is asked about.
pub(crate) enum Credential<'a> {
    Token(Cow<'a, str>),
    #[cfg(feature = "tower-sessions")]
    Digest(TokenDigest),
}

impl<'a> Found<'a> {
    /// The token or its digest; `None` if it is empty or no text.
    pub(crate) fn credential(&self) -> Option<Credential<'a>> {
        #[cfg(feature = "tower-sessions")]
        if let Self::Session(digest) = self {
            return Some(Credential::Digest(*digest));
        }
        self.token().map(Credential::Token)
    }

    /// The token itself; `None` if it is empty or no text.
    pub(crate) fn token(&self) -> Option<Cow<'a, str>> {
        let token = match self {
            Self::Query(token) => Cow::Borrowed(*token),
            Self::Cookie(token) => token.clone(),
            #[cfg(feature = "tower-sessions")]
            Self::Session(_) => return None,
            Self::Header(value) => loopback_form(value.to_str().ok()?),
            Self::Bearer(value) => Cow::Borrowed(value.to_str().ok()?.get("bearer ".len()..)?.trim()),
        };
        (!token.is_empty()).then_some(token)
    }

    /// Whether a browser sends it without being asked.
    pub(crate) fn is_ambient(&self) -> bool {
        #[cfg(feature = "tower-sessions")]
        if let Self::Session(_) = self {
            return true;
        }
        matches!(self, Self::Cookie(_))
    }
}

/// What follows `prefix`, which is lower case and is compared in any case.
pub(super) fn scheme<'a>(value: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = value.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The table of [`TokenSource::header`], row by row.
fn loopback_form(value: &str) -> Cow<'_, str> {
    let after = |prefix: &str| {
        scheme(value.as_bytes(), prefix.as_bytes()).and_then(|_| value.get(prefix.len()..)).map(str::trim)
    };
    if let Some(bearer) = after("bearer ") {
        return match decode(bearer) {
            Some(token) if token.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Cow::Owned(token),
            _ => Cow::Borrowed(bearer),
        };
    }
    if let Some(basic) = after("basic ") {
        let decoded = decode(basic).unwrap_or_default();
        return Cow::Owned(match decoded.split_once(':') {
            Some((before, behind)) if behind.len() > before.len() => behind.to_owned(),
            Some((before, _)) => before.to_owned(),
            None => decoded,
        });
    }
    Cow::Borrowed(value)
}

/// Base64 with or without padding, as Node's decoder takes it.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn decode(text: &str) -> Option<String> {
    String::from_utf8(BASE64.decode(text).ok()?).ok()
}
