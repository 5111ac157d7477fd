//! A setting that could never be true is brought into the form that browsers use, or it is refused
//! when the app is built.

use gatekit::core::{ConfigError, Origin, PublicUrl, VerifyOptions};
use gatekit::{Auth, AuthLayer, MemoryStore, User};
use url::Url;

fn build(
    configure: impl FnOnce(gatekit::core::Builder<User>) -> gatekit::core::Builder<User>,
) -> Result<Auth, ConfigError> {
    let store = MemoryStore::new();
    configure(Auth::builder(store)).build()
}

const WRITTEN: [&str; 14] = [
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com:443",
    "http://app.example.com:80",
    "http://app.example.com:443",
    "https://APP.example.com",
    "HTTPS://app.example.com",
    "https://app.example.com:08443",
    "https://xn--bcher-kva.example",
    "http://localhost:3000",
    "http://127.0.0.1:3000",
    "http://[::1]:3000",
    "http://[2001:DB8:0:0::1]",
    "https://my_host",
];

/// RFC 6454 §6.2. The parser that browsers are specified by (WHATWG URL) is the judge.
#[test]
fn an_origin_is_what_a_browser_would_make_of_it() {
    for written in WRITTEN {
        let browsers = Url::parse(written).unwrap().origin().ascii_serialization();
        assert_eq!(written.parse::<Origin>().unwrap().as_str(), browsers, "{written}");
        let url: PublicUrl = written.parse().unwrap();
        assert_eq!(url.origin().as_str(), browsers, "{written}");
    }
}

/// Whatever is accepted, browsers agree on: 20,000 odd spellings.
#[test]
fn no_spelling_is_accepted_that_browsers_read_in_another_way() {
    let pieces = [
        "https",
        "http",
        "HTTPS",
        "ftp",
        "://",
        ":",
        "//",
        "/",
        "\\",
        "a",
        "A",
        ".",
        "..",
        "example.com",
        "xn--a",
        "0x7f",
        "127",
        "1",
        "0",
        "%2e",
        "@",
        "[::1]",
        "[",
        "]",
        "::",
        "443",
        "80",
        "65536",
        "*",
        "?",
        "#",
        " ",
        "\t",
        "ü",
        "\u{3002}",
        "-",
        "_",
        "localhost",
        "\u{ad}",
    ];
    let mut seed = 1_u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut accepted = 0;
    for _ in 0..20_000 {
        let scheme = ["https://", "http://", ""][random(3)];
        let text: String =
            std::iter::once(scheme).chain((0..=random(4)).map(|_| pieces[random(pieces.len())])).collect();
        if let Ok(origin) = text.parse::<Origin>() {
            let browsers = Url::parse(&text).map(|url| url.origin().ascii_serialization());
            // What follows `xn--` is not decoded, so a label that only looks like Punycode is
            // taken.
            if browsers.is_err() && text.to_ascii_lowercase().contains("xn--") {
                continue;
            }
            assert_eq!(Ok(origin.as_str()), browsers.as_deref(), "{text:?}");
            accepted += 1;
        }
    }
    assert!(accepted > 500, "{accepted} of the spellings are origins");
}

const NEVER: [&str; 12] = [
    "",
    "null",
    "*",
    "app.example.com",
    "//app.example.com",
    "ftp://app.example.com",
    "https://",
    "https://*.example.com",
    "https://bücher.example",
    "https://user@app.example.com",
    "https://app.example.com:99999",
    "https://app.example.com\u{a0}",
];

#[test]
fn what_can_never_match_is_refused_by_every_setting_for_origins() {
    for wrong in NEVER.into_iter().chain([
        "https://app.example.com/path",
        "https://app.example.com?",
        "https://app.example.com#",
    ]) {
        let layer = AuthLayer::new(Auth::new(MemoryStore::new())).trusted_origin(wrong);
        assert!(layer.is_err(), "trusted_origin {wrong:?}");
        let redirect = build(|builder| builder.redirect_origin(wrong));
        assert!(matches!(redirect, Err(ConfigError::RedirectOrigin(_))), "redirect_origin {wrong:?}");
    }
}

/// A server listens at `0.0.0.0`; nobody can open it.
#[test]
fn what_nobody_can_open_is_refused_by_every_setting_for_urls() {
    let listening =
        ["http://0.0.0.0", "http://0.0.0.0:3000/", "http://[::]", "http://[::]:3000", "http://[0:0::0]:3000"];
    for wrong in NEVER.into_iter().chain(listening) {
        assert!(
            matches!(build(|builder| builder.public_url(wrong)), Err(ConfigError::PublicUrl(_))),
            "public_url {wrong:?}"
        );
        let (link, page) = (format!("{wrong}/x?token={{token}}"), format!("{wrong}/x"));
        let verify = {
            let mut options = VerifyOptions::default();
            options.verify_href = Some(page.clone());
            options
        };
        for (setting, refused) in [
            ("reset_link", build(|builder| builder.reset_link(link.clone()))),
            ("change_email_link", build(|builder| builder.change_email_link(link))),
            ("forgot_password_link", build(|builder| builder.forgot_password_link(page))),
            ("verify_options.verify_href", build(|builder| builder.verify_options(verify))),
        ] {
            assert!(
                matches!(refused, Err(ConfigError::Link(name, _)) if name == setting),
                "{setting} {wrong:?}: {refused:?}"
            );
        }
    }
    for wrong in [
        "https://app.example.com/?a",
        "https://app.example.com#a",
        "https://app.example.com/a b",
        "https://app.example.com//a",
    ] {
        assert!(build(|builder| builder.public_url(wrong)).is_err(), "{wrong}");
    }
    let no_place = build(|builder| builder.reset_link("https://app.example.com/new"));
    assert_eq!(
        no_place.unwrap_err().to_string(),
        "`reset_link` cannot be used: it must contain `{token}` where the secret goes"
    );
    let no_host = build(|builder| builder.reset_link("https://{token}/"));
    assert!(no_host.is_err(), "a secret is no host");
}

#[test]
fn an_unlisted_redirect_is_refused_and_a_listed_one_is_taken_in_any_spelling() {
    let to = |redirect: &str| {
        let mut options = VerifyOptions::default();
        options.redirect = redirect.into();
        options
    };
    for wrong in ["https://evil.example/", "//evil.example", "welcome", "javascript:alert(1)", ""] {
        let refused = build(|builder| builder.verify_options(to(wrong)));
        assert!(matches!(refused, Err(ConfigError::VerifyOptions(_))), "{wrong:?}");
    }
    build(|builder| builder.verify_options(to("/welcome"))).unwrap();
    let listed = |builder: gatekit::core::Builder<User>| builder.redirect_origin("HTTPS://App.example.com:443/");
    build(|builder| listed(builder).verify_options(to("https://app.example.com/welcome"))).unwrap();
    let own = build(|builder| {
        builder.public_url("https://WWW.example.com/app").verify_options(to("https://www.example.com/x"))
    });
    let own = own.unwrap();
    assert!(
        own.may_redirect_to("https://www.example.com/y")
            && !own.may_redirect_to("https://www.example.com.evil.example/")
    );
}

/// The message is what the app's author sees first: it names the setting and the way out.
#[test]
fn a_refusal_names_the_setting_and_the_way_out() {
    let message = build(|builder| builder.public_url("http://0.0.0.0:3000")).unwrap_err().to_string();
    assert_eq!(
        message,
        "`public_url` cannot be used: \"http://0.0.0.0:3000\" is not the public URL of an app: a server listens at this address, but nobody can \
         open it: write the host that users type, or localhost in development"
    );
    let layer = AuthLayer::new(Auth::new(MemoryStore::new())).trusted_origin("https://bücher.example");
    assert_eq!(
        layer.unwrap_err().to_string(),
        "\"https://bücher.example\" is not an origin: write an international host in the ASCII form that browsers send, which begins with xn--"
    );
}
