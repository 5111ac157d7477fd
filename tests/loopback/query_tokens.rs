//! A token in the query string, which LoopBack's clients send, and what is done so that it stays
//! between the two.

use gatekit::{Policy, TokenSources};
use gatekit_tests::{App, on_every_store};

on_every_store! {
    /// 14.2.1, LEAK-6, RFC B-6
    async fn the_answer_is_kept_by_nobody_and_names_no_referrer(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        for (path, status) in [("/me", 200), ("/open", 200), ("/maybe", 200), ("/api/users/1", 200), ("/nothing", 404)]
        {
            for query in [token.as_str(), "bogus", ""] {
                let answer = app.get(&format!("{path}?access_token={query}")).await;
                let answer =
                    answer.expect_header("cache-control", "no-store").expect_header("referrer-policy", "no-referrer");
                if query == token {
                    answer.expect_status(status);
                }
            }
            let answer = app.get(path).token(&token).await;
            assert_eq!(answer.header("referrer-policy"), "", "only where it is needed");
        }
        app.post(&format!("/api/users/logout?access_token={token}"))
            .await
            .expect_no_content()
            .expect_header("cache-control", "no-store")
            .expect_header("referrer-policy", "no-referrer");
    }

    /// LEAK-6: what inner services see, their trace spans print.
    async fn services_inside_of_the_layer_see_a_uri_without_it(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        for (asked, seen) in [
            (format!("/me?access_token={token}"), "/me"),
            (format!("/me?a=1&access_token={token}&b=%20"), "/me?a=1&b=%20"),
            (format!("/me?access%5Ftoken={token}&a"), "/me?a"),
            (format!("/api/users/1?access_token={token}"), "/api/users/1"),
            (format!("/open?access_token={token}&access_token={token}"), "/open"),
            (format!("/nothing?access_token={token}"), "/nothing"),
            ("/open?a=1&b=2".to_owned(), "/open?a=1&b=2"),
        ] {
            let _ = app.seen();
            app.get(&asked).await;
            let uris = app.seen();
            assert_eq!(uris, [seen, seen], "{asked}: the request's and axum's original one");
        }
    }

    /// 14.2.1, RFC O-11
    async fn strict_sources_leave_it_unread(store) {
        let app = App::with(Policy::strict()).sources(TokenSources::strict()).start(store).await;
        let token = app.signed_up().await;
        let answer = app.get(&format!("/me?access_token={token}")).await.expect(401, "AUTHORIZATION_REQUIRED");
        assert_eq!(answer.header("referrer-policy"), "");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "there was no token");
        app.get(&format!("/me?access_token={token}")).token(&token).await.expect_status(200);
        app.me(&token).await.expect_status(200);
    }
}
