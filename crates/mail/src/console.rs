//! What a mail looks like while an app is developed: text in the terminal, its link on a line of
//! its own.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gatekit_core::{Mail, MailError, Mailer};

/// Prints mails instead of sending them. For development only: what it prints holds secrets.
///
/// ```text
/// ---- mail ----
/// To: ada@example.com
/// Subject: Choose a new password
///
/// Somebody, hopefully you, wants to choose a new password for ada@example.com.
///
/// Open this link within 15 minutes:
///
/// http://localhost:3000/api/users/reset-password/form?token=GOkZRwgZ61q0…
/// ---- end of mail ----
/// ```
///
/// Clones write to the same place.
///
/// ```
/// use gatekit_mail::ConsoleMailer;
///
/// let to_the_terminal = ConsoleMailer::stdout();
/// let beside_other_output = ConsoleMailer::stderr();
/// let to_a_file = ConsoleMailer::writer(std::io::sink());
/// ```
#[derive(Clone)]
pub struct ConsoleMailer(Arc<Mutex<dyn Write + Send>>);

impl ConsoleMailer {
    /// To standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::writer(io::stdout())
    }

    /// To standard error, for an app whose output is read by another program.
    #[must_use]
    pub fn stderr() -> Self {
        Self::writer(io::stderr())
    }

    /// To any other place.
    #[must_use]
    pub fn writer(writer: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(writer)))
    }
}

impl Default for ConsoleMailer {
    fn default() -> Self {
        Self::stdout()
    }
}

impl fmt::Debug for ConsoleMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConsoleMailer")
    }
}

#[async_trait]
impl Mailer for ConsoleMailer {
    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let printed = print(&mail);
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // At once, so that the lines of two mails never mix.
        writer.write_all(printed.as_bytes()).and_then(|()| writer.flush()).map_err(MailError::new)
    }
}

fn print(mail: &Mail) -> String {
    let mut text = visible(&mail.text);
    let text_shows = |link: &str| text.lines().any(|line| line.trim() == link);
    if let Some(link) = mail.link.as_deref().map(visible).filter(|link| !text_shows(link)) {
        text = format!("{}\n\n{link}", text.trim_end());
    }
    let from = mail.from.as_deref().map_or_else(String::new, |from| format!("From: {}\n", one_line(from)));
    format!(
        "---- mail ----\n{from}To: {}\nSubject: {}\n\n{}\n---- end of mail ----\n",
        one_line(&mail.to),
        one_line(&mail.subject),
        text.trim_end()
    )
}

/// Without what a terminal would take for a command: users choose parts of the text.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

fn one_line(text: &str) -> String {
    visible(text).replace('\n', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatekit_core::MailKind;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    async fn printed(mail: Mail) -> String {
        let page = Page::default();
        ConsoleMailer::writer(page.clone()).send(mail).await.unwrap();
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn mail(text: &str) -> Mail {
        Mail::new(MailKind::ResetPassword, "ada@example.com", "Choose a new password", text)
    }

    const LINK: &str = "http://localhost:3000/api/users/reset-password/form?token=abc";

    #[tokio::test]
    async fn recipient_subject_and_text_are_shown() {
        assert_eq!(
            printed(mail("Enter this code:\n\nabc\n")).await,
            "---- mail ----\nTo: ada@example.com\nSubject: Choose a new password\n\nEnter this code:\n\nabc\n---- end of mail ----\n"
        );
    }

    #[tokio::test]
    async fn the_link_is_a_line_of_its_own_exactly_once() {
        for text in [format!("Open:\n\n{LINK}\n\nBye."), format!("Open <{LINK}> soon."), "Open it.".into()] {
            let mut mail = mail(&text);
            mail.link = Some(LINK.into());
            let printed = printed(mail).await;
            assert_eq!(printed.lines().filter(|line| *line == LINK).count(), 1, "{printed}");
        }
    }

    #[tokio::test]
    async fn nothing_in_a_mail_reaches_the_terminal_as_a_command() {
        let mut evil = mail("red: \u{1b}[31m, bell: \u{7}, C1: \u{9b}2J");
        evil.subject = "two\r\nlines".into();
        let printed = printed(evil).await;
        assert!(printed.chars().all(|c| c == '\n' || !c.is_control()), "{printed:?}");
        assert_eq!(printed.lines().count(), 6, "{printed}");
    }

    #[tokio::test]
    async fn a_place_that_takes_nothing_is_an_error() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::other("disk full"))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = ConsoleMailer::writer(Full).send(mail("text")).await.unwrap_err();
        assert_eq!(error.to_string(), "the mail was not sent: disk full");
    }
}
