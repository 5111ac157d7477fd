//! A mailed link never leads to a page that does not exist: by default it leads to a plain page of
//! the routes.

use axum::Router;
use gatekit::core::MailKind;
use gatekit::{AuthLayer, Policy, routes};
use gatekit_tests::{Answer, App, EMAIL, PASSWORD, on_every_store};
use serde_json::json;

const NEW: &str = "staple battery horse";

/// The path and query of the link in the newest mail of a kind.
async fn link(app: &App, kind: MailKind) -> String {
    let mail = app.mails.wait_for_kind(kind, 1).await.pop().unwrap();
    let link = mail.link.unwrap();
    link.strip_prefix("https://app.example.com").expect("a link to the site").to_owned()
}

async fn reset_link(app: &App) -> String {
    app.post("/api/users/reset").json(json!({"email": EMAIL})).await.expect_no_content();
    link(app, MailKind::ResetPassword).await
}

fn is_private_page(answer: &Answer) {
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), value);
    }
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
}

/// What the page's form sends.
fn form_of(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("name=\"token\" value=\"").expect("a form with the secret");
    format!("token={}", rest.split('"').next().unwrap())
}

on_every_store! {
    /// N-40, 6.4.1: and a GET, as a mail scanner makes it, spends nothing.
    async fn the_default_reset_link_leads_to_a_page_that_sets_the_password(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            app.sign_up().await;
            let link = reset_link(&app).await;
            for _ in 0..3 {
                let page = app.get(&link).await.expect_status(200);
                is_private_page(&page);
                assert!(page.body.contains("<form method=\"post\" action=\"form\">"), "{}", page.body);
            }
            let form = format!("{}&newPassword={}", form_of(&app.get(&link).await), NEW.replace(' ', "+"));
            let done = app.post("/api/users/reset-password/form").form(&form).await.expect_status(200);
            is_private_page(&done);
            app.login(EMAIL, NEW).await.expect_status(200);
            app.login(EMAIL, PASSWORD).await.expect_error(401);
            let again = app.post("/api/users/reset-password/form").form(&form).await.expect_status(400);
            assert!(again.body.contains("This link is not valid"), "{}", again.body);
            app.get(&link).await.expect_status(400);
        }
    }

    /// A gateway that rewrites links (SafeLinks, Mimecast) changes what is behind a `#`. There is
    /// none.
    async fn no_mailed_link_has_its_secret_behind_a_hash(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        app.change_email(&token, "new@bar.com").await.expect_no_content();
        app.post("/api/users/1/verify").await.expect_no_content();
        for link in [
            reset_link(&app).await,
            link(&app, MailKind::ChangeEmail).await,
            link(&app, MailKind::VerifyEmail).await,
        ] {
            assert!(!link.contains('#') && link.contains("token="), "{link}");
            let page = app.get(&link).header("accept", "text/html").await;
            assert!(page.status.as_u16() < 400, "{link}: {page:?}");
        }
    }

    async fn a_password_that_the_policy_refuses_is_told_and_the_link_stays_good(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let link = reset_link(&app).await;
        let secret = form_of(&app.get(&link).await);
        for (password, words) in [("short", "at least 8 characters"), ("password1", "")] {
            let form = format!("{secret}&newPassword={password}");
            let refused = app.post("/api/users/reset-password/form").form(&form).await.expect_status(422);
            is_private_page(&refused);
            assert!(refused.body.contains("role=\"alert\"") && refused.body.contains(words), "{}", refused.body);
            assert_eq!(form_of(&refused), secret);
        }
        app.get(&link).await.expect_status(200);
    }

    async fn the_default_link_of_a_new_address_leads_to_a_page_that_confirms_it(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        app.change_email(&token, "new@bar.com").await.expect_no_content();
        let link = link(&app, MailKind::ChangeEmail).await;
        let page = app.get(&link).await.expect_status(200);
        is_private_page(&page);
        assert_eq!(app.me(&token).await.text("email"), EMAIL, "a GET changes nothing");
        let form = form_of(&page);
        app.post("/api/users/confirm-email-change/form").form(&form).await.expect_status(200);
        app.login("new@bar.com", PASSWORD).await.expect_status(200);
        // A second press finds it done.
        app.post("/api/users/confirm-email-change/form").form(&form).await.expect_status(200);
    }

    async fn a_link_without_a_good_secret_is_a_page_that_says_so(store) {
        let app = App::new(store).await;
        for query in ["", "?token=", "?token=%3Cscript%3E", "?token=abc", &format!("?token={}", "a".repeat(600))] {
            let page = app.get(&format!("/api/users/reset-password/form{query}")).await.expect_status(400);
            is_private_page(&page);
            assert!(!page.body.contains("script"), "{}", page.body);
        }
        app.get("/api/users/confirm-email-change/form").await.expect_status(400);
    }

    /// 4: a store that fails is no dead link.
    async fn a_store_that_fails_is_503(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let link = reset_link(&app).await;
        app.faults.every_call_of("find_one_time", gatekit_testkit::Fault::Fail);
        app.get(&link).await.expect_status(503);
        app.faults.reset();
        app.get(&link).await.expect_status(200);
    }

    /// Below a prefix that a proxy cuts off, links begin with what the browser must ask for.
    async fn links_have_the_path_of_the_public_url(store) {
        let setup = App::with(Policy::default()).configure(|builder| builder.public_url("https://app.example.com/sub/"));
        let app = setup.start(store).await;
        app.sign_up().await;
        let link = reset_link(&app).await;
        let inside = link.strip_prefix("/sub").expect("the prefix");
        app.get(inside).await.expect_status(200);
    }

    /// Of a prefix with a parameter the link has what the request's path says.
    async fn below_a_parameter_the_link_leads_back_below_it(store) {
        let mut app = App::new(store).await;
        let users = routes::register(&app.api).merge(routes::reset_password(&app.api));
        app.router = Router::new().nest("/{tenant}/users", users).layer(AuthLayer::new(app.auth.clone()));
        app.post("/acme/users").json(json!({"email": EMAIL, "password": PASSWORD})).await.expect_status(200);
        app.post("/acme/users/reset").json(json!({"email": EMAIL})).await.expect_no_content();
        let link = link(&app, MailKind::ResetPassword).await;
        assert!(link.starts_with("/acme/users/reset-password/form?token="), "{link}");
        app.get(&link).await.expect_status(200);
    }
}
