//! The forms of answers: what a client accepts, what it has already, and what errors look like to
//! people and programs.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use gatekit::routes::{self, ErrorType, ResponseFormatLayer};
use gatekit::{AuthLayer, ErrorResponse, RequireAuthLayer, User};
use gatekit_testkit::Fault;
use gatekit_tests::{Answer, App, Call, EMAIL, PASSWORD, on_every_store};
use http_body::Frame;
use http_body_util::BodyExt;
use serde_json::json;
use tower::{Layer, ServiceExt, service_fn};

const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const XML: &str = "text/xml; charset=utf-8";
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";

/// A call to the app's routes and some of ours, all in this form.
struct Formatted(Router);

impl Formatted {
    fn new(app: &App) -> Self {
        Self::with(app, ResponseFormatLayer::new())
    }

    fn with(app: &App, layer: ResponseFormatLayer) -> Self {
        Self(app.router.clone().merge(failing()).layer(layer))
    }

    fn call(&self, method: &str, path: &str) -> Call {
        Call::new(&self.0, method, path)
    }

    fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    fn login(&self, query: &str, password: &str) -> Call {
        let body = json!({"email": EMAIL, "password": password});
        self.call("POST", &format!("/api/users/login{query}")).json(body)
    }
}

/// Routes that fail in ways the kit's do not.
fn failing() -> Router {
    let error = |status: StatusCode| {
        move || async move { ErrorResponse::new(status, "disk <sda1> is full").code("ENOSPC").property("errno", -28) }
    };
    Router::new()
        .route("/500", get(error(StatusCode::INTERNAL_SERVER_ERROR)))
        .route("/507", get(error(StatusCode::INSUFFICIENT_STORAGE)))
        .route(
            "/batch",
            post(|| async {
                let taken = ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, "taken").name("ValidationError");
                ErrorResponse::several(StatusCode::INTERNAL_SERVER_ERROR, [None, Some(taken)])
            }),
        )
        .route("/own", get(|| async { (StatusCode::BAD_REQUEST, axum::Json(json!({"mine": true}))) }))
        .route("/created", post(|| async { (StatusCode::CREATED, axum::Json(json!({"id": 1}))) }))
}

fn login_failed_xml() -> String {
    [
        "<?xml version='1.0'?>",
        "<error>",
        "    <statusCode>401</statusCode>",
        "    <name>Error</name>",
        "    <message>login failed</message>",
        "    <code>LOGIN_FAILED</code>",
        "    <details>undefined</details>",
        "</error>",
    ]
    .join("\n")
}

const LOGIN_FAILED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"login failed","code":"LOGIN_FAILED"}}"#;

/// The page holds these, and nothing that a browser would run or load.
fn is_page(answer: Answer, status: u16, parts: &[&str]) {
    let answer = answer
        .expect_status(status)
        .expect_header("content-type", HTML)
        .expect_header("x-content-type-options", "nosniff");
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{answer:?}");
    assert!(parts.iter().all(|part| answer.body.contains(part)), "{parts:?} in {answer:?}");
    for active in ["<script", "<style", "<link", "<img", "href=", "src=", "style=", " on"] {
        assert!(!answer.body.contains(active), "{active} in {answer:?}");
    }
}

on_every_store! {
    /// And it has done what it was asked for by then, as in LoopBack.
    async fn a_success_is_json_or_not_acceptable(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let formatted = Formatted::new(&app);
        let token = formatted.login("", PASSWORD).header("accept", BROWSER).await.expect_status(200).text("id");
        for (query, accept, passes) in [
            ("", "", true),
            ("", "*/*", true),
            ("", "text/javascript", true),
            ("", BROWSER, true),
            ("", "text/html", false),
            ("", "image/png", false),
            ("", "application/xml", false),
            ("?_format=json", "text/html", true),
            ("?_format=bogus", "*/*", false),
            ("?_format=xml", "*/*", false),
        ] {
            let answers = [
                formatted.get(&format!("/api/users/1{query}")).token(&token).header("accept", accept).await,
                formatted.login(query, PASSWORD).header("accept", accept).await,
                formatted.call("POST", &format!("/created{query}")).header("accept", accept).await,
            ];
            for answer in answers {
                assert!(answer.header("vary").contains("accept"), "{answer:?}");
                if passes {
                    assert!(answer.status.is_success() && answer.header("content-type").starts_with("application/json"));
                } else {
                    answer
                        .is(406, "Not Acceptable")
                        .expect_header("content-type", "text/plain; charset=utf-8")
                        .expect_header("x-content-type-options", "nosniff");
                }
            }
        }
        let body = json!({"email": "other@bar.com", "password": PASSWORD});
        formatted.call("POST", "/api/users").json(body).header("accept", "text/html").await.expect_status(406);
        app.login("other@bar.com", PASSWORD).await.expect_status(200);
        // What is no JSON, or nothing at all, has no other form.
        formatted.get("/open").header("accept", "image/png").await.is(200, "open to everyone");
        formatted.call("POST", "/api/users/logout").token(&token).header("accept", "text/html").await.expect_no_content();
    }

    /// 3.5.6
    async fn a_callback_is_not_called(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        for accept in ["application/javascript", "text/javascript", "*/*"] {
            let answer = Formatted::new(&app).get("/api/users/1?callback=cb").header("accept", accept).token(&token).await;
            answer
                .is(200, r#"{"username":"Foo","email":"foo@bar.com","id":1}"#)
                .expect_header("content-type", JSON);
        }
    }

    /// RFC 9110 §13.1.2; `no-cache` as Express has it.
    async fn who_has_the_answer_already_gets_304(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let formatted = Formatted::new(&app);
        let me = || formatted.get("/api/users/1").token(&token);
        let answer = me().await.expect_status(200);
        let tag = answer.header("etag").to_owned();
        assert!(tag.starts_with(&format!("W/\"{:x}-", answer.body.len())) && tag.ends_with('"'), "{tag}");
        let strong = tag.trim_start_matches("W/");
        for (value, known) in [
            (tag.as_str(), true),
            (strong, true),
            ("*", true),
            (&format!("\"x\", {tag} ,W/\"y\""), true),
            ("\"x\"", false),
            ("", false),
        ] {
            let again = me().header("if-none-match", value).await.expect_header("etag", &tag);
            assert_eq!(again.header("cache-control"), answer.header("cache-control"));
            if known {
                assert_eq!(again.header("content-type"), "");
                again.is(304, "");
            } else {
                again.is(200, &answer.body);
            }
        }
        me().header("if-none-match", &tag).header("cache-control", "no-cache").await.is(200, &answer.body);
        me().header("if-none-match", &tag).header("cache-control", "max-age=0").await.is(304, "");
        me().header("if-none-match", &tag).header("accept", "text/html").await.expect_status(406);
        // Somebody else, and nobody, is told nothing by it.
        formatted.get("/api/users/1").header("if-none-match", "*").await.expect_status(401);
        // A POST has a tag, as in LoopBack, and is done each time.
        let first = formatted.login("", PASSWORD).header("if-none-match", "*").await.expect_status(200);
        let second = formatted.login("", PASSWORD).header("if-none-match", "*").await.expect_status(200);
        assert!(first.header("etag") != second.header("etag") && first.header("etag").starts_with("W/\""));
        // Another answer, another tag.
        app.sign_up_as("b@bar.com").await;
        let other = formatted.get("/me").token(&app.token_of("b@bar.com").await).header("if-none-match", &tag).await;
        assert_ne!(other.expect_status(200).header("etag"), tag);
    }

    async fn an_error_has_the_form_the_client_prefers(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let formatted = Formatted::new(&app);
        let fail = |query: &str, accept: &str| formatted.login(query, "wrong").header("accept", accept);
        for (query, accept) in [("", ""), ("", "*/*"), ("", "image/png"), ("?_format=json", "text/html")] {
            fail(query, accept)
                .await
                .is(401, LOGIN_FAILED)
                .expect_header("content-type", JSON)
                .expect_header("vary", "accept")
                .expect_header("www-authenticate", "Bearer")
                .expect_header("x-content-type-options", "nosniff");
        }
        for (query, accept) in [("", "text/xml"), ("", "application/xml"), ("?_format=xml", "text/html")] {
            fail(query, accept)
                .await
                .is(401, &login_failed_xml())
                .expect_header("content-type", XML)
                .expect_header("www-authenticate", "Bearer");
        }
        for (query, accept) in [("", "text/html"), ("", BROWSER), ("?_format=html", "application/json")] {
            let parts = ["<h1>Error</h1>", "<h2><em>401</em> login failed</h2>", "<b>code</b>: LOGIN_FAILED"];
            is_page(fail(query, accept).await, 401, &parts);
        }
        fail("?_format=bogus", "image/png")
            .await
            .is(401, LOGIN_FAILED)
            .expect_header("x-warning", "Response _format \"bogus\" is not supportedused \"json\" instead\"");
        assert_eq!(fail("?_format=xml", "").await.header("x-warning"), "");
    }

    /// 3.2.2, 1.2.1
    async fn what_a_client_wrote_is_shown_as_text(store) {
        let app = App::loopback(store).await;
        let hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&\u{1b}]]>";
        let sign_up = |accept: &str| {
            let body = json!({"email": hostile, "password": "p"});
            Formatted::new(&app).call("POST", "/api/users").json(body).header("accept", accept)
        };
        let page = sign_up("text/html").await.expect_status(422).expect_header("content-type", HTML);
        assert!(page.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{}", page.body);
        for tag in page.body.split('<').skip(1) {
            let known = ["!DOCTYPE", "html", "head", "meta", "title", "body", "h1", "h2", "em", "div", "b>", "/"];
            assert!(known.iter().any(|known| tag.starts_with(known)), "{tag}");
        }
        let xml = sign_up("text/xml").await.expect_status(422);
        assert!(xml.body.contains("&lt;script>alert(1)&lt;/script>") && !xml.body.contains("]]>"), "{}", xml.body);
        assert!(xml.body.contains("<messages>\n            <email>is invalid</email>"), "{}", xml.body);
        assert!(!xml.body.bytes().any(|byte| byte.is_ascii_control() && byte != b'\n'), "{}", xml.body);
    }

    async fn head_gets_the_head_alone(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let formatted = Formatted::new(&app);
        for (path, accept) in [
            ("/api/users/1", "*/*"),
            ("/api/users/1", "text/html"),
            ("/api/users/1", "text/xml"),
            ("/500", "*/*"),
            ("/me", "text/html"),
            ("/me", "*/*"),
        ] {
            let head = formatted.call("HEAD", path).token(&token).header("accept", accept).await;
            assert_eq!(head.body, "", "{path} {accept}");
            if path != "/api/users/1" {
                let get = formatted.get(path).token(&token).header("accept", accept).await;
                assert_eq!((head.status, head.header("etag")), (get.status, get.header("etag")), "{path} {accept}");
                assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path} {accept}");
            }
        }
        let tag = formatted.get("/me").token(&token).await.header("etag").to_owned();
        formatted.call("HEAD", "/me").token(&token).header("if-none-match", &tag).await.is(304, "");
    }

    /// 16.5.1, 13.4.2
    async fn production_says_nothing_about_what_went_wrong_inside(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let formatted = Formatted::new(&app);
        formatted.get("/500").await.is(500, r#"{"error":{"statusCode":500,"message":"Internal Server Error"}}"#);
        formatted.get("/507").await.is(507, r#"{"error":{"statusCode":507,"message":"Insufficient Storage"}}"#);
        let xml = "<?xml version='1.0'?>\n<error>\n    <statusCode>500</statusCode>\n    <message>Internal Server Error</message>\n</error>";
        formatted.get("/500?_format=xml").await.is(500, xml);
        let page = formatted.get("/500?_format=html").await;
        assert!(!page.body.contains("sda1") && !page.body.contains("ENOSPC"), "{}", page.body);
        is_page(page, 500, &["<title>Internal Server Error</title>", "<h2><em>500</em> Internal Server Error</h2>"]);
        // Those that clients have to tell apart stay as they are documented.
        app.faults.every(Fault::Fail);
        formatted.login("", PASSWORD).await.expect_unavailable();
        app.faults.reset();
        formatted.call("POST", "/batch").await.is(
            500,
            r#"{"error":{"statusCode":500,"message":"Failed with multiple errors, see `details` for more information.","details":[null,{"statusCode":422,"name":"ValidationError","message":"taken"}]}}"#,
        );
        // An error that is not ours.
        formatted.get("/own").header("accept", "text/html").await.is(400, r#"{"mine":true}"#);
    }

    /// Recorded with NODE_ENV=development, but for the rest of the stack.
    async fn debug_shows_all_members_in_loopbacks_order(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let formatted = Formatted::with(&app, ResponseFormatLayer::new().debug(true));
        formatted.call("POST", "/api/users/logout").await.is(
            401,
            r#"{"error":{"statusCode":401,"name":"Error","message":"accessToken is required to logout","stack":"Error: accessToken is required to logout"}}"#,
        );
        formatted.login("", "wrong").await.is(
            401,
            r#"{"error":{"statusCode":401,"name":"Error","message":"login failed","code":"LOGIN_FAILED","stack":"Error: login failed"}}"#,
        );
        formatted.get("/500").await.is(
            500,
            r#"{"error":{"statusCode":500,"name":"Error","message":"disk <sda1> is full","errno":-28,"code":"ENOSPC","stack":"Error: disk <sda1> is full"}}"#,
        );
        app.clock.advance(std::time::Duration::from_secs(1_209_600));
        formatted.get("/api/users/1").token(&token).await.is(
            401,
            r#"{"error":{"statusCode":401,"name":"Error","message":"Invalid Access Token","status":401,"code":"INVALID_TOKEN","stack":"Error: Invalid Access Token"}}"#,
        );
        let parts = ["disk &lt;sda1&gt; is full", "<b>errno</b>: -28", "<pre id=\"stacktrace\">Error: disk &lt;sda1&gt;"];
        is_page(formatted.get("/500?_format=html").await, 500, &parts);
        let xml = formatted.get("/500?_format=xml").await;
        assert!(xml.body.ends_with("    <code>ENOSPC</code>\n    <stack>Error: disk &lt;sda1> is full</stack>\n</error>"));
    }

    /// Names and meanings are strong-error-handler's.
    async fn its_settings_are_those_of_loopbacks_error_handler(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let with = |layer: ResponseFormatLayer| Formatted::with(&app, layer);

        let bare = with(ResponseFormatLayer::new().root_property(None::<&str>));
        let members = r#"{"statusCode":401,"name":"Error","message":"login failed","code":"LOGIN_FAILED"}"#;
        bare.login("", "wrong").await.is(401, members);
        bare.login("?_format=xml", "wrong").await.is(401, &login_failed_xml());
        let fault = with(ResponseFormatLayer::new().root_property(Some("fault")));
        fault.login("", "wrong").await.is(401, &format!(r#"{{"fault":{members}}}"#));
        fault.login("?_format=xml", "wrong").await.is(401, &login_failed_xml().replace("error>", "fault>"));

        let safe = with(ResponseFormatLayer::new().safe_fields(["errno", "code"]));
        let body = r#"{"error":{"statusCode":500,"message":"Internal Server Error","errno":-28,"code":"ENOSPC"}}"#;
        safe.get("/500").await.is(500, body);
        safe.login("", "wrong").await.is(401, LOGIN_FAILED);

        let html = with(ResponseFormatLayer::new().default_type(ErrorType::Html));
        for (accept, content_type) in [("image/png", HTML), ("*/*", JSON), ("", JSON), ("text/xml", XML)] {
            html.login("", "wrong").header("accept", accept).await.expect_header("content-type", content_type);
        }
        let fixed = with(ResponseFormatLayer::new().default_type(ErrorType::Xml).negotiate_content_type(false));
        for accept in ["image/png", "*/*", "text/html", "application/json"] {
            fixed.login("", "wrong").header("accept", accept).await.expect_header("content-type", XML);
            fixed.get("/500").header("accept", accept).await.expect_header("content-type", XML).expect_header("vary", "");
        }
        fixed.login("?_format=json", "wrong").await.is(401, LOGIN_FAILED);
        let warning = "Response _format \"bogus\" is not supportedused \"xml\" instead\"";
        fixed.login("?_format=bogus", "wrong").await.expect_header("x-warning", warning);
    }

    /// Around the layer that refuses, its refusals have the form too; inside of it, only what the
    /// routes say.
    async fn refusals_of_the_layers_inside_have_the_form_too(store) {
        let app = App::loopback(store).await;
        let guarded = Router::new().route("/news", get(|| async { "for members" }));
        let guarded = guarded.layer(RequireAuthLayer::new(app.auth.clone())).layer(ResponseFormatLayer::new());
        let answer = Call::new(&guarded, "GET", "/news").header("accept", "text/html").await;
        is_page(answer, 401, &["<b>code</b>: AUTHORIZATION_REQUIRED"]);
        // Twice is as good as once.
        let twice = guarded.layer(ResponseFormatLayer::new());
        let answer = Call::new(&twice, "GET", "/news").header("accept", "text/html").await;
        is_page(answer, 401, &["<b>code</b>: AUTHORIZATION_REQUIRED"]);
        // The outermost decides.
        let debug = Formatted(Formatted::new(&app).0.layer(ResponseFormatLayer::new().debug(true).root_property(None::<&str>)));
        is_page(debug.get("/500").header("accept", "text/html").await, 500, &["disk &lt;sda1&gt; is full"]);
        let body = r#"{"statusCode":500,"name":"Error","message":"disk <sda1> is full","errno":-28,"code":"ENOSPC","stack":"Error: disk <sda1> is full"}"#;
        debug.get("/500").await.is(500, body);
        debug.get("/own").header("accept", "text/html").await.is(400, r#"{"mine":true}"#);
        let twice = Formatted(Formatted::new(&app).0.layer(ResponseFormatLayer::new()));
        let token = app.signed_up().await;
        let answer = twice.get("/me").token(&token).await.expect_status(200).expect_header("vary", "accept");
        twice.get("/me").token(&token).header("if-none-match", answer.header("etag")).await.is(304, "");
    }

    async fn what_is_nowhere_is_said_in_loopbacks_words(store) {
        let app = App::loopback(store).await;
        let users = routes::all(&app.api).fallback(routes::user_url_not_found::<User>);
        let rest = Router::new().nest("/users", users).fallback(routes::rest_url_not_found);
        let router: Router = Router::new()
            .nest("/api", rest)
            .fallback(routes::url_not_found)
            .layer(AuthLayer::new(app.auth.clone()))
            .layer(ResponseFormatLayer::new());
        let error = |message: &str| format!(r#"{{"error":{{"statusCode":404,"name":"Error","message":"{message}"}}}}"#);
        for (method, path, message) in [
            ("GET", "/api/nothing", "There is no method to handle GET /nothing"),
            ("DELETE", "/api/nothing/1/x", "There is no method to handle DELETE /nothing/1/x"),
            ("GET", "/api", "There is no method to handle GET /"),
            ("GET", "/nothing", "Cannot GET /nothing"),
            ("POST", "/", "Cannot POST /"),
            ("GET", "/apiary", "Cannot GET /apiary"),
            // Ours: LoopBack quotes the query, where a token may be.
            ("GET", "/nothing?access_token=x&uid=1", "Cannot GET /nothing"),
            ("GET", "/api/nothing?uid=1", "There is no method to handle GET /nothing"),
            ("DELETE", "/api/users", "Shared class \\\"User\\\" has no method handling DELETE /"),
            ("GET", "/api/users/1/nothing", "Shared class \\\"User\\\" has no method handling GET /1/nothing"),
        ] {
            Call::new(&router, method, path).await.is(404, &error(message));
        }
        Call::new(&router, "HEAD", "/nothing").await.is(404, "").expect_header("content-type", JSON);
    }
}

#[tokio::test]
async fn what_axum_says_by_itself_stays() {
    let router: Router = Router::new().route("/", get(|| async { "" })).layer(ResponseFormatLayer::new());
    Call::new(&router, "GET", "/nothing").header("accept", "text/html").await.is(404, "");
    Call::new(&router, "POST", "/").header("accept", "text/html").await.is(405, "").expect_header("allow", "GET,HEAD");
}

/// Bytes in pieces, of a length that is told or not, that may end in a failure.
struct Pieces {
    pieces: Vec<Result<Bytes, &'static str>>,
    length: Option<u64>,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready((!self.pieces.is_empty()).then(|| self.pieces.remove(0).map(Frame::data)))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.length.map_or_else(http_body::SizeHint::default, http_body::SizeHint::with_exact)
    }
}

/// Status, tag and body of a plain tower service's answer.
async fn through_tower(
    pieces: Vec<Result<Bytes, &'static str>>,
    length: Option<u64>,
) -> (u16, bool, Result<Bytes, String>) {
    let pieces = std::sync::Mutex::new(Some(Pieces { pieces, length }));
    let service = ResponseFormatLayer::new().layer(service_fn(move |_: Request<Body>| {
        let body = pieces.lock().unwrap().take().unwrap();
        async {
            Ok::<_, Infallible>(Response::builder().header("content-type", "application/json").body(body).unwrap())
        }
    }));
    let answer = service.oneshot(Request::new(Body::empty())).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.map(|collected| collected.to_bytes()).map_err(|error| error.to_string());
    (parts.status.as_u16(), parts.headers.contains_key("etag"), body)
}

#[tokio::test]
async fn only_what_is_small_and_of_known_length_is_read_for_a_tag() {
    let half = Bytes::from_static(&[b' '; 512 * 1024]);
    for (pieces, length, tagged) in [
        (vec![Ok(Bytes::from("[1,")), Ok(Bytes::from("2]"))], Some(5), true),
        (vec![Ok(half.clone()), Ok(half.clone())], Some(1024 * 1024), true),
        (vec![Ok(half.clone()), Ok(half.clone()), Ok(Bytes::from("1"))], Some(1024 * 1024 + 1), false),
        (vec![Ok(Bytes::from("[1,")), Ok(Bytes::from("2]"))], None, false),
        (vec![], Some(0), false),
    ] {
        let whole: Vec<u8> = pieces.iter().flat_map(|piece| piece.clone().unwrap()).collect();
        assert_eq!(through_tower(pieces, length).await, (200, tagged, Ok(Bytes::from(whole))), "{length:?}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_success() {
    let pieces = || vec![Ok(Bytes::from("[1,")), Err("the disk is gone")];
    let body = Ok(Bytes::from(r#"{"error":{"statusCode":500,"message":"Internal Server Error"}}"#));
    assert_eq!(through_tower(pieces(), Some(5)).await, (500, false, body));
    // One that is passed on has begun as one.
    assert_eq!(through_tower(pieces(), None).await, (200, false, Err("the disk is gone".into())));
}

#[tokio::test]
async fn a_tag_of_the_handlers_own_is_kept_and_compared() {
    let own =
        || async { ([("etag", "\"v7\""), ("content-type", "application/json")], Body::from("{}")).into_response() };
    let router: Router = Router::new().route("/", get(own)).layer(ResponseFormatLayer::new());
    Call::new(&router, "GET", "/").await.is(200, "{}").expect_header("etag", "\"v7\"");
    Call::new(&router, "GET", "/").header("if-none-match", "W/\"v7\"").await.is(304, "");
    Call::new(&router, "GET", "/").header("if-none-match", "\"v8\"").await.is(200, "{}");
}
