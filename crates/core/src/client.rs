//! The client that a request comes from: browser, address and device.

use std::net::IpAddr;

use crate::{TokenDigest, TokenSecret};

/// The client that a request comes from, as far as it is known.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Client {
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// The address, if there is one that can be trusted. Only its network is stored.
    pub ip: Option<IpAddr>,
    /// The secret that the device was given at an earlier login, and is known by. A device without
    /// one is known by its `User-Agent`.
    pub device: Option<TokenSecret>,
}

impl Client {
    /// Sets the `User-Agent` header.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Sets the address.
    #[must_use]
    pub fn ip(mut self, ip: impl Into<IpAddr>) -> Self {
        self.ip = Some(ip.into());
        self
    }

    /// Sets the secret that the device was given.
    #[must_use]
    pub fn device(mut self, secret: impl Into<TokenSecret>) -> Self {
        self.device = Some(secret.into());
        self
    }

    /// Whether nothing is known.
    pub(crate) fn is_unknown(&self) -> bool {
        self.user_agent.is_none() && self.ip.is_none() && self.device.is_none()
    }

    /// The digest that stores know the device by.
    pub(crate) fn digest(&self) -> TokenDigest {
        match &self.device {
            Some(secret) => secret.digest(),
            None => TokenDigest::of(&format!("user-agent {}", self.user_agent.as_deref().unwrap_or_default())),
        }
    }
}
