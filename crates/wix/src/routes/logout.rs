//! `POST /logout`: the session ends, and the browser forgets it.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::Response;
use gatekit_layer::{BrowserTransport, Caller, refuse_cross_origin_of};
use gatekit_web::{end_tokens, with_cookies};

use super::call::{Members, no_content};
use crate::iam::{bearer, end_family_of};
use crate::member::MemberUser;
use crate::{WixError, WixMembers};

pub(super) async fn handler(Members(members): Members, request: Request) -> Result<Response, WixError> {
    let (parts, _) = request.into_parts();
    members.whole(|members| log_out(members, parts)).await
}

async fn log_out(members: WixMembers, mut parts: Parts) -> Result<Response, WixError> {
    refuse_cross_origin_of::<MemberUser>(&parts)?;
    let browser = BrowserTransport::of_user::<MemberUser>(&parts.extensions);
    let mut tokens = match &browser {
        Some(browser) => browser.presented(&parts.headers).await?,
        None => Vec::new(),
    };
    match <Caller<MemberUser> as FromRequestParts<()>>::from_request_parts(&mut parts, &()).await {
        Ok(Caller(caller)) => tokens.extend(caller.token.map(|token| token.digest)),
        // To be logged out is what was wanted.
        Err(rejection) if rejection.is_anonymous() => {}
        Err(rejection) => return Err(rejection.into()),
    }
    // What a client of the SDK would get the next access token with, which lasts longer.
    if let Some(access) = bearer(&parts.headers) {
        end_family_of(members.auth(), access).await?;
    }
    end_tokens(members.auth(), &tokens).await?;
    match browser {
        Some(browser) => Ok(with_cookies(no_content(), &browser.sign_out().await?)),
        None => Ok(no_content()),
    }
}
