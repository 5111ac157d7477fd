//! Why the body of a request was not read.

use axum::http::StatusCode;

/// Why the body of a request was not read.
///
/// ```
/// use gatekit_web::BodyError;
///
/// assert_eq!(BodyError::TooSlow.to_string(), "the body did not arrive in time");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It has more bytes than the route reads, as it was sent or after it was unpacked. HTTP status
    /// 413.
    #[error("the body is too large")]
    TooLarge,
    /// It was not complete within `policy.limits.body_timeout`. HTTP status 408.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The connection broke off, or the client sent something that is no HTTP. HTTP status 400.
    #[error("the body was cut off")]
    Broken,
    /// Its content encoding is not `identity`, `gzip` or `deflate`, or it has several. HTTP status
    /// 415.
    #[error("the body must be sent as it is, or as gzip or deflate")]
    UnsupportedEncoding,
    /// It is not what its content encoding says. HTTP status 400.
    #[error("the body cannot be unpacked: {0}")]
    Inflate(#[from] InflateError),
}

impl BodyError {
    /// The HTTP status: 413, 408, 415 or 400.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::UnsupportedEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Broken | Self::Inflate(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// What is wrong with a compressed body. The texts are zlib's, which LoopBack answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InflateError {
    /// It does not begin as its content encoding does.
    #[error("incorrect header check")]
    Header,
    /// It cannot be unpacked, or was damaged on the way.
    #[error("incorrect data check")]
    Data,
    /// It ends too early.
    #[error("unexpected end of file")]
    Truncated,
}

impl InflateError {
    /// zlib's code, which LoopBack answers with: `Z_BUF_ERROR` for a body that ends too early, or
    /// else `Z_DATA_ERROR`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Truncated => "Z_BUF_ERROR",
            Self::Header | Self::Data => "Z_DATA_ERROR",
        }
    }
}
