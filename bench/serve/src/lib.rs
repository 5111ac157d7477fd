//! What all benchmark servers have in common: how they start and stop, the one account they know,
//! and the password hashing as an app author writes it. They differ only in how they treat
//! accounts.

mod account;
mod password;
mod server;

pub use account::{EMAIL, Login, PASSWORD, Token, User};
pub use password::{Secret, verify_on_blocking_pool};
pub use server::{Result, run, scratch_file};
