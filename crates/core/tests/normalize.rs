//! The one spelling of addresses and names.
#![cfg(feature = "accounts")]

use gatekit_core::{IdentifierKind, Policy, email, normalize};

/// Spellings of one address, with what types them.
const ADDRESSES: [(&str, &str); 16] = [
    ("composed, as phones type it", "jos\u{e9}@b\u{fc}cher.example"),
    ("decomposed, as a Mac types it", "jose\u{301}@bu\u{308}cher.example"),
    ("Punycode, as Chromium sends it", "jos\u{e9}@xn--bcher-kva.example"),
    ("Punycode in capitals", "jos\u{e9}@XN--BCHER-KVA.Example"),
    ("capitals", "JOS\u{c9}@B\u{dc}CHER.EXAMPLE"),
    ("ideographic full stop", "jos\u{e9}@b\u{fc}cher\u{3002}example"),
    ("full-width full stop", "jos\u{e9}@b\u{fc}cher\u{ff0e}example"),
    ("half-width full stop", "jos\u{e9}@b\u{fc}cher\u{ff61}example"),
    ("full-width letters and at sign", "\u{ff4a}\u{ff4f}\u{ff53}\u{e9}\u{ff20}b\u{fc}cher.example"),
    ("outer blanks", " jos\u{e9}@b\u{fc}cher.example\t\r\n"),
    ("outer blanks that look alike", "\u{a0}jos\u{e9}@b\u{fc}cher.example\u{3000}\u{2800}"),
    ("soft hyphen", "jo\u{ad}s\u{e9}@b\u{fc}\u{ad}cher.example"),
    ("zero-width characters", "jo\u{200b}s\u{200d}\u{e9}@b\u{fc}\u{2060}cher.example"),
    ("byte order mark", "\u{feff}jos\u{e9}@b\u{fc}cher.example"),
    ("bidirectional controls", "\u{202a}jos\u{e9}@b\u{fc}cher.example\u{202c}\u{2066}\u{2069}"),
    ("an invisible character between letter and accent", "jose\u{200c}\u{301}@b\u{fc}cher.example"),
];

/// Spellings of one name.
const NAMES: [(&str, &str); 12] = [
    ("composed", "Ada Zo\u{e9}"),
    ("decomposed", "Ada Zoe\u{301}"),
    ("full-width", "\u{ff21}\u{ff44}\u{ff41} Zo\u{e9}"),
    ("outer blanks", " Ada Zo\u{e9}\n"),
    ("no-break space", "Ada\u{a0}Zo\u{e9}"),
    ("ideographic space", "Ada\u{3000}Zo\u{e9}"),
    ("empty braille pattern and two spaces", "Ada\u{2800}  Zo\u{e9}"),
    ("soft hyphen", "Ada Z\u{ad}o\u{e9}"),
    ("zero-width characters", "A\u{200b}da\u{200d} Zo\u{e9}\u{2060}"),
    ("byte order mark", "\u{feff}Ada Zo\u{e9}"),
    ("bidirectional controls", "\u{202e}Ada Zo\u{e9}\u{202c}"),
    ("Hangul filler and variation selector", "Ada\u{3164} Zo\u{e9}\u{fe0f}"),
];

/// V-9, V-11, V-16
#[test]
fn all_spellings_of_an_address_are_one() {
    for (what, address) in ADDRESSES {
        assert_eq!(Policy::default().canonical_email(address), "jos\u{e9}@xn--bcher-kva.example", "{what}");
        assert!(Policy::default().accepts_email(address), "{what}");
    }
}

/// V-16
#[test]
fn all_spellings_of_a_name_are_one() {
    for (what, name) in NAMES {
        assert_eq!(Policy::default().canonical_username(name), "Ada Zo\u{e9}", "{what}");
        assert!(Policy::default().accepts_username(name), "{what}");
    }
}

#[test]
fn different_mailboxes_and_names_stay_different() {
    let addresses = [
        "jose@b\u{fc}cher.example",
        "jos\u{e9}@bucher.example",
        "jos\u{e9}@b\u{fc}cher.example.com",
        "jos.\u{e9}@b\u{fc}cher.example",
        "jos\u{e9}+x@b\u{fc}cher.example",
        // Cyrillic о
        "j\u{43e}s\u{e9}@b\u{fc}cher.example",
        // UTS #46 non-transitional: these are two domains.
        "jos\u{e9}@stra\u{df}e.example",
        "jos\u{e9}@strasse.example",
    ];
    let mut seen: Vec<String> = addresses.iter().map(|address| Policy::default().canonical_email(address)).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), addresses.len());
    for (one, other) in [("ada", "Ada"), ("ada zoe", "adazoe"), ("ada", "\u{430}da")] {
        assert_ne!(normalize::username(one), normalize::username(other));
    }
}

/// V-9: the check sees what is stored, so no spelling gets past a rule that another one fails.
#[test]
fn an_address_is_judged_in_the_form_it_is_stored_in() {
    let policy = Policy::default();
    for (address, why) in [
        ("a\u{a0}b@example.com", "a blank"),
        ("a\u{2003}b@example.com", "a blank"),
        ("a\u{ff20}b@example.com", "a second at sign"),
        ("a\u{2025}b@example.com", "two dots"),
        ("a@example\u{2100}com", "a slash in the domain"),
        ("ren\u{fffd}@example.com", "bytes that were not read"),
        ("a\u{e000}@example.com", "a private character"),
        ("a\u{378}@example.com", "an unassigned character"),
        ("a\u{fdd0}@example.com", "a noncharacter"),
        ("a\u{1}@example.com", "a control character"),
        ("a\nb@example.com", "a line feed"),
        ("\"a\\\tb\"@example.com", "a control character that isemail takes"),
        ("a@xn--99999999.example", "Punycode that stands for nothing"),
        ("\u{200b}@example.com", "nothing that can be seen"),
        ("a@\u{ad}", "no domain that can be seen"),
    ] {
        assert!(!policy.accepts_email(address), "{why}");
    }
    for name in ["\u{3164}", "\u{200b}", " ", "a\u{7}b", "a\nb", "\u{fffd}", "a\u{e000}", &"x".repeat(513)] {
        assert!(!policy.accepts_username(name), "{name:?}");
    }
}

#[test]
fn loopbacks_rules_change_nothing_but_case() {
    let mut policy = Policy::loopback();
    for (_, address) in ADDRESSES {
        assert_eq!(policy.canonical_email(address), address);
        assert_eq!(policy.accepts_email(address), email::is_valid(address));
    }
    for (_, name) in NAMES {
        assert_eq!(policy.canonical_username(name), name);
    }
    policy.identifiers.case_sensitive_email = false;
    assert_eq!(policy.canonical_email(" Jose\u{301}@B\u{fc}cher\u{3002}X"), " jose\u{301}@b\u{fc}cher\u{3002}x");
}

fn case_sensitive() -> Policy {
    let mut policy = Policy::default();
    policy.identifiers.case_sensitive_email = true;
    policy
}

#[test]
fn where_case_counts_the_domain_is_in_lower_case_nevertheless() {
    let policy = case_sensitive();
    assert_eq!(policy.canonical_email("Ada@B\u{dc}CHER.Example"), "Ada@xn--bcher-kva.example");
}

/// Every character but of the blocks of Chinese, Korean and private ones, whose characters behave
/// alike: of these every hundredth.
fn every_kind() -> impl Iterator<Item = char> {
    ('\0'..=char::MAX).filter(|&c| {
        let c = u32::from(c);
        let alike = (0x3400..0xa000).contains(&c) || (0xac00..0xf900).contains(&c) || c >= 0x2_0000;
        (!alike || c % 101 == 0) && (c < 0x1_2000 || c % 5 == 0 || (0x1_d000..0x1_d800).contains(&c))
    })
}

/// FUZZ-12: every character, alone and in company, in a name, a local part and a domain.
#[test]
fn normalising_twice_changes_nothing_and_nothing_invisible_is_left() {
    let bidi =
        |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let check = |normalize: &dyn Fn(&str) -> String, text: &str| {
        let once = normalize(text);
        assert_eq!(normalize(&once), once, "{text:?}");
        assert!(!once.contains(bidi), "{text:?}");
        assert!(!once.contains(['\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{feff}', '\u{2060}']), "{text:?}");
    };
    let email = |text: &str| normalize::email(text, false);
    let exact = |text: &str| normalize::email(text, true);
    for c in every_kind() {
        check(&normalize::username, &format!("a{c}\u{301} b"));
        check(&email, &format!("{c}e\u{301}@a{c}.example"));
        if u32::from(c) < 0x600 || (0x1e00..0x2200).contains(&u32::from(c)) {
            for other in ["\u{301}", "\u{327}", "\u{200d}", "\u{1160}", "\u{3a3}", "\u{130}", "\u{345}", "."] {
                check(&normalize::username, &format!("{c}{other}"));
                check(&email, &format!("{other}{c}{other}@{c}{other}"));
                check(&exact, &format!("{c}{other}@{other}{c}"));
            }
        }
    }
}

/// FUZZ-12: of two accepted texts that are stored differently, neither is another spelling of the
/// other.
#[test]
fn what_is_accepted_is_stored_in_a_form_that_is_accepted() {
    let policy = Policy::default();
    for c in every_kind() {
        let address = format!("a{c}b@example.com");
        let stored = policy.canonical_email(&address);
        assert_eq!(policy.accepts_email(&address), policy.accepts_email(&stored), "{address:?}");
        if policy.accepts_email(&address) {
            assert_eq!(email::smtp_form(&stored).as_deref(), Some(stored.as_str()), "{address:?}");
        }
    }
}

#[test]
fn the_key_of_a_store_is_the_same_whatever_the_policy_writes() {
    let policies = [Policy::default(), case_sensitive(), Policy::loopback()];
    for (_, address) in ADDRESSES {
        for policy in &policies {
            let key = normalize::key(IdentifierKind::Email, &policy.canonical_email(address));
            assert_eq!(key, "jos\u{e9}@xn--bcher-kva.example");
        }
    }
}

#[test]
fn a_huge_text_takes_no_time() {
    for unit in ["a", "\u{200b}", "\u{fdfa}", "e\u{301}", "\u{fc}.", "@"] {
        let text = unit.repeat(1_000_000);
        assert!(!Policy::default().accepts_email(&text) && !Policy::default().accepts_username(&text));
    }
}
