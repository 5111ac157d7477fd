//! `/account`: what is known of a user, and where it is logged in.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use gatekit_core::{Account, Timestamp, TokenRecord};

use crate::device::Device;
use crate::failure::Outcome;
use crate::page_context::Shared;
use crate::route::{page_at, show, submit};
use crate::visit::Visit;
use crate::{Feature, Page};

/// `/account`
#[derive(Clone, Debug, Template)]
#[template(path = "account.html")]
#[non_exhaustive]
pub struct AccountPage {
    /// What all pages have.
    pub page: Page,
    /// The address.
    pub email: Option<String>,
    /// Whether it is proven; `None` if nobody asks.
    pub email_verified: Option<bool>,
    /// The name.
    pub username: Option<String>,
    /// Where the user is logged in: here first, then the newest.
    pub sessions: Vec<Session>,
}

/// A login that has not ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Session {
    /// What it is named by, for a hidden field `session`. It is no secret.
    pub handle: String,
    /// Whether it is this one.
    pub current: bool,
    /// "Firefox on Linux"
    pub device: String,
    /// From which network: `203.0.113.0/24`.
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

impl Session {
    fn new(page: &Page, token: &TokenRecord, current: &TokenRecord) -> Self {
        let client = token.client.clone().unwrap_or_default();
        let device = Device::of(client.user_agent.as_deref().unwrap_or_default());
        let device = match (device.browser, device.system) {
            (Some(browser), Some(system)) => page.text_with("device.on", &[("browser", browser), ("system", system)]),
            (browser, system) => browser.or(system).unwrap_or_else(|| page.text("device.unknown")).to_owned(),
        };
        Self {
            handle: token.handle(),
            current: token.digest == current.digest,
            device,
            network: client.network,
            created: token.created.into(),
            last_used: token.last_used.map(Time::from),
        }
    }
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page_at("/account", show(account::<U>))
        .route("/account/sessions/revoke", submit(revoke::<U>))
        .route("/account/sessions/revoke-others", submit(revoke_others::<U>))
}

async fn account<U: Account>(mut visit: Visit<U>) -> Outcome {
    let caller = visit.require_caller().await?;
    let context = &visit.context;
    let tokens = context.auth().list_tokens(&caller.user.id()).await?;
    let mut page = context.page("account.title");
    page.wide = true;
    page.notice = context.notice(&page);
    let mut sessions: Vec<Session> =
        tokens.iter().rev().map(|token| Session::new(&page, token, &caller.token)).collect();
    sessions.sort_by_key(|session| !session.current);
    let view = AccountPage {
        email: caller.user.email().map(str::to_owned),
        email_verified: caller.user.email_verified(),
        username: caller.user.username().map(str::to_owned),
        sessions,
        page,
    };
    Ok(context.show(StatusCode::OK, &view.page, context.pages.look.templates.account(&view)))
}

/// Ends one, for a user who has proven its password a short time ago (ASVS 7.5.2): who finds a
/// browser open must not lock its owner out. That there is none of this name is no mistake of
/// anybody's: it has just ended.
async fn revoke<U: Account>(mut visit: Visit<U>) -> Outcome {
    let form = visit.form()?;
    let caller = visit.require_fresh().await?;
    let handle = form.get("session").unwrap_or_default();
    visit.context.auth().revoke_token(&caller.user.id(), handle).await?;
    Ok(visit.context.redirect("/account?notice=session-ended"))
}

async fn revoke_others<U: Account>(mut visit: Visit<U>) -> Outcome {
    let caller = visit.require_fresh().await?;
    visit.context.auth().logout_everywhere(&caller.user.id(), Some(&caller.token)).await?;
    Ok(visit.context.redirect("/account?notice=sessions-ended"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_for_programs_and_for_people() {
        let time = Time::from(Timestamp(1_795_300_000_377));
        assert_eq!((time.machine.as_str(), time.human.as_str()), ("2026-11-21T22:26:40.377Z", "2026-11-21 22:26 UTC"));
    }
}
