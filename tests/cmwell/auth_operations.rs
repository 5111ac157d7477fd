//! `/_auth`: the rows of §1.8, in their safe form and with the flag.

use gatekit::cmwell::{CmWellToken, Legacy};
use gatekit::core::{MailKind, PermissionHolder, Permissions};
use gatekit_tests::{Answer, Call, Store, at_once, count, gzip, on_every_store};
use serde_json::{Value, json};

use crate::site::{KEY, NAME, OTHER_KEY, PASSWORD, Site, all, forged};

const NEW: &str = "another horse battery";
const SUCCESS: &str = r#"{"success":true}"#;
const INSUFFICIENT: &str = r#"{"success":false,"message":"insufficient arguments"}"#;
const MISMATCH: &str = r#"{"success":false,"message":"Current password does not match given token"}"#;

fn post(site: &Site, token: Option<&str>, body: &Value) -> Call {
    let call = site.call("POST", "/_auth").json(body);
    match token {
        Some(token) => call.header("x-cm-well-token", token),
        None => call,
    }
}

fn change(current: &str, new: &str) -> Value {
    json!({"op": "change-password", "current": current, "new": new})
}

#[track_caller]
fn unkept(answer: Answer) -> Answer {
    answer.expect_header("cache-control", "no-store").expect_header("referrer-policy", "no-referrer")
}

/// Panics unless it says that this is for `Admin`, and by what one would be let in.
#[track_caller]
fn not_admin(answer: Answer) {
    assert_eq!(all(&answer, "www-authenticate"), [r#"Bearer realm="cmwell""#]);
    unkept(answer).is(401, "Not authorized");
}

async fn flagged(store: Store) -> Site {
    let legacy = Legacy { get_operations: true, ..Legacy::default() };
    Site::with().cmwell(move |cmwell| cmwell.legacy(legacy)).start(store).await.registered().await
}

on_every_store! {
    /// U7: in CM-Well old tokens lived on, and the old password for a quarter of an hour.
    async fn a_changed_password_ends_every_token_and_the_old_password_at_once(store) {
        let site = Site::new(store).await;
        let (token, other) = (site.token().await, site.token().await);
        unkept(post(&site, Some(&token), &change(PASSWORD, NEW)).await).is(200, SUCCESS);
        for token in [&token, &other] {
            site.me(token).await.expect_status(401);
        }
        site.login(NAME, PASSWORD).await.expect_status(401);
        let token = site.login(NAME, NEW).await.expect_status(200).text("token");
        site.me(&token).await.expect_status(200);
        let notice = site.mails.wait_for_kind(MailKind::PasswordChanged, 1).await;
        assert_eq!(notice.len(), 1);
    }

    async fn who_has_no_good_token_or_a_wrong_password_changes_nothing(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        let end = site.now().plus_seconds(60);
        for bad in [
            forged(OTHER_KEY, &CmWellToken::new(NAME, end, 0)),
            forged(KEY, &CmWellToken::new(NAME, site.now(), 0)),
            forged(KEY, &CmWellToken::new(NAME, end, 1)),
            forged(KEY, &CmWellToken::new("nobody", end, 0)),
        ] {
            unkept(post(&site, Some(bad.expose()), &change(PASSWORD, NEW)).await).is(403, MISMATCH);
        }
        for wrong in ["a wrong one", "", "correct horse battery ", "$argon2id$v=19$m=8,t=1,p=1$"] {
            post(&site, Some(&token), &change(wrong, NEW)).await.is(403, MISMATCH);
        }
        for none in [None, Some("bogus"), Some("a.b.c"), Some("")] {
            unkept(post(&site, none, &change(PASSWORD, NEW)).await).is(400, INSUFFICIENT);
        }
        for body in [
            json!({"op": "change-password"}),
            json!({"op": "change-password", "current": PASSWORD}),
            json!({"op": "change-password", "new": NEW}),
            json!({"op": "change-password", "current": PASSWORD, "new": null}),
            json!({"op": "change-password", "current": [PASSWORD], "new": {"a": NEW}}),
            json!({"op": "change-password", "current": 5, "new": 5}),
        ] {
            post(&site, Some(&token), &body).await.is(400, INSUFFICIENT);
        }
        site.me(&token).await.expect_status(200);
        site.token().await;
    }

    /// 6.2.1, 6.2.4: what the policy does not accept is refused, whoever asks.
    async fn a_new_password_must_be_one_that_the_policy_accepts(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        for new in ["", "short", "password123", &"x".repeat(5000)] {
            let answer = unkept(post(&site, Some(&token), &change(PASSWORD, new)).await).expect_status(422);
            assert_eq!(answer.value()["success"], false);
        }
        site.me(&token).await.expect_status(200);
    }

    /// RACE-1, RACE-9: of twenty at the same time one wins, and its password is the one that
    /// counts.
    async fn of_twenty_changes_at_once_one_wins(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        let new = |i: usize| format!("{NEW} number {i}");
        let answers = at_once((0..20).map(|i| post(&site, Some(&token), &change(PASSWORD, &new(i))))).await;
        assert_eq!(count(&answers, 200), 1, "{answers:?}");
        assert_eq!(count(&answers, 403) + count(&answers, 409), 19, "{answers:?}");
        let winner = answers.iter().position(|answer| answer.status == 200).unwrap();
        for i in 0..20 {
            site.login(NAME, &new(i)).await.expect_status(if i == winner { 200 } else { 401 });
        }
        site.me(&token).await.expect_status(401);
    }

    /// What `generate-password` returns is what `set-password` takes: the way in which an
    /// administrator gives a user a password.
    async fn an_admin_sets_the_password_whose_hash_was_made(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        site.permit_operation("Admin").await;
        let bob = site.auth.register(gatekit::Register::email("bob@example.com", PASSWORD).username("bob")).await.unwrap();
        let old = site.login("bob", PASSWORD).await.expect_status(200).text("token");
        let made = post(&site, Some(&token), &json!({"op": "generate-password"})).await;
        let (password, encrypted) = (made.text("password"), made.text("encrypted"));
        let set = json!({"op": "set-password", "user": "bob", "encrypted": encrypted});
        unkept(post(&site, Some(&token), &set).await).is(200, SUCCESS);
        site.me(&old).await.expect_status(401);
        site.login("bob", PASSWORD).await.expect_status(401);
        site.login("bob", &password).await.expect_status(200);
        assert_eq!(site.mails.wait_for_kind(MailKind::PasswordChanged, 1).await[0].to, bob.email.unwrap());

        // Hashes of CM-Well's own are taken as well.
        let bcrypt = "$2a$10$hrLLP9IUUJyUHP5skFtpC.LG.WFvcKHkbrcymcg0yPWXxg08z2mhW";
        let set = json!({"op": "set-password", "user": "bob", "encrypted": bcrypt});
        post(&site, Some(&token), &set).await.is(200, SUCCESS);
        site.login("bob", "myPassword").await.expect_status(200);
    }

    async fn a_hash_that_no_password_matches_or_a_name_of_nobody_sets_nothing(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        let set = |user: &str, encrypted: &str| json!({"op": "set-password", "user": user, "encrypted": encrypted});
        let bcrypt = "$2a$10$hrLLP9IUUJyUHP5skFtpC.LG.WFvcKHkbrcymcg0yPWXxg08z2mhW";
        not_admin(post(&site, Some(&token), &set(NAME, bcrypt)).await);
        not_admin(post(&site, None, &set(NAME, bcrypt)).await);
        site.permit_operation("Admin").await;
        for wrong in ["", "x", "myPassword", "$2a$10$short", " $2a$10$hrLLP9IUUJyUHP5skFtpC.LG.WFvcKHkbrcymcg0yPWXxg08z2mhW",
            "$2a$31$hrLLP9IUUJyUHP5skFtpC.LG.WFvcKHkbrcymcg0yPWXxg08z2mhW", "$argon2id$v=19$m=8,t=1,p=1$", "ee353fd2f50582713313895ccfab4315"] {
            unkept(post(&site, Some(&token), &set(NAME, wrong)).await).expect_status(422);
        }
        for nobody in ["nobody", "", "\0"] {
            let message = format!(r#"{{"success":false,"message":"Username {} was not found in CM-Well"}}"#, nobody.escape_default());
            let answer = post(&site, Some(&token), &set(nobody, bcrypt)).await.expect_status(404);
            if nobody != "\0" {
                answer.is(404, &message);
            }
        }
        for body in [json!({"op": "set-password"}), json!({"op": "set-password", "user": NAME}), json!({"op": "set-password", "user": 1, "encrypted": bcrypt})] {
            post(&site, Some(&token), &body).await.is(400, INSUFFICIENT);
        }
        site.me(&token).await.expect_status(200);
    }

    /// U16: in CM-Well everybody could, from a generator that can be predicted.
    async fn a_password_is_made_up_for_admins_only(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        let body = json!({"op": "generate-password"});
        for token in [None, Some("bogus"), Some(token.as_str())] {
            not_admin(post(&site, token, &body).await);
        }
        site.permit_operation("Overwrite").await;
        not_admin(post(&site, Some(&token), &body).await);
        site.permit_operation("admin").await;
        not_admin(post(&site, Some(&token), &body).await);
        site.permit_operation("Admin").await;
        let made: Vec<Answer> = vec![post(&site, Some(&token), &body).await, post(&site, Some(&token), &body).await];
        for answer in made.clone() {
            let (password, encrypted) = (answer.text("password"), answer.text("encrypted"));
            assert!(password.len() == 20 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{password}");
            let hash = gatekit::core::PasswordHash::from_stored(encrypted);
            assert!(site.auth.hasher().verify(password.as_str().into(), Some(&hash)).await.unwrap().matches);
            assert_eq!(answer.value().as_object().unwrap().len(), 2);
            unkept(answer).expect_status(200);
        }
        assert_ne!(made[0].text("password"), made[1].text("password"));
        // It is one that the policy takes.
        let change = change(PASSWORD, &made[0].text("password"));
        post(&site, Some(&token), &change).await.is(200, SUCCESS);
    }

    async fn admin_may_come_with_a_role(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        let permissions = Permissions::default().operation("Admin");
        site.cmwell.set_permissions(&PermissionHolder::Role("boss".into()), Some(&permissions)).await.unwrap();
        not_admin(post(&site, Some(&token), &json!({"op": "invalidate-cache"})).await);
        site.auth.assign_role(&1.into(), "boss").await.unwrap();
        site.cmwell.forget_permissions();
        post(&site, Some(&token), &json!({"op": "invalidate-cache"})).await.is(200, SUCCESS);
        // Not for anonymous, whatever it was given.
        site.cmwell.set_permissions(&PermissionHolder::Anonymous, Some(&permissions)).await.unwrap();
        not_admin(post(&site, None, &json!({"op": "invalidate-cache"})).await);
    }

    async fn an_invalidated_cache_is_empty(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        site.permit_operation("Admin").await;
        let open = async || {
            site.faults.reset();
            Call::new(&site.filtered, "GET", "/open").await.expect_status(403);
            site.faults.calls()
        };
        assert_eq!(open().await, ["permissions_of"]);
        assert!(open().await.is_empty());
        for _ in 0..2 {
            unkept(post(&site, Some(&token), &json!({"op": "invalidate-cache"})).await).is(200, SUCCESS);
            assert_eq!(open().await, ["permissions_of"]);
        }
    }

    async fn the_operation_is_named_in_query_or_body(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        let call = |path: &str| site.call("POST", path).header("x-cm-well-token", &token);
        call("/_auth?op=invalidate-cache").await.is(401, "Not authorized");
        // The query's counts, as in CM-Well.
        let both = call("/_auth?op=invalidate-cache").json(change(PASSWORD, NEW));
        both.await.is(401, "Not authorized");
        let expected = r#"{"success":false,"message":"`op` query parameter was expected"}"#;
        for answer in [call("/_auth").await, call("/_auth?x=1").json("{}").await, call("/_auth").json(r#"{"op":5}"#).await] {
            unkept(answer).is(400, expected);
        }
        for (op, shown) in [("x", "x"), ("", ""), ("Change-Password", "Change-Password"), ("a\\\"b", "a\\\"b")] {
            let answer = call("/_auth").json(format!(r#"{{"op":"{op}"}}"#)).await;
            unkept(answer).is(400, &format!(r#"{{"success":false,"message":"`{shown}` is not a valid operation"}}"#));
        }
        let long = call("/_auth").json(json!({"op": "x".repeat(10_000)})).await.expect_status(400);
        assert!(long.body.len() < 200);
        site.token().await;
    }

    /// U8: no password in a URL, also not beside a POST.
    async fn passwords_come_from_the_body_alone(store) {
        for site in [Site::new(store).await, flagged(store).await] {
            let token = site.token().await;
            let path = "/_auth?op=change-password&current=correct%20horse%20battery&new=another%20horse%20battery";
            site.call("POST", path).header("x-cm-well-token", &token).await.is(400, INSUFFICIENT);
            site.token().await;
        }
    }

    async fn a_get_is_405_unless_the_flag_says_so(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
            for op in ["change-password&current=a&new=b", "generate-password", "invalidate-cache", "x"] {
                let answer = site.call(method, &format!("/_auth?op={op}")).header("x-cm-well-token", &token).await;
                unkept(answer).expect_header("allow", "POST").is(405, "");
            }
        }
    }

    async fn with_the_flag_a_get_does_the_same(store) {
        let site = flagged(store).await;
        let token = site.token().await;
        let get = |query: &str| site.get(&format!("/_auth?{query}")).header("x-cm-well-token", &token);
        unkept(get("").await).is(400, r#"{"success":false,"message":"`op` query parameter was expected"}"#);
        unkept(get("op=x").await).is(400, r#"{"success":false,"message":"`x` is not a valid operation"}"#);
        get("op=change-password").await.is(400, INSUFFICIENT);
        get("op=change-password&current=x").await.is(400, INSUFFICIENT);
        get("op=change-password&current=x&new=y").await.is(403, MISMATCH);
        not_admin(get("op=generate-password").await);
        not_admin(get("op=invalidate-cache").await);
        site.permit_operation("Admin").await;
        get("op=invalidate-cache").await.is(200, SUCCESS);
        get("op=generate-password").await.expect_status(200);
        // `HEAD` is no way to do something.
        let change = "op=change-password&current=correct%20horse%20battery&new=another%20horse%20battery";
        let head = site.call("HEAD", &format!("/_auth?{change}")).header("x-cm-well-token", &token);
        unkept(head.await).is(405, "");
        // Nor is a link on another site.
        let foreign = get("op=invalidate-cache").header("sec-fetch-site", "cross-site");
        unkept(foreign.await).expect(403, "CROSS_ORIGIN_REQUEST");
        site.me(&token).await.expect_status(200);
        unkept(get(change).await).is(200, SUCCESS);
        site.me(&token).await.expect_status(401);
        site.login(NAME, NEW).await.expect_status(200);
        // And a POST as ever.
        let token = site.login(NAME, NEW).await.text("token");
        post(&site, Some(&token), &json!({"op": "change-password", "current": NEW, "new": PASSWORD})).await.is(200, SUCCESS);
    }

    /// FUZZ-9, LOAD-4
    async fn a_body_that_is_no_json_object_is_refused(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        let call = |path: &str| site.call("POST", path).header("x-cm-well-token", &token);
        for body in ["[]", "5", "null", "\"x\"", "{", "{\"op\":", "\u{feff}{}", "{}{}"] {
            unkept(call("/_auth?op=change-password").json(body).await).expect_status(400);
        }
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
            let answer = call("/_auth").body(content_type, change(PASSWORD, NEW).to_string()).await;
            unkept(answer).expect_status(415);
        }
        call("/_auth").bare_body(change(PASSWORD, NEW).to_string()).await.expect_status(415);
        unkept(call("/_auth").json("x".repeat(65 * 1024)).await).expect_status(413);
        let packed = |body: Vec<u8>| call("/_auth").header("content-encoding", "gzip").body("application/json", body);
        unkept(packed(gzip("x".repeat(10_000_000))).await).expect_status(413);
        unkept(packed(b"{}".to_vec()).await).expect_status(400);
        unkept(packed(gzip("[]")).await).expect_status(400);
        unkept(call("/_auth").json("{}").header("content-encoding", "br").await).expect_status(415);
        call("/_auth").json("[".repeat(60_000)).await.expect_status(400);
        call("/_auth").json(format!(r#"{{"op":"change-password","x":{}1{}}}"#, "[".repeat(50), "]".repeat(50))).await.is(400, INSUFFICIENT);
        let charset = call("/_auth").body("Application/JSON; charset=utf-8", r#"{"op":"invalidate-cache"}"#);
        charset.await.is(401, "Not authorized");
        site.me(&token).await.expect_status(200);
    }
}
