//! What the black-box tests stand on: an app mounted as an author would mount it, and requests that
//! read as sentences.
//!
//! ```
//! use gatekit_tests::{App, Store};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let app = App::loopback(Store::Memory).await;
//! let body = r#"{"email":"nobody@bar.com","password":"bar"}"#;
//! app.post("/api/users/login").json(body).await.expect(401, "LOGIN_FAILED");
//! # }
//! ```
#![expect(clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

mod app;
mod folder;
mod hang_up;
mod http;
mod packed;
mod timing;

pub use app::{App, EMAIL, PASSWORD, Rules, Setup, Store, answering, routes_of, settled};
pub use folder::Folder;
pub use hang_up::{hang_up_after, whole_or_nothing};
pub use http::{Answer, Call, at_once, count, half_a_body};
pub use packed::{deflate, gzip};
pub use timing::{same_time, timed};

/// Longer than any rule takes, on a busy machine too: what hangs fails, with its name, and the run
/// goes on.
pub const LIMIT: std::time::Duration = std::time::Duration::from_secs(180);

/// Runs a rule under the [`LIMIT`].
///
/// # Panics
///
/// If it takes longer.
pub async fn limited(rule: impl Future<Output = ()>) {
    tokio::time::timeout(LIMIT, rule).await.expect("the rule hangs");
}

/// Makes each rule a module with two tests: one over the store in memory, one over an SQLite file.
///
/// The runtime has several threads, so that what a rule starts in parallel runs in parallel. A rule
/// that hangs fails after [`LIMIT`].
///
/// ```
/// gatekit_tests::on_every_store! {
///     /// What the rule says.
///     async fn whose_name_is_this(store) {
///         let app = gatekit_tests::App::loopback(store).await;
///         app.get("/open").await.expect_status(200);
///     }
/// }
/// ```
#[macro_export]
macro_rules! on_every_store {
    ($($(#[$meta:meta])* async fn $name:ident($store:ident) $body:block)+) => {$(
        $(#[$meta])*
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports, reason = "not every rule needs what is around it")]
            use super::*;

            async fn rule($store: $crate::Store) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_memory() {
                $crate::limited(rule($crate::Store::Memory)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_sqlite() {
                $crate::limited(rule($crate::Store::Sqlite)).await;
            }
        }
    )+};
}
