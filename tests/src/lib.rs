//! What the black-box tests stand on: an app mounted as an author would mount it, and requests that read as sentences.
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
mod http;

pub use app::{App, EMAIL, PASSWORD, Setup, Store, routes_of, settled};
pub use folder::Folder;
pub use http::{Answer, Call, at_once, count};

/// Makes each rule a module with two tests: one over the store in memory, one over an SQLite file.
///
/// The runtime has several threads, so that what a rule starts in parallel is.
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
                rule($crate::Store::Memory).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_sqlite() {
                rule($crate::Store::Sqlite).await;
            }
        }
    )+};
}
