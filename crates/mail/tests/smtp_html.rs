//! Mails with HTML over a real connection: both forms arrive whole, in the order and encoding that
//! readers expect, and nothing in them gets out of its part.
#![cfg(feature = "smtp")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

use gatekit_core::{
    Auth, Client, Login, Mail, MailKind, MailOptions, Mailer, MemoryStore, Policy, Register, RequestPasswordReset,
};
use gatekit_mail::SmtpMailer;
use gatekit_testkit::{ReceivedMail, SmtpSink, fast_hasher};

const FROM: &str = "Example <no-reply@example.com>";
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";

fn mailer(server: &SmtpSink) -> SmtpMailer {
    SmtpMailer::from_url(&server.url(), FROM).unwrap()
}

async fn sent(text: &str, html: &str) -> ReceivedMail {
    let server = SmtpSink::start().await;
    let mut mail = Mail::new(MailKind::VerifyEmail, EMAIL, "Grüße", text);
    mail.html = Some(html.to_owned());
    mailer(&server).send(mail).await.unwrap();
    server.next().await
}

async fn app(server: &SmtpSink, policy: Policy) -> Auth {
    let store = MemoryStore::new();
    let auth: Auth = Auth::builder(store)
        .policy(policy)
        .hasher(fast_hasher())
        .mailer(mailer(server))
        .public_url("https://app.example.com")
        .site_name("Bücher & Co")
        .build()
        .unwrap();
    auth.register(Register::email(EMAIL, PASSWORD)).await.unwrap();
    auth
}

/// RFC 5322 §2.1.1, RFC 5321 §4.5.3.1.6: such a mail needs nothing of a server.
fn assert_is_plain_on_the_wire(mail: &ReceivedMail) {
    assert!(mail.raw.is_ascii(), "{}", mail.raw);
    let lines: Vec<&str> = mail.raw.split("\r\n").collect();
    assert!(lines.iter().all(|line| !line.contains(['\r', '\n'])), "every line ends with CRLF");
    assert!(lines.iter().all(|line| line.len() <= 78), "{:?}", lines.iter().find(|line| line.len() > 78));
}

/// RFC 2046 §5.1.4: the last form is the preferred one.
#[tokio::test]
async fn text_goes_first_and_html_second_and_both_arrive_whole() {
    let long = "x".repeat(3000);
    let text = format!("Grüße, 日本語.\n.\n..dots = {long}\n");
    let html = format!("<!DOCTYPE html>\n<p style=\"margin:0\">Grüße, 日本語.</p>\n.\n<p>{long}</p>\n");
    let got = sent(&text, &html).await;
    assert_eq!(got.text.trim_end(), text.trim_end());
    assert_eq!(got.html.as_deref().unwrap().trim_end(), html.trim_end());
    assert_eq!(got.header("MIME-Version"), Some("1.0"));
    let kind = got.header("Content-Type").unwrap();
    assert!(kind.starts_with("multipart/alternative; boundary="), "{kind}");
    let (plain, rich) = (
        got.raw.find("Content-Type: text/plain; charset=utf-8"),
        got.raw.find("Content-Type: text/html; charset=utf-8"),
    );
    assert!(plain.unwrap() < rich.unwrap());
    assert_eq!(got.headers.len(), 8, "nothing else is told: {:?}", got.headers);
    assert_is_plain_on_the_wire(&got);
}

/// FUZZ-19
#[tokio::test]
async fn a_part_cannot_end_itself_or_the_mail() {
    let first = sent("one", "two").await;
    let boundary =
        first.header("Content-Type").unwrap().split("boundary=").nth(1).unwrap().trim_matches('"').to_owned();
    let evil = format!(
        "first\r\n.\r\nMAIL FROM:<eve@example.com>\r\n--{boundary}--\r\n--{boundary}\r\nContent-Type: text/html\r\n\r\nX: y\r\n\
         --\r\nlast"
    );
    let got = sent(&evil, &evil).await;
    assert!(!got.raw.contains(&format!("boundary=\"{boundary}\"")), "each mail has a boundary of its own");
    let clean = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
    assert_eq!(clean(&got.text), clean(&evil));
    assert_eq!(clean(got.html.as_deref().unwrap()), clean(&evil));
    assert_eq!((got.to.len(), got.headers.len()), (1, 8));
}

#[tokio::test]
async fn a_reset_mail_arrives_in_the_readers_language_with_its_link_in_both_forms() {
    let server = SmtpSink::start().await;
    let auth = app(&server, Policy::default()).await;
    let options = MailOptions::mount("/api/users").language("de");
    auth.request_password_reset(RequestPasswordReset::email(EMAIL).mails(options)).await.unwrap();
    let got = server.next().await;
    assert_eq!(got.header("Subject"), Some("Neues Passwort wählen"));
    let (link, html) = (got.link().unwrap(), got.html.as_deref().unwrap());
    assert!(link.starts_with("https://app.example.com/api/users/reset-password/form?token="), "{link}");
    assert!(html.contains(&format!("<a href=\"{link}\"")) && html.contains(&format!(">{link}</a>")), "{html}");
    assert!(
        html.contains("<html lang=\"de\">") && html.contains("Bücher &amp; Co") && got.text.contains("Bücher & Co")
    );
    assert_is_plain_on_the_wire(&got);
}

/// 1.3.11: what a browser says of itself is no header, no line and no markup.
#[tokio::test]
async fn a_hostile_user_agent_arrives_as_text() {
    let server = SmtpSink::start().await;
    let mut policy = Policy::default();
    policy.mail.notify_unknown_device = true;
    let auth = app(&server, policy).await;
    auth.login(Login::email(EMAIL, PASSWORD)).await.unwrap();
    let client = Client::default().user_agent("<b>\r\n.\r\nRCPT TO:<eve@example.com>\r\nBcc: eve@example.com\u{85}\0");
    auth.login(Login::email(EMAIL, PASSWORD).client(client)).await.unwrap();
    let got = server.next().await;
    assert_eq!((got.to.as_slice(), got.headers.len()), (&[EMAIL.to_owned()][..], 8));
    assert_eq!(got.header("Bcc"), None);
    let shown = "On: <b>.RCPT TO:<eve@example.com>Bcc: eve@example.com";
    assert!(got.text.lines().any(|line| line == shown), "{}", got.text);
    assert!(got.html.unwrap().contains("On: &lt;b&gt;.RCPT TO:&lt;eve@example.com&gt;Bcc: eve@example.com<br>"));
}
