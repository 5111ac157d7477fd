//! What may a user be called? Anything: CM-Well's parser stopped at the first dot.

use gatekit::UpdateUser;
use gatekit::cmwell::LoginNames;
use gatekit_tests::on_every_store;

use super::client::Challenge;
use super::site::{NAME, NOBODY, PASSWORD, Site, Wishes};

const NAMES: [&str; 9] = [
    "a.b@example.com",
    "Jürgen Müller",
    "Jäsøn Doe",
    "用户",
    r#"us"er"#,
    r"DOMAIN\user",
    "a b",
    "a,b=c",
    "per%20cent+plus",
];

on_every_store! {
    async fn every_name_can_log_in(store) {
        let site = Site::with_digest(store).await;
        for name in NAMES {
            site.sign_up_with_digest(name).await;
            let reply = Challenge::new(&site, "SHA-256").await.answer(name, PASSWORD);
            let token = reply.send(&site).await.expect_status(200).text("token");
            let me = site.get("/me").header("x-cm-well-token", &token).await.expect_status(200);
            assert_eq!(me.text("username"), name);
        }
    }

    /// Contract §1.4: `a.b` was read as the user `a`.
    async fn a_name_is_read_to_its_end(store) {
        let site = Site::with_digest(store).await;
        let challenge = Challenge::new(&site, "SHA-256").await;
        for name in ["myUser.b", "myUser@x", "myUser ", "myUser:", "MYUSER", "myUse"] {
            challenge.answer(NAME, PASSWORD).tampered("username", Some(name)).send(&site).await.expect_status(401);
            challenge.answer(name, PASSWORD).send(&site).await.expect_status(401);
        }
    }

    /// What Python's `requests` sends for a name that ISO 8859-1 can write: that in the header,
    /// UTF-8 in the hash.
    async fn a_name_in_latin_1_is_understood(store) {
        let site = Site::with_digest(store).await;
        site.sign_up_with_digest("Jürgen").await;
        let header = Challenge::new(&site, "SHA-256").await.answer("Jürgen", PASSWORD).header();
        let bytes: Vec<u8> = header.chars().map(|c| u8::try_from(c).unwrap()).collect();
        site.get("/_login").header("authorization", bytes).await.expect_status(200);
    }

    /// RFC 7616 §3.4, RFC 8187
    async fn a_name_may_be_percent_encoded(store) {
        let site = Site::with_digest(store).await;
        site.sign_up_with_digest("Jäsøn Doe").await;
        for encoded in ["UTF-8''J%C3%A4s%C3%B8n%20Doe", "utf-8'da'J%c3%a4s%c3%b8n%20Doe"] {
            let reply = Challenge::new(&site, "SHA-256").await.answer("Jäsøn Doe", PASSWORD).encoded_name(encoded);
            reply.send(&site).await.expect_status(200);
        }
        for wrong in ["J%C3%A4s%C3%B8n%20Doe", "ISO-8859-1''J%E4s%F8n%20Doe", "UTF-8''%ff", "UTF-8''%00"] {
            let reply = Challenge::new(&site, "SHA-256").await.answer("Jäsøn Doe", PASSWORD).encoded_name(wrong);
            reply.send(&site).await.expect_status(400);
        }
    }

    /// DG-11, T-8
    async fn a_name_may_be_hashed_where_that_is_offered(store) {
        let site = Site::with_userhash(store).await;
        let challenge = Challenge::new(&site, "SHA-256").await;
        assert_eq!(challenge.get("userhash"), "true");
        challenge.answer(NAME, PASSWORD).userhash(NAME).send(&site).await.expect_status(200);
        challenge.answer(NAME, PASSWORD).count(2).send(&site).await.expect_status(200);
        let refused = challenge.answer(NAME, "a wrong one").count(3).userhash(NAME);
        site.faults.reset();
        refused.send(&site).await.expect_status(401);
        let known = site.faults.calls();
        site.faults.reset();
        challenge.answer(NOBODY, PASSWORD).count(3).userhash(NOBODY).send(&site).await.expect_status(401);
        assert_eq!(site.faults.calls(), known, "the same work for a user there is not");
        // A hash is no name, and a name no hash.
        challenge.answer(NAME, PASSWORD).count(4).with("userhash", "true").send(&site).await.expect_status(401);
        let plain = challenge.answer(NAME, PASSWORD).count(5).userhash(NAME).with("userhash", None);
        plain.send(&site).await.expect_status(401);
    }

    async fn a_hashed_name_is_refused_where_it_is_not_offered(store) {
        let site = Site::with_digest(store).await;
        let challenge = Challenge::new(&site, "SHA-256").await;
        assert_eq!(challenge.get("userhash"), "");
        challenge.answer(NAME, PASSWORD).userhash(NAME).send(&site).await.expect_status(401);
    }

    /// What the user is called is hashed with the password.
    async fn a_user_with_another_name_turns_digest_on_again(store) {
        let site = Site::with_userhash(store).await;
        let id = site.id(NAME).await;
        let change = serde_json::json!({"username": "another"}).as_object().cloned().unwrap();
        site.auth.update_user(UpdateUser::patch(id.clone(), change).trusted()).await.unwrap();
        let challenge = Challenge::new(&site, "SHA-256").await;
        for name in [NAME, "another"] {
            challenge.answer(name, PASSWORD).send(&site).await.expect_status(401);
            challenge.answer(name, PASSWORD).userhash(name).send(&site).await.expect_status(401);
            // The credential is of the old name: who knows it gets nowhere under the new one.
            let old = challenge.answer(NAME, PASSWORD).tampered("username", Some(name));
            old.send(&site).await.expect_status(401);
        }
        site.cmwell.enable_digest(&id, PASSWORD).await.unwrap();
        challenge.answer("another", PASSWORD).send(&site).await.expect_status(200);
    }

    async fn addresses_can_be_the_names(store) {
        for names in [LoginNames::Email, LoginNames::Either] {
            let site = Site::with(store, Wishes { names, ..Wishes::default() }).await;
            let id = site.sign_up_with_digest("").await;
            let email = site.auth.find_account_by_id(&id).await.unwrap().unwrap().user.email.unwrap();
            let challenge = Challenge::new(&site, "SHA-256").await;
            challenge.answer(&email, PASSWORD).send(&site).await.expect_status(200);
        }
    }
}
