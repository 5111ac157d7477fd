//! What every wire format of Gatekit does the same way.
//!
//! LoopBack's routes, the pages, CM-Well and Wix are built on this crate and do not depend on each
//! other. An app uses it for handlers of its own that log somebody in.
//!
//! | file | what it does |
//! | --- | --- |
//! | [`read_body`] | reads a request body within a limit in bytes and in time; unpacks gzip and deflate |
//! | [`media_type`], [`foreign_charset`] | read the `Content-Type` of a body |
//! | [`form_pairs`] | decodes forms and query strings without loss |
//! | [`client`], [`remember_device`] | tell the flows where a request comes from |
//! | [`mail_options`], [`mounted_mail_options`] | choose the language and the links of mails |
//! | [`sign_in`], [`TokenDelivery`] | deliver a token to a browser |
//! | [`sign_out`], [`BrowserSignOut`], [`end_tokens`] | take it back |
//! | [`TokenTransportLayer`] | chooses between a token in the body and one in a cookie or session |
//! | [`private`], [`private_url`], [`with_cookies`] | finish a response: no cache keeps it, its URL stays private, the browser gets its cookies |
//! | [`Route`], [`mount`] | declare routes as data, and make the router from the declarations |
//! | [`rewrite_paths`] | changes the path of a request before the app chooses a route |
//! | [`is_sound_prefix`] | checks a mount prefix before a link begins with it |
//!
//! ```
//! use axum::http::HeaderMap;
//! use axum::http::request::Parts;
//! use gatekit_core::{Auth, Login, User};
//! use gatekit_layer::{AuthRejection, BrowserTransport};
//! use gatekit_web as web;
//!
//! /// A login of the app's own: the headers of the response that log the browser in.
//! async fn log_in(auth: &Auth, parts: &Parts, login: Login) -> Result<HeaderMap, Box<dyn std::error::Error>> {
//!     let Some(browser) = BrowserTransport::of_user::<User>(&parts.extensions) else {
//!         return Err(AuthRejection::Misconfigured("the AuthLayer has no cookie".into()).into());
//!     };
//!     let session = auth.for_client(web::client(auth, parts)).login(login).await?;
//!     Ok(web::sign_in(auth, &browser, &parts.headers, &session.token).await?)
//! }
//! ```

mod body_error;
mod browser_error;
mod client;
mod content_type;
mod deliver;
mod end_tokens;
mod form_pairs;
mod inflate;
mod mails;
mod mount;
mod mount_prefix;
mod read_body;
mod response;
mod rewrite_paths;
mod route;
mod sign_out;
mod transport;

pub use body_error::{BodyError, InflateError};
pub use browser_error::BrowserError;
pub use client::{client, remember_device};
pub use content_type::{foreign_charset, media_type};
pub use deliver::{DeliveryError, TokenDelivery, sign_in};
pub use end_tokens::end_tokens;
pub use form_pairs::{form_pairs, is_form_utf8};
pub use mails::{mail_options, mounted_mail_options};
pub use mount::{Endpoint, method_routers, mount};
pub use mount_prefix::is_sound_prefix;
pub use read_body::read_body;
pub use response::{private, private_url, with_cookies};
pub use rewrite_paths::{rewrite_paths, with_path};
pub use route::{Argument, Field, Place, Route, RouteResponse, Schema, Shape, TokenUse, Verb, missing_need};
pub use sign_out::{BrowserSignOut, sign_out};
pub use transport::{TokenTransport, TokenTransportLayer, TokenTransportService};
