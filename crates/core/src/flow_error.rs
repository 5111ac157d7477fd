//! The errors of the flows. Each variant is declared once, with its text, its kind and its code.
//!
//! A wire format reads errors through the trait [`FlowError`], so it does not list the variants: it
//! maps each [`ErrorKind`] to a status, and names only the codes that it treats differently.

use crate::{FieldError, FieldErrors, HookVeto, PasswordError, Unavailable, UserId};

/// The kind of an error. A wire format maps each kind to a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request cannot be carried out as it is. HTTP status 400.
    Invalid,
    /// The caller is not authenticated. HTTP status 401.
    Unauthenticated,
    /// The caller is authenticated and is not allowed to do this. HTTP status 403.
    Forbidden,
    /// What the request names does not exist. HTTP status 404.
    NotFound,
    /// Another change was made at the same time. HTTP status 409.
    Conflict,
    /// A value is well-formed and not acceptable. HTTP status 422.
    Unprocessable,
    /// The caller has used up a limit. HTTP status 429.
    TooMany,
    /// Nothing was decided, and the caller may try again. HTTP status 503.
    Unavailable,
    /// Trying again does not help: a mistake in the app or in Gatekit, or a stored row that cannot
    /// be read. HTTP status 500.
    Internal,
}

/// What an error says besides its kind, code and text.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ErrorDetails<'a> {
    /// Nothing.
    None,
    /// The user it is about. A client may need the id for its next request.
    User(&'a UserId),
    /// The fields that are wrong.
    Fields(&'a [FieldError]),
    /// A hook of the app refused it. Code and text are the app's.
    Veto(&'a HookVeto),
    /// Why it cannot be done now. It has the number of seconds for `Retry-After`; its text is for
    /// the log.
    Unavailable(&'a Unavailable),
}

/// An error of a flow, for whatever turns it into a response.
///
/// ```
/// use gatekit_core::{ErrorKind, FlowError, LoginError};
///
/// let error = LoginError::InvalidCredentials;
/// assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthenticated, "LOGIN_FAILED"));
/// ```
pub trait FlowError: std::error::Error {
    /// The kind, from which a status follows.
    fn kind(&self) -> ErrorKind;

    /// The stable code, in capitals. It is LoopBack's where LoopBack has one.
    fn code(&self) -> &str;

    /// What else is known.
    fn details(&self) -> ErrorDetails<'_> {
        ErrorDetails::None
    }
}

/// Declares the error of a flow.
///
/// The first block has the flow's own variants, each as `= Kind "CODE"`; `of field` marks the field
/// with the [`UserId`] that is told to the client. The block after `or` has the errors of others
/// that the flow passes on: text, kind, code and details are theirs, and `?` converts them. Every
/// flow passes on [`Unavailable`], and a failure of a store becomes that. A block after
/// `from Other` names the variants that both enums have, so that `?` converts them too.
macro_rules! flow_error {
    (
        $(#[$about:meta])*
        pub enum $Error:ident {
            $(
                $(#[$doc:meta])*
                $variant:ident $(($($tuple:ty),+))? $({ $($(#[$field_doc:meta])* $field:ident: $ty:ty),+ $(,)? })?
                    = $kind:ident $code:literal $(of $user:ident)?
            ),* $(,)?
        }
        $(or { $($(#[$other_doc:meta])* $other:ident($inner:ty)),* $(,)? })?
        $(from $Source:ident { $($same:ident $(($value:ident))?),* $(,)? })*
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, thiserror::Error)]
        #[non_exhaustive]
        pub enum $Error {
            $(
                $(#[$doc])*
                #[doc = concat!(
                    "\n\nKind [`", stringify!($kind), "`](crate::ErrorKind::", stringify!($kind), "), code `", $code, "`."
                )]
                $variant $(($($tuple),+))? $({ $($(#[$field_doc])* $field: $ty),+ })?,
            )*
            $($(
                $(#[$other_doc])*
                #[error(transparent)]
                $other(#[from] $inner),
            )*)?
            /// It cannot be done now.
            #[error(transparent)]
            Unavailable(#[from] $crate::Unavailable),
        }

        impl $crate::FlowError for $Error {
            fn kind(&self) -> $crate::ErrorKind {
                match self {
                    $(Self::$variant { .. } => $crate::ErrorKind::$kind,)*
                    $($(Self::$other(error) => $crate::FlowError::kind(error),)*)?
                    Self::Unavailable(error) => $crate::FlowError::kind(error),
                }
            }

            fn code(&self) -> &str {
                match self {
                    $(Self::$variant { .. } => $code,)*
                    $($(Self::$other(error) => $crate::FlowError::code(error),)*)?
                    Self::Unavailable(error) => $crate::FlowError::code(error),
                }
            }

            fn details(&self) -> $crate::ErrorDetails<'_> {
                $($(
                    if let Self::$variant { $user, .. } = self {
                        return $crate::ErrorDetails::User($user);
                    }
                )?)*
                match self {
                    $($(Self::$other(error) => $crate::FlowError::details(error),)*)?
                    Self::Unavailable(error) => $crate::FlowError::details(error),
                    #[allow(unreachable_patterns, reason = "an error may have no variants of its own")]
                    _ => $crate::ErrorDetails::None,
                }
            }
        }

        impl From<$crate::StoreError> for $Error {
            fn from(error: $crate::StoreError) -> Self {
                Self::Unavailable(error.into())
            }
        }

        $(
            impl From<$Source> for $Error {
                fn from(error: $Source) -> Self {
                    match error {
                        $($Source::$same $(($value))? => Self::$same $(($value))?,)*
                    }
                }
            }
        )*
    };
}

pub(crate) use flow_error;

impl FlowError for Unavailable {
    fn kind(&self) -> ErrorKind {
        if self.is_fault() { ErrorKind::Internal } else { ErrorKind::Unavailable }
    }

    fn code(&self) -> &str {
        if self.is_fault() { "INTERNAL_ERROR" } else { "SERVICE_UNAVAILABLE" }
    }

    fn details(&self) -> ErrorDetails<'_> {
        ErrorDetails::Unavailable(self)
    }
}

impl FlowError for HookVeto {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Forbidden
    }

    fn code(&self) -> &str {
        &self.code
    }

    fn details(&self) -> ErrorDetails<'_> {
        ErrorDetails::Veto(self)
    }
}

impl FlowError for FieldErrors {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unprocessable
    }

    fn code(&self) -> &str {
        "INVALID_FIELDS"
    }

    fn details(&self) -> ErrorDetails<'_> {
        ErrorDetails::Fields(self)
    }
}

impl FlowError for PasswordError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unprocessable
    }

    fn code(&self) -> &str {
        match self {
            Self::Empty => "INVALID_PASSWORD",
            Self::TooLong { .. } => "PASSWORD_TOO_LONG",
            Self::TooShort { .. } => "PASSWORD_TOO_SHORT",
            Self::Common => "PASSWORD_TOO_COMMON",
            Self::Expected => "PASSWORD_TOO_GUESSABLE",
        }
    }
}
