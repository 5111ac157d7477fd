//! `GET /_login` with Basic, row by row.

use gatekit::core::{AccountStatus, Event};
use gatekit::{Policy, Register, async_trait};
use gatekit_tests::{Answer, Store, on_every_store};

use crate::site::{BASIC, NAME, NOT_AUTHENTICATED, PASSWORD, PROVIDE_CREDENTIALS, Site, all, basic, claims};
use gatekit::cmwell::LoginNames;

const MALFORMED: &str = r#"{"success":false,"error":"malformed Authorization header"}"#;

/// Panics unless this is a 401 with this body and the challenge.
#[track_caller]
fn challenged(answer: Answer, body: &str) -> Answer {
    assert_eq!(all(&answer, "www-authenticate"), [BASIC]);
    unkept(answer).expect_header("content-type", "text/plain; charset=utf-8").is(401, body)
}

/// Panics unless no cache keeps this, and no other site learns its URL.
#[track_caller]
fn unkept(answer: Answer) -> Answer {
    answer.expect_header("cache-control", "no-store").expect_header("referrer-policy", "no-referrer")
}

on_every_store! {
    async fn name_and_password_are_answered_with_a_token_and_nothing_else(store) {
        let site = Site::new(store).await;
        let answer = unkept(site.login(NAME, PASSWORD).await).expect_header("content-type", "application/json");
        let token = answer.text("token");
        let answer = answer.is(200, &format!(r#"{{"token":"{token}"}}"#));
        assert!(all(&answer, "www-authenticate").is_empty());
        let said = claims(&token);
        assert_eq!((&said["sub"], &said["exp"], &said["rev"]), (&NAME.into(), &site.now().plus_seconds(86_400).0.into(), &0.into()));
        let me = site.me(&token).await.expect_status(200);
        assert_eq!(me.text("username"), NAME);
        assert!(matches!(site.events.take().last(), Some(Event::LoggedIn { user }) if user.username.as_deref() == Some(NAME)));
    }

    /// RFC 9110 §15.5.2, U9: a browser shows its dialog, and curl goes on.
    async fn without_credentials_there_is_a_challenge(store) {
        let site = Site::new(store).await;
        challenged(site.get("/_login").await, PROVIDE_CREDENTIALS);
        challenged(site.get("/_login?exp=3d").await, PROVIDE_CREDENTIALS);
        // A scheme that is not on offer is none.
        for value in ["Bearer x", "Negotiate abc", "Digest username=\"myUser\"", "Basic2 x", "", "x"] {
            challenged(site.get("/_login").header("authorization", value).await, PROVIDE_CREDENTIALS);
        }
    }

    /// 6.3.8, T-1, V-77: status, body and headers are the same, and so is the work.
    async fn unknown_user_wrong_password_and_user_without_one_look_and_cost_the_same(store) {
        let site = Site::new(store).await;
        let cost = async |name: &str, password: &str| {
            site.faults.reset();
            let before = site.auth.hasher().hashes();
            let answer = challenged(site.login(name, password).await, NOT_AUTHENTICATED);
            (answer, site.auth.hasher().hashes() - before, site.faults.calls())
        };
        site.import("passwordless", None).await;
        for password in ["a wrong one", "", &"x".repeat(5000), "nul\0", "ü:ß"] {
            let known = cost(NAME, password).await;
            for name in ["passwordless", "", "nobody", "myUser2", "MYUSER", "root", "ünknown", "nul\0", " myUser", "myUser "] {
                let unknown = cost(name, password).await;
                assert_eq!(known.0.as_sent(), unknown.0.as_sent(), "{name:?} {password:?}");
                // Who has a name that nobody can have is not looked up.
                let calls = if name.contains('\0') || name.is_empty() { vec![] } else { vec!["find_user_by"] };
                assert_eq!((unknown.1, unknown.2), (1, calls), "{name:?} {password:?}");
            }
            assert_eq!((known.1, known.2), (1, vec!["find_user_by"]), "{password:?}");
        }
    }

    async fn a_failed_login_is_an_event(store) {
        let site = Site::new(store).await;
        drop(site.events.take());
        site.login(NAME, "a wrong one").await.expect_status(401);
        site.login("nobody", "a wrong one").await.expect_status(401);
        let events = site.events.take();
        assert!(
            matches!(&events[..], [Event::LoginFailed { user_id: Some(_), .. }, Event::LoginFailed { user_id: None, .. }]),
            "{events:?}"
        );
    }

    /// Of `u:p:q` the password is `p:q`; names and passwords are UTF-8 and compared as they are.
    async fn names_and_passwords_are_taken_as_they_are(store) {
        let site = Site::new(store).await;
        for (name, password) in [
            ("a.b@x.org", "p:q:r and more"),
            ("us\"er\\", "pa\"ss\\word and more"),
            ("Zoë Müller", "pässwörd – 密码 🔑"),
            ("name with spaces", " spaces around "),
            ("per%63ent+plus", "per%63ent+plus&more=1"),
        ] {
            let email = format!("{}@example.com", name.len());
            site.auth.register(Register::email(email, password).username(name)).await.unwrap();
            let token = site.login(name, password).await.expect_status(200).text("token");
            assert_eq!(claims(&token)["sub"], name);
            assert_eq!(site.me(&token).await.expect_status(200).text("username"), name);
            site.login(name, &format!("{password} ")).await.expect_status(401);
        }
    }

    /// Python's requests sends ISO 8859-1, though the challenge says UTF-8.
    async fn credentials_in_iso_8859_1_are_read_too(store) {
        let site = Site::new(store).await;
        let user = Register::email("zoe@example.com", "pässwörd and more").username("Zoë");
        site.auth.register(user).await.unwrap();
        // Zoë:pässwörd and more
        let sent = "Basic Wm/rOnDkc3N39nJkIGFuZCBtb3Jl";
        site.get("/_login").header("authorization", sent).await.expect_status(200);
    }

    /// ASVS 7.4.2
    async fn who_is_blocked_or_not_approved_learns_it_only_with_the_right_password(store) {
        let site = Site::new(store).await;
        for (status, code, message) in [
            (AccountStatus::Blocked, "ACCOUNT_BLOCKED", "the account is blocked"),
            (AccountStatus::Pending, "ACCOUNT_PENDING", "the account has not been approved yet"),
        ] {
            site.auth.set_account_status(&1.into(), status).await.unwrap();
            let wrong = challenged(site.login(NAME, "a wrong one").await, NOT_AUTHENTICATED);
            let unknown = site.login("nobody", "a wrong one").await;
            assert_eq!(wrong.as_sent(), unknown.as_sent());
            let body = format!(r#"{{"success":false,"error":"{message}","code":"{code}"}}"#);
            unkept(site.login(NAME, PASSWORD).await).is(403, &body);
        }
        site.auth.set_account_status(&1.into(), AccountStatus::Active).await.unwrap();
        site.token().await;
    }

    async fn an_address_must_be_proven_where_the_policy_says_so(store) {
        let mut policy = Policy::default();
        policy.email.verification_required = true;
        // Where a sign-up hides who has an account, the login of an unverified one looks like a
        // wrong password.
        let site = Site::with().policy(policy.clone()).start(store).await.registered().await;
        challenged(site.login(NAME, PASSWORD).await, NOT_AUTHENTICATED);
        policy.reveal.taken_email = true;
        let site = Site::with().policy(policy).start(store).await.registered().await;
        challenged(site.login(NAME, "a wrong one").await, NOT_AUTHENTICATED);
        let body = r#"{"success":false,"error":"login failed as the email has not been verified","code":"LOGIN_FAILED_EMAIL_NOT_VERIFIED"}"#;
        site.login(NAME, PASSWORD).await.is(403, body);
    }

    /// Play answers it with the GET route.
    async fn head_is_answered_as_get_without_a_body(store) {
        let site = Site::new(store).await;
        unkept(site.call("HEAD", "/_login").header("authorization", basic(NAME, PASSWORD)).await).is(200, "");
        let refused = unkept(site.call("HEAD", "/_login").await).is(401, "");
        assert_eq!(all(&refused, "www-authenticate"), [BASIC]);
    }

    /// CM-Well takes `POST /_login` for an upload.
    async fn any_other_method_is_405(store) {
        let site = Site::new(store).await;
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            let call = site.call(method, "/_login").header("authorization", basic(NAME, PASSWORD));
            let answer = unkept(call.await).is(405, "");
            let allowed: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
            assert_eq!(allowed, ["GET", "HEAD"], "{method}");
        }
    }

    /// FUZZ-2, U9: 400, and nothing of what was sent is repeated.
    async fn a_malformed_header_is_400(store) {
        let site = Site::new(store).await;
        for value in ["Basic", "Basic ", "Basic =", "Basic *", "Basic bXlVc2Vy", "Basic bXlVc2VyOm15UGFzc3dvcmQ=x", "basic dTpwcA==Zg=="] {
            let answer = unkept(site.get("/_login").header("authorization", value).await).is(400, MALFORMED);
            assert!(all(&answer, "www-authenticate").is_empty());
        }
        let twice = site.login(NAME, PASSWORD).header("authorization", basic(NAME, PASSWORD));
        twice.await.is(400, MALFORMED);
        let twice = site.login(NAME, PASSWORD).header("authorization", "Bearer x");
        twice.await.is(400, MALFORMED);
        site.login(NAME, &"x".repeat(90_000)).await.is(400, MALFORMED);
        site.get("/_login").header("authorization", b"Basic \xe9").await.is(400, MALFORMED);
    }

    async fn the_scheme_is_in_any_case(store) {
        let site = Site::new(store).await;
        for scheme in ["basic", "BASIC", "bAsIc", "Basic  "] {
            let value = basic(NAME, PASSWORD).replace("Basic", scheme);
            site.get("/_login").header("authorization", value).await.expect_status(200);
        }
    }

    /// V-72: a password that bcrypt would cut is compared as a whole.
    async fn a_password_is_not_cut(store) {
        let site = Site::new(store).await;
        let password = "long enough ".repeat(10);
        site.auth.register(Register::email("long@example.com", password.clone()).username("long")).await.unwrap();
        site.login("long", &password).await.expect_status(200);
        site.login("long", &password[..72]).await.expect_status(401);
    }

    /// U12: hashes that CM-Well has made, and those that came after. Each is replaced on the way.
    async fn a_hash_of_bcrypt_is_taken_over(store) {
        // The first is from CM-Well's own public tests.
        let hash = "$2a$10$hrLLP9IUUJyUHP5skFtpC.LG.WFvcKHkbrcymcg0yPWXxg08z2mhW";
        let site = Site::with().start(store).await;
        for (name, hash) in [("a", hash.to_owned()), ("b", hash.replace("$2a$", "$2b$")), ("c", hash.replace("$2a$", "$2y$"))] {
            site.import(name, Some(&hash)).await;
            site.login(name, "mypassword").await.expect_status(401);
            for _ in 0..2 {
                let token = site.login(name, "myPassword").await.expect_status(200).text("token");
                site.me(&token).await.expect_status(200);
            }
        }
        // What is no hash verifies nothing, and is no failure.
        site.import("d", Some("")).await;
        site.import("e", Some("$2a$10$")).await;
        for name in ["d", "e"] {
            challenged(site.login(name, "myPassword").await, NOT_AUTHENTICATED);
            challenged(site.login(name, "").await, NOT_AUTHENTICATED);
        }
    }

    async fn with_addresses_or_with_both(store) {
        for (names, good, subject, bad) in [
            (LoginNames::Username, vec!["ada"], "ada", vec!["ada@example.com", "Ada@Example.com"]),
            (LoginNames::Email, vec!["ada@example.com", "ADA@example.com"], "ada@example.com", vec!["ada"]),
            (LoginNames::Either, vec!["ada", "ada@example.com"], "ada", vec!["ada@"]),
        ] {
            let site = Site::with().cmwell(move |cmwell| cmwell.login_names(names)).start(store).await;
            site.auth.register(Register::email("ada@example.com", PASSWORD).username("ada")).await.unwrap();
            for name in good {
                let token = site.login(name, PASSWORD).await.expect_status(200).text("token");
                assert_eq!(claims(&token)["sub"], subject);
                site.me(&token).await.expect_status(200);
            }
            for name in bad {
                challenged(site.login(name, PASSWORD).await, NOT_AUTHENTICATED);
            }
        }
    }

    /// In `Either`, a username that looks like an address belongs to nobody but the address's
    /// owner.
    async fn a_username_with_an_at_sign_takes_nobodys_address(store) {
        let site = Site::with().cmwell(|cmwell| cmwell.login_names(LoginNames::Either)).start(store).await;
        site.auth.register(Register::email("ada@example.com", PASSWORD).username("ada")).await.unwrap();
        let eve = Register::email("eve@example.com", "another horse battery").username("ada@example.com");
        site.auth.register(eve).await.unwrap();
        site.login("ada@example.com", "another horse battery").await.expect_status(401);
        let token = site.login("eve@example.com", "another horse battery").await.expect_status(200).text("token");
        assert_eq!(claims(&token)["sub"], "eve@example.com");
        assert_eq!(site.me(&token).await.text("email"), "eve@example.com");
        let token = site.login("ada@example.com", PASSWORD).await.expect_status(200).text("token");
        assert_eq!(site.me(&token).await.text("email"), "ada@example.com");
    }

    async fn where_there_are_realms_the_name_says_which(store) {
        let mut policy = Policy::default();
        (policy.identifiers.realm_required, policy.identifiers.realm_delimiter) = (true, Some('/'));
        let site = Site::with().policy(policy).start(store).await;
        for realm in ["acme", "umbrella"] {
            let user = Register::email("ada@example.com", format!("{PASSWORD} {realm}")).username("ada").realm(realm);
            site.auth.register(user).await.unwrap();
        }
        for realm in ["acme", "umbrella"] {
            let name = format!("{realm}/ada");
            let token = site.login(&name, &format!("{PASSWORD} {realm}")).await.expect_status(200).text("token");
            assert_eq!(claims(&token)["sub"], name);
            assert_eq!(site.me(&token).await.expect_status(200).text("realm"), realm);
        }
        challenged(site.login("acme/ada", &format!("{PASSWORD} umbrella")).await, NOT_AUTHENTICATED);
        challenged(site.login("ada", &format!("{PASSWORD} acme")).await, NOT_AUTHENTICATED);
    }

    /// RFC 7617 §2: Basic divides at the first colon, so a user with one in its name could never
    /// log in.
    async fn a_name_that_basic_cannot_carry_is_refused_when_it_is_chosen(store) {
        let site = Site::new(store).await;
        for name in ["a:b", ":", "ada:", ":ada", "a\u{ff1a}b"] {
            let refused = site.auth.register(Register::email("colon@example.com", PASSWORD).username(name)).await;
            let Err(gatekit::core::RegisterError::Invalid(errors)) = refused else { panic!("{name}: {refused:?}") };
            assert_eq!((errors.len(), &*errors[0].field), (1, "username"), "{name}");
        }
        let ada = site.auth.register(Register::email("colon@example.com", PASSWORD).username("ada")).await.unwrap();
        let renamed = serde_json::json!({"username": "ada:b"}).as_object().unwrap().clone();
        site.auth.update_user(gatekit::core::UpdateUser::patch(ada.id, renamed)).await.unwrap_err();
        site.login("ada", PASSWORD).await.expect_status(200);
    }
}

#[tokio::test]
async fn a_hook_that_refuses_is_403() {
    struct Closed;
    #[async_trait]
    impl gatekit::Hooks<gatekit::User> for Closed {
        async fn before_login(&self, _: &gatekit::User) -> Result<(), gatekit::HookVeto> {
            Err(gatekit::HookVeto::new("CLOSED", "We are \"closed\""))
        }
    }
    let site = Site::with().auth(|auth| auth.hooks(Closed)).start(Store::Memory).await.registered().await;
    let body = r#"{"success":false,"error":"We are \"closed\"","code":"CLOSED"}"#;
    site.login(NAME, PASSWORD).await.is(403, body);
    site.login(NAME, "a wrong one").await.is(401, NOT_AUTHENTICATED);
}

#[tokio::test]
async fn the_realm_is_the_apps() {
    let site = Site::with().cmwell(|cmwell| cmwell.realm("Acme's store")).start(Store::Memory).await;
    let answer = site.get("/_login").await;
    assert_eq!(all(&answer, "www-authenticate"), [r#"Basic realm="Acme's store", charset="UTF-8""#]);
}

/// A token that the app would have handed out is not: it would be dead at once.
#[tokio::test]
async fn a_login_while_the_account_is_being_blocked_gives_no_living_token() {
    let site = Site::new(Store::Memory).await;
    let token = site.token().await;
    site.auth.set_account_status(&1.into(), AccountStatus::Blocked).await.unwrap();
    site.me(&token).await.expect_status(401);
}
