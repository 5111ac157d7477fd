//! A mail as it goes over the wire: one recipient, and headers nobody can add to.

use gatekit_core::{Mail, MailError, Random, SystemRandom, email};
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

use super::SmtpConfigError;

/// Whom mails are from: an address, or a name and an address in angle brackets.
pub(super) fn sender(text: &str) -> Result<Mailbox, SmtpConfigError> {
    let wrong = || SmtpConfigError::From(text.escape_debug().to_string());
    if text.contains(char::is_control) {
        return Err(wrong());
    }
    let (name, email) = match text.trim().strip_suffix('>').map(|text| text.rsplit_once('<')) {
        Some(Some((name, email))) => (Some(name.trim().trim_matches('"')), email),
        Some(None) => return Err(wrong()),
        None => (None, text.trim()),
    };
    let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(Mailbox::new(name, address(email).ok_or_else(wrong)?))
}

/// 1. Neither recipient nor subject holds a control character, so neither can begin another header
///    or command.
/// 2. The recipient is one address, by the rule that sign-up has too ([`email::smtp_form`]).
/// 3. An international domain is written in its ASCII form, which every server takes. An
///    international name before the `@` needs a server with SMTPUTF8 (RFC 6531).
/// 4. A mail that names a sender comes from that one.
/// 5. With HTML the text goes first, for readers that show no HTML (RFC 2046 §5.1.4).
/// 6. `Auto-Submitted` (RFC 3834) keeps holiday notices from answering.
pub(super) fn compose(from: &Mailbox, mail: &Mail) -> Result<Message, MailError> {
    if mail.to.contains(char::is_control) {
        return Err(MailError::new("the recipient holds a control character"));
    }
    if mail.subject.contains(char::is_control) {
        return Err(MailError::new("the subject holds a control character"));
    }
    let to = address(&mail.to).ok_or_else(|| MailError::new("the recipient is not an address mails can be sent to"))?;
    let from = match &mail.from {
        Some(own) => sender(own).map_err(MailError::new)?,
        None => from.clone(),
    };
    let id = message_id(from.email.domain())?;
    // lettre would read the envelope back from the headers, with its own check of addresses.
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.clone()]).map_err(MailError::new)?;
    let builder = Message::builder()
        .envelope(envelope)
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(&*mail.subject)
        .date_now()
        .message_id(Some(id))
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
    let message = match &mail.html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(mail.text.clone(), html.clone())),
        None => builder.header(ContentType::TEXT_PLAIN).body(mail.text.clone()),
    };
    message.map_err(MailError::new)
}

fn address(text: &str) -> Option<Address> {
    let address = email::smtp_form(text)?;
    let (local, domain) = address.rsplit_once('@')?;
    // lettre's own check refuses emoji and IPv6 literals, which sign-up takes. What smtp_form
    // returns has no blank, control character or angle bracket outside a quoted string.
    Some(Address::new_dangerous(local, domain))
}

/// Unique, and of the sender's domain: the machine's name is nobody's business.
fn message_id(domain: &str) -> Result<String, MailError> {
    let mut bytes = [0; 16];
    SystemRandom.fill(&mut bytes).map_err(MailError::new)?;
    Ok(format!("<{:032x}@{domain}>", u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        for (text, name, email) in [
            ("no-reply@example.com", None, "no-reply@example.com"),
            ("<no-reply@example.com>", None, "no-reply@example.com"),
            ("Example <no-reply@example.com>", Some("Example"), "no-reply@example.com"),
            ("\"Example, Inc.\" <no-reply@example.com>", Some("Example, Inc."), "no-reply@example.com"),
            ("Bücherei Köln <post@bücher.example>", Some("Bücherei Köln"), "post@xn--bcher-kva.example"),
        ] {
            let mailbox = sender(text).unwrap();
            assert_eq!(mailbox.name.as_deref(), name);
            assert_eq!(mailbox.email.to_string(), email);
        }
    }

    #[test]
    fn what_is_no_sender_is_refused_when_the_mailer_is_made() {
        for text in [
            "",
            "example.com",
            "Example",
            "a@b@c",
            "Example no-reply@example.com>",
            "a@example.com\r\nBcc: b@example.com",
            "A <>",
        ] {
            assert!(matches!(sender(text), Err(SmtpConfigError::From(_))), "{text:?}");
        }
    }

    #[test]
    fn two_mails_have_two_ids() {
        let (one, two) = (message_id("example.com").unwrap(), message_id("example.com").unwrap());
        assert_ne!(one, two);
        assert!(one.ends_with("@example.com>") && one.len() == 46, "{one}");
    }
}
