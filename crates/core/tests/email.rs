//! The verdicts on addresses are those that were measured on LoopBack's `isemail` 3.2.0.
//!
//! `data/isemail.tsv` and `data/isemail-boundaries.tsv` have an address as a JSON string, the
//! verdict, and the number of the diagnosis (the reason, below 16 is valid). To add a case, add a
//! line.
#![cfg(feature = "accounts")]
#![allow(clippy::unwrap_used, reason = "a malformed line of a table must stop the test")]

use gatekit_core::email::{is_valid, normalize_case};

const MEASURED: &str = include_str!("data/isemail.tsv");
const BOUNDARIES: &str = include_str!("data/isemail-boundaries.tsv");

/// Address, verdict, diagnosis.
fn cases(table: &'static str) -> impl Iterator<Item = (String, bool, &'static str)> {
    table.lines().skip(1).map(|line| {
        let mut columns = line.split('\t');
        let address = serde_json::from_str(columns.next().unwrap()).unwrap();
        (address, columns.next().unwrap() == "true", columns.next().unwrap())
    })
}

fn disagreements(table: &'static str) -> Vec<(String, bool, &'static str)> {
    cases(table).filter(|(address, verdict, _)| is_valid(address) != *verdict).collect()
}

#[test]
fn every_measured_verdict_holds() {
    assert_eq!(cases(MEASURED).count(), 93);
    assert_eq!(disagreements(MEASURED), []);
}

#[test]
fn every_verdict_at_a_limit_holds() {
    assert!(cases(BOUNDARIES).count() > 200);
    assert_eq!(disagreements(BOUNDARIES), []);
}

#[test]
fn verdict_is_the_diagnosis_below_16() {
    for (address, verdict, diagnosis) in cases(MEASURED).chain(cases(BOUNDARIES)) {
        assert_eq!(verdict, diagnosis.parse::<u8>().unwrap() < 16, "{address:?}");
    }
}

#[test]
fn any_change_of_any_case_gets_a_verdict() {
    const SPLINTERS: [&str; 16] =
        ["", "@", ".", "\"", "\\", "[", "]", ":", "::", "-", " ", "\r", "\0", "\u{301}", "\u{3002}", "\u{10ffff}"];
    let mut asked = 0;
    // The long ones would take most of the time and tell nothing new.
    for (address, ..) in cases(MEASURED).chain(cases(BOUNDARIES)).filter(|(address, ..)| address.len() < 70) {
        for (at, c) in address.char_indices() {
            let (before, rest) = address.split_at(at);
            let after = &rest[c.len_utf8()..];
            for splinter in SPLINTERS {
                // Put in, put in its place, and cut off behind it.
                for changed in
                    [[before, splinter, rest].concat(), [before, splinter, after].concat(), [before, splinter].concat()]
                {
                    let verdict = is_valid(&changed);
                    assert!(!verdict || changed.len() <= 254 * 4, "{changed:?}");
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 100_000);
}

#[test]
fn a_huge_text_is_refused_without_being_read() {
    for unit in ["a", "a@", "a.", "\"", "[", ":", "例", "a@例"] {
        assert!(!is_valid(&unit.repeat(1_000_000)));
        assert!(!is_valid(&format!("a@{}", unit.repeat(1_000_000))));
    }
}

#[test]
fn an_international_label_is_as_long_as_its_punycode() {
    // "xn--" and 59 more octets are the limit for a label that is not the last.
    assert!(is_valid(&format!("a@ü{}.c", "a".repeat(54))));
    assert!(!is_valid(&format!("a@ü{}.c", "a".repeat(60))));
}

#[test]
fn lower_case_is_that_of_javascript() {
    for (address, lower) in [
        ("Ada@Example.COM", "ada@example.com"),
        ("\"A B\"@C.D", "\"a b\"@c.d"),
        // A capital sigma at the end of a word has its own small form, and a dot does not end a
        // word.
        ("ΟΔΟΣ@ΟΔΟΣ.GR", "οδος@οδοσ.gr"),
        // One capital letter that becomes two characters.
        ("İ@c.d", "i\u{307}@c.d"),
        ("ẞ@c.d", "ß@c.d"),
        (" A@b.c ", " a@b.c "),
        ("", ""),
    ] {
        assert_eq!(normalize_case(address), lower);
    }
}
