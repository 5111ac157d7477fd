//! The mails the flows send: words from the catalogue, the link or the code, and a task of their
//! own.

use std::sync::atomic::Ordering;

use crate::delivery;
use crate::{
    Account, Auth, Mail, MailContent, MailKind, MailOptions, MailParagraph, Texts, Timestamp, TokenClient, TokenSecret,
};

/// What a mail asks its reader to do.
pub(crate) enum Ask {
    /// To open a link with the secret.
    Link(String),
    /// To enter the secret, where no link can be made.
    Code(TokenSecret),
    /// Nothing.
    Nothing,
}

impl Ask {
    pub(crate) fn new(link: Option<String>, secret: &TokenSecret) -> Self {
        link.map_or_else(|| Self::Code(secret.clone()), Self::Link)
    }
}

/// What the app has written itself, in place of the catalogue.
#[derive(Default)]
pub(crate) struct OwnWords<'a> {
    pub(crate) subject: Option<&'a str>,
    /// With `{href}` for the link.
    pub(crate) text: Option<&'a str>,
}

impl MailKind {
    /// Its name in the keys of [`Texts`]: `reset_password` in `mail.reset_password.subject`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset_password",
            Self::VerifyEmail => "verify_email",
            Self::ChangeEmail => "change_email",
            Self::EmailCode => "email_code",
            Self::SetPassword => "set_password",
            Self::EmailChanged => "email_changed",
            Self::PasswordChanged => "password_changed",
            Self::UnknownDevice => "unknown_device",
            Self::AccountExists => "account_exists",
            Self::AccountUnverified => "account_unverified",
            Self::ApprovalRequested => "approval_requested",
            Self::AccountApproved => "account_approved",
        }
    }
}

impl<U: Account> Auth<U> {
    /// Posts a mail with a secret.
    pub(crate) fn post_mail(&self, kind: MailKind, to: &str, mails: &MailOptions, ask: Ask, values: &[(&str, &str)]) {
        self.post(self.compose(kind, to, mails, ask, values, &OwnWords::default()), None);
    }

    /// Posts a mail that asks for nothing, if there is somebody to send it and to get it.
    pub(crate) fn post_notice(&self, kind: MailKind, to: Option<&str>, mails: &MailOptions, values: &[(&str, &str)]) {
        let Some(to) = to.filter(|_| self.0.mailer.is_some()) else { return };
        // At the old address no new password can be asked for.
        let link = if kind == MailKind::EmailChanged { None } else { self.0.links.forgot_password(mails) };
        let ask = link.map_or(Ask::Nothing, Ask::Link);
        self.post(self.compose(kind, to, mails, ask, values, &OwnWords::default()), None);
    }

    /// Posts the notice of a login: when, on what, from where.
    pub(crate) fn post_device_notice(
        &self,
        to: Option<&str>,
        mails: &MailOptions,
        time: Timestamp,
        client: Option<&TokenClient>,
    ) {
        let language = mails.language.as_deref().unwrap_or_default();
        let unknown = self.0.texts.get(language, "mail.unknown_device.unknown").unwrap_or_default();
        let device = client.and_then(|client| client.user_agent.as_deref()).unwrap_or(unknown);
        let network = client.and_then(|client| client.network.as_deref()).unwrap_or(unknown);
        let time = minute(time);
        let values = [("time", time.as_str()), ("device", device), ("network", network)];
        self.post_notice(MailKind::UnknownDevice, to, mails, &values);
    }

    /// 1. The language is the one asked for, or what comes closest to it.
    /// 2. The app's own words win over the catalogue's.
    /// 3. Values are put in once, without control characters: they cannot make a line, a link or a
    ///    placeholder.
    pub(crate) fn compose(
        &self,
        kind: MailKind,
        to: &str,
        mails: &MailOptions,
        ask: Ask,
        values: &[(&str, &str)],
        own: &OwnWords<'_>,
    ) -> MailContent {
        let texts = &self.0.texts;
        let language = texts.language(mails.language.as_deref().unwrap_or_default());
        let word = |what: &str| texts.get(language, &format!("mail.{}.{what}", kind.as_str())).unwrap_or_default();
        let (link, code, what) = match ask {
            Ask::Link(link) => (Some(link), None, "text_with_link"),
            Ask::Code(code) => (None, Some(code.expose().to_owned()), "text_with_code"),
            Ask::Nothing => (None, None, "text"),
        };
        // Words of the app's own are for a link; without one they would lead nowhere.
        let own_text = own.text.filter(|_| link.is_some());
        let mut text = own_text.unwrap_or_else(|| word(what)).replace("\r\n", "\n");
        let ignore = word("ignore");
        if own_text.is_none() && !mails.hide_ignore_message && !ignore.is_empty() {
            text = format!("{text}\n\n{ignore}");
        }
        let printable = |text: &str| text.chars().filter(|c| !is_hidden(*c)).collect::<String>();
        let site = self.0.site_name.as_deref().unwrap_or_default();
        let values = values.iter().copied().chain([("email", to), ("site", site)]);
        let values: Vec<(&str, String)> = values.map(|(name, value)| (name, printable(value))).collect();
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let subject = own.subject.map_or_else(|| Texts::fill(word("subject"), &values), str::to_owned);
        // Words of the app's own have no placeholder but that of the link.
        let values = if own_text.is_some() { Vec::new() } else { values };
        let slots = slots(own_text.is_some(), link.as_deref(), code.as_deref());
        let with_slots: Vec<(&str, &str)> = values.iter().copied().chain(slots.clone()).collect();
        MailContent {
            kind,
            to: to.to_owned(),
            subject,
            text: Texts::fill(&text, &with_slots),
            paragraphs: paragraphs(&text, &values, slots.first().copied(), code.is_some()),
            link,
            code,
            language: language.to_owned(),
            site_name: self.0.site_name.clone().filter(|_| own_text.is_none()),
        }
    }

    /// Whether the page that the link of a verification mail leads to is mounted in this process
    /// ([`mount_confirm_route`](Self::mount_confirm_route)).
    #[must_use]
    pub fn has_confirm_route(&self) -> bool {
        self.0.has_confirm_route.load(Ordering::Relaxed)
    }

    /// Says that this process has a route that verifies addresses: for a crate that has one, when
    /// it builds its router. A route that signs users up makes a link to it only then.
    pub fn mount_confirm_route(&self) {
        self.0.has_confirm_route.store(true, Ordering::Relaxed);
    }

    /// Does the work of [`post`](Self::post) for a mail that is not sent: whether an account exists
    /// must not be told by time.
    pub(crate) fn post_decoy(&self, kind: MailKind, mails: &MailOptions) {
        if self.0.mailer.is_none() {
            return;
        }
        // As long as a secret is.
        let ask = Ask::Link("x".repeat(64));
        let content = self.compose(kind, "nobody@example.invalid", mails, ask, &[], &OwnWords::default());
        let template = self.0.mail_template.clone();
        self.0.under_way.spawn(async move {
            drop(template.map_or_else(|| content.render(), |template| template.render(&content)));
        });
    }

    /// How many mails were lost since the app started: refused by the mailer for good, or not taken
    /// within `policy.mail.timeout`. Each is a line of the log, too, with its kind and the
    /// mailer's reason.
    #[must_use]
    pub fn mails_lost(&self) -> u64 {
        self.0.mails_lost.load(Ordering::Relaxed)
    }

    /// Hands a mail to the mailer on a task of its own: neither its time nor its failure is the
    /// request's, nor those of the template.
    pub(crate) fn post(&self, content: MailContent, from: Option<&str>) {
        let kind = content.kind;
        let Some(mailer) = self.0.mailer.clone() else {
            tracing::warn!(?kind, "no mailer is configured, so this mail was not sent; see Builder::mailer");
            return;
        };
        let auth = self.clone();
        let (template, from) = (self.0.mail_template.clone(), from.map(str::to_owned));
        self.0.under_way.spawn(async move {
            let rendered = template.map_or_else(|| content.render(), |template| template.render(&content));
            // A line feed would begin another header.
            let subject: String = rendered.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let mut mail = Mail::new(kind, content.to, subject, rendered.text);
            (mail.html, mail.link, mail.from) = (rendered.html, content.link, from);
            match delivery::deliver(&mailer, mail, &auth.0.policy, &*auth.0.random).await {
                Ok(()) => tracing::debug!(?kind, "mail sent"),
                Err(error) => {
                    let lost = auth.0.mails_lost.fetch_add(1, Ordering::Relaxed) + 1;
                    tracing::error!(?kind, %error, lost, "mail not sent: it is lost");
                }
            }
        });
    }
}

/// The placeholder of link or code, and what goes there.
fn slots<'a>(own: bool, link: Option<&'a str>, code: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
    match (link, code) {
        (Some(link), _) if own => vec![("href", link)],
        (Some(link), _) => vec![("link", link)],
        (None, Some(code)) => vec![("code", code)],
        (None, None) => Vec::new(),
    }
}

/// A text in pieces: what blank lines part, and the link or code by itself.
fn paragraphs(text: &str, values: &[(&str, &str)], slot: Option<(&str, &str)>, is_code: bool) -> Vec<MailParagraph> {
    let placeholder = slot.map(|(name, _)| format!("{{{name}}}"));
    let mut paragraphs = Vec::new();
    for block in text.split("\n\n") {
        let pieces: Vec<&str> = match &placeholder {
            Some(placeholder) => block.split(placeholder.as_str()).collect(),
            None => vec![block],
        };
        for (index, piece) in pieces.iter().enumerate() {
            if let (Some((_, secret)), true) = (slot, index > 0) {
                let secret = secret.to_owned();
                paragraphs.push(if is_code { MailParagraph::Code(secret) } else { MailParagraph::Link(secret) });
            }
            let piece = piece.trim();
            if !piece.is_empty() {
                paragraphs.push(MailParagraph::Text(Texts::fill(piece, values)));
            }
        }
    }
    paragraphs
}

/// What does not show, or shows other text in another order: control characters, line separators,
/// and marks of direction.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
}

/// `2013-12-20 20:30 UTC`, which every language can read.
pub(crate) fn minute(time: Timestamp) -> String {
    let time = time.to_string();
    let (day, clock) = time.split_once('T').unwrap_or((&time, ""));
    format!("{day} {} UTC", clock.get(..5).unwrap_or_default())
}

/// The first text of a mail that cannot be sent as it is, in words.
pub(crate) fn mistake(texts: &Texts) -> Option<(String, &'static str)> {
    texts.all().find_map(|(language, key, text)| {
        let rest = key.strip_prefix("mail.")?;
        let what = if rest.ends_with(".subject") && text.contains(char::is_control) {
            "must be one line"
        } else if rest.ends_with(".text_with_link") && !text.contains("{link}") {
            "must contain {link}"
        } else if rest.ends_with(".text_with_code") && !text.contains("{code}") {
            "must contain {code}"
        } else {
            return None;
        };
        Some((format!("{key} ({language})"), what))
    })
}
