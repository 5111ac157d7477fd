//! Mounts the endpoints, and has the settings of the builder for them.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, Method};
use gatekit_web::{Endpoint, mount};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::context::IamContext;
use super::endpoints::ROUTES;
use super::settings::Clients;
use super::visitor::{LABEL, Use, VisitorKeys};
use super::{
    RefreshReuse, Visitor, authorize, change_password, login, logout, recovery, redirect_session, register, token,
    verify,
};
use crate::{WixMembers, WixMembersBuilder};

impl WixMembersBuilder {
    /// Where browsers reach the app, such as `https://www.example.com`, or
    /// `https://example.com/shop` if a proxy serves the app below a path. The endpoints of the SDK
    /// send browsers there; what a request says of its host is not believed. Unless set, it is the
    /// accounts' [`Builder::public_url`](gatekit_core::Builder::public_url).
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.iam.public_url = Some(url.into());
        self
    }

    /// An origin beside the app's own whose pages may use the SDK: scheme, host and port, such as
    /// `https://shop.example.com`. Their requests are answered (CORS), the hidden frame tells them
    /// codes, and members may be sent back to them. Several may be added. `http://` is for this
    /// machine.
    pub fn allowed_origin(mut self, origin: impl Into<String>) -> Self {
        self.iam.origins.push(origin.into());
        self
    }

    /// What happens if a refresh token comes back that was used. [`RefreshReuse::EndsFamily`]
    /// unless set.
    pub fn refresh_reuse(mut self, reuse: RefreshReuse) -> Self {
        self.iam.reuse = reuse;
        self
    }

    /// For how long a renewal is repeated: the refresh token that made it gets the same answer
    /// again, the same access token and the same refresh token. 30 seconds unless set, at most 60;
    /// zero to repeat nothing.
    ///
    /// Two tabs, or two calls at the same time, renew with one token. Without a grace the second of
    /// them ends the member's login, because a token that comes back is taken for a stolen one (RFC
    /// 9700 §4.14.2). Whoever has stolen a refresh token gets the member's own tokens with it
    /// within the grace, and not a second line of tokens. Later, the second of the two to use them
    /// ends the login.
    pub fn refresh_grace(mut self, grace: Duration) -> Self {
        self.iam.grace = Some(grace);
        self
    }
}

impl WixMembers {
    /// The endpoints that `@wix/sdk` calls, at the paths that it knows. They go into the root of
    /// the app; the table is above.
    ///
    /// ```
    /// # fn app(members: &gatekit_wix::WixMembers) {
    /// let app: axum::Router = axum::Router::new().merge(members.iam_router()).nest("/wix", members.router());
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If neither the builder nor the accounts were told a
    /// [`public_url`](WixMembersBuilder::public_url) with https, or on this machine.
    #[expect(clippy::panic, reason = "the app's author meets it at the first start, and never again")]
    pub fn iam_router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let Some(clients) = self.0.iam.complete(self.client_id(), self.auth().public_url()) else {
            panic!(
                "iam_router needs `.public_url(\"https://www.example.com\")` on the builder of WixMembers or of its Auth"
            );
        };
        let cors = cors(&clients);
        let iam = IamContext::new(self.clone(), clients, self.visitor_keys());
        let endpoints = [
            Endpoint::new(token::token),
            Endpoint::new(authorize::authorize),
            Endpoint::new(login::login),
            Endpoint::new(register::register),
            Endpoint::new(change_password::change_password),
            Endpoint::new(logout::logout),
            Endpoint::new(verify::verify),
            Endpoint::new(recovery::send_email),
            Endpoint::new(recovery::recover),
            Endpoint::new(redirect_session::redirect_session),
        ];
        mount(&ROUTES, endpoints)
            .layer(cors)
            // A layer goes around the router's 404 too, and an app that merges the router would get
            // that one.
            .reset_fallback()
            .with_state(iam)
    }

    /// The visitor whose access token this is; `None` if it is none, is another client's, or has
    /// ended. A member's token is none.
    #[must_use]
    pub fn visitor(&self, access_token: &str) -> Option<Visitor> {
        let visitor = self.visitor_keys().verify(access_token, Use::Access, self.auth().now())?;
        Some(visitor).filter(|visitor| visitor.client_id == self.client_id())
    }

    fn visitor_keys(&self) -> VisitorKeys {
        VisitorKeys::new(self.0.session_keys.derive(LABEL))
    }
}

/// Pages of the listed origins may read the answers. No cookie is sent with the requests, and none
/// would count.
fn cors(clients: &Clients) -> CorsLayer {
    let origins = clients.origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .max_age(Duration::from_secs(3600))
}
