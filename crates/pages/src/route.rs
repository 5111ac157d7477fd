//! The routes of a page: its GET, its POST, and its path with a slash too many.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use gatekit_core::Account;
use gatekit_layer::{AuthRejection, BrowserTransport, refuse_cross_origin_of};
use gatekit_web::{Endpoint, Route, method_routers};

use crate::failure::{Outcome, misconfigured};
use crate::form::Form;
use crate::page_context::{PageContext, Shared};
use crate::redirect::redirect;
use crate::visit::Visit;

/// The page of these routes. The same path with one slash at its end leads to it, whatever the
/// method: links and hand-typed addresses have one too many.
pub(crate) fn page<U: Account, const N: usize>(
    routes: &'static [Route; N],
    endpoints: [Endpoint<Shared<U>>; N],
) -> Router<Shared<U>> {
    let paths = method_routers(routes, endpoints).into_iter();
    paths.fold(Router::new(), |router, (path, methods)| {
        let without_slash = async move |State(pages): State<Shared<U>>, request: Request| {
            let (parts, _) = request.into_parts();
            let context = PageContext::new(pages, &parts);
            let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            // With 308 a browser sends a form again (RFC 9110 section 15.4.9).
            redirect(StatusCode::PERMANENT_REDIRECT, &format!("{}{query}", context.url(path)))
        };
        router.route(path, methods).route(&format!("{path}/"), any(without_slash))
    })
}

/// A handler of a page. A GET changes nothing; a POST comes from our own pages, and with a form.
pub(crate) fn visit<U, F, Fut>(handler: F) -> Endpoint<Shared<U>>
where
    U: Account,
    F: Fn(Visit<U>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    Endpoint::new(async move |State(pages): State<Shared<U>>, request: Request| run(pages, request, handler).await)
}

async fn run<U, F, Fut>(pages: Shared<U>, request: Request, handler: F) -> Response
where
    U: Account,
    F: Fn(Visit<U>) -> Fut,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    let (parts, body) = request.into_parts();
    let context = PageContext::new(pages, &parts);
    let mut ended = None;
    let outcome = match admit::<U>(&parts) {
        Ok(browser) => {
            ended = Some(browser.clone());
            let policy = context.auth().policy();
            let form = match parts.method {
                Method::POST => Some(Form::read(policy, &parts.headers, body).await),
                _ => None,
            };
            let changes = form.is_some();
            let answer = handler(Visit { context: context.clone(), parts, browser, form });
            // What a form does in several steps (the account, the session, the cookie) is done
            // whole, whether or not the client waits for it.
            if changes { context.auth().change(|_| answer).await } else { answer.await }
        }
        Err(rejection) => Err(rejection.into()),
    };
    let mut response = outcome.unwrap_or_else(|failure| context.fail(failure));
    if let Some(browser) = ended {
        forget_ended(&browser, &mut response);
    }
    response
}

/// Takes back the token's cookie if its token has ended, unless the response has another one for
/// it.
pub(crate) fn forget_ended(browser: &BrowserTransport, response: &mut Response) {
    let (Some(removal), Some(cookie)) = (browser.ended_cookie_removal(), browser.cookie()) else { return };
    let is_this = |value: &HeaderValue| {
        value.as_bytes().strip_prefix(cookie.as_name().as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
    };
    if !response.headers().get_all(SET_COOKIE).iter().any(is_this) {
        response.headers_mut().append(SET_COOKIE, removal);
    }
}

/// Whether the layer around the pages can carry them, and the request comes from one of them.
fn admit<U: Account>(parts: &Parts) -> Result<BrowserTransport, AuthRejection> {
    if parts.method == Method::POST {
        refuse_cross_origin_of::<U>(parts)?;
    }
    BrowserTransport::of_user::<U>(&parts.extensions).ok_or_else(|| {
        misconfigured(
            "the pages need an AuthLayer with their Auth around them whose sources have a token cookie or a session. Mount \
             `.layer(AuthLayer::new(auth))`, and leave its sources as they are or give them a cookie with \
             `TokenSources::with_cookie`",
        )
    })
}
