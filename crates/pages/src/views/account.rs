//! The view of `/account`.

use askama::Template;
use gatekit_core::Timestamp;

use crate::feature::Feature;
use crate::layout::Page;

/// `/account`
#[derive(Clone, Debug, Template)]
#[template(path = "account.html")]
#[non_exhaustive]
pub struct AccountPage {
    /// What all pages have.
    pub page: Page,
    /// The address.
    pub email: Option<String>,
    /// Whether it is verified. `None` if the policy does not require that.
    pub email_verified: Option<bool>,
    /// The name.
    pub username: Option<String>,
    /// The logins of the user: this one first, then the newest.
    pub sessions: Vec<Session>,
}

/// A login that has not ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Session {
    /// Its handle, for a hidden field `session`. It is no secret.
    pub handle: String,
    /// Whether it is this one.
    pub current: bool,
    /// "Firefox on Linux"
    pub device: String,
    /// The network it came from: `203.0.113.0/24`.
    pub network: Option<String>,
    /// When it began.
    pub created: Time,
    /// When it was last used, if that is known.
    pub last_used: Option<Time>,
}

/// A moment, for the element `time`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Time {
    /// RFC 3339: `2026-11-21T20:10:20.377Z`.
    pub machine: String,
    /// For people, without a script: `2026-11-21 20:10 UTC`.
    pub human: String,
}

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        let machine = time.to_string();
        let human = machine.get(..16).map(|minute| format!("{} UTC", minute.replace('T', " ")));
        Self { human: human.unwrap_or_else(|| machine.clone()), machine }
    }
}
