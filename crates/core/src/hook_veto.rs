//! What a hook says to refuse something.

/// A hook of the app refuses what was asked for. Kind [`Forbidden`](crate::ErrorKind::Forbidden).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HookVeto {
    /// A stable code for clients, in capitals.
    pub code: String,
    /// A text for people.
    pub message: String,
}

impl HookVeto {
    /// A refusal with a code and a text. The client sees both.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}
