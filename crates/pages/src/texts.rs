//! The texts of the pages: the app's texts first, then the built-in ones of the language, then the
//! English ones.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn catalogue(json: &str) -> BTreeMap<String, String> {
        serde_json::from_str(json).unwrap()
    }

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    /// All code and templates of this crate.
    fn sources() -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        ["src", "templates"].iter().map(|name| text_below(&folder.join(name))).collect()
    }

    fn text_below(path: &Path) -> String {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).unwrap();
            return entries.map(|entry| text_below(&entry.unwrap().path())).collect();
        }
        std::fs::read_to_string(path).unwrap()
    }

    /// What is between quotes and looks like a key: words with a dot in between.
    fn keys_in(sources: &str) -> BTreeSet<&str> {
        let is_key = |text: &&str| {
            text.contains('.')
                && text
                    .split('.')
                    .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
        };
        sources.lines().flat_map(|line| line.split('"')).filter(is_key).collect()
    }

    #[test]
    fn every_language_has_the_same_keys_with_the_same_placeholders() {
        let english = catalogue(BUILT_IN[0].1);
        assert_eq!(BUILT_IN.map(|(language, _)| language), LANGUAGES);
        for (language, json) in BUILT_IN {
            let texts = catalogue(json);
            assert_eq!(texts.keys().collect::<Vec<_>>(), english.keys().collect::<Vec<_>>(), "{language}");
            for (key, text) in &texts {
                assert!(key.starts_with("page.") && !text.trim().is_empty(), "{language} {key}");
                assert_eq!(placeholders(text), placeholders(&english[key]), "{language} {key}");
            }
        }
    }

    #[test]
    fn every_key_is_used_and_every_key_that_is_used_is_there() {
        let sources = sources();
        let used = keys_in(&sources);
        let english = catalogue(BUILT_IN[0].1);
        let known: BTreeSet<&str> = english.keys().filter_map(|key| key.strip_prefix("page.")).collect();
        // One-word keys have no dot to be recognized by.
        let unused: Vec<_> = known.iter().filter(|key| !sources.contains(&format!("\"{key}\""))).collect();
        assert!(unused.is_empty(), "no page uses {unused:?}");
        let not_texts = |key: &&&str| !known.contains(**key) && !key.starts_with("page.");
        let families: BTreeSet<&str> = known.iter().filter_map(|key| key.split('.').next()).collect();
        let missing: Vec<_> = used
            .iter()
            .filter(not_texts)
            .filter(|key| key.split('.').next().is_some_and(|family| families.contains(family)))
            // Names of files.
            .filter(|key| ![".html", ".json", ".css", ".js"].iter().any(|end| key.ends_with(end)))
            .collect();
        assert!(missing.is_empty(), "no catalogue has {missing:?}");
    }

    #[test]
    fn the_apps_texts_come_first() {
        let texts = with_built_in(&Texts::default().set("de", "page.login.title", "Herein"));
        assert_eq!(get(&texts, "de", "login.title"), Some("Herein"));
        assert_eq!(get(&texts, "en", "login.title"), Some("Log in"));
        assert_eq!(get(&texts, "fr", "login.title"), Some("Log in"));
        assert_eq!(get(&texts, "en", "no such key"), None);
    }
}
