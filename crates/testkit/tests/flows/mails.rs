//! What the mails say: in which language, as text and as HTML, and what an app changes about it.

use std::time::Duration;

use gatekit_core::{
    Auth, Builder, ChangePassword, Client, ConfigError, Login, Mail, MailContent, MailKind, MailOptions, MailParagraph,
    MailTemplate, MemoryStore, Policy, Register, RenderedMail, RequestEmailChange, RequestEmailVerification,
    RequestPasswordReset, Texts, User, VerifyOptions,
};
use gatekit_testkit::{MailBehavior, MailSink, fast_hasher};

use super::{EMAIL, NEW, OLD};

const KINDS: [MailKind; 5] = [
    MailKind::ResetPassword,
    MailKind::VerifyEmail,
    MailKind::ChangeEmail,
    MailKind::PasswordChanged,
    MailKind::UnknownDevice,
];

fn app(configure: impl FnOnce(Builder<User>) -> Builder<User>) -> (Auth, MailSink) {
    let (store, mails) = (MemoryStore::new(), MailSink::new());
    let mut policy = Policy::default();
    policy.mail.notify_unknown_device = true;
    let builder = Auth::builder(store).policy(policy).mailer(mails.clone()).hasher(fast_hasher());
    (configure(builder).build().unwrap(), mails)
}

fn with_links(builder: Builder<User>) -> Builder<User> {
    builder.public_url("https://app.example.com").forgot_password_link("https://app.example.com/forgot-password")
}

/// One mail of each of the [`KINDS`], in this language.
async fn one_of_each(auth: &Auth, mails: &MailSink, language: &str, user_agent: &str) -> Vec<Mail> {
    let options = MailOptions::mount("/api/users").language(language);
    let user = auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    auth.login(Login::email(EMAIL, OLD)).await.unwrap();
    auth.request_password_reset(RequestPasswordReset::email(EMAIL).mails(options.clone())).await.unwrap();
    mails.wait_for(1).await;
    auth.request_email_verification(RequestEmailVerification::email(EMAIL).mails(options.clone())).await.unwrap();
    mails.wait_for(2).await;
    let change = RequestEmailChange::new(user.id.clone(), OLD, "new@example.com").mails(options.clone());
    auth.request_email_change(change).await.unwrap();
    mails.wait_for(3).await;
    auth.change_password(ChangePassword::new(user.id.clone(), OLD, NEW).mails(options.clone())).await.unwrap();
    mails.wait_for(4).await;
    let client = Client::default().user_agent(user_agent).ip([203, 0, 113, 7]);
    auth.login(Login::email(EMAIL, NEW).client(client).mails(options)).await.unwrap();
    let all = mails.wait_for(5).await;
    assert_eq!(all.iter().map(|mail| mail.kind).collect::<Vec<_>>(), KINDS);
    all
}

/// Text between the tags, as a reader sees it.
fn seen(html: &str) -> String {
    let body = html.split_once("<body").unwrap().1;
    let text: String = body.split('<').filter_map(|piece| Some(piece.split_once('>')?.1)).collect();
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    text.replace("&amp;", "&")
}

#[tokio::test]
async fn every_mail_is_text_and_html_in_the_language_asked_for() {
    for (asked, language, subjects) in [
        ("en", "en", ["Choose a new password", "Thanks for Registering", "Confirm your new address"]),
        ("de-AT", "de", ["Neues Passwort wählen", "Danke für Ihre Anmeldung", "Bestätigen Sie Ihre neue Adresse"]),
        ("tlh", "en", ["Choose a new password", "Thanks for Registering", "Confirm your new address"]),
    ] {
        for links in [true, false] {
            let (auth, mails) = app(|builder| if links { with_links(builder) } else { builder });
            let all = one_of_each(&auth, &mails, asked, "Firefox").await;
            assert_eq!(all[..3].iter().map(|mail| mail.subject.as_str()).collect::<Vec<_>>(), subjects);
            for mail in &all {
                let html = mail.html.as_deref().unwrap();
                assert!(html.contains(&format!("<html lang=\"{language}\">")), "{html}");
                assert!(
                    !mail.text.contains(['{', '}']) && !html.contains(['{', '}']),
                    "no placeholder is left: {html}"
                );
                assert_eq!(mail.link.is_some(), links, "{:?}", mail.kind);
                if let Some(link) = &mail.link {
                    let escaped = link.replace('&', "&amp;");
                    assert!(mail.text.contains(link.as_str()), "{}", mail.text);
                    assert!(
                        html.contains(&format!("href=\"{escaped}\"")) && seen(html).contains(link.as_str()),
                        "{html}"
                    );
                }
                // All that the text says the HTML says, too.
                for line in mail.text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                    assert!(seen(html).contains(line), "{line:?} is not in {html}");
                }
                // V-99: nothing is fetched from anywhere.
                for fetched in ["src=", "url(", "<img", "<link", "<script", "<style", "@import", "srcset"] {
                    assert!(!html.contains(fetched), "{fetched}");
                }
            }
        }
    }
}

/// Contract §5.7: clients and tests of LoopBack apps know it.
#[tokio::test]
async fn the_english_verification_mail_is_loopbacks() {
    for language in [None, Some("en"), Some("fr")] {
        let (auth, mails) = app(with_links);
        let user = auth.register(Register::email(EMAIL, OLD)).await.unwrap();
        let mut options = MailOptions::mount("/api/users");
        options.language = language.map(str::to_owned);
        auth.request_email_verification(RequestEmailVerification::user(user.id).mails(options)).await.unwrap();
        let mail = mails.next().await;
        assert_eq!(mail.subject, "Thanks for Registering");
        let link = mail.link.unwrap();
        assert_eq!(mail.text, format!("Please verify your email by opening this link in a web browser:\n\t{link}"));
    }
}

#[tokio::test]
async fn words_of_the_apps_own_for_verification_win_in_every_language_and_html_follows_them() {
    let mut options = VerifyOptions::default();
    options.subject = "Bonjour {email}".into();
    options.text = "Cliquez <ici>, {email}:\n\n{href}\n\nMerci !".into();
    options.from = Some("Acme <post@acme.example>".into());
    let (auth, mails) = app(|builder| with_links(builder).verify_options(options).site_name("Acme"));
    let all = one_of_each(&auth, &mails, "de", "Firefox").await;
    let (mail, link) = (&all[1], all[1].link.clone().unwrap());
    assert_eq!(mail.subject, "Bonjour {email}");
    assert_eq!(mail.text, format!("Cliquez <ici>, {{email}}:\n\n{link}\n\nMerci !"), "only {{href}} is replaced");
    let html = mail.html.as_deref().unwrap();
    assert!(html.contains("Cliquez &lt;ici&gt;, {email}:</p>") && html.contains("Merci !</p>"), "{html}");
    assert!(html.contains(&format!(">{}</a>", link.replace('&', "&amp;"))));
    assert_eq!(mail.from.as_deref(), Some("Acme <post@acme.example>"));
    assert_eq!(all[0].from, None);
    assert!(all[0].text.ends_with("\n\nAcme\n") && all[0].html.as_deref().unwrap().contains(">Acme</p>"));
    // Half of them.
    let mut options = VerifyOptions::default();
    options.subject = "Welcome".into();
    let (auth, mails) = app(|builder| with_links(builder).verify_options(options));
    let all = one_of_each(&auth, &mails, "de", "Firefox").await;
    assert_eq!(all[1].subject, "Welcome");
    assert!(all[1].text.starts_with("Bitte bestätigen Sie"));
}

/// 1.2.1, 1.3.3, INJ: a user agent is whatever somebody sends.
#[tokio::test]
async fn what_a_stranger_sends_is_shown_as_it_is_and_can_be_nothing_else() {
    let hostile = "<img src=x onerror=alert(1)>\"'&{link}{time}\r\nBcc: a@b.c\u{1b}[31m\u{202e}\u{2028}\u{200b}end";
    let (auth, mails) = app(|builder| with_links(builder).site_name("A & <B>"));
    let all = one_of_each(&auth, &mails, "en", hostile).await;
    let (mail, html) = (&all[4], all[4].html.as_deref().unwrap());
    let shown = "<img src=x onerror=alert(1)>\"'&{link}{time}Bcc: a@b.c[31mend";
    assert!(mail.text.lines().any(|line| line == format!("On: {shown}")), "{}", mail.text);
    assert!(seen(html).contains(shown) && !html.contains("<img") && html.contains("A &amp; &lt;B&gt;"), "{html}");
    assert!(mail.text.lines().any(|line| line == "Network: 203.0.113.0/24"), "{}", mail.text);
    let when = mail.text.lines().find_map(|line| line.strip_prefix("When: ")).unwrap();
    assert!(when.len() == 20 && when.ends_with(" UTC") && when.starts_with("20"), "{when}");
    assert!(mail.text.chars().all(|c| c == '\n' || !c.is_control()));
    assert_eq!(html.matches("<a ").count(), 1, "the only link is the kit's: {html}");
}

#[tokio::test]
async fn an_app_replaces_a_text_or_adds_a_language() {
    let texts = Texts::default().set("en", "mail.reset_password.subject", "{site}: hello {email}, {unknown}").set(
        "fr",
        "mail.reset_password.text_with_link",
        "Pour {email}:\r\n\r\nen {minutes} minutes <{link}>.\n\nFin",
    );
    let (auth, mails) = app(|builder| with_links(builder).site_name("Acme").texts(texts));
    assert_eq!(auth.texts().negotiate("fr-CA"), "fr");
    let all = one_of_each(&auth, &mails, "fr-CA", "Firefox").await;
    assert_eq!(all[0].subject, "Acme: hello ada@example.com, {unknown}", "what French does not have is English");
    let link = all[0].link.as_deref().unwrap();
    assert!(all[0].text.starts_with(&format!("Pour {EMAIL}:\n\nen 15 minutes <{link}>.\n\nFin")), "{}", all[0].text);
    let html = all[0].html.as_deref().unwrap();
    assert!(html.contains("<html lang=\"fr\">") && html.contains(">en 15 minutes &lt;</p>"), "{html}");
}

#[tokio::test]
async fn texts_that_cannot_be_sent_are_refused_when_the_app_starts() {
    for (key, text, what) in [
        (
            "mail.reset_password.text_with_link",
            "Open it",
            "the text mail.reset_password.text_with_link (de) must contain {link}",
        ),
        (
            "mail.verify_email.text_with_code",
            "Enter it",
            "the text mail.verify_email.text_with_code (de) must contain {code}",
        ),
        (
            "mail.password_changed.subject",
            "a\r\nBcc: b@c.d",
            "the text mail.password_changed.subject (de) must be one line",
        ),
    ] {
        let store = MemoryStore::new();
        let auth = Auth::<User>::builder(store).texts(Texts::default().set("de", key, text)).build();
        assert_eq!(auth.unwrap_err().to_string(), what);
    }
    let store = MemoryStore::new();
    let builder = || Auth::<User>::builder(store.clone());
    assert!(matches!(builder().site_name("two\nlines").build(), Err(ConfigError::SiteName)));
    for link in ["/forgot", "javascript:alert(1)", "https://", "https://a b"] {
        let auth = builder().forgot_password_link(link).build();
        assert!(matches!(auth, Err(ConfigError::Link("forgot_password_link", _))), "{link}");
    }
}

/// Puts all it is given into the mail, and a line feed into the subject.
struct Own;

impl MailTemplate for Own {
    fn render(&self, mail: &MailContent) -> RenderedMail {
        assert_ne!(mail.kind, MailKind::ChangeEmail, "a template that panics");
        let pieces: Vec<&str> = mail
            .paragraphs
            .iter()
            .map(|paragraph| match paragraph {
                MailParagraph::Text(_) => "text",
                MailParagraph::Link(link) => {
                    assert_eq!(Some(link), mail.link.as_ref());
                    "link"
                }
                MailParagraph::Code(code) => {
                    assert_eq!(Some(code), mail.code.as_ref());
                    "code"
                }
                _ => "",
            })
            .collect();
        let site = mail.site_name.as_deref().unwrap_or("-");
        let text = format!("{} {} {} {site} {}", mail.kind.as_str(), mail.to, mail.language, pieces.join(","));
        let rendered = RenderedMail::new(format!("{}\r\nBcc: x@y.z", mail.subject), text);
        if mail.code.is_some() { rendered.html("<p>own</p>") } else { rendered }
    }
}

#[tokio::test]
async fn a_template_of_the_apps_own_makes_the_mail() {
    let (auth, mails) = app(|builder| with_links(builder).site_name("Acme").mail_template(Own));
    auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    let options = MailOptions::mount("/api/users").language("de");
    auth.request_password_reset(RequestPasswordReset::email(EMAIL).mails(options.clone())).await.unwrap();
    let mail = mails.next().await;
    assert_eq!(mail.text, "reset_password ada@example.com de Acme text,text,link,text");
    assert_eq!(mail.subject, "Neues Passwort wählen  Bcc: x@y.z", "a subject is one line");
    assert!(
        mail.html.is_none()
            && mail.link.unwrap().starts_with("https://app.example.com/api/users/reset-password/form?token=")
    );

    let (auth, mails) = app(|builder| builder.mail_template(Own));
    auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    auth.request_email_verification(RequestEmailVerification::email(EMAIL).mails(options)).await.unwrap();
    let mail = mails.next().await;
    assert_eq!(mail.text, "verify_email ada@example.com de - text,code");
    assert_eq!(mail.html.as_deref(), Some("<p>own</p>"));
}

/// An app that stops loses none: what is under way is waited for, whether it is sent, refused,
/// never answered or ends in a panic.
#[tokio::test(start_paused = true)]
async fn mails_under_way_are_waited_for() {
    let (auth, mails) = app(with_links);
    auth.settled().await;
    auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    let ask = || auth.request_password_reset(RequestPasswordReset::email(EMAIL).trusted(true));
    ask().await.unwrap();
    ask().await.unwrap();
    auth.settled().await;
    assert_eq!(mails.mails().len(), 2);

    mails.behave(MailBehavior::Fail);
    ask().await.unwrap();
    auth.settled().await;
    assert_eq!(mails.attempts(), 3);

    mails.behave(MailBehavior::Hang);
    ask().await.unwrap();
    let begun = tokio::time::Instant::now();
    auth.settled().await;
    assert_eq!(begun.elapsed().as_secs(), auth.policy().mail.timeout.as_secs(), "it had its time, and no more");

    let (auth, _) = app(|builder| with_links(builder).mail_template(Own));
    let user = auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    auth.request_email_change(RequestEmailChange::new(user.id.clone(), OLD, "new@example.com")).await.unwrap();
    auth.settled().await;
}

/// 16.5.3: a mailer that says "not now" for a while gets the mail a little later, and one that says
/// it to the end loses the mail, which is counted and logged, without its secret.
#[tokio::test(start_paused = true)]
async fn not_now_is_not_no() {
    let logs = gatekit_testkit::LogCapture::new();
    let _guard = logs.start();
    let (auth, mails) = app(with_links);
    auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    let ask = || auth.request_password_reset(RequestPasswordReset::email(EMAIL).mount("/api/users"));
    mails.behave(MailBehavior::Defer);
    ask().await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let tries = mails.attempts();
    assert!((4..10).contains(&tries) && mails.mails().is_empty(), "{tries} tries in 20 seconds");
    mails.behave(MailBehavior::Deliver);
    auth.settled().await;
    assert_eq!((mails.mails().len(), auth.mails_lost()), (1, 0), "it came");

    mails.behave(MailBehavior::Defer);
    let begun = tokio::time::Instant::now();
    ask().await.unwrap();
    auth.settled().await;
    let tried = begun.elapsed();
    assert!(tried > auth.policy().mail.timeout / 2 && tried <= auth.policy().mail.timeout, "{tried:?}");
    assert_eq!((mails.mails().len(), auth.mails_lost()), (1, 1));
    let line = logs.text();
    assert!(line.contains("ERROR") && line.contains("ResetPassword") && line.contains("lost=1"), "{line}");
    assert!(!line.contains(EMAIL) && !line.contains("token="), "{line}");
    mails.behave(MailBehavior::Fail);
    ask().await.unwrap();
    auth.settled().await;
    assert_eq!(auth.mails_lost(), 2);
}

/// REL-10
#[tokio::test]
async fn a_template_that_panics_loses_its_mail_and_no_more() {
    let (auth, mails) = app(|builder| with_links(builder).mail_template(Own));
    let user = auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    auth.request_email_change(RequestEmailChange::new(user.id.clone(), OLD, "new@example.com")).await.unwrap();
    auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
    assert_eq!(mails.next().await.kind, MailKind::ResetPassword);
}

/// V-84, 16.2.5
#[tokio::test]
async fn what_a_template_is_given_prints_no_secret() {
    struct Printing;
    impl MailTemplate for Printing {
        fn render(&self, mail: &MailContent) -> RenderedMail {
            let printed = format!("{mail:?} {:?} {:?}", mail.paragraphs, mail.render());
            RenderedMail::new(mail.subject.clone(), printed)
        }
    }
    for links in [true, false] {
        let (auth, mails) = app(|builder| {
            let builder = builder.mail_template(Printing);
            if links { with_links(builder) } else { builder }
        });
        auth.register(Register::email(EMAIL, OLD)).await.unwrap();
        auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
        let printed = mails.next().await.text;
        let secret_like = |word: &str| word.len() >= 64 && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        assert!(!printed.split(|c: char| !c.is_ascii_alphanumeric()).any(secret_like), "{printed}");
        assert!(printed.contains("[redacted]"));
    }
}
