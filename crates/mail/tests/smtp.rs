//! Mails over a real connection to a real server on the loopback: what arrives, what is tried
//! again, and what never.
#![cfg(feature = "smtp")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

use std::time::Duration;

use gatekit_core::{
    Auth, FieldProblem, Mail, MailKind, Mailer, MemoryStore, Policy, Register, RegisterError, RequestPasswordReset,
};
use gatekit_mail::{SmtpConfigError, SmtpMailer};
use gatekit_testkit::{LogCapture, ReceivedMail, SmtpBehavior, SmtpSink, fast_hasher};

const FROM: &str = "Example <no-reply@example.com>";

fn mailer(server: &SmtpSink) -> SmtpMailer {
    SmtpMailer::from_url(&server.url(), FROM).unwrap()
}

fn mail(to: &str, subject: &str, text: &str) -> Mail {
    Mail::new(MailKind::ResetPassword, to, subject, text)
}

fn hello() -> Mail {
    mail("ada@example.com", "Hello", "Good morning.")
}

/// What arrives when one mail is sent.
async fn sent(mail: Mail) -> ReceivedMail {
    let server = SmtpSink::start().await;
    mailer(&server).send(mail).await.unwrap();
    server.next().await
}

/// Waits until it is so.
async fn soon(is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), wait).await.unwrap();
}

#[tokio::test]
async fn a_mail_arrives_with_all_headers_it_needs() {
    let got = sent(hello()).await;
    assert_eq!((got.from.as_str(), &got.to[..]), ("no-reply@example.com", &["ada@example.com".to_owned()][..]));
    assert_eq!(got.header("From"), Some("Example <no-reply@example.com>"));
    assert_eq!(got.header("To"), Some("ada@example.com"));
    assert_eq!(got.header("Subject"), Some("Hello"));
    assert_eq!(got.header("Content-Type"), Some("text/plain; charset=utf-8"));
    assert_eq!(got.header("Auto-Submitted"), Some("auto-generated"));
    assert!(got.header("Date").unwrap().ends_with("+0000"), "{got:?}");
    let id = got.header("Message-ID").unwrap();
    assert!(id.starts_with('<') && id.ends_with("@example.com>"), "{id}");
    assert_eq!(got.text.trim_end(), "Good morning.");
    assert_eq!(got.headers.len(), 8, "nothing else is told: {:?}", got.headers);
}

#[tokio::test]
async fn subject_body_and_sender_may_be_in_any_script() {
    let text = "Grüße, 日本語.\n.\n..dots\nhttps://example.com/#access_token=".to_owned() + &"x".repeat(64) + "\n";
    let server = SmtpSink::start().await;
    let mailer = SmtpMailer::from_url(&server.url(), "Bücherei Köln <post@bücher.example>").unwrap();
    mailer
        .send(mail("ada@example.com", "Passwort zurücksetzen 🔑 — jetzt gleich, bitte, und nicht erst morgen", &text))
        .await
        .unwrap();
    let got = server.next().await;
    assert_eq!(got.header("Subject"), Some("Passwort zurücksetzen 🔑 — jetzt gleich, bitte, und nicht erst morgen"));
    assert_eq!(got.header("From"), Some("Bücherei Köln <post@xn--bcher-kva.example>"));
    assert_eq!(got.text.trim_end(), text.trim_end());
    assert!(got.raw.is_ascii(), "every server can carry it");
    assert!(got.raw.lines().all(|line| line.len() <= 998), "RFC 5321 4.5.3.1.6");
}

#[tokio::test]
async fn an_international_domain_is_sent_in_its_ascii_form_and_needs_no_extension() {
    let server = SmtpSink::start().await;
    server.withhold("SMTPUTF8");
    mailer(&server).send(mail("ada@bücher.example", "Hello", "text")).await.unwrap();
    assert_eq!(server.next().await.to, ["ada@xn--bcher-kva.example"]);
}

#[tokio::test]
async fn an_international_name_needs_smtputf8() {
    let server = SmtpSink::start().await;
    mailer(&server).send(mail("ädä@example.com", "Hello", "text")).await.unwrap();
    let got = server.next().await;
    assert_eq!(got.to, ["ädä@example.com"]);
    assert!(got.parameters.contains("SMTPUTF8"), "{}", got.parameters);

    server.withhold("SMTPUTF8");
    let connections = server.connections();
    let error = mailer(&server).send(mail("ädä@example.com", "Hello", "text")).await.unwrap_err();
    assert!(error.to_string().contains("SMTPUTF8"), "{error}");
    assert_eq!(server.connections(), connections + 1, "trying again would not help");
}

/// One rule for sign-up and mailer: `email::smtp_form`.
#[tokio::test]
async fn every_address_that_sign_up_takes_gets_its_mail() {
    let server = SmtpSink::start().await;
    for address in [
        "ada@example.com",
        "jos\u{e9}@example.com",
        "u@b\u{fc}cher.example",
        "u@xn--bcher-kva.example",
        "\"a,b\"@example.com",
        "\"a@b\"@example.com",
        "u@[192.0.2.1]",
        "u@[IPv6:2001:db8::1]",
        "\u{1f980}@example.com",
        "\u{7528}\u{6237}@\u{4f8b}\u{5b50}.\u{516c}\u{53f8}",
        "a@localhost",
        "a@b.123",
        "a!#$%&*/=?^_`{|}~-b@c.d",
    ] {
        let policy = Policy::default();
        assert!(policy.accepts_email(address), "{address}");
        let stored = policy.canonical_email(address);
        mailer(&server).send(mail(&stored, "Hello", "text")).await.unwrap();
        let got = server.next().await;
        assert_eq!(got.to, [stored.as_str()]);
        assert_eq!(got.header("To"), Some(stored.as_str()));
    }
}

/// Sign-up refuses what the mailer has learned that its server cannot deliver.
#[tokio::test]
async fn a_server_without_smtputf8_makes_international_names_unreachable_once_it_is_known() {
    let server = SmtpSink::start().await;
    server.withhold("SMTPUTF8");
    let mailer = mailer(&server);
    let auth: Auth = Auth::builder(MemoryStore::new()).hasher(fast_hasher()).mailer(mailer.clone()).build().unwrap();
    assert!(auth.accepts_email("jos\u{e9}@example.com"), "nobody knows yet");
    mailer.check().await.unwrap();
    let refused = auth.register(Register::email("jos\u{e9}@example.com", "correct horse battery")).await.unwrap_err();
    assert!(matches!(refused, RegisterError::Invalid(errors) if errors[0].problem == FieldProblem::InvalidEmail));
    // The domain is sent in ASCII.
    assert!(auth.accepts_email("jose@b\u{fc}cher.example"));
}

/// FUZZ-19
#[tokio::test]
async fn nothing_can_be_added_to_headers_or_envelope() {
    let server = SmtpSink::start().await;
    let mailer = mailer(&server);
    for to in [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\nRCPT TO:<eve@example.com>",
        "\"ada\r\nBcc: eve@example.com\r\n\"@example.com",
        "ada@example.com\0",
        "ada@example.com, eve@example.com",
        "ada@example.com> <eve@example.com",
        "ada@example.com>\u{85}",
        "Ada <ada@example.com>",
        "",
    ] {
        assert!(mailer.send(mail(to, "Hello", "text")).await.is_err(), "{to:?}");
    }
    for subject in ["Hello\r\nBcc: eve@example.com", "Hello\nX: y", "Hello\rX: y", "Hello\0"] {
        assert!(mailer.send(mail("ada@example.com", subject, "text")).await.is_err(), "{subject:?}");
    }
    assert_eq!(server.connections(), 0, "none of these is ever offered to a server");
}

/// The line with one dot ends a mail; a text that holds one must not.
#[tokio::test]
async fn a_text_cannot_end_the_mail_and_begin_another() {
    let evil = "first\r\n.\r\nMAIL FROM:<eve@example.com>\r\nRCPT TO:<eve@example.com>\r\nDATA\r\n.\n.\r.\r\nlast";
    let server = SmtpSink::start().await;
    let mailer = mailer(&server);
    mailer.send(mail("ada@example.com", "Hello", evil)).await.unwrap();
    mailer.send(hello()).await.unwrap();
    let mails = server.wait_for(2).await;
    assert_eq!(mails.len(), 2);
    assert!(mails[0].text.contains("first\n.\nMAIL FROM") && mails[0].text.trim_end().ends_with("last"), "{mails:?}");
    assert_eq!(mails[1].text.trim_end(), "Good morning.");
}

/// What is surely not sent may be tried again: once here, and then by whoever calls. The mail
/// arrives once.
#[tokio::test]
async fn not_now_is_a_temporary_error_and_the_next_try_delivers() {
    for behavior in [SmtpBehavior::Defer, SmtpBehavior::CloseAtConnect] {
        let server = SmtpSink::start().await;
        server.behave_next(1, behavior);
        let mailer = mailer(&server);
        assert!(mailer.send(hello()).await.unwrap_err().is_temporary(), "{behavior:?}");
        assert_eq!((server.mails().len(), server.connections()), (0, 1));
        mailer.send(hello()).await.unwrap();
        assert_eq!((server.mails().len(), server.connections()), (1, 2));
    }
}

#[tokio::test]
async fn an_error_repeats_what_the_server_says() {
    let server = SmtpSink::start().await;
    server.behave(SmtpBehavior::Defer);
    let error = mailer(&server).send(hello()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the mail was not sent: the mail server did not take the mail: transient error (451): 4.7.1 greylisted, come back later"
    );
}

#[tokio::test]
async fn no_is_no() {
    let server = SmtpSink::start().await;
    server.behave(SmtpBehavior::Reject);
    let error = mailer(&server).send(hello()).await.unwrap_err();
    assert!(!error.is_temporary());
    assert_eq!(server.connections(), 1);
    assert!(error.to_string().contains("550"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_temporary_error() {
    // A port that nobody else can take, and that is not listened on.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let unused = socket.local_addr().unwrap();
    let mailer = SmtpMailer::from_url(&format!("smtp://{unused}"), FROM).unwrap();
    let error = mailer.send(hello()).await.unwrap_err();
    assert!(error.is_temporary() && error.to_string().contains("could not be reached"), "{error}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_after_the_timeout() {
    let server = SmtpSink::start().await;
    server.behave(SmtpBehavior::HangAtConnect);
    let mailer = mailer(&server).timeout(Duration::from_millis(200));
    let error = mailer.send(hello()).await.unwrap_err();
    assert_eq!(error.to_string(), "the mail was not sent: the mail server could not be reached: no answer in time");
    assert!(error.is_temporary());
    assert_eq!(server.connections(), 1);
}

/// It may have been taken: a second one could be one too many.
#[tokio::test]
async fn a_mail_that_may_have_been_taken_is_not_sent_again() {
    for behavior in [SmtpBehavior::HangAfterMail, SmtpBehavior::CloseAfterMail] {
        let server = SmtpSink::start().await;
        server.behave(behavior);
        let error = mailer(&server).timeout(Duration::from_secs(2)).send(hello()).await.unwrap_err();
        assert!(!error.is_temporary(), "{behavior:?}");
        assert_eq!(server.connections(), 1, "{behavior:?}");
    }
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = SmtpSink::start().await;
    let mailer = mailer(&server);
    for _ in 0..5 {
        mailer.clone().send(hello()).await.unwrap();
    }
    assert_eq!((server.mails().len(), server.connections()), (5, 1));
}

/// Whatever a send that was given up has left in a connection would be read as part of the next
/// mail.
#[tokio::test]
async fn a_connection_of_a_send_that_was_given_up_is_not_used_again() {
    let server = SmtpSink::start().await;
    let mailer = mailer(&server);
    mailer.send(hello()).await.unwrap();
    server.behave_next(1, SmtpBehavior::HangAfterMail);
    let other = mailer.clone();
    let given_up = tokio::spawn(async move { other.send(mail("ada@example.com", "Lost", "lost")).await });
    soon(|| server.behaviors_left() == 0).await;
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    mailer.send(mail("bob@example.com", "Next", "next")).await.unwrap();
    let mails = server.wait_for(2).await;
    assert_eq!((mails.len(), server.connections()), (2, 2));
    assert_eq!((mails[1].to[0].as_str(), mails[1].text.trim_end()), ("bob@example.com", "next"));
}

/// A server that has closed the connection meanwhile, or says nothing on it any more, costs no
/// mail.
#[tokio::test]
async fn a_connection_that_has_died_is_replaced() {
    let server = SmtpSink::start().await;
    let mailer = mailer(&server);
    mailer.send(hello()).await.unwrap();
    server.hang_up();
    mailer.send(hello()).await.unwrap();
    assert_eq!((server.mails().len(), server.connections()), (2, 2));
}

#[tokio::test]
async fn user_and_password_are_decoded_and_a_wrong_one_is_found_by_check() {
    let server = SmtpSink::start().await;
    let url = format!("smtp://ada%40example.com:p%40ss%3Aw%2Frd%20%C3%A4@{}", server.addr());
    let mailer = SmtpMailer::from_url(&url, FROM).unwrap();
    mailer.check().await.unwrap();
    mailer.send(hello()).await.unwrap();
    assert_eq!(server.logins(), [("ada@example.com".into(), "p@ss:w/rd ä".into())]);
    assert_eq!(server.connections(), 1, "the connection of the check is used");

    server.behave(SmtpBehavior::RefuseLogin);
    let error = SmtpMailer::from_url(&url, FROM).unwrap().check().await.unwrap_err();
    assert!(error.to_string().contains("535") && !error.to_string().contains("p@ss"), "{error}");
}

/// A password never goes in clear to a server that should encrypt.
#[tokio::test]
async fn nothing_is_sent_if_starttls_is_required_and_not_offered() {
    let server = SmtpSink::start().await;
    let url = format!("smtp://ada:secret@{}?tls=required", server.addr());
    let error = SmtpMailer::from_url(&url, FROM).unwrap().send(hello()).await.unwrap_err();
    assert!(error.to_string().contains("STARTTLS is not supported"), "{error}");
    assert_eq!((server.logins().len(), server.mails().len(), server.connections()), (0, 0, 1));
}

#[tokio::test]
async fn starttls_that_is_not_offered_is_done_without_only_when_asked() {
    let server = SmtpSink::start().await;
    for tls in ["opportunistic", "none"] {
        let url = format!("{}?tls={tls}", server.url());
        SmtpMailer::from_url(&url, FROM).unwrap().send(hello()).await.unwrap();
    }
    assert_eq!(server.mails().len(), 2);
}

#[test]
fn settings_say_what_is_encrypted() {
    for (url, port, tls) in [
        ("smtps://mail.example.com", 465, "from the first byte"),
        ("smtps://localhost:4650", 4650, "from the first byte"),
        ("smtp://mail.example.com", 587, "STARTTLS, required"),
        ("smtp://192.0.2.1:2525", 2525, "STARTTLS, required"),
        ("smtp://localhost.example.com", 587, "STARTTLS, required"),
        ("smtp://localhost?tls=required", 587, "STARTTLS, required"),
        ("smtp://mail.example.com?tls=opportunistic", 587, "STARTTLS, if offered"),
        ("smtp://mail.example.com?tls=none", 25, "none"),
        ("smtp://localhost", 25, "none"),
        ("smtp://LOCALHOST:1025", 1025, "none"),
        ("smtp://127.0.0.1", 25, "none"),
        ("smtp://127.8.9.10", 25, "none"),
        ("smtp://[::1]:1025", 1025, "none"),
        ("smtp://[2001:db8::1]", 587, "STARTTLS, required"),
    ] {
        let debug = format!("{:?}", SmtpMailer::from_url(url, FROM).unwrap());
        assert!(debug.contains(&format!("port: {port}, tls: \"{tls}\"")), "{url}: {debug}");
    }
}

#[test]
fn settings_that_cannot_be_meant_are_refused_with_what_to_do() {
    use SmtpConfigError as E;
    for (url, error) in [
        ("smtp.example.com", E::Url("relative URL without a base".into())),
        ("https://example.com", E::Scheme("https".into())),
        ("smtps:", E::NoHost),
        ("smtps://", E::NoHost),
        ("smtps://user@example.com", E::HalfCredentials),
        ("smtps://:password@example.com", E::HalfCredentials),
        ("smtps://user:%FF@example.com", E::NotText),
        ("smtps://user:a%0D%0Ab@example.com", E::NotText),
        ("smtps://example.com/me%0D%0AMAIL", E::NotText),
        ("smtps://example.com/me%20you", E::NotText),
        ("smtp://example.com?tls=yes", E::Tls),
        ("smtp://example.com?tls=required&tls=none", E::Tls),
        ("smtps://example.com?tls=none", E::Tls),
        ("smtp://example.com?ssl=true", E::Parameter("ssl".into())),
    ] {
        assert_eq!(SmtpMailer::from_url(url, FROM).map(|_| ()), Err(error), "{url}");
    }
    let wrong = SmtpMailer::from_url("smtps://example.com", "Example").unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "the sender `Example` is not an address; write no-reply@example.com or Example <no-reply@example.com>, on one line"
    );
}

/// LEAK-2: also in the messages of errors.
#[test]
fn the_password_shows_nowhere() {
    let mailer = SmtpMailer::from_url("smtps://user:hunter22@example.com", FROM).unwrap();
    let debug = format!("{mailer:?} {mailer:#?}");
    assert!(!debug.contains("hunter22") && debug.contains("[redacted]"), "{debug}");
    for url in [
        "smtps://user:hunter22@",
        "http://user:hunter22@example.com",
        "smtps://user:hunter22@exa mple.com",
        "smtps://u:hunter22@e?x=1",
    ] {
        let error = SmtpMailer::from_url(url, FROM).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter22"), "{error:?}");
    }
}

/// The way of a reset mail, from flow to server; and no log line on it holds the secret or the
/// address's password.
#[tokio::test]
async fn a_reset_link_arrives_and_is_not_logged() {
    let logs = LogCapture::new();
    let _guard = logs.start();
    let (server, store) = (SmtpSink::start().await, MemoryStore::new());
    let auth: Auth = Auth::builder(store)
        .hasher(fast_hasher())
        .mailer(mailer(&server))
        .public_url("https://app.example.com")
        .build()
        .unwrap();
    auth.register(Register::email("ada@example.com", "correct horse battery")).await.unwrap();
    server.behave_next(1, SmtpBehavior::Reject);
    let request = || RequestPasswordReset::email("ada@example.com").mount("/api/users");
    auth.request_password_reset(request()).await.unwrap();
    auth.request_password_reset(request()).await.unwrap();
    let link = server.last_link().await;
    let token = server.last_token().await;
    assert_eq!(link, format!("https://app.example.com/api/users/reset-password/form?token={token}"));
    assert!(auth.is_reset_token(&token).await.unwrap());
    // The refusal is logged by the task that sent the mail.
    soon(|| logs.text().contains("mail not sent")).await;
    logs.assert_free_of(&[token.as_str(), "correct horse battery"]);
}
