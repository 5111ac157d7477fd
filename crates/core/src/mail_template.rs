//! How a mail looks: what it has to say, and the template that makes text and HTML of it.

use std::fmt;

use crate::MailKind;

/// Makes a mail's subject, text and HTML of what it has to say;
/// [`Builder::mail_template`](crate::Builder::mail_template) puts one in place of
/// [`MailContent::render`]. To change words only, replace them in [`Texts`](crate::Texts).
///
/// It runs on the task that sends the mail: its time is not the request's.
///
/// ```
/// use gatekit_core::{Auth, MailContent, MailKind, MailParagraph, MailTemplate, MemoryStore, RenderedMail, escape_html};
///
/// struct Letter;
///
/// impl MailTemplate for Letter {
///     fn render(&self, mail: &MailContent) -> RenderedMail {
///         // All others look as they do by default.
///         let mut rendered = mail.render();
///         if mail.kind == MailKind::ResetPassword {
///             let body = mail.paragraphs.iter().map(|paragraph| match paragraph {
///                 MailParagraph::Link(url) => format!("<p><a href=\"{0}\">{0}</a></p>", escape_html(url)),
///                 MailParagraph::Text(text) | MailParagraph::Code(text) => format!("<p>{}</p>", escape_html(text)),
///                 _ => String::new(),
///             });
///             let body: String = body.collect();
///             rendered.html = Some(format!("<!DOCTYPE html><html lang=\"{}\"><h1>Acme</h1>{body}</html>", mail.language));
///         }
///         rendered
///     }
/// }
///
/// let store = MemoryStore::new();
/// let auth: Auth = Auth::builder(store).mail_template(Letter).build()?;
/// # Ok::<_, gatekit_core::ConfigError>(())
/// ```
pub trait MailTemplate: Send + Sync + 'static {
    /// The mail.
    fn render(&self, mail: &MailContent) -> RenderedMail;
}

/// What a mail has to say. Link and code are secrets: `Debug` shows neither.
#[derive(Clone)]
#[non_exhaustive]
pub struct MailContent {
    /// What it is about.
    pub kind: MailKind,
    /// The address it goes to.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// All of the text, link or code included.
    pub text: String,
    /// The same in pieces, in the order they are read. None of it is escaped.
    pub paragraphs: Vec<MailParagraph>,
    /// The link, if there is one.
    pub link: Option<String>,
    /// The secret to be entered somewhere, where there is no link.
    pub code: Option<String>,
    /// The language of the texts, as a tag of RFC 5646: `de`.
    pub language: String,
    /// What the site is called, if [`Builder::site_name`](crate::Builder::site_name) says so.
    /// `None` where the app has written the whole text, in [`VerifyOptions`](crate::VerifyOptions).
    pub site_name: Option<String>,
}

/// A piece of a mail.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailParagraph {
    /// Text, one line or more.
    Text(String),
    /// The link.
    Link(String),
    /// The secret to be entered somewhere.
    Code(String),
}

impl fmt::Debug for MailParagraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::Link(_) => f.write_str("Link([redacted])"),
            Self::Code(_) => f.write_str("Code([redacted])"),
        }
    }
}

impl fmt::Debug for MailContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailContent")
            .field("kind", &self.kind)
            .field("to", &self.to)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

/// A mail as it is sent. Its text holds a secret: `Debug` shows the subject alone.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenderedMail {
    /// The subject. A control character becomes a blank: it is one line.
    pub subject: String,
    /// The plain text, for readers that show no HTML.
    pub text: String,
    /// The same as HTML, if the mail is to have it.
    pub html: Option<String>,
}

impl RenderedMail {
    /// Without HTML.
    #[must_use]
    pub fn new(subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { subject: subject.into(), text: text.into(), html: None }
    }

    /// With HTML, which must be escaped; see [`escape_html`].
    #[must_use]
    pub fn html(mut self, html: impl Into<String>) -> Self {
        self.html = Some(html.into());
        self
    }
}

impl fmt::Debug for RenderedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderedMail").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl MailContent {
    /// The mail as it is without a template of the app's. Its HTML says what the text says, needs
    /// nothing from anywhere, and shows where the link leads.
    #[must_use]
    pub fn render(&self) -> RenderedMail {
        let text = match &self.site_name {
            Some(site) => format!("{}\n\n{site}\n", self.text.trim_end()),
            None => self.text.clone(),
        };
        RenderedMail::new(self.subject.clone(), text).html(self.render_html())
    }

    fn render_html(&self) -> String {
        let (language, subject) = (escape_html(&self.language), escape_html(&self.subject));
        let site = self.site_name.as_deref().map(escape_html);
        let site = site.map_or_else(String::new, |site| format!("<p style=\"{SITE}\">{site}</p>\n"));
        let body: String = self.paragraphs.iter().map(paragraph).collect();
        format!(
            "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{subject}</title>\n</head>\n\
             <body style=\"{BODY}\">\n<div style=\"{PAGE}\">\n{site}<h1 style=\"{HEADING}\">{subject}</h1>\n{body}</div>\n</body>\n</html>\n"
        )
    }
}

// Mail readers drop style sheets, so each element has its own; colors are the reader's.
const BODY: &str = "margin:0;padding:24px;font-family:sans-serif;font-size:16px;line-height:1.5";
const PAGE: &str = "max-width:36em;margin:0 auto";
const SITE: &str = "margin:0 0 16px;font-weight:bold";
const HEADING: &str = "margin:0 0 16px;font-size:20px;line-height:1.3";
const PARAGRAPH: &str = "margin:0 0 16px";
/// A link is longer than a phone is wide.
const LONG: &str = "word-break:break-all";

fn paragraph(paragraph: &MailParagraph) -> String {
    let content = match paragraph {
        MailParagraph::Text(text) => escape_html(text).replace('\n', "<br>\n"),
        MailParagraph::Link(link) => {
            let link = escape_html(link);
            format!("<a href=\"{link}\" style=\"{LONG}\">{link}</a>")
        }
        MailParagraph::Code(code) => format!("<code style=\"{LONG}\">{}</code>", escape_html(code)),
    };
    format!("<p style=\"{PARAGRAPH}\">{content}</p>\n")
}

/// Text as HTML shows it, between tags and in attributes with quotes around them.
///
/// ```
/// assert_eq!(gatekit_core::escape_html("<b>\"Tom\" & 'Jerry'"), "&lt;b&gt;&quot;Tom&quot; &amp; &#39;Jerry&#39;");
/// ```
#[must_use]
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
