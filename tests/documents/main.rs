//! What guides and doc tables say of routes is what the declared routes say.
//!
//! A fact about a route stands in its declaration (`gatekit::web::Route`). Tables repeat it for
//! readers; these tests fail when a table says something else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod cmwell;
mod loopback;
mod markdown;
mod pages;
mod wix;
