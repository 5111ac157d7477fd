//! Why an [`Auth`](crate::Auth) could not be built: [`ConfigError`].

use crate::{InvalidOrigin, InvalidPublicUrl, Need};

/// What is wrong with how an [`Auth`](crate::Auth) was put together. The message says what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Nothing says where tokens are kept.
    #[error("no token store: pass one to `.tokens(store)` of the builder, for instance a SqliteStore or MemoryStore")]
    NoTokenStore,
    /// A setting of the policy contradicts itself.
    #[error("the policy cannot be followed: {0}")]
    Policy(&'static str),
    /// The hasher's parameters are refused.
    #[error("the password hasher's parameters are refused: {0}")]
    Hasher(String),
    /// `public_url` is not where users could reach an app.
    #[error("`public_url` cannot be used: {0}")]
    PublicUrl(#[source] InvalidPublicUrl),
    /// A link that nobody could open: the name of the setting, and what is wrong with it.
    #[error("`{0}` cannot be used: {1}")]
    Link(&'static str, &'static str),
    /// `site_name` is more than a line.
    #[error("`site_name` must be one line")]
    SiteName,
    /// A text of a mail: its key and language, and what is wrong with it.
    #[error("the text {0} {1}")]
    Text(String, &'static str),
    /// A `redirect_origin` is none that a browser could be sent to.
    #[error("`redirect_origin` cannot be used: {0}")]
    RedirectOrigin(#[source] InvalidOrigin),
    /// A resolver for a role that Gatekit decides itself.
    #[error("{0} is decided by Gatekit itself: register the resolver for a role of your own, such as `team-member`")]
    RoleResolver(String),
    /// A setting or a list needs a store that the app did not give.
    #[error("{what} needs {need}")]
    Missing {
        /// What needs it: the setting, or the row of the access control list.
        what: String,
        /// What is missing.
        need: Need,
    },
    /// Two user types of one name share a store. Their users, tokens and roles could not be told
    /// apart.
    #[error(
        "`{user_type}` and `{by}` are both named {name:?} and share a store: give one a name of its own, by \
         `impl gatekit::Model for Profile {{ const NAME: &'static str = \"..\"; }}` for the profile of a `User`, or by \
         `Account::model_name` of your own type"
    )]
    ModelNameTaken {
        /// The name.
        name: &'static str,
        /// The Rust type that has it already.
        by: &'static str,
        /// The Rust type that was refused.
        user_type: &'static str,
    },
    /// A verify option cannot be followed.
    #[error("`verify_options` cannot be followed: {0}")]
    VerifyOptions(&'static str),
}
