//! Where a token is read.

use gatekit::cmwell::Legacy;
use gatekit_tests::{Call, on_every_store};

use crate::site::{NAME, Site};

/// A request to `/maybe` with these tokens, each in its place: `header=`, `header2=`, `bearer=`,
/// `query=`, `cookie=`, `cookie2=`.
fn request(site: &Site, method: &str, path: &str, tokens: &[(&str, &str)]) -> Call {
    let query = tokens.iter().find(|(place, _)| *place == "query");
    let path = query.map_or(path.to_owned(), |(_, token)| format!("{path}?token={token}"));
    tokens.iter().fold(site.call(method, &path), |call, (place, token)| match *place {
        "header" => call.header("X-CM-WELL-TOKEN", token),
        "header2" => call.header("x-cm-well-token2", token),
        "bearer" => call.header("authorization", format!("Bearer {token}")),
        "cookie" => call.header("cookie", format!("X-CM-WELL-TOKEN={token}")),
        "cookie2" => call.header("cookie", format!("X-CM-WELL-TOKEN2={token}")),
        _ => call,
    })
}

async fn is_known(site: &Site, tokens: &[(&str, &str)]) -> bool {
    let answer = request(site, "GET", "/maybe", tokens).await.expect_status(200);
    answer.body == "a user"
}

/// What an identity-aware proxy adds: a JWT with a name and a time, as CM-Well's, of another
/// algorithm (`{"alg":"ES256","typ":"JWT"}`,
/// `{"iss":"https://cloud.google.com/iap","aud":"/projects/1","sub":"ada","exp":4604940000}`).
const PROXYS: &str = "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2Nsb3VkLmdvb2dsZS5jb20vaWFwIiwiYXVkIjoiL3Byb2plY3RzLzEiLCJzdWIiOiJhZGEiLCJleHAiOjQ2MDQ5NDAwMDB9.c2lnbmF0dXJl";

const ALL: Legacy = Legacy {
    token2_header: true,
    token_in_query: true,
    cookies: true,
    md5: false,
    rfc2069: false,
    get_operations: false,
    lenient_exp: false,
};

on_every_store! {
    async fn only_headers_unless_a_flag_says_so(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        for (place, known) in
            [("header", true), ("bearer", true), ("header2", false), ("query", false), ("cookie", false), ("cookie2", false)]
        {
            assert_eq!(is_known(&site, &[(place, &token)]).await, known, "{place}");
        }
        // Nor where LoopBack's are.
        site.get(&format!("/maybe?access_token={token}")).await.is(200, "anonymous");
        site.get("/maybe").header("x-access-token", &token).await.is(200, "anonymous");
        site.get("/maybe").header("authorization", &token).await.is(200, "anonymous");
        site.get("/maybe").cookie(&token).await.is(200, "anonymous");
    }

    async fn each_flag_adds_its_place(store) {
        for (legacy, places) in [
            (Legacy { token2_header: true, ..Legacy::default() }, vec!["header2"]),
            (Legacy { token_in_query: true, ..Legacy::default() }, vec!["query"]),
            (Legacy { cookies: true, ..Legacy::default() }, vec!["cookie", "cookie2"]),
            (ALL, vec!["header2", "query", "cookie", "cookie2"]),
        ] {
            let site = Site::with().cmwell(move |cmwell| cmwell.legacy(legacy)).start(store).await.registered().await;
            let token = site.token().await;
            for place in ["header2", "query", "cookie", "cookie2"] {
                assert_eq!(is_known(&site, &[(place, &token)]).await, places.contains(&place), "{legacy:?} {place}");
            }
            assert!(is_known(&site, &[("header", &token)]).await);
        }
    }

    /// A token that is bad hides a good one. What is no token at all does not, unlike in CM-Well
    /// (§1.7): it is a proxy's or a script's.
    async fn the_first_token_ends_the_search_and_what_is_none_does_not(store) {
        let site = Site::with().cmwell(|cmwell| cmwell.legacy(ALL)).start(store).await.registered().await;
        let token = site.token().await;
        let (signed, _) = token.rsplit_once('.').unwrap();
        let bad = format!("{signed}.{}", "A".repeat(43));
        let order = ["header2", "header", "bearer", "query", "cookie2", "cookie"];
        for (i, first) in order.iter().enumerate() {
            for later in &order[i + 1..] {
                // Two headers `Cookie` are one with both.
                assert!(is_known(&site, &[(first, &token), (later, "garbage")]).await, "{first} before {later}");
                assert!(!is_known(&site, &[(first, &bad), (later, &token)]).await, "{first} before {later}");
                for none in ["garbage", "undefined", "a.b.c", PROXYS] {
                    assert!(is_known(&site, &[(first, none), (later, &token)]).await, "{first} before {later}: {none}");
                }
            }
        }
    }

    /// U8, 14.2.1: whoever is behind the layer does not see it, and no cache keeps the answer.
    async fn a_token_in_the_query_is_cut_out(store) {
        let site = Site::with().cmwell(|cmwell| cmwell.legacy(ALL)).start(store).await.registered().await;
        let token = site.token().await;
        let answer = request(&site, "GET", "/me", &[("query", &token)]).await.expect_status(200);
        answer.expect_header("cache-control", "no-store").expect_header("referrer-policy", "no-referrer");
    }

    /// A browser sends cookies unasked: another site's page must not use them (3.5.1).
    async fn a_cookie_from_another_site_is_refused(store) {
        let site = Site::with().cmwell(|cmwell| cmwell.legacy(ALL)).start(store).await.registered().await;
        let token = site.token().await;
        for place in ["cookie", "cookie2"] {
            let post = || request(&site, "POST", "/me", &[(place, &token)]);
            post().header("sec-fetch-site", "same-origin").await.expect_status(200);
            post().header("sec-fetch-site", "cross-site").await.expect(403, "CROSS_ORIGIN_REQUEST");
            post().header("origin", "https://evil.example").await.expect(403, "CROSS_ORIGIN_REQUEST");
        }
        let post = request(&site, "POST", "/me", &[("header", &token)]).header("sec-fetch-site", "cross-site");
        post.await.expect_status(200);
    }

    /// Two of a name: one may have been planted by a neighbouring host.
    async fn two_cookies_of_a_name_are_none(store) {
        let site = Site::with().cmwell(|cmwell| cmwell.legacy(ALL)).start(store).await.registered().await;
        let token = site.token().await;
        let pair = format!("X-CM-WELL-TOKEN={token}; X-CM-WELL-TOKEN={token}");
        site.get("/maybe").header("cookie", pair).await.is(200, "anonymous");
        assert_eq!(site.me(&token).await.text("username"), NAME);
    }
}
