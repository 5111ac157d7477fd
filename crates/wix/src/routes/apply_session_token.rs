//! `POST /apply-session-token`: exchanges a session token for a session in the browser, or for an
//! access token.

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use gatekit_layer::{AuthRejection, BrowserTransport, refuse_cross_origin_of};
use gatekit_web::{client, mail_options, remember_device, sign_in, with_cookies};
use serde_json::json;

use super::call::{Fields, Members, answer, bytes, check_type, pairs};
use crate::member::MemberUser;
use crate::{Applied, SessionToken, WixError, WixMembers};

pub(super) async fn handler(Members(members): Members, request: Request) -> Result<Response, WixError> {
    let (parts, body) = request.into_parts();
    // A page of another origin could sign its visitors in as somebody else (login CSRF).
    refuse_cross_origin_of::<MemberUser>(&parts)?;
    let browser = browser(&parts)?;
    let token = session_token(&members, &parts, body).await?;
    let (auth, mails) = (members.auth(), mail_options(members.auth(), &parts.headers));
    let mut client = client(auth, &parts);
    let Some(browser) = browser else {
        let Applied { member, token, .. } = members.apply_session_token_on(&token, &client, &mails).await?;
        let body = json!({"member": member, "accessToken": token.secret.expose(), "expiresIn": token.record.ttl});
        return Ok(answer(&body));
    };
    let device = remember_device(auth, &parts, &mut client)?;
    members
        .whole(|members| async move {
            let Applied { member, token, .. } = members.apply_session_token_on(&token, &client, &mails).await?;
            let cookies = sign_in(members.auth(), &browser, &parts.headers, &token).await?;
            Ok(with_cookies(with_cookies(answer(&json!({"member": member})), &cookies), &device))
        })
        .await
}

/// The browser to be logged in. `None` if the query asks for an access token instead.
fn browser(parts: &Parts) -> Result<Option<BrowserTransport>, WixError> {
    let pairs = pairs(parts.uri.query().unwrap_or_default().as_bytes())?;
    match pairs.iter().rfind(|(name, _)| name == "cookie").map(|(_, value)| value.as_str()) {
        None | Some("" | "true") => {}
        Some("false") => return Ok(None),
        Some(_) => return Err(WixError::BadRequest(StatusCode::BAD_REQUEST, "cookie must be true or false")),
    }
    let browser = BrowserTransport::of_user::<MemberUser>(&parts.extensions);
    browser.map(Some).ok_or_else(|| {
        let message = "a session token is applied in a browser by the AuthLayer of the members' Auth, which has to be mounted around the routes \
             with a token cookie or a session among its sources. Mount `.layer(AuthLayer::new(auth))`";
        AuthRejection::Misconfigured(message.into()).into()
    })
}

/// The token. It is accepted in the body only: URLs are kept in logs.
async fn session_token(members: &WixMembers, parts: &Parts, body: Body) -> Result<SessionToken, WixError> {
    let (form, policy) = ("application/x-www-form-urlencoded", members.auth().policy());
    if members.takes_form_tokens() && check_type(&parts.headers, form).is_ok() {
        let bytes = bytes(policy, &parts.headers, body).await?;
        let mut tokens = pairs(&bytes)?.into_iter().filter(|(name, _)| name == "token");
        return match (tokens.next(), tokens.next()) {
            (Some((_, token)), None) if !token.is_empty() => Ok(token.into()),
            _ => Err(WixError::invalid("token", "is required")),
        };
    }
    let token = Fields::read(policy, &parts.headers, body).await?.required("sessionToken")?;
    Ok(token.into())
}
