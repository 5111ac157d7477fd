//! `/account`: what is known of a user, and where it is logged in.

use axum::Router;
use axum::http::StatusCode;
use gatekit_core::{Account, TokenRecord};
use gatekit_web::{Argument, Route, Shape, TokenUse, mount};

use crate::Page;
use crate::declared::{SHOWN, SUBMITTED};
use crate::device::Device;
use crate::failure::Outcome;
use crate::page_context::Shared;
use crate::route::{page, visit};
use crate::views::{AccountPage, Session, Time};
use crate::visit::Visit;

pub(crate) const ROUTES: [Route; 1] =
    [Route::get("/account", "Shows the user's data, and where the user is logged in.")
        .token(TokenUse::Required)
        .responses(&SHOWN)];

pub(crate) const SESSION_ROUTES: [Route; 2] = [
    Route::post("/account/sessions/revoke", "Ends one of the user's sessions.")
        .token(TokenUse::Required)
        .arguments(&[Argument::body("session", Shape::String)])
        .responses(&SUBMITTED),
    Route::post("/account/sessions/revoke-others", "Ends all sessions of the user but this one.")
        .token(TokenUse::Required)
        .responses(&SUBMITTED),
];

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
    page(&ROUTES, [visit(account)]).merge(mount(&SESSION_ROUTES, [visit(revoke), visit(revoke_others)]))
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

/// Ends one session. The user must have verified its password a short time ago (ASVS 7.5.2), so
/// that a person that finds an open browser cannot lock its owner out. A session that does not exist
/// is no error: it has just ended.
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
    use gatekit_core::Timestamp;

    use super::*;

    #[test]
    fn a_time_is_written_for_programs_and_for_people() {
        let time = Time::from(Timestamp(1_795_300_000_377));
        assert_eq!((time.machine.as_str(), time.human.as_str()), ("2026-11-21T22:26:40.377Z", "2026-11-21 22:26 UTC"));
    }
}
