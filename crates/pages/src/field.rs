//! What is a field of a form? Its label, its hint, its error and its input, tied together for screen readers (WCAG 1.3.1, 3.3.1).

use askama::Template;
use gatekit_core::PasswordError;

use crate::Page;

/// A labelled field of a form. As a template (`{{ email|safe }}`) it is the whole of it: label, hint, error, input.
#[derive(Clone, Debug, Template)]
#[template(path = "field.html")]
#[non_exhaustive]
pub struct Field {
    /// Its name, and the id of its input.
    pub name: &'static str,
    /// Its label.
    pub label: String,
    /// `email`, `password` or `text`.
    pub kind: &'static str,
    /// What it is to password managers.
    pub autocomplete: &'static str,
    /// What was entered before. Never of a password.
    pub value: Option<String>,
    /// What helps to fill it in.
    pub hint: Option<String>,
    /// What was wrong with it.
    pub error: Option<String>,
    /// The least number of characters.
    pub min_length: Option<usize>,
    /// Of a password, what the button that shows it says.
    pub toggle: Option<Toggle>,
}

/// What the button says that shows a password.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Toggle {
    /// On it, while the password is hidden.
    pub show: String,
    /// Its full name then.
    pub show_label: String,
    /// On it, while the password is shown.
    pub hide: String,
    /// Its full name then.
    pub hide_label: String,
}

impl Field {
    pub(crate) fn email(page: &Page, label: &str, autocomplete: &'static str, value: Option<String>) -> Self {
        Self {
            name: "email",
            label: page.text(label).to_owned(),
            kind: "email",
            autocomplete,
            value,
            hint: None,
            error: None,
            min_length: None,
            toggle: None,
        }
    }

    pub(crate) fn password(page: &Page, name: &'static str, label: &str, autocomplete: &'static str) -> Self {
        let toggle = Toggle {
            show: page.text("field.password.show").to_owned(),
            show_label: page.text("field.password.show.label").to_owned(),
            hide: page.text("field.password.hide").to_owned(),
            hide_label: page.text("field.password.hide.label").to_owned(),
        };
        Self { name, kind: "password", toggle: Some(toggle), ..Self::email(page, label, autocomplete, None) }
    }

    /// A password that is yet to be chosen.
    pub(crate) fn new_password(page: &Page, label: &str, min_length: usize) -> Self {
        let hint = page.text_with("field.password.hint", &[("min", &min_length.to_string())]);
        Self {
            hint: Some(hint),
            min_length: Some(min_length),
            ..Self::password(page, "password", label, "new-password")
        }
    }

    /// The ids of what describes it, the error first.
    fn described_by(&self) -> Option<String> {
        let ids = [self.error.as_ref().map(|_| "error"), self.hint.as_ref().map(|_| "hint")];
        let ids: Vec<String> = ids.iter().flatten().map(|id| format!("{}-{id}", self.name)).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    /// Says that this is no address.
    pub(crate) fn refuse_address(&mut self, page: &mut Page) {
        let key = if self.value.is_none() { "error.email.missing" } else { "error.email.invalid" };
        let message = page.text(key).to_owned();
        self.error = Some(page.problem(self.name, message));
    }
}

/// Why a password is not accepted, in words.
pub(crate) fn password_message(page: &Page, error: &PasswordError) -> String {
    match error {
        PasswordError::TooShort { min, .. } => page.text_with("error.password.short", &[("min", &min.to_string())]),
        PasswordError::TooLong { max, .. } => page.text_with("error.password.long", &[("max", &max.to_string())]),
        PasswordError::Expected => page.text("error.password.expected").to_owned(),
        PasswordError::Common => page.text("error.password.common").to_owned(),
        _ => page.text("error.password.new.missing").to_owned(),
    }
}
