//! `POST /logout`: ends the session, and takes back the browser's cookie.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::Response;
use gatekit_layer::{BrowserTransport, Caller, refuse_cross_origin_of};
use gatekit_web::{end_tokens, sign_out, with_cookies};

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
    let token = match <Caller<MemberUser> as FromRequestParts<()>>::from_request_parts(&mut parts, &()).await {
        Ok(Caller(caller)) => caller.token.map(|token| token.digest),
        // A caller that is logged out already has what it wants.
        Err(rejection) if rejection.is_anonymous() => None,
        Err(rejection) => return Err(rejection.into()),
    };
    // The refresh token of an SDK's client lasts longer than this access token.
    if let Some(access) = bearer(&parts.headers) {
        end_family_of(members.auth(), access).await?;
    }
    match browser {
        Some(browser) => {
            let cookies = sign_out(members.auth(), &browser, &parts.headers, token).await?;
            Ok(with_cookies(no_content(), &cookies))
        }
        None => {
            end_tokens(members.auth(), token.as_slice()).await?;
            Ok(no_content())
        }
    }
}
