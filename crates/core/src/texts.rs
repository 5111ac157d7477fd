//! What people are told, in which language: one catalogue of texts per language, for mails and
//! pages.

use std::borrow::Cow;
use std::collections::BTreeMap;

mod negotiate;

const ENGLISH: &str = "en";
const BUILT_IN: [(&str, &str); 2] = [(ENGLISH, include_str!("texts/en.json")), ("de", include_str!("texts/de.json"))];

/// The texts that people read, one catalogue per language. English and German are built in; an app
/// replaces a text or adds a language.
///
/// ```
/// use gatekit_core::Texts;
///
/// let texts = Texts::default()
///     .set("en", "mail.reset_password.subject", "Your new Acme password")
///     .set("fr", "mail.reset_password.subject", "Choisissez un nouveau mot de passe");
///
/// assert_eq!(texts.get("en", "mail.reset_password.subject"), Some("Your new Acme password"));
/// assert_eq!(texts.get("de-AT", "mail.reset_password.subject"), Some("Neues Passwort wählen"));
/// // What a language does not have is English.
/// assert_eq!(texts.get("fr", "mail.email_changed.subject"), Some("Your address was changed"));
/// ```
///
/// A text may have placeholders in braces; [`Texts::fill`] puts values in their place. Texts are
/// plain: whoever shows them as HTML escapes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts(Vec<Catalogue>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Catalogue {
    /// The tag as it was first written; tags are compared without regard to case (RFC 5646 §2.1.1).
    language: Cow<'static, str>,
    texts: BTreeMap<Cow<'static, str>, Cow<'static, str>>,
}

impl Default for Texts {
    /// English and German.
    fn default() -> Self {
        let catalogue = |(language, json): (&'static str, &'static str)| {
            // That they can be read is a test.
            let texts: BTreeMap<String, String> = serde_json::from_str(json).unwrap_or_default();
            let texts = texts.into_iter().map(|(key, text)| (key.into(), text.into())).collect();
            Catalogue { language: language.into(), texts }
        };
        Self(BUILT_IN.into_iter().map(catalogue).collect())
    }
}

impl Texts {
    /// Replaces a text, or adds it. `language` is a tag of RFC 5646, such as `de` or `pt-BR`; one
    /// that is new is offered to people from then on.
    #[must_use]
    pub fn set(
        mut self,
        language: impl Into<Cow<'static, str>>,
        key: impl Into<Cow<'static, str>>,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.catalogue(language.into()).texts.insert(key.into(), text.into());
        self
    }

    /// Adds a text where there is none: for a part that brings texts of its own, which the app may
    /// have replaced already.
    ///
    /// ```
    /// use gatekit_core::Texts;
    ///
    /// let texts = Texts::default().set("de", "page.login.title", "Hereinspaziert");
    /// let texts = texts.define("de", "page.login.title", "Anmelden").define("en", "page.login.title", "Log in");
    /// assert_eq!(texts.get("de", "page.login.title"), Some("Hereinspaziert"));
    /// ```
    #[must_use]
    pub fn define(
        mut self,
        language: impl Into<Cow<'static, str>>,
        key: impl Into<Cow<'static, str>>,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.catalogue(language.into()).texts.entry(key.into()).or_insert_with(|| text.into());
        self
    }

    /// The text with this key: in the language asked for; else in the one it is a form of (`de` for
    /// `de-AT`); else in English.
    #[must_use]
    pub fn get(&self, language: &str, key: &str) -> Option<&str> {
        let text = |tag: &str| Some(&**self.find(tag)?.texts.get(key)?);
        negotiate::truncations(language).find_map(text).or_else(|| text(ENGLISH))
    }

    /// The languages there are texts in, English first.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|catalogue| &*catalogue.language)
    }

    /// The language that comes closest to the one asked for: itself, or the one it is a form of, or
    /// English.
    ///
    /// ```
    /// let texts = gatekit_core::Texts::default();
    /// assert_eq!(texts.language("de-AT"), "de");
    /// assert_eq!(texts.language("tlh"), "en");
    /// ```
    #[must_use]
    pub fn language(&self, asked: &str) -> &str {
        negotiate::truncations(asked).find_map(|tag| self.find(tag)).map_or(ENGLISH, |found| &found.language)
    }

    /// The language for a caller that sends this `Accept-Language` header; English if there is none
    /// in common. See [`Texts::choose`].
    ///
    /// ```
    /// let texts = gatekit_core::Texts::default();
    /// assert_eq!(texts.negotiate("fr-CH, fr;q=0.9, de;q=0.7, en;q=0.5"), "de");
    /// assert_eq!(texts.negotiate("tlh"), "en");
    /// ```
    #[must_use]
    pub fn negotiate(&self, accept_language: &str) -> &str {
        Self::choose(accept_language, self.languages()).unwrap_or(ENGLISH)
    }

    /// The one of the languages that are offered, the default first, that suits an
    /// `Accept-Language` header best (RFC 9110 §12.5.4, by the lookup of RFC 4647 §3.4): by
    /// quality, then by the client's order. What is not understood is passed over; of a long header
    /// only the beginning is read.
    #[must_use]
    pub fn choose<'a>(accept_language: &str, offered: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        let offered: Vec<&str> = offered.into_iter().collect();
        negotiate::choose(accept_language, &offered)
    }

    /// Puts values in place of `{name}`. A placeholder that no value is for stays, and so does
    /// whatever a value itself has in braces.
    ///
    /// ```
    /// use gatekit_core::Texts;
    ///
    /// let filled = Texts::fill("Hello {name}, {count} new", &[("name", "{count}")]);
    /// assert_eq!(filled, "Hello {count}, {count} new");
    /// ```
    #[must_use]
    pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let value = after.split_once('}').and_then(|(name, tail)| {
                let (_, value) = values.iter().find(|(known, _)| *known == name)?;
                Some((*value, tail))
            });
            match value {
                Some((value, tail)) => {
                    filled.push_str(value);
                    rest = tail;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    /// All texts: language, key, text.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0
            .iter()
            .flat_map(|catalogue| catalogue.texts.iter().map(|(key, text)| (&*catalogue.language, &**key, &**text)))
    }

    fn find(&self, language: &str) -> Option<&Catalogue> {
        self.0.iter().find(|catalogue| catalogue.language.eq_ignore_ascii_case(language))
    }

    fn catalogue(&mut self, language: Cow<'static, str>) -> &mut Catalogue {
        let known = self.0.iter().position(|catalogue| catalogue.language.eq_ignore_ascii_case(&language));
        let at = known.unwrap_or_else(|| {
            self.0.push(Catalogue { language, texts: BTreeMap::new() });
            self.0.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "it was found there, or has just been put there")]
        &mut self.0[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_built_in_language_has_the_same_keys_with_the_same_placeholders() {
        let texts = Texts::default();
        assert_eq!(texts.languages().collect::<Vec<_>>(), ["en", "de"]);
        let english = texts.find("en").unwrap();
        assert!(english.texts.len() > 10);
        for catalogue in &texts.0 {
            let keys = |catalogue: &Catalogue| catalogue.texts.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(catalogue), keys(english), "{}", catalogue.language);
            for (key, text) in &catalogue.texts {
                assert_eq!(placeholders(text), placeholders(&english.texts[key]), "{} {key}", catalogue.language);
                assert!(!text.trim().is_empty(), "{} {key}", catalogue.language);
            }
        }
    }

    #[test]
    fn the_built_in_languages_say_different_things() {
        let texts = Texts::default();
        for (language, key, text) in texts.all().filter(|(language, ..)| *language != "en") {
            assert_ne!(Some(text), texts.get("en", key), "{language} {key}");
        }
    }

    #[test]
    fn a_text_is_found_in_the_language_asked_for_then_in_its_parent_then_in_english() {
        let texts = Texts::default().set("de-AT", "a", "Servus").set("de", "b", "Guten Tag").set("en", "c", "Hello");
        let get = |language, key| texts.get(language, key);
        assert_eq!(get("de-AT", "a"), Some("Servus"));
        assert_eq!(get("DE-at-1996", "a"), Some("Servus"), "tags have no case, and longer ones are cut");
        assert_eq!(get("de-AT", "b"), Some("Guten Tag"));
        assert_eq!(get("de-CH", "b"), Some("Guten Tag"));
        assert_eq!(get("de-AT", "c"), Some("Hello"));
        assert_eq!(get("de", "a"), None, "a child's text is not its parent's");
        for garbage in ["", "-", "de_AT", "../../etc", "\u{0}", "d"] {
            assert_eq!(get(garbage, "c"), Some("Hello"), "{garbage:?}");
            assert_eq!(texts.language(garbage), "en");
        }
        assert_eq!(get("en", "no such key"), None);
        assert_eq!(texts.languages().collect::<Vec<_>>(), ["en", "de", "de-AT"]);
    }

    #[test]
    fn what_the_app_has_set_wins_over_what_a_part_defines() {
        let texts = Texts::default().set("fr", "k", "app").define("FR", "k", "part").define("fr", "l", "part");
        assert_eq!((texts.get("fr", "k"), texts.get("fr", "l")), (Some("app"), Some("part")));
        assert_eq!(texts.set("fr", "l", "app").get("fr", "l"), Some("app"));
    }

    #[test]
    fn placeholders_are_filled_once_and_unknown_ones_stay() {
        for (text, filled) in [
            ("{a}", "1"),
            ("{a}{b}", "1{a}"),
            ("{c} {a", "{c} {a"),
            ("{{a}}", "{1}"),
            ("{ {a} }", "{ 1 }"),
            ("}{", "}{"),
            ("", ""),
            ("ü{a}ü", "ü1ü"),
        ] {
            assert_eq!(Texts::fill(text, &[("a", "1"), ("b", "{a}")]), filled, "{text}");
        }
    }
}
