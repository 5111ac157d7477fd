//! Does Gatekit work in a real browser? Chromium, driven over WebDriver, against `examples/website`
//! as an app author would run it.
//!
//! `stage` is what a test gets: a site with a mail server, and a browser with or without
//! JavaScript. Each of the other modules is one flow of the pages, by the name that it has on every
//! floor, or one thing that holds for all of them.
//!
//! Run it by `cargo xtask test --only browser`, which installs what it needs. Screenshots of all
//! pages are in `target/browser` afterwards, those of tests that failed in `target/browser/failed`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that failed says what the browser and the site showed"
)]

mod accessibility;
mod change_email;
mod change_password;
mod cmwell;
mod cookies;
mod cross_origin;
mod delete_account;
mod language;
mod login;
mod logout;
mod programs;
mod register;
mod reset_password;
mod sessions;
mod stage;
mod verify_email;
mod wix;
