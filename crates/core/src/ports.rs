//! The ports: what a database or a mailer implements to carry Gatekit, one subject a file.
//!
//! All are object-safe and kept behind `Arc<dyn ..>` inside [`Auth`](crate::Auth). The author of a
//! store runs the conformance suite of `gatekit-testkit` on it. Each contract below is a test
//! there.

mod counters;
mod devices;
mod digests;
mod identifier;
mod listed_user;
mod mail;
mod need;
mod one_time;
mod permissions;
mod roles;
mod tokens;
mod user_page;
mod users;

pub use counters::{CounterLimit, CounterStore};
pub use devices::{DeviceSeen, DeviceStore};
pub use digests::{DigestCredential, DigestStore};
pub use identifier::{Identifier, IdentifierKind};
pub use listed_user::ListedUser;
pub use mail::{Mail, MailError, MailKind, MailOptions, Mailer};
pub use need::{Need, UserOperation};
pub use one_time::{OneTimeLimit, OneTimePurpose, OneTimeRecord, OneTimeStore};
pub use permissions::PermissionStore;
pub use roles::RoleStore;
pub use tokens::TokenStore;
pub use user_page::{UserCursor, UserPage};
pub use users::{CreateUserError, TokenOwner, UserStore, find_token_owner_separately};
