//! What do the pages say? The app's texts first, then the built-in ones of the language, then the English ones.
//!
//! The keys begin with `page.`, beside those of the mails; in templates that is left out.

use std::collections::BTreeMap;

use gatekit_core::Texts;

const BUILT_IN: [(&str, &str); 2] =
    [("en", include_str!("../texts/en.json")), ("de", include_str!("../texts/de.json"))];

/// The languages the pages are offered in unless the app says otherwise.
pub(crate) const LANGUAGES: [&str; 2] = ["en", "de"];

/// The app's texts, and the built-in ones where it has none.
pub(crate) fn with_built_in(app: &Texts) -> Texts {
    BUILT_IN.into_iter().fold(app.clone(), |texts, (language, json)| {
        // That they can be read is a test.
        let built_in: BTreeMap<String, String> = serde_json::from_str(json).unwrap_or_default();
        built_in.into_iter().fold(texts, |texts, (key, text)| texts.define(language, key, text))
    })
}

/// The text with this key, the prefix left out.
pub(crate) fn get<'a>(texts: &'a Texts, language: &str, key: &str) -> Option<&'a str> {
    texts.get(language, &format!("page.{key}"))
}
