//! Is a token found where it stands, in each of its forms, and nowhere else?

use base64::Engine;
use http::HeaderValue;
use http::header::COOKIE;

use super::found::BASE64;
use std::borrow::Cow;

use super::*;

/// As an `Auth` judges texts: its tokens have 64 letters and digits.
fn form(token: &str) -> TokenForm {
    if token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        TokenForm::Own
    } else if token.len() > 512 || token.contains('.') {
        TokenForm::Foreign
    } else {
        TokenForm::Possible
    }
}

const TOKEN: &str = "GOkZRwgZ61q0XXVxvxlB8TS1D6lrG7Vb9V8YwRDfy3YGAN7TM7EnxWHqdbIZfheZ";

fn in_header(value: &str) -> Option<String> {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    let found = TokenSources::default().find(&headers, &[], form)?;
    found.token().map(Cow::into_owned)
}

#[test]
fn a_header_is_read_in_every_form_loopback_reads() {
    let encoded = BASE64.encode(TOKEN);
    for value in [
        TOKEN.to_owned(),
        format!("Bearer {TOKEN}"),
        format!("bearer {TOKEN}"),
        format!("Bearer  {encoded}"),
        format!("Bearer {}", encoded.trim_end_matches('=')),
        format!("Basic {}", BASE64.encode(format!("{TOKEN}:x"))),
        format!("basic {}", BASE64.encode(format!("x:{TOKEN}"))),
        format!("Basic {encoded}"),
    ] {
        assert_eq!(in_header(&value).as_deref(), Some(TOKEN), "{value}");
    }
    assert_eq!(in_header(&format!("Basic {}", BASE64.encode("ab:cd"))).as_deref(), Some("ab"));
    assert_eq!(in_header("Token xyz").as_deref(), Some("Token xyz"));
}

#[test]
fn a_header_that_is_empty_or_no_text_holds_no_token() {
    for value in ["", "Bearer ", "Basic ", "Basic %%%", "Bearer \u{e9}", "\u{1f980}"] {
        assert_eq!(in_header(value), None, "{value}");
    }
}

#[test]
fn a_query_token_is_cut_out_and_the_rest_stays_as_it_was() {
    for (before, after, token) in [
        ("/p?access_token=abc", "/p", Some("abc")),
        ("/p?a=%20x&access_token=abc&b=", "/p?a=%20x&b=", Some("abc")),
        ("/p?access%5Ftoken=a%62c&x", "/p?x", Some("abc")),
        ("/p?access_token=1&access_token=2", "/p", None),
        ("/p?access_token=", "/p", None),
        ("/p?xaccess_token=abc&&", "/p?xaccess_token=abc&&", None),
        ("https://h.example:8080/p?access_token=abc", "https://h.example:8080/p", Some("abc")),
    ] {
        let mut uri: Uri = before.parse().unwrap();
        let sources = TokenSources::default();
        let cut = cut_query_tokens(&mut uri, &sources);
        assert_eq!(uri.to_string(), after, "{before}");
        let headers = HeaderMap::new();
        let found = sources.find(&headers, &cut, form).and_then(|found| found.token());
        assert_eq!(found.as_deref(), token, "{before}");
    }
}

#[test]
fn strict_sources_leave_the_query_alone() {
    let mut uri: Uri = "/p?access_token=abc".parse().unwrap();
    assert!(cut_query_tokens(&mut uri, &TokenSources::strict()).is_empty());
    assert_eq!(uri, "/p?access_token=abc");
}

/// What a request with these parts brings, or `None` if the search finds nothing at all.
fn found(sources: &TokenSources, uri: &str, headers: &[(&'static str, &str)]) -> Option<Option<String>> {
    let mut uri: Uri = uri.parse().unwrap();
    let cut = cut_query_tokens(&mut uri, sources);
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    Some(sources.find(&map, &cut, form)?.token().map(Cow::into_owned))
}

/// The exchanges of LoopBack 3.28.0 with the default options of `loopback.token()`, with the place
/// where an id was found. Where we take more than LoopBack does, the line says so.
#[test]
fn loopbacks_places_hold_what_loopback_finds_in_them() {
    let sources = TokenSources::loopback();
    let (a, b) = (TOKEN, "9y06hyS6XgjlJjuToNLmvCi5TXMAxF2S0rEulMkOATwUNocVubADgdB9b5xQ2074");
    let (query_a, query_b) = (format!("/?access_token={a}"), format!("/?access_token={b}"));
    let upper_case = format!("/?ACCESS_TOKEN={a}");
    let cookie = format!("__Host-access_token={a}");
    let encoded = BASE64.encode(a);
    let [bearer, basic] = ["Bearer", "Basic"].map(|scheme| format!("{scheme} {encoded}"));
    let nobody = None;
    let nothing = Some(None);
    let is = |token: &str| Some(Some(token.to_owned()));
    let auth = "authorization";
    let x = "x-access-token";
    let long = "x".repeat(7000);
    for (uri, headers, wanted) in [
        // No token, and each place alone.
        ("/", &[][..], nobody.clone()),
        (&query_a, &[], is(a)),
        ("/", &[(auth, a)], is(a)),
        ("/", &[(x, a)], is(a)),
        // Ours: LoopBack decodes this one too, and so finds nobody.
        ("/", &[(auth, &format!("Bearer {a}"))], is(a)),
        ("/", &[(auth, &bearer)], is(a)),
        // Ours: LoopBack wants `Bearer` in this case.
        ("/", &[(auth, &bearer.to_lowercase().replace(&encoded.to_lowercase(), &encoded))], is(a)),
        ("/", &[(auth, &bearer.replace(' ', "  "))], is(a)),
        ("/", &[(auth, &basic)], is(a)),
        ("/", &[(auth, &format!("Basic {}", BASE64.encode(format!("{a}:"))))], is(a)),
        ("/", &[(auth, &format!("Basic {}", BASE64.encode(format!(":{a}"))))], is(a)),
        ("/", &[(auth, &format!("Basic {}", BASE64.encode(format!("token:{a}"))))], is(a)),
        ("/", &[(auth, &format!("Basic {}", BASE64.encode(format!("{a}:x"))))], is(a)),
        ("/", &[(auth, &basic.replace("Basic", "basic"))], is(a)),
        ("/", &[(auth, &basic.replace("Basic", "BASIC"))], is(a)),
        ("/", &[(auth, &format!("Token {a}"))], is(&format!("Token {a}"))),
        ("/", &[(x, &bearer)], is(a)),
        ("/", &[(x, &basic)], is(a)),
        ("/", &[("access_token", a)], nobody.clone()),
        (&upper_case, &[], nobody.clone()),
        ("/", &[("cookie", &cookie)], nobody.clone()),
        // Precedence.
        (&query_a, &[(x, b)], is(a)),
        (&query_b, &[(auth, a)], is(b)),
        ("/?access_token=", &[(auth, a)], nothing),
        ("/?access_token=bogus", &[(auth, a)], is("bogus")),
        ("/?access_token=x&access_token=y", &[(auth, a)], is(a)),
        ("/", &[(x, a), (auth, b)], is(a)),
        ("/", &[(x, b), (auth, a)], is(b)),
        ("/", &[(x, ""), (auth, a)], is(a)),
        ("/", &[(x, "bogus"), (auth, a)], is("bogus")),
        ("/", &[(auth, "")], nobody.clone()),
        ("/", &[(auth, "Bearer ")], nobody),
        ("/", &[(auth, a), (auth, b)], is(a)),
        // Ids of an odd shape, which nobody has.
        ("/", &[(auth, "$anonymous")], is("$anonymous")),
        ("/", &[(auth, "__proto__")], is("__proto__")),
        ("/", &[(auth, "constructor")], is("constructor")),
        ("/", &[(auth, "1")], is("1")),
        ("/", &[(auth, &long)], is(&long)),
    ] {
        assert_eq!(found(&sources, uri, headers), wanted, "{uri} {headers:?}");
    }
    // Ours: the default takes a cookie that is not signed, from the app's own origin.
    assert_eq!(found(&TokenSources::default(), "/", &[("cookie", &cookie)]), is(a));
}

/// What others put where tokens are: proxies, identity-aware proxies, scripts that have none.
const STRANGERS: [&str; 16] = [
    "Basic c3RhZ2luZzpodW50ZXIy",
    "Basic %%%",
    "Bearer undefined",
    "Bearer null",
    "bearer NaN",
    "Bearer [object Object]",
    "Bearer",
    "Bearer ",
    "undefined",
    "Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln",
    "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln",
    "Bearer 0123456789abcdef0123456789abcdef01234567",
    "Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa8=",
    "Digest username=\"x\"",
    "Token xyz",
    "\u{e9}",
];

#[test]
fn a_strangers_credential_hides_no_token_that_comes_after_it() {
    let cookie = format!("__Host-access_token={TOKEN}");
    let is = Some(Some(TOKEN.to_owned()));
    for stranger in STRANGERS {
        let sources = TokenSources::default();
        for headers in [
            &[("authorization", stranger), ("cookie", &cookie)][..],
            &[("x-access-token", stranger), ("cookie", &cookie)],
            &[("x-access-token", stranger), ("authorization", TOKEN)],
        ] {
            assert_eq!(found(&sources, "/", headers), is, "{headers:?}");
            assert_eq!(found(&sources, "/?access_token=", headers), is, "{headers:?}");
            assert_eq!(found(&sources, "/?access_token=undefined", headers), is, "{headers:?}");
            assert_eq!(found(&sources, "/?access_token=EAABsbCS1iHg", headers), is, "{headers:?}");
        }
        // In RFC 6750's header alone, too.
        let sources = TokenSources::new([TokenSource::bearer(), TokenSource::token_cookie(TokenCookie::default())]);
        assert_eq!(found(&sources, "/", &[("authorization", stranger), ("cookie", &cookie)]), is, "{stranger}");
    }
}

#[test]
fn a_text_in_the_own_form_ends_the_search_though_nobody_has_it() {
    let wrong = "x".repeat(64);
    let cookie = format!("__Host-access_token={TOKEN}");
    let bearer = format!("Bearer {wrong}");
    let basic = format!("Basic {}", BASE64.encode(format!("x:{wrong}")));
    let query = format!("/?access_token={wrong}");
    for (uri, headers) in [
        ("/", &[("authorization", &*wrong), ("cookie", &cookie)][..]),
        ("/", &[("authorization", &bearer), ("cookie", &cookie)]),
        ("/", &[("authorization", &basic), ("cookie", &cookie)]),
        ("/", &[("x-access-token", &wrong), ("authorization", TOKEN)]),
        (&query, &[("authorization", TOKEN)]),
    ] {
        assert_eq!(found(&TokenSources::default(), uri, headers), Some(Some(wrong.clone())), "{uri} {headers:?}");
    }
}

/// An authenticator that knows no form of its own takes the first text, and `Basic` last.
#[test]
fn without_a_form_the_first_text_counts_and_a_borrowed_scheme_only_alone() {
    let any = |_: &str| TokenForm::Possible;
    let with = |pairs: &[(&'static str, &str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        let found = TokenSources::default().find(&headers, &[], any)?;
        found.token().map(Cow::into_owned)
    };
    let basic = "Basic c3RhZ2luZzpodW50ZXIy";
    let cookie = "__Host-access_token=key";
    assert_eq!(with(&[("authorization", "first"), ("cookie", cookie)]).as_deref(), Some("first"));
    assert_eq!(with(&[("authorization", basic), ("cookie", cookie)]).as_deref(), Some("key"));
    assert_eq!(with(&[("authorization", "Bearer undefined"), ("cookie", cookie)]).as_deref(), Some("key"));
    assert_eq!(with(&[("authorization", basic)]).as_deref(), Some("staging"));
}

/// With LoopBack's order the first id ends the search, whatever its length. What LoopBack takes for
/// one by mistake does not.
#[cfg(feature = "signed-cookies")]
#[test]
fn in_loopbacks_order_any_id_ends_the_search_and_a_strangers_credential_does_not() {
    let secrets = crate::CookieSecrets::with_insecure_lengths(["sekret"]).unwrap();
    let cookie = format!("access_token={}", secrets.sign(TOKEN));
    let sources = TokenSources::loopback().with([TokenSource::signed_cookie("access_token", secrets)]);
    for stranger in STRANGERS.iter().filter(|stranger| !stranger.contains("0123456789abcdef")) {
        let headers = [("authorization", *stranger), ("cookie", &cookie)];
        assert_eq!(found(&sources, "/", &headers), Some(Some(TOKEN.to_owned())), "{stranger}");
    }
    let bogus = Some(Some("bogus".to_owned()));
    assert_eq!(found(&sources, "/", &[("authorization", "bogus"), ("cookie", &cookie)]), bogus);
}

#[test]
fn custom_places_come_before_the_default_ones_of_their_kind() {
    let custom = || [TokenSource::header("x-foo"), TokenSource::query("foo"), TokenSource::header("x-bar")];
    let with = TokenSources::loopback().with(custom());
    for (uri, headers, wanted) in [
        ("/", &[("x-foo", "a"), ("x-access-token", "b")][..], "a"),
        ("/?foo=a&access_token=b", &[], "a"),
        ("/?foo=a", &[("x-foo", "b")], "a"),
        ("/?access_token=a", &[("x-foo", "b")], "a"),
        ("/", &[("x-bar", "b"), ("x-foo", "a")], "a"),
        ("/", &[("x-bar", "a"), ("authorization", "b")], "a"),
        ("/", &[("authorization", "a")], "a"),
    ] {
        assert_eq!(found(&with, uri, headers), Some(Some(wanted.into())), "{uri} {headers:?}");
    }
    // `searchDefaultTokenKeys: false`
    let only = TokenSources::new(custom());
    assert_eq!(found(&only, "/?access_token=a", &[("authorization", "a")]), None);
    let bearer = format!("Bearer {}", BASE64.encode(TOKEN));
    assert_eq!(found(&only, "/", &[("x-foo", &bearer)]), Some(Some(TOKEN.into())));
}

#[cfg(feature = "signed-cookies")]
#[test]
fn a_signed_cookie_is_looked_for_after_the_headers_and_is_absent_unless_it_verifies() {
    let secrets = crate::CookieSecrets::with_insecure_lengths(["sekret"]).unwrap();
    let (a, b) = (secrets.sign("a"), secrets.sign("b"));
    let bearer = secrets.sign(&format!("Bearer {}", BASE64.encode(TOKEN)));
    let sources = TokenSources::loopback()
        .with(["access_token", "authorization"].map(|name| TokenSource::signed_cookie(name, secrets.clone())));
    let is = |token: &str| Some(Some(token.to_owned()));
    for (cookies, wanted) in [
        (format!("access_token={a}"), is("a")),
        (format!("authorization={a}"), is("a")),
        (format!("authorization={b}; access_token={a}"), is("a")),
        (format!("authorization={b}; access_token={TOKEN}"), is("b")),
        (format!("authorization={b}; access_token={a}x"), is("b")),
        (format!("access_token={TOKEN}"), None),
        (format!("access_token={a}x"), None),
        (format!("access_token={a}; access_token={a}"), None),
        (format!("authorization={bearer}"), is(&format!("Bearer {}", BASE64.encode(TOKEN)))),
    ] {
        assert_eq!(found(&sources, "/", &[("cookie", &cookies)]), wanted, "{cookies}");
        assert_eq!(found(&sources, "/", &[("cookie", &cookies), ("authorization", "h")]), is("h"), "{cookies}");
    }
}

/// Cookie tossing: V-rows of planted cookies.
#[test]
fn of_two_cookies_with_the_same_name_neither_counts() {
    let with = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, value.parse().unwrap());
        let found = TokenSources::default().find(&headers, &[], form)?;
        found.token().map(Cow::into_owned)
    };
    assert_eq!(with("a=b; __Host-access_token=abc").as_deref(), Some("abc"));
    assert_eq!(with("__Host-access_token=abc; __Host-access_token=xyz"), None);
    // This one a neighbouring host could have planted.
    assert_eq!(with("access_token=abc"), None);
    assert_eq!(with("access_token=xyz; __Host-access_token=abc").as_deref(), Some("abc"));
    assert_eq!(with("a=b"), None);
}
