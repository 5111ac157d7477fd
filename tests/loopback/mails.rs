//! Mails over HTTP: in the language the client prefers, with links that no header decides.

use gatekit::core::{Mail, MailKind};
use gatekit::{Policy, VerifyOptions};
use gatekit_tests::{App, Call, EMAIL, PASSWORD, on_every_store};
use serde_json::json;

const NEW: &str = "orbital marzipan 74";

/// All that a client may cause to be mailed, in order, each asked for with these headers.
async fn one_of_each(app: &App, headers: &[(&str, &str)]) -> Vec<Mail> {
    let with = |call: Call| headers.iter().fold(call, |call, (name, value)| call.header(name, value));
    let sign_up = app.post("/api/users").json(json!({"email": EMAIL, "password": PASSWORD}));
    with(sign_up).await.expect_status(200);
    app.mails.wait_for(1).await;
    let secret = app.mails.last_token().await;
    app.post("/api/users/resend-verification").json(json!({"email": "nobody@bar.com"})).await.expect_no_content();
    with(app.post("/api/users/resend-verification").json(json!({"email": EMAIL}))).await.expect_no_content();
    app.mails.wait_for(2).await;
    let newer = app.mails.last_token().await;
    assert_ne!(secret, newer);
    app.confirm(1, &newer).await;
    with(app.post("/api/users/reset").json(json!({"email": EMAIL}))).await.expect_no_content();
    app.mails.wait_for(3).await;
    let reset = app.mails.last_token().await;
    let body = json!({"newPassword": NEW});
    with(app.post("/api/users/reset-password").token(&reset).json(body)).await.expect_no_content();
    app.mails.wait_for(4).await;
    let token = app.login(EMAIL, NEW).await.expect_status(200).text("id");
    let body = json!({"oldPassword": NEW, "newPassword": PASSWORD});
    with(app.post("/api/users/change-password").token(&token).json(body)).await.expect_no_content();
    app.mails.wait_for(5).await;
    with(app.change_email(&token, "new@bar.com")).await.expect_no_content();
    app.mails.wait_for(6).await;
    let secret = app.mails.last_token().await;
    with(app.confirm_email_change(&secret).token(&token)).await.expect_status(200);
    app.mails.wait_for(7).await
}

const KINDS: [MailKind; 7] = [
    MailKind::VerifyEmail,
    MailKind::VerifyEmail,
    MailKind::ResetPassword,
    MailKind::PasswordChanged,
    MailKind::PasswordChanged,
    MailKind::ChangeEmail,
    MailKind::EmailChanged,
];

fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.email.verification_required = true;
    policy
}

on_every_store! {
    /// RFC 9110 §12.5.4
    async fn every_mail_is_in_the_language_the_client_prefers(store) {
        let long = format!("de;q=0.9, {}", "x-klingon, ".repeat(60));
        let longer = "q".repeat(700);
        for (header, language) in [
            (None, "en"),
            (Some("de-AT, de;q=0.9, en;q=0.5"), "de"),
            (Some("fr, en;q=0.2"), "en"),
            (Some("tlh"), "en"),
            (Some("de;q=0, *"), "en"),
            (Some(long.as_str()), "de"),
            (Some(longer.as_str()), "en"),
            (Some(";;,,;q=2,\u{ff}"), "en"),
        ] {
            let app = App::with(policy()).start(store).await;
            let headers: Vec<(&str, &str)> = header.iter().map(|header| ("accept-language", *header)).collect();
            let mails = one_of_each(&app, &headers).await;
            assert_eq!(mails.iter().map(|mail| mail.kind).collect::<Vec<_>>(), KINDS);
            for mail in mails {
                let html = mail.html.unwrap();
                assert!(html.contains(&format!("<html lang=\"{language}\">")), "{header:?}: {html}");
            }
        }
    }

    /// 6.3.7: a password and an address that a client may change without proof are told of in its
    /// language, too.
    async fn a_change_of_fields_is_told_of_in_the_clients_language(store) {
        let mut policy = Policy::loopback();
        policy.mail.notify_password_changed = true;
        let app = App::with(policy).start(store).await;
        let token = app.signed_up().await;
        let body = json!({"password": NEW, "email": "new@bar.com"});
        app.patch("/api/users/1").token(&token).header("accept-language", "de").json(body).await.expect_status(200);
        let mails = app.mails.wait_for(2).await;
        let mut told: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, ["Ihr Passwort wurde geändert", "Ihre Adresse wurde geändert"]);
        assert!(mails.iter().all(|mail| mail.to == EMAIL));
    }

    /// V-85, 4.1.3: what a request says of its host is not believed, by no mail.
    async fn no_header_decides_where_a_link_leads(store) {
        let app = App::with(policy()).configure(|auth| auth.forgot_password_link("https://app.example.com/lost")).start(store).await;
        let headers = [
            ("host", "evil.example"),
            ("x-forwarded-host", "evil.example"),
            ("forwarded", "host=evil.example;proto=http"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-prefix", "//evil.example"),
            ("x-original-url", "https://evil.example/"),
            ("referer", "https://evil.example/"),
        ];
        for mail in one_of_each(&app, &headers).await {
            let html = mail.html.unwrap();
            assert!(!mail.text.contains("evil") && !html.contains("evil"), "{}", mail.text);
            match mail.link {
                Some(link) => assert!(link.starts_with("https://app.example.com/"), "{link}"),
                None => assert_eq!(mail.kind, MailKind::EmailChanged),
            }
        }
    }

    /// LoopBack's `verifyOptions` are one text for everybody.
    async fn words_of_the_apps_own_do_not_change_with_the_language(store) {
        let mut options = VerifyOptions::default();
        options.subject = "Welcome".into();
        options.text = "Open {href} now".into();
        let app = App::with(policy()).configure(|auth| auth.verify_options(options)).start(store).await;
        let sign_up = app.post("/api/users").json(json!({"email": EMAIL, "password": PASSWORD}));
        sign_up.header("accept-language", "de").await.expect_status(200);
        let mail = app.mails.next().await;
        let link = mail.link.unwrap();
        assert_eq!((mail.subject.as_str(), mail.text), ("Welcome", format!("Open {link} now")));
        assert!(mail.html.unwrap().contains(&link.replace('&', "&amp;")));
    }
}
