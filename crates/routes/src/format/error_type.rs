//! The forms that an error can have.

/// A form of errors: the media type of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// `application/json`
    Json,
    /// `text/html`
    Html,
    /// `text/xml`
    Xml,
}
