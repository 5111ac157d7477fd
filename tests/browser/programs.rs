//! What a script of the site's own gets when the session has ended, in a browser that sends its
//! own headers.

use std::path::Path;

use serde_json::{Value, json};

use crate::stage::{ADA, Stage, eventually, with_scripts};
use gatekit_tests::PASSWORD;

const FETCH: &str = "const [path, init, done] = arguments;
fetch(path, init).then(
    answer => answer.text().then(body => done([answer.status, answer.redirected, answer.headers.get('content-type'), body])),
    error => done(String(error)),
);";

/// A document of this site without a Content-Security-Policy, so that its scripts may send
/// requests. It is not empty: Chromium shows a page of its own for an empty 404.
const DOCUMENT: &str = "/gatekit.css";

async fn open_page_for_scripts(stage: &Stage) {
    stage.open(DOCUMENT).await;
}

async fn fetch(stage: &Stage, path: &str, init: Value) -> (u64, bool, String, String) {
    let answer = stage.browser.execute_async(FETCH, vec![json!(path), init]).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let status = answer[0].as_u64().unwrap_or_else(|| panic!("{path}: {answer}"));
    (status, answer[1] == true, text(&answer[2]), text(&answer[3]))
}

/// A version of htmx, by the name of its npm package.
fn htmx(package: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("browser/node_modules/{package}/dist/htmx.min.js"));
    let source = std::fs::read_to_string(&file).unwrap_or_else(|e| {
        panic!("{}: {e}; `cargo xtask test --only browser` gets it from npm", file.display());
    });
    // The driver runs it in a function of its own.
    format!("{source}; window.htmx = htmx;")
}

with_scripts! {
    async fn a_script_gets_401_and_never_the_login(stage) {
        stage.sign_up().await;
        open_page_for_scripts(&stage).await;
        assert_eq!(fetch(&stage, "/private", json!({})).await.0, 200);
        stage.log_out().await;
        open_page_for_scripts(&stage).await;
        for init in [
            json!({}),
            json!({ "headers": { "Accept": "text/html" } }),
            json!({ "headers": { "Accept": "application/json" } }),
            json!({ "mode": "same-origin" }),
            json!({ "method": "POST", "body": "a=b" }),
        ] {
            let (status, redirected, content_type, body) = fetch(&stage, "/private", init.clone()).await;
            // The website takes no POST there.
            let wanted = if init["method"] == "POST" { 405 } else { 401 };
            assert_eq!((status, redirected), (wanted, false), "{init}");
            assert!(wanted == 405 || content_type.starts_with("application/json"), "{init}: {content_type}");
            assert!(!body.contains("<html"), "{init}: {body}");
        }
        assert_eq!(fetch(&stage, "/private", json!({ "method": "HEAD" })).await.0, 401);
        // A person who opens the same page is led to the login.
        stage.open("/private").await;
        stage.expect_at("/login?return_to=/private").await;
    }

    /// The page that htmx was in is the one to come back to, with its query.
    async fn htmx_goes_to_the_login_and_the_person_comes_back(stage) {
        stage.sign_up().await;
        for package in ["htmx.org", "htmx-next"] {
            stage.log_out().await;
            stage.open(&format!("{DOCUMENT}?of=htmx")).await;
            stage.browser.execute(&htmx(package), Vec::new()).await;
            let load = "document.body.innerHTML = '<div id=part></div>';
                htmx.ajax('GET', '/private', { target: '#part', swap: 'innerHTML' }); return 1";
            stage.browser.execute(load, Vec::new()).await;
            let login = "/login?return_to=/gatekit.css%3Fof%3Dhtmx";
            eventually(package, || async { (stage.browser.path().await == login).then_some(()) }).await;
            stage.send_login(ADA, PASSWORD).await;
            stage.expect_at(&format!("{DOCUMENT}?of=htmx")).await;
            stage.expect_logged_in_as(ADA).await;
        }
    }
}
