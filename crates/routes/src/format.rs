//! What answers look like to this client: LoopBack's content negotiation, entity tags and error
//! pages.

mod entity_tag;
mod error_body;
mod error_type;
mod negotiate;

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    TRANSFER_ENCODING, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::response::Parts;
use axum::http::{Method, Request, Response, StatusCode};
use gatekit_layer::{ErrorForm, ErrorResponse};
use http_body_util::BodyExt;
use tower::{Layer, Service};

pub use error_type::ErrorType;

use entity_tag::{IfNoneMatch, entity_tag};
use negotiate::{Format, MediaRanges};

/// The largest body that an entity tag is made of, in bytes. A larger one, or one of unknown
/// length, passes as it is.
const MAX_TAGGED: u64 = 1024 * 1024;

/// Gives answers the forms LoopBack gives them. It goes around the routes, and around the
/// [`AuthLayer`](gatekit_layer::AuthLayer) too, so that what that refuses has the same form.
///
/// Of successes, JSON answers only; any other type, 204 and redirections pass as they are:
///
/// 1. A client that does not accept JSON (`application/json`, `application/javascript`,
///    `text/javascript`) gets 406 `Not Acceptable` as plain text. As in LoopBack, the request has
///    been carried out by then.
/// 2. `?_format=json` is JSON, whatever the client accepts; any other `_format` is 406. LoopBack
///    has `_format=xml` too; ours has not, because that form shows what a database column holds
///    where there is nothing.
/// 3. A 200 has a weak `ETag`. A GET or HEAD whose `If-None-Match` names it (RFC 9110 §13.1.2) gets
///    304 without a body, unless it says `Cache-Control: no-cache`. `Cache-Control` of the answer
///    stays as it is.
/// 4. There is no JSONP, on purpose: any page could read it (ASVS 3.5.6). `?callback=` is not
///    looked at, and who accepts JavaScript gets JSON.
///
/// Of errors, those that an [`ErrorResponse`] made:
///
/// 1. They are JSON, HTML or XML, by what the client prefers, or else JSON. `_format=json`, `html`
///    or `xml` has precedence; another one is answered with `X-Warning`.
/// 2. In production, which is the default, a 5xx says no more than its status, unless it was
///    [meant for everybody](ErrorResponse::exposed).
/// 3. The page is escaped, and may load and run nothing
///    (`Content-Security-Policy: default-src 'none'`). All forms are `nosniff`.
///
/// Of several layers around one another the outermost decides on the form of errors.
///
/// Parameters in `Accept` other than `q` are not looked at; LoopBack takes none, so that
/// `application/json; charset=utf-8` is 406 there.
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_layer::AuthLayer;
/// use gatekit_routes::{self as routes, ResponseFormatLayer};
///
/// let auth = Auth::new(MemoryStore::new());
/// let app: Router = Router::new()
///     .nest("/api/users", routes::all(&auth))
///     .layer(AuthLayer::new(auth))
///     .layer(ResponseFormatLayer::new());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ResponseFormatLayer(Arc<Settings>);

/// The settings of LoopBack's strong-error-handler, by their names there.
#[derive(Clone, Debug)]
struct Settings {
    debug: bool,
    safe_fields: Vec<Cow<'static, str>>,
    root_property: Option<Cow<'static, str>>,
    default_type: ErrorType,
    negotiate_content_type: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            debug: false,
            safe_fields: Vec::new(),
            root_property: Some("error".into()),
            default_type: ErrorType::Json,
            negotiate_content_type: true,
        }
    }
}

impl ResponseFormatLayer {
    /// The production form.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows all of every error, 5xx too, and `stack` (LoopBack's `debug`, which is on with
    /// `NODE_ENV=development`). For development only: a message may contain details that clients
    /// must not see (ASVS 16.5.1).
    #[must_use]
    pub fn debug(mut self, debug: bool) -> Self {
        self.settings().debug = debug;
        self
    }

    /// Shows these members in production too, also of a 5xx (LoopBack's `safeFields`).
    #[must_use]
    pub fn safe_fields(mut self, names: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.settings().safe_fields = names.into_iter().map(Into::into).collect();
        self
    }

    /// The member of the body that an error is in, instead of `error`; with `None` it is the body
    /// itself (LoopBack's `rootProperty: false`). The root of XML is then `error` still.
    #[must_use]
    pub fn root_property<N: Into<Cow<'static, str>>>(mut self, name: Option<N>) -> Self {
        self.settings().root_property = name.map(Into::into);
        self
    }

    /// The form for a client that accepts none of them, instead of JSON (LoopBack's `defaultType`).
    #[must_use]
    pub fn default_type(mut self, error_type: ErrorType) -> Self {
        self.settings().default_type = error_type;
        self
    }

    /// Whether the form of an error depends on `Accept`. If not, it is always
    /// [`default_type`](Self::default_type), but for `_format` (LoopBack's `negotiateContentType`).
    #[must_use]
    pub fn negotiate_content_type(mut self, negotiate: bool) -> Self {
        self.settings().negotiate_content_type = negotiate;
        self
    }

    fn settings(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.0)
    }
}

impl<S> Layer<S> for ResponseFormatLayer {
    type Service = ResponseFormat<S>;

    fn layer(&self, inner: S) -> ResponseFormat<S> {
        ResponseFormat { inner, settings: Arc::clone(&self.0) }
    }
}

/// The service of [`ResponseFormatLayer`].
#[derive(Clone, Debug)]
pub struct ResponseFormat<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for ResponseFormat<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Future: Send + 'static,
    ResBody: HttpBody<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let asked = Asked::of(&request);
        let settings = Arc::clone(&self.settings);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            Ok(settings.shape(answer.map(Body::new), &asked).await)
        })
    }
}

/// In the extensions of an error that was given its form here. A layer further out may give it
/// another: its settings are the app's.
#[derive(Clone, Copy)]
struct Formatted;

/// The part of a request that decides on the form of the answer.
struct Asked {
    method: Method,
    accept: MediaRanges,
    format: Format,
    if_none_match: IfNoneMatch,
}

impl Asked {
    fn of<B>(request: &Request<B>) -> Self {
        Self {
            method: request.method().clone(),
            accept: MediaRanges::of(request.headers()),
            format: Format::of(request.uri()),
            if_none_match: IfNoneMatch::of(request.method(), request.headers()),
        }
    }
}

impl Settings {
    async fn shape(&self, answer: Response<Body>, asked: &Asked) -> Response<Body> {
        let (parts, body) = answer.into_parts();
        // What is no JSON has a form already, which is the app's choice unless it is ours.
        if !is_json(&parts.headers) && parts.extensions.get::<Formatted>().is_none() {
            return Response::from_parts(parts, body);
        }
        if let Some(error) = parts.extensions.get::<ErrorResponse>().filter(|error| error.status() == parts.status) {
            let error = error.clone();
            return self.error(&error, parts, asked);
        }
        if parts.status.is_success() && parts.status != StatusCode::NO_CONTENT {
            return self.success(parts, body, asked).await;
        }
        Response::from_parts(parts, body)
    }

    async fn success(&self, mut parts: Parts, body: Body, asked: &Asked) -> Response<Body> {
        vary_by_accept(&mut parts.headers);
        if !negotiate::takes_json(&asked.accept, &asked.format) {
            parts.status = StatusCode::NOT_ACCEPTABLE;
            return replace(parts, "text/plain; charset=utf-8", "Not Acceptable".into(), asked);
        }
        if parts.status != StatusCode::OK {
            return Response::from_parts(parts, body);
        }
        let body = if parts.headers.contains_key(ETAG) {
            body
        } else {
            match tagged(&mut parts.headers, body).await {
                Ok(body) => body,
                Err(error) => {
                    tracing::error!(%error, "the body of an answer broke off");
                    let error = ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
                    parts.status = error.status();
                    return self.error(&error, parts, asked);
                }
            }
        };
        if parts.headers.get(ETAG).is_some_and(|tag| asked.if_none_match.names(tag)) {
            parts.status = StatusCode::NOT_MODIFIED;
            for name in [CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING] {
                parts.headers.remove(name);
            }
            return Response::from_parts(parts, Body::empty());
        }
        Response::from_parts(parts, body)
    }

    fn error(&self, error: &ErrorResponse, mut parts: Parts, asked: &Asked) -> Response<Body> {
        let chosen = match asked.format.error_type() {
            Some(chosen) => chosen,
            None if self.negotiate_content_type => asked.accept.error_type().unwrap_or(self.default_type),
            None => self.default_type,
        };
        if self.negotiate_content_type {
            vary_by_accept(&mut parts.headers);
        }
        if let Some(warning) = asked.format.warning(self.default_type) {
            parts.headers.insert(HeaderName::from_static("x-warning"), warning);
        }
        let form = if self.debug { ErrorForm::debug() } else { ErrorForm::production() };
        let form = form.safe_fields(self.safe_fields.iter().cloned()).show_undefined(chosen == ErrorType::Xml);
        let members = error.members(&form);
        parts.extensions.insert(Formatted);
        let root = self.root_property.as_deref();
        let (content_type, body) = match chosen {
            ErrorType::Json => ("application/json; charset=utf-8", error_body::json(root, members)),
            ErrorType::Html => {
                parts.headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(error_body::HTML_POLICY));
                ("text/html; charset=utf-8", error_body::html(&members))
            }
            ErrorType::Xml => ("text/xml; charset=utf-8", error_body::xml(root.unwrap_or("error"), &members)),
        };
        replace(parts, content_type, body, asked)
    }
}

/// The body, and among the headers its entity tag, if it is small enough to be read for that.
///
/// An empty one has none: it is what is left of an answer to HEAD.
async fn tagged(headers: &mut HeaderMap, body: Body) -> Result<Body, axum::Error> {
    if !body.size_hint().exact().is_some_and(|size| (1..=MAX_TAGGED).contains(&size)) {
        return Ok(body);
    }
    let collected = body.collect().await?;
    if collected.trailers().is_some() {
        return Ok(Body::new(collected));
    }
    let bytes = collected.to_bytes();
    headers.insert(ETAG, entity_tag(&bytes));
    Ok(Body::from(bytes))
}

/// An answer with this body in place of the one it had.
fn replace(mut parts: Parts, content_type: &'static str, body: String, asked: &Asked) -> Response<Body> {
    for name in [CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING, ETAG] {
        parts.headers.remove(name);
    }
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    parts.headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if asked.method == Method::HEAD {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(body))
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// Tells caches that another `Accept` gets another answer (RFC 9110 §12.5.5).
fn vary_by_accept(headers: &mut HeaderMap) {
    let known = headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok());
    let mut names = known.flat_map(|names| names.split(',')).map(str::trim);
    if !names.any(|name| name == "*" || name.eq_ignore_ascii_case("accept")) {
        headers.append(VARY, HeaderValue::from_static("accept"));
    }
}
