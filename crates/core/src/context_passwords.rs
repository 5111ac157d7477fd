//! Which passwords somebody who knows the account would try first: the user's own address and name,
//! and the name of the site.
//!
//! ASVS 5.0 6.2.11 asks for this check, and NIST SP 800-63B-4 3.1.1.2 for a comparison of the whole
//! password, not of parts of it. So a password is refused when it is
//!
//! 1. one of the context's texts, such as the user's address, in any case;
//! 2. made of words of the context (at least one, each of three letters or more), of words that
//!    many people add ([`ADDED`]), and of characters that are no letters: `acme2026!`,
//!    `ACME-login-acme`.
//!
//! A password in which such a word is one among others is taken:
//! `correct acme battery staple horse`.
//!
//! Both sides are compared in one spelling ([`normalize`](crate::normalize)), or a full-width
//! letter would make a name a password. The domain of an address counts as it is read
//! (`bücher.example`), whether it came so or as an A-label.

use crate::normalize;

/// What people put beside a name to make a password of it.
const ADDED: [&str; 14] = [
    "account", "admin", "hello", "login", "my", "pass", "passwort", "password", "pw", "secret", "signin", "the",
    "user", "welcome",
];
/// Letters of the shortest word that counts.
const SHORTEST_WORD: usize = 3;

/// Whose password it is to be, as far as the account is known.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct PasswordOwner<'a> {
    /// The address.
    pub email: Option<&'a str>,
    /// The name.
    pub username: Option<&'a str>,
    /// The realm.
    pub realm: Option<&'a str>,
}

impl<'a> PasswordOwner<'a> {
    /// The owner of this account.
    #[must_use]
    pub fn of(user: &'a impl crate::Account) -> Self {
        Self { email: user.email(), username: user.username(), realm: user.realm() }
    }

    /// With this address.
    #[must_use]
    pub fn email(mut self, email: Option<&'a str>) -> Self {
        self.email = email;
        self
    }

    /// With this name.
    #[must_use]
    pub fn username(mut self, username: Option<&'a str>) -> Self {
        self.username = username;
        self
    }
}

/// Whether a password is made of these texts: those of its owner, and of the site.
pub(crate) fn is_expected<'a>(password: &str, owner: PasswordOwner<'a>, site: impl Iterator<Item = &'a str>) -> bool {
    let password = compared(password);
    let email = owner.email.map(normalize::readable_email);
    let others = [owner.username, owner.realm].into_iter().flatten().chain(site).map(compared);
    let texts: Vec<String> = email.as_deref().map(compared).into_iter().chain(others).collect();
    if texts.iter().any(|text| !text.trim().is_empty() && text.trim() == password.trim()) {
        return true;
    }
    let is_long = |word: &&str| word.chars().count() >= SHORTEST_WORD;
    let words: Vec<&str> = texts.iter().flat_map(|text| runs(text)).filter(is_long).collect();
    // The last label of a domain, `com`, says nothing of anybody.
    let top = email.as_deref().and_then(|email| email.rsplit('.').next()).map(compared);
    let is_top = |word: &str| top.as_deref() == Some(word);
    let words: Vec<&str> = words.into_iter().filter(|word| !is_top(word)).collect();
    let added: Vec<&str> = ADDED.iter().copied().chain(top.as_deref()).filter(|word| !word.is_empty()).collect();
    is_made_of(&password, &words, &added)
}

/// A text in the spelling in which it is compared.
fn compared(text: &str) -> String {
    normalize::username(text).to_lowercase()
}

/// The runs of letters in a text.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic()).filter(|run| !run.is_empty())
}

/// Whether the text is a sequence of `words`, at least one, of `added` words and of characters that
/// are no letters.
fn is_made_of(text: &str, words: &[&str], added: &[&str]) -> bool {
    if words.is_empty() {
        return false;
    }
    // What is known of each byte offset: whether one gets there with no word of the context, and
    // with one.
    let mut reached = vec![(false, false); text.len() + 1];
    if let Some(start) = reached.first_mut() {
        start.0 = true;
    }
    for (at, c) in text.char_indices() {
        let Some(&from) = reached.get(at).filter(|from| from.0 || from.1) else { continue };
        let rest = text.get(at..).unwrap_or_default();
        if !c.is_alphabetic() {
            reach(&mut reached, at + c.len_utf8(), from, false);
        }
        for word in words.iter().filter(|word| rest.starts_with(**word)) {
            reach(&mut reached, at + word.len(), from, true);
        }
        for word in added.iter().filter(|word| rest.starts_with(**word)) {
            reach(&mut reached, at + word.len(), from, false);
        }
    }
    reached.last().is_some_and(|end| end.1)
}

/// Notes that `at` is reached from where this is known; `counts` says whether by a word of the
/// context.
fn reach(reached: &mut [(bool, bool)], at: usize, from: (bool, bool), counts: bool) {
    if let Some(to) = reached.get_mut(at) {
        to.0 |= from.0 && !counts;
        to.1 |= from.1 || (from.0 && counts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: PasswordOwner<'static> =
        PasswordOwner { email: Some("Ada.Lovelace1815@engines.example.com"), username: Some("countess"), realm: None };

    fn is_expected_of(password: &str) -> bool {
        is_expected(password, ADA, ["Acme Shop", "projectx"].into_iter())
    }

    /// 6.2.11: another spelling of the same characters is the same password to an attacker who
    /// guesses.
    #[test]
    fn no_spelling_of_the_password_or_of_the_address_hides_what_is_expected() {
        for password in [
            "\u{ff4c}\u{ff4f}\u{ff56}\u{ff45}\u{ff4c}\u{ff41}\u{ff43}\u{ff45}",
            "love\u{200b}lace",
            "love\u{ad}lace1815",
            "ａcme2026",
            "\u{a0}Acme\u{3000}Shop\u{feff}",
        ] {
            assert!(is_expected_of(password), "{password}");
        }
        let expected =
            |email, password| is_expected(password, PasswordOwner::default().email(Some(email)), [].into_iter());
        for (email, password) in [
            ("\u{ff4c}ovelace@example.com", "lovelace12"),
            ("love\u{200b}lace@example.com", "lovelace12"),
            ("jos\u{e9}.garcia@example.com", "jose\u{301}garcia1"),
            ("jose\u{301}.garcia@example.com", "jos\u{e9}garcia1"),
            ("ada@xn--bcher-kva.example", "b\u{fc}cher2026"),
            ("ada@b\u{fc}cher.example", "BU\u{308}CHER2026"),
        ] {
            assert!(expected(email, password), "{email} {password}");
        }
        assert!(!expected("ada@xn--bcher-kva.example", "b\u{fc}cher are battery staples"));
    }

    /// 6.2.11
    #[test]
    fn the_own_address_and_name_and_the_sites_are_expected_with_whatever_is_added() {
        for password in [
            "ada.lovelace1815@engines.example.com",
            "ADA.LOVELACE1815",
            "lovelace",
            "AdaLovelace!",
            "engines1234",
            "example.com",
            "countess",
            "Countess-1815",
            "mypassword-countess",
            "Acme Shop",
            "Acme",
            "acme2026!",
            "ACME-login-acme",
            "acmeshop",
            "projectx",
            "ProjectX##2026##",
            "welcome acme",
        ] {
            assert!(is_expected_of(password), "{password}");
        }
    }

    #[test]
    fn a_word_of_the_context_among_others_is_not() {
        for password in [
            "correct acme battery staple horse",
            "countesses",
            "acm3 shopping",
            "com com com",
            "password login",
            "12345678",
            "Lovelaces engine",
            "",
        ] {
            assert!(!is_expected_of(password), "{password}");
        }
        assert!(!is_expected("correct horse", PasswordOwner::default(), std::iter::empty()));
        assert!(!is_expected("al-al-al", PasswordOwner::default().username(Some("al")), std::iter::empty()));
        assert!(is_expected("a.b@x.org", PasswordOwner::default().email(Some("A.B@x.org")), std::iter::empty()));
        assert!(is_expected("жужа2026", PasswordOwner::default().username(Some("Жужа")), std::iter::empty()));
    }

    /// FUZZ-2: no input makes it slow.
    #[test]
    fn a_long_password_of_repeated_words_is_decided_at_once() {
        let owner = PasswordOwner::default().username(Some("aaa aaaa aaaaa"));
        assert!(is_expected(&"a".repeat(1024), owner, std::iter::empty()));
        assert!(!is_expected(&("a".repeat(1023) + "b"), owner, std::iter::empty()));
    }
}
