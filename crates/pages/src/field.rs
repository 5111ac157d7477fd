//! A field of a form: its label, its hint, its error and its input, tied together for screen
//! readers (WCAG 1.3.1, 3.3.1).

use std::borrow::Cow;

use askama::Template;
use gatekit_core::PasswordError;

use crate::Page;

/// A labelled field of a form. As a template (`{{ email|safe }}`, or `to_string()`) it is the whole
/// of it: label, hint, error, input.
///
/// A template of the app's own builds one for an input that it adds, so that it looks and reads
/// like the others:
///
/// ```
/// use gatekit_pages::Field;
///
/// let city = Field::new("city", "City").autocomplete("address-level2").hint("Where you live").required();
/// let html = city.to_string();
/// assert!(html.contains(r#"<label for="city">City</label>"#));
/// assert!(html.contains(r#"name="city" type="text" autocomplete="address-level2" required aria-describedby="city-hint""#));
///
/// // What was wrong stands beside it.
/// let html = city.value("<Paris>").error("There is no such city").to_string();
/// assert!(html.contains(r#"<span class="error" id="city-error">There is no such city</span>"#));
/// assert!(html.contains(r#"value="&#60;Paris&#62;""#));
/// ```
#[derive(Clone, Debug, Default, Template)]
#[template(path = "field.html")]
#[non_exhaustive]
pub struct Field {
    /// Its name, and the id of its input.
    pub name: Cow<'static, str>,
    /// Its label.
    pub label: String,
    /// The type of its input: `email`, `password`, `text`, `tel`, `url`, `date`, `number`,
    /// `checkbox`; or `select` or `textarea`, which are elements of their own.
    pub kind: Cow<'static, str>,
    /// What it is to password managers and to browsers that fill in forms.
    pub autocomplete: Cow<'static, str>,
    /// What was entered before. Never of a password.
    pub value: Option<String>,
    /// What helps to fill it in.
    pub hint: Option<String>,
    /// What was wrong with it.
    pub error: Option<String>,
    /// Whether it must be filled in.
    pub required: bool,
    /// The least number of characters.
    pub min_length: Option<usize>,
    /// The greatest number of characters.
    pub max_length: Option<usize>,
    /// Which keyboard a phone shows: `decimal`.
    pub input_mode: Option<Cow<'static, str>>,
    /// What can be chosen in a `select`.
    pub choices: Vec<Choice>,
    /// Of a password, what the button that shows it says.
    pub toggle: Option<Toggle>,
}

/// Something to choose in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub text: String,
}

impl Choice {
    /// This value, shown like this.
    #[must_use]
    pub fn new(value: impl Into<String>, text: impl Into<String>) -> Self {
        Self { value: value.into(), text: text.into() }
    }
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

/// For templates of an app's own.
impl Field {
    /// A line of text. `name` is sent with the form, and is the id of the input, to which the
    /// summary of errors links.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            kind: "text".into(),
            autocomplete: "off".into(),
            ..Self::default()
        }
    }

    /// Of this type: see [`kind`](Self::kind).
    #[must_use]
    pub fn kind(mut self, kind: impl Into<Cow<'static, str>>) -> Self {
        self.kind = kind.into();
        self
    }

    /// What it is to password managers and to browsers that fill in forms; `off` unless set.
    #[must_use]
    pub fn autocomplete(mut self, purpose: impl Into<Cow<'static, str>>) -> Self {
        self.autocomplete = purpose.into();
        self
    }

    /// With what was entered before. It is escaped.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// With what helps to fill it in.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With what was wrong with it.
    #[must_use]
    pub fn error(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }

    /// It must be filled in.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// A list to choose from.
    #[must_use]
    pub fn choices(mut self, choices: impl IntoIterator<Item = Choice>) -> Self {
        (self.kind, self.choices) = ("select".into(), choices.into_iter().collect());
        self
    }
}

impl Field {
    pub(crate) fn email(page: &Page, label: &str, autocomplete: &'static str, value: Option<String>) -> Self {
        let field = Self::new("email", page.text(label)).kind("email").autocomplete(autocomplete).required();
        Self { value, ..field }
    }

    /// A name, or a name or an address.
    pub(crate) fn username(page: &Page, name: &'static str, label: &str, value: Option<String>) -> Self {
        Self { value, ..Self::new(name, page.text(label)).autocomplete("username").required() }
    }

    pub(crate) fn password(page: &Page, name: &'static str, label: &str, autocomplete: &'static str) -> Self {
        let toggle = Toggle {
            show: page.text("field.password.show").to_owned(),
            show_label: page.text("field.password.show.label").to_owned(),
            hide: page.text("field.password.hide").to_owned(),
            hide_label: page.text("field.password.hide.label").to_owned(),
        };
        let field = Self::new(name, page.text(label)).kind("password").autocomplete(autocomplete).required();
        Self { toggle: Some(toggle), ..field }
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

    /// Whether this is what was entered before.
    fn is_chosen(&self, value: &str) -> bool {
        self.value.as_deref() == Some(value)
    }

    /// Says that this is no address.
    pub(crate) fn refuse_address(&mut self, page: &mut Page) {
        let key = if self.value.is_none() { "error.email.missing" } else { "error.email.invalid" };
        let message = page.text(key).to_owned();
        self.refuse(page, message);
    }

    /// Says what is wrong with it, here and above the form.
    pub(crate) fn refuse(&mut self, page: &mut Page, message: String) {
        self.error = Some(page.problem(&self.name, message));
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
