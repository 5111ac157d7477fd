//! The forms in which a place has a token.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use gatekit_core::{TokenDigest, TokenSecret};
use http::HeaderValue;

/// What the search ends with.
pub(crate) enum Found<'a> {
    /// A text.
    Token(Candidate<'a>),
    /// The digest in a server-side session.
    Session(TokenDigest),
}

/// A text in a place for tokens.
pub(crate) struct Candidate<'a> {
    /// Empty if the place says that there is no token.
    pub(super) token: Cow<'a, str>,
    /// Whether a browser sends it without being asked.
    pub(super) ambient: bool,
    /// Whether it stands in a form that others than Gatekit's clients use more often, such as
    /// `Basic`.
    pub(super) borrowed_form: bool,
}

/// What an authenticator is asked about.
pub(crate) enum Credential<'a> {
    Token(Cow<'a, str>),
    Digest(TokenDigest),
}

impl<'a> Found<'a> {
    /// The token or its digest; `None` if the text is empty.
    pub(crate) fn credential(&self) -> Option<Credential<'a>> {
        match self {
            Self::Session(digest) => Some(Credential::Digest(*digest)),
            Self::Token(_) => self.token().map(Credential::Token),
        }
    }

    /// The token itself; `None` if the text is empty, or if only a digest is known.
    pub(crate) fn token(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Token(candidate) if !candidate.token.is_empty() => Some(candidate.token.clone()),
            _ => None,
        }
    }

    /// Whether a browser sends it without being asked.
    pub(crate) fn is_ambient(&self) -> bool {
        match self {
            Self::Token(candidate) => candidate.ambient,
            Self::Session(_) => true,
        }
    }
}

impl<'a> Candidate<'a> {
    /// A text that a client has put there on purpose.
    pub(super) fn sent(token: impl Into<Cow<'a, str>>) -> Self {
        Self { token: token.into(), ambient: false, borrowed_form: false }
    }

    /// The value of a cookie.
    pub(super) fn cookie(token: impl Into<Cow<'a, str>>) -> Self {
        Self { token: token.into(), ambient: true, borrowed_form: false }
    }

    /// The value of a header, by the table of [`TokenSource::header`](crate::TokenSource::header),
    /// row by row. `None` if it is not ASCII.
    pub(super) fn header(value: &'a HeaderValue) -> Option<Self> {
        // The usual one: a secret of the kit, without a scheme. There is nothing to take off.
        if let Some(secret) =
            std::str::from_utf8(value.as_bytes()).ok().filter(|text| TokenSecret::is_well_formed(text))
        {
            return Some(Self::sent(secret));
        }
        let value = value.to_str().ok()?.trim();
        if let Some(bearer) = after_scheme(value, "bearer ") {
            return Some(Self::sent(match decode(bearer) {
                Some(token) if token.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Cow::Owned(token),
                _ => Cow::Borrowed(bearer),
            }));
        }
        if let Some(basic) = after_scheme(value, "basic ") {
            return Some(Self { borrowed_form: true, ..Self::sent(longer_part(decode(basic).unwrap_or_default())) });
        }
        // A blank stands after the name of a scheme: Negotiate, Digest, Token.
        Some(Self { borrowed_form: value.contains(' '), ..Self::sent(value) })
    }

    /// What stands behind `Bearer` in a header, as it is. `None` for another scheme.
    pub(super) fn bearer(value: &'a HeaderValue) -> Option<Self> {
        after_scheme(value.to_str().ok()?, "bearer ").map(Self::sent)
    }

    /// Whether there is no token: nothing, or what a program writes that has none. Such a text is
    /// no token in any form.
    pub(super) fn is_nothing(&self) -> bool {
        const NOTHING: [&str; 10] =
            ["undefined", "null", "NaN", "none", "nil", "false", "true", "[object Object]", "bearer", "basic"];
        if TokenSecret::is_well_formed(&self.token) {
            return false;
        }
        let token = self.token.trim();
        token.is_empty() || NOTHING.iter().any(|nothing| token.eq_ignore_ascii_case(nothing))
    }
}

/// What follows a scheme, which is compared in any case.
fn after_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = value.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// Of `a:b` the longer part, of two equal ones the first.
fn longer_part(pair: String) -> String {
    match pair.split_once(':') {
        Some((before, behind)) if behind.len() > before.len() => behind.to_owned(),
        Some((before, _)) => before.to_owned(),
        None => pair,
    }
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
