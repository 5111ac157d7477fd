//! Tokens in cookies that the app has signed, as Express' cookie-parser does.

use gatekit::{CookieSecrets, Policy, TokenSource, TokenSources};
use gatekit_tests::{App, Store, on_every_store};

/// An app with `cookie-parser("sekret")`, and the secrets it has.
async fn app(store: Store) -> (App, CookieSecrets) {
    let secrets = CookieSecrets::with_insecure_lengths(["sekret"]).unwrap();
    let cookies = ["access_token", "authorization"].map(|name| TokenSource::signed_cookie(name, secrets.clone()));
    let sources = TokenSources::loopback().with(cookies);
    (App::with(Policy::loopback()).sources(sources).start(store).await, secrets)
}

on_every_store! {
    /// The exchanges recorded of LoopBack 3.28.0.
    async fn a_signed_cookie_is_a_token_and_others_are_nothing(store) {
        let (app, secrets) = app(store).await;
        let token = app.signed_up().await;
        app.sign_up_as("b@bar.com").await;
        let other = app.token_of("b@bar.com").await;
        let signed = secrets.sign(&token);
        let forged = CookieSecrets::with_insecure_lengths(["other"]).unwrap().sign(&token);
        let bearer = secrets.sign(&format!("Bearer {token}"));
        let get = |cookie: String| app.get("/api/users/1").header("cookie", cookie);
        let body = r#"{"username":"Foo","email":"foo@bar.com","id":1}"#;
        get(format!("access_token={signed}")).await.is(200, body);
        get(format!("authorization={signed}")).await.is(200, body);
        for cookie in [
            format!("access_token={token}"),
            format!("access_token={forged}"),
            format!("access_token={signed}x"),
            format!("authorization={bearer}"),
            format!("other={signed}"),
        ] {
            get(cookie).await.expect(401, "AUTHORIZATION_REQUIRED");
        }
        // A header beats a cookie, and a cookie that does not count hides none that does.
        get(format!("access_token={signed}")).token(&other).await.expect(401, "AUTHORIZATION_REQUIRED");
        get(format!("access_token={forged}; authorization={signed}")).await.is(200, body);
    }

    /// 3.5.1, RFC FM-1, C-8
    async fn what_holds_for_cookies_holds_for_signed_ones(store) {
        let (app, secrets) = app(store).await;
        let token = app.signed_up().await;
        let signed = secrets.sign(&token);
        let cookie = format!("access_token={signed}");
        let logout = |site: &str| app.post("/api/users/logout").header("cookie", &cookie).header("sec-fetch-site", site);
        logout("cross-site").await.expect(403, "CROSS_ORIGIN_REQUEST");
        let twice = format!("{cookie}; {cookie}");
        app.get("/me").header("cookie", twice).header("sec-fetch-site", "cross-site").await.expect_status(401);
        app.get("/me").header("cookie", &cookie).header("sec-fetch-site", "cross-site").await.expect_status(200);
        logout("same-origin").await.expect_no_content();
        app.get("/me").header("cookie", &cookie).await.expect_status(401);
    }

    /// 13.3.4: nobody is logged out by it.
    async fn a_new_secret_takes_over_while_the_old_one_is_still_read(store) {
        let [old, new] = ["the secret of last year, 32 bytes+", "the secret of this year, 32 bytes+"];
        let both = CookieSecrets::new([new, old]).unwrap();
        let sources = TokenSources::new([TokenSource::signed_cookie("sid", both.clone())]);
        let app = App::with(Policy::default()).sources(sources).start(store).await;
        app.sign_up().await;
        let token = app.token_of(gatekit_tests::EMAIL).await;
        for (secrets, status) in [
            (CookieSecrets::new([old]).unwrap(), 200),
            (CookieSecrets::new([new]).unwrap(), 200),
            (both, 200),
            (CookieSecrets::new(["the secret of somebody else entirely"]).unwrap(), 401),
        ] {
            app.get("/me").header("cookie", format!("sid={}", secrets.sign(&token))).await.expect_status(status);
        }
    }
}
