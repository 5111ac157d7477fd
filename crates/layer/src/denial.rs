//! The report of a known caller that a guard refuses.

use std::sync::Arc;

use gatekit_core::DeniedAccess;
use http::header::USER_AGENT;
use http::request::Parts;

use crate::ClientIp;
use crate::erased::ErasedAuthenticated;
use crate::settings::Settings;

/// A known caller that a guard refuses.
pub(crate) struct Denial {
    pub(crate) settings: Arc<Settings>,
    pub(crate) caller: Arc<dyn ErasedAuthenticated>,
}

impl Denial {
    /// Tells the authenticator that knows the caller, with the request that asked.
    pub(crate) fn report<R: AsRef<str>>(&self, parts: &Parts, what: &str, names: &[R]) {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let required = format!("{what} {}", names.join(" or "));
        let user_agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        let ip = ClientIp::from_extensions(&parts.extensions).map(|ClientIp(ip)| ip);
        self.settings.authenticator.on_access_denied(&*self.caller, &DeniedAccess::new(&required, user_agent, ip));
    }
}
