//! Who has a credential, what is it good for, and until when?

use std::fmt::Debug;

use gatekit::cmwell::{CmWell, EnableDigestError, ForgetDigests, SealingKey, SigningKey};
use gatekit::core::{AccountStatus, Event, EventContext, LoginError, Timestamp, TokenClient, UserId};
use gatekit::{Hooks, Login, MemoryStore, NoProfile, User};
use gatekit_testkit::{Fault, FaultyStore, LogCapture};
use gatekit_tests::{Answer, on_every_store};

use super::client::{Challenge, Reply};
use super::site::{BASIC_NAME, NAME, NOBODY, PASSWORD, SIGNING_KEY, Site};

const NEW_PASSWORD: &str = "marker-new-password-of-myUser";

async fn answer(site: &Site, name: &str, password: &str) -> Reply {
    Challenge::new(site, "SHA-256").await.answer(name, password)
}

async fn log_in(site: &Site, name: &str, password: &str) -> Answer {
    answer(site, name, password).await.send(site).await
}

/// An answer with what differs between any two taken out: the nonces.
fn shape(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.iter().map(|(name, value)| {
        let mut value = value.to_str().unwrap().to_owned();
        if let Some((before, rest)) = value.split_once("nonce=\"") {
            let (nonce, after) = rest.split_once('"').unwrap();
            value = format!("{before}nonce=<{}>{after}", nonce.len());
        }
        (name.to_string(), value)
    });
    (answer.status.as_u16(), headers.collect(), answer.body.clone())
}

on_every_store! {
    /// D14, contract U1: to CM-Well, everybody was a user whose HA1 was empty.
    async fn an_empty_ha1_is_nobodys(store) {
        let site = Site::with_rfc2069(store).await;
        let mut shapes = Vec::new();
        for name in [BASIC_NAME, NOBODY, NAME] {
            for algorithm in ["SHA-256", "MD5"] {
                let challenge = Challenge::new(&site, algorithm).await;
                let mut replies = vec![challenge.answer(name, PASSWORD).ha1("")];
                if algorithm == "MD5" {
                    replies.push(challenge.answer(name, PASSWORD).ha1("").rfc2069());
                }
                // What an implementation might take for none.
                let hash_of_nothing = match algorithm {
                    "MD5" => "d41d8cd98f00b204e9800998ecf8427e",
                    _ => "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                };
                let length = hash_of_nothing.len();
                for ha1 in [hash_of_nothing, &"0".repeat(length), "null", "undefined"] {
                    replies.push(challenge.answer(name, PASSWORD).ha1(ha1));
                }
                for reply in replies {
                    shapes.push(shape(&reply.send(&site).await.expect_status(401)));
                }
            }
        }
        shapes.dedup();
        assert_eq!(shapes.len(), 1, "the same bytes and headers, whoever is meant");
    }

    /// 6.3.8, contract U10
    async fn no_answer_tells_who_has_a_credential(store) {
        let site = Site::with_digest(store).await;
        let mut seen = Vec::new();
        for (name, password) in [(NAME, "a wrong one"), (BASIC_NAME, PASSWORD), (NOBODY, PASSWORD)] {
            let reply = answer(&site, name, password).await;
            site.faults.reset();
            let refused = reply.send(&site).await.expect_status(401);
            seen.push((shape(&refused), site.faults.calls()));
        }
        seen.dedup();
        assert_eq!(seen.len(), 1, "{seen:?}");
    }

    async fn a_refused_login_is_an_event(store) {
        let site = Site::with_digest(store).await;
        let _ = site.events.take();
        log_in(&site, NAME, "a wrong one").await.expect_status(401);
        log_in(&site, NOBODY, PASSWORD).await.expect_status(401);
        log_in(&site, NAME, PASSWORD).await.expect_status(200);
        let id = site.id(NAME).await;
        match &site.events.take()[..] {
            [Event::LoginFailed { user_id: Some(failed), .. }, Event::LoginFailed { user_id: None, .. }, Event::LoggedIn { user }] => {
                assert_eq!((failed, &user.id), (&id, &id));
            }
            other => panic!("{other:?}"),
        }
    }

    /// Contract U3, U7
    async fn a_change_of_the_password_ends_the_credential(store) {
        let site = Site::with_digest(store).await;
        site.change_password(NAME, PASSWORD, NEW_PASSWORD).await;
        assert!(site.credential(NAME, "SHA-256").await.is_none(), "removed, not only worthless");
        for password in [PASSWORD, NEW_PASSWORD] {
            log_in(&site, NAME, password).await.expect_status(401);
        }
        let id = site.id(NAME).await;
        site.cmwell.enable_digest(&id, NEW_PASSWORD).await.unwrap();
        log_in(&site, NAME, PASSWORD).await.expect_status(401);
        log_in(&site, NAME, NEW_PASSWORD).await.expect_status(200);
    }

    /// Deleting is housekeeping: what counts is what the credential is bound to.
    async fn a_credential_that_could_not_be_deleted_is_worthless_all_the_same(store) {
        let site = Site::with_digest(store).await;
        site.faults.every_call_of("delete_digests_of", Fault::Fail);
        site.change_password(NAME, PASSWORD, NEW_PASSWORD).await;
        assert!(site.credential(NAME, "SHA-256").await.is_some());
        log_in(&site, NAME, PASSWORD).await.expect_status(401);
        log_in(&site, NAME, NEW_PASSWORD).await.expect_status(401);
        // The old password again: another hash of it, another binding.
        site.change_password(NAME, NEW_PASSWORD, PASSWORD).await;
        log_in(&site, NAME, PASSWORD).await.expect_status(401);
        site.faults.reset();
        site.cmwell.disable_digest(&site.id(NAME).await).await.unwrap();
        assert!(site.credential(NAME, "SHA-256").await.is_none());
    }

    async fn a_credential_of_an_old_hash_of_the_same_password_is_worthless(store) {
        let site = Site::with_digest(store).await;
        let old = site.credential(NAME, "SHA-256").await.unwrap();
        site.change_password(NAME, PASSWORD, NEW_PASSWORD).await;
        site.change_password(NAME, NEW_PASSWORD, PASSWORD).await;
        site.digests.put_digest(&old).await.unwrap();
        log_in(&site, NAME, PASSWORD).await.expect_status(401);
    }

    /// Who can write the database still cannot log in as another: contract U3.
    async fn a_credential_in_another_users_row_is_worthless(store) {
        let site = Site::with_digest(store).await;
        let victim = site.id(BASIC_NAME).await;
        let mine = site.credential(NAME, "SHA-256").await.unwrap();
        let theirs = gatekit::core::DigestCredential { user_id: victim.clone(), ..mine.clone() };
        site.digests.put_digest(&theirs).await.unwrap();
        // The victim's name with the attacker's secret, and the attacker's name in the victim's
        // row.
        let moved = answer(&site, NAME, PASSWORD).await.tampered("username", Some(BASIC_NAME));
        moved.send(&site).await.expect_status(401);
        log_in(&site, BASIC_NAME, PASSWORD).await.expect_status(401);
        // Nor does one of another algorithm count, or what is no credential at all.
        for sealed in [mine.sealed.iter().rev().copied().collect(), Vec::new(), vec![1; 97], mine.sealed[1..].to_vec()] {
            let row = gatekit::core::DigestCredential { sealed, ..mine.clone() };
            site.digests.put_digest(&row).await.unwrap();
            log_in(&site, NAME, PASSWORD).await.expect_status(401);
        }
        site.digests.put_digest(&mine).await.unwrap();
        log_in(&site, NAME, PASSWORD).await.expect_status(200);
    }

    /// Contract U3: what is in the store cannot be used as it is.
    async fn a_credential_is_kept_sealed(store) {
        let site = Site::with_digest(store).await;
        let kept = site.credential(NAME, "SHA-256").await.unwrap();
        let ha1 = "9e5d0d8c";
        let text = String::from_utf8_lossy(&kept.sealed).into_owned();
        assert!(!text.contains(ha1) && !text.contains(PASSWORD) && !text.contains(NAME));
        let stolen: String = kept.sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        for ha1 in [&stolen[..64], &stolen[stolen.len() - 64..], &text] {
            answer(&site, NAME, PASSWORD).await.ha1(ha1).send(&site).await.expect_status(401);
        }
    }

    /// The steps of `SealingKey`'s documentation.
    async fn a_sealing_key_can_be_changed(store) {
        let mut site = Site::with_digest(store).await;
        let old_challenge = Challenge::new(&site, "SHA-256").await;
        // The new key signs and seals, the old one still opens.
        let both = (site.rekeyed)(&[3, 2]);
        site.router = both;
        old_challenge.answer(NAME, PASSWORD).send(&site).await.expect_status(200);
        log_in(&site, NAME, PASSWORD).await.expect_status(200);
        // Without the old key its credentials are as if there were none, and its challenges are a
        // stranger's.
        let new = (site.rekeyed)(&[3]);
        site.router = new;
        log_in(&site, NAME, PASSWORD).await.expect_status(401);
        old_challenge.answer(NAME, PASSWORD).count(2).send(&site).await.expect_status(401);
    }

    async fn digest_is_turned_on_with_the_right_password_alone(store) {
        let site = Site::with_digest(store).await;
        let id = site.id(BASIC_NAME).await;
        let refused = site.cmwell.enable_digest(&id, "a wrong one").await;
        assert!(matches!(refused, Err(EnableDigestError::Login(LoginError::InvalidCredentials))), "{refused:?}");
        assert!(site.credential(BASIC_NAME, "SHA-256").await.is_none());
        log_in(&site, BASIC_NAME, "a wrong one").await.expect_status(401);
        let nobody = site.cmwell.enable_digest(&UserId::from(4711), PASSWORD).await;
        assert!(matches!(nobody, Err(EnableDigestError::UserNotFound)), "{nobody:?}");
        site.cmwell.enable_digest(&id, PASSWORD).await.unwrap();
        log_in(&site, BASIC_NAME, PASSWORD).await.expect_status(200);
    }

    /// What bcrypt has not seen whole may not be the user's password, so nothing is kept of it.
    async fn digest_is_not_turned_on_with_a_password_that_bcrypt_sees_a_part_of(store) {
        let site = Site::with_digest(store).await;
        let long = "correct horse battery staple correct horse battery staple correct horse battery staple the true ending";
        // Its hash, by libxcrypt.
        let id = site.import("long", "$2b$04$abcdefghijklmnopqrstuu6rixEKGOItKC5i1MvdHHlmR36LXX0vG").await;
        for password in [long, &format!("{}XX something else", &long[..72])] {
            let refused = site.cmwell.enable_digest(&id, password).await;
            assert!(matches!(refused, Err(EnableDigestError::PasswordNotWhole)), "{refused:?}");
            assert!(site.credential("long", "SHA-256").await.is_none());
        }
        site.auth.verify_login(Login::username("long", long)).await.unwrap();
    }

    async fn where_digest_is_not_set_up_it_cannot_be_turned_on(store) {
        let site = Site::with_digest(store).await;
        let basic = CmWell::builder(site.auth.clone(), SigningKey::new(SIGNING_KEY).unwrap()).build().unwrap();
        let refused = basic.enable_digest(&site.id(BASIC_NAME).await, PASSWORD).await;
        assert!(matches!(refused, Err(EnableDigestError::NotSetUp)), "{refused:?}");
        let reply = answer(&site, NAME, PASSWORD).await;
        let site = site.behind(basic.router());
        let refused = reply.send(&site).await.expect_status(401);
        assert!(Challenge::all(&refused).is_empty());
        assert!(refused.header("www-authenticate").starts_with("Basic "));
    }

    async fn digest_is_turned_off(store) {
        let site = Site::with_md5(store).await;
        let id = site.id(NAME).await;
        site.cmwell.disable_digest(&id).await.unwrap();
        for algorithm in ["SHA-256", "MD5"] {
            assert!(site.credential(NAME, algorithm).await.is_none());
            let reply = Challenge::new(&site, algorithm).await.answer(NAME, PASSWORD);
            reply.send(&site).await.expect_status(401);
        }
        site.cmwell.disable_digest(&id).await.unwrap();
    }

    async fn who_may_not_log_in_may_not_by_digest_either(store) {
        let site = Site::with_digest(store).await;
        for status in [AccountStatus::Blocked, AccountStatus::Pending] {
            site.set_status(NAME, status).await;
            let refused = log_in(&site, NAME, PASSWORD).await;
            assert_eq!(refused.status, 403, "{}", refused.body);
            // Only after the right password.
            log_in(&site, NAME, "a wrong one").await.expect_status(401);
        }
        site.set_status(NAME, AccountStatus::Active).await;
        log_in(&site, NAME, PASSWORD).await.expect_status(200);
    }

    /// Contract U7
    async fn the_token_of_a_digest_login_ends_with_the_password(store) {
        let site = Site::with_digest(store).await;
        let token = log_in(&site, NAME, PASSWORD).await.text("token");
        site.get("/me").header("x-cm-well-token", &token).await.expect_status(200);
        site.change_password(NAME, PASSWORD, NEW_PASSWORD).await;
        site.get("/me").header("x-cm-well-token", &token).await.expect_status(401);
    }

    /// DG-15
    async fn nothing_of_it_is_shown(store) {
        let logs = LogCapture::of_the_process();
        let site = Site::with_userhash(store).await;
        let reply = answer(&site, NAME, PASSWORD).await;
        let token = reply.send(&site).await.text("token");
        log_in(&site, NAME, "marker-wrong-password").await;
        reply.clone().tampered("nc", Some("x")).send(&site).await;
        // Somebody types the password where the name belongs.
        log_in(&site, "marker-password-as-name", PASSWORD).await;
        site.faults.every_call_of("delete_digests_of", Fault::Fail);
        site.change_password(NAME, PASSWORD, NEW_PASSWORD).await;
        site.faults.reset();
        let kept = site.credential(NAME, "SHA-256").await.unwrap();
        let key = SealingKey::new("marker-sealing-key-marker-sealing-key").unwrap();
        fn shown(values: &[&dyn Debug]) -> String {
            values.iter().map(|value| format!("{value:?} {value:#?}")).collect()
        }
        let text = shown(&[&site.cmwell, &kept, &key]);
        let sealed = format!("{:?}", kept.sealed);
        let secrets = [
            PASSWORD,
            NEW_PASSWORD,
            "marker-wrong-password",
            "marker-password-as-name",
            "marker-sealing-key",
            &token,
            &reply.response(),
            &kept.userhash,
            sealed.trim_matches(['[', ']']),
        ];
        logs.assert_contains("Digest credentials of an old password are left over");
        logs.assert_free_of(&secrets);
        for secret in secrets {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

/// A change of the password does not wait for ever for a store that hangs.
#[tokio::test(start_paused = true)]
async fn forgetting_ends_with_a_store_that_hangs() {
    let store = FaultyStore::new(MemoryStore::<NoProfile>::new());
    store.faults().every_call_of("delete_digests_of", Fault::Hang);
    let changed: Event<User> = Event::PasswordChanged { user_id: 1.into(), by_reset: false };
    ForgetDigests::new(store.clone())
        .on_event(&changed, &EventContext::new(Timestamp(0), TokenClient::default()))
        .await;
    assert_eq!(store.faults().calls(), ["delete_digests_of"]);
}
