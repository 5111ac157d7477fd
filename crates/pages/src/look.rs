//! What a site's pages look like: its name, its languages, its texts and its templates, whoever the
//! users are.

use std::sync::Arc;

use askama::Template;
use axum::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use gatekit_core::Texts;
use gatekit_layer::AuthRejection;
use gatekit_web::private;

use crate::layout::Opening;
use crate::templates::BuiltIn;
use crate::{Feature, Language, Languages, Layout, Page, Rendered, Templates, texts};

/// What pages need to be shown, and the [`Templates`] they are made with.
#[derive(Clone)]
pub(crate) struct Look {
    pub(crate) site_name: String,
    /// Where the site's name leads, from the root of the app.
    pub(crate) home: String,
    pub(crate) languages: Languages,
    pub(crate) templates: Arc<dyn Templates>,
    /// What is mounted.
    pub(crate) features: Arc<[Feature]>,
    pub(crate) texts: Arc<Texts>,
}

impl Look {
    /// The built-in one, of a site with these texts.
    pub(crate) fn new(site_name: Option<&str>, texts: &Texts, features: impl IntoIterator<Item = Feature>) -> Self {
        Self {
            site_name: site_name.unwrap_or("My account").to_owned(),
            home: "/".into(),
            languages: Languages::default(),
            templates: Arc::new(BuiltIn),
            features: features.into_iter().collect(),
            texts: Arc::new(texts::with_built_in(texts)),
        }
    }

    /// A page with this heading. `prefix` and `home` are as browsers see them.
    pub(crate) fn page(&self, language: &Language, prefix: &str, home: String, title: &str) -> Page {
        let mut page = Page {
            title: String::new(),
            site_name: self.site_name.clone(),
            home,
            language: language.tag().to_owned(),
            languages: Vec::new(),
            notice: None,
            problems: Vec::new(),
            wide: false,
            form_origin: None,
            prefix: prefix.to_owned(),
            features: Arc::clone(&self.features),
            texts: Arc::clone(&self.texts),
        };
        page.title = page.text(title).to_owned();
        page
    }

    /// The response that is a page. `language` is the cookie that remembers a language, if one was
    /// just chosen.
    pub(crate) fn show(
        &self,
        status: StatusCode,
        page: &Page,
        content: Rendered,
        language: Option<HeaderValue>,
    ) -> Response {
        let rendered = content.and_then(|content| {
            let content = format!("{}\n{content}", Opening { page }.render()?);
            self.templates.layout(&Layout { page, content: &content })
        });
        let html = match rendered {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(error = %error, "a template failed");
                let message = "a template of the pages failed; the log says why".to_owned();
                return AuthRejection::Misconfigured(message).into_response();
            }
        };
        let mut response = (status, html).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(CONTENT_SECURITY_POLICY, security_policy(page.form_origin.as_deref()));
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        for name in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("same-origin"));
        }
        // Not `no-referrer`: with it browsers send `Origin: null` with our own forms, and older
        // ones say nothing else of where a form comes from.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        if let Some(cookie) = language {
            headers.append(SET_COOKIE, cookie);
        }
        private(response)
    }
}

/// Nothing but our own stylesheet, script and images, and forms that come back to us.
fn security_policy(form_origin: Option<&str>) -> HeaderValue {
    let origin = form_origin.map(|origin| format!(" {origin}")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'{origin}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}
