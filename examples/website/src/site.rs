//! The site's own pages. Put yours here.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use gatekit::{AuthUser, Fresh, User};

use crate::NAME;

/// Where they are.
pub(crate) fn routes() -> Router {
    Router::new().route("/", get(home)).route("/private", get(private)).route("/private/keys", get(keys))
}

/// For everybody. It knows who is logged in, if somebody is.
async fn home(user: Option<AuthUser>) -> Response {
    render(&Home { user: user.map(|AuthUser(user)| user) })
}

/// For users: the guard is the argument.
async fn private(AuthUser(user): AuthUser) -> Response {
    render(&Private { user })
}

/// For users who have entered their password in the last ten minutes.
async fn keys(_: Fresh<600>, AuthUser(user): AuthUser) -> Response {
    render(&Keys { user })
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    user: Option<User>,
}

#[derive(Template)]
#[template(path = "private.html")]
struct Private {
    user: User,
}

#[derive(Template)]
#[template(path = "keys.html")]
struct Keys {
    user: User,
}

fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
