//! What does a browser keep? The cookies as Chromium shows them, and what it does with them.

use std::time::{SystemTime, UNIX_EPOCH};

use gatekit_tests::PASSWORD;
use thirtyfour::{Cookie, SameSite};

use crate::stage::{ADA, TOKEN, with_scripts};

/// The name of the token's cookie over HTTPS.
const HOST_TOKEN: &str = "__Host-access_token";
/// The lifetime of a token, in seconds.
const TOKEN_TTL: i64 = 1_209_600;

/// ASVS 3.3.1 to 3.3.4, but for what only HTTPS has.
fn expect_well_made(cookie: &Cookie) {
    assert_eq!(cookie.http_only, Some(true));
    assert_eq!(cookie.same_site, Some(SameSite::Lax));
    assert_eq!(cookie.path.as_deref(), Some("/"));
    assert_eq!(cookie.domain.as_deref(), Some("localhost"), "no leading dot: of this host alone");
    assert_eq!(cookie.value.len(), 64);
    assert!(cookie.value.bytes().all(|byte| byte.is_ascii_alphanumeric()), "the opaque token and nothing else");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap_or(i64::MAX);
    let left = cookie.expiry.expect("a lifetime") - now;
    assert!((TOKEN_TTL - 600..=TOKEN_TTL + 600).contains(&left), "{left} s");
}

with_scripts! {
    /// As behind HTTPS: Chromium takes `Secure` cookies from `http://localhost` too.
    async fn the_token_is_in_a_cookie_that_no_other_host_can_set(stage; ("PUBLIC_URL", "https://localhost")) {
        stage.sign_up().await;
        let cookies = stage.browser.cookies().await;
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        let cookie = stage.browser.cookie(HOST_TOKEN).await.expect("a cookie");
        assert_eq!(cookie.secure, Some(true));
        expect_well_made(&cookie);
        assert_eq!(stage.browser.execute("return document.cookie", Vec::new()).await, "", "no script can read it");

        stage.expect_logged_in_as(ADA).await;
        stage.log_out().await;
        assert!(stage.browser.cookie(HOST_TOKEN).await.is_none());
        stage.log_in().await;

        // The secret of a mailed link is as safe.
        stage.open("/forgot-password").await;
        stage.browser.fill("email", ADA).await;
        stage.browser.submit("/forgot-password").await;
        let link = stage.site.link(ADA, "Choose a new password").await;
        let path = link.strip_prefix("https://localhost").expect("links begin with the public URL");
        stage.open(path).await;
        let cookie = stage.browser.cookie("__Host-gatekit_mail").await.expect("a cookie");
        assert_eq!((cookie.secure, cookie.http_only), (Some(true), Some(true)));
    }

    /// Cookie tossing: without the prefix a neighbouring host could plant a token of its own, and
    /// with it the user works in a stranger's account.
    async fn a_planted_cookie_without_the_prefix_is_nobody(stage; ("PUBLIC_URL", "https://localhost")) {
        stage.sign_up().await;
        let token = stage.browser.cookie(HOST_TOKEN).await.expect("a cookie").value;
        let victim = stage.elsewhere().await;
        victim.open("/").await;
        victim.browser.driver().add_cookie(Cookie::new(TOKEN, token.clone())).await.unwrap();
        assert_eq!(victim.browser.cookies().await.len(), 1);
        victim.expect_logged_out().await;
        // Chromium does not let a script plant one with the prefix that is not as the prefix
        // promises.
        let plant = format!("document.cookie = '{HOST_TOKEN}={token}; Secure; Path=/login'; return document.cookie");
        assert_eq!(victim.browser.execute(&plant, Vec::new()).await, format!("{TOKEN}={token}"));
    }

    async fn over_plain_http_the_development_setting_works(stage) {
        stage.sign_up().await;
        let cookies = stage.browser.cookies().await;
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        let cookie = stage.browser.cookie(TOKEN).await.expect("a cookie");
        assert_eq!(cookie.secure, Some(false));
        expect_well_made(&cookie);
        stage.log_out().await;
        assert!(stage.browser.cookies().await.is_empty());

        stage.send_login(ADA, PASSWORD).await;
        let new = stage.browser.cookie(TOKEN).await.expect("a cookie");
        assert_ne!(new.value, cookie.value);
    }
}
