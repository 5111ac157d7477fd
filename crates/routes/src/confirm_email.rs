//! `GET /confirm`, `GET /confirm-email` and `POST /confirm`: the link of a verification mail, its
//! page, and the use of its token.
//!
//! 1. A GET changes nothing, because mail scanners and previews open every link before its reader
//!    does.
//! 2. `GET /confirm`, where the mailed link leads, sends a browser on to the page
//!    `GET /confirm-email`. A client that does not ask for HTML gets 405, so that it cannot take
//!    the page for a success.
//! 3. The page says which address the link is for, and has a button. Where the address is verified
//!    already, it says so.
//! 4. `POST /confirm` uses the token: as JSON it is answered 204, and a browser gets a page or is
//!    sent to `redirect`.
//! 5. The same link again finds the address verified, and is answered as the first time.
//!
//! Under `policy.email.confirm_by_get`, `GET /confirm` uses the token as in LoopBack, and the
//! other two do not exist.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT, ALLOW, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use gatekit_core::{
    Account, Auth, ConfirmEmail, ConfirmEmailError, EmailLink, FlowError, Method, Need, UserOperation, escape_html,
};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Argument, Route, RouteResponse, Shape, mail_options, private_url};

use crate::UserApi;
use crate::call::{Call, NameIsId};
use crate::declared::{BAD_ARGUMENT, DENIED};
use crate::errors::IntoError;
use crate::feature::{Feature, call, raw};
use crate::find_user::{self, head};
use crate::reply::NoContent;

const LINK: [Argument; 3] = [
    Argument::anywhere("uid", Shape::Id).optional(),
    Argument::anywhere("token", Shape::Secret),
    Argument::anywhere("redirect", Shape::Url).optional(),
];

const HEAD: Route = Route::head("/confirm", "Tells whether there is a user whose id is `confirm`, as in LoopBack.")
    .method(Method::EXISTS)
    .responses(&[RouteResponse::new(200, Shape::Empty), DENIED, RouteResponse::new(404, Shape::Empty)])
    .needs(&[Need::Users(UserOperation::Update)]);

pub(crate) const ROUTES: [Route; 4] = [
    Route::get("/confirm", "Sends a browser on to the page that the mailed link is for.")
        .method(Method::CONFIRM)
        .arguments(&LINK)
        .responses(&[
            RouteResponse::new(302, Shape::Redirect),
            BAD_ARGUMENT,
            DENIED,
            RouteResponse::error(405, &["CONFIRM_BY_POST"], "the client does not accept HTML"),
        ])
        .needs(&[Need::Users(UserOperation::Update)]),
    HEAD,
    Route::post("/confirm", "Verifies the address with the mailed secret.")
        .method(Method::CONFIRM)
        .arguments(&LINK)
        .responses(&[
            RouteResponse::NO_CONTENT,
            RouteResponse::new(200, Shape::Page).when("the client accepts HTML"),
            RouteResponse::new(303, Shape::Redirect).when("the client accepts HTML, and `redirect` is allowed"),
            BAD_ARGUMENT,
            INVALID_LINK,
            DENIED,
            UNKNOWN_LINK_USER,
        ])
        .needs(&[Need::Users(UserOperation::Update)]),
    Route::get("/confirm-email", "Shows a page that names the address and has a button.")
        .method(Method::CONFIRM)
        .arguments(&LINK)
        .responses(&[
            RouteResponse::new(200, Shape::Page),
            RouteResponse::new(400, Shape::Page).when("the link is not valid"),
            DENIED,
        ])
        .needs(&[Need::Users(UserOperation::Update)]),
];

/// LoopBack's, under `policy.email.confirm_by_get`.
const BY_GET_ROUTES: [Route; 2] = [
    Route::get("/confirm", "Verifies the address with the mailed secret.")
        .method(Method::CONFIRM)
        .arguments(&[
            Argument::anywhere("uid", Shape::Id),
            Argument::anywhere("token", Shape::Secret),
            Argument::anywhere("redirect", Shape::Url).optional(),
        ])
        .responses(&[
            RouteResponse::NO_CONTENT,
            RouteResponse::new(302, Shape::Redirect).when("`redirect` is allowed"),
            BAD_ARGUMENT,
            INVALID_LINK,
            DENIED,
            UNKNOWN_LINK_USER,
        ])
        .needs(&[Need::Users(UserOperation::Update)]),
    HEAD,
];

const INVALID_LINK: RouteResponse =
    RouteResponse::error(400, &["INVALID_TOKEN"], "the secret is unknown or too old, or for another address");
const UNKNOWN_LINK_USER: RouteResponse =
    RouteResponse::error(404, &["USER_NOT_FOUND"], "there is no such user, and the policy reveals it");

/// The routes of this file: LoopBack's, if the policy confirms by GET.
pub(crate) fn feature<U: Account>(by_get: bool) -> Feature<U> {
    let feature = match by_get {
        true => Feature::new("verify_email", &BY_GET_ROUTES, [call(confirm_by_get), raw(head_of_confirm)]),
        false => Feature::new("verify_email", &ROUTES, [call(link), raw(head_of_confirm), call(confirm), call(page)]),
    };
    feature.on_mount(Auth::mount_confirm_route)
}

/// What a link holds.
struct Link {
    uid: Option<String>,
    token: String,
    /// Where to go afterwards, if that is allowed. LoopBack's generated SDKs always send
    /// `redirect={}`, so one that is not allowed cannot fail the call.
    redirect: Option<HeaderValue>,
}

impl Link {
    /// Reads the link and asks whether the caller may use it.
    async fn read<U: Account>(call: &Call<U>, uid_required: bool) -> Result<Self, ErrorResponse> {
        let arguments = call.arguments();
        let (uid, token, redirect) = (arguments.text("uid")?, arguments.text("token")?, arguments.text("redirect")?);
        call.authorize(None).await?;
        if uid_required && uid.is_none() {
            return Err(required("uid"));
        }
        // What a header cannot hold is no path.
        let redirect = redirect.filter(|target| call.auth.may_redirect_to(target));
        let redirect = redirect.and_then(|target| HeaderValue::try_from(target).ok());
        Ok(Self { uid, token: token.ok_or_else(|| required("token"))?, redirect })
    }

    fn confirm(&self) -> ConfirmEmail {
        match &self.uid {
            Some(uid) => ConfirmEmail::new(uid, self.token.as_str()),
            None => ConfirmEmail::token(self.token.as_str()),
        }
    }
}

fn required(name: &str) -> ErrorResponse {
    ErrorResponse::new(StatusCode::BAD_REQUEST, format!("{name} is a required argument"))
}

/// It uses nothing: to LoopBack it asks for the user `confirm`.
async fn head_of_confirm<U: Account>(
    api: UserApi<U>,
    _: &'static Route,
    mut request: Request,
) -> Result<Response, ErrorResponse> {
    request.extensions_mut().insert(NameIsId);
    head(Call::begin(api, &find_user::HEAD, request).await?).await
}

/// LoopBack's way.
async fn confirm_by_get<U: Account>(call: Call<U>) -> Result<Response, ErrorResponse> {
    let link = Link::read(&call, true).await?;
    call.auth.confirm_email(link.confirm()).await.map_err(|error| refusal::<U>(error, &link.token))?;
    Ok(match link.redirect {
        Some(target) => private_url((StatusCode::FOUND, [(LOCATION, target)]).into_response()),
        None => private_url(NoContent.into_response()),
    })
}

/// Where the mailed link leads: on to the page, with the same query.
async fn link<U: Account>(call: Call<U>) -> Result<Response, ErrorResponse> {
    call.authorize(None).await?;
    if !wants_html(&call.parts().headers) {
        let message = "this link is confirmed by a POST with uid and token";
        let error = ErrorResponse::new(StatusCode::METHOD_NOT_ALLOWED, message).code("CONFIRM_BY_POST");
        return Ok(private_url(([(ALLOW, HeaderValue::from_static("POST"))], error).into_response()));
    }
    // Relative to where the browser is, so that it does not matter which prefix a proxy has cut
    // off.
    let target = format!("confirm-email?{}", call.parts().uri.query().unwrap_or_default());
    let target = HeaderValue::try_from(target).map_err(|_| required("token"))?;
    Ok(private_url((StatusCode::FOUND, [(LOCATION, target)]).into_response()))
}

/// The page with the button.
async fn page<U: Account>(call: Call<U>) -> Result<Response, ErrorResponse> {
    let words = Words::new(&call);
    let link = match Link::read(&call, false).await {
        Ok(link) => link,
        Err(error) if error.status() == StatusCode::BAD_REQUEST => return Ok(words.invalid()),
        Err(error) => return Err(error),
    };
    let state = call.auth.check_email_link(&link.confirm()).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(match state {
        EmailLink::Good { email, .. } => words.form(&link, &email),
        EmailLink::Used { email, .. } => words.done("already", &link, &email),
        _ => words.invalid(),
    })
}

/// Uses the token.
async fn confirm<U: Account>(call: Call<U>) -> Result<Response, ErrorResponse> {
    let link = Link::read(&call, false).await?;
    let html = wants_html(&call.parts().headers);
    match call.auth.confirm_email(link.confirm()).await {
        Ok(_) if !html => Ok(private_url(NoContent.into_response())),
        Ok(confirmed) => Ok(match &link.redirect {
            Some(target) => private_url((StatusCode::SEE_OTHER, [(LOCATION, target.clone())]).into_response()),
            None => Words::new(&call).done("done", &link, confirmed.user.email().unwrap_or_default()),
        }),
        Err(ConfirmEmailError::InvalidToken | ConfirmEmailError::UserNotFound(_)) if html => {
            Ok(Words::new(&call).invalid())
        }
        Err(error) => Err(refusal::<U>(error, &link.token)),
    }
}

fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let kind = range.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/html")
    })
}

fn refusal<U: Account>(error: ConfirmEmailError, token: &str) -> ErrorResponse {
    match error {
        error @ ConfirmEmailError::InvalidToken => {
            ErrorResponse::new(StatusCode::BAD_REQUEST, invalid_token(token)).code(error.code().to_owned())
        }
        error => error.into_error(U::model_name()),
    }
}

/// LoopBack repeats what was sent. What looks like a secret of ours may be one, sent with the wrong
/// user, so it is not repeated.
fn invalid_token(token: &str) -> String {
    let shown = token.len() < 32 && token.chars().all(|c| !c.is_control());
    if shown { format!("Invalid token: {token}") } else { "Invalid token".to_owned() }
}

/// The page, in the language of the browser.
struct Words<'a, U: Account> {
    auth: &'a Auth<U>,
    language: String,
}

impl<'a, U: Account> Words<'a, U> {
    fn new(call: &'a Call<U>) -> Self {
        let language = mail_options(&call.auth, &call.parts().headers).language.unwrap_or_else(|| "en".to_owned());
        Self { auth: &call.auth, language }
    }

    /// A text, escaped.
    fn text(&self, key: &str) -> String {
        escape_html(self.auth.texts().get(&self.language, &format!("confirm_email.{key}")).unwrap_or_default())
    }

    /// A text about this address.
    fn text_about(&self, key: &str, email: &str) -> String {
        gatekit_core::Texts::fill(&self.text(key), &[("email", &escape_html(email))])
    }

    fn form(&self, link: &Link, email: &str) -> Response {
        let redirect = link.redirect.as_ref().and_then(|target| target.to_str().ok());
        let fields = [("uid", link.uid.as_deref()), ("token", Some(link.token.as_str())), ("redirect", redirect)];
        let fields: String = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, escape_html(value?))))
            .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">\n"))
            .collect();
        let (text, submit) = (self.text_about("text", email), self.text("submit"));
        let form = format!(
            "<p>{text}</p>\n<form method=\"post\" action=\"confirm\">\n{fields}<button type=\"submit\">{submit}</button>\n</form>"
        );
        self.show(StatusCode::OK, "title", &form, redirect)
    }

    fn done(&self, key: &str, link: &Link, email: &str) -> Response {
        let text = self.text_about(&format!("{key}.text"), email);
        let target = link.redirect.as_ref().and_then(|target| target.to_str().ok()).map(escape_html);
        let on = target.map(|target| format!("\n<p><a href=\"{target}\">{}</a></p>", self.text("continue")));
        let content = format!("<p>{text}</p>{}", on.unwrap_or_default());
        self.show(StatusCode::OK, &format!("{key}.title"), &content, None)
    }

    fn invalid(&self) -> Response {
        let content = format!("<p>{}</p>", self.text("invalid.text"));
        self.show(StatusCode::BAD_REQUEST, "invalid.title", &content, None)
    }

    fn show(&self, status: StatusCode, title: &str, content: &str, form_target: Option<&str>) -> Response {
        let (language, title) = (escape_html(&self.language), self.text(title));
        let page = format!(
            "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n</head>\n\
             <body>\n<main>\n<h1>{title}</h1>\n{content}\n</main>\n</body>\n</html>\n"
        );
        // A form may be answered with a redirect to another origin only if that is named.
        let origin = form_target.and_then(origin).map(|origin| format!(" {origin}")).unwrap_or_default();
        let policy = format!("default-src 'none'; form-action 'self'{origin}; base-uri 'none'; frame-ancestors 'none'");
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (CONTENT_SECURITY_POLICY, policy),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        ];
        private_url((status, headers, page).into_response())
    }
}

/// The origin of a target that was found allowed; `None` for a path of the own site.
fn origin(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    target.get(..scheme.len() + 3 + host)
}
