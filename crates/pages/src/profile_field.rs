//! The fields of the profile that the form to sign up has.

use gatekit_core::Texts;
use serde_json::{Number, Value};

use crate::form::Form;
use crate::{Choice, Field, Page, texts};

/// What an input is, and what becomes of it in the profile.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// One line of text: `text`, `tel` or `url` to the browser.
    Text(&'static str),
    /// Several lines.
    Lines,
    Number,
    Checkbox,
    /// One of these values.
    Select(Vec<String>),
}

/// A field of the profile, for the form to sign up: see
/// [`Pages::profile_field`](crate::Pages::profile_field).
///
/// | made by | input | in the profile |
/// | --- | --- | --- |
/// | [`text`](Self::text), [`tel`](Self::tel), [`url`](Self::url), [`date`](Self::date) | one line | a string, without blanks around it; a date is `2026-11-30` |
/// | [`lines`](Self::lines) | several lines | a string |
/// | [`number`](Self::number) | one line | a number |
/// | [`checkbox`](Self::checkbox) | a box to tick | `true` or `false` |
/// | [`select`](Self::select) | a list to choose from | the chosen value |
///
/// What is left empty is not in the profile, so that it is `None` in an `Option` and the default
/// where the type has one. A field that the profile cannot be read without is required, whether or
/// not it was [declared so](Self::required).
///
/// What a field says stands in the texts of the site, for each language the pages are offered in;
/// English where one is missing. These methods put them there, and texts of
/// [`Builder::texts`](gatekit_core::Builder::texts) come first:
///
/// | key | set by | without it |
/// | --- | --- | --- |
/// | `page.profile.NAME` | [`label`](Self::label) | the pages are refused when they are mounted |
/// | `page.profile.NAME.hint` | [`hint`](Self::hint) | no hint |
/// | `page.profile.NAME.missing` | [`missing`](Self::missing) | `Fill in “City”` |
/// | `page.profile.NAME.invalid` | [`invalid`](Self::invalid) | `Check “City”: this is not accepted` |
/// | `page.profile.NAME.VALUE` | [`option`](Self::option), for a value of a list | the value |
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore, Model, User};
/// use gatekit_pages::{Pages, ProfileField};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Profile {
///     city: String,
///     age: Option<u8>,
///     #[serde(default)]
///     newsletter: bool,
/// }
///
/// impl Model for Profile {}
///
/// let store = MemoryStore::new();
/// let auth: Auth<User<Profile>> = Auth::builder(store).build()?;
/// let city = ProfileField::text("city").label("en", "City").label("de", "Stadt").autocomplete("address-level2");
/// let age = ProfileField::number("age").label("en", "Age").label("de", "Alter").hint("en", "In years");
/// let newsletter = ProfileField::checkbox("newsletter").label("en", "Send me news").label("de", "Neuigkeiten schicken");
/// let pages: Router =
///     Pages::new(auth).profile_field(city).profile_field(age).profile_field(newsletter).router();
/// # Ok::<_, gatekit_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "declare it with `Pages::profile_field`"]
pub struct ProfileField {
    name: String,
    kind: Kind,
    required: bool,
    autocomplete: String,
    max_length: Option<usize>,
    /// Language, what comes after `page.profile.NAME`, and the text.
    texts: Vec<(String, String, String)>,
}

/// What was entered into a field.
#[derive(Debug, PartialEq)]
pub(crate) enum Entered {
    /// Nothing.
    Nothing,
    /// What it is in the profile.
    Value(Value),
    /// Something that it cannot be.
    Wrong,
}

impl ProfileField {
    fn new(name: impl Into<String>, kind: Kind) -> Self {
        let name = name.into();
        Self { name, kind, required: false, autocomplete: "off".into(), max_length: None, texts: Vec::new() }
    }

    /// A line of text. `name` is the field's name in the JSON of the profile.
    pub fn text(name: impl Into<String>) -> Self {
        Self::new(name, Kind::Text("text"))
    }

    /// A telephone number, as text.
    pub fn tel(name: impl Into<String>) -> Self {
        Self::new(name, Kind::Text("tel")).autocomplete("tel")
    }

    /// An address in the web, as text.
    pub fn url(name: impl Into<String>) -> Self {
        Self::new(name, Kind::Text("url")).autocomplete("url")
    }

    /// A date, as text: `2026-11-30`.
    pub fn date(name: impl Into<String>) -> Self {
        Self::new(name, Kind::Text("date"))
    }

    /// Text of several lines.
    pub fn lines(name: impl Into<String>) -> Self {
        Self::new(name, Kind::Lines)
    }

    /// A number, as JSON writes it: `7` or `1.5`.
    pub fn number(name: impl Into<String>) -> Self {
        Self::new(name, Kind::Number)
    }

    /// A box to tick: `true` or `false`. If it is required, it must be ticked.
    pub fn checkbox(name: impl Into<String>) -> Self {
        Self::new(name, Kind::Checkbox)
    }

    /// One of these values, as text. [`option`](Self::option) says how each is shown.
    pub fn select<V: Into<String>>(name: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self::new(name, Kind::Select(values.into_iter().map(Into::into).collect()))
    }

    /// It must be filled in.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What it is to a browser that fills in forms: `given-name`, `organization`, `address-level2`
    /// (HTML, autofill field names). `off` unless set.
    pub fn autocomplete(mut self, purpose: impl Into<String>) -> Self {
        self.autocomplete = purpose.into();
        self
    }

    /// At most this many characters.
    pub fn max_length(mut self, chars: usize) -> Self {
        self.max_length = Some(chars);
        self
    }

    /// Its label in a language.
    pub fn label(self, language: impl Into<String>, text: impl Into<String>) -> Self {
        self.say(language, "", text)
    }

    /// What helps to fill it in.
    pub fn hint(self, language: impl Into<String>, text: impl Into<String>) -> Self {
        self.say(language, ".hint", text)
    }

    /// What is said if it is required and empty.
    pub fn missing(self, language: impl Into<String>, text: impl Into<String>) -> Self {
        self.say(language, ".missing", text)
    }

    /// What is said if the profile does not take what was entered.
    pub fn invalid(self, language: impl Into<String>, text: impl Into<String>) -> Self {
        self.say(language, ".invalid", text)
    }

    /// How a value of a [`select`](Self::select) is shown.
    pub fn option(self, value: &str, language: impl Into<String>, text: impl Into<String>) -> Self {
        self.say(language, &format!(".{value}"), text)
    }

    fn say(mut self, language: impl Into<String>, what: &str, text: impl Into<String>) -> Self {
        self.texts.push((language.into(), what.to_owned(), text.into()));
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn require(&mut self) {
        self.required = true;
    }

    /// Its texts: language, key and text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, String, &str)> {
        self.texts.iter().map(|(language, what, text)| (&**language, format!("{}{what}", self.key("")), &**text))
    }

    /// The key of a text, without `page.`.
    fn key(&self, what: &str) -> String {
        format!("profile.{}{what}", self.name)
    }

    /// Why no form can have it.
    pub(crate) fn mistake(&self) -> Option<String> {
        /// What the form has or reads already, and what no client may say of itself.
        const OURS: [&str; 10] = [
            "email",
            "password",
            "username",
            "realm",
            "return_to",
            "id",
            "emailVerified",
            "verificationToken",
            "__proto__",
            "main",
        ];
        let name = &self.name;
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if !is_name {
            return Some(format!("{name:?} cannot be the name of a profile field: use letters, digits, `_` and `-`"));
        }
        OURS.contains(&&**name).then(|| format!("{name:?} is a name of the form's own, and cannot be a profile field"))
    }

    /// Whether there is a label for this language.
    pub(crate) fn has_label(&self, texts: &Texts, language: &str) -> bool {
        texts::get(texts, language, &self.key("")).is_some()
    }

    /// Reads it from a form.
    pub(crate) fn read(&self, form: &Form) -> Entered {
        let text = form.trimmed(&self.name);
        let is_long = |text: &str| self.max_length.is_some_and(|max| text.chars().count() > max);
        match (&self.kind, text) {
            (Kind::Checkbox, None) => Entered::Value(Value::Bool(false)),
            (Kind::Checkbox, Some(_)) => Entered::Value(Value::Bool(true)),
            (_, None) => Entered::Nothing,
            (_, Some(text)) if is_long(&text) => Entered::Wrong,
            (Kind::Number, Some(text)) => text.parse::<Number>().map_or(Entered::Wrong, |it| Entered::Value(it.into())),
            (Kind::Select(values), Some(text)) if !values.contains(&text) => Entered::Wrong,
            (_, Some(text)) => Entered::Value(Value::String(text)),
        }
    }

    /// Whether it is required and this is not enough.
    pub(crate) fn lacks(&self, entered: &Entered) -> bool {
        self.required && matches!(entered, Entered::Nothing | Entered::Value(Value::Bool(false)))
    }

    /// What is said if it is missing.
    pub(crate) fn missing_message(&self, page: &Page) -> String {
        let general = match self.kind {
            Kind::Checkbox => "error.profile.unticked",
            Kind::Select(_) => "error.profile.unchosen",
            _ => "error.profile.missing",
        };
        self.message(page, ".missing", general)
    }

    /// What is said if it is wrong.
    pub(crate) fn invalid_message(&self, page: &Page) -> String {
        let general = match self.kind {
            Kind::Number => "error.profile.number",
            _ => "error.profile.invalid",
        };
        self.message(page, ".invalid", general)
    }

    fn message(&self, page: &Page, own: &str, general: &str) -> String {
        match page.text_if_any(&self.key(own)) {
            Some(text) => text.to_owned(),
            None => page.text_with(general, &[("label", page.text(&self.key("")))]),
        }
    }

    /// How it stands in the form, with what was entered before.
    pub(crate) fn field(&self, page: &Page, entered: Option<String>) -> Field {
        let (label, hint) = (self.key(""), self.key(".hint"));
        let mut field = Field::new(self.name.clone(), page.text(&label)).autocomplete(self.autocomplete.clone());
        field.hint = page.text_if_any(&hint).map(str::to_owned);
        (field.value, field.required, field.max_length) = (entered, self.required, self.max_length);
        field.kind = match &self.kind {
            Kind::Text(kind) => (*kind).into(),
            Kind::Lines => "textarea".into(),
            // Browsers keep what is no number in an input of that type to themselves, and the
            // person does not get it back.
            Kind::Number => "text".into(),
            Kind::Checkbox => "checkbox".into(),
            Kind::Select(_) => "select".into(),
        };
        if self.kind == Kind::Number {
            field.input_mode = Some("decimal".into());
        }
        if let Kind::Select(values) = &self.kind {
            let text = |value: &str| page.text_if_any(&self.key(&format!(".{value}"))).unwrap_or(value).to_owned();
            field.choices = values.iter().map(|value| Choice { value: value.clone(), text: text(value) }).collect();
        }
        field
    }
}
