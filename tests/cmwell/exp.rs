//! `GET /_login?exp=…`: for how long.

use gatekit_tests::{Answer, Store, on_every_store};

use crate::site::{NAME, PASSWORD, Site, claims};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

const INVALID: &str = r#"{"success":false,"error":"invalid exp"}"#;
const TOO_LONG: &str = r#"{"success":false,"error":"Token expiry must be less than 60 days"}"#;

/// In a URL, as curl's user writes it: only what must be is escaped.
fn escaped(exp: &str) -> String {
    exp.bytes().fold(String::new(), |text, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b',' | b';' => text + &char::from(byte).to_string(),
        other => format!("{text}%{other:02X}"),
    })
}

async fn asked(site: &Site, exp: &str) -> Answer {
    site.login_at(&format!("/_login?exp={}", escaped(exp)), NAME, PASSWORD).await
}

/// Panics unless the answer is a token that lives so long.
#[track_caller]
fn lives(site: &Site, answer: Answer, seconds: i64, exp: &str) {
    let token = answer.expect_status(200).text("token");
    assert_eq!(claims(&token)["exp"], site.now().plus_seconds(seconds).0, "{exp:?}");
}

/// The table of §1.5: what is asked, and for how many seconds it is understood strictly and
/// leniently. 0 for `invalid exp`, -1 for too long.
const TABLE: &[(&str, i64, i64)] = &[
    ("30d", 30 * DAY, 30 * DAY),
    ("3d 5h", 3 * DAY + 5 * HOUR, 3 * DAY + 5 * HOUR),
    ("2h30m", 2 * HOUR + 30 * MINUTE, 2 * HOUR + 30 * MINUTE),
    ("2H30M", 2 * HOUR + 30 * MINUTE, 2 * HOUR + 30 * MINUTE),
    ("3D-5H", 3 * DAY + 5 * HOUR, 3 * DAY + 5 * HOUR),
    ("5h3d", 3 * DAY + 5 * HOUR, 3 * DAY + 5 * HOUR),
    ("1d,2h;3m", DAY + 2 * HOUR + 3 * MINUTE, DAY + 2 * HOUR + 3 * MINUTE),
    ("\"30d\"", 30 * DAY, 30 * DAY),
    ("-3d", 0, 3 * DAY),
    ("007d", 0, 7 * DAY),
    ("3days", 0, 3 * DAY),
    ("5hours", 0, 5 * HOUR),
    ("30min", 0, 30 * MINUTE),
    ("2months", 0, 2 * MINUTE),
    ("1.5d", 0, 5 * DAY),
    ("1e3d", 0, 3 * DAY),
    ("1d1d", DAY, DAY),
    ("1d2d3h", DAY + 3 * HOUR, DAY + 3 * HOUR),
    ("5md", 5 * MINUTE, 5 * MINUTE),
    ("12hd", 12 * HOUR, 12 * HOUR),
    ("1dh", DAY, DAY),
    ("3 d", 0, 0),
    ("30", 0, 0),
    ("foo", 0, 0),
    ("2w", 0, 0),
    ("1y", 0, 0),
    ("d", 0, 0),
    ("", 0, 0),
    ("٣d", 0, 0),
    ("0d", 0, 0),
    ("60d", 60 * DAY, 60 * DAY),
    ("86400m", 60 * DAY, 60 * DAY),
    ("1440h", 60 * DAY, 60 * DAY),
    ("60d1m", -1, -1),
    ("61d", -1, -1),
    ("86401m", -1, -1),
    ("2147483647d", -1, -1),
    ("99999999999d", 0, 0),
    ("2147483648d", 0, 0),
    ("1m", MINUTE, MINUTE),
    ("59d24h", 60 * DAY, 60 * DAY),
    ("59d1440m", 60 * DAY, 60 * DAY),
    ("3d  5h", 3 * DAY + 5 * HOUR, 3 * DAY + 5 * HOUR),
    ("3d/5h", 3 * DAY + 5 * HOUR, 3 * DAY + 5 * HOUR),
    ("3d\n5h", 3 * DAY + 5 * HOUR, 3 * DAY + 5 * HOUR),
    ("\0", 0, 0),
    ("1d\0", 0, 0),
    ("1d\x002h", 0, 0),
    ("1d;", 0, DAY),
    ("1d!", 0, DAY),
    ("1d\"", 0, DAY),
    ("9999999999999999999999999999999999999999m", 0, 0),
    ("1d99999999999d", DAY, DAY),
    ("3d and 5h", 0, 3 * DAY + 5 * HOUR),
];

on_every_store! {
    async fn without_exp_a_token_lives_a_day(store) {
        let site = Site::new(store).await;
        lives(&site, site.login(NAME, PASSWORD).await, DAY, "");
        lives(&site, site.login_at("/_login?expires=3d&EXP=5d", NAME, PASSWORD).await, DAY, "");
    }
}

/// Every row, strictly and leniently.
#[tokio::test]
async fn the_table_is_kept_row_by_row() {
    let strict = Site::new(Store::Memory).await;
    let lenient = Site::with().cmwell(|cmwell| cmwell.lenient_exp(true)).start(Store::Memory).await.registered().await;
    for (exp, when_strict, when_lenient) in TABLE.iter().copied() {
        for (site, seconds) in [(&strict, when_strict), (&lenient, when_lenient)] {
            let answer = asked(site, exp).await;
            match seconds {
                0 => drop(answer.is(400, INVALID)),
                -1 => drop(answer.is(400, TOO_LONG)),
                seconds => lives(site, answer, seconds, exp),
            }
        }
    }
}

#[tokio::test]
async fn the_query_may_spell_it_in_every_way_that_urls_have() {
    let site = Site::new(Store::Memory).await;
    for (query, seconds) in [
        ("exp=3d%205h", 3 * DAY + 5 * HOUR),
        ("exp=3d+5h", 3 * DAY + 5 * HOUR),
        ("exp=%33d", 3 * DAY),
        ("%65xp=3d", 3 * DAY),
        ("x=1&exp=3d&y=2", 3 * DAY),
        ("&&exp=3d&", 3 * DAY),
        // Of several the first counts.
        ("exp=3d&exp=5d", 3 * DAY),
    ] {
        lives(&site, site.login_at(&format!("/_login?{query}"), NAME, PASSWORD).await, seconds, query);
    }
    for query in ["exp", "exp=", "exp=&exp=3d", "exp=%", "exp=%FF", "exp=%FFd", "exp[]=&exp=d"] {
        site.login_at(&format!("/_login?{query}"), NAME, PASSWORD).await.is(400, INVALID);
    }
}

/// What is asked is looked at before who asks: with wrong credentials and with none the answer is
/// the same, and nobody is asked.
#[tokio::test]
async fn a_refused_exp_says_nothing_of_credentials() {
    let site = Site::new(Store::Memory).await;
    for (exp, body) in [("foo", INVALID), ("99999999999d", INVALID), ("61d", TOO_LONG)] {
        let path = format!("/_login?exp={exp}");
        site.faults.reset();
        let right = site.login_at(&path, NAME, PASSWORD).await.is(400, body);
        let wrong = site.login_at(&path, NAME, "a wrong one").await;
        let none = site.get(&path).await;
        assert_eq!(right.as_sent(), wrong.as_sent());
        assert_eq!(right.as_sent(), none.as_sent());
        assert!(site.faults.calls().is_empty());
    }
}

#[tokio::test]
async fn the_limit_is_the_apps_and_nothing_is_cut_to_it() {
    let site = Site::with().cmwell(|cmwell| cmwell.max_days(7)).start(Store::Memory).await.registered().await;
    lives(&site, asked(&site, "7d").await, 7 * DAY, "7d");
    asked(&site, "7d1m").await.is(400, r#"{"success":false,"error":"Token expiry must be less than 7 days"}"#);
}
