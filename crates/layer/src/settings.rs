//! The settings of a layer.

use std::net::IpAddr;
use std::sync::Arc;

use gatekit_core::CrossOriginRequest;
use http::header::{HeaderMap, HeaderValue, ORIGIN, USER_AGENT};

use crate::AuthRejection;
use crate::cross_origin::CrossOrigin;
use crate::erased::ErasedAuthenticator;
use crate::source::TokenSources;

/// The settings of a layer.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) authenticator: Arc<dyn ErasedAuthenticator>,
    pub(crate) sources: TokenSources,
    pub(crate) cross_origin: CrossOrigin,
}

impl Settings {
    /// Reports a request that a page of another origin has sent to the authenticator. Returns the
    /// refusal.
    pub(crate) fn report_cross_origin(&self, headers: &HeaderMap, ip: Option<IpAddr>) -> AuthRejection {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        self.authenticator.on_cross_origin(&CrossOriginRequest::new(text(ORIGIN), text(USER_AGENT), ip));
        AuthRejection::CrossOrigin
    }
}
