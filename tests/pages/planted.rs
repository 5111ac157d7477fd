//! What a neighbouring host can do to the browser of a visitor: set cookies for the whole domain.

use gatekit_tests::on_every_store;

use crate::site::{PageAnswer, Site};

on_every_store! {
    /// C-1, C-14: such a cookie cannot be refused by the site, so it must not lock anybody out.
    async fn a_cookie_of_others_that_is_no_ascii_hides_none_of_ours(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        browser.get("/account?lang=de").await.page(200, "Mein Konto");
        let ours: Vec<String> = browser.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let ours = ours.join("; ");
        for planted in ["x=\u{fc}", "\u{fc}=x", "x=\"", "x", "="] {
            for cookies in [format!("{planted}; {ours}"), format!("{ours}; {planted}")] {
                let answer = site.browser().call("GET", "/account").header("cookie", &cookies).await;
                answer.page(200, "Mein Konto");
            }
        }
        let raw = [b"x=\xff\xfe; ", ours.as_bytes()].concat();
        site.browser().call("GET", "/account").header("cookie", raw).await.page(200, "Mein Konto");
    }

    /// 3.3.3, C-10, V-50: browsers keep the promise of the prefix for this very name, not for what
    /// looks like it after trimming.
    async fn a_name_that_is_ours_but_for_unusual_blanks_is_not_ours(store) {
        let site = Site::new(store).await;
        let browser = site.signed_up().await;
        let token = browser.token().unwrap();
        for blank in ["\u{2000}", "\u{a0}", "\u{85}", "\u{3000}", "\u{feff}"] {
            for name in [format!("{blank}__Host-access_token"), format!("__Host-access_token{blank}")] {
                let answer = site.browser().call("GET", "/account").header("cookie", format!("{name}={token}")).await;
                answer.goes_to("/login?return_to=/account");
                let both = format!("{name}=planted; __Host-access_token={token}");
                site.browser().call("GET", "/account").header("cookie", both).await.page(200, "My account");
            }
        }
        // Browsers send a cookie without a name as its value alone.
        for name in ["=__Host-access_token", "__host-access_token", "__HOST-ACCESS_TOKEN", "access_token"] {
            let answer = site.browser().call("GET", "/account").header("cookie", format!("{name}={token}")).await;
            answer.goes_to("/login?return_to=/account");
        }
    }
}
