//! Where the links of mails lead: to the own site and nowhere else.

use gatekit_core::{
    Auth, ChangePassword, MailKind, MailOptions, MemoryStore, Policy, Register, RequestPasswordReset, User,
};
use gatekit_testkit::{MailSink, fast_hasher};

use super::{EMAIL, NEW, OLD};

fn app(public_url: Option<&str>, forgot: Option<&str>) -> (Auth, MailSink) {
    let (store, mails) = (MemoryStore::new(), MailSink::new());
    let builder = Auth::<User>::builder(store).policy(Policy::default()).mailer(mails.clone());
    let builder = public_url.into_iter().fold(builder.hasher(fast_hasher()), |builder, url| builder.public_url(url));
    (forgot.into_iter().fold(builder, |builder, url| builder.forgot_password_link(url)).build().unwrap(), mails)
}

const SITE: &str = "https://app.example.com";

#[tokio::test]
async fn a_page_that_is_asked_for_is_where_the_link_leads() {
    let (auth, mails) = app(Some("https://app.example.com/"), None);
    auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    let options = MailOptions::mount("/api/users").page("/konto/reset-password?token={token}");
    auth.request_password_reset(RequestPasswordReset::email(EMAIL).mails(options)).await.unwrap();
    let link = mails.next().await.link.unwrap();
    let secret = link.strip_prefix("https://app.example.com/konto/reset-password?token=").unwrap();
    assert_eq!(secret.len(), 64);
}

/// V-85, RFC 3986 §3.2: after `https://app.example.com` the host's name could go on.
#[tokio::test]
async fn a_page_that_is_no_path_of_the_own_site_is_not_led_to() {
    for page in [
        "@evil.example/{token}",
        ".evil.example/{token}",
        ":443@evil.example/{token}",
        "https://evil.example/{token}",
        "",
        "{token}",
        "/x\r\n{token}",
        "/x {token}",
    ] {
        let (auth, mails) = app(Some(SITE), None);
        auth.register(Register::email(EMAIL, OLD)).await.unwrap();
        let options = MailOptions::mount("/api/users").page(page);
        auth.request_password_reset(RequestPasswordReset::email(EMAIL).mails(options)).await.unwrap();
        let mail = mails.next().await;
        assert!(
            mail.link.unwrap().starts_with("https://app.example.com/api/users/reset-password/form?token="),
            "{page}"
        );
        assert!(!mail.text.contains("evil"));
    }
}

/// 6.3.7: a notice says how to react, and where, if there is such a page.
#[tokio::test]
async fn a_notice_leads_to_the_page_for_a_new_password_where_there_is_one() {
    let secret_page = MailOptions::default().page("/reset-password?token={token}");
    let page = MailOptions::default().page("/forgot-password");
    let forgot = Some("https://www.example.com/lost");
    for (public_url, forgot, options, link) in [
        (Some(SITE), None, MailOptions::mount("/api/users"), None),
        (Some(SITE), None, secret_page.clone(), None),
        (None, None, page.clone(), None),
        (Some(SITE), None, page.clone(), Some("https://app.example.com/forgot-password")),
        (None, forgot, MailOptions::default(), forgot),
        (Some(SITE), forgot, secret_page, forgot),
        (Some(SITE), forgot, page, Some("https://app.example.com/forgot-password")),
    ] {
        let (auth, mails) = app(public_url, forgot);
        let user = auth.register(Register::email(EMAIL, OLD)).await.unwrap();
        auth.change_password(ChangePassword::new(user.id.clone(), OLD, NEW).mails(options)).await.unwrap();
        let mail = mails.next().await;
        assert_eq!((mail.kind, mail.link.as_deref()), (MailKind::PasswordChanged, link));
        let html = mail.html.unwrap();
        assert_eq!(
            (html.matches("href=").count(), mail.text.matches("http").count()),
            match link {
                Some(_) => (1, 1),
                None => (0, 0),
            }
        );
        assert!(mail.text.contains("If it was not you"));
    }
}
